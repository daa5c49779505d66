"""The types of the documents below ``input`` and ``data``, by path."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from solon.lang.rego.types import (
    ANY,
    STRING,
    Function,
    Key,
    Object,
    Set,
    Type,
    Union,
    scalar_of,
    select,
    union,
    values,
)

MISSING: Final = object()  # not in this tree, which is not to say that it is nowhere

# A path: the keys that are known; None stands for one that is not.
Path = Sequence[Key | None]


class Node:
    """A place in the tree. ``type`` is that of the rules here; without it, this is a package or a part of one.

    ``whole`` is what extent() found, until something is added.
    """

    __slots__ = ("children", "type", "whole")

    def __init__(self) -> None:
        self.type: Type | None = None
        self.children: dict[Key, Node] = {}
        self.whole: Object | None = None

    def put(self, path: Sequence[Key], of: Type) -> None:
        """Set the type at a path."""
        self._place(path).type = of

    def _place(self, path: Sequence[Key]) -> Node:
        node = self
        for key in path:
            node.whole = None
            node = node.children.setdefault(key, Node())
        node.whole = None
        return node

    def insert(self, path: Sequence[Key], of: Type) -> None:
        """Add the type of one more rule at a path; objects around and below it get it as well."""
        node = self
        for depth, key in enumerate(path):
            node.whole = None
            node = node.children.setdefault(key, Node())
            if isinstance(node.type, Object) and depth + 1 < len(path):
                node.type = _with(node.type, path[depth + 1 :], of)
        node.whole = None
        node.type = merged(node.type, of)
        if isinstance(of, Object):
            for below, found in node.leaves(()):
                if below and isinstance(node.type, Object):
                    node.type = _with(node.type, below, found)

    def leaves(self, path: tuple[Key, ...]) -> Iterator[tuple[tuple[Key, ...], Type]]:
        if path and self.type is not None:
            yield path, self.type
            return
        for key, child in self.children.items():
            yield from child.leaves((*path, key))

    def extent(self) -> Type:
        """The type of the whole document here. What is not known of it, base documents, may be anything."""
        if self.type is not None:
            return self.type
        if self.whole is None:
            fields: list[tuple[Key, Type | None]] = [
                (key, child.extent())
                for key, child in sorted(self.children.items())
                if not isinstance(child.type, Function)
            ]
            self.whole = Object(tuple(fields), (STRING, ANY))
        return self.whole

    def keys(self) -> Type | None:
        """The type of the names directly below."""
        return union([STRING, *(scalar_of(key) for key in self.children)])

    def get(self, path: Path) -> Type | object | None:
        """The type at a path, or MISSING."""
        node = self
        for depth, key in enumerate(path):
            child = None if key is None else node.children.get(key)
            if node.type is not None and child is None:
                return at(node.type, path[depth:])
            if key is None:
                return ANY
            if child is None:
                return MISSING
            node = child
        return node.extent()


def at(of: Type | None, path: Path) -> Type | None:
    """The type at a path in values of a type."""
    for key in path:
        if of is None:
            return None
        of = values(of) if key is None else select(of, key)
    return of


def _with(of: Object, path: Sequence[Key], found: Type) -> Object:
    """An object type with one more value at a path."""
    if len(path) > 1:
        found = _with(Object(), path[1:], found)
    known = of.rest or (None, None)
    return Object(of.fields, (union([known[0], scalar_of(path[0])]), union([known[1], found])))


def merged(first: Type | None, second: Type | None) -> Type | None:
    """The type of a document that two rules define."""
    match first, second:
        case (None, other) | (other, None):
            return other
        case Function(), Function():
            args = tuple(union(pair) for pair in zip(first.args, second.args, strict=False))
            return Function(args, union([first.result, second.result]))
        case Object(fields=(), rest=None), Object(fields=()):
            return second
        case Object(fields=()), Object(fields=(), rest=None):
            return first
        case Object(fields=(), rest=(key, value)), Object(fields=(), rest=(other_key, other_value)):
            return Object((), (union([key, other_key]), merged(value, other_value)))
        case Set(), Set():
            return Set(union([first.of, second.of]))
        case (Union(), Object(fields=(), rest=(_, _)) as given) | (
            Object(fields=(), rest=(_, _)) as given,
            Union(),
        ):
            members = first.of if isinstance(first, Union) else second.of if isinstance(second, Union) else ()
            for member in members:
                if isinstance(member, Object) and not member.fields and member.rest and given.rest:
                    wide = tuple(union(pair) for pair in zip(member.rest, given.rest, strict=True))
                    others = [other for other in members if other != member]
                    return union([*others, Object((), (wide[0], wide[1]))])
            return union([first, second])
        case _:
            return union([first, second])
