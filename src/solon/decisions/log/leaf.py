"""The leaf: what the Merkle tree holds of an entry. Small, and without the payload, so that a payload can be erased.

    version   1 byte    1
    kind      1 byte    see Kind
    outcome   1 byte    see OUTCOMES
    length    1 byte    of the id, 1 to 255
    time      8 bytes   nanoseconds since 1970, unsigned
    policies  32 bytes  digest of the policy bundles' revisions, zeros where there are none
    payload   32 bytes  SHA-256(salt || payload)
    id        UTF-8

Numbers are big-endian. There is one encoding of a leaf, and ``decode`` accepts no other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from struct import Struct, error
from typing import Final

VERSION: Final = 1
SALT: Final = (
    16  # bytes: two payloads that are equal have leaves that are not, and a digest cannot be guessed from
)
NO_POLICIES: Final = bytes(32)
OUTCOMES: Final = ("", "allow", "warn", "deny", "error")  # by their number; "" where the event does not say
FIXED: Final = Struct(">BBBBQ32s32s")
DIGEST: Final = slice(44, 76)  # where the payload's digest stands
MAX_ID: Final = 255


class Kind(IntEnum):
    """What an entry records."""

    DECISION = 1
    ACTIVATION = 2  # of a policy set
    ROLLOUT = 3
    WAIVER = 4
    BREAKGLASS = 5
    CHECKPOINT = 6  # of another shard: the entries of the meta-log
    ERASURE = 7
    INCIDENT = 8  # that a policy caused


# What was in force is read from these.
PROGRAMME: Final = frozenset({Kind.ACTIVATION, Kind.ROLLOUT, Kind.WAIVER, Kind.BREAKGLASS})


@dataclass(frozen=True, slots=True)
class Entry:
    """What is given to the log."""

    kind: Kind
    id: str
    time_ns: int
    payload: bytes
    outcome: str = ""
    policies: bytes = NO_POLICIES


@dataclass(frozen=True, slots=True)
class Leaf:
    """What the tree says of it."""

    kind: Kind
    id: str
    time_ns: int
    outcome: str
    policies: bytes
    digest: bytes


_OUTCOME: Final = {word: number for number, word in enumerate(OUTCOMES)}
_pack: Final = FIXED.pack
_sha256: Final = hashlib.sha256


def encode(entry: Entry, salt: bytes) -> bytes:
    """The leaf of an entry. Raises ValueError for what has none."""
    name = entry.id.encode()
    digest = _sha256(salt)
    digest.update(entry.payload)
    try:
        fixed = _pack(
            VERSION,
            entry.kind,
            _OUTCOME[entry.outcome],
            len(name) or _no_id(),
            entry.time_ns,
            entry.policies,
            digest.digest(),
        )
    except KeyError:
        raise ValueError(f"unknown outcome {entry.outcome!r}: known are {', '.join(OUTCOMES[1:])}") from None
    except error:
        if len(name) > MAX_ID:
            raise ValueError(
                f"an id has at most {MAX_ID} bytes, and {entry.id[:20]}… has {len(name)}"
            ) from None
        raise ValueError(f"time {entry.time_ns} is outside of 1970 to 2554") from None
    return fixed + name


def _no_id() -> int:
    raise ValueError("an entry needs an id")


def decode(data: bytes) -> Leaf:
    """What a leaf says. Raises ValueError where the bytes are not those of one."""
    if len(data) <= FIXED.size:
        raise ValueError("is too short for a leaf")
    version, kind, outcome, length, time_ns, policies, digest = FIXED.unpack_from(data)
    if version != VERSION:
        raise ValueError(f"is a leaf of version {version}, which this Solon does not know")
    if len(data) != FIXED.size + length or not length:
        raise ValueError("is not as long as it says")
    if outcome >= len(OUTCOMES):
        raise ValueError(f"has an unknown outcome {outcome}")
    try:
        name = data[FIXED.size :].decode()
    except UnicodeDecodeError:
        raise ValueError("has an id that is not UTF-8") from None
    return Leaf(Kind(kind), name, time_ns, OUTCOMES[outcome], policies, digest)


def policies_digest(revisions: Mapping[str, str]) -> bytes:
    """The digest of policy sets and their revisions: SHA-256 over each, in the order of the names' UTF-8, as

    length of the name (4 bytes), name, length of the revision (4 bytes), revision. Zeros where there are none.
    """
    if not revisions:
        return NO_POLICIES
    digest = _sha256()
    for name, revision in sorted((name.encode(), revision.encode()) for name, revision in revisions.items()):
        digest.update(len(name).to_bytes(4) + name + len(revision).to_bytes(4) + revision)
    return digest.digest()
