"""References below ``data`` to what neither rules nor data files define."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from solon.frameworks.fields import nearest
from solon.frameworks.lint import remark
from solon.lang import rego
from solon.lang.rego import ast
from solon.lang.rego.lint import all_bodies
from solon.lang.rego.rules import Definition, Node
from solon.lang.remark import Remark

# What Solon puts there itself.
_GIVEN: Final = frozenset(["inventory", "conftest", "plan"])


def lint(program: rego.Program, *, complete: bool, skip: Collection[str] = ()) -> Iterator[Remark]:
    """``complete``: the data are all that there will be. Files in ``skip`` are not looked at, such as tests.

    What tests put in place of data by ``with`` is taken to be there at other times as well.
    """
    replaced = [path[1:] for path in program.replaced if path[0] == "data"]
    for _, definition in program.definitions:
        if definition.module.file in skip:
            continue
        for ref in _references(definition):
            path = ast.fixed_names(ref.path)
            if not path or any(
                target == path[: len(target)] or path == target[: len(path)] for target in replaced
            ):
                continue
            depth, others, certain = _missing(program, path)
            if depth is None or path[0] in _GIVEN:
                continue
            near = nearest(path[depth], others)
            if near is None and not (certain or complete):
                continue
            text = ast.written(["data", *path[: depth + 1]])
            place = ast.written(["data", *path[:depth]])
            yield remark(
                "policy/unknown-data",
                f"neither rules nor data define {text}",
                definition.module.span(ref.at, len(text)),
                f"did you mean {near}?" if near else _hint(place, others),
            )


def _hint(place: str, others: list[str]) -> str:
    if not others:
        return "name the data with --data, or under `data:` in solon.yaml"
    more = ", …" if len(others) > 10 else ""
    return f"{place} has {', '.join(others[:10])}{more}"


def _missing(program: rego.Program, path: tuple[str, ...]) -> tuple[int | None, list[str], bool]:
    """The depth of the first name that is not there, what is there beside it, and whether that is all there is.

    A package that has rules is complete; one of packages alone may be the part of it that was given.
    """
    node: Node | None = program.root
    data: Any = program.data
    for depth, name in enumerate(path):
        if node is not None and node.group is not None:
            return None, [], False
        has_data = isinstance(data, Mapping)
        if node is None and not has_data:
            return None, [], False
        inner = node.children.get(name) if node is not None else None
        if inner is None and not (has_data and name in data):
            children = node.children if node is not None else {}
            certain = bool(depth) and (has_data or any(child.group for child in children.values()))
            return depth, sorted({*children, *(data if has_data else ())}), certain
        node = inner
        data = data.get(name) if has_data else None
    return None, [], False


def _references(definition: Definition) -> Iterator[ast.Ref]:
    """The references into data, but those that are asked whether they are there."""
    terms = [*definition.args, *definition.rest, *ast.present(definition.key, definition.value)]
    terms += [branch.value for branch in definition.elses if branch.value is not None]
    for body in all_bodies(definition, positive=True):
        for expr in body:
            if not expr.negated:
                terms += ast.statement_terms(expr.statement)
    while terms:
        term = terms.pop()
        terms += ast.subterms(term)
        if isinstance(term, ast.Ref) and isinstance(term.head, ast.Var) and term.head.name == "data":
            yield term
