"""Rule indexing: of many rules that ask the same field for a constant, only those that can hold are run.

A hundred rules that begin with ``input.kind == "…"`` cost a look into a dict. What is looked at is a path of
input, or an argument of a function; rules that ask for nothing there are always run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from solon.lang.rego import ast
from solon.lang.rego.references import compared, may_fail
from solon.lang.rego.rules import Definition
from solon.lang.values import key

MIN_RULES: Final = 6  # fewer are run one after the other

Subject = tuple[str, ...] | int  # a path below input, or the position of an argument


@dataclass(frozen=True, slots=True)
class Index:
    """Which definitions (by position) to run for each key of a value, and which for any other."""

    subject: Subject
    table: dict[Any, tuple[int, ...]]
    default: tuple[int, ...]


def index_of(definitions: Sequence[Definition]) -> Index | None:
    """The index that leaves out most; None where there is little to leave out."""
    asked = [dict(_asked(definition)) for definition in definitions]
    counted = Counter(subject for each in asked for subject in each)
    if not counted:
        return None
    subject, count = max(counted.items(), key=lambda item: (item[1], repr(item[0])))
    if count < MIN_RULES:
        return None
    keys = dict.fromkeys(k for each in asked for k in each.get(subject, ()))
    table = {
        wanted: tuple(n for n, each in enumerate(asked) if subject not in each or wanted in each[subject])
        for wanted in keys
    }
    default = tuple(n for n, each in enumerate(asked) if subject not in each)
    return Index(subject, table, default)


def _asked(definition: Definition) -> Iterator[tuple[Subject, frozenset[Any]]]:
    """Subjects that must have one of some values for the rule to hold: (subject, keys of the values)."""
    for position, argument in enumerate(definition.args):
        if isinstance(argument, ast.Scalar):
            yield position, frozenset([key(argument.value)])
    if definition.elses:
        return  # they are tried where the body does not hold
    for expr in definition.body:
        if expr.negated or expr.withs:
            continue
        for subject, terms in _sides(expr.statement):
            path, wanted = _input_path(subject), _constants(terms)
            if path and wanted is not None:
                yield path, wanted
        if may_fail(expr):
            return  # what comes behind a call must not keep it from failing


def _sides(statement: ast.Statement) -> list[tuple[ast.Term, list[ast.Term]]]:
    """What is equal to one of some terms."""
    match statement:
        case ast.TermExpr(
            term=ast.Call(
                name="internal.member_2", args=[left, ast.SetTerm(items=items) | ast.Array(items=items)]
            )
        ):
            return [(left, items)]
    return [(one, [other]) for one, other in compared(statement)]


def _input_path(term: ast.Term) -> tuple[str, ...]:
    match term:
        case ast.Ref(head=ast.Var(name="input"), path=path):
            names = ast.fixed_names(path)
            return names if len(names) == len(path) else ()
    return ()


def _constants(terms: Sequence[ast.Term]) -> frozenset[Any] | None:
    """The keys of the terms, where all are scalars."""
    keys = frozenset(key(term.value) for term in terms if isinstance(term, ast.Scalar))
    return keys if all(isinstance(term, ast.Scalar) for term in terms) else None
