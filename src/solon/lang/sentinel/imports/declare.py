"""Declaring what an import has: its functions, with the types of their arguments, and its members."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final, NoReturn, TypeVar

from solon.lang.sentinel.values import Failure, Function, Undefined, Value, type_of


@dataclass(frozen=True, slots=True)
class Kind:
    """What an argument may be; ``name`` is for messages. No types: anything."""

    name: str
    types: frozenset[type]


def kind(name: str, *types: type) -> Kind:
    return Kind(name, frozenset(types))


ANY: Final = kind("anything")
STRING: Final = kind("a string", str)
INT: Final = kind("an int", int)
NUMBER: Final = kind("a number", int, float)
LIST: Final = kind("a list", list)
MAP: Final = kind("a map", dict)
COLLECTION: Final = kind("a list or a map", list, dict)
FUNC: Final = kind("a function", Function)


def function(
    name: str,
    run: Callable[..., Value],
    *kinds: Kind,
    least: int | None = None,
    rest: Kind | None = None,
) -> Function:
    """A function that minds the types of what it is given.

    Undefined in, undefined out: the first argument that is undefined is the result, unless anything will do.
    ``least``: those after it may be left out. ``rest``: any number more, of that kind.
    """

    def checked(*arguments: Value) -> Value:
        for position, value in enumerate(arguments):
            wanted = kinds[position] if position < len(kinds) else rest
            if wanted is None or not wanted.types or type(value) in wanted.types:
                continue
            if type(value) is Undefined:
                return value
            wrong(name, position, wanted.name, value)
        return run(*arguments)

    return Function(
        name, checked, len(kinds) if least is None else least, None if rest is not None else len(kinds)
    )


def wrong(name: str, position: int, wanted: str, value: Value) -> NoReturn:
    which = ("", "second ", "third ", "fourth ")[position] if position < 4 else f"{position + 1}th "
    raise Failure(f"{name}: the {which}argument must be {wanted}, not {type_of(value)}")


@dataclass(frozen=True, slots=True, eq=False)
class Namespace:
    """The members of an import, by name."""

    members: Mapping[str, Value]

    @property
    def type_name(self) -> str:
        return "import"

    def get(self, name: str, default: Value) -> Value:
        return self.members.get(name, default)


@dataclass(frozen=True, slots=True)
class Method:
    """A function of a value that an import gave; ``run`` takes that value first."""

    name: str
    run: Callable[..., Value]
    kinds: tuple[Kind, ...]

    def of(self, receiver: Value) -> Function:
        return function(self.name, partial(self.run, receiver), *self.kinds)


def method(name: str, run: Callable[..., Value], *kinds: Kind) -> Method:
    return Method(name, run, kinds)


_Named = TypeVar("_Named", Function, Method)


def named(package: str, *functions: _Named, **aliases: str) -> dict[str, _Named]:
    """Functions by their last names, under aliases too: ``diff="difference"``."""
    members = {found.name.removeprefix(f"{package}."): found for found in functions}
    return members | {alias: members[name] for alias, name in aliases.items()}
