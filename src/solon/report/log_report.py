"""What the commands of ``solon log`` show."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat
from typing import Any, Final

from solon.decisions.log import durable, reading
from solon.decisions.log.checkpoint import Checkpoint
from solon.decisions.log.errors import LogError
from solon.decisions.log.proof import Proven
from solon.decisions.log.reading import Stored
from solon.decisions.log.shard import Place
from solon.decisions.log.store import Log
from solon.decisions.log.verify import Problem, Report
from solon.decisions.log.witness import Status
from solon.decisions.mirror.known import Known
from solon.decisions.record import rfc3339
from solon.decisions.sinks.lag import Lag
from solon.report.check_report import duration, plural
from solon.report.json import text
from solon.report.text import printable, printable_lines

_SHOWN: Final = 30
_NO_CHECKPOINT: Final = (
    "Compared with the log's own checkpoints alone. Who has its key can rewrite a log and sign it again: compare it with a "
    "checkpoint that was kept elsewhere (--checkpoint FILE)."
)


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _root(root: bytes) -> str:
    return base64.b64encode(root).decode()


# --- verification


def verification(name: str, log: Log, report: Report, *, own_key: bool, kept: int) -> str:
    if name == "json":
        return text(
            {
                "schema": "solon.log-verify/v1",
                "log": log.settings.name,
                "valid": not report.problems,
                "entries": report.entries,
                "problems": [_problem(problem) for problem in report.problems],
                "notes": report.notes,
                "shards": [
                    {
                        "origin": each.origin,
                        "entries": each.entries,
                        "signed": each.signed,
                        "erased": each.erased,
                    }
                    for each in report.shards
                ],
                "outside": [_checkpoint(each) for each in report.outside],
            }
        )
    return _lines(_verification(log, report, own_key, kept))


def _verification(log: Log, report: Report, own_key: bool, kept: int) -> Iterator[str]:
    for problem in report.problems[:_SHOWN]:
        yield f"✗ {printable(str(problem))}"
    if len(report.problems) > _SHOWN:
        yield f"✗ and {len(report.problems) - _SHOWN:,} more"
    for note in report.notes:
        yield f"· {printable(note)}"
    if report.problems or report.notes:
        yield ""
    signed, erased = sum(each.signed for each in report.shards), sum(each.erased for each in report.shards)
    parts = [
        plural(report.entries, "entry", "entries"),
        plural(len(report.shards), "shard"),
        f"{signed:,} signed",
    ]
    if erased:
        parts.append(f"{erased:,} erased")
    parts.append(f"{len(report.problems):,} wrong" if report.problems else "nothing is wrong")
    yield " · ".join(parts)
    if report.problems:
        return
    if report.outside:
        yield f"Continues {plural(len(report.outside), 'checkpoint')} that {'was' if kept == 1 else 'were'} kept elsewhere."
    elif not kept:
        yield _NO_CHECKPOINT
    if own_key:
        yield f"Believed is the key in the log itself, {log.key}: compare it with the one that you were given (--key)."


def _problem(problem: Problem) -> dict[str, Any]:
    return {
        "text": problem.text,
        "path": problem.path,
        "offset": problem.offset,
        "shard": problem.shard,
        "index": problem.index,
        "last": problem.index if problem.last is None else problem.last,
        "id": problem.id,
    }


def _checkpoint(each: Checkpoint) -> dict[str, Any]:
    return {"origin": each.origin, "size": each.size, "root": _root(each.root)}


def proven(name: str, found: Sequence[tuple[str, Proven]]) -> str:
    if name == "json":
        return text(
            {
                "schema": "solon.log-proof/v1",
                "valid": True,
                "proven": [
                    {
                        "file": file,
                        "checkpoint": _checkpoint(each.checkpoint),
                        "index": each.index,
                        "id": each.leaf.id,
                        "kind": each.leaf.kind.name.lower(),
                        "time": rfc3339(each.leaf.time_ns),
                        "outcome": each.leaf.outcome,
                        "event": None if each.payload is None else each.payload.decode("utf-8", "replace"),
                    }
                    for file, each in found
                ],
            }
        )
    return _lines(line for file, each in found for line in _proven(file, each))


def _proven(file: str, each: Proven) -> Iterator[str]:
    leaf = each.leaf
    outcome = f" · {leaf.outcome}" if leaf.outcome else ""
    yield f"✓ {printable(file)}: {printable(leaf.id)} · {leaf.kind.name.lower()}{outcome} · {rfc3339(leaf.time_ns)}"
    yield f"  is entry {each.index} of {each.checkpoint.origin}, which had {each.checkpoint.size:,}"
    yield f"  its event is {'not in the proof' if each.payload is None else 'in the proof, and is the one that was logged'}"


def consistency(
    name: str, origin: str, old: int, old_root: bytes, new: Checkpoint, path: Sequence[bytes], *, fits: bool
) -> str:
    if name == "json":
        return text(
            {
                "schema": "solon.log-consistency/v1",
                "origin": origin,
                "consistent": fits,
                "old": {"size": old, "root": _root(old_root)},
                "new": {"size": new.size, "root": _root(new.root)},
                "proof": [_root(each) for each in path],
            }
        )
    if not fits:
        return (
            f"✗ {origin}: the checkpoint at {old:,} is not the beginning of this log: history was rewritten\n"
        )
    lines = [origin, f"old {old} {_root(old_root)}", f"new {new.size} {_root(new.root)}", *map(_root, path)]
    return _lines(iter(lines))


# --- state


def witnesses(name: str, statuses: Sequence[Status], size: int) -> str:
    if name == "json":
        return text({"schema": "solon.log-witness/v1", "size": size, "witnesses": _statuses(statuses, size)})
    return _lines(_witness(each, size) for each in statuses)


def _statuses(statuses: Sequence[Status], size: int) -> list[dict[str, Any]]:
    return [
        {
            "witness": each.witness,
            "size": each.size,
            "behind": size - each.size,
            "sent": rfc3339(each.sent_ns) if each.sent_ns else None,
            "tried": rfc3339(each.tried_ns) if each.tried_ns else None,
            "failures": each.failures,
            "problem": each.problem,
        }
        for each in statuses
    ]


def _witness(each: Status, size: int) -> str:
    if each.problem:
        return f"✗ {printable(each.witness)}: {printable(each.problem)} ({plural(each.failures, 'failure')} in a row)"
    if not each.tried_ns:
        return f"· {printable(each.witness)}: nothing was sent yet"
    behind = f", {size - each.size:,} behind" if size > each.size else ""
    return f"✓ {printable(each.witness)}: has {each.size:,} of {size:,}{behind}"


def status(
    name: str,
    log: Log,
    statuses: Sequence[Status],
    sinks: Sequence[Lag],
    mirrors: Sequence[Known],
    now_ns: int,
) -> str:
    shards = [_shard(log, place, now_ns) for place in log.shards()]
    meta = log.meta.checkpoint(log.key)
    size = meta.size if meta is not None else 0
    if name == "json":
        return text(
            {
                "schema": "solon.log-status/v1",
                "log": log.settings.name,
                "key": log.settings.key,
                "shards": shards,
                "meta": None if meta is None else _checkpoint(meta),
                "witnesses": _statuses(statuses, size),
                "sinks": [_sink(each, now_ns) for each in sinks],
                "mirrors": [_mirror(each, shards) for each in mirrors],
            }
        )
    return (
        _lines(_status(log, shards, meta, statuses))
        + _lines(map(_sink_line, sinks, repeat(now_ns)))
        + _lines(map(_mirror_line, mirrors, repeat(shards)))
    )


def _mirror(known: Known, shards: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {
        "mirror": known.to,
        "entries": known.entries,
        "behind": max(sum(shard["entries"] for shard in shards) - known.entries, 0),
        "at": known.at or None,
        "problem": known.problem,
        "since": known.since or None,
    }


def _mirror_line(known: Known, shards: Sequence[dict[str, Any]]) -> str:
    said = _mirror(known, shards)
    behind = f"{plural(said['behind'], 'entry', 'entries')} behind" if said["behind"] else "has everything"
    at = f" · as of {known.at}" if known.at else ""
    problem = f" · {printable(known.problem)} (since {known.since})" if known.problem else ""
    return f"{'✗' if known.problem else ' '} mirror {printable(known.to)}: {behind}{at}{problem}"


def _sink(lag: Lag, now_ns: int) -> dict[str, Any]:
    return {
        "sink": lag.sink,
        "to": lag.to,
        "behind": lag.behind,
        "oldest_age_ns": max(now_ns - lag.oldest_ns, 0) if lag.oldest_ns is not None else None,
        "shipped": lag.shipped,
        "refused": lag.refused,
        "problem": lag.problem,
        "since": lag.since or None,
    }


def _sink_line(lag: Lag, now_ns: int) -> str:
    behind = f"{plural(lag.behind, 'entry', 'entries')} behind" if lag.behind else "has everything"
    oldest = (
        f", the oldest {duration(max(now_ns - lag.oldest_ns, 0))} old" if lag.oldest_ns is not None else ""
    )
    refused = f" · {lag.refused:,} refused" if lag.refused else ""
    problem = (
        f" · {printable(lag.problem)}{f' (since {lag.since})' if lag.since else ''}" if lag.problem else ""
    )
    mark = "✗" if lag.problem else " "
    return f"{mark} sink {lag.sink} → {printable(lag.to)}: {behind}{oldest}{refused}{problem}"


def _shard(log: Log, place: Place, now_ns: int) -> dict[str, Any]:
    problem = ""
    signed: Checkpoint | None = None
    try:
        signed = place.checkpoint(log.key)
    except LogError as error:
        problem = str(error)
    entries = reading.size(place.segments)
    last = next(iter(reading.entries(place.segments, entries - 1)), None) if entries else None
    writing = durable.is_locked(place.lock)
    return {
        "shard": place.name,
        "origin": place.origin,
        "entries": entries,
        "signed": signed.size if signed is not None else 0,
        "unsigned": entries - (signed.size if signed is not None else 0),
        "last_commit": rfc3339(last.time_ns) if last is not None else None,
        "age_ns": max(now_ns - last.time_ns, 0) if last is not None else None,
        "bytes": sum(os.path.getsize(path) for path in reading.files(place.segments)),
        "writer": durable.holder(place.lock) if writing else None,
        "problem": problem,
    }


def _status(
    log: Log, shards: Sequence[dict[str, Any]], meta: Checkpoint | None, statuses: Sequence[Status]
) -> Iterator[str]:
    yield log.settings.name
    for each in shards:
        ago = f" · last {duration(each['age_ns'])} ago" if each["age_ns"] is not None else ""
        writer = f" · {each['writer']} writes" if each["writer"] else ""
        mark = "✗" if each["problem"] else " "
        yield (
            f"{mark} shard {each['shard']}  {plural(each['entries'], 'entry', 'entries')} durable · {each['signed']:,} signed"
            f"{ago}{writer}"
        )
        if each["problem"]:
            yield f"    {printable(each['problem'])}"
    if not shards:
        yield "  no entries yet"
    if meta is None:
        yield "  no checkpoint yet: `solon log checkpoint` signs one"
    else:
        yield f"  meta-log    {plural(meta.size, 'checkpoint')} of shards · root {_root(meta.root)}"
    for status in statuses:
        yield f"  witness {_witness(status, meta.size if meta is not None else 0)}"
    if not statuses:
        yield "  no witness: who has the key can rewrite this log unseen (`solon log witness --help`)"


def shown(log: Log, place: Place, stored: Stored) -> str:
    return _lines(_shown(log, place, stored))


def _shown(log: Log, place: Place, stored: Stored) -> Iterator[str]:
    says = stored.says
    signed = place.checkpoint(log.key)
    under = "signed" if signed is not None and stored.index < signed.size else "in no checkpoint yet"
    yield f"{printable(says.id)} · {says.kind.name.lower()}{f' · {says.outcome}' if says.outcome else ''}"
    yield f"  time      {rfc3339(says.time_ns)}, committed {rfc3339(stored.time_ns)}"
    yield f"  entry     {stored.index} of shard {place.name}, {under}"
    yield f"  stands at {stored.path}:{stored.offset}"
    yield f"  policies  {says.policies.hex() if any(says.policies) else 'none said'}"
    if stored.payload is None:
        yield "  its event was erased"
        return
    yield ""
    try:
        event = json.dumps(json.loads(stored.payload), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        event = stored.payload.decode("utf-8", "replace")
    yield printable_lines(event)
