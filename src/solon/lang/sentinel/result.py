"""What an evaluation of a policy gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from solon.lang.sentinel.values import Failure, Undefined, Value
from solon.lang.source import Span

Outcome = Literal["pass", "fail", "undefined", "error"]


@dataclass(frozen=True, slots=True)
class RuleValue:
    """A rule that was evaluated."""

    name: str
    value: Value
    span: Span
    description: str = ""


@dataclass(frozen=True, slots=True)
class Element:
    """An element of a collection that made ``main`` what it is.

    ``kind`` is how the policy goes over the collection: ``all``, ``any``, ``filter``, ``map`` or ``for``; ``span``
    is where it does, and ``collection`` the text of it. ``within`` is the element of the loop around.
    """

    key: Value
    value: Value
    kind: str
    collection: str
    span: Span
    within: Element | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A function that was running when something went wrong, and where it had been called."""

    function: str
    span: Span


@dataclass(frozen=True, slots=True)
class Result:
    """``main`` is its value; of a policy without one, and where the evaluation failed, it is None.

    ``rules`` are those that were evaluated, by name. ``undefined`` is where an undefined ``main`` comes from.
    ``failure`` is the run-time error, and ``calls`` the functions it happened in, the innermost first.
    """

    outcome: Outcome
    main: Value = None
    rules: Mapping[str, RuleValue] = field(default_factory=dict)
    output: tuple[str, ...] = ()
    undefined: Undefined | None = None
    failure: Failure | None = None
    calls: tuple[Call, ...] = ()
    failed: tuple[Element, ...] = ()

    @property
    def reason(self) -> str:
        """In one line, why the policy did not pass; empty where it did, and where ``main`` is just false."""
        if self.failure is not None:
            return str(self.failure)
        if self.undefined is not None:
            at = f" at {self.undefined.at}" if self.undefined.at else ""
            return f"main is undefined: {self.undefined.why}{at}"
        return ""
