"""Check digits. The numbers are examples that their issuers published, or were made with python-stdnum 2.2."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from solon.evidence.data import checksums

VALID = [
    (checksums.card, "4111111111111111"),
    (checksums.card, "4111 1111 1111 1111"),
    (checksums.card, "4222222222222"),
    (checksums.card, "5555-5555-5555-4444"),
    (checksums.card, "2223003122003222"),
    (checksums.card, "378282246310005"),
    (checksums.card, "6011111111111117"),
    (checksums.card, "30569309025904"),
    (checksums.card, "3530111333300000"),
    (checksums.card, "6200000000000005"),
    (checksums.iban, "GB82 WEST 1234 5698 7654 32"),
    (checksums.iban, "DE89370400440532013000"),
    (checksums.iban, "FR1420041010050500013M02606"),
    (checksums.iban, "NO9386011117947"),
    (checksums.iban, "MT84MALT011000012345MTLCAST001S"),
    (checksums.us_ssn, "536-90-4399"),
    (checksums.uk_nhs, "943 476 5919"),
    (checksums.uk_nino, "AB 12 34 56 C"),
    (checksums.de_tax_id, "36 574 261 809"),
    (checksums.de_tax_id, "86095742719"),
    (checksums.fr_nir, "2 55 08 14 168 025 38"),
    (checksums.fr_nir, "253072B07300470"),
    (checksums.es_dni, "12345678Z"),
    (checksums.es_dni, "54.362.315-K"),
    (checksums.es_nie, "X1234567L"),
    (checksums.es_nie, "X-2482300-W"),
    (checksums.nl_bsn, "111222333"),
    (checksums.nl_bsn, "1112.22.333"),
    (checksums.it_codice_fiscale, "RSSMRA85T10A562S"),
    (checksums.it_codice_fiscale, "rccmnl83s18d969h"),
]


@pytest.mark.parametrize("holds, number", VALID)
def test_a_number_that_can_be(holds, number: str) -> None:
    assert holds(number)


@pytest.mark.parametrize(
    "holds, number",
    [
        (checksums.card, "4111111111111112"),  # check digit
        (checksums.card, "1111111111111117"),  # no issuer
        (checksums.card, "41111111111111"),  # no length of Visa's
        (checksums.card, "0000000000000000"),
        (checksums.iban, "GB82WEST12345698765431"),
        (checksums.iban, "GB82WEST1234569876543"),  # too short
        (checksums.iban, "ZZ82WEST12345698765432"),  # no country
        (checksums.iban, "GB82-WEST-1234-5698-7654-3é"),
        (checksums.us_ssn, "000-12-3456"),
        (checksums.us_ssn, "666-12-3456"),
        (checksums.us_ssn, "900-12-3456"),
        (checksums.us_ssn, "123-00-4567"),
        (checksums.us_ssn, "123-45-0000"),
        (checksums.us_ssn, "078-05-1120"),  # Woolworth's wallets
        (checksums.us_ssn, "123-45-6789"),
        (checksums.us_ssn, "12-345-678"),
        (checksums.uk_nhs, "943 476 5918"),
        (checksums.uk_nhs, "1111111111"),
        (checksums.uk_nino, "QQ 12 34 56 C"),  # HMRC's own example is never given out
        (checksums.uk_nino, "BG 12 34 56 C"),
        (checksums.uk_nino, "AO 12 34 56 C"),
        (checksums.uk_nino, "AB 12 34 56 E"),
        (checksums.de_tax_id, "36 574 261 890"),
        (checksums.de_tax_id, "06 574 261 809"),
        (checksums.de_tax_id, "12345678901"),  # no digit twice
        (checksums.de_tax_id, "11100234569"),  # three in a row
        (checksums.fr_nir, "2 55 08 14 168 025 39"),
        (checksums.fr_nir, "5 55 08 14 168 025 38"),
        (checksums.fr_nir, "255081416802"),
        (checksums.es_dni, "12345678A"),
        (checksums.es_dni, "1234567Z"),
        (checksums.es_nie, "X1234567A"),
        (checksums.es_nie, "A1234567L"),
        (checksums.nl_bsn, "111222334"),
        (checksums.nl_bsn, "000000000"),
        (checksums.it_codice_fiscale, "RSSMRA85T10A562T"),
        (checksums.it_codice_fiscale, "RSSMRA85T10A562"),
        (checksums.luhn, "4111111111111112"),
    ],
)
def test_a_number_that_cannot(holds, number: str) -> None:
    assert not holds(number)


# Each of these finds every wrong digit, as its specification has it.
SURE = [each for each in VALID if each[0] not in (checksums.us_ssn, checksums.uk_nino)]


@given(st.sampled_from(SURE), st.data())
def test_one_wrong_digit_is_found(valid, data) -> None:
    holds, number = valid
    places = [place for place, char in enumerate(number) if char.isdigit()]
    place = data.draw(st.sampled_from(places))
    digit = data.draw(st.sampled_from([each for each in "0123456789" if each != number[place]]))
    assert not holds(number[:place] + digit + number[place + 1 :])


@given(st.integers(0, 10**15 - 1).map(lambda number: f"{number:015d}"))
def test_one_digit_of_ten_completes_a_number_of_luhn(digits: str) -> None:
    assert sum(checksums.luhn(digits + last) for last in "0123456789") == 1


@given(st.text(max_size=40), st.sampled_from([holds for holds, _ in VALID]))
def test_any_text_may_be_asked(text: str, holds) -> None:
    assume(text not in {number for _, number in VALID})
    assert holds(text) in (True, False)
