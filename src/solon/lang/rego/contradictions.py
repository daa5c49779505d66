"""Comparisons with constants that cannot hold: false by themselves, or not together."""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from solon.lang.rego import ast
from solon.lang.rego.builtins import TABLE
from solon.lang.rego.types import Scalar, key_of, of_signature, scalar_of
from solon.lang.source import Diagnostic

_COMPARE: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "equal": operator.eq, "neq": operator.ne,
    "lt": operator.lt, "lte": operator.le, "gt": operator.gt, "gte": operator.ge,
}  # fmt: skip
_SIGNS: Final = {"equal": "==", "neq": "!=", "lt": "<", "lte": "<=", "gt": ">", "gte": ">="}
_TURNED: Final = {"equal": "equal", "neq": "neq", "lt": "gt", "lte": "gte", "gt": "lt", "gte": "lte"}

_OPPOSITE: Final = {"equal": "neq", "neq": "equal", "lt": "gte", "gte": "lt", "gt": "lte", "lte": "gt"}
# The least that some built-in functions give.
_LEAST: Final = {"count": 0, "abs": 0, "strings.count": 0, "indexof": -1}
_ORDER: Final = ("null", "boolean", "number", "string")

Key = tuple[Any, ...]
Comparison = tuple[str, Any]  # operator and constant


def contradictions(module: ast.Module, body: Sequence[ast.Expr]) -> Iterator[Diagnostic]:
    if _says_so(body):
        return
    said: dict[Key, list[Comparison]] = {}
    results: dict[str, str] = {}  # variable -> the built-in function whose result it holds
    for expr in body:
        if expr.withs:
            continue
        if _is_false(expr) or _is_in_nothing(expr):
            yield Diagnostic(
                "rego/never-holds",
                "this is always false: the body never holds",
                module.span(expr.at, max(1, expr.end - expr.at)),
                "remove the rule, or compare with what the input says",
            )
            continue
        match expr.statement:
            case ast.Unify(ast.Var(name), ast.Call(function), ":=" | "=") if function in TABLE:
                results[name] = function
        about_result = _about_result(module, expr, results)
        if about_result is not None:
            yield about_result
            continue
        compared = None if expr.negated else _comparison(expr.statement)
        if compared is None:
            continue
        term, name, constant = compared
        key = _key(term)
        if key is None:
            continue
        others = said.setdefault(key, [])
        clash = next((each for each in others if _clash(each, (name, constant))), None)
        others.append((name, constant))
        if clash is not None:
            yield _contradiction(module, expr, term, clash, (name, constant))


def _is_in_nothing(expr: ast.Expr) -> bool:
    """Whether an expression looks for something in a collection that is empty as it is written."""
    match expr.statement:
        case ast.TermExpr(ast.Call("internal.member_2" | "internal.member_3", [*_, domain])):
            empty = isinstance(domain, ast.Array | ast.SetTerm) and not domain.items
            return not expr.negated and (empty or (isinstance(domain, ast.Object) and not domain.pairs))
        case _:
            return False


def _about_result(module: ast.Module, expr: ast.Expr, results: Mapping[str, str]) -> Diagnostic | None:
    """A comparison of a built-in function's result with what it can never, or will always, compare with so."""
    compared = _comparison(expr.statement)
    if compared is None:
        return None
    term, name, constant = compared
    function = term.name if isinstance(term, ast.Call) else None
    if isinstance(term, ast.Var):
        function = results.get(term.name)
    if function is None or function not in TABLE:
        return None
    name = _OPPOSITE[name] if expr.negated else name
    shown = (
        f"{function}(…)" if isinstance(term, ast.Call) else term.shown if isinstance(term, ast.Var) else ""
    )
    span = module.span(expr.at, max(1, expr.end - expr.at))
    result, given = of_signature(TABLE[function].signature).result, scalar_of(key_of(constant))
    if isinstance(result, Scalar) and result != given:
        holds = name == "neq" or _COMPARE[name](_ORDER.index(result.name), _ORDER.index(given.name))
        return Diagnostic(
            "rego/mismatched-types",
            f"{shown} is a {result.name}, compared with a {given.name}: that {'always' if holds else 'never'} holds",
            span,
            f"compare it with a {result.name}",
        )
    least = _LEAST.get(function)
    if least is not None and _comparable(least, constant) and _clash(("gte", least), (name, constant)):
        return Diagnostic(
            "rego/never-holds",
            f"{shown} is never {_condition((name, constant))}: the body never holds",
            span,
            f"the least that {function} gives is {least}",
        )
    return None


