"""What a file of pickles comes to: one after the other, with whatever lies between and behind them."""

from __future__ import annotations

from typing import Final

from solon.evidence.artifacts.limits import Broken, Limits, TooMuch
from solon.evidence.artifacts.pickles.machine import Machine, Stopped, opcode_at
from solon.evidence.artifacts.pickles.names import effect_of, kind_of
from solon.evidence.artifacts.pickles.traces import MAX_LOOKED, Traces, scan_rest
from solon.evidence.artifacts.source import Source, Stream
from solon.evidence.artifacts.told import Told

REFUSED: Final = "whoever loads it runs what it says"
_TORCH: Final = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
# Behind what cannot be followed, imports are looked for in so many bytes.
_MOST: Final = 1 << 30
_PROBE: Final = 200_000
_SHOWN: Final = 8


def begins(head: bytes) -> bool:
    """Whether a content begins with the header that pickles have from protocol 2 on."""
    return head[:1] == b"\x80" and head[1:2] <= b"\x05" and (len(head) <= 2 or opcode_at(head, 2))


def probe(stream: Stream) -> bool:
    """Whether an unpickler would come to the end of the content, or would have run something by the time it fails."""
    traces = Traces()
    try:
        while stream.need(1):
            Machine(stream, traces, _PROBE, strict=True).run()
    except Broken:
        return bool(traces.calls) or any(map(effect_of, traces.imports))
    except (Stopped, TooMuch):
        return True
    return traces.steps > 0


def read(source: Source, limits: Limits) -> Told:
    """Never raises: what is broken is told of."""
    stream = source.stream()
    told = Told("pickle").unsafe(REFUSED)
    written_by = "torch" if stream.peek(len(_TORCH)) == _TORCH else ""
    traces = Traces()
    pickles, trouble = 0, ""
    try:
        while not trouble and stream.need(1):
            whole, trouble = _next(stream, traces, pickles, limits, told)
            pickles += whole
    except (Broken, TooMuch) as error:
        trouble = str(error)
    told.bytes = stream.position
    if traces.arrays:
        written_by = "joblib"
    told.header = {"protocol": traces.protocol, "pickles": pickles}
    if written_by:
        told.header["written_by"] = written_by
    _explain(told, traces, trouble)
    return told


def _next(stream: Stream, traces: Traces, before: int, limits: Limits, told: Told) -> tuple[bool, str]:
    """Follows one more pickle: whether it is whole, and why it cannot be followed to its end. Raises Broken and TooMuch.

    What follows a whole pickle and is none, such as the numbers of old torch files, is passed over, and noted.
    """
    found = traces if not before else Traces(steps=traces.steps)
    begin = stream.position
    try:
        Machine(stream, found, limits.opcodes).run()
    except (Broken, Stopped, TooMuch) as error:
        if before and isinstance(error, Broken) and not any(map(effect_of, found.imports)):
            scan_rest(stream, traces, all_names=False, most=_MOST)
            told.note(f"{stream.position - begin} bytes that are no pickle follow at byte {begin}")
            return False, ""
        traces.take(found)
        if not isinstance(error, TooMuch):
            scan_rest(stream, traces, all_names=True, most=_MOST)
        return False, str(error)
    traces.take(found)
    return True, ""


def _explain(told: Told, traces: Traces, trouble: str) -> None:
    every = {str(name): None for name in (*traces.imports, *traces.buried)}
    kinds = {name: kind_of(name) for name in every}
    told.imports = sorted(every, key=lambda name: ("dangerous", "other", "ordinary").index(kinds[name]))
    told.opcodes = dict(sorted(traces.opcodes.items()))
    for name in every:
        if kinds[name] != "dangerous":
            continue
        effect = effect_of(name)
        if name in traces.calls:
            told.note(f"would call {name}, which {effect}")
        elif name in traces.imports:
            told.note(f"would import {name}, which {effect}")
        else:
            told.note(f"has {name}, which {effect}, in bytes that are not followed as opcodes")
    _name(told, "would call", [n for n in traces.calls if kinds[n] == "other"])
    _name(told, "would import", [n for n in every if kinds[n] == "other" and n not in traces.calls])
    if traces.unresolved:
        told.note(f"imports whose names are made while it is loaded, and cannot be told: {traces.unresolved}")
    if traces.indirect:
        told.note(f"calls of what another call, or the loader itself, gives: {traces.indirect}")
    if traces.more:
        told.note(f"names that are not listed here, because they are too many: {traces.more}")
    if traces.looked > MAX_LOOKED:
        told.note(
            "bytes that are not followed as opcodes look like imports too often: not all were looked at"
        )
    if trouble:
        told.note(f"cannot be followed to its end: {trouble}")
    elif not traces.unresolved and not traces.indirect and all(kind == "ordinary" for kind in kinds.values()):
        told.note("every name in it is one that pickles of well known libraries have")


def _name(told: Told, would: str, found: list[str]) -> None:
    if found:
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        told.note(f"{would} what is not known from ordinary models: {', '.join(found[:_SHOWN])}{more}")
