"""Witnesses: where the meta-log's checkpoint goes, so that the operator cannot rewrite history unseen.

A file that only grows, a directory whose files are never written over (an object store with object lock, mounted or
synchronised), or a witness that speaks C2SP tlog-witness. What each of them has, and what went wrong, is kept below
``witness/``; what could not be sent is sent again, the next time.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import msgspec

from solon import __version__
from solon.decisions.log import checkpoint as checkpoints
from solon.decisions.log import durable, note
from solon.decisions.log.checkpoint import Checkpoint
from solon.decisions.log.errors import Damaged, LogError, os_error
from solon.decisions.log.note import VerifierKey
from solon.decisions.log.settings import WitnessSettings
from solon.decisions.log.store import Log

_TIMEOUT: Final = 10.0
_MAX_ANSWER: Final = 1 << 20
_PAUSES: Final = (0.5, 2.0)  # seconds between attempts at a witness that does not answer
_LOCK_WAIT: Final = 30.0
_SIZE: Final = re.compile(rb"(0|[1-9]\d{0,18})\n?")


class Unreached(LogError):
    """It may work the next time."""


class Diverged(LogError):
    """What the witness has is not the beginning of this log."""


class Status(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is known of a witness. ``size`` is what it has of the meta-log; times are in nanoseconds since 1970."""

    witness: str
    size: int = 0
    sent_ns: int = 0
    tried_ns: int = 0
    failures: int = 0  # in a row
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """Of an HTTP witness."""

    status: int
    body: bytes


Post = Callable[[str, bytes], Answer]  # raises Unreached


def statuses(log: Log) -> list[Status]:
    """What is known of each witness that the log has."""
    return [_read(log, witness) for witness in log.settings.witnesses]


