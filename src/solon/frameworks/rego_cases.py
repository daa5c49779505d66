"""What makes each test of a Rego file count by itself, as with ``opa test``.

A test of cases, ``test_sum[case] if { some case, t in cases; … }``, gives only those that hold: to tell the
others, it is made to report each case as soon as its name is known. Tests of the same name are told apart.
"""

from __future__ import annotations

import json
from typing import Any, Final

from solon.lang.rego import ast
from solon.lang.rego.safety import variables

PREFIXES: Final = ("test_", "todo_test_")
_MARK: Final = "\0case"


def rewrite(modules: list[ast.Module]) -> None:
    """Make tests of the same name different ones, and tests of cases report their cases."""
    seen: dict[tuple[str, ...], int] = {}
    for module in modules:
        for rule in module.rules:
            if not rule.name.startswith(PREFIXES) or rule.default:
                continue
            path = (*module.package, *(repr(_written(term)) for term in rule.head.path))
            count = seen[path] = seen.get(path, -1) + 1
            if count:
                rule.head.path[0] = ast.Var(f"{rule.name}#{count:02d}", rule.head.path[0].at)
            _report_cases(rule)


def _written(term: ast.Term) -> Any:
    return term.value if isinstance(term, ast.Scalar) else getattr(term, "name", "?")


def _report_cases(rule: ast.Rule) -> None:
    """Print the names of the case, behind the expression by which they are all known."""
    names = rule.head.path[1:]
    bound = {
        var.name
        for expr in rule.body
        for term in ast.statement_terms(expr.statement)
        for var in variables(term)
    }
    missing = {var.name for name in names for var in variables(name)} & bound
    if rule.head.key is not None or not missing:
        return
    for index, expr in enumerate(rule.body):
        if isinstance(expr.statement, ast.Some):
            continue
        for term in ast.statement_terms(expr.statement):
            missing -= {var.name for var in variables(term)}
        if not missing:
            at = expr.at
            case = ast.Call("json.marshal", [ast.Array(names, at)], at)
            report = ast.Call("print", [ast.Scalar(_MARK, at), case], at)
            rule.body.insert(index + 1, ast.Expr(ast.TermExpr(report), at, expr.end))
            return


def told_apart(printed: list[str]) -> tuple[list[tuple[str, ...]], list[str]]:
    """The cases that were reported, each once, and what the test itself printed."""
    cases: dict[tuple[str, ...], None] = {}
    lines = []
    for line in printed:
        mark, _, names = line.partition(" ")
        if mark == _MARK:
            if names == "<undefined>":
                continue
            cases[tuple(map(_key, json.loads(names)))] = None
        else:
            lines.append(line)
    return list(cases), lines


def _key(name: Any) -> str:
    """The name of a case as it is in the value of the test."""
    return name if isinstance(name, str) else json.dumps(name, separators=(",", ":"), ensure_ascii=False)
