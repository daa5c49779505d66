"""Check digits of numbers that are given to people: whether a text can be such a number at all.

Each function takes the number as it was written, with or without the spaces, hyphens and dots that people put in. True
says that the form and the check digits hold, not that the number was ever given to anyone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_BETWEEN: Final = str.maketrans("", "", " -./\t")

# The first digits of each issuer, from and to, and how long its numbers are (ISO/IEC 7812, issuers' own pages).
_CARDS: Final[Sequence[tuple[str, str, Sequence[int]]]] = (
    ("4", "4", (13, 16, 19)),  # Visa
    ("51", "55", (16,)),  # Mastercard
    ("2221", "2720", (16,)),
    ("34", "34", (15,)),  # American Express
    ("37", "37", (15,)),
    ("6011", "6011", (16, 19)),  # Discover
    ("644", "659", (16, 19)),
    ("300", "305", (14,)),  # Diners Club
    ("36", "36", (14,)),
    ("38", "39", (14,)),
    ("3528", "3589", (16,)),  # JCB
    ("62", "62", (16, 17, 18, 19)),  # UnionPay
)

# The length of a country's IBAN (SWIFT IBAN registry).
_IBAN: Final = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BI": 27, "BR": 29,
    "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DJ": 27, "DK": 18, "DO": 28, "EE": 20, "EG": 29,
    "ES": 24, "FI": 18, "FK": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28,
    "HN": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20,
    "LB": 28, "LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19,
    "MN": 20, "MR": 27, "MT": 31, "MU": 30, "NI": 28, "NL": 18, "NO": 15, "OM": 23, "PK": 24, "PL": 28, "PS": 29,
    "PT": 25, "QA": 29, "RO": 24, "RS": 22, "RU": 33, "SA": 24, "SC": 31, "SD": 18, "SE": 24, "SI": 19, "SK": 24,
    "SM": 27, "SO": 23, "ST": 25, "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20,
    "YE": 30,
}  # fmt: skip

# What a letter or digit at an odd place of a codice fiscale counts (decree of 23 December 1976): from A and from 0 on.
_ODD_LETTERS: Final = (
    1,
    0,
    5,
    7,
    9,
    13,
    15,
    17,
    19,
    21,
    2,
    4,
    18,
    20,
    11,
    3,
    6,
    8,
    12,
    14,
    16,
    10,
    22,
    25,
    24,
    23,
)
_ODD: Final = {
    **dict(zip(_LETTERS, _ODD_LETTERS, strict=True)),
    **dict(zip("0123456789", _ODD_LETTERS, strict=False)),
}
_EVEN: Final = {
    **dict(zip(_LETTERS, range(26), strict=True)),
    **dict(zip("0123456789", range(10), strict=True)),
}
_DNI: Final = "TRWAGMYFPDXBNJZSQVHLCKE"


def bare(text: str) -> str:
    """Without what people write between the digits."""
    return text.translate(_BETWEEN)


def card(text: str) -> bool:
    """A number of a payment card: an issuer's prefix and length, and the check digit of Luhn (ISO/IEC 7812-1, annex B)."""
    number = bare(text)
    return _digits(number) and _issued(number) and luhn(number)


def luhn(number: str) -> bool:
    double = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
    digits = [int(digit) for digit in reversed(number)]
    return (sum(digits[::2]) + sum(double[digit] for digit in digits[1::2])) % 10 == 0


def iban(text: str) -> bool:
    """The country's length, and remainder 1 modulo 97 (ISO 13616, ISO 7064)."""
    number = bare(text).upper()
    if _IBAN.get(number[:2]) != len(number) or not number.isalnum() or not number.isascii():
        return False
    turned = "".join(str(int(char, 36)) for char in number[4:] + number[:4])
    return int(turned) % 97 == 1


def us_ssn(text: str) -> bool:
    """Nine digits in areas, groups and serials that are given out (Social Security Administration, from 2011 on)."""
    number = bare(text)
    area, group, serial = number[:3], number[3:5], number[5:]
    return (
        _digits(number, 9)
        and area not in ("000", "666")
        and area < "900"
        and group != "00"
        and serial != "0000"
        and number not in ("078051120", "219099999")  # printed on samples
        and len(set(number)) > 1
        and number != "123456789"
    )


