"""Personal data and secrets in texts, told by their form, their check digits and the words around them.

What is found is a kind and how many values have it, never the value. Patterns are RE2's: time is linear in the text. Names of
people and postal addresses have no form that tells them, and are not found.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from solon.evidence.data import checksums


@dataclass(frozen=True, slots=True)
class Detector:
    """A kind of personal data.

    ``pattern`` finds candidates, of which ``holds`` is true. It is enough where it is told ``alone``; else one of ``words``
    must stand before it in the text, with nothing but ``gap`` between, or in the column's name. ``checked``: it has check
    digits, and is told as well where half of a column's cells that are nothing but candidates have them right. By chance
    a tenth has.
    """

    kind: str
    pattern: str
    holds: Callable[[str], bool] = bool
    words: Sequence[str] = ()
    alone: bool = True
    checked: bool = False
    gap: str = r"[^\n\d]{0,24}?"


def _phone(text: str) -> bool:
    """E.164: at most fifteen digits, and the country's code is no 0."""
    digits = [char for char in text if char.isdigit()]
    return 8 <= len(digits) <= 15 and digits[0] != "0" and len(set(digits)) > 2


def _phone_here(text: str) -> bool:
    """A number as it is dialled inside of a country, or with 00 before it."""
    return 7 <= sum(char.isdigit() for char in text) <= 17 and len({*text} & {*"0123456789"}) > 2


def _address(text: str) -> bool:
    """An IP address that a machine somewhere has: not the unspecified, the loopback, a multicast or a reserved one."""
    try:
        found = ip_address(text)
    except ValueError:
        return False
    return not (found.is_unspecified or found.is_loopback or found.is_multicast or found.is_reserved)


def _mac(text: str) -> bool:
    return len({*text} & {":", "-"}) == 1 and len({*text.lower()} - {":", "-"}) > 1


def _email(text: str) -> bool:
    """Not the name of a file, such as ``logo@2x.png``."""
    domain = text.rpartition("@")[2].lower()
    return domain.rpartition(".")[2] not in ("css", "gif", "jpeg", "jpg", "js", "png", "svg", "webp")


def _varied(text: str) -> bool:
    """A password that somebody chose, or a key, rather than a word or a mask: several characters, with a digit."""
    return len(set(text)) > 5 and any(char.isdigit() for char in text)


_DATE: Final = (
    r"(?:(?:19|20)\d\d[-/.](?:0?[1-9]|1[0-2])[-/.](?:0?[1-9]|[12]\d|3[01])"
    r"|(?:0?[1-9]|[12]\d|3[01])[-/. ]{1,2}(?:0?[1-9]|[12]\d|3[01]|\pL{3,9})[-/., ]{1,2}(?:(?:19|20)\d\d|\d\d)"
    r"|\pL{3,9} (?:0?[1-9]|[12]\d|3[01]),? (?:19|20)\d\d)"
)
_BORN: Final = (
    "born", "date of birth", "birth ?date", "birthday", "dob", r"d\.o\.b", "geboren", "geb", "geburtsdatum",
    "geburtstag", "née? le", "date de naissance", "nacido", "nacida", "fecha de nacimiento", "nato il", "nata il",
    "data di nascita", "geboortedatum",
)  # fmt: skip
_CALL: Final = (
    "phone", "telephone", "tel", "mobile", "cell", "cellphone", "call", "fax", "telefon", "telefono", "teléfono",
    "téléphone", "handy", "mobil", "móvil", "movil", "whatsapp", "rufnummer",
)  # fmt: skip
_STEUER: Final = (
    "steuer[- ]?id", "steuernummer", "idnr", "(?:steuer)?identifikationsnummer", "tax (?:id|identification) ?(?:number|no)?",
)  # fmt: skip
_DNI: Final = ("dni", "nif", "nie", "documento nacional")
_BSN: Final = ("bsn", "burgerservicenummer", "sofi[- ]?nummer")
_SECRET: Final = (
    "password", "passwd", "pwd", "passwort", "kennwort", "contraseña", "mot de passe", "api[_ -]?key", "secret(?:[_ -]?key)?",
    "access[_ -]?(?:key|token)", "auth[_ -]?token", "client[_ -]?secret", "accountkey",
)  # fmt: skip
_OMO: Final = "[0-9LMNP-Vlmnp-v]"  # a digit of a codice fiscale, or the letter that replaces it where two people had the same
_PASSPORT: Final = (
    "passport",
    "passeport",
    "reisepass",
    "reisepassnummer",
    "passnummer",
    "pasaporte",
    "passaporto",
)

