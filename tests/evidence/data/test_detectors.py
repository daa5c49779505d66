"""What is personal data in a text, and what only looks like it. No value here was ever given to anyone."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solon.evidence.data import search as searching
from solon.evidence.data.detectors import KINDS
from solon.evidence.data.search import search

# In two parts, so that no scanner takes them for secrets of this repository.
AWS = "AKIA" + "IOSFODNN7EXAMPLE"
GITHUB = "ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a"
TOKEN = "eyJ" + "hbGciOiJIUzI1NiJ9." + "eyJ" + "zdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N"
KEY = "-----BEGIN RSA " + "PRIVATE KEY-----"


def kinds(text: str, column: str = "comment") -> set[str]:
    return set(search({text: 1}, column))


@pytest.mark.parametrize(
    "text, kind",
    [
        ("write to jo.doe+x@mail.firm.co.uk, please", "email"),
        ("<jo@firm.de>", "email"),
        ("+49 30 901820", "phone"),
        ("call +1 (212) 555-0123 now", "phone"),
        ("+4930901820", "phone"),
        ("(212) 555-0123", "phone"),
        ("212-555-0123", "phone"),
        ("1-212-555-0123", "phone"),
        ("Tel. 030/901820", "phone"),
        ("Téléphone : 01 44 55 66 77", "phone"),
        ("phone 0044 20 7946 0958", "phone"),
        ("paid with 4111 1111 1111 1111 today", "credit_card"),
        ("paid with 4111111111111111 today", "credit_card"),
        ("4111-1111-1111-1111", "credit_card"),
        ("4111\u00a01111\u00a01111\u00a01111", "credit_card"),
        ("4111111111111111,5555555555554444", "credit_card"),
        ("3782 822463 10005", "credit_card"),
        ("IBAN: GB82 WEST 1234 5698 7654 32.", "iban"),
        ("DE89370400440532013000", "iban"),
        ("de89 3704 0044 0532 0130 00", "iban"),
        ("536-90-4399", "us_ssn"),
        ("536\u201190\u20114399", "us_ssn"),
        ("his SSN is 536904399", "us_ssn"),
        ("social security no. 536 90 4399", "us_ssn"),
        ("NHS no: 943 476 5919", "uk_nhs"),
        ("AB 12 34 56 C", "uk_nino"),
        ("Steuer-ID: 36 574 261 809", "de_tax_id"),
        ("2 55 08 14 168 025 38", "fr_nir"),
        ("DNI 12345678Z", "es_dni"),
        ("NIE X1234567L", "es_nie"),
        ("BSN 111222333", "nl_bsn"),
        ("CF: RSSMRA85T10A562S", "it_codice_fiscale"),
        ("from 8.8.8.8:443", "ipv4"),
        ("10.1.2.3", "ipv4"),
        ("2001:db8::1", "ipv6"),
        ("[2a00:1450:4001:81b::200e]:443", "ipv6"),
        ("00:1B:44:11:3A:B7", "mac_address"),
        ("00-1b-44-11-3a-b7", "mac_address"),
        ("Passport No. C01X00T47", "passport"),
        ("Reisepass: C01X00T47", "passport"),
        ("pasaporte AAA123456", "passport"),
        ("born 12/03/1984 in Leeds", "birth_date"),
        ("DOB 1984-03-12", "birth_date"),
        ("geb. am 3. März 1984", "birth_date"),
        ("née le 12.03.1984", "birth_date"),
        ("Date of birth: March 12, 1984", "birth_date"),
        (f"key {AWS} leaked", "secret"),
        (f"token={GITHUB}", "secret"),
        (f"Authorization: Bearer {TOKEN}", "secret"),
        (KEY, "secret"),
        ('password = "hunter2xyz9"', "secret"),
        ("api_key: 9f8e7d6c5b4a3f2e", "secret"),
    ],
)
def test_personal_data(text: str, kind: str) -> None:
    assert kinds(text) == {kind}


@pytest.mark.parametrize(
    "text",
    [
        "jo.doe at firm.de", "@handle", "logo@2x.png", "a@b", "user@localhost",
        "order 030 901820", "5 + 12345678", "2024-01-03", "12:34:56", "1,234,567.89", "+1 2 3",
        "paid with 4111111111111112", "0.4111111111111111", "4111111111111111.5", "item 4111 1111 1111 1112", "0000 0000 0000 0000",
        "GB82 WEST 1234 5698 7654 31", "AB12 CDEF",
        "000-12-3456", "536904399", "12-536-9043",
        "943 476 5919", "QQ 12 34 56 C", "36574261809", "12345678A", "111222333",
        "version 1.2.3", "1.2.3.4.5", "999.1.1.1", "127.0.0.1", "0.0.0.0", "255.255.255.255", "::1", "12:34:56:78", "std::vector",
        "FF:FF:FF:FF:FF:FF", "00:1B-44:11-3A:B7",
        "C01X00T47", "passport control was slow", "due 12/03/1984", "born in 1984", "reborn 12 times",
        "password protected area", "password: ********", "the secret is patience", "sk-learn", "eyJ.eyJ.x",
        "550e8400-e29b-41d4-a716-446655440000", "9780306406157", "",
    ],
)  # fmt: skip
def test_what_only_looks_like_it(text: str) -> None:
    assert kinds(text) == set()


@pytest.mark.parametrize(
    "column, value, kind",
    [
        ("customerSSN", "536904399", "us_ssn"),
        ("date_of_birth", "1984-03-12", "birth_date"),
        ("home_phone", "030901820", "phone"),
        ("card_number", "4111111111111111", "credit_card"),
        ("nhs_number", "9434765919", "uk_nhs"),
        ("idnr", "36574261809", "de_tax_id"),
        ("bsn", "111222333", "nl_bsn"),
        ("passport", "C01X00T47", "passport"),
    ],
)
def test_a_columns_name_stands_for_the_words(column: str, value: str, kind: str) -> None:
    assert kinds(value, column) == {kind}
    assert kinds(value, "x7") <= {"credit_card"}


def bsn(generator: random.Random) -> str:
    while True:
        digits = [generator.randrange(10) for _ in range(8)]
        last = sum(digit * weight for digit, weight in zip(digits, range(9, 1, -1), strict=True)) % 11
        if last < 10:
            return "".join(map(str, [*digits, last]))


def test_a_column_of_nothing_but_check_digits_is_one_of_identifiers() -> None:
    generator = random.Random(1)
    assert search({bsn(generator): 1 for _ in range(60)}, "x7")["nl_bsn"] == 60
    assert "nl_bsn" not in search({bsn(generator): 1 for _ in range(5)}, "x7")  # which may be chance


def test_a_column_of_numbers_is_not_where_a_tenth_has_them_by_chance() -> None:
    generator = random.Random(2)
    numbers = {f"{generator.randrange(10**9):09d}": 1 for _ in range(2000)}
    cards = {f"4{generator.randrange(10**15):015d}": 1 for _ in range(2000)}
    assert search(numbers, "x7") == {}
    assert search(cards, "x7") == {}


def test_numbers_with_decimals_hold_nothing() -> None:
    generator = random.Random(3)
    assert search({str(generator.gauss(0, 1)): 1 for _ in range(5000)}, "x7") == {}


def test_rows_are_counted_and_not_hits() -> None:
    values = Counter({"a@firm.de b@firm.de": 3, "c@firm.de": 1, "none": 5})
    assert search(values) == {"email": 4}


def test_values_do_not_run_into_each_other() -> None:
    assert search({"SSN": 1, "536904399": 1}) == {}
    assert search({"4111 1111": 1, "1111 1111": 1}) == {}


def test_values_of_many_lines_are_one_value() -> None:
    assert search({"name: x\nmail: jo@firm.de\nagain: jo@firm.de": 2}) == {"email": 2}


def test_a_long_column_is_searched_to_its_end(monkeypatch) -> None:
    monkeypatch.setattr(searching, "_BLOCK", 100)
    values = {f"row {number} " + "x" * (number % 50): 1 for number in range(300)} | {
        "jo@firm.de": 2,
        "end": 1,
    }
    assert search(values) == {"email": 2}


@given(st.dictionaries(st.text(), st.integers(1, 5), max_size=5), st.text(max_size=20))
def test_any_column_can_be_searched(values: dict[str, int], column: str) -> None:
    rows = sum(values.values())
    assert all(kind in KINDS and 0 < count <= rows for kind, count in search(values, column).items())


@given(st.text(alphabet=st.characters(exclude_characters="\n", categories=("L", "Z")), max_size=40))
def test_what_stands_around_a_mail_address_does_not_hide_it(around: str) -> None:
    assert "email" in kinds(f"{around} jo@firm.de {around}")


def test_long_hostile_texts_end() -> None:
    """Each of these takes a backtracking engine hours."""
    for text in (
        "a" * 100_000 + "@",
        "1 " * 50_000,
        "a@" + "a." * 50_000,
        "::" * 50_000,
        "(" * 100_000,
        "-----BEGIN " * 9_000,
    ):
        assert search({text: 1}, "phone") == {}