def _contradiction(
    module: ast.Module, expr: ast.Expr, term: ast.Term, one: Comparison, other: Comparison
) -> Diagnostic:
    shown = _shown(term)
    if one[0] == other[0] == "equal":
        values = f"{json.dumps(one[1])}, {json.dumps(other[1])}"
        message = f"{shown} cannot be both {json.dumps(one[1])} and {json.dumps(other[1])}"
        hint = f"if either will do, write `{shown} in {{{values}}}`"
    else:
        message = f"{shown} cannot be {_condition(one)} and {_condition(other)}"
        hint = "all expressions of a body must hold together; what may hold instead is a rule of its own"
    return Diagnostic("rego/contradiction", message, module.span(expr.at, max(1, expr.end - expr.at)), hint)


def _condition(comparison: Comparison) -> str:
    return f"{_SIGNS[comparison[0]]} {json.dumps(comparison[1])}"


def _says_so(body: Sequence[ast.Expr]) -> bool:
    """``p if false`` says outright what it means: an empty document."""
    (*others, last) = body
    return not others and not last.negated and isinstance(last.statement, ast.TermExpr) and _is_false(last)


def _is_false(expr: ast.Expr) -> bool:
    """Whether an expression of constants alone does not hold."""
    match expr.statement:
        case ast.TermExpr(ast.Scalar(value)):
            holds = value is not False
        case ast.Unify(ast.Scalar() as left, ast.Scalar() as right, "==" | "="):
            holds = _same(left.value, right.value)
        case ast.TermExpr(ast.Call(name, [ast.Scalar() as left, ast.Scalar() as right], _, True)) if (
            name in _COMPARE and _comparable(left.value, right.value)
        ):
            holds = _COMPARE[name](left.value, right.value)
        case _:
            return False
    return holds is expr.negated


def _comparison(statement: ast.Statement) -> tuple[ast.Term, str, Any] | None:
    """What is compared with a constant, how, and the constant."""
    match statement:
        case ast.Unify(term, ast.Scalar(constant), ":=" | "==" | "="):
            return term, "equal", constant
        case ast.Unify(ast.Scalar(constant), term, "==" | "="):
            return term, "equal", constant
        case ast.TermExpr(ast.Call(name, [term, ast.Scalar(constant)], _, True)) if name in _COMPARE:
            return term, name, constant
        case ast.TermExpr(ast.Call(name, [ast.Scalar(constant), term], _, True)) if name in _COMPARE:
            return term, _TURNED[name], constant
        case _:
            return None


def _clash(one: Comparison, other: Comparison) -> bool:
    """Whether no value can be compared in both ways with the constants."""
    (name, value), (other_name, other_value) = one, other
    if name == "equal" and other_name == "equal":
        return not _same(value, other_value)
    if {name, other_name} == {"equal", "neq"}:
        return _same(value, other_value)
    if "neq" in (name, other_name) or not _comparable(value, other_value):
        return False
    if name == "equal":
        return not _COMPARE[other_name](value, other_value)
    if other_name == "equal":
        return not _COMPARE[name](other_value, value)
    if name[0] == other_name[0]:
        return False  # both are lower bounds, or both are upper ones
    below, above = (one, other) if name[0] == "l" else (other, one)
    strict = below[0] == "lt" or above[0] == "gt"
    return bool(above[1] >= below[1] if strict else above[1] > below[1])


def _same(one: Any, other: Any) -> bool:
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _comparable(one: Any, other: Any) -> bool:
    """Numbers with numbers, strings with strings; Rego's order between types is nobody's intention."""
    if isinstance(one, bool) or isinstance(other, bool):
        return False
    numbers = isinstance(one, int | float) and isinstance(other, int | float)
    return numbers or (isinstance(one, str) and isinstance(other, str))


def _key(term: ast.Term) -> Key | None:
    """The same for terms that have the same value in a body; None for others than variables and paths."""
    match term:
        case ast.Var():
            return (term.name,)
        case ast.Ref(ast.Var(name), path):
            parts: list[Any] = [name]
            for part in path:
                if isinstance(part, ast.Var):
                    parts.append((part.name,))
                elif isinstance(part, ast.Scalar):
                    parts.append(part.value)
                else:
                    return None
            return tuple(parts)
        case _:
            return None


def _shown(term: ast.Term) -> str:
    if isinstance(term, ast.Var):
        return term.shown
    assert isinstance(term, ast.Ref)
    assert isinstance(term.head, ast.Var)
    text = term.head.shown
    for part in term.path:
        if isinstance(part, ast.Var):
            text += f"[{part.shown}]"
        elif isinstance(part, ast.Scalar):
            text = (
                ast.written([text, part.value])
                if type(part.value) is str
                else f"{text}[{json.dumps(part.value)}]"
            )
    return text
