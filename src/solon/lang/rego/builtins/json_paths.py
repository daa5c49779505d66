"""json.filter, json.remove and json.patch: documents addressed by paths such as ``a/b/0``."""

from __future__ import annotations

from typing import Any, Final

from solon.lang.budget import spend
from solon.lang.rego.builtins.registry import Builtin, array, obj, string, wrong_type
from solon.lang.rego.errors import BuiltinError, OperandError
from solon.lang.values import UNDEFINED, Set, Value, equal, key, lookup, type_name, unkey

Path = list[Value]


def _paths(value: Value) -> list[Path]:
    if type(value) is not list and type(value) is not Set:
        raise wrong_type(value, 2, "one of {set, array}")
    spend(4 * len(value))
    members = value.values() if type(value) is Set else value
    return [_path(member) for member in members]


def _path(value: Value) -> Path:
    if type(value) is str:
        return [
            part.replace("~1", "/").replace("~0", "~") for part in string(value, 2).lstrip("/").split("/")
        ]
    if type(value) is list:
        return list(array(value, 2))
    raise OperandError(
        2,
        "must be one of {set, array} containing string paths or array of path segments"
        f" but got {type_name(value)}",
    )


class _Tree(dict[Any, "_Tree"]):
    """Paths as a tree of their parts; ``whole`` where one ends."""

    whole = False

    @classmethod
    def of(cls, paths: list[Path]) -> _Tree:
        root = cls()
        for path in paths:
            at = root
            for part in path:
                at = at.setdefault(key(part), cls())
            at.whole = True
        return root


def _below(tree: _Tree, index: int) -> _Tree | None:
    found = tree.get(str(index))
    return tree.get(index) if found is None else found


def filter_(target: Value, paths: Value) -> Value:
    obj(target, 1)
    kept = _kept(target, _Tree.of(_paths(paths)))
    return {} if kept is UNDEFINED else kept


def _kept(value: Value, tree: _Tree) -> Value:
    if tree.whole:
        return value
    if type(value) in (list, dict, Set):
        spend(2 * len(value))
    if type(value) is dict:
        fields = {k: (_kept(v, tree[k]) if k in tree else UNDEFINED) for k, v in value.items()}
        return {k: v for k, v in fields.items() if v is not UNDEFINED}
    if type(value) is Set:
        return Set({k: v for k, v in value.items() if k in tree})
    if type(value) is list:
        parts = [(_below(tree, n), item) for n, item in enumerate(value)]
        items = [_kept(item, below) for below, item in parts if below is not None]
        return [item for item in items if item is not UNDEFINED]
    return value  # a path that leads beyond a scalar keeps it


def remove(target: Value, paths: Value) -> Value:
    obj(target, 1)
    return _removed(target, _Tree.of(_paths(paths)))


def _removed(value: Value, tree: _Tree | None) -> Value:
    if not tree:
        return value
    if type(value) in (list, dict, Set):
        spend(2 * len(value))
    if type(value) is dict:
        return {k: _removed(v, tree.get(k)) for k, v in value.items() if not (k in tree and tree[k].whole)}
    if type(value) is Set:
        return Set({k: v for k, v in value.items() if not (k in tree and tree[k].whole)})
    if type(value) is list:
        parts = [(_below(tree, n), item) for n, item in enumerate(value)]
        return [_removed(item, below) for below, item in parts if below is None or not below.whole]
    return value


# --- RFC 6902

_NEEDS: Final = {
    "add": "value", "remove": "", "replace": "value", "move": "from", "copy": "from", "test": "value",
}  # fmt: skip


