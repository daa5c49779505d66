"""Rules that can never hold because they need others that can never hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from solon.lang.rego import ast
from solon.lang.rego.contradictions import contradictions
from solon.lang.rego.program import Program
from solon.lang.rego.rules import Definition, Group, Node
from solon.lang.source import Diagnostic


def unreachable(program: Program) -> Iterator[Diagnostic]:
    """A warning for each expression that needs a document or function of which no rule ever holds."""
    functions = {group.name: group for group in program.groups if group.kind == "function"}
    replaced = [path[1:] for path in program.replaced if path[0] == "data"]
    dead: set[int] = set()
    # Rules that do not hold by themselves, then those that need them, until there are no more.
    while True:
        found = {
            group.index
            for group in program.groups
            if group.index not in dead
            and group.definitions
            and group.default is None
            and not any(target == group.path[: len(target)] for target in replaced)
            and all(_is_dead(program, each, functions, dead) for each in group.definitions)
        }
        if not found:
            break
        dead |= found
    for _, definition in program.definitions:
        for body in _bodies(definition):
            for expr in body:
                needed = _needs(program.root, expr, functions, dead)
                if needed is not None:
                    yield Diagnostic(
                        "rego/unreachable-rule",
                        f"this never holds: no rule of {needed.name.removeprefix('data.')} ever does",
                        definition.module.span(expr.at, max(1, expr.end - expr.at)),
                        f"put right the rule at {_place(needed)}, or remove this one",
                    )


def _is_dead(program: Program, definition: Definition, functions: dict[str, Group], dead: set[int]) -> bool:
    return all(
        _says_never(body)
        or any(True for _ in contradictions(definition.module, body))
        or any(_needs(program.root, expr, functions, dead) is not None for expr in body)
        for body in _bodies(definition)
    )


def _bodies(definition: Definition) -> list[list[ast.Expr]]:
    return [definition.body, *(branch.body for branch in definition.elses)]


def _says_never(body: Sequence[ast.Expr]) -> bool:
    match body:
        case [ast.Expr(statement=ast.TermExpr(ast.Scalar(value)), negated=negated)]:
            return (value is False) is not negated
        case _:
            return False


def _needs(root: Node, expr: ast.Expr, functions: dict[str, Group], dead: set[int]) -> Group | None:
    """A document or function that never is, and without which an expression cannot hold."""
    if not dead or expr.negated or expr.withs or isinstance(expr.statement, ast.Logic | ast.Every):
        return None
    terms = ast.statement_terms(expr.statement)
    domain = expr.statement.domain if isinstance(expr.statement, ast.SomeIn) else None
    while terms:
        term = terms.pop()
        if isinstance(term, ast.Comprehension):
            continue  # without elements it is empty, and there all the same
        terms += ast.subterms(term)
        group = None
        if isinstance(term, ast.Call):
            group = functions.get(term.name)
        elif isinstance(term, ast.Ref) and isinstance(term.head, ast.Var) and term.head.name == "data":
            group, whole = _document(root, term)
            # A set without members is there, and empty.
            if group is not None and group.kind in ("set", "object") and whole and term is not domain:
                group = None
        if group is not None and group.index in dead:
            return group
    return None


def _document(root: Node, ref: ast.Ref) -> tuple[Group | None, bool]:
    """The rules that define what a reference names, or something around it, and whether it names all of it."""
    node = root
    for depth, part in enumerate(ref.path):
        child = node.children.get(part.value) if isinstance(part, ast.Scalar) else None
        if child is None:
            return None, False
        node = child
        if node.group is not None:
            return node.group, depth + 1 == len(ref.path)
    return None, False


def _place(group: Group) -> str:
    first = group.definitions[0]
    span = first.module.span(first.rule.head.at)
    return f"{span.file}:{span.row}"
