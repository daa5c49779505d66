"""Asking Sentinel policies about a plan."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from solon.frameworks.policy import Context, Violation
from solon.frameworks.sentinel.findings import Resources, violations
from solon.frameworks.sentinel.library import Linked
from solon.frameworks.sentinel.terraform import Documents, imports_of
from solon.lang.sentinel import Opening
from solon.subjects.subject import Subject

_UNKNOWN_RUN: Final = (
    "it asks for tfrun, and nothing is known of the run: --tfrun and --cost-estimate tell of it"
)


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
        self.resources = Resources(documents.plan)


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
        unknown_run = context.run is None and "tfrun" in linked.imports
        return violations(result, linked.program, plan.resources, _UNKNOWN_RUN if unknown_run else "")
