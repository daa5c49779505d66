"""Set algebra: and (&), or (|), intersection, union. (minus is arithmetic's, as it is for both.)"""

from __future__ import annotations

from solon.lang.budget import spend
from solon.lang.rego.builtins.registry import Builtin, set_
from solon.lang.rego.errors import OperandError
from solon.lang.values import Set, Value, type_name


def intersect(left: Value, right: Value) -> Set:
    set_(left, 1)
    set_(right, 2)
    return Set({k: v for k, v in left.items() if k in right})


def unite(left: Value, right: Value) -> Set:
    return Set({**set_(left, 1), **set_(right, 2)})


def difference(left: Value, right: Value) -> Set:
    set_(left, 1)
    set_(right, 2)
    return Set({k: v for k, v in left.items() if k not in right})


def _sets(sets: Value) -> list[Set]:
    members = list(set_(sets, 1).values())
    spend(sum(len(member) for member in members if type(member) is Set))
    for member in members:
        if type(member) is not Set:
            raise OperandError(1, f"must be set of sets but got set containing {type_name(member)}")
    return members


def intersection(sets: Value) -> Set:
    members = _sets(sets)
    if not members:
        return Set()
    first, *others = sorted(members, key=len)
    spend(len(first) * len(others))
    return Set({k: v for k, v in first.items() if all(k in other for other in others)})


def union(sets: Value) -> Set:
    out = Set()
    for member in _sets(sets):
        out.update(member)
    return out


BUILTINS = (
    Builtin("and", "(set[any], set[any]) -> set[any]", intersect),
    Builtin("or", "(set[any], set[any]) -> set[any]", unite),
    Builtin("intersection", "(set[set[any]]) -> set[any]", intersection),
    Builtin("union", "(set[set[any]]) -> set[any]", union),
    Builtin("set_diff", "(set[any], set[any]) -> set[any]", difference, deprecated=True),
)
