"""What policies read besides the document that they judge: what else exists, and the plan around a resource."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from solon.lang import rego
from solon.lang.rego import ast
from solon.lang.rego.dependencies import terms_of
from solon.lang.rego.rules import Group

_KNOWN: Final = frozenset(["inventory", "plan"])


def surroundings(program: rego.Program, policies: list[str]) -> dict[str, frozenset[str]]:
    """By the ids of the policies that read any."""
    if not any(
        reference.split(".")[1:2] in ([name] for name in _KNOWN) for reference in program.base_references
    ):
        return {}
    program.complete()
    groups = {group.name: group for group in program.groups}
    found = {}
    for policy in policies:
        read = {
            name
            for group in needed(program, groups[f"data.{policy}"])
            for definition in group.all
            for term in terms_of(definition)
            if isinstance(term, ast.Ref) and isinstance(term.head, ast.Var) and term.head.name == "data"
            for name in ast.fixed_names(term.path)[:1]
        }
        if read & _KNOWN:
            found[policy] = frozenset(read & _KNOWN)
    return found


def needed(program: rego.Program, policy: Group) -> Iterator[Group]:
    """The rules that a policy asks, its own first."""
    seen = {policy.index}
    waiting = [policy.index]
    while waiting:
        index = waiting.pop()
        yield program.groups[index]
        for other in program.types.edges.get(index, ()):
            if other not in seen:
                seen.add(other)
                waiting.append(other)
