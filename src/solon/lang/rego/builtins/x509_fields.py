"""Certificates and certificate requests as objects, with the names and shapes that Go's crypto/x509 gives them.

Absent lists are null, bytes are base64, object identifiers are arrays of numbers.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

from solon.lang.values import Value

if TYPE_CHECKING:  # importing cryptography takes longer than most evaluations
    from cryptography import x509

_EXTENSION_REQUEST: Final = "1.2.840.113549.1.9.14"
_NAME_FIELDS: Final = {
    "2.5.4.6": "Country", "2.5.4.10": "Organization", "2.5.4.11": "OrganizationalUnit", "2.5.4.7": "Locality",
    "2.5.4.8": "Province", "2.5.4.9": "StreetAddress", "2.5.4.17": "PostalCode",
}  # fmt: skip
_NAME_TEXTS: Final = {"2.5.4.3": "CommonName", "2.5.4.5": "SerialNumber"}

_SIGNATURES: Final = {
    "1.2.840.113549.1.1.2": 1, "1.2.840.113549.1.1.4": 2, "1.2.840.113549.1.1.5": 3, "1.3.14.3.2.29": 3,
    "1.2.840.113549.1.1.11": 4, "1.2.840.113549.1.1.12": 5, "1.2.840.113549.1.1.13": 6,
    "1.2.840.10040.4.3": 7, "2.16.840.1.101.3.4.3.2": 8, "1.2.840.10045.4.1": 9, "1.2.840.10045.4.3.2": 10,
    "1.2.840.10045.4.3.3": 11, "1.2.840.10045.4.3.4": 12, "1.3.101.112": 16,
}  # fmt: skip
_PSS: Final = ("1.2.840.113549.1.1.10", {"sha256": 13, "sha384": 14, "sha512": 15})

_EXTENDED_USAGES: Final = {
    "2.5.29.37.0": 0, "1.3.6.1.5.5.7.3.1": 1, "1.3.6.1.5.5.7.3.2": 2, "1.3.6.1.5.5.7.3.3": 3,
    "1.3.6.1.5.5.7.3.4": 4, "1.3.6.1.5.5.7.3.5": 5, "1.3.6.1.5.5.7.3.6": 6, "1.3.6.1.5.5.7.3.7": 7,
    "1.3.6.1.5.5.7.3.8": 8, "1.3.6.1.5.5.7.3.9": 9, "1.3.6.1.4.1.311.10.3.3": 10,
    "2.16.840.1.113730.4.1": 11, "1.3.6.1.4.1.311.2.1.22": 12, "1.3.6.1.4.1.311.61.1.1": 13,
}  # fmt: skip
_USAGES: Final = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
    "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
)  # fmt: skip


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _oid(dotted: str) -> list[int]:
    return [int(part) for part in dotted.split(".")]


def _or_null(items: Iterable[Value]) -> list[Value] | None:
    return list(items) or None


def _name(name: x509.Name) -> dict[str, Value]:
    out: dict[str, Any] = dict.fromkeys([*_NAME_FIELDS.values(), "ExtraNames", "Names"])
    out |= dict.fromkeys(_NAME_TEXTS.values(), "")
    for attribute in name:
        dotted = attribute.oid.dotted_string
        value = attribute.value if isinstance(attribute.value, str) else text(attribute.value)
        out["Names"] = [*(out["Names"] or []), {"Type": _oid(dotted), "Value": value}]
        if dotted in _NAME_FIELDS:
            out[_NAME_FIELDS[dotted]] = [*(out[_NAME_FIELDS[dotted]] or []), value]
        elif dotted in _NAME_TEXTS:
            out[_NAME_TEXTS[dotted]] = value
    return out


def public_key_fields(key: Any) -> tuple[int, Value]:
    """(algorithm, key)."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    if isinstance(key, rsa.RSAPublicKey):
        rsa_numbers = key.public_numbers()
        return 1, {"N": rsa_numbers.n, "E": rsa_numbers.e}
    if isinstance(key, ec.EllipticCurvePublicKey):
        point = key.public_numbers()
        return 3, {"Curve": {}, "X": point.x, "Y": point.y}
    if isinstance(key, ed25519.Ed25519PublicKey):
        return 4, text(key.public_bytes_raw())
    return 0, None


def _url(url: str) -> dict[str, Value]:
    parts = urlsplit(url)
    opaque = parts.path if parts.scheme and not parts.netloc and not parts.path.startswith("/") else ""
    user, _, host = parts.netloc.rpartition("@")
    path = unquote("" if opaque else parts.path)
    return {
        "Scheme": parts.scheme, "Opaque": opaque, "User": {} if user else None, "Host": host, "Path": path,
        "Fragment": unquote(parts.fragment), "RawQuery": parts.query, "RawPath": "", "RawFragment": "",
        "ForceQuery": url.endswith("?"), "OmitHost": False,
    }  # fmt: skip


