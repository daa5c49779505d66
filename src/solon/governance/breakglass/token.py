"""The token: a JWS in compact form (RFC 7515), signed with Ed25519 (RFC 8037).

One algorithm, one key type, one ``typ``, a fixed set of header fields and claims: everything else is refused, so
that a token of another kind, or one that chooses how it is verified, cannot pass for one (RFC 8725).
"""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import msgspec

from solon.governance.scope import Scope

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

TYPE: Final = "solon-breakglass+jwt"
ALGORITHM: Final = "EdDSA"
ISSUER: Final = "solon"
MAX_LENGTH: Final = 8_192
IDENTIFIER: Final = re.compile(r"bg-[0-9a-f]{12}")
_COMPACT: Final = re.compile(r"[\w-]+\.[\w-]+\.[\w-]*", re.ASCII)
_LAST: Final = 253_370_764_800  # the year 9999
_MAX_TEXT: Final = 1_000
_MAX_POLICIES: Final = 100


class Refused(ValueError):
    """Why a token cannot be opened, used or closed, in one line that says what to do."""


def check_text(what: str, text: str) -> None:
    """Raises Refused for what is empty, long, or more than a line of characters that can be shown."""
    if not text.strip():
        raise Refused(f"{what} is empty")
    if len(text) > _MAX_TEXT:
        raise Refused(f"{what} has {len(text):,} characters; {_MAX_TEXT:,} are allowed")
    if not text.isprintable():
        raise Refused(f"{what} has characters that cannot be shown in a line")


def check_reach(scope: Scope, policies: list[str]) -> None:
    """Raises Refused for a scope of everything, or that matches nothing."""
    if not scope:
        raise Refused(
            "scope is empty: a token for everything is not given; name a team, a namespace, a resource"
        )
    if problem := scope.problem():
        raise Refused(f"scope: {problem[1]}")
    check_text("scope", str(scope))
    if not policies or len(policies) > _MAX_POLICIES:
        raise Refused(f"policies: name 1 to {_MAX_POLICIES}, not {len(policies)}")
    for glob in policies:
        check_text("a policy", glob)


class Claims(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a token says: RFC 7519's claims, times in seconds since 1970, and what it is for."""

    iss: str
    sub: str  # who opened it
    jti: str
    iat: int
    nbf: int
    exp: int
    reason: str
    ticket: str
    scope: Scope
    policies: list[str]

    def __post_init__(self) -> None:
        if self.iss != ISSUER:
            raise Refused(f"iss is not {ISSUER!r}")
        if not IDENTIFIER.fullmatch(self.jti):
            raise Refused("jti is not an identifier such as bg-0123456789ab")
        if not 0 <= self.iat < self.exp < _LAST:
            raise Refused("exp is not after iat")
        if self.nbf != self.iat:
            raise Refused("nbf is not iat: a token is valid from when it was issued")
        for what, text in (("sub", self.sub), ("reason", self.reason), ("ticket", self.ticket)):
            check_text(what, text)
        check_reach(self.scope, self.policies)

    @property
    def issued(self) -> datetime:
        return datetime.fromtimestamp(self.iat, UTC)

    @property
    def expires(self) -> datetime:
        return datetime.fromtimestamp(self.exp, UTC)


def issue(claims: Claims, key: Ed25519PrivateKey) -> str:
    """The token. Raises Refused where it would be too long to be read again."""
    from jwt import PyJWS

    token = PyJWS([ALGORITHM]).encode(msgspec.json.encode(claims), key, ALGORITHM, {"typ": TYPE})
    if len(token) > MAX_LENGTH:
        raise Refused("the token would be too long: give it a shorter reason, or fewer globs")
    return token


def verify(token: str, key: Ed25519PublicKey) -> Claims:
    """What the token says, when the key signed it. Its times are not looked at. Raises Refused."""
    from jwt import PyJWS
    from jwt.exceptions import InvalidAlgorithmError, InvalidSignatureError, PyJWTError

    if len(token) > MAX_LENGTH:
        raise Refused(f"is longer than {MAX_LENGTH:,} characters, and no token of Solon's")
    if not _COMPACT.fullmatch(token):
        raise Refused("is not a token: three parts with dots between, as `solon breakglass open` prints it")
    try:
        signed = PyJWS([ALGORITHM]).decode_complete(token, key, [ALGORITHM])
    except InvalidAlgorithmError:
        raise Refused(f"is not signed with {ALGORITHM}, the only algorithm there is for it") from None
    except InvalidSignatureError:
        raise Refused(
            "has a signature that the public key does not verify: changed, or of another key"
        ) from None
    except (PyJWTError, ValueError, TypeError):
        raise Refused("is not a token: its parts do not decode") from None
    if signed["header"] != {"alg": ALGORITHM, "typ": TYPE}:
        raise Refused(
            f"is a token of another kind: its header must be alg {ALGORITHM} and typ {TYPE}, no more"
        )
    try:
        return msgspec.json.decode(signed["payload"], type=Claims)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(f"does not have the claims of a break-glass token: {error}") from None


def digest(token: str) -> str:
    """What the ledger knows a token by; the token cannot be had from it."""
    return hashlib.sha256(token.encode()).hexdigest()
