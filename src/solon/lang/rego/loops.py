"""Loops over the input in one body that nothing joins: together they take the product of their times."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from solon.lang.rego import ast
from solon.lang.rego.resolve import walk_all
from solon.lang.source import Diagnostic


@dataclass(frozen=True, slots=True)
class _Loop:
    """``path`` is the collection: the fixed names that lead to it."""

    path: tuple[str, ...]
    at: int


def unjoined(module: ast.Module, body: Sequence[ast.Expr]) -> Iterator[Diagnostic]:
    """A warning for each loop over a collection that an earlier loop goes over without a join."""
    loops: list[_Loop] = []
    within: dict[str, set[int]] = {}  # variable -> the loops it depends on
    origins: dict[str, tuple[str, ...]] = {}  # variable -> the path it stands for
    joined: set[frozenset[int]] = set()
    for expr in body:
        if expr.negated or expr.withs or isinstance(expr.statement, ast.Logic | ast.Every):
            continue
        terms = ast.statement_terms(expr.statement)
        started: set[int] = set()
        for path, variables, at in _started(expr.statement, within, origins):
            started.add(len(loops))
            for name in variables:
                within[name] = {len(loops)}
            loops.append(_Loop(path, at))
        if isinstance(expr.statement, ast.Unify):
            sides = [_loops_of(side, within) for side in (expr.statement.left, expr.statement.right)]
            _assign(expr.statement, within, origins, started)
            joined |= {frozenset((one, other)) for one in sides[0] for other in sides[1] if one != other}
            if started:
                # `x == input.xs[_]` joins the loop with what it is compared with.
                joined |= {frozenset((one, new)) for new in started for side in sides for one in side}
        elif isinstance(expr.statement, ast.SomeIn):
            depends = _loops_of(expr.statement.domain, within)
            for var in _pattern(expr.statement):
                within.setdefault(var.name, set()).update(depends)
        elif isinstance(expr.statement, ast.TermExpr):
            for term in walk_all(terms, []):
                if isinstance(term, ast.Call) and term.name in ("equal", "internal.member_2"):
                    one, other = (_loops_of(arg, within) for arg in term.args)
                    joined |= {frozenset((a, b)) for a in one for b in other if a != b}
    for second, loop in enumerate(loops):
        for first, earlier in enumerate(loops[:second]):
            if loop.path == earlier.path and frozenset((first, second)) not in joined:
                shown = ast.written(loop.path)
                yield Diagnostic(
                    "rego/unjoined-loops",
                    f"a second loop over {shown}, and nothing joins it with the first: "
                    "the time grows with the square of its length",
                    module.span(loop.at),
                    "compare a field of the one with a field of the other by ==, or look it up in a set or object",
                )
                break


def _started(
    statement: ast.Statement, within: dict[str, set[int]], origins: dict[str, tuple[str, ...]]
) -> Iterator[tuple[tuple[str, ...], list[str], int]]:
    """The loops over the input that a statement begins: the collection, the variables, the place."""
    if isinstance(statement, ast.SomeIn):
        path = _collection(statement.domain, origins)
        if path is not None:
            yield path, [var.name for var in _pattern(statement)], statement.domain.at
        return
    binds = isinstance(statement, ast.Unify) and (
        isinstance(statement.left, ast.Var) or isinstance(statement.right, ast.Var)
    )
    for term in walk_all(ast.statement_terms(statement), []):
        if not isinstance(term, ast.Ref):
            continue
        for position, part in enumerate(term.path):
            if isinstance(part, ast.Var) and part.name not in within and part.name not in origins:
                if part.name.startswith("_'") and not binds:
                    break  # asks whether there is one, and looks no further
                path = _collection(ast.Ref(term.head, term.path[:position], term.at), origins)
                if path is not None:
                    yield path, [part.name], term.at
                break


def _collection(term: ast.Term, origins: dict[str, tuple[str, ...]]) -> tuple[str, ...] | None:
    """The path of a term that leads through fixed names from input or data.inventory."""
    if isinstance(term, ast.Var):
        return origins.get(term.name)
    if not isinstance(term, ast.Ref) or not isinstance(term.head, ast.Var):
        return None
    names = [p.value for p in term.path if isinstance(p, ast.Scalar) and type(p.value) is str]
    if len(names) != len(term.path):
        return None
    head = term.head.name
    start = origins.get(head, (head,) if head in ("input", "data") else None)
    path = None if start is None else (*start, *names)
    return path if path and (path[0] == "input" or path[:2] == ("data", "inventory")) else None


def _assign(
    unify: ast.Unify, within: dict[str, set[int]], origins: dict[str, tuple[str, ...]], started: set[int]
) -> None:
    """What the variables of an equation depend on."""
    for one, other in ((unify.left, unify.right), (unify.right, unify.left)):
        if not isinstance(one, ast.Var) or one.name in within or one.name in origins:
            continue
        path = _collection(other, origins)
        if path is not None and not started:
            origins[one.name] = path
            return
        within[one.name] = started | _loops_of(other, within)
        return


def _loops_of(term: ast.Term, within: dict[str, set[int]]) -> set[int]:
    names = [each.name for each in walk_all([term], []) if isinstance(each, ast.Var)]
    return set().union(*(within.get(name, set()) for name in names))


def _pattern(statement: ast.SomeIn) -> list[ast.Var]:
    terms = ast.present(statement.key, statement.value)
    return [term for term in walk_all(terms, []) if isinstance(term, ast.Var)]