def _alternative_names(names: Iterable[x509.GeneralName]) -> dict[str, Value]:
    from cryptography import x509

    found: dict[str, list[Value]] = {"DNSNames": [], "EmailAddresses": [], "IPAddresses": [], "URIs": []}
    for name in names:
        if isinstance(name, x509.DNSName):
            found["DNSNames"].append(name.value)
        elif isinstance(name, x509.RFC822Name):
            found["EmailAddresses"].append(name.value)
        elif isinstance(name, x509.IPAddress):
            found["IPAddresses"].append(str(name.value))
        elif isinstance(name, x509.UniformResourceIdentifier):
            found["URIs"].append(name.value)
    uris = found.pop("URIs")
    return {
        **{field: _or_null(values) for field, values in found.items()},
        "URIs": _or_null(map(_url, uris)),
        "URIStrings": _or_null(uris),
    }


def _constraints(value: x509.NameConstraints) -> dict[str, Value]:
    from cryptography import x509

    out: dict[str, Value] = {}
    kinds = (x509.DNSName, "DNSDomains"), (x509.RFC822Name, "EmailAddresses")
    for side, names in ("Permitted", value.permitted_subtrees), ("Excluded", value.excluded_subtrees):
        for kind, field in (*kinds, (x509.UniformResourceIdentifier, "URIDomains")):
            out[side + field] = _or_null(n.value for n in names or [] if isinstance(n, kind))
        ranges: list[Any] = [n.value for n in names or [] if isinstance(n, x509.IPAddress)]
        out[side + "IPRanges"] = _or_null(
            {"IP": str(r.network_address), "Mask": text(r.netmask.packed)} for r in ranges
        )
    return out


def _locations(value: x509.AuthorityInformationAccess, method: str) -> list[Value] | None:
    from cryptography import x509

    return _or_null(
        access.access_location.value
        for access in value
        if access.access_method.dotted_string == method
        and isinstance(access.access_location, x509.UniformResourceIdentifier)
    )


def _crl_urls(value: x509.CRLDistributionPoints) -> list[Value] | None:
    from cryptography import x509

    return _or_null(
        name.value
        for point in value
        for name in point.full_name or []
        if isinstance(name, x509.UniformResourceIdentifier)
    )


def _count(number: int | None, field: str) -> dict[str, Value]:
    return {field: number or 0, field + "Zero": number == 0}


def _usage_bits(value: x509.KeyUsage) -> int:
    bits = 0
    for position, name in enumerate(_USAGES):
        if name in ("encipher_only", "decipher_only") and not value.key_agreement:
            continue
        bits |= getattr(value, name) << position
    return bits


def _known(extension: x509.Extension[Any]) -> dict[str, Value] | None:
    """The fields that come from an extension; None if it is not one that is understood."""
    value, dotted = extension.value, extension.oid.dotted_string
    if dotted == "2.5.29.15":
        return {"KeyUsage": _usage_bits(value)}
    if dotted == "2.5.29.19":
        length = value.path_length
        return {
            "BasicConstraintsValid": True, "IsCA": value.ca, "MaxPathLen": -1 if length is None else length,
            "MaxPathLenZero": length == 0,
        }  # fmt: skip
    if dotted == "2.5.29.17":
        names = _alternative_names(value)
        return names if any(names.values()) else None
    if dotted == "2.5.29.30":
        return {**_constraints(value), "PermittedDNSDomainsCritical": extension.critical}
    if dotted == "2.5.29.31":
        return {"CRLDistributionPoints": _crl_urls(value)}
    if dotted == "2.5.29.35":
        return {"AuthorityKeyId": text(value.key_identifier) if value.key_identifier else None}
    if dotted == "2.5.29.36":
        return _count(value.require_explicit_policy, "RequireExplicitPolicy") | _count(
            value.inhibit_policy_mapping, "InhibitPolicyMapping"
        )
    if dotted == "2.5.29.37":
        usages = [usage.dotted_string for usage in value]
        return {
            "ExtKeyUsage": _or_null(_EXTENDED_USAGES[u] for u in usages if u in _EXTENDED_USAGES),
            "UnknownExtKeyUsage": _or_null(_oid(u) for u in usages if u not in _EXTENDED_USAGES),
        }
    if dotted == "2.5.29.14":
        return {"SubjectKeyId": text(value.digest)}
    if dotted == "2.5.29.32":
        policies = [policy.policy_identifier.dotted_string for policy in value]
        return {"Policies": policies, "PolicyIdentifiers": [_oid(policy) for policy in policies]}
    if dotted == "2.5.29.54":
        return _count(value.skip_certs, "InhibitAnyPolicy")
    if dotted == "1.3.6.1.5.5.7.1.1":
        return {
            "OCSPServer": _locations(value, "1.3.6.1.5.5.7.48.1"),
            "IssuingCertificateURL": _locations(value, "1.3.6.1.5.5.7.48.2"),
        }
    return None


