"""The files of policies beside the log: policies/<SHA-256 of the content>.

The digest stands in an entry, and so in the tree: a text that was changed is found. A text is on the disk before the entry
that names it.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from typing import Final

import msgspec

from solon.decisions.log import durable
from solon.decisions.log.errors import Damaged, os_error
from solon.frameworks.policy import MAX_TEXT

DIRECTORY: Final = "policies"
_NAME: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)


class _Text(msgspec.Struct, frozen=True):
    sha256: str = ""


class _Set(msgspec.Struct, frozen=True):
    texts: list[_Text] = []


class _Rollout(msgspec.Struct, frozen=True):
    baselines: dict[str, _Text] = {}


class _Solon(msgspec.Struct, frozen=True):
    policy_set: _Set = _Set()
    rollout: _Rollout = _Rollout()


class _Event(msgspec.Struct, frozen=True):
    solon: _Solon = _Solon()


_decode: Final = msgspec.json.Decoder(_Event).decode


def named(payload: bytes) -> list[str]:
    """The digests of the texts that an entry names."""
    try:
        solon = _decode(payload).solon
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return []
    texts = [*solon.policy_set.texts, *solon.rollout.baselines.values()]
    return [each.sha256 for each in texts if each.sha256]


def put(log: str, texts: Mapping[str, bytes]) -> None:
    """Have these on the disk. Raises LogError."""
    where = os.path.join(log, DIRECTORY)
    try:
        durable.make_directory(where)
        missing = [name for name in texts if not os.path.exists(os.path.join(where, name))]
        for name in missing:
            durable.replace(os.path.join(where, name), texts[name], 0o600)  # data of policies may be secret
        if missing:
            durable.sync_directory(where)
    except OSError as error:
        raise os_error(error, "the text of a policy cannot be kept") from None


def kept(log: str) -> list[str]:
    """The digests of all that there are. Raises OSError."""
    try:
        return sorted(name for name in os.listdir(os.path.join(log, DIRECTORY)) if _NAME.fullmatch(name))
    except FileNotFoundError:
        return []


def path(log: str, name: str) -> str:
    return os.path.join(log, DIRECTORY, name)


def get(log: str, name: str) -> bytes:
    """The text of that digest. Raises Damaged where it is not there, or is another."""
    if not _NAME.fullmatch(name):
        raise Damaged(f"{name[:80]!r} is no digest of a text")
    at = path(log, name)
    try:
        with open(at, "rb") as file:
            data = file.read(MAX_TEXT + 1)
    except FileNotFoundError:
        raise Damaged(f"{at}: is missing, the text of a policy that an entry names") from None
    except OSError as error:
        raise os_error(error, "cannot be read") from None
    if hashlib.sha256(data).hexdigest() != name:
        raise Damaged(f"{at}: is not the text of a policy that an entry names: it was changed")
    return data
