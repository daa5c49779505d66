"""Whether two modules say the same: their trees and comments, wherever these stand."""

from __future__ import annotations

from typing import Any, Final

from solon.lang.rego import ast

_PLACES: Final = frozenset(["at", "end", "row", "column"])
# A head's `:=` and `=` mean the same.
_MEANINGLESS: Final = _PLACES | {"assigned"}


def same(one: ast.Module, other: ast.Module) -> bool:
    return (
        one.package == other.package
        and _imports(one) == _imports(other)
        and _comments(one) == _comments(other)
        and _equal(one.rules, other.rules)
    )


def _imports(module: ast.Module) -> list[tuple[list[str], str]]:
    """The imports in order, but for those that say which keywords there are: the trees show their effect."""
    return sorted((i.path, i.alias) for i in module.imports if i.path[0] not in ("rego", "future"))


def _comments(module: ast.Module) -> list[str]:
    return sorted(comment.text.rstrip() for comment in module.comments)


def _equal(one: Any, other: Any) -> bool:
    """Without recursion: trees are deeper than Python's stack at times."""
    pairs = [(one, other)]
    while pairs:
        one, other = pairs.pop()
        if type(one) is not type(other):
            return False
        if isinstance(one, list | tuple):
            if len(one) != len(other):
                return False
            pairs.extend(zip(one, other, strict=True))
        elif hasattr(one, "__dataclass_fields__"):
            names = one.__dataclass_fields__.keys() - _MEANINGLESS
            pairs.extend((_value(one, name), _value(other, name)) for name in names)
        elif one != other:
            return False
    return True


def _value(node: Any, name: str) -> Any:
    value = getattr(node, name)
    if name == "value" and isinstance(node, ast.Head | ast.Else) and isinstance(value, ast.Scalar):
        return None if value.value is True else value  # which is the value where none is given
    return value
