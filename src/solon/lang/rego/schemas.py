"""JSON Schemas as types, and the annotations that say which documents they describe.

A schema that says more than a type can is taken for what it says at least. (OPA, "Schemas in Rego")
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from solon.lang.rego.types import (
    ANY,
    BOOLEAN,
    NUMBER,
    STRING,
    Array,
    Key,
    Object,
    Type,
    key_of,
    union,
)
from solon.lang.rego.typetree import Node

_NAMES = {"boolean": BOOLEAN, "string": STRING, "integer": NUMBER, "number": NUMBER}
_PART = re.compile(r'\.?([A-Za-z_]\w*)|\["([^"\\]*)"\]')


def path_of(text: str) -> tuple[Key, ...] | None:
    """``input.spec["x"]`` as a path, None where it is not one."""
    found = list(_PART.finditer(text))
    if "".join(part.group() for part in found) != text or not found:
        return None
    return tuple(key_of(part[1] or part[2] or "") for part in found)


def type_of(schema: Any) -> Type:
    """The type of the documents that a schema describes."""
    return _Schema(schema).type(schema, frozenset())


class _Schema:
    def __init__(self, root: Any) -> None:
        self.root = root

    def type(self, schema: Any, within: frozenset[str]) -> Type:
        """``within`` are the references being followed; what refers to itself may be anything inside."""
        if not isinstance(schema, dict):
            return ANY
        reference = schema.get("$ref")
        if isinstance(reference, str):
            return ANY if reference in within else self.type(self.referenced(reference), within | {reference})
        choices = schema.get("anyOf")
        if isinstance(choices, list):
            return union(self.type(choice, within) for choice in choices) or ANY
        parts = schema.get("allOf")
        if isinstance(parts, list):
            rest = {key: value for key, value in schema.items() if key != "allOf"}
            return self.all_of(
                [self.type(part, within) for part in [*parts, *([rest] if "type" in rest else [])]]
            )
        kind = schema.get("type")
        if isinstance(kind, list):
            return union(self.type({**schema, "type": one}, within) for one in kind) or ANY
        if kind == "object" or (kind is None and isinstance(schema.get("properties"), dict)):
            return self.object(schema.get("properties"), within)
        if kind == "array" or (kind is None and "items" in schema):
            items = schema.get("items")
            if isinstance(items, list) and items:
                return Array(tuple(self.type(item, within) for item in items))
            return Array((), self.type(items, within))
        return _NAMES.get(str(kind), ANY)

    def object(self, properties: Any, within: frozenset[str]) -> Type:
        if not isinstance(properties, dict) or not properties:
            return Object((), (ANY, ANY))
        fields = [(key_of(str(name)), self.type(schema, within)) for name, schema in properties.items()]
        return Object(tuple(sorted(fields, key=lambda field: field[0])))

    def all_of(self, types: list[Type]) -> Type:
        """What is of all of the types: an object with the fields of each, or the one type that they share."""
        known = [found for found in types if found != ANY]
        objects = [found for found in known if isinstance(found, Object) and found.fields]
        if known and len(objects) == len(known):
            fields: dict[Key, Type | None] = {}
            for found in objects:
                fields |= dict(found.fields)
            return Object(tuple(sorted(fields.items(), key=lambda field: field[0])))
        return known[0] if known and all(found == known[0] for found in known) else ANY

    def referenced(self, reference: str) -> Any:
        """The schema that ``#/…`` names; what is elsewhere says nothing."""
        if not reference.startswith("#"):
            return None
        found = self.root
        for part in reference[1:].split("/")[1:]:
            found = found.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(found, dict) else None
        return found


class UndefinedSchema(Exception):
    """An annotation names a schema that is not there."""


class Schemas:
    """The schemas that annotations may name, by path (``schema["pod"]``); None where there are none to name."""

    def __init__(self, named: Mapping[tuple[str, ...], Any] | None) -> None:
        self.named = named
        self.types: dict[tuple[Any, ...], Type] = {}

    @property
    def input(self) -> Type | None:
        """The type of ``input`` where there is one schema alone."""
        return None if self.named is None or () not in self.named else self.type(())

    def type(self, name: tuple[Any, ...]) -> Type:
        if name not in self.types:
            assert self.named is not None
            self.types[name] = type_of(self.named[name])
        return self.types[name]

    def put(self, tree: Node, annotation: Mapping[str, Any]) -> None:
        """Add what one ``schemas`` annotation says to a tree. Raises UndefinedSchema."""
        for text, schema in annotation.items():
            path = path_of(text)
            if path is None:
                continue
            if isinstance(schema, dict):
                found = type_of(schema)
            else:
                name = path_of(str(schema))
                if self.named is None or name is None or name[0] != key_of("schema"):
                    continue
                names = tuple(key[1] for key in name[1:])
                if names not in self.named:
                    raise UndefinedSchema(str(schema))
                found = self.type(names)
            if path[0] == key_of("input"):
                root = tree.children.get(path[0])
                tree.put(path[:1], _overridden(root.type if root else None, path[1:], found))
            else:
                tree.put(path, found)


def _overridden(of: Type | None, path: tuple[Key, ...], found: Type) -> Type:
    """A type in which what is at a path is of another."""
    if not path:
        return found
    if not isinstance(of, Object):
        return Object(((path[0], _overridden(None, path[1:], found)),), (ANY, ANY))
    fields = dict(of.fields)
    fields[path[0]] = _overridden(fields.get(path[0]), path[1:], found)
    return Object(tuple(sorted(fields.items(), key=lambda field: field[0])), of.rest)
