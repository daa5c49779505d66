"""The values of Sentinel as Python has them.

===========  ====================================================================================
null         None
bool         bool
int          int, wrapped to 64 bits (:func:`wrapped`)
float        float
string       str; it stands for its UTF-8 bytes, and bytes that are no text are lone surrogates
list         list
map          dict; a key that is a boolean is a :class:`BoolKey`, since ``hash(True) == hash(1)``
undefined    :class:`Undefined`, which says where it came from
func         :class:`Function`
others       :class:`Members`: imports, modules, and what imports give, such as a version
===========  ====================================================================================

Lists and maps are shared and may be changed by whoever has them. Documents are used as they were read, so what
may be changed is copied first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from solon.lang.budget import Meter, spend
from solon.lang.source import Span

Value = Any


class Undefined:
    """No value, and why: ``why`` is such as ``no key "tags"``, ``at`` the place in the policy.

    ``get`` lets compiled code follow a path and test its result once; the first cause goes along.
    """

    __slots__ = ("at", "why")

    def __init__(self, why: str, at: Span | None = None) -> None:
        self.why = why
        self.at = at

    def get(self, _name: object, _default: object = None) -> Undefined:
        return self

    def __repr__(self) -> str:
        return f"undefined ({self.why}{f', {self.at}' if self.at else ''})"


class Failure(Exception):
    """A run-time error: the policy fails with it, and nothing rescues it.

    An import raises it without a place; the call in the policy adds its own.
    """

    def __init__(self, message: str, at: Span | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.at = at

    def __str__(self) -> str:
        return f"{self.at}: {self.message}" if self.at else self.message


class Members(Protocol):
    """What a selector reaches into besides maps. ``get`` gives ``default`` where there is no such member."""

    @property
    def type_name(self) -> str: ...

    def get(self, name: str, default: Value) -> Value: ...


@dataclass(frozen=True, slots=True, eq=False)
class Function:
    """A function: of a policy, a module, an import or the language. ``run`` takes ``least`` to ``most`` values.

    Call it through :meth:`__call__`, which minds how many it is given. ``most`` None: any number.
    """

    name: str
    run: Callable[..., Value]
    least: int = 0
    most: int | None = 0

    def __call__(self, *arguments: Value) -> Value:
        count = len(arguments)
        if count < self.least or (self.most is not None and count > self.most):
            wanted = (
                str(self.least)
                if self.least == self.most
                else f"{self.least} to {self.most}"
                if self.most is not None
                else f"at least {self.least}"
            )
            raise Failure(f"{self.name} takes {wanted} argument{'s' * (wanted != '1')}, not {count}")
        return self.run(*arguments)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an evaluation gives the imports it opens. ``now_ns`` stands still during an evaluation."""

    now_ns: int
    meter: Meter
    allowed_hosts: frozenset[str] = frozenset()


Opening = Callable[[Surroundings, Mapping[str, Value]], Members]
"""Opens an import for one evaluation; the mapping is its configuration (``config`` in sentinel.hcl)."""


class BoolKey:
    """A boolean as the key of a map. There are two: ``BOOL_KEYS[value]``."""

    __slots__ = ("value",)

    def __init__(self, value: bool) -> None:
        self.value = value

    def __repr__(self) -> str:
        return "true" if self.value else "false"


BOOL_KEYS: Final = (BoolKey(False), BoolKey(True))
_MASK: Final = (1 << 64) - 1
_SIGN: Final = 1 << 63


def wrapped(number: int) -> int:
    """An integer as 64 bits have it, in two's complement."""
    return number if -_SIGN <= number < _SIGN else ((number + _SIGN) & _MASK) - _SIGN


def type_of(value: Value) -> str:
    """The name that ``types.type_of`` gives."""
    name = _NAMES.get(type(value))
    return name if name is not None else str(value.type_name)


_NAMES: Final[dict[type, str]] = {
    type(None): "null",
    bool: "bool",
    int: "int",
    float: "float",
    str: "string",
    list: "list",
    dict: "map",
    Undefined: "undefined",
    Function: "func",
}
_NUMBERS: Final = frozenset([int, float])


def equals(left: Value, right: Value) -> bool:
    """``is`` of two values that are defined. Those of different types are not equal; 1 and 1.0 are."""
    kind, other = type(left), type(right)
    if kind is not other:
        return kind in _NUMBERS and other in _NUMBERS and bool(left == right)
    if kind is list:
        spend(len(left))
        return len(left) == len(right) and all(map(equals, left, right))
    if kind is dict:
        spend(len(left))
        return len(left) == len(right) and all(
            key in right and equals(value, right[key]) for key, value in left.items()
        )
    return bool(left == right)


def text(value: Value) -> str | None:
    """The built-in ``string``: None where the value has none."""
    kind = type(value)
    if kind is str:
        return str(value)
    if kind is bool:
        return "true" if value else "false"
    if kind is int:
        return str(value)
    if kind is float:
        return f"{value:f}"
    return None
