"""crypto.x509.* and crypto.parse_private_keys: certificates, requests and keys, with the fields Go gives them."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import warnings
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from solon.lang.budget import spend
from solon.lang.rego.builtins import pem
from solon.lang.rego.builtins.jws import SIGNATURE_STEPS
from solon.lang.rego.builtins.registry import Builtin, Context, obj, string
from solon.lang.rego.builtins.x509_fields import certificate_fields, request_fields
from solon.lang.rego.errors import BuiltinError
from solon.lang.values import Set, Value, sorted_members, unkey

if TYPE_CHECKING:  # importing cryptography takes longer than most evaluations
    from cryptography import x509

_BEGIN: Final = "-----BEGIN"
_MAX_CERTIFICATES: Final = 1000
_READ_STEPS: Final = 500


def _base64(text: str) -> bytes:
    body = "".join(text.split("\n")).replace("\r", "")
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        raise BuiltinError("illegal base64 data") from None


def _pem_or_der(text: str) -> str | bytes:
    """PEM as text or DER as bytes, from PEM or from base64 of either."""
    if text.startswith(_BEGIN):
        return text
    data = _base64(text)
    return data.decode("utf-8", "replace") if data.startswith(_BEGIN.encode()) else data


def read(read: Callable[[Any], Any], source: Any) -> Any:
    from cryptography.exceptions import UnsupportedAlgorithm

    spend(_READ_STEPS)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a policy may look at certificates that no longer conform
            return read(source)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise BuiltinError(f"asn1: structure error: {error}") from None


def _der_sequences(data: bytes) -> list[bytes]:
    """The elements of DER data that follow one another."""
    out: list[bytes] = []
    at = 0
    while at < len(data):
        length, head = (data[at + 1], 2) if at + 1 < len(data) else (0, 2)
        if length & 0x80:
            octets = length & 0x7F
            length, head = int.from_bytes(data[at + 2 : at + 2 + octets], "big"), 2 + octets
        out.append(data[at : at + head + length])
        at += head + length
        if len(out) > _MAX_CERTIFICATES:
            raise BuiltinError(f"more than {_MAX_CERTIFICATES} certificates")
    return out


def _certificates(text: str) -> list[x509.Certificate]:
    from cryptography import x509

    source = _pem_or_der(text)
    if isinstance(source, bytes):
        ders = _der_sequences(source)
    else:
        found = pem.blocks(source)
        for block in found:
            if block.label != "CERTIFICATE":
                raise BuiltinError(f"PEM block type is '{block.label}', expected CERTIFICATE")
        ders = [der for block in found for der in _der_sequences(block.data)]
    return [read(x509.load_der_x509_certificate, der) for der in ders]


def parse_certificates(text: Value) -> list[Value]:
    return [_read_fields(certificate) for certificate in _certificates(string(text, 1))]


def _read_fields(certificate: x509.Certificate, *, uri_strings: bool = True) -> dict[Any, Value]:
    fields: dict[Any, Value] = read(certificate_fields, certificate)
    if not uri_strings:
        del fields["URIStrings"]
    return fields


def parse_certificate_request(text: Value) -> dict[Any, Value]:
    from cryptography import x509

    body = string(text, 1)
    data = body.encode() if body.startswith("-----BEGIN CERTIFICATE REQUEST-----") else _base64(body)
    block = pem.decode(data.decode("utf-8", "replace")) if data.startswith(_BEGIN.encode()) else None
    if block and block.label != "CERTIFICATE REQUEST":
        raise BuiltinError("invalid PEM-encoded certificate signing request")
    request = read(x509.load_der_x509_csr, block.data if block else data)
    fields: dict[Any, Value] = read(request_fields, request)
    return fields


_USAGES: Final[Mapping[str, str | None]] = {
    "KeyUsageAny": None,
    "KeyUsageServerAuth": "1.3.6.1.5.5.7.3.1",
    "KeyUsageClientAuth": "1.3.6.1.5.5.7.3.2",
    "KeyUsageCodeSigning": "1.3.6.1.5.5.7.3.3",
    "KeyUsageEmailProtection": "1.3.6.1.5.5.7.3.4",
    "KeyUsageIPSECEndSystem": "1.3.6.1.5.5.7.3.5",
    "KeyUsageIPSECTunnel": "1.3.6.1.5.5.7.3.6",
    "KeyUsageIPSECUser": "1.3.6.1.5.5.7.3.7",
    "KeyUsageTimeStamping": "1.3.6.1.5.5.7.3.8",
    "KeyUsageOCSPSigning": "1.3.6.1.5.5.7.3.9",
    "KeyUsageMicrosoftServerGatedCrypto": "1.3.6.1.4.1.311.10.3.3",
    "KeyUsageNetscapeServerGatedCrypto": "2.16.840.1.113730.4.1",
    "KeyUsageMicrosoftCommercialCodeSigning": "1.3.6.1.4.1.311.2.1.22",
    "KeyUsageMicrosoftKernelCodeSigning": "1.3.6.1.4.1.311.61.1.1",
}


def parse_and_verify(context: Context, text: Value) -> list[Value]:
    """[true, certificates from the leaf to the root] or [false, []]; the first given is the root."""
    return _verified(string(text, 1), _now(context), "", frozenset([_USAGES["KeyUsageServerAuth"]]))


def _now(context: Context) -> datetime:
    return datetime.fromtimestamp(context.now_ns // 1_000_000_000, UTC)


def parse_and_verify_with_options(context: Context, text: Value, options: Value) -> list[Value]:
    body = string(text, 1)
    name, moment = "", _now(context)
    usages = frozenset([_USAGES["KeyUsageServerAuth"]])
    for stored, value in obj(options, 2).items():
        option = unkey(stored)
        if option == "DNSName":
            if type(value) is not str:
                raise BuiltinError("'DNSName' should be a string")
            name = value.strip('"')
        elif option == "CurrentTime":
            moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=_int64(value, option) // 1000)
        elif option == "MaxConstraintComparisons":
            _int64(value, option)
        elif option == "KeyUsages":
            usages = _usages(value) or usages
        elif type(option) is str:
            raise BuiltinError("invalid key option")
    return _verified(body, moment, name, usages, uri_strings=False)


def _int64(value: Value, option: str) -> int:
    if type(value) is not int and type(value) is not float:
        raise BuiltinError(f"'{option}' should be a number")
    if value != int(value) or not -(2**63) <= value < 2**63:
        raise BuiltinError(f"'{option}' should be a valid int64 number")
    return int(value)


def _usages(value: Value) -> frozenset[str | None]:
    if type(value) is not list and type(value) is not Set:
        raise BuiltinError("'KeyUsages' should be an Array or Set")
    members: list[Value] = sorted_members(value) if isinstance(value, Set) else value
    names = [member.strip('"') for member in members if type(member) is str]
    unknown = [name for name in names if name not in _USAGES]
    if unknown:
        raise BuiltinError(f"invalid entries for 'KeyUsages' found: [{' '.join(unknown)}]")
    return frozenset(_USAGES[name] for name in names)


def _verified(
    text: str, moment: datetime, name: str, usages: frozenset[str | None], *, uri_strings: bool = True
) -> list[Value]:
    try:
        certificates = _certificates(text)
    except BuiltinError:
        return [False, []]
    if len(certificates) < 2:
        return [False, []]
    leaf, root = certificates[-1], certificates[0]
    chain: list[x509.Certificate] = read(
        lambda between: _chain(leaf, between, root, moment, usages), certificates[1:-1]
    )
    if not chain or (name and not _named(chain[0], name)):
        return [False, []]
    return [True, [_read_fields(certificate, uri_strings=uri_strings) for certificate in chain]]


def _chain(
    leaf: x509.Certificate,
    intermediates: list[x509.Certificate],
    root: x509.Certificate,
    moment: datetime,
    usages: frozenset[str | None],
) -> list[x509.Certificate]:
    """The certificates from ``leaf`` to ``root``, or nothing."""
    chain, left = [leaf], list(intermediates)
    while chain[-1] != root:
        if _issued(root, chain[-1], len(chain) - 1):
            chain.append(root)
            continue
        following = next((c for c in left if _issued(c, chain[-1], len(chain) - 1)), None)
        if following is None:
            return []
        left.remove(following)
        chain.append(following)
    for certificate in chain:
        if not certificate.not_valid_before_utc <= moment <= certificate.not_valid_after_utc:
            return []
        if _unknown_critical(certificate) or not _allows(certificate, usages):
            return []
    return chain


def _issued(issuer: x509.Certificate, subject: x509.Certificate, below: int) -> bool:
    """Whether ``issuer`` may sign certificates, with ``below`` authorities under it, and signed this one."""
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

    try:
        constraints = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value
        if not constraints.ca or (constraints.path_length is not None and below > constraints.path_length):
            return False
        usage = issuer.extensions.get_extension_for_class(x509.KeyUsage).value
        if not usage.key_cert_sign:
            return False
    except x509.ExtensionNotFound as missing:
        if missing.oid == x509.BasicConstraints.oid:
            return False
    except ValueError:
        return False
    spend(SIGNATURE_STEPS)
    digest = subject.signature_hash_algorithm
    if digest and digest.name in ("md5", "sha1"):
        return False
    try:
        subject.verify_directly_issued_by(issuer)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
    return True


# What Go's verifier understands; a certificate with another critical extension is refused. Name constraints
# are not understood here: a chain that has them does not verify.
_UNDERSTOOD: Final = frozenset(["2.5.29.15", "2.5.29.17", "2.5.29.19", "2.5.29.35", "2.5.29.37", "2.5.29.32"])


def _unknown_critical(certificate: x509.Certificate) -> bool:
    try:
        return any(
            (extension.critical or extension.oid.dotted_string == "2.5.29.30")
            and extension.oid.dotted_string not in _UNDERSTOOD
            for extension in certificate.extensions
        )
    except ValueError:
        return True


def _allows(certificate: x509.Certificate, usages: frozenset[str | None]) -> bool:
    from cryptography import x509

    try:
        extended = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return True
    named = {usage.dotted_string for usage in extended}
    return None in usages or "2.5.29.37.0" in named or bool(named & usages)


def _named(certificate: x509.Certificate, name: str) -> bool:
    from cryptography import x509

    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return False
    try:
        address = ipaddress.ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        wanted = name.lower().removesuffix(".")
        return any(_matches(given.lower(), wanted) for given in names.get_values_for_type(x509.DNSName))
    return address in names.get_values_for_type(x509.IPAddress)


def _matches(pattern: str, host: str) -> bool:
    if not pattern.startswith("*."):
        return pattern == host
    first, dot, rest = host.partition(".")
    return bool(first and dot) and rest == pattern[2:]


_ANY: Final = "object[string: any]"

BUILTINS = (
    Builtin("crypto.x509.parse_certificates", f"(string) -> array[{_ANY}]", parse_certificates),
    Builtin(
        "crypto.x509.parse_and_verify_certificates",
        "(string) -> array<boolean, array[object[string: any]]>",
        parse_and_verify,
        contextual=True,
    ),
    Builtin(
        "crypto.x509.parse_and_verify_certificates_with_options",
        f"(string, {_ANY}) -> array<boolean, array[{_ANY}]>",
        parse_and_verify_with_options,
        contextual=True,
    ),
    Builtin("crypto.x509.parse_certificate_request", f"(string) -> {_ANY}", parse_certificate_request),
)
