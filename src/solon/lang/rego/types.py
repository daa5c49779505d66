"""The types that terms of Rego have, as far as they are known before anything is evaluated.

``None`` stands for a type that is not known yet; :data:`ANY` for one that can be anything. (OPA, "Type checking")
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any as Anything
from typing import Final

# What a scalar is as the key of an object: its rank among the types, and its value.
Key = tuple[int, Anything]


@dataclass(frozen=True, slots=True)
class Scalar:
    name: str


@dataclass(frozen=True, slots=True)
class Array:
    """``items`` are the elements at known places, ``rest`` all others; without it there are no others."""

    items: tuple[Type | None, ...] = ()
    rest: Type | None = None


@dataclass(frozen=True, slots=True)
class Object:
    """``fields`` are known, in order of their keys; ``rest`` is the type of other keys, and of their values."""

    fields: tuple[tuple[Key, Type | None], ...] = ()
    rest: tuple[Type | None, Type | None] | None = None


@dataclass(frozen=True, slots=True)
class Set:
    """A set; ``of`` is None for the empty one."""

    of: Type | None = None


@dataclass(frozen=True, slots=True)
class Union:
    """One of several types; one of none is anything."""

    of: frozenset[Type] = frozenset()


@dataclass(frozen=True, slots=True)
class Function:
    args: tuple[Type | None, ...]
    result: Type | None


Type = Scalar | Array | Object | Set | Union | Function

NULL, BOOLEAN, NUMBER, STRING = Scalar("null"), Scalar("boolean"), Scalar("number"), Scalar("string")
ANY: Final = Union()
_SCALARS: Final = (NULL, BOOLEAN, NUMBER, STRING)
_WIDEST: Final = 100
_MOST: Final = 64  # members of a union; with more it is anything


_MOST_PARTS: Final = 5_000


def bounded(of: Type | None) -> Type | None:
    """The type, or anything where it has too many parts: rules that each repeat the one before have types without end."""
    left: list[Type | None] = [of]
    parts = 0
    while left:
        parts += 1
        if parts > _MOST_PARTS:
            return ANY
        match left.pop():
            case Array(items, rest):
                left += [*items, rest]
            case Object(fields, rest):
                left += [*(value for _, value in fields), *(rest or ())]
            case Set(member):
                left.append(member)
            case Union(members):
                left += members
            case _:
                pass
    return of


def key_of(value: Anything) -> Key:
    """A scalar as a key."""
    if value is None:
        return 0, ""
    rank = 1 if type(value) is bool else 3 if type(value) is str else 2
    return rank, value


def scalar_of(key: Key) -> Scalar:
    return _SCALARS[key[0]]


def union(types: Iterable[Type | None]) -> Type | None:
    """What is of one of the types; those that are not known do not count."""
    members: set[Type] = set()
    for found in types:
        if isinstance(found, Union):
            if not found.of:
                return ANY
            members |= found.of
        elif found is not None:
            members.add(found)
    if len(members) < 2:
        return members.pop() if members else None
    return Union(frozenset(members)) if len(members) <= _MOST else ANY


def keys(of: Type | None) -> Type | None:
    """The type of what can be looked up in a collection; None where nothing can."""
    match of:
        case Array():
            return NUMBER
        case Object():
            found: list[Type | None] = [_SCALARS[rank] for rank in {key[0] for key, _ in of.fields}]
            return union([*found, of.rest[0]] if of.rest else found)
        case Set():
            return of.of
        case Union():
            return union(map(keys, of.of)) if of.of else ANY
        case _:
            return None


def values(of: Type | None) -> Type | None:
    """The type of what looking something up in a collection gives."""
    match of:
        case Array():
            return union([*of.items, of.rest])
        case Object():
            found = [value for _, value in of.fields]
            return union([*found, of.rest[1]] if of.rest else found)
        case Set():
            return of.of
        case Union():
            return union(map(values, of.of)) if of.of else ANY
        case _:
            return None


def select(of: Type | None, key: Key) -> Type | None:
    """The type of the element under a key, None where there can be none."""
    match of:
        case Array():
            if key[0] != 2 or key[1] < 0 or key[1] != int(key[1]):
                return None
            return of.items[int(key[1])] if key[1] < len(of.items) else of.rest
        case Object():
            found = field(of, key)
            if found is not None:
                return found
            return of.rest[1] if of.rest and _holds(of.rest[0], scalar_of(key)) else None
        case Set():
            return scalar_of(key) if _holds(of.of, scalar_of(key)) else None
        case Union():
            return union(select(member, key) for member in of.of) if of.of else ANY
        case _:
            return None


def field(of: Object, key: Key) -> Type | None:
    at = bisect_left(of.fields, key, key=lambda pair: pair[0])
    return of.fields[at][1] if at < len(of.fields) and of.fields[at][0] == key else None


def _holds(wide: Type | None, narrow: Type) -> bool:
    return wide == narrow or (isinstance(wide, Union) and (not wide.of or narrow in wide.of))


def is_empty(of: Type | None) -> bool:
    """Whether a collection of this type has no elements."""
    match of:
        case Object():
            return not of.fields and of.rest is None
        case Array():
            return not of.items and of.rest is None
        case Set():
            return of.of is None
        case _:
            return False


def unknown(of: Type | None) -> bool:
    """Whether a part of the type is not known yet."""
    match of:
        case None:
            return True
        case Array():
            return any(map(unknown, of.items)) or (of.rest is not None and unknown(of.rest))
        case Object():
            return any(unknown(value) for _, value in of.fields) or any(map(unknown, of.rest or ()))
        case Set():
            return unknown(of.of)
        case Function():
            return any(map(unknown, of.args)) or unknown(of.result)
        case _:
            return False


def unifies(left: Type | None, right: Type | None) -> bool:
    """Whether a value of the one type can equal one of the other."""
    if left is None or right is None:
        return False
    if isinstance(left, Union):
        return _any_unifies(left, right)
    if isinstance(right, Union):
        return _any_unifies(right, left)
    match left, right:
        case Array(), Array():
            count = max(len(left.items), len(right.items))
            return all(unifies(_item(left, at), _item(right, at)) for at in range(count)) and _rests_unify(
                left.rest, right.rest
            )
        case Object(), Object():
            return (
                _fields_unify(left, right)
                and _fields_unify(right, left)
                and _rests_unify(left.rest and left.rest[1], right.rest and right.rest[1])
            )
        case Set(), Set():
            return left.of is None or right.of is None or unifies(left.of, right.of)
        case Function(), Function():
            return len(left.args) == len(right.args) and all(map(unifies, left.args, right.args))
        case _:
            return left == right


def _any_unifies(union: Union, other: Type) -> bool:
    if isinstance(other, Function):
        return False
    return not union.of or any(unifies(member, other) for member in union.of)


def _item(of: Array, at: int) -> Type | None:
    return of.items[at] if at < len(of.items) else of.rest


def _rests_unify(left: Type | None, right: Type | None) -> bool:
    return left is None or right is None or unifies(left, right)


def _fields_unify(left: Object, right: Object) -> bool:
    for key, value in left.fields:
        other = select(right, key)
        if other is None:
            if left.rest is None and right.rest is None:
                return False
        elif not unifies(value, other):
            return False
    return True


# --- as text


def shown(of: Type | None) -> str:
    """A type as OPA writes it: ``array<number, string>``, ``object<name: string>[string: any]``."""
    match of:
        case None:
            return "???"
        case Scalar():
            return of.name
        case Array():
            items = f"<{', '.join(map(shown, of.items))}>" if of.items else ""
            return f"array{items}" + (f"[{shown(of.rest)}]" if of.rest else "")
        case Object():
            fields = ", ".join(f"{shown_key(key)}: {shown(value)}" for key, value in of.fields)
            rest = f"[{shown(of.rest[0])}: {shown(of.rest[1])}]" if of.rest else ""
            return "object" + (f"<{fields}>" if fields else "") + rest
        case Set():
            return f"set[{shown(of.of)}]" if of.of else "set"
        case Union():
            return f"any<{', '.join(map(shown, sorted(of.of, key=_order)))}>" if of.of else "any"
        case Function():
            return f"({', '.join(map(shown, of.args))}) => {shown(of.result)}"


def brief(of: Type | None) -> str:
    """A type on one line; of a long one, how it begins."""
    text = shown(of)
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"


def shown_key(key: Key) -> str:
    return {0: "null", 1: str(key[1]).lower()}.get(key[0], str(key[1]))


def _order(of: Type) -> tuple[int, str]:
    kinds = {"array": 4, "object": 5, "set": 6, "any": 7}
    text = shown(of)
    rank = _SCALARS.index(of) if isinstance(of, Scalar) else kinds.get(re.split(r"[\[<]", text)[0], 8)
    return rank, text


_TOKEN = re.compile(r"\s*([\w.]+|->|[()\[\]<>|,:])")


@cache
def of_signature(text: str) -> Function:
    """The type that a signature declares, such as ``(string, array[any]|set[any]) -> number``."""
    tokens = iter([*_TOKEN.findall(text), ""])
    reader = _Reader(tokens)
    reader.take("(")
    args = reader.types(")")
    reader.take("->")
    return Function(args, reader.type())


class _Reader:
    def __init__(self, tokens: Iterator[str]) -> None:
        self.tokens = tokens
        self.next = next(tokens)

    def take(self, wanted: str = "") -> str:
        taken, self.next = self.next, next(self.tokens, "")
        assert wanted in ("", taken), f"{taken} for {wanted}"
        return taken

    def types(self, end: str) -> tuple[Type, ...]:
        found: list[Type] = []
        while self.next != end:
            found.append(self.type())
            if self.next == ",":
                self.take()
        self.take(end)
        return tuple(found)

    def type(self) -> Type:
        found = [self.one()]
        while self.next == "|":
            self.take()
            found.append(self.one())
        return found[0] if len(found) == 1 else Union(frozenset(found))

    def one(self) -> Type:
        match self.take():
            case "any":
                return ANY
            case "array":
                items = self.types(">") if self.opened("<") else ()
                return Array(items, self.types("]")[0] if self.opened("[") else None)
            case "set":
                return Set(self.types("]")[0] if self.opened("[") else None)
            case "object":
                fields = self.fields() if self.opened("<") else []
                return Object(tuple(sorted(fields, key=lambda pair: pair[0])), self.rest())
            case name:
                return next(scalar for scalar in _SCALARS if scalar.name == name)

    def opened(self, bracket: str) -> bool:
        return self.next == bracket and bool(self.take())

    def fields(self) -> list[tuple[Key, Type | None]]:
        found: list[tuple[Key, Type | None]] = []
        while not self.opened(">"):
            name = self.take()
            self.take(":")
            found.append((key_of(name), self.type()))
            self.opened(",")
        return found

    def rest(self) -> tuple[Type, Type] | None:
        if not self.opened("["):
            return None
        key = self.type()
        self.take(":")
        value = self.type()
        self.take("]")
        return key, value
