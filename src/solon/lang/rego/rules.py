"""The tree of rules: which rules define which document below ``data``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from solon.lang.rego import ast
from solon.lang.rego.errors import TYPE_ERROR
from solon.lang.source import Diagnostic

Kind = Literal["complete", "function", "set", "object"]


@dataclass(slots=True, eq=False)
class Definition:
    """One rule of a group. ``rest`` is what its reference has beyond the group's path.

    The fields behind it are the rule's terms with every name resolved, filled by the resolver.
    """

    module: ast.Module
    rule: ast.Rule
    rest: list[ast.Term]
    args: list[ast.Term] = field(default_factory=list)
    key: ast.Term | None = None
    value: ast.Term | None = None
    body: list[ast.Expr] = field(default_factory=list)
    elses: list[ast.Else] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Group:
    """All rules that define one document (or function). ``path`` is its place below data."""

    index: int
    path: tuple[str, ...]
    kind: Kind
    definitions: list[Definition] = field(default_factory=list)
    default: Definition | None = None
    name: str = field(init=False)

    def __post_init__(self) -> None:
        self.name = "data." + ".".join(self.path)

    @property
    def all(self) -> list[Definition]:
        """The definitions, and the default behind them."""
        return [*self.definitions, *([self.default] if self.default else [])]

    @property
    def arity(self) -> int:
        first = self.definitions[0] if self.definitions else self.default
        return len(first.rule.head.args or []) if first else 0


@dataclass(slots=True, eq=False)
class Node:
    """A place in the tree: a package or part of a rule's path (children), or a group (leaf)."""

    path: tuple[str, ...]
    children: dict[str, Node] = field(default_factory=dict)
    group: Group | None = None

    def add(self, group: Group) -> None:
        """Place a group below this root."""
        self.at(group.path).group = group

    def at(self, path: Sequence[str]) -> Node:
        """The node at a path, made where there is none."""
        node = self
        for name in path:
            node = node.children.setdefault(name, Node((*node.path, name)))
        return node

    def empty(self) -> Iterator[tuple[str, ...]]:
        """The paths of packages without rules."""
        if self.group is None and not self.children:
            yield self.path
        for child in self.children.values():
            yield from child.empty()

    def groups(self) -> Iterator[Group]:
        if self.group is not None:
            yield self.group
        for child in self.children.values():
            yield from child.groups()


def build(modules: Sequence[ast.Module], errors: list[Diagnostic]) -> tuple[Node, list[Group]]:
    """The tree of all rules of the modules; conflicts go to ``errors``."""
    placed: list[tuple[tuple[str, ...], Definition]] = []
    for module in modules:
        for rule in module.rules:
            static, rest = _split(rule.head.path)
            path = (*module.package, *static)
            placed.append((path, Definition(module, rule, rest)))
    # `p.q.r := 1` beside `p[x] := y` belongs to the document p: the shorter path owns the longer ones.
    owners = {path for path, definition in placed if definition.rest}
    root = Node(())
    groups: dict[tuple[str, ...], Group] = {}
    for path, definition in placed:
        owner = next((path[:n] for n in range(1, len(path)) if path[:n] in owners), path)
        if owner != path:
            at = definition.rule.head.at
            definition.rest = [*(ast.Scalar(name, at) for name in path[len(owner) :]), *definition.rest]
        group = groups.get(owner)
        if group is None:
            group = groups[owner] = Group(len(groups), owner, _kind(definition))
        _add(group, definition, errors)
    for group in groups.values():
        root.add(group)
    _check_packages(modules, root, errors)
    return root, list(groups.values())


def _split(path: list[ast.Term]) -> tuple[list[str], list[ast.Term]]:
    first = [path[0].name] if isinstance(path[0], ast.Var) else []
    names = ast.fixed_names(path[1:])
    return [*first, *names], path[1 + len(names) :]


def _kind(definition: Definition) -> Kind:
    head = definition.rule.head
    if head.args is not None:
        return "function"
    if definition.rest:
        return "object"
    return "set" if head.key is not None else "complete"


def _add(group: Group, definition: Definition, errors: list[Diagnostic]) -> None:
    module, rule = definition.module, definition.rule
    span = module.span(rule.head.at, len(rule.name))
    kind = _kind(definition)
    if kind != group.kind:
        errors.append(Diagnostic(TYPE_ERROR, f"conflicting rules {group.name} found", span))
        return
    if rule.default:
        if group.default is not None:
            errors.append(Diagnostic(TYPE_ERROR, f"multiple default rules {group.name} found", span))
        group.default = definition
        return
    known = bool(group.definitions or group.default)
    if kind == "function" and known and len(rule.head.args or []) != group.arity:
        hint = "all definitions of a function take the same number of arguments"
        errors.append(Diagnostic(TYPE_ERROR, f"conflicting rules {group.name} found", span, hint))
        return
    group.definitions.append(definition)


def _check_packages(modules: Sequence[ast.Module], root: Node, errors: list[Diagnostic]) -> None:
    for module in modules:
        node = root
        for name in module.package:
            if name not in node.children:
                node.children[name] = Node((*node.path, name))
            node = node.children[name]
            if node.group is not None:
                first = node.group.definitions[0] if node.group.definitions else node.group.default
                place = f" defined at {first.module.span(first.rule.at)}" if first else ""
                errors.append(
                    Diagnostic(
                        TYPE_ERROR,
                        f"package {'.'.join(module.package)} conflicts with rule {node.group.name}{place}",
                        module.span(module.package_at, 7),
                    )
                )
    for node in _nodes(root):
        if node.group is not None and node.children and node.group.kind != "object":
            first = node.group.definitions[0] if node.group.definitions else node.group.default
            if first is not None and not any(d.code == TYPE_ERROR for d in errors):
                errors.append(
                    Diagnostic(
                        TYPE_ERROR,
                        f"rule {node.group.name} conflicts with {sorted(g.name for c in node.children.values() for g in c.groups())}",
                        first.module.span(first.rule.head.at),
                    )
                )


def _nodes(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children.values():
        yield from _nodes(child)


def defines(root: Node, path: Sequence[str]) -> bool:
    """Whether rules define the document at a path, something in it, or something around it."""
    node = root
    for name in path:
        if node.group is not None:
            return True
        child = node.children.get(name)
        if child is None:
            return False
        node = child
    return True
