"""Which elements of collections made a policy fail: what code that is compiled for it (``tracking``) calls.

A value goes along with its reasons: the elements that made it what it is. Those of variables and results are kept
beside them; those of a collection are kept here, by its identity, so that they go wherever it goes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from solon.lang.budget import spend
from solon.lang.sentinel.operators import as_value
from solon.lang.sentinel.result import Element
from solon.lang.sentinel.runtime import UNSET, Rule, force
from solon.lang.sentinel.values import Undefined, Value, equals
from solon.lang.source import Span

# An element that a loop is at: its key, its value, what the loop is (kind, collection, span), and the element around.
# Loops make one for each of their elements, of which few are told: those become an Element.
Step = tuple[Any, Value, tuple[str, str, Span], "Step | None"]
Why = Sequence[Step]

MOST: Final = 20_000  # reasons of one value
_COLLECTIONS: Final = frozenset([list, dict])


class Reasons:
    """The state of one evaluation. ``within`` is the element of the loop that is going on."""

    __slots__ = ("held_by", "returned", "within")

    def __init__(self) -> None:
        self.within: Step | None = None
        self.returned: Why = ()  # of the last function or rule that returned
        self.held_by: dict[int, tuple[Value, list[Step]]] = {}  # id of a collection -> it, and its reasons

    def of(self, value: Value) -> Why:
        """The reasons of a collection."""
        held = self.held_by.get(id(value))
        return held[1] if held is not None else ()

    def note(self, value: Value, why: Why) -> None:
        """A collection holds something for these reasons."""
        if why and type(value) in _COLLECTIONS:
            held = self.held_by.setdefault(id(value), (value, []))[1]
            if len(held) < MOST:
                held.extend(why)

    def copied(self, value: Value) -> Value:
        """A copy of a collection, with its reasons."""
        kind = type(value)
        if kind not in _COLLECTIONS:
            return value
        spend(len(value))
        if kind is dict:
            found: Value = {name: self.copied(item) for name, item in value.items()}
        else:
            found = [self.copied(item) for item in value]
        self.note(found, self.of(value))
        return found


def joined(why: Why, other: Why) -> Why:
    if not why or not other or why is other or len(why) >= MOST:
        return why or other
    return [*why, *other]


def whole(reasons: Reasons, value: Value, why: Why) -> Why:
    """The reasons of a value: its own, and those of what is in it."""
    held = reasons.held_by.get(id(value))
    return why if held is None else joined(why, held[1])


def picked(reasons: Reasons, collection: Value, why: Why, found: Value) -> Why:
    """The reasons of an element: a collection has its own, others those of what they are in."""
    if type(found) in _COLLECTIONS:
        return ()
    held = reasons.held_by.get(id(collection))
    return why if held is None else joined(why, held[1])


def located(value: Undefined, place: Span) -> Undefined:
    """What is undefined in a document, with the place where the policy came to it."""
    return value if value.at is not None else Undefined(value.why, place)


def assigned(reasons: Reasons, old: Value, why_old: Why, new: Value, why: Why, adds: bool) -> Why:
    """The reasons of a variable that is assigned to: one more, where its value stays or is added to."""
    if type(new) in _COLLECTIONS:
        if adds:
            if new is not old:
                reasons.note(new, reasons.of(old))
            reasons.note(new, why)
        return ()
    if adds or (type(old) is type(new) and equals(old, new)):
        return joined(why_old, why)
    return why


def forced(reasons: Reasons, rule: Rule) -> tuple[Value, Why]:
    """The value of a rule, and its reasons."""
    first = rule.value is UNSET
    value = force(rule)
    if first:
        rule.reasons = reasons.returned
    return value, rule.reasons


def distinct(why: Why) -> Iterator[Element]:
    """Each element once, as often as the policy may have come to it."""
    seen: set[tuple[Any, ...]] = set()
    for each in why:
        path = []
        at: Step | None = each
        while at is not None:
            key, _, (_, _, span), around = at
            path.append((key if type(key) is str else repr(key), span))
            at = around
        if tuple(path) not in seen:
            seen.add(tuple(path))
            yield _element(each)


def _element(step: Step) -> Element:
    key, value, about, around = step
    return Element(as_value(key), value, *about, None if around is None else _element(around))
