"""What an evaluation did and why, for people who ask; the same for every language.

Code that is compiled for it tells a :class:`Trace` of every expression it begins, every value it reads, and
every time that an expression holds. An expression that is over without having held has failed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Literal

from solon.lang.profile import Site
from solon.lang.source import Span
from solon.lang.values import UNDEFINED, Value

Mode = Literal["notes", "fails", "full", "debug"]

MOST_EVENTS: Final = 100_000
_MOST_EXAMPLES: Final = 3  # of what an expression failed with
_MOST_VALUES: Final = 4  # of what a part of an expression was, in one search


class Op(StrEnum):
    ENTER = "Enter"
    EVAL = "Eval"
    FAIL = "Fail"
    EXIT = "Exit"
    REDO = "Redo"
    UNIFY = "Unify"
    NOTE = "Note"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an expression. Of a path, ``path`` are its fixed names, and ``root`` what they begin at."""

    text: str
    root: str = ""
    path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """What a part of an expression was: its values, the last ones of a search; none where it was undefined."""

    text: str
    values: tuple[Value, ...]
    why: str = ""  # why it is undefined, where that is known


@dataclass(frozen=True, slots=True)
class Event:
    """One step of an evaluation. ``depth`` counts the rules and searches around it."""

    op: Op
    rule: str
    span: Span
    text: str
    depth: int
    readings: tuple[Reading, ...] = ()


@dataclass(slots=True)
class Failure:
    """An expression that did not hold: how often, and what its parts were."""

    site: Site
    times: int = 0
    examples: list[tuple[Reading, ...]] = field(default_factory=list)


@dataclass(slots=True)
class Rule:
    """A rule that was tried, or the query (``name`` is empty): how often, and how many results it gave."""

    name: str
    span: Span
    tried: int = 0
    results: int = 0
    evaluations: dict[int, int] = field(default_factory=dict)  # of its expressions
    failures: dict[int, Failure] = field(default_factory=dict)


@dataclass(slots=True)
class _Open:
    """An expression, or a head (``is_head``), under way."""

    number: int
    held: int = 0
    seen: dict[int, list[Value]] = field(default_factory=dict)
    roots: dict[int, Value] = field(default_factory=dict)


@dataclass(slots=True)
class _Frame:
    rule: Rule
    floor: int  # the expressions from here on are this frame's


