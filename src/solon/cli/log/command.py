"""solon log: the decision log, and what can be shown of it."""

from __future__ import annotations

import getpass
import gzip
import io
import os
import secrets
import sys
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import msgspec

from solon.cli import config
from solon.cli.errors import UsageError
from solon.cli.progress import counting
from solon.decisions.cores import cores
from solon.decisions.in_force import recording
from solon.decisions.log import checkpoint as checkpoints
from solon.decisions.log import erasure, merkle, reading, settings
from solon.decisions.log import proof as proofs
from solon.decisions.log import witness as witnesses
from solon.decisions.log.errors import LogError
from solon.decisions.log.events import entry_of
from solon.decisions.log.leaf import Entry
from solon.decisions.log.note import SigningKey, VerifierKey, check_name
from solon.decisions.log.segment import MAX_PAYLOAD
from solon.decisions.log.settings import WitnessSettings
from solon.decisions.log.shard import Place
from solon.decisions.log.store import Log
from solon.decisions.log.verify import verify as verified
from solon.decisions.mirror import known
from solon.decisions.retention import Holds
from solon.decisions.sinks import lag
from solon.decisions.sinks.settings import SinkSettings
from solon.decisions.warehouse import compaction, lookup
from solon.report import log_report
from solon.report.check_report import plural

if TYPE_CHECKING:
    from solon.cli.log.programme import InForce
    from solon.governance.breakglass.cases import Used

if TYPE_CHECKING:
    from solon.decisions.event_rules import EventRules

_CHUNK: Final = 1 << 20
_ROWS: Final = 1_000
_MAX_ARRAY: Final = 1 << 30
_SHOWN: Final = 10


@contextmanager
def worded() -> Iterator[None]:
    """Errors of a log as errors of a command."""
    try:
        yield
    except LogError as error:
        raise UsageError(str(error)) from None
    except OSError as error:
        name = f"{error.filename}: " if error.filename else ""
        raise UsageError(f"{name}{(error.strerror or str(error)).lower()}") from None


def opened(directory: str | None) -> Log:
    """The log that is named, or that of solon.yaml. Raises UsageError, LogError."""
    if directory is None:
        found = config.find(os.getcwd())
        directory = found.log().directory if found is not None else ""
        if not directory:
            raise UsageError("no log: name it with --log DIR, or as `log:` in solon.yaml")
    return Log(directory)


def keygen(name: str, output: str) -> int:
    with worded():
        key = SigningKey(check_name(name), secrets.token_bytes(32))
        settings.write_key(output, key)
        print(key.verifier)
    return 0


def init(directory: str, name: str | None, key_file: str | None) -> int:
    with worded():
        if key_file is not None:
            key = settings.read_key(key_file)
            if name not in {None, key.name}:
                raise UsageError(f"{key_file}: is the key of {key.name}, and not of {name}")
        elif name is None:
            raise UsageError("a log needs a name: --name example.com/platform (it need not be an address)")
        else:
            key = SigningKey(check_name(name), secrets.token_bytes(32))
        settings.create(directory, key, os.path.relpath(key_file, directory) if key_file else "")
        print(key.verifier)
    return 0


# --- adding


def append(directory: str | None, files: list[str], format_: str) -> int:
    from solon.cli.log.rules import rules_of, settings

    bad = count = dropped = 0
    placed: list[dict[str, Any]] = []
    rules = rules_of(settings())
    with worded(), opened(directory) as log:
        for batch, problems, left_out in _batches(files, rules):
            dropped += left_out
            for problem in problems:
                bad += 1
                if bad <= _SHOWN:
                    print(f"solon: {problem}", file=sys.stderr)
            if batch:
                at = log.append(batch)
                recording.forget(log, batch)
                count += at.count
                if placed and placed[-1]["last"] + 1 == at.first and placed[-1]["shard"] == at.shard:
                    placed[-1]["last"] += at.count
                else:
                    placed.append({"shard": at.shard, "first": at.first, "last": at.first + at.count - 1})
        noted(log)
    if bad > _SHOWN:
        print(f"solon: and {bad - _SHOWN:,} more that are no events", file=sys.stderr)
    if format_ == "json":
        said = {"entries": count, "refused": bad, "dropped": dropped, "placed": placed}
        print(msgspec.json.encode(said).decode())
    else:
        where = "; ".join(
            f"entries {each['first']} to {each['last']} of shard {each['shard']}" for each in placed
        )
        less = f"; {dropped:,} dropped by policy" if dropped else ""
        print(f"{plural(count, 'entry', 'entries')} durable{f': {where}' if where else ''}{less}")
    return 2 if bad else 0


