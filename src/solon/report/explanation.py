"""What a trace recorded, for people and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from solon.lang.source import Span
from solon.lang.trace import Event, Op, Reading, Rule, Trace
from solon.lang.values import Set, Value, sorted_members, to_json, unkey
from solon.report.text import printable

_LONGEST: Final = 70  # characters of a value; it is a hint to which one it is
_LONGEST_IN_JSON: Final = 1000
_DEEPEST: Final = 100
_TOO_LONG: Final = " " * (_LONGEST_IN_JSON + 1)  # what is cut where it is written


def render(trace: Trace, width: int = 100) -> str:
    """The trace in lines: events as OPA shows them, or of each rule what failed."""
    if trace.mode == "fails":
        lines = [line for rule in trace.rules.values() for line in _rule(rule, width)]
        return "\n".join(lines or ["nothing failed"]) + "\n"
    places = [f"{event.span.file}:{event.span.row}" for event in trace.events]
    indent = max(map(len, places), default=0)
    lines = [
        f"{place:<{indent}}  {_event(event, trace)}"[:_MOST]
        for place, event in zip(places, trace.events, strict=True)
    ]
    if trace.left_out:
        lines.append(f"… {trace.left_out:,} more events are left out")
    return "".join(printable(line) + "\n" for line in lines)


_MOST: Final = 500  # characters of a line


def _event(event: Event, trace: Trace) -> str:
    if trace.mode == "notes":
        return f"{event.rule or 'query'}  Note {json.dumps(event.text, ensure_ascii=False)}"
    text = json.dumps(event.text, ensure_ascii=False) if event.op is Op.NOTE else event.text
    line = f"{'| ' * event.depth}{event.op:<5} {text}"
    if event.op is Op.UNIFY:
        return f"{line} = {_value(event.readings[0].values[0])}"
    told = "; ".join(in_words(reading) for reading in event.readings if reading.text != event.text)
    return f"{line}    ({told})" if told else line


def _rule(rule: Rule, width: int) -> Iterator[str]:
    """What made a rule fail: each expression that did, and what its parts were."""
    if not rule.failures and (rule.results or not rule.name):
        return
    name = rule.name or "the query"
    place = f" ({rule.span.file}:{rule.span.row})" if rule.name else ""
    outcome = "" if not rule.name else f" gave {_plural(rule.results, 'result')}"
    tried = f", tried {rule.tried:,} times" if rule.tried > 1 else ""
    yield printable(f"{name}{place}{outcome}{tried}")
    if not rule.failures:
        yield "  its arguments do not match, or its default was asked for"
    failures = sorted(
        rule.failures.items(), key=lambda each: (each[1].site.span.row, each[1].site.span.column)
    )
    for number, failure in failures:
        span, asked = failure.site.span, rule.evaluations.get(number, failure.times)
        often = "" if asked == 1 else f" {failure.times:,} of {asked:,} times"
        yield printable(f"  {span.file}:{span.row}  {failure.site.text}  failed{often}")
        for example in failure.examples:
            told = "; ".join(map(in_words, example))
            if told:
                yield _cut(printable(f"      {told}"), max(width, 60))
        rest = failure.times - len(failure.examples)
        if rest > 0 and failure.examples and any(failure.examples):
            yield f"      and {_plural(rest, 'more time')}"


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'s' * (count != 1)}" if count else f"no {noun}"


def _cut(line: str, width: int) -> str:
    return line if len(line) <= width else line[: width - 1] + "…"


def in_words(reading: Reading) -> str:
    if not reading.values:
        return f"{reading.text} is undefined" + (f": {reading.why}" if reading.why else "")
    return f"{reading.text} is {', then '.join(map(_value, reading.values))}"


def _value(value: Value) -> str:
    return beginning(value, _LONGEST)[0]


def beginning(value: Value, room: int) -> tuple[str, bool]:
    """The JSON of a value, no longer than ``room``, and whether it is whole; no more of it is read than that."""
    out: list[str] = []
    left = room + 1
    for piece in _pieces(value):
        out.append(piece[:left])
        left -= len(out[-1])
        if left <= 0:
            return "".join(out)[: room - 1] + "…", False
    return "".join(out), True


def _pieces(value: Value, depth: int = 0) -> Iterator[str]:
    if depth > _DEEPEST:
        yield _TOO_LONG
        return
    match value:
        case Set():
            yield from _listed(sorted_members(value) if len(value) < _LONGEST else value.values(), depth)
        case list():
            yield from _listed(value, depth)
        case dict():
            yield "{"
            for number, (name, field) in enumerate(value.items()):
                yield ", " if number else ""
                index = unkey(name)
                yield from _pieces(index) if isinstance(index, str) else _quoted(index, depth)
                yield ": "
                yield from _pieces(field, depth + 1)
            yield "}"
        case str():
            # A text is cut before it is escaped: it may be as long as a document.
            yield json.dumps(value[:_LONGEST_IN_JSON], ensure_ascii=False)
            yield _TOO_LONG if len(value) > _LONGEST_IN_JSON else ""
        case _:
            yield json.dumps(to_json(value), ensure_ascii=False)


def _quoted(index: Value, depth: int) -> Iterator[str]:
    yield '"'
    yield from _pieces(index, depth + 1)
    yield '"'


def _listed(elements: Iterable[Value], depth: int) -> Iterator[str]:
    yield "["
    for number, element in enumerate(elements):
        yield ", " if number else ""
        yield from _pieces(element, depth + 1)
    yield "]"


# --- for machines


def as_json(trace: Trace) -> list[dict[str, Any]]:
    """Events, or (``fails``) the rules that were tried and what failed in each."""
    if trace.mode != "fails":
        return [
            {
                "op": event.op.value,
                "rule": event.rule,
                "text": event.text,
                "location": location_of(event.span),
                "depth": event.depth,
                "readings": readings_of(event.readings),
            }
            for event in trace.events
        ]
    return [
        {
            "rule": rule.name,
            "location": location_of(rule.span),
            "tried": rule.tried,
            "results": rule.results,
            "failures": [
                {
                    "text": failure.site.text,
                    "location": location_of(failure.site.span),
                    "failed": failure.times,
                    "evaluated": rule.evaluations.get(number, failure.times),
                    "examples": [readings_of(example) for example in failure.examples],
                }
                for number, failure in rule.failures.items()
            ],
        }
        for rule in trace.rules.values()
    ]


def readings_of(readings: Sequence[Reading]) -> list[dict[str, Any]]:
    return [
        {"text": reading.text, "values": [_json_value(value) for value in reading.values], "why": reading.why}
        for reading in readings
    ]


def _json_value(value: Value) -> Any:
    """The value; of a long one, the beginning of its JSON as a string."""
    text, is_whole = beginning(value, _LONGEST_IN_JSON)
    return to_json(value) if is_whole else text


def location_of(span: Span) -> dict[str, Any]:
    return {"file": span.file, "row": span.row, "col": span.column}
