"""json.filter, json.remove and json.patch: documents addressed by paths such as ``a/b/0``."""

from __future__ import annotations

from typing import Any, Final

from solon.lang.budget import spend
from solon.lang.rego.builtins.formatting import term_text
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
    document = target
    for operation in array(operations, 2):
        if type(operation) is not dict:
            raise OperandError(2, f"must be array of objects but got array containing {type_name(operation)}")
        kind = operation.get("op")
        if kind not in _NEEDS:
            problem = f"unrecognized op: {kind!r}" if kind is not None else "missing required attribute 'op'"
            raise BuiltinError(problem)
        if "path" not in operation:
            raise BuiltinError("missing required attribute 'path'")
        path = _pointer(operation["path"])
        needed = _NEEDS[kind]
        if needed and needed not in operation:
            raise BuiltinError(f"missing required attribute {needed!r}")
        if kind == "test":
            found = _get(document, path)
            if not equal(found, operation["value"]):
                wanted = term_text(operation["value"])
                problem = f"Expected: {wanted}\n\nFound: {term_text(found)}"
                raise BuiltinError(f"value from EditTree != patch value.\n\n{problem}")
            continue
        if kind in ("move", "copy"):
            source = _pointer(operation["from"])
            value = _get(document, source)
            if kind == "move":
                document = _change(document, source, "remove", None)
        else:
            value = operation.get("value")
        document = _change(document, path, "add" if kind in ("move", "copy") else kind, value)
    return document


def _pointer(value: Value) -> Path:
    if type(value) is list:
        return list(value)
    if type(value) is not str:
        raise OperandError(
            2,
            "must be one of {set, array} containing string paths or array of path segments"
            f" but got {type_name(value)}",
        )
    if value == "":
        return []
    return [part.replace("~1", "/").replace("~0", "~") for part in string(value, 2).lstrip("/").split("/")]


def _index(items: list[Value], part: Value, what: str = "") -> int:
    """The place in an array, which may be its end for an ``insertion``. Raises BuiltinError where it has none."""
    end = what == "insertion"
    if part == "-" and end:
        return len(items)
    at = int(part) if type(part) is str and part.isdecimal() else part
    if type(part) is str and len(part) > 1 and part[0] == "0":
        raise BuiltinError("leading zeros are not allowed in JSON paths")
    if type(at) is not int or not 0 <= at < len(items) + end:
        raise BuiltinError(f"index for array {what} out of bounds") if what else _missing(items, part)
    return at


def _get(document: Value, path: Path) -> Value:
    for part in path:
        found = document[_index(document, part)] if type(document) is list else lookup(document, part)
        if found is UNDEFINED:
            raise _missing(document, part)
        document = found
    return document


def _missing(document: Value, part: Value) -> BuiltinError:
    return BuiltinError(f"path {term_text(part)} does not exist in {type_name(document)} term")


def _undeletable(part: Value) -> BuiltinError:
    return BuiltinError(f"cannot delete child key {term_text(part)} that does not exist")


def _change(document: Value, path: Path, kind: str, value: Value) -> Value:
    """A copy of the document with the change made at the path. Raises BuiltinError where it cannot be made."""
    if not path:
        if kind == "remove":
            raise BuiltinError("the document itself cannot be removed")
        return value
    part, *rest = path
    if type(document) in (list, dict, Set):
        spend(len(document))
    if type(document) is list:
        at = _index(document, part, "" if rest else "insertion" if kind == "add" else "delete")
        if not rest:
            if kind == "add":
                return [*document[:at], value, *document[at:]]
            return [*document[:at], *([value] if kind == "replace" else []), *document[at + 1 :]]
        return [*document[:at], _change(document[at], rest, kind, value), *document[at + 1 :]]
    stored = key(part)
    if type(document) is Set:
        return _change_set(document, stored, rest, kind, value)
    if type(document) is not dict or (stored not in document and (rest or kind != "add")):
        raise _missing(document, part) if rest or type(document) is not dict else _undeletable(part)
    if rest:
        return {**document, stored: _change(document[stored], rest, kind, value)}
    if kind == "remove":
        return {k: v for k, v in document.items() if k != stored}
    return {**document, stored: value}


def _change_set(members: Set, stored: Any, rest: Path, kind: str, value: Value) -> Value:
    if stored not in members and (rest or kind != "add"):
        raise _missing(members, unkey(stored)) if rest else _undeletable(unkey(stored))
    if kind != "remove" and not rest and not equal(unkey(stored), value):
        # The path of a member is the member itself.
        shown = term_text(unkey(stored))
        raise BuiltinError(f"set key {shown} does not equal value to be inserted {term_text(value)}")
    others = Set({k: v for k, v in members.items() if k != stored})
    if kind != "remove" or rest:
        others.add(_change(members[stored], rest, kind, value) if rest else value)
    return others


_PATHS: Final = "array[string|array[any]]|set[string|array[any]]"

BUILTINS = (
    Builtin("json.filter", f"(object[any: any], {_PATHS}) -> object[any: any]", filter_),
    Builtin("json.remove", f"(object[any: any], {_PATHS}) -> object[any: any]", remove),
    Builtin("json.patch", "(any, array[object<op: string, path: any>[any: any]]) -> any", patch),
)
