"""Has the programme changed since the log last heard of it at this place? Then what changed is appended.

in-force/<digest of the place>.json   what was recorded last: a copy, so that a check need not read the log
in-force/lock                         held by the one who records

The copy may be removed at any time: it is made again from the entries. Who appends entries about the programme by another
way removes it (``forget``).
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, TypeVar

import msgspec

from solon.decisions.in_force import reading, texts
from solon.decisions.in_force.events import Author, Changed, changes, encoded, new_tokens
from solon.decisions.in_force.parts import (
    ActiveRollout,
    ActiveSet,
    ActiveSettings,
    ActiveWaiver,
    Part,
    Parts,
    field_of,
    token_keys,
)
from solon.decisions.in_force.present import Present
from solon.decisions.in_force.state import as_of
from solon.decisions.log import durable
from solon.decisions.log.errors import Busy, os_error
from solon.decisions.log.events import entry_of
from solon.decisions.log.leaf import PROGRAMME, Entry
from solon.decisions.log.store import Log

DIRECTORY: Final = "in-force"
_PLACE: Final = re.compile(r"[\w][\w./@:-]{0,199}")
_WAIT: Final = 30.0
_EVER: Final = 1 << 62
C = TypeVar("C")
Authorship = Callable[[], Author]


def place_problem(place: str) -> str:
    """Why a place cannot be called so; nothing where it can."""
    if _PLACE.fullmatch(place):
        return ""
    return f"{place[:60]!r} cannot name a place: letters, digits and ._/@:- make up to 200 characters"


class _Held(msgspec.Struct, frozen=True, omit_defaults=True):
    """One part, where an entry has it."""

    policy_set: ActiveSet | None = None
    rollout: ActiveRollout | None = None
    waiver: ActiveWaiver | None = None
    settings: ActiveSettings | None = None

    @property
    def part(self) -> Part | None:
        return self.policy_set or self.rollout or self.waiver or self.settings


class _Copy(msgspec.Struct, frozen=True):
    """What the log has of a place. ``seen`` is the digest of parts and events of the ledger together."""

    place: str
    seen: str
    time_ns: int
    held: dict[str, _Held]
    tokens: list[str]

    @property
    def parts(self) -> dict[str, Part]:
        return {key: part for key, each in self.held.items() if (part := each.part) is not None}


def record(
    log: Log,
    now: Present,
    *,
    author: Authorship = Author,
    entries: Sequence[Entry] = (),
) -> list[Changed]:
    """Append what changed at the place since the log last heard of it, and these entries behind it, in one go.

    Returns what changed when all of it is durable. Where nothing did, that costs a digest. Raises LogError.
    """
    seen = _seen(now)
    if _has_seen(log, now.place, seen):
        if entries:
            log.append(entries)
        return []
    where = os.path.join(log.directory, DIRECTORY)
    try:
        durable.make_directory(where)
        with durable.locked(os.path.join(where, "lock"), _WAIT) as had:
            if not had:
                raise Busy(f"{where}: {durable.holder(os.path.join(where, 'lock'))} records what is in force")
            return _record(log, now, seen, author, entries)
    except OSError as error:
        raise os_error(error, "what is in force cannot be recorded") from None


def _record(log: Log, now: Present, seen: str, author: Authorship, entries: Sequence[Entry]) -> list[Changed]:
    copy = _read(log, now.place) or _rebuilt(log, now.place)
    known = frozenset(copy.tokens)
    found = [*changes(copy.parts, now.parts), *new_tokens(known, now.tokens)]
    # Never before what was recorded last, so that the order of times is that of events.
    time_ns = max(log.around.clock(), copy.time_ns + 1)
    if found:
        texts.put(log.directory, now.texts)
    if appended := [*_entries(log, now, found, author() if found else Author(), time_ns), *entries]:
        log.append(appended)
    _write(log, now, seen, time_ns, known)
    return found


def _entries(log: Log, now: Present, found: Sequence[Changed], author: Author, time_ns: int) -> list[Entry]:
    out = []
    for each in found:
        locate = now.locations.get(each.key) if each.change != "removed" else None
        line = encoded(
            each,
            now.place,
            now.digest,
            name=f"{each.event}-{log.around.random(16).hex()}",
            time_ns=time_ns,
            author=author,
            location=locate() if locate is not None else None,
        )
        out.append(entry_of(line))
    return out


def forget(log: Log, entries: Sequence[Entry]) -> None:
    """Remove the copies, where entries about the programme came by another way. Raises LogError."""
    if not any(entry.kind in PROGRAMME for entry in entries):
        return
    where = os.path.join(log.directory, DIRECTORY)
    if not os.path.isdir(where):
        return
    try:
        with durable.locked(os.path.join(where, "lock"), _WAIT):
            for name in os.listdir(where):
                if name.endswith(".json"):
                    with suppress(FileNotFoundError):
                        os.unlink(os.path.join(where, name))
    except OSError as error:
        raise os_error(error, "cannot be removed") from None


# --- the copy


def _seen(now: Present) -> str:
    tokens = "\0".join(token_keys(now.tokens))
    return hashlib.sha256(f"{now.digest}\0{tokens}".encode()).hexdigest()


def _path(log: Log, place: str) -> str:
    name = hashlib.sha256(place.encode()).hexdigest()[:32]
    return os.path.join(log.directory, DIRECTORY, f"{name}.json")


class _Head(msgspec.Struct, frozen=True):
    place: str
    seen: str


_head: Final = msgspec.json.Decoder(_Head).decode
_whole: Final = msgspec.json.Decoder(_Copy).decode


def _has_seen(log: Log, place: str, seen: str) -> bool:
    head = _decoded(log, place, _head)
    return head is not None and (head.place, head.seen) == (place, seen)


def _read(log: Log, place: str) -> _Copy | None:
    copy = _decoded(log, place, _whole)
    return copy if copy is not None and copy.place == place else None


def _decoded(log: Log, place: str, decode: Callable[[bytes], C]) -> C | None:
    """None where there is none, or one that is torn: it is made again from the entries."""
    try:
        return decode(durable.read(_path(log, place)))
    except (FileNotFoundError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    except OSError as error:
        raise os_error(error, "cannot be read") from None


def _rebuilt(log: Log, place: str) -> _Copy:
    """From the entries of the log. Raises LogError."""
    state = as_of(reading.entries(log), _EVER, place)
    if state is None:
        return _Copy(place, "", 0, {}, [])
    return _Copy(place, "", state.last.time_ns, _held(state.parts), list(token_keys(state.events)))


def _held(parts: Parts) -> dict[str, _Held]:
    return {key: msgspec.structs.replace(_Held(), **{field_of(part): part}) for key, part in parts.items()}


def _write(log: Log, now: Present, seen: str, time_ns: int, known: frozenset[str]) -> None:
    tokens = sorted(known | token_keys(now.tokens).keys())
    copy = _Copy(now.place, seen, time_ns, _held(now.parts), tokens)
    # Not synced: the entries are what counts, and a copy that is torn is made again.
    path = _path(log, now.place)
    temporary = f"{path}{durable.TEMPORARY}{os.getpid()}"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with open(descriptor, "wb") as file:
        file.write(msgspec.json.encode(copy))
    os.replace(temporary, path)