def patch(target: Value, operations: Value) -> Value:
    """Undefined where an operation cannot be applied."""
    document = target
    for operation in array(operations, 2):
        if type(operation) is not dict:
            raise OperandError(2, f"must be array of objects but got array containing {type_name(operation)}")
        kind = operation.get("op")
        if kind not in _NEEDS:
            raise BuiltinError(f"unrecognized op {kind!r}" if kind is not None else "missing 'op' attribute")
        if "path" not in operation:
            raise BuiltinError("missing required attribute 'path'")
        path = _pointer(operation["path"])
        needed = _NEEDS[kind]
        if needed and needed not in operation:
            raise BuiltinError(f"missing required attribute {needed!r}")
        if kind == "test":
            found = _get(document, path)
            if found is UNDEFINED or not equal(found, operation["value"]):
                return UNDEFINED
            continue
        if kind in ("move", "copy"):
            source = _pointer(operation["from"])
            value = _get(document, source)
            if value is UNDEFINED:
                return UNDEFINED
            if kind == "move":
                document = _change(document, source, "remove", None)
        else:
            value = operation.get("value")
        document = _change(document, path, "add" if kind in ("move", "copy") else kind, value)
        if document is UNDEFINED:
            return UNDEFINED
    return document


def _pointer(value: Value) -> Path:
    if type(value) is list:
        return list(value)
    if type(value) is not str:
        raise BuiltinError("attribute 'path' must be a string or an array")
    if value == "":
        return []
    return [part.replace("~1", "/").replace("~0", "~") for part in string(value, 2).lstrip("/").split("/")]


def _index(items: list[Value], part: Value, *, end: bool) -> int | None:
    if part == "-" and end:
        return len(items)
    if type(part) is str:
        if not part.isdigit() or (part[0] == "0" and len(part) > 1):
            return None
        part = int(part)
    if type(part) is not int or not 0 <= part < len(items) + end:
        return None
    return part


def _get(document: Value, path: Path) -> Value:
    for part in path:
        if type(document) is list:
            at = _index(document, part, end=False)
            document = UNDEFINED if at is None else document[at]
        else:
            document = lookup(document, part)
        if document is UNDEFINED:
            return UNDEFINED
    return document


def _change(document: Value, path: Path, kind: str, value: Value) -> Value:
    """A copy of the document with the change made at the path, or UNDEFINED."""
    if not path:
        return UNDEFINED if kind == "remove" else value
    part, *rest = path
    if type(document) in (list, dict, Set):
        spend(len(document))
    if type(document) is list:
        at = _index(document, part, end=kind == "add" and not rest)
        if at is None:
            return UNDEFINED
        if not rest:
            if kind == "add":
                return [*document[:at], value, *document[at:]]
            return [*document[:at], *([value] if kind == "replace" else []), *document[at + 1 :]]
        inner = _change(document[at], rest, kind, value)
        return UNDEFINED if inner is UNDEFINED else [*document[:at], inner, *document[at + 1 :]]
    stored = key(part)
    if type(document) is Set:
        return _change_set(document, stored, rest, kind, value)
    if type(document) is not dict:
        return UNDEFINED
    if stored not in document and (rest or kind != "add"):
        return UNDEFINED
    if rest:
        inner = _change(document[stored], rest, kind, value)
        return UNDEFINED if inner is UNDEFINED else {**document, stored: inner}
    if kind == "remove":
        return {k: v for k, v in document.items() if k != stored}
    return {**document, stored: value}


def _change_set(members: Set, stored: Any, rest: Path, kind: str, value: Value) -> Value:
    if kind == "add" and not rest:
        # The path of a new member is the member itself.
        return Set({**members, stored: unkey(stored)}) if equal(unkey(stored), value) else UNDEFINED
    if stored not in members:
        return UNDEFINED
    others = Set({k: v for k, v in members.items() if k != stored})
    if kind == "remove" and not rest:
        return others
    changed = _change(members[stored], rest, kind, value) if rest else value
    if changed is UNDEFINED:
        return UNDEFINED
    others.add(changed)
    return others


_PATHS: Final = "array[string|array[any]]|set[string|array[any]]"

BUILTINS = (
    Builtin("json.filter", f"(object[any: any], {_PATHS}) -> object[any: any]", filter_),
    Builtin("json.remove", f"(object[any: any], {_PATHS}) -> object[any: any]", remove),
    Builtin("json.patch", "(any, array[object<op: string, path: any>[any: any]]) -> any", patch),
)
