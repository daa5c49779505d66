"""How a rule came to its results: of a trace, the expressions that held on the way to each, with what their parts were.

The trace is one of mode ``debug``. What a search tried in vain is left out; so is the inside of other rules, whose values are
among the parts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from solon.lang.source import Span
from solon.lang.trace import Event, Op, Reading


@dataclass(frozen=True, slots=True)
class Held:
    """An expression that held, and what its parts were then."""

    span: Span
    text: str
    readings: tuple[Reading, ...]


@dataclass(frozen=True, slots=True)
class Way:
    """To one result of a rule. ``result`` is what was read of its head."""

    rule: str
    span: Span
    steps: tuple[Held, ...]
    result: tuple[Reading, ...]


@dataclass(frozen=True, slots=True)
class Again:
    """What a policy says of an input once more. ``way`` is how it came to that; ``problem`` is why that is not known."""

    way: Way | None = None
    problem: str = ""


@dataclass(slots=True)
class _Step:
    span: Span
    text: str
    readings: dict[str, Reading] = field(default_factory=dict)

    def is_of(self, event: Event) -> bool:
        return (self.span, self.text) == (event.span, event.text)


def ways(events: Iterable[Event], rule: str) -> Iterator[Way]:
    """The ways to the results of a rule, in the order they were found."""
    path: list[_Step] = []
    head: dict[str, Reading] = {}
    inside = -1
    for event in events:
        if event.op is Op.ENTER and event.text == rule == event.rule:
            path, head, inside = [], {}, event.depth + 1
        elif event.depth != inside or event.rule != rule:
            continue
        elif event.op is Op.EVAL:
            path.append(_Step(event.span, event.text))
            head = {}
        elif event.op is Op.UNIFY:
            step = path[-1] if path and path[-1].span == event.span else None
            known = head if step is None else step.readings
            known[event.text] = event.readings[0]
        elif event.op in (Op.REDO, Op.FAIL):
            _back(path, event)
            head = {}
        elif event.op is Op.EXIT:
            steps = [Held(step.span, step.text, tuple(step.readings.values())) for step in path]
            yield Way(rule, event.span, tuple(steps), tuple(head.values()))


def _back(path: list[_Step], event: Event) -> None:
    """Back to an expression: what came behind it is over; where it failed, so is it."""
    at = next((at for at in reversed(range(len(path))) if path[at].is_of(event)), None)
    if at is None:
        return
    del path[at + 1 :]
    if event.op is Op.FAIL:
        path.pop()
    else:
        path[at].readings.clear()
