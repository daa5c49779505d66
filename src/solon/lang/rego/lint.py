"""What is wrong with Rego that compiles: the errors of ``opa check --strict``, and warnings.

Everything here reads a compiled program's rules, in which every name says what it means.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from solon.lang.rego import ast
from solon.lang.rego.builtins import TABLE
from solon.lang.rego.contradictions import contradictions
from solon.lang.rego.loops import unjoined
from solon.lang.rego.program import Program
from solon.lang.rego.reachability import unreachable
from solon.lang.rego.resolve import walk_all
from solon.lang.rego.rules import Definition
from solon.lang.remark import Remark, Severity, in_order
from solon.lang.source import Diagnostic

# code -> how grave, and what it is about.
RULES: Final[dict[str, tuple[Severity, str]]] = {
    "rego/unused-import": ("error", "an import that nothing uses"),
    "rego/unused-variable": ("error", "a variable that is assigned and never read"),
    "rego/unused-argument": ("error", "an argument that its function does not read"),
    "rego/duplicate-import": ("error", "two imports by one name"),
    "rego/shadowed-document": ("error", "a rule, an argument or a variable called input or data"),
    "rego/deprecated-builtin": ("error", "a built-in function that Rego v1 no longer has"),
    "rego/never-holds": ("warning", "an expression between constants that is always false"),
    "rego/contradiction": ("warning", "comparisons of one field that cannot hold together"),
    "rego/mismatched-types": (
        "warning",
        "a comparison of values of different types, which is always the same",
    ),
    "rego/unreachable-rule": ("warning", "a rule that needs another which never holds"),
    "rego/unjoined-loops": ("warning", "two loops over the input that nothing joins"),
}


def lint(program: Program) -> list[Remark]:
    """What there is to say about the rules, in order of file and place."""
    found = [*_imports(program), *_modules(program)]
    for _, definition in program.definitions:
        for check in _CHECKS:
            found.extend(check(definition))
    found.extend(unreachable(program))
    return in_order(Remark(RULES[each.code][0], each) for each in found)


# --- modules


def _imports(program: Program) -> Iterator[Diagnostic]:
    for module, unused in program.unused_imports:
        written = ast.written(unused.path) + (f" as {unused.alias}" if unused.alias else "")
        yield Diagnostic(
            "rego/unused-import", f"import {written} unused", module.span(unused.at, 6), "remove it"
        )


def _modules(program: Program) -> Iterator[Diagnostic]:
    """What the compiler itself refuses of v1."""
    for module in program.modules:
        if module.version == "v1":
            continue
        names: set[str] = set()
        for each in module.imports:
            name = each.alias or each.path[-1]
            if each.path[0] in ("data", "input") and name in names:
                yield Diagnostic(
                    "rego/duplicate-import",
                    f"import must not shadow import {ast.written(each.path)}",
                    module.span(each.at, 6),
                    "give one of them another name: import … as NAME",
                )
            names.add(name)
        for rule in module.rules:
            if rule.name in ("input", "data"):
                yield Diagnostic(
                    "rego/shadowed-document",
                    f"rules must not shadow {rule.name}",
                    module.span(rule.head.at, len(rule.name)),
                    "use a different rule name",
                )


# --- rules


def _names(definition: Definition) -> Iterator[Diagnostic]:
    """Variables that are written once, which is where they are declared."""
    module = definition.module
    variables = [
        term for term in walk_all(_terms(definition), _bodies(definition)) if isinstance(term, ast.Var)
    ]
    count = Counter(var.name for var in variables)
    for var in _variables(definition.args):
        if count[var.name] == 1 and not _is_wildcard(var):
            yield Diagnostic(
                "rego/unused-argument",
                f"unused argument {var.shown}",
                module.span(var.at, len(var.shown)),
                "write _ where the value does not matter",
            )
    for body in all_bodies(definition):
        for expr in body:
            if not isinstance(expr.statement, ast.Unify) or expr.statement.operator != ":=":
                continue
            for var in _variables([expr.statement.left]):
                if count[var.name] == 1 and not _is_wildcard(var):
                    yield Diagnostic(
                        "rego/unused-variable",
                        f"assigned var {var.shown} unused",
                        module.span(var.at, len(var.shown)),
                        "remove it, or use it",
                    )
    shadowing: dict[str, ast.Var] = {}
    for var in sorted(variables, key=lambda var: var.at):
        if var.shown in ("input", "data") and var.name != var.shown:
            shadowing.setdefault(var.name, var)
    for var in shadowing.values():
        yield Diagnostic(
            "rego/shadowed-document",
            f"variables must not shadow {var.shown}",
            module.span(var.at, len(var.shown)),
            "use a different variable name",
        )


def _calls(definition: Definition) -> Iterator[Diagnostic]:
    for term in walk_all(_terms(definition), _bodies(definition)):
        builtin = TABLE.get(term.name) if isinstance(term, ast.Call) else None
        if builtin is not None and builtin.deprecated:
            yield Diagnostic(
                "rego/deprecated-builtin",
                f"deprecated built-in function {builtin.name}",
                definition.module.span(term.at, len(builtin.name)),
                _INSTEAD.get(builtin.name, "Rego v1 does not have it"),
            )


_INSTEAD: Final = {
    "all": "write `every x in xs { x }`",
    "any": "write `true in xs`",
    "re_match": "write regex.match",
    "set_diff": "write `a - b`",
    "net.cidr_overlap": "write net.cidr_contains",
    "cast_array": "write `[x | some x in xs]`",
    "cast_set": "write `{x | some x in xs}`",
}


def _constants(definition: Definition) -> Iterator[Diagnostic]:
    if definition.rule.default or definition.rule.name.startswith("todo_test_"):
        return
    for body in all_bodies(definition, positive=True):
        yield from contradictions(definition.module, body)


def _loops(definition: Definition) -> Iterator[Diagnostic]:
    for body in all_bodies(definition, positive=True):
        yield from unjoined(definition.module, body)


_CHECKS: Final[tuple[Callable[[Definition], Iterator[Diagnostic]], ...]] = (
    _names,
    _calls,
    _constants,
    _loops,
)


# --- what a definition is made of


def _terms(definition: Definition) -> list[ast.Term]:
    values = [definition.key, definition.value, *(branch.value for branch in definition.elses)]
    return [*definition.args, *definition.rest, *ast.present(*values)]


def _bodies(definition: Definition) -> list[list[ast.Expr]]:
    return [definition.body, *(branch.body for branch in definition.elses)]


def all_bodies(definition: Definition, *, positive: bool = False) -> Iterator[list[ast.Expr]]:
    """The bodies of a definition and those inside them; with ``positive``, none that is negated."""
    stack = _bodies(definition)
    terms = _terms(definition)
    while stack or terms:
        if terms:
            term = terms.pop()
            terms.extend(ast.subterms(term))
            if isinstance(term, ast.Comprehension):
                stack.append(term.body)
            continue
        body = stack.pop()
        yield body
        for expr in body:
            terms.extend(ast.statement_terms(expr.statement))
            terms.extend(modifier.value for modifier in expr.withs)
            negative = isinstance(expr.statement, ast.Logic) and expr.statement.operator == "not"
            if not (positive and negative):
                stack.extend(ast.bodies(expr.statement))


def _variables(terms: Sequence[ast.Term]) -> Iterator[ast.Var]:
    """The variables of patterns."""
    for term in walk_all(terms, []):
        if isinstance(term, ast.Var):
            yield term


def _is_wildcard(var: ast.Var) -> bool:
    return var.name.startswith("_'")
