"""The token: what is signed can be read again, and nothing else can."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import example, given, settings
from hypothesis import strategies as st

from solon.governance.breakglass.token import MAX_LENGTH, Claims, Refused, issue, verify
from solon.governance.scope import Scope
from solon.signing import keys

KEY = Ed25519PrivateKey.from_private_bytes(b"\x01" * 32)
OTHER = Ed25519PrivateKey.from_private_bytes(b"\x02" * 32)
PUBLIC = KEY.public_key()
PRIVATE_PEM, PUBLIC_PEM = keys.pem_of(KEY)

HEADER = {"alg": "EdDSA", "typ": "solon-breakglass+jwt"}
CLAIMS: dict[str, Any] = {
    "iss": "solon",
    "sub": "ana@example.com",
    "jti": "bg-0123456789ab",
    "iat": 1_800_000_000,
    "nbf": 1_800_000_000,
    "exp": 1_800_001_800,
    "reason": "the gateway is down",
    "ticket": "PAY-4821",
    "scope": {"team": "payments", "namespace": ["pay-*", "checkout"]},
    "policies": ["*"],
}


def part(value: Any) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(claims: Any = CLAIMS, header: Any = HEADER, key: Any = KEY) -> str:
    """A token made by hand, without the code under test."""
    text = f"{part(header)}.{part(claims)}"
    return f"{text}.{part(key.sign(text.encode()))}"


def test_what_is_issued_is_a_jwt_that_others_read() -> None:
    scope = Scope(team="payments", namespace=["pay-*", "checkout"])
    token = issue(Claims(**{**CLAIMS, "scope": scope}), KEY)
    assert jwt.get_unverified_header(token) == HEADER
    assert jwt.decode(token, PUBLIC_PEM, algorithms=["EdDSA"], options={"verify_exp": False, "verify_nbf": False, "verify_iat": False}) == CLAIMS  # fmt: skip


def test_what_others_sign_is_read() -> None:
    claims = verify(signed(), PUBLIC)
    assert (claims.sub, claims.jti, claims.reason) == (
        "ana@example.com",
        "bg-0123456789ab",
        "the gateway is down",
    )
    assert claims.scope == Scope(team="payments", namespace=["pay-*", "checkout"])
    assert claims.issued == datetime(2027, 1, 15, 8, 0, tzinfo=UTC)
    assert claims.expires == datetime(2027, 1, 15, 8, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("iss", "other"),
        ("sub", "eve@example.com"),
        ("jti", "bg-ffffffffffff"),
        ("iat", 1_700_000_000),
        ("nbf", 1_700_000_000),
        ("exp", 1_900_000_000),
        ("reason", "another"),
        ("ticket", "PAY-1"),
        ("scope", {"team": "*"}),
        ("policies", ["other"]),
    ],
)
def test_a_claim_that_was_changed_breaks_the_signature(name: str, value: Any) -> None:
    header, _, signature = signed().split(".")
    with pytest.raises(Refused, match="signature that the public key does not verify"):
        verify(f"{header}.{part({**CLAIMS, name: value})}.{signature}", PUBLIC)


def test_the_signature_of_another_token_does_not_fit() -> None:
    mine, theirs = signed().split("."), signed({**CLAIMS, "jti": "bg-ffffffffffff"}).split(".")
    for swapped in ([mine[0], theirs[1], mine[2]], [mine[0], mine[1], theirs[2]]):
        with pytest.raises(Refused, match="signature"):
            verify(".".join(swapped), PUBLIC)


def test_another_key() -> None:
    with pytest.raises(Refused, match="changed, or of another key"):
        verify(signed(key=OTHER), PUBLIC)


def hs256(secret: bytes, header: Any) -> str:
    text = f"{part(header)}.{part(CLAIMS)}"
    return f"{text}.{part(hmac.digest(secret, text.encode(), hashlib.sha256))}"


RAW = PUBLIC.public_bytes(Encoding.Raw, PublicFormat.Raw)


@pytest.mark.parametrize(
    "token",
    [
        f"{part({**HEADER, 'alg': 'none'})}.{part(CLAIMS)}.",
        f"{part({**HEADER, 'alg': 'None'})}.{part(CLAIMS)}.",
        f"{part({**HEADER, 'alg': 'none'})}.{part(CLAIMS)}.{signed().split('.')[2]}",
        hs256(PUBLIC_PEM, {**HEADER, "alg": "HS256"}),
        hs256(RAW, {**HEADER, "alg": "HS256"}),
        signed(header={**HEADER, "alg": "HS256"}),
        signed(header={**HEADER, "alg": "ES256"}),
        signed(header={**HEADER, "alg": "Ed25519"}),
        signed(header={**HEADER, "alg": "eddsa"}),
        signed(header={**HEADER, "alg": ["EdDSA"]}),
        signed(header={**HEADER, "alg": None}),
        signed(header={"typ": HEADER["typ"]}),
    ],
)
def test_there_is_one_algorithm(token: str) -> None:
    with pytest.raises(Refused, match=r"not signed with EdDSA|is not a token"):
        verify(token, PUBLIC)


def test_hs256_with_the_public_key_labelled_eddsa() -> None:
    with pytest.raises(Refused, match="signature"):
        verify(hs256(RAW, HEADER), PUBLIC)


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "EdDSA"},
        {"alg": "EdDSA", "typ": "JWT"},
        {"alg": "EdDSA", "typ": "Solon-Breakglass+JWT"},
        {**HEADER, "kid": "1"},
        {**HEADER, "jku": "https://example.com/keys"},
        {**HEADER, "jwk": {"kty": "OKP", "crv": "Ed25519", "x": part(RAW)}},
        {**HEADER, "cty": "JWT"},
        {**HEADER, "b64": True},
        {**HEADER, "crit": []},
    ],
)
def test_a_token_of_another_kind(header: Any) -> None:
    with pytest.raises(Refused, match=r"of another kind|do not decode"):
        verify(signed(header=header), PUBLIC)


@pytest.mark.parametrize("name", CLAIMS)
def test_every_claim_is_required(name: str) -> None:
    claims = {key: value for key, value in CLAIMS.items() if key != name}
    with pytest.raises(Refused, match=f"missing required field `{name}`"):
        verify(signed(claims), PUBLIC)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"aud": "solon"}, "unknown field `aud`"),
        ({"admin": True}, "unknown field `admin`"),
        ({"iss": "other"}, "iss is not 'solon'"),
        ({"jti": "1"}, "jti is not an identifier"),
        ({"jti": "bg-0123456789ab\n"}, "jti is not an identifier"),
        ({"iat": 1.8e9 + 0.5}, "Expected `int`"),
        ({"iat": "1800000000"}, "Expected `int`"),
        ({"iat": True}, "Expected `int`"),
        ({"iat": -1, "nbf": -1}, "exp is not after iat"),
        ({"exp": 1_800_000_000}, "exp is not after iat"),
        ({"exp": 10**18}, "exp is not after iat"),
        ({"exp": 10**30}, "exp is not after iat"),
        ({"exp": None}, "Expected `int`"),
        ({"nbf": 1_799_999_999}, "nbf is not iat"),
        ({"sub": ""}, "sub is empty"),
        ({"sub": ["ana"]}, "Expected `str`"),
        ({"reason": " "}, "reason is empty"),
        ({"reason": "x\x1b[2J"}, "reason has characters that cannot be shown"),
        ({"reason": "x\ny"}, "reason has characters that cannot be shown"),
        ({"reason": "x" * 1_001}, "reason has 1,001 characters"),
        ({"ticket": ""}, "ticket is empty"),
        ({"scope": {}}, "a token for everything is not given"),
        ({"scope": {"team": ""}}, "scope: team is empty"),
        ({"scope": {"everyone": "*"}}, "unknown field `everyone`"),
        ({"scope": "payments"}, "Expected `object`"),
        ({"policies": []}, "name 1 to 100, not 0"),
        ({"policies": [""]}, "a policy is empty"),
        ({"policies": "*"}, "Expected `array`"),
    ],
)
def test_claims_that_are_not_those_of_a_token(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(Refused, match="does not have the claims of a break-glass token: ") as refused:
        verify(signed({**CLAIMS, **changes}), PUBLIC)
    assert said in str(refused.value)


@pytest.mark.parametrize("payload", [b"", b"\xff\xfe", b"null", b"[]", b"{", b'"bg"', b"[" * 3_000])
def test_payloads_that_are_no_claims(payload: bytes) -> None:
    with pytest.raises(Refused):
        verify(signed(payload), PUBLIC)


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "a.b",
        "a.b.c",
        "a.b.c.d",
        signed() + ".x",
        signed() + "=",
        signed() + "\n",
        signed().replace(".", " "),
        "Bearer " + signed(),
        signed()[:-1],
        "\x00.\x00.\x00",
        "ä.ö.ü",
        "\ud800.a.b",
    ],
)
def test_texts_that_are_no_tokens(token: str) -> None:
    with pytest.raises(Refused):
        verify(token, PUBLIC)


def test_a_signature_has_one_spelling() -> None:
    """The last letter of a signature has bits that mean nothing; another letter there is another token."""
    token = signed()
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    accepted = []
    for letter in letters:
        try:
            verify(token[:-1] + letter, PUBLIC)
        except Refused:
            continue
        accepted.append(letter)
    assert accepted == [token[-1]]


def test_oversize() -> None:
    with pytest.raises(Refused, match="longer than 8,192 characters"):
        verify("a" * (MAX_LENGTH + 1), PUBLIC)
    globs = [f"namespace-{i}-" + "x" * 60 for i in range(100)]
    with pytest.raises(Refused, match="too long"):
        issue(Claims(**{**CLAIMS, "scope": Scope(team="a"), "policies": globs}), KEY)


@given(st.text(max_size=200) | st.from_regex(r"[\w-]{0,60}\.[\w-]{0,60}\.[\w-]{0,90}", fullmatch=True))
@example("e30.e30.")
@settings(max_examples=150)
def test_garbage_is_refused_and_never_fails(text: str) -> None:
    with pytest.raises(Refused):
        verify(text, PUBLIC)


@given(
    st.binary(max_size=80)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=2)
            | st.dictionaries(st.sampled_from([*HEADER, "b64", "crit", "kid", "x"]), inner)
        ),  # fmt: skip
    )
)
@settings(max_examples=150)
def test_garbage_in_the_header_is_refused_and_never_fails(header: Any) -> None:
    with pytest.raises(Refused):
        verify(signed(header=header), PUBLIC)


@given(st.data())
@settings(max_examples=150)
def test_no_letter_can_be_changed(data: st.DataObject) -> None:
    token = signed()
    at = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.sampled_from("AZaz09-_.").filter(lambda other: other != token[at]))
    with pytest.raises(Refused):
        verify(token[:at] + letter + token[at + 1 :], PUBLIC)


# --- keys


def test_keys_are_read_again() -> None:
    assert verify(signed(key=keys.private_key(PRIVATE_PEM)), keys.public_key(PUBLIC_PEM)).jti == CLAIMS["jti"]


def pkcs8(key: Any, encryption: Any = None) -> bytes:
    pem: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())
    return pem


def spki(key: Any) -> bytes:
    pem: bytes = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem


RSA = rsa.generate_private_key(65537, 2048)


@pytest.mark.parametrize(
    ("pem", "said"),
    [
        (b"", "is not a private key in PEM"),
        (b"\xff" * 100, "is not a private key in PEM"),
        (PUBLIC_PEM, "is not a private key in PEM"),
        (PRIVATE_PEM[:60], "is not a private key in PEM"),
        (pkcs8(KEY, BestAvailableEncryption(b"secret")), "protected by a passphrase"),
        (pkcs8(RSA), "is not an Ed25519 key"),
        (pkcs8(ec.generate_private_key(ec.SECP256R1())), "is not an Ed25519 key"),
        (pkcs8(ed448.Ed448PrivateKey.generate()), "is not an Ed25519 key"),
    ],
)
def test_other_private_keys(pem: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        keys.private_key(pem)


@pytest.mark.parametrize(
    ("pem", "said"),
    [
        (b"", "is not a public key in PEM"),
        (b"\xff" * 100, "is not a public key in PEM"),
        (PRIVATE_PEM, "holds a private key"),
        (spki(RSA), "is not an Ed25519 key"),
        (spki(ed448.Ed448PrivateKey.generate()), "is not an Ed25519 key"),
    ],
)
def test_other_public_keys(pem: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        keys.public_key(pem)
