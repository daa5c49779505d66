"""Which rules depend on which, and what `with` replaces; rules that depend on themselves are refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from math import prod
from typing import Final

from solon.lang.rego import ast
from solon.lang.rego.errors import RECURSION_ERROR
from solon.lang.rego.resolve import BUILTIN, modifiers, walk_all
from solon.lang.rego.rules import Definition, Group, Node
from solon.lang.source import Diagnostic, Span

_MOST_CHOICES: Final = 100  # of constants for the variables of one reference


def check_recursion(root: Node, groups: Sequence[Group], errors: list[Diagnostic]) -> dict[int, list[int]]:
    """Refuse rules that depend on themselves. Returns the groups that each group depends on."""
    edges = {group.index: sorted(_dependencies(group, root)) for group in groups}
    reported: set[frozenset[int]] = set()
    for start in edges:
        cycle = _cycle(start, edges)
        if cycle and frozenset(cycle) not in reported:
            reported.add(frozenset(cycle))
            path = " -> ".join(groups[index].name for index in [*cycle, cycle[0]])
            errors.append(
                Diagnostic(
                    RECURSION_ERROR, f"rule {groups[start].name} is recursive: {path}", _place(groups[start])
                )
            )
    return edges


def _place(group: Group) -> Span:
    definition = group.definitions[0] if group.definitions else group.default
    assert definition is not None
    return definition.module.span(definition.rule.head.at, len(definition.rule.name))


def _cycle(start: int, edges: Mapping[int, Sequence[int]]) -> list[int] | None:
    """The shortest way from a group back to itself, found breadth first."""
    came_from: dict[int, int] = {}
    queue = [start]
    for at in queue:
        for target in edges[at]:
            if target == start:
                path = [at]
                while path[-1] != start:
                    path.append(came_from[path[-1]])
                return path[::-1]
            if target not in came_from:
                came_from[target] = at
                queue.append(target)
    return None


def _dependencies(group: Group, root: Node) -> set[int]:
    found: set[int] = set()
    default = [group.default] if group.default else []
    for definition in [*group.definitions, *default]:
        heads = [*definition.args, *definition.rest, *ast.present(definition.key, definition.value)]
        branches = [(heads, definition.body)]
        branches += [(ast.present(branch.value), branch.body) for branch in definition.elses]
        for terms, body in branches:
            held: dict[str, list[ast.Term]] = {}
            for expr in body:
                found |= _referred(root, walk_all([], [[expr]], targets=True), held)
                _hold(expr, held)
            found |= _referred(root, walk_all(terms, [], targets=True), held)
    return found


def _referred(root: Node, terms: Iterable[ast.Term], held: Mapping[str, Sequence[ast.Term]]) -> set[int]:
    """The groups that terms may need; ``held`` are the constants that some of the variables are one of."""
    found: set[int] = set()
    for term in terms:
        if isinstance(term, ast.Call) and term.name.startswith("data."):
            found |= reached(root, [ast.Scalar(name, term.at) for name in term.name.split(".")[1:]])
        elif isinstance(term, ast.Ref) and isinstance(term.head, ast.Var) and term.head.name == "data":
            choices = [
                held.get(part.name, [part]) if isinstance(part, ast.Var) else [part] for part in term.path
            ]
            if prod(map(len, choices)) > _MOST_CHOICES:
                choices = [[part] for part in term.path]
            for path in product(*choices):
                found |= reached(root, path)
    return found


def _hold(expr: ast.Expr, held: dict[str, list[ast.Term]]) -> None:
    """Note the variable that an expression makes one of some constants."""
    match expr.statement:
        case ast.Unify(left=ast.Var(name=name), right=ast.Scalar() as value, operator=":=" | "="):
            found: list[ast.Term] = [value]
        case ast.SomeIn(key=None, value=ast.Var(name=name), domain=ast.Array(items=found)):
            pass
        case ast.SomeIn(key=None, value=ast.Var(name=name), domain=ast.SetTerm(items=found)):
            pass
        case _:
            return
    if not expr.negated and all(isinstance(each, ast.Scalar) for each in found):
        held.setdefault(name, found)


def reached(root: Node, path: Sequence[ast.Term]) -> set[int]:
    """The groups that a path below data may lead to; a part that is not fixed leads to every child."""
    found: set[int] = set()
    nodes = [root]
    for part in path:
        below: list[Node] = []
        for node in nodes:
            if node.group is not None:
                found.add(node.group.index)
            if not isinstance(part, ast.Scalar):
                below.extend(node.children.values())
            elif type(part.value) is str and part.value in node.children:
                below.append(node.children[part.value])
        nodes = below
    return found | {group.index for node in nodes for group in node.groups()}


# --- with

Replaced = frozenset[tuple[str, ...]]


def _bodies(definition: Definition) -> list[list[ast.Expr]]:
    return [definition.body, *(branch.body for branch in definition.elses)]


def terms_of(definition: Definition) -> Iterable[ast.Term]:
    """Every term of a definition, closures included."""
    terms = [*definition.args, *definition.rest, *ast.present(definition.key, definition.value)]
    terms += [branch.value for branch in definition.elses if branch.value is not None]
    return walk_all(terms, _bodies(definition))


def replacements(definitions: Iterable[Definition]) -> Replaced:
    """What ``with`` replaces in the definitions' bodies: ("data", …), ("function", name)."""
    found: set[tuple[str, ...]] = set()
    for definition in definitions:
        bodies = [
            *_bodies(definition),
            *(t.body for t in terms_of(definition) if isinstance(t, ast.Comprehension)),
        ]
        for modifier in (m for body in bodies for m in modifiers(body)):
            head = modifier.target.head
            path = tuple(str(p.value) for p in modifier.target.path if isinstance(p, ast.Scalar))
            if isinstance(head, ast.Var) and head.name == BUILTIN:
                found.add(("function", *path))
            elif isinstance(head, ast.Var) and head.name == "data":
                found.add(("data", *path))
                found.add(("function", ".".join(["data", *path])))
    return frozenset(found)