def send(
    log: Log,
    witnesses: list[WitnessSettings] | None = None,
    *,
    post: Post | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> list[Status]:
    """Send the newest checkpoint of the meta-log to each witness that does not have it.

    A witness that fails keeps no other from getting it; what went wrong is in its status. Raises LogError where there
    is nothing to send.
    """
    signed = log.meta.checkpoint(log.key)
    if signed is None:
        raise LogError(f"{log.directory}: has no checkpoint yet: `solon log checkpoint` first")
    out = []
    for witness in log.settings.witnesses if witnesses is None else witnesses:
        before, now = _read(log, witness), log.around.clock()
        try:
            _send(log, witness, signed, before.size, post or _post, sleep)
            after = Status(str(witness), signed.size, sent_ns=now, tried_ns=now)
        except LogError as error:
            after = Status(
                str(witness),
                before.size,
                before.sent_ns,
                now,
                before.failures + 1,
                " ".join(str(error).split()),
            )
        _write(log, witness, after)
        out.append(after)
    return out


def _send(
    log: Log,
    witness: WitnessSettings,
    signed: Checkpoint,
    known: int,
    post: Post,
    sleep: Callable[[float], None],
) -> None:
    try:
        if witness.file:
            _to_file(log, os.path.join(log.directory, witness.file), signed)
        elif witness.directory:
            _to_directory(log, os.path.join(log.directory, witness.directory), signed)
        else:
            _keep(log, witness, signed, _cosigned(log, witness, signed, known, post, sleep))
    except OSError as error:
        raise os_error(error, "the checkpoint cannot be sent") from None


# --- a file


def _to_file(log: Log, path: str, signed: Checkpoint) -> None:
    """Append the note, when it continues the last one there."""
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
    with durable.held(descriptor, _LOCK_WAIT):
        size = os.fstat(descriptor).st_size
        text = os.pread(descriptor, size, 0).decode("utf-8", "replace")
        last = _last(text, path, signed.origin)
        if last is not None and _continues(log, last, signed, path):
            return
        separator = "" if not text else "\n" if text.endswith("\n") else "\n\n"
        durable.write_all(descriptor, (separator + signed.text).encode())
        os.fsync(descriptor)
    durable.sync_directory(os.path.dirname(path) or ".")


def _last(text: str, path: str, origin: str) -> Checkpoint | None:
    """The newest checkpoint of a log in a file of them. Raises Diverged where the file is something else."""
    found: Checkpoint | None = None
    for each in checkpoints.several(text):
        try:
            parsed = checkpoints.parse(each)
        except LogError as error:
            raise Diverged(f"{path}: is not a file of checkpoints: {error}") from None
        if parsed.origin == origin and (found is None or parsed.size >= found.size):
            found = parsed
    return found


def _continues(log: Log, old: Checkpoint, signed: Checkpoint, where: str) -> bool:
    """Whether it is the same one; false where it is an earlier one. Raises Diverged where it is neither."""
    if old.size == signed.size and old.root == signed.root:
        return True
    if old.size >= signed.size or log.consistency(log.meta, 0, old.size)[0].root != old.root:
        raise Diverged(
            f"{where}: has a checkpoint at {old.size:,} that this log, at {signed.size:,}, does not continue: history was "
            "rewritten, or the log was put back to an earlier state"
        )
    return False


# --- a directory


def _to_directory(log: Log, path: str, signed: Checkpoint) -> None:
    """A file for each size, which is never written over: `<SHA-256 of the origin>/<size>.checkpoint`."""
    place = os.path.join(path, hashlib.sha256(signed.origin.encode()).hexdigest())
    durable.make_directory(place)
    sizes = sorted(name for name in os.listdir(place) if re.fullmatch(r"\d{20}\.checkpoint", name))
    if sizes:
        name = os.path.join(place, sizes[-1])
        try:
            last = checkpoints.parse(durable.read(name).decode("utf-8", "replace"))
        except LogError as error:
            raise Diverged(f"{name}: {error}") from None
        if _continues(log, last, signed, name):
            return
    name = os.path.join(place, f"{signed.size:020}.checkpoint")
    temporary = f"{name}{durable.TEMPORARY}{os.getpid()}"
    durable.replace(temporary, signed.text.encode(), 0o444)
    try:
        os.link(temporary, name)  # unlike a rename, this does not replace what another process put there
    except FileExistsError:
        raise Unreached(f"{name}: another process is sending there") from None
    finally:
        os.unlink(temporary)
    durable.sync_directory(place)


# --- tlog-witness


def _cosigned(
    log: Log,
    witness: WitnessSettings,
    signed: Checkpoint,
    known: int,
    post: Post,
    sleep: Callable[[float], None],
) -> str:
    """The checkpoint with the witness's cosignature (POST add-checkpoint)."""
    key = VerifierKey.parse(witness.key)
    url = witness.url.rstrip("/") + "/add-checkpoint"
    old = min(known, signed.size)
    for _ in range(2):
        answer = _answer(url, _request(log, old, signed), post, sleep)
        if answer.status != 409:
            break
        match = _SIZE.fullmatch(answer.body)
        if match is None:
            raise Unreached(f"{url}: answered 409, and not with a size")
        if int(match[1]) > signed.size:
            raise Diverged(
                f"{url}: the witness has seen {int(match[1]):,} entries, and this log has {signed.size:,}: history was "
                "rewritten, or the log was put back to an earlier state"
            )
        old = int(match[1])  # it has seen another size than was known here
    if answer.status == 422:
        raise Diverged(
            f"{url}: the witness does not accept that this log continues what it has seen at {old:,}"
        )
    if answer.status != 200:
        said = answer.body[:200].decode("utf-8", "replace").strip()
        raise Unreached(f"{url}: answered {answer.status}{': ' + said if said else ''}")
    return _with_cosignature(signed, answer.body, key, url)


def _request(log: Log, old: int, signed: Checkpoint) -> bytes:
    proof = log.consistency(log.meta, old, signed.size)[1]
    lines = [f"old {old}", *(base64.b64encode(each).decode() for each in proof)]
    return ("\n".join(lines) + "\n\n" + signed.text).encode()


def _answer(url: str, body: bytes, post: Post, sleep: Callable[[float], None]) -> Answer:
    """Tried again when there is no answer, or one of 429 or 5xx."""
    for pause in (*_PAUSES, None):
        try:
            answer = post(url, body)
        except Unreached:
            if pause is None:
                raise
        else:
            if pause is None or (answer.status < 500 and answer.status != 429):
                return answer
        sleep(pause)
    raise AssertionError


def _with_cosignature(signed: Checkpoint, answer: bytes, key: VerifierKey, url: str) -> str:
    """The lines of the known key are kept, others are not."""
    try:
        lines = [
            line + "\n" for line in answer.decode().split("\n") if line.startswith(f"{note.DASH}{key.name} ")
        ]
    except UnicodeDecodeError:
        lines = []
    for line in lines:
        text = f"{signed.body}\n{line}"
        try:
            if checkpoints.cosigners(text, [key]):
                return signed.text + line
        except LogError as error:
            raise Diverged(f"{url}: {error}") from None
    raise Unreached(f"{url}: answered without a cosignature of {key.name}")


def _keep(log: Log, witness: WitnessSettings, signed: Checkpoint, cosigned: str) -> None:
    """Below ``witness/``, and in the checkpoint of the meta-log while that is the one cosigned."""
    durable.make_directory(os.path.join(log.directory, "witness"))
    durable.replace(_path(log, witness, ".checkpoint"), cosigned.encode())
    with durable.locked(log.meta.lock, _LOCK_WAIT) as had:
        now = log.meta.checkpoint(log.key) if had else None
        line = cosigned.removeprefix(signed.text)
        if now is not None and now.body == signed.body and line not in now.text:
            kept = [each for each in now.text.splitlines(True) if not _by_same_key(each, line)]
            durable.replace(os.path.join(log.meta.directory, "checkpoint"), ("".join(kept) + line).encode())
            durable.sync_directory(log.meta.directory)


def _by_same_key(line: str, other: str) -> bool:
    """Whether two signature lines have the same name and key id."""
    return line.startswith(note.DASH) and _signer(line) == _signer(other)


def _signer(line: str) -> tuple[str, bytes]:
    name, _, encoded = line.removeprefix(note.DASH).strip().partition(" ")
    return name, base64.b64decode(encoded)[:4]


def _post(url: str, body: bytes) -> Answer:
    request = urllib.request.Request(  # noqa: S310 (the operator named it, and http or https is checked there)
        url,
        data=body,
        method="POST",
        headers={"User-Agent": f"solon/{__version__}", "Content-Type": "text/plain"},
    )
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as response:  # noqa: S310
            return Answer(response.status, response.read(_MAX_ANSWER))
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.read(_MAX_ANSWER))
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise Unreached(f"{url}: {str(getattr(reason, 'strerror', None) or reason).lower()}") from None


