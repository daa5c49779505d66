"""How built-in functions are declared, and the checks their operands share."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, Protocol, TypeVar

from solon.lang.budget import LARGE, claim, spend
from solon.lang.rego.errors import OperandError
from solon.lang.values import Set, Value, type_name


class Context(Protocol):
    """What built-ins may ask of the evaluation that calls them."""

    @property
    def now_ns(self) -> int:
        """Nanoseconds since the epoch; the same during one evaluation."""

    @property
    def random(self) -> random.Random: ...
    @property
    def allowed_hosts(self) -> frozenset[str]:
        """Hosts that policies may reach over the network; empty: none."""

    @property
    def runtime(self) -> Mapping[str, Value]:
        """The answer of ``opa.runtime()``."""

    @property
    def cache(self) -> dict[Any, Any]:
        """Scratch space of this evaluation, keyed by (built-in's name, ...)."""

    def charge(self, steps: int) -> None:
        """Account for produced elements before producing them. Raises BudgetExceeded."""

    def note(self, text: str) -> None:
        """Record a message of ``trace``."""


@dataclass(frozen=True, slots=True)
class Builtin:
    """One built-in function.

    ``signature`` declares its types, as ``"(string, array[any]|set[any]) -> number"``. ``function`` takes
    the operands (after the Context, if ``contextual``), and returns a value or raises BuiltinError.
    """

    name: str
    signature: str
    function: Callable[..., Value]
    contextual: bool = False
    deprecated: bool = False  # refused in Rego v1

    @property
    def arity(self) -> int:
        return len(split_arguments(self.signature))


def split_arguments(signature: str) -> list[str]:
    """The argument types of a signature, each as text."""
    inner, _, _ = signature.rpartition(") -> ")
    out: list[str] = []
    depth = start = 0
    text = inner.removeprefix("(")
    for at, char in enumerate(text):
        if char in "[<(":
            depth += 1
        elif char in "]>)":
            depth -= 1
        elif char == "," and depth == 0:
            out.append(text[start:at].strip())
            start = at + 1
    if text[start:].strip():
        out.append(text[start:].strip())
    return out


def wrong_type(value: Value, position: int, wanted: str) -> OperandError:
    """The error for an operand of the wrong type; ``wanted`` as OPA words it ("string", "one of {array, set}")."""
    return OperandError(position, f"must be {wanted} but got {type_name(value)}")


# Who takes an operand reads all of it, and makes something as large: that is charged beforehand.
_LONG: Final = 2_000  # characters
_MANY: Final = 100  # elements


def string(value: Value, position: int) -> str:
    if type(value) is not str:
        raise wrong_type(value, position, "string")
    if len(value) > _LONG:
        _read(value)
    return value


def _read(text: str) -> None:
    spend(len(text) // 16)
    if len(text) > LARGE:
        claim(4 * len(text))


def string_end(value: Value, position: int) -> str:
    """A string of which only a part will be looked at."""
    if type(value) is not str:
        raise wrong_type(value, position, "string")
    return value


def number(value: Value, position: int) -> int | float:
    if type(value) is not int and type(value) is not float:
        raise wrong_type(value, position, "number")
    return value


def integer(value: Value, position: int) -> int:
    if type(value) is int:
        return value
    if type(value) is float and value.is_integer():
        return int(Decimal(repr(value)))  # the number as it is written, not its binary neighbour
    if type(value) is float:
        raise OperandError(position, "must be integer number but got floating-point number")
    raise wrong_type(value, position, "number")


def int64(value: Value, position: int) -> int:
    """An integer as OPA's machine has it."""
    found = integer(value, position)
    if not -(2**63) <= found < 2**63:
        raise OperandError(position, "must be integer number but got floating-point number")
    return found


def boolean(value: Value, position: int) -> bool:
    if type(value) is not bool:
        raise wrong_type(value, position, "boolean")
    return value


def array(value: Value, position: int) -> list[Value]:
    if type(value) is not list:
        raise wrong_type(value, position, "array")
    if len(value) > _MANY:
        _visit(len(value))
    return value


def _visit(elements: int) -> None:
    spend(elements)
    claim(16 * elements)


def obj(value: Value, position: int) -> dict[Any, Value]:
    if type(value) is not dict:
        raise wrong_type(value, position, "object")
    if len(value) > _MANY:
        _visit(len(value))
    return value


def set_(value: Value, position: int) -> Set:
    if type(value) is not Set:
        raise wrong_type(value, position, "set")
    if len(value) > _MANY:
        _visit(len(value))
    return value


_Function = TypeVar("_Function", bound=Callable[..., Any])


def remembered(size: int) -> Callable[[_Function], _Function]:
    """A cache of what a function makes of the last ``size`` texts; long ones are not kept."""

    def decorate(function: _Function) -> _Function:
        kept = lru_cache(maxsize=size)(function)

        def call(text: str, *more: Any) -> Any:
            return kept(text, *more) if len(text) <= _LONG else function(text, *more)

        return call  # type: ignore[return-value]

    return decorate