# Prefixes that issuers give their keys, so that they can be told.
_KEYS: Final = (
    r"(?:AKIA|ASIA)[A-Z2-7]{16}"  # Amazon Web Services
    r"|gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,}"
    r"|glpat-[A-Za-z0-9_-]{20,64}"
    r"|xox[abeoprs]-[A-Za-z0-9-]{10,}"  # Slack
    r"|AIza[A-Za-z0-9_-]{35}"  # Google
    r"|[sr]k_(?:live|test)_[A-Za-z0-9]{16,}"  # Stripe
    r"|sk-(?:ant-|proj-|svcacct-)?[A-Za-z0-9_-]{20,}"  # OpenAI, Anthropic
    r"|hf_[A-Za-z0-9]{30,64}|npm_[A-Za-z0-9]{36}|pypi-AgEI[A-Za-z0-9_-]{50,}|dop_v1_[a-f0-9]{64}"
    r"|SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{16,64}"  # SendGrid
    r"|eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"  # a JSON Web Token
)

DETECTORS: Final[Sequence[Detector]] = (
    Detector("email", r"\b[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}\b", _email),
    Detector("phone", r"\B\+[1-9]\d{0,2}[ .-]?(?:\(0?\d{1,4}\)[ .-]?)?\d{1,5}(?:[ ./-]?\d{1,5}){1,5}\b", _phone),
    Detector("phone", r"(?:\([2-9]\d\d\) ?|\b(?:1[.-])?[2-9]\d\d[.-])[2-9]\d\d[.-]\d{4}\b", _phone),
    Detector("phone", r"\(?\b\d{2,5}\)?(?:[ ./-]{0,3}\d{2,5}){1,5}\b", _phone_here, words=_CALL, alone=False),
    Detector("credit_card", r"\b\d{4}[ -]\d{4}[ -]\d{4}[ -]\d{1,4}(?:[ -]\d{3})?\b|\b3\d{3}[ -]\d{6}[ -]\d{4,5}\b", checksums.card),
    Detector("credit_card", r"\b[2-6]\d{12,18}\b", checksums.card, words=("card", "kreditkarte", "carte", "tarjeta"), checked=True),
    Detector("iban", r"\b[A-Za-z]{2}\d\d ?(?:[A-Za-z0-9]{4} ?){2,7}[A-Za-z0-9]{0,4}\b", checksums.iban),
    Detector("us_ssn", r"\b\d{3}-\d\d-\d{4}\b", checksums.us_ssn),
    Detector("us_ssn", r"\b\d{3}[ .]?\d\d[ .]?\d{4}\b", checksums.us_ssn, words=("ssns?", "social security"), alone=False),
    Detector("uk_nhs", r"\b\d{3}[ -]?\d{3}[ -]?\d{4}\b", checksums.uk_nhs, words=("nhs",), alone=False, checked=True),
    Detector("uk_nino", r"\b[A-Za-z]{2} ?\d\d ?\d\d ?\d\d ?[A-Da-d]\b", checksums.uk_nino),
    Detector("de_tax_id", r"\b\d{2}[ /]?\d{3}[ /]?\d{3}[ /]?\d{3}\b", checksums.de_tax_id, words=_STEUER, alone=False, checked=True),
    Detector("fr_nir", r"\b[123478] ?\d\d ?\d\d ?(?:\d\d|2[ABab]) ?\d{3} ?\d{3} ?\d\d\b", checksums.fr_nir),
    Detector("es_dni", r"\b\d{2}\.?\d{3}\.?\d{3}[ -]?[A-Za-z]\b", checksums.es_dni, words=_DNI, checked=True),
    Detector("es_nie", r"\b[XYZxyz][ -]?\d{7}[ -]?[A-Za-z]\b", checksums.es_nie, words=_DNI, checked=True),
    Detector("nl_bsn", r"\b\d{4}[ .]?\d{2}[ .]?\d{3}\b", checksums.nl_bsn, words=_BSN, alone=False, checked=True),
    Detector("it_codice_fiscale", rf"\b[A-Za-z]{{6}}{_OMO}{{2}}[A-Za-z]{_OMO}{{2}}[A-Za-z]{_OMO}{{3}}[A-Za-z]\b", checksums.it_codice_fiscale),
    Detector("ipv4", r"\b(?:\d{1,3}\.){3}\d{1,3}\b", _address),
    Detector("ipv6", r"\b(?:[23][0-9A-Fa-f]{3}|[Ff][CDcd][0-9A-Fa-f]{2}):(?:[0-9A-Fa-f]{0,4}:){1,6}[0-9A-Fa-f]{0,4}", _address),
    Detector("mac_address", r"\b(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}\b", _mac),
    Detector("passport", r"\b[A-Z]{0,3}\d{6,9}[A-Z]?\b|\b[CFGHJK][CFGHJKLMNPRTVWXYZ0-9]{8}\b", words=_PASSPORT, alone=False),
    Detector("birth_date", rf"\b{_DATE}\b", words=_BORN, alone=False),
    Detector("secret", rf"\b(?:{_KEYS})"),
    Detector("secret", r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY-----"),
    Detector("secret", r"[^ \t\n\"',;<>]{8,200}", _varied, words=_SECRET, alone=False, gap=r"[\"']?[ ]{0,4}[:=][ ]{0,4}[\"']?"),
)  # fmt: skip
KINDS: Final = tuple(dict.fromkeys(detector.kind for detector in DETECTORS))