# --- what is known of a witness


def cosigned_checkpoints(log: Log) -> Iterator[str]:
    """The newest checkpoint that each witness at a URL cosigned."""
    for witness in log.settings.witnesses:
        try:
            yield durable.read(_path(log, witness, ".checkpoint")).decode("utf-8", "replace")
        except FileNotFoundError:
            continue


def _path(log: Log, witness: WitnessSettings, suffix: str) -> str:
    name = hashlib.sha256(str(witness).encode()).hexdigest()[:16]
    return os.path.join(log.directory, "witness", name + suffix)


def _read(log: Log, witness: WitnessSettings) -> Status:
    path = _path(log, witness, ".json")
    try:
        return msgspec.json.decode(durable.read(path), type=Status)
    except FileNotFoundError:
        return Status(str(witness))
    except OSError as error:
        raise os_error(error, "cannot be read") from None
    except msgspec.MsgspecError:
        raise Damaged(f"{path}: is not what Solon writes there: remove it, and send again") from None


def _write(log: Log, witness: WitnessSettings, status: Status) -> None:
    try:
        durable.make_directory(os.path.join(log.directory, "witness"))
        durable.replace(_path(log, witness, ".json"), msgspec.json.encode(status))
    except OSError as error:
        raise os_error(error, "the state of the witness cannot be written") from None
