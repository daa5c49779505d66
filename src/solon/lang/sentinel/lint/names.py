"""What the names of a file mean, as far as lint needs to know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from solon.lang.sentinel import ast
from solon.lang.sentinel.builtins import BUILTINS, CHANGING
from solon.lang.sentinel.scopes import WORDS


@dataclass(frozen=True, slots=True)
class Names:
    """``declared`` are all names that mean something somewhere in the file; ``read`` counts how often each is read.

    ``fixed`` are those at the top of the file that have one value for good.
    """

    declared: frozenset[str]
    read: Counter[str]
    fixed: dict[str, ast.Expr]

    @property
    def is_policy(self) -> bool:
        """A module has no ``main``; what it declares, others read."""
        return "main" in self.declared


def names_of(file: ast.File) -> Names:
    declared: set[str] = {*BUILTINS, *WORDS, "undefined"}
    declared.update(each.name.rpartition("/")[2] for each in file.imports)
    declared.update(each.name.name for each in file.params)
    read: Counter[str] = Counter()
    given: Counter[str] = Counter()
    for node in nodes(file):
        if isinstance(node, ast.Name):
            read[node.name] += 1
        elif isinstance(node, ast.Assign) and isinstance(node.target, ast.Name):
            given[node.target.name] += 1
            read[node.target.name] -= 1
        elif isinstance(node, ast.Assign) and isinstance(node.target, ast.Path):
            head = node.target.head
            if isinstance(head, ast.Name):
                given[head.name] += 1
        elif isinstance(node, ast.Declare):
            given[node.name.name] += 1
        elif isinstance(node, ast.Func):
            declared.update(each.name for each in node.parameters)
        elif isinstance(node, ast.Quantifier | ast.For):
            declared.update(each.name for each in (node.first, node.second) if each is not None)
        if isinstance(node, ast.Path) and _changes(node):
            given[node.steps[0].arguments[0].name] += 1  # type: ignore[union-attr]
    declared.update(given)
    fixed = {
        each.target.name: each.value
        for each in file.statements
        if isinstance(each, ast.Assign)
        and isinstance(each.target, ast.Name)
        and each.operator == "="
        and given[each.target.name] == 1
    }
    return Names(frozenset(declared), read, fixed)


def _changes(path: ast.Path) -> bool:
    """Whether it is ``append(name, …)`` or ``delete(name, …)``."""
    call = path.steps[0]
    return (
        isinstance(path.head, ast.Name)
        and path.head.name in CHANGING
        and isinstance(call, ast.Call)
        and bool(call.arguments)
        and isinstance(call.arguments[0], ast.Name)
    )


def nodes(file: ast.File) -> Iterator[Any]:
    """Every node of the file, in order of the text."""
    for statement in file.statements:
        yield from ast.walk(statement)


def selects(expr: ast.Expr) -> list[str]:
    """The names that a path selects, those of constant indexes too: ``a.b["c"]`` gives a, b, c."""
    if isinstance(expr, ast.Name):
        return [expr.name]
    if not isinstance(expr, ast.Path):
        return []
    out = selects(expr.head)
    for step in expr.steps:
        if isinstance(step, ast.Select):
            out.append(step.name)
        elif isinstance(step, ast.Index) and isinstance(step.index, ast.Constant):
            out.append(str(step.index.value))
    return out


def is_hyphenated(chain: ast.Chain, number: int, file: ast.File, names: Names) -> bool:
    """Whether operator ``number`` is the hyphen of a name: ``tags.ML-Team``, where nothing is called Team."""
    operator = chain.operators[number]
    left, right = chain.operands[number], chain.operands[number + 1]
    if operator.name != "-" or file.text[operator.at - 1 : operator.end + 1].count(" "):
        return False
    if not isinstance(left, ast.Name | ast.Path) or left.end != operator.at or right.at != operator.end:
        return False
    head = right.head if isinstance(right, ast.Path) else right
    return isinstance(head, ast.Name) and head.name not in names.declared