def record(
    directory: str, lines: Iterable[bytes], known: InForce | None = None, uses: Sequence[Used] = ()
) -> None:
    """Add the records of decisions to a log, and sign them where this process may. Raises UsageError, OSError.

    Behind what is in force, where that is given and the log does not have it yet, and the uses of break-glass tokens.
    Without records it only makes sure that there could be some. What is durable is not refused for want of a signature.
    """
    try:
        with Log(directory) as log:
            entries = [entry_of(line) for line in lines]
            if known is not None:
                known.record(log, entries, uses)
            else:
                log.writer()
                log.append(entries)
            if entries and log.can_sign():
                try:
                    log.integrate()
                except LogError as error:
                    print(
                        f"solon: note: the decisions are in the log, and not signed yet: {error}",
                        file=sys.stderr,
                    )
            noted(log)
    except (LogError, ValueError) as error:
        raise UsageError(f"the decisions could not be written: {error}") from None


def _batches(files: list[str], rules: EventRules) -> Iterator[tuple[list[Entry], list[str], int]]:
    """Entries, what is wrong with others, and how many were dropped."""
    for name in files:
        shown = "stdin" if name == "-" else name
        batch: list[Entry] = []
        problems: list[str] = []
        dropped = 0
        for number, line, more in _events(name):
            if line:
                try:
                    kept = line if rules.ignores(line) else rules.rewrite(line)
                    if kept is None:
                        dropped += 1
                    else:
                        batch.append(entry_of(kept))
                except ValueError as error:
                    problems.append(f"{shown}:{number}: {error}")
            if len(batch) >= _ROWS or (not more and (batch or problems)):
                yield batch, problems, dropped
                batch, problems, dropped = [], [], 0
        if batch or problems or dropped:
            yield batch, problems, dropped


def _events(name: str) -> Iterator[tuple[int, bytes, bool]]:
    """Number and text of each event, and whether the next one is there already: standard input may be slow."""
    with open(0 if name == "-" else name, "rb", closefd=name != "-") as raw:
        stream: Any = sys.stdin.buffer if name == "-" else raw
        if not isinstance(stream, io.BufferedReader):
            stream = io.BufferedReader(stream)
        head = stream.peek(2)[:2]
        if head == b"\x1f\x8b":
            stream = gzip.GzipFile(fileobj=stream)
            head = stream.peek(1)[:1]
        try:
            yield from _array(stream, name) if head[:1] == b"[" else _lines(stream)
        except (EOFError, zlib.error, gzip.BadGzipFile):
            raise UsageError(f"{name}: is not a whole gzip file") from None


def _array(stream: Any, name: str) -> Iterator[tuple[int, bytes, bool]]:
    """A body that OPA uploads."""
    data = stream.read(_MAX_ARRAY)
    try:
        events = msgspec.json.decode(data, type=list[msgspec.Raw])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{name}: is no array of events: {error}") from None
    for number, event in enumerate(events, 1):
        yield number, bytes(event), True


def _lines(stream: Any) -> Iterator[tuple[int, bytes, bool]]:
    number, rest = 0, b""
    while part := stream.read1(_CHUNK):
        *lines, rest = (rest + part).split(b"\n")
        if len(rest) > MAX_PAYLOAD:
            raise UsageError(f"line {number + len(lines) + 1} is longer than {MAX_PAYLOAD:,} bytes")
        for at, line in enumerate(lines):
            number += 1
            yield number, line.strip(), at + 1 < len(lines)
    if rest.strip():
        yield number + 1, rest.strip(), False


# --- showing


