"""What a policy finds in a plan: a violation for each resource that made ``main`` false, where it is known which."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from solon.frameworks.policy import Context, Violation
from solon.frameworks.sentinel.explain import shortened, shown
from solon.frameworks.sentinel.library import Linked
from solon.frameworks.sentinel.terraform import Documents, imports_of
from solon.lang.sentinel import Element, Opening, Program, Result, ast
from solon.subjects.subject import Path, Subject

_MOST: Final = 5  # elements that a message names


class Session:
    """The Terraform imports over the plan at hand, which the policies of a set share."""

    def __init__(self, known: Mapping[str, Any]) -> None:
        """``known`` are the documents that stand in where a plan has no such part: ``state``, ``configuration``."""
        self._known = known
        self._held = threading.local()

    def of(self, subject: Subject, context: Context) -> _Plan:
        held = getattr(self._held, "plan", None)
        if held is None or held[0] is not subject or held[1] is not context:
            held = (subject, context, _Plan(Documents(subject.document, context.run, **self._known)))
            self._held.plan = held
        plan: _Plan = held[2]
        return plan


class _Plan:
    """A plan, its imports, and where its resources stand in it."""

    def __init__(self, documents: Documents) -> None:
        self.imports: Mapping[str, Opening] = imports_of(documents)
        self._document = documents.plan
        self._places: dict[str, Path] | None = None

    def address(self, named: str) -> str | None:
        """The resource of a name; imports of version 1 write ``[0]`` behind one that has no count."""
        if self.place(named) is not None:
            return named
        alone = named.removesuffix("[0]")
        return alone if alone != named and self.place(alone) is not None else None

    def place(self, address: str) -> Path | None:
        """Where the change of a resource stands."""
        if self._places is None:
            changes = self._document.get("resource_changes") or []
            self._places = {}
            for index, change in enumerate(changes):
                self._places.setdefault(change["address"], ("resource_changes", index))
        return self._places.get(address)


@dataclass(frozen=True, slots=True)
class Judge:
    """Asks one policy."""

    linked: Linked
    params: Mapping[str, Any]
    globals: Mapping[str, Any]
    session: Session

    def __call__(self, subject: Subject, context: Context) -> Iterable[Violation]:
        plan = self.session.of(subject, context)
        linked = self.linked
        result = linked.program.evaluate(
            imports={**linked.imports, **{n: o for n, o in plan.imports.items() if n in linked.imports}},
            configs=linked.configs,
            params=self.params,
            globals=self.globals,
            allowed_hosts=context.allowed_hosts,
            budget=context.budget,
            now_ns=context.now_ns,
        )
        return violations(result, linked.program, plan)


def violations(result: Result, program: Program, plan: _Plan) -> list[Violation]:
    """A violation for each resource that made ``main`` what it is; one for all where none is known."""
    if result.outcome == "pass":
        return []
    details = _details(result)
    if result.outcome == "error":
        return [Violation(result.reason, details, error=True)]
    by_resource: dict[str, list[Element]] = {}
    for element in result.failed:
        address = _address(element, plan)
        if address is not None:
            by_resource.setdefault(address, []).append(element)
    if not by_resource:
        return [Violation(_of_all(result), details)]
    return [
        Violation(
            "\n".join([_of_resource(address, elements, result, program), *_undefined(result)]),
            {"address": address, **details},
            plan.place(address),
        )
        for address, elements in by_resource.items()
    ]


def _of_resource(address: str, elements: Sequence[Element], result: Result, program: Program) -> str:
    """What is wrong with a resource: what the policy printed of it, or else what is not true of it."""
    named = re.compile(rf"(?<![\w.\]-]){re.escape(address)}(?:\[0\])?(?![\w.\[-])")
    printed = [line for line in result.output if named.search(line)]
    if not printed:
        verb = "undefined" if result.outcome == "undefined" else "not true"
        return f"{address}: {verb}{_of_elements(elements, program)}"
    return "\n".join(printed if printed[0].startswith(address) else [f"{address}:", *printed])


def _details(result: Result) -> dict[str, Any]:
    details: dict[str, Any] = {"rules": {rule.name: shown(rule.value) for rule in result.rules.values()}}
    if result.output:
        details["printed"] = list(result.output)
    return details


def _of_all(result: Result) -> str:
    """What to say of a policy that names no resource: it may have printed what is wrong."""
    said = list(_undefined(result)) or [f"main is {shown(result.main)}"]
    return "\n".join([*said, *result.output])


def _undefined(result: Result) -> Iterator[str]:
    if result.outcome == "undefined":
        yield result.reason


def _address(element: Element, plan: _Plan) -> str | None:
    """The resource that an element is, or is within."""
    at: Element | None = element
    while at is not None:
        value = at.value.get("address") if isinstance(at.value, dict) else None
        for named in (value, at.key):
            if isinstance(named, str) and (found := plan.address(named)) is not None:
                return found
        at = at.within
    return None


def _of_elements(elements: Sequence[Element], program: Program) -> str:
    """What is not true of a resource, and for which of the things inside that the policy goes over."""
    first = elements[0]
    said = _body(first, program)
    inside = [_shown(each) for each in elements if each.within is not None]
    if not inside:
        return f": {said}"
    more = f" and {len(inside) - _MOST} more" if len(inside) > _MOST else ""
    return f" for {', '.join(inside[:_MOST])}{more} of {first.collection}: {said}"


def _shown(element: Element) -> str:
    """An element of a list by its value, where that is short; others by index or key."""
    is_listed = type(element.key) is int and not isinstance(element.value, dict | list)
    return shown(element.value if is_listed else element.key)


def _body(element: Element, program: Program) -> str:
    """What a policy asks of each element, in its own words."""
    file, span = program.file, element.span
    if span.file == file.name:
        for statement in file.statements:
            for node in ast.walk(statement):
                if isinstance(node, ast.Quantifier) and file.place(node.at) == (span.row, span.column):
                    return shortened(" ".join(file.source(ast.inner(node.body)).split()))
    return f"{element.kind} {element.collection} ({span})"