class Trace:
    """Records one evaluation. ``mode`` says what is wanted; what is not wanted is not kept."""

    def __init__(self, mode: Mode) -> None:
        self.mode = mode
        self.events: list[Event] = []
        self.left_out = 0  # events that there was no room for
        self.rules: dict[tuple[str, Span], Rule] = {}  # in the order in which they were tried
        self._sites: list[Site] = []
        self._heads: set[int] = set()
        self._numbers: dict[tuple[Site, bool], int] = {}
        self._parts: list[Part] = []
        self._open: list[_Open] = []
        self._frames: list[_Frame] = []

    # --- at compile time

    def site(self, site: Site, *, head: bool = False) -> int:
        """The number by which compiled code names an expression, or the head of a rule."""
        number = self._numbers.get((site, head))
        if number is None:
            number = self._numbers[site, head] = len(self._sites)
            self._sites.append(site)
            if head:
                self._heads.add(number)
        return number

    def part(self, part: Part) -> int:
        self._parts.append(part)
        return len(self._parts) - 1

    def framed(
        self, function: Callable[..., Any], name: str, span: Span, *, is_rule: bool
    ) -> Callable[..., Any]:
        """A compiled function that says when it begins and ends: a rule, or a search inside one."""

        def run(*arguments: Any) -> Any:
            self._enter(name, span, is_rule)
            before = len(self._frames)
            try:
                value = function(*arguments)
            except BaseException:
                del self._open[self._frames[before - 1].floor :]
                del self._frames[before - 1 :]
                raise
            self._close(self._frames[-1].floor)
            self._frames.pop()
            return value

        return run

    # --- at run time

    def _enter(self, name: str, span: Span, is_rule: bool) -> None:
        if is_rule or not self._frames:
            rule = self.rules.get((name, span))
            if rule is None:
                rule = self.rules[name, span] = Rule(name, span)
            rule.tried += 1
        else:
            rule = self._frames[-1].rule
        around = self._sites[self._open[-1].number].text if self._open else "query"
        self._event(Op.ENTER, Site(rule.name, span, rule.name if is_rule else around))
        self._frames.append(_Frame(rule, len(self._open)))

    def begin(self, number: int) -> None:
        """An expression begins."""
        if number not in self._heads:
            site = self._sites[number]
            self._event(Op.EVAL, site)
        if self.mode == "fails":
            evaluations = self._frames[-1].rule.evaluations
            evaluations[number] = evaluations.get(number, 0) + 1
        self._open.append(_Open(number))

    def _under_way(self, number: int) -> _Open | None:
        """An expression whose search goes on: what began behind it is over."""
        floor = self._frames[-1].floor
        while len(self._open) > floor and self._open[-1].number != number:
            self._close(len(self._open) - 1)
        return self._open[-1] if self._open and self._open[-1].number == number else None

    def asked(self, number: int, part: int, root: Value = UNDEFINED) -> None:
        """A part of an expression is about to be read; for a path, ``root`` is what it begins at."""
        record = self._under_way(number)
        if record is not None:
            record.seen.setdefault(part, [])
            record.roots[part] = root

    def seen(self, number: int, part: int, value: Value) -> None:
        """A part of an expression was read."""
        record = self._under_way(number)
        if record is not None and value is not UNDEFINED:
            values = record.seen.setdefault(part, [])
            if len(values) == _MOST_VALUES:
                del values[0]
            values.append(value)
            if self.mode == "debug":
                site = self._sites[number]
                reading = (Reading(self._parts[part].text, (value,)),)
                self._event(Op.UNIFY, Site(site.rule, site.span, self._parts[part].text), reading)

    def held(self, number: int) -> None:
        """An expression holds, once more: what began behind it is over. Of a head: the rule has a result."""
        record = self._under_way(number)
        assert record is not None
        if record.held:
            self._redo(record)
        record.held += 1
        if number in self._heads:
            self._frames[-1].rule.results += 1
            site = self._sites[number]
            self._event(Op.EXIT, Site(site.rule, site.span, site.rule))

    def note(self, text: str) -> None:
        """What a policy says of itself (``trace`` of Rego), at the expression that says it."""
        if not self._open or self.mode == "fails":
            return
        site = self._sites[self._open[-1].number]
        self._add(Event(Op.NOTE, site.rule, site.span, text, len(self._frames)))

    def _close(self, start: int) -> None:
        """End the expressions from ``start`` on, the last one first."""
        while len(self._open) > start:
            record = self._open.pop()
            if not record.held:
                self._fail(record)
            else:
                self._redo(record)

    def _redo(self, record: _Open) -> None:
        if record.number not in self._heads:
            self._event(Op.REDO, self._sites[record.number])

    def _fail(self, record: _Open) -> None:
        site, rule = self._sites[record.number], self._frames[-1].rule
        if self.mode == "fails":
            failure = rule.failures.get(record.number)
            if failure is None:
                failure = rule.failures[record.number] = Failure(site)
            failure.times += 1
            if len(failure.examples) < _MOST_EXAMPLES:
                readings = self._readings(record)
                if readings not in failure.examples:
                    failure.examples.append(readings)
        else:
            self._event(Op.FAIL, site, self._readings(record))

    def _readings(self, record: _Open) -> tuple[Reading, ...]:
        """What the parts were. Of several without a value, the last is the one that stopped it."""
        found: list[Reading] = []
        stopped: Reading | None = None
        for number, values in record.seen.items():
            part = self._parts[number]
            if values:
                found.append(Reading(part.text, tuple(values)))
            else:
                stopped = Reading(part.text, (), _missing(part, record.roots.get(number, UNDEFINED)))
        if stopped is not None:
            found.insert(0, stopped)
        told = {reading.text for reading in found}
        for number, root in record.roots.items():
            name = self._parts[number].root
            if name not in ("", "input", *told) and root is not UNDEFINED:
                told.add(name)
                found.append(Reading(name, (root,)))
        return tuple(found)

    def _event(self, op: Op, site: Site, readings: Sequence[Reading] = ()) -> None:
        if self.mode in ("full", "debug"):
            self._add(Event(op, site.rule, site.span, site.text, len(self._frames), tuple(readings)))

    def _add(self, event: Event) -> None:
        if len(self.events) < MOST_EVENTS:
            self.events.append(event)
        else:
            self.left_out += 1


def _missing(part: Part, root: Value) -> str:
    """Why a path of fixed names leads nowhere: the first name that is not there."""
    if not part.root or (root is UNDEFINED and part.root != "input"):
        return ""
    if root is UNDEFINED:
        return "there is no input"
    at, shown = root, part.root
    for name in part.path:
        below = at.get(name, UNDEFINED) if isinstance(at, dict) else UNDEFINED
        if below is UNDEFINED:
            return f"{shown} has no field {name!r}" if isinstance(at, dict) else f"{shown} is not an object"
        at, shown = below, f"{shown}.{name}"
    return ""