def verify(directory: str | None, key: str | None, kept: list[str], proof: list[str], format_: str) -> int:
    with worded():
        if proof:
            return _verify_proofs(directory, key, proof, format_)
        log = opened(directory)
        known = believed(key) if key is not None else None
        trusted = checkpoints_of(kept)
        with counting("verifying") as progress:
            report = verified(log, key=known, trusted=trusted, progress=progress, jobs=cores())
    sys.stdout.write(log_report.verification(format_, log, report, own_key=key is None, kept=len(trusted)))
    return 1 if report.problems else 0


def _verify_proofs(directory: str | None, key: str | None, files: list[str], format_: str) -> int:
    known = believed(key) if key is not None else opened(directory).key
    proven: list[tuple[str, proofs.Proven]] = []
    for name in files:
        texts = list(proofs.several(_text(name)))
        if not texts:
            raise UsageError(f"{name}: has no proof")
        for text in texts:
            try:
                proven.append((name, proofs.verify(proofs.parse(text), known)))
            except LogError as error:
                print(
                    f"✗ {name}: {error}"
                    if format_ != "json"
                    else msgspec.json.encode(
                        {"schema": "solon.log-proof/v1", "valid": False, "file": name, "problem": str(error)}
                    ).decode()
                )
                return 1
    sys.stdout.write(log_report.proven(format_, proven))
    return 0


def checkpoints_of(files: Iterable[str]) -> list[str]:
    """The checkpoints in files. Raises OSError."""
    return [note for name in files for note in checkpoints.several(_text(name))]


def believed(said: str) -> VerifierKey:
    """A public key, or that in a file. Raises LogError, OSError."""
    return VerifierKey.parse(_text(said) if os.path.isfile(said) else said)


def _text(name: str) -> str:
    if name == "-":
        return sys.stdin.buffer.read(_CHUNK).decode("utf-8", "replace")
    with open(name, "rb") as file:
        return file.read(64 * _CHUNK).decode("utf-8", "replace")


def prove(directory: str | None, decision: str, output: str | None, event: bool, chain: bool) -> int:
    with worded(), opened(directory) as log:
        place, stored = _only(log, decision)
        proof = log.prove(place, stored, event=event)
        text = str(proof)
        if chain:
            text += str(log.prove_checkpoint(checkpoints.parse(proof.checkpoint)))
        if output is None:
            sys.stdout.write(text)
        else:
            with open(output, "w", encoding="utf-8") as file:
                file.write(text)
    return 0


def _only(log: Log, decision: str) -> tuple[Place, reading.Stored]:
    """The entry of an id: the first, where a retried upload brought it twice. Raises UsageError, LogError."""
    found = lookup.find(log, decision)
    if not found:
        raise UsageError(f"{decision}: is not in {log.directory}")
    return found[0]


def consistency(directory: str | None, shard: str, old: str, new: int | None, format_: str) -> int:
    with worded(), opened(directory) as log:
        kept: checkpoints.Checkpoint | None = None
        if old.isdecimal():
            place, size = log.meta if shard == "meta" else log.shard(shard), int(old)
        else:
            notes = list(checkpoints.several(_text(old)))
            if not notes:
                raise UsageError(f"{old}: has no checkpoint, and is no size")
            kept = checkpoints.verified(notes[-1], log.key)
            size = kept.size
            places = {each.origin: each for each in log.places()}
            if kept.origin not in places:
                raise UsageError(f"{old}: is a checkpoint of {kept.origin}, which is not in {log.directory}")
            place = places[kept.origin]
        signed, path = log.consistency(place, size, new)
        before, _ = log.consistency(place, 0, size)
        fits = merkle.consistent(size, signed.size, before.root if size else merkle.EMPTY, signed.root, path)
        if kept is not None and kept.root != before.root:
            fits = False
    sys.stdout.write(
        log_report.consistency(format_, place.origin, size, before.root, signed, path, fits=fits)
    )
    return 0 if fits else 1


# --- signing


def checkpoint(directory: str | None, send: bool, rebuild: bool) -> int:
    failed = []
    with worded(), opened(directory) as log:
        signed = log.integrate(rebuild=rebuild)
        shards = [each for each in signed if each.origin != log.meta.origin]
        if shards:
            print(
                f"signed {', '.join(f'{each.origin} at {each.size:,}' for each in shards)}", file=sys.stderr
            )
        newest = log.meta.checkpoint(log.key)
        if newest is None:
            raise UsageError(f"{log.directory}: has no entries yet, and nothing to sign")
        if send and log.settings.witnesses:
            failed = [each for each in witnesses.send(log) if each.problem]
            newest = log.meta.checkpoint(log.key) or newest
        noted(log)
        sys.stdout.write(newest.text)
    for each in failed:
        print(f"solon: {each.problem}", file=sys.stderr)
    return 2 if failed or log.damaged else 0