_NULLS: Final = (
    "AuthorityKeyId", "CRLDistributionPoints", "DNSNames", "EmailAddresses", "ExcludedDNSDomains",
    "ExcludedEmailAddresses", "ExcludedIPRanges", "ExcludedURIDomains", "ExtKeyUsage", "ExtraExtensions",
    "IPAddresses", "IssuingCertificateURL", "OCSPServer", "PermittedDNSDomains", "PermittedEmailAddresses",
    "PermittedIPRanges", "PermittedURIDomains", "Policies", "PolicyIdentifiers", "PolicyMappings", "SubjectKeyId",
    "URIs", "URIStrings", "UnknownExtKeyUsage",
)  # fmt: skip
_ZEROS: Final = (
    "InhibitAnyPolicy",
    "InhibitPolicyMapping",
    "RequireExplicitPolicy",
    "MaxPathLen",
    "KeyUsage",
)
_FLAGS: Final = ("BasicConstraintsValid", "IsCA", "PermittedDNSDomainsCritical")


def _signature_algorithm(signed: x509.Certificate | x509.CertificateSigningRequest) -> int:
    dotted = signed.signature_algorithm_oid.dotted_string
    if dotted == _PSS[0] and signed.signature_hash_algorithm:
        return _PSS[1].get(signed.signature_hash_algorithm.name, 0)
    return _SIGNATURES.get(dotted, 0)


def _common(signed: x509.Certificate | x509.CertificateSigningRequest) -> dict[str, Value]:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    out: dict[str, Value] = {}
    try:
        key = signed.public_key()
        out["PublicKeyAlgorithm"], out["PublicKey"] = public_key_fields(key)
        info = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        out["RawSubjectPublicKeyInfo"] = text(info)
    except UnsupportedAlgorithm:
        out |= {"PublicKeyAlgorithm": 0, "PublicKey": None, "RawSubjectPublicKeyInfo": None}
    return out | {
        "Raw": text(signed.public_bytes(Encoding.DER)),
        "RawSubject": text(signed.subject.public_bytes()),
        "Subject": _name(signed.subject),
        "Signature": text(signed.signature),
        "SignatureAlgorithm": _signature_algorithm(signed),
        "ExtraExtensions": None,
    }


def _extension(extension: x509.Extension[Any]) -> dict[str, Value]:
    return {
        "Critical": extension.critical,
        "Id": _oid(extension.oid.dotted_string),
        "Value": text(extension.value.public_bytes()),
    }


def certificate_fields(certificate: x509.Certificate) -> dict[Any, Value]:
    """The certificate as an object. Raises ValueError for one whose extensions cannot be read."""
    out: dict[Any, Value] = dict.fromkeys(_NULLS) | dict.fromkeys(_ZEROS, 0) | dict.fromkeys(_FLAGS, False)
    out |= {f"{field}Zero": False for field in _ZEROS if field != "KeyUsage"}
    unhandled: list[Value] = []
    for extension in certificate.extensions:
        fields = _known(extension)
        if fields is not None:
            out |= fields
        elif extension.critical:
            unhandled.append(_oid(extension.oid.dotted_string))
    return (
        out
        | _common(certificate)
        | {
            "RawIssuer": text(certificate.issuer.public_bytes()),
            "RawTBSCertificate": text(certificate.tbs_certificate_bytes),
            "Issuer": _name(certificate.issuer),
            "SerialNumber": certificate.serial_number,
            "Version": certificate.version.value + 1,
            "NotBefore": certificate.not_valid_before_utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "NotAfter": certificate.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "Extensions": _or_null(map(_extension, certificate.extensions)),
            "UnhandledCriticalExtensions": unhandled or None,
        }
    )


def request_fields(request: x509.CertificateSigningRequest) -> dict[Any, Value]:
    """The certificate request as an object. Raises ValueError for one whose extensions cannot be read."""
    out: dict[Any, Value] = dict.fromkeys(("DNSNames", "EmailAddresses", "IPAddresses", "URIs"))
    for extension in request.extensions:
        if extension.oid.dotted_string == "2.5.29.17":
            out |= _alternative_names(extension.value)
    out.pop("URIStrings", None)
    extensions = list(map(_extension, request.extensions))
    # Go reads two of the three parts of an extension that is critical.
    asked = [{"Type": each["Id"], "Value": each["Critical"] or each["Value"]} for each in extensions]
    return (
        out
        | _common(request)
        | {
            "RawTBSCertificateRequest": text(request.tbs_certrequest_bytes),
            "Version": 0,
            "Attributes": [{"Type": _oid(_EXTENSION_REQUEST), "Value": [asked]}] if asked else None,
            "Extensions": extensions or None,
        }
    )
