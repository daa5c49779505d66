"""From the result of a policy to violations: which resources failed, where they stand, and what is said of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Final

from solon.frameworks.policy import Violation
from solon.frameworks.sentinel.explain import shortened, shown
from solon.lang.sentinel import Element, Program, Result, ast
from solon.subjects.subject import Path

_MOST: Final = 5  # elements that a message names
_MOST_LINES: Final = 20  # of what was printed, in a message, or of no resource in particular
_MOST_KEPT: Final = 1_000  # of what was printed, in the details of a finding

# A name with dots in it, such as an address. It begins no later than its first letter: each is looked at once.
_NAME: Final = r'[A-Za-z_][\w-]*+(?:\[(?:"(?:[^"\\]|\\.)*+"|\d++)\])?'
_ADDRESS: Final = re.compile(rf"(?<![\w-]){_NAME}(?:\.{_NAME})+")


class Resources:
    """The resources of a plan by their addresses."""

    def __init__(self, plan: Mapping[str, Any]) -> None:
        self._plan = plan

    @cached_property
    def _places(self) -> dict[str, Path]:
        places: dict[str, Path] = {}
        for index, change in enumerate(self._plan.get("resource_changes") or []):
            places.setdefault(change["address"], ("resource_changes", index))
        return places

    def place(self, address: str) -> Path | None:
        """Where the change of a resource stands."""
        return self._places.get(address)

    def address(self, named: str) -> str | None:
        """The resource of a name; imports of version 1 write ``[0]`` behind one that has no count."""
        if named in self._places:
            return named
        alone = named.removesuffix("[0]")
        return alone if alone in self._places else None

    def around(self, named: str) -> str:
        """The resource that a name or the beginning of it is, such as ``aws_instance.web.tags``; empty for none."""
        for _ in range(_MOST):
            address = self.address(named)
            if address is not None:
                return address
            named = named.rpartition(".")[0]
        return ""


def violations(result: Result, program: Program, resources: Resources) -> list[Violation]:
    """A violation for each resource that made ``main`` what it is; one for all where none is known."""
    if result.outcome == "pass":
        return []
    return _Telling(result, program, resources).violations()


def printed(lines: Sequence[str], resources: Resources) -> tuple[dict[str, list[str]], list[str]]:
    """The lines that name a resource, by resource, and the others."""
    named: dict[str, list[str]] = {}
    others = []
    for line in lines:
        found = {resources.around(name) for name in _ADDRESS.findall(line)} - {""}
        for address in found:
            named.setdefault(address, []).append(line)
        if not found:
            others.append(line)
    return named, others


class _Telling:
    def __init__(self, result: Result, program: Program, resources: Resources) -> None:
        self._result = result
        self._program = program
        self._resources = resources
        self._rules = {rule.name: shown(rule.value) for rule in result.rules.values()}
        self._undefined = [result.reason] if result.outcome == "undefined" else []

    def violations(self) -> list[Violation]:
        if self._result.outcome == "error":
            return [Violation(self._result.reason, self._details(self._result.output), error=True)]
        by_resource: dict[str, list[Element]] = {}
        for element in self._result.failed:
            address = self._address(element)
            if address is not None:
                by_resource.setdefault(address, []).append(element)
        if by_resource:
            return [self._of_resource(address, elements) for address, elements in by_resource.items()]
        said = self._undefined or [f"main is {shown(self._result.main)}"]
        return [
            Violation("\n".join([*said, *_some(self._result.output)]), self._details(self._result.output))
        ]

    def _of_resource(self, address: str, elements: Sequence[Element]) -> Violation:
        """What the policy printed of a resource, or else what is not true of it."""
        by_resource, others = self._printed
        lines = by_resource.get(address, [])
        if not lines:
            verb = "undefined" if self._undefined else "not true"
            said = [f"{address}: {verb}{self._of_elements(elements)}"]
        elif lines[0].startswith(address):
            said = lines
        else:
            said = [f"{address}:", *lines]
        details = {"address": address, **self._details([*lines, *_some(others)])}
        return Violation("\n".join([*said, *self._undefined]), details, self._resources.place(address))

    def _details(self, printed: Sequence[str]) -> dict[str, Any]:
        kept = list(_some(printed, _MOST_KEPT))
        return {"rules": self._rules, "printed": kept} if kept else {"rules": self._rules}

    @cached_property
    def _printed(self) -> tuple[dict[str, list[str]], list[str]]:
        return printed(self._result.output, self._resources)

    def _address(self, element: Element) -> str | None:
        """The resource that an element is, or is within."""
        at: Element | None = element
        while at is not None:
            value = at.value.get("address") if isinstance(at.value, dict) else None
            for named in (value, at.key):
                if isinstance(named, str) and (found := self._resources.address(named)) is not None:
                    return found
            at = at.within
        return None

    def _of_elements(self, elements: Sequence[Element]) -> str:
        """What is not true of a resource, and for which of the things inside that the policy goes over."""
        first = elements[0]
        said = self._body(first)
        inside = [_shown(each) for each in elements if each.within is not None]
        if not inside:
            return f": {said}"
        more = f" and {len(inside) - _MOST} more" if len(inside) > _MOST else ""
        return f" for {', '.join(inside[:_MOST])}{more} of {first.collection}: {said}"

    def _body(self, element: Element) -> str:
        """What a policy asks of each element, in its own words."""
        span = element.span
        said = self._bodies.get((span.row, span.column)) if span.file == self._program.name else None
        return f"{element.kind} {element.collection} ({span})" if said is None else said

    @cached_property
    def _bodies(self) -> dict[tuple[int, int], str]:
        """What quantifiers of the policy ask, by their places."""
        file = self._program.file
        return {
            file.place(node.at): shortened(" ".join(file.source(ast.inner(node.body)).split()))
            for statement in file.statements
            for node in ast.walk(statement)
            if isinstance(node, ast.Quantifier)
        }


def _some(lines: Sequence[str], most: int = _MOST_LINES) -> Iterator[str]:
    yield from lines[:most]
    if len(lines) > most:
        yield f"and {len(lines) - most:,} more lines"


def _shown(element: Element) -> str:
    """An element of a list by its value, where that is short; others by index or key."""
    is_listed = type(element.key) is int and not isinstance(element.value, dict | list)
    return shown(element.value if is_listed else element.key)