def witness(directory: str | None, files: list[str], directories: list[str], format_: str) -> int:
    with worded(), opened(directory) as log:
        named = [WitnessSettings(file=os.path.abspath(name)) for name in files]
        named += [WitnessSettings(directory=os.path.abspath(name)) for name in directories]
        to = [*log.settings.witnesses, *named]
        if not to:
            raise UsageError(
                "no witnesses: name one with --file or --directory, or list them under `witnesses` in log.json"
            )
        statuses = witnesses.send(log, to)
        newest = log.meta.checkpoint(log.key)
        noted(log)
    size = newest.size if newest is not None else 0
    sys.stdout.write(log_report.witnesses(format_, statuses, size))
    return 2 if any(each.problem for each in statuses) else 0


def sinks_of(log: Log) -> list[SinkSettings]:
    """Those of solon.yaml, where this is the log of it."""
    found = config.find(os.getcwd())
    said = found.log() if found is not None else None
    ours = said is not None and os.path.realpath(said.directory) == os.path.realpath(log.directory)
    return said.sinks if said is not None and ours else []


def status(directory: str | None, format_: str) -> int:
    with worded(), opened(directory) as log:
        sys.stdout.write(
            log_report.status(
                format_,
                log,
                witnesses.statuses(log),
                lag.lag(log, sinks_of(log)),
                known.every(log),
                log.around.clock(),
            )
        )
    return 0


# --- erasing


def erase(
    directory: str | None,
    decisions: list[str],
    subject: str | None,
    reason: str,
    by: str | None,
    format_: str,
) -> int:
    if bool(decisions) == bool(subject):
        raise UsageError("name the decisions to erase, or one --subject")
    if not reason.strip():
        raise UsageError("an erasure needs a reason: --reason TEXT, which is kept in the log")
    with worded(), opened(directory) as log:
        found = _erasable(log, decisions, subject)
        held = Holds(log.settings.holds)
        for place, stored in found:
            if (why := held.of(stored, place.name)) is not None:
                raise UsageError(
                    f"{stored.says.id}: is held by {why.name} ({why.reason}); nothing was erased: `solon log hold "
                    f"{why.name} --release` ends that"
                )
        name = erasure.erase(log, found, reason=reason, by=by or getpass.getuser())
        if log.can_sign():
            log.integrate()
        if compaction.exists(log):
            compaction.compact(log, open_segments=True)  # what is erased is in its copy no more, either
        noted(log)
    if format_ == "json":
        entries = [
            {"shard": place.name, "index": stored.index, "id": stored.says.id} for place, stored in found
        ]
        print(msgspec.json.encode({"erasure": name, "entries": entries}).decode())
    else:
        print(f"erased {plural(len(found), 'event')}; the log says so in {name}")
    return 0


def _erasable(log: Log, decisions: Iterable[str], subject: str | None) -> list[tuple[Place, reading.Stored]]:
    if subject is not None:
        found = erasure.of_subject(log, subject)
        if not found:
            raise UsageError(f"{subject}: no decision in {log.directory} is about it")
        return found
    out = []
    for name in dict.fromkeys(decisions):
        found = log.find(name)
        if not found:
            raise UsageError(f"{name}: is not in {log.directory}; nothing was erased")
        out += found
    return out


def show(directory: str | None, decision: str, format_: str) -> int:
    with worded(), opened(directory) as log:
        place, stored = _only(log, decision)
        if format_ == "json":
            if stored.payload is None:
                raise UsageError(f"{decision}: its event was erased")
            sys.stdout.buffer.write(stored.payload + b"\n")
            sys.stdout.flush()
        else:
            sys.stdout.write(log_report.shown(log, place, stored))
    return 0


def noted(log: Log) -> None:
    """What a person should know of how the log was found."""
    for notice in dict.fromkeys(log.notices):
        print(f"solon: note: {notice}", file=sys.stderr)
