"""What lint has to say of templates and constraints beside each other: names, metadata, and what suites test."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from solon.frameworks.gatekeeper.constraint import Constraint
from solon.frameworks.lint import FIELDS, lacking, remark, span_of
from solon.lang.remark import Remark, Severity
from solon.lang.source import Diagnostic
from solon.subjects.subject import Path, Subject

RULES: Final[dict[str, tuple[Severity, str]]] = {
    "gatekeeper/untested-template": ("warning", "a template that no suite asks about"),
    "gatekeeper/missing-metadata": ("warning", "a template that does not say what it has to say of itself"),
}
# The annotation that holds each field, of the template or of its constraints.
ANNOTATIONS: Final = {
    "title": "metadata.gatekeeper.sh/title",
    "description": "description",
    **{name: f"solon.dev/{name}" for name in ("severity", "remediation", "owner", "controls")},
}
# What has to be said where nobody has decided about it: Gatekeeper's own.
REQUIRED: Final = ("title", "description")


@dataclass(slots=True)
class Suites:
    """What suites have templates say, by kind: whether there were violations, and whether there were none.

    ``asked`` are the files of the constraints in them.
    """

    denied: set[str] = field(default_factory=set)
    allowed: set[str] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)

    def seen(self, constraint: Constraint, messages: list[str]) -> None:
        (self.denied if messages else self.allowed).add(constraint.kind)
        self.asked.add(os.path.realpath(constraint.location.file))


def lint(
    templates: Sequence[Subject],
    constraints: Sequence[Subject],
    suites: Suites | None,
    required: Collection[str],
) -> Iterator[Remark]:
    """``suites`` is None where nobody ran them."""
    asked = suites.asked if suites is not None else set()
    yield from _duplicates(templates, lambda subject: ("ConstraintTemplate", kind_of(subject)), set())
    yield from _duplicates(constraints, lambda each: (each.document.get("kind"), name_of(each)), asked)
    for template in templates:
        yield from _metadata(template, constraints, required)
        if suites is not None:
            yield from _tests(template, suites)


def kind_of(template: Subject) -> str:
    """The kind that a template defines."""
    value = template.document
    for name in ("spec", "crd", "spec", "names", "kind"):
        value = value.get(name) if isinstance(value, dict) else None
    return str(value)


def name_of(subject: Subject) -> str:
    meta = subject.document.get("metadata")
    return str(meta.get("name")) if isinstance(meta, dict) else ""


def _duplicates(
    subjects: Sequence[Subject], identity: Callable[[Subject], tuple[Any, str]], asked: Collection[str]
) -> Iterator[Remark]:
    """Those of one name. Two that suites ask about, one at a time, may be variants for a test."""
    first: dict[tuple[Any, str], Subject] = {}
    for subject in subjects:
        name = identity(subject)
        other = first.setdefault(name, subject)
        if other is not subject and not all(_file(each) in asked for each in (subject, other)):
            yield remark(
                "policy/duplicate-id",
                f"{name[0]} {name[1]} is defined at {other.locator.locate(())} already: the one hides the other",
                span_of(subject.locator.locate(("metadata", "name"))),
                "remove one of them, or give it a name of its own",
            )


def _file(subject: Subject) -> str:
    return os.path.realpath(subject.location.file)


def _metadata(
    template: Subject, constraints: Sequence[Subject], required: Collection[str]
) -> Iterator[Remark]:
    """What neither a template nor each of its constraints says."""
    kind = kind_of(template)
    own = [notes_of(constraint) for constraint in constraints if constraint.document.get("kind") == kind]
    said = notes_of(template)
    missing = [
        name
        for name in FIELDS
        if name in required
        and not said.get(ANNOTATIONS[name])
        and not (own and all(notes.get(ANNOTATIONS[name]) for notes in own))
    ]
    if missing:
        yield _remark(
            "gatekeeper/missing-metadata",
            f"{kind} has {lacking(missing)}",
            template,
            ("metadata", "annotations"),
            f"say it in annotations of the template, or of its constraints: "
            f"{', '.join(ANNOTATIONS[name] for name in missing)}",
        )


def notes_of(subject: Subject) -> dict[str, Any]:
    meta = subject.document.get("metadata")
    annotations = meta.get("annotations") if isinstance(meta, dict) else None
    return annotations if isinstance(annotations, dict) else {}


def _tests(template: Subject, suites: Suites) -> Iterator[Remark]:
    kind, place = kind_of(template), ("spec", "crd", "spec", "names", "kind")
    span = span_of(template.locator.locate(place))
    if kind not in suites.denied | suites.allowed:
        yield _remark(
            "gatekeeper/untested-template",
            f"no suite asks {kind} about an object",
            template,
            place,
            "write a suite (kind: Suite) with a case that it denies, and one that it allows",
        )
        return
    if kind not in suites.denied:
        yield remark(
            "policy/no-denying-test",
            f"no case of a suite has {kind} find anything",
            span,
            "add a case with an object that is bad, and `violations: yes`",
        )
    if kind not in suites.allowed:
        yield remark(
            "policy/no-allowing-test",
            f"no case of a suite has {kind} let anything pass",
            span,
            "add a case with an object that is good, and `violations: no`",
        )


def _remark(code: str, message: str, subject: Subject, path: Path, hint: str) -> Remark:
    return Remark(RULES[code][0], Diagnostic(code, message, span_of(subject.locator.locate(path)), hint))