def uk_nhs(text: str) -> bool:
    """Ten digits, weighted 10 to 2, modulo 11 (NHS data dictionary)."""
    number = bare(text)
    if not _digits(number, 10) or len(set(number)) == 1:
        return False
    rest = 11 - _weighted(number, range(10, 1, -1)) % 11
    return rest % 11 == int(number[9]) and rest != 10


def uk_nino(text: str) -> bool:
    """Two letters that are given out, six digits, A to D (HMRC NIM39110)."""
    number = bare(text).upper()
    first, last = number[:2], number[8:]
    return (
        len(number) == 9
        and first.isalpha()
        and _digits(number[2:8])
        and last in ("A", "B", "C", "D")
        and not set(first) & set("DFIQUV")
        and first[1] != "O"
        and first not in ("BG", "GB", "KN", "NK", "NT", "TN", "ZZ")
    )


def de_tax_id(text: str) -> bool:
    """Eleven digits: of the first ten, one stands there twice or thrice; ISO 7064 mod 11,10 (Steuer-Identifikationsnummer)."""
    number = bare(text)
    if not _digits(number, 11) or number[0] == "0":
        return False
    often = sorted(Counter(number[:10]).values())
    if often[-1] not in (2, 3) or often[-2] > 1 or any(digit * 3 in number[:10] for digit in "0123456789"):
        return False
    product = 10
    for digit in number[:10]:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return (11 - product) % 10 == int(number[10])


def fr_nir(text: str) -> bool:
    """Thirteen characters and a key of two: 97 less the remainder modulo 97; Corsica's 2A and 2B count as 19 and 18 (INSEE)."""
    number = bare(text).upper()
    body = number[:13]
    if body[5:7] == "2A":
        body = body[:5] + "19" + body[7:]
    elif body[5:7] == "2B":
        body = body[:5] + "18" + body[7:]
    if len(number) != 15 or not _digits(body) or not _digits(number[13:]) or body[0] not in "123478":
        return False
    month = int(body[3:5])
    return (1 <= month <= 12 or 20 <= month <= 42 or month >= 50) and 97 - int(body) % 97 == int(number[13:])


def es_dni(text: str) -> bool:
    """Eight digits, and the letter of the remainder modulo 23 (Ministerio del Interior)."""
    number = bare(text).upper()
    return len(number) == 9 and _digits(number[:8]) and _DNI[int(number[:8]) % 23] == number[8]


def es_nie(text: str) -> bool:
    """As a DNI, where X, Y and Z count as 0, 1 and 2."""
    number = bare(text).upper()
    return len(number) == 9 and number[0] in "XYZ" and es_dni(str("XYZ".index(number[0])) + number[1:])


def nl_bsn(text: str) -> bool:
    """Nine digits, weighted 9 to 2 and minus 1, modulo 11 (Burgerservicenummer)."""
    number = bare(text)
    return (
        _digits(number, 9)
        and len(set(number)) > 1
        and _weighted(number, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0
    )


def it_codice_fiscale(text: str) -> bool:
    """Sixteen characters; the last is the letter of a sum by places, modulo 26 (decree of 23 December 1976)."""
    number = bare(text).upper()
    if len(number) != 16 or not number.isascii() or not number.isalnum():
        return False
    odd, even = sum(_ODD[char] for char in number[:15:2]), sum(_EVEN[char] for char in number[1:15:2])
    return _LETTERS[(odd + even) % 26] == number[15]


def _issued(number: str) -> bool:
    return any(
        first <= number[: len(first)] <= last and len(number) in lengths for first, last, lengths in _CARDS
    )


def _digits(text: str, length: int = 0) -> bool:
    return text.isascii() and text.isdigit() and length in (0, len(text))


def _weighted(number: str, weights: Sequence[int]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(number, weights, strict=False))
