"""Templates and constraints from files to a policy set."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any, Final

import orjson

from solon.frameworks.gatekeeper.constraint import Constraint, is_constraint, make_constraint
from solon.frameworks.gatekeeper.errors import GatekeeperError
from solon.frameworks.gatekeeper.match import group_of
from solon.frameworks.gatekeeper.review import Review, is_admission_review, review_of
from solon.frameworks.gatekeeper.template import Template, compile_template, is_template
from solon.frameworks.policy import Context, Policy, PolicyFailure, PolicySet, Violation
from solon.lang import rego
from solon.lang.rego import RegoError
from solon.subjects.subject import Subject, Unreadable

GATOR: Final = "gator.gatekeeper.sh"


def is_gatekeeper(document: Any) -> bool:
    """Whether a document belongs to Gatekeeper's policies rather than to what they judge."""
    return is_template(document) or is_constraint(document)


def load(
    name: str,
    objects: Iterable[Subject],
    point: str = GATOR,
    *,
    cache: rego.Cache | None = None,
    watch: rego.Watch | None = None,
) -> tuple[PolicySet, list[Unreadable]]:
    """The policy set of templates and constraints read as Kubernetes objects, and what is wrong with them.

    ``point`` is the enforcement point that Solon acts as: constraints scoped to others are left out.
    What they cost, or a trace of them, is recorded in ``watch``.
    """
    objects = [obj for obj in objects if is_gatekeeper(obj.document)]
    problems: list[Unreadable] = []
    templates: dict[str, Template] = {}
    for obj in objects:
        if is_template(obj.document):
            try:
                template = compile_template(obj.document, obj.locator.locate(()), cache, watch)
            except GatekeeperError as error:
                problems.append(Unreadable(obj.locator.locate(()), f"ConstraintTemplate {obj.name}: {error}"))
                continue
            templates[template.kind] = template
    constraints: list[Constraint] = []
    for obj in objects:
        if is_constraint(obj.document):
            place = obj.locator.locate(())
            template_found = templates.get(obj.document["kind"])
            if template_found is None:
                problems.append(
                    Unreadable(place, f"constraint {obj.name}: no ConstraintTemplate defines its kind")
                )
                continue
            try:
                constraints.append(make_constraint(obj.document, template_found, place, point))
            except GatekeeperError as error:
                problems.append(Unreadable(place, f"constraint {obj.name}: {error}"))
    return policy_set(name, constraints, revision_of(objects)), problems


def revision_of(objects: Sequence[Subject]) -> str:
    texts = sorted(orjson.dumps(obj.document, option=orjson.OPT_SORT_KEYS) for obj in objects)
    digest = hashlib.sha256()
    for text in texts:
        digest.update(len(text).to_bytes(8, "big") + text)
    return f"sha256:{digest.hexdigest()}"


class _Reviews:
    """The review of the subject at hand, built once for all constraints that are asked about it."""

    def __init__(self) -> None:
        self._held: tuple[Subject, Context, Review] | None = None

    def of(self, subject: Subject, context: Context) -> Review:
        held = self._held  # read and written as a whole: other threads may ask about other subjects
        if held is None or held[0] is not subject or held[1] is not context:
            held = (subject, context, review_of(subject.document, context.namespaces))
            self._held = held
        return held[2]


def policy_set(name: str, constraints: Sequence[Constraint], revision: str) -> PolicySet:
    reviews = _Reviews()
    active = [constraint for constraint in constraints if constraint.stage is not None]
    policies = [_policy(constraint, reviews) for constraint in active]
    by_kind: dict[tuple[str, str], list[Policy]] = {}

    def candidates(subject: Subject) -> Sequence[Policy]:
        if subject.kind != "kubernetes.object":
            return ()
        found: list[Policy] = []
        for group, kind in _kinds(subject.document):
            if (group, kind) not in by_kind:
                by_kind[group, kind] = [
                    policy for policy, c in zip(policies, active, strict=True) if c.matches_kind(group, kind)
                ]
            found += (
                [policy for policy in by_kind[group, kind] if policy not in found]
                if found
                else by_kind[group, kind]
            )
        return found

    def around() -> dict[str, frozenset[str]]:
        read = frozenset(["inventory"])
        return {p.id: read for p, c in zip(policies, active, strict=True) if c.template.uses_inventory}

    return PolicySet(name, revision, policies, candidates, surroundings=around)


def _kinds(document: dict[str, Any]) -> set[tuple[str, str]]:
    """The (group, kind) of an object, or of the versions in an AdmissionReview."""
    if not is_admission_review(document):
        return {(group_of(document), document["kind"])}
    request = document.get("request")
    versions = [request.get("object"), request.get("oldObject")] if isinstance(request, dict) else []
    return {(group_of(v), str(v.get("kind", ""))) for v in versions if isinstance(v, dict)}


def _policy(constraint: Constraint, reviews: _Reviews) -> Policy:
    assert constraint.stage is not None
    notes = {**constraint.template.annotations, **constraint.annotations}

    def applies(subject: Subject, context: Context) -> bool:
        try:
            return constraint.concerns(reviews.of(subject, context))
        except GatekeeperError as error:
            raise PolicyFailure(str(error)) from None

    def judge(subject: Subject, context: Context) -> list[Violation]:
        try:
            return constraint.violations(reviews.of(subject, context), context)
        except RegoError as error:
            raise PolicyFailure(str(error)) from None

    return Policy(
        id=f"{constraint.kind}/{constraint.name}",
        language="rego",
        framework="gatekeeper",
        source=constraint.location,
        stage=constraint.stage,
        applies=applies,
        judge=judge,
        title=notes.get("metadata.gatekeeper.sh/title", ""),
        description=notes.get("description", ""),
        severity=notes.get("solon.dev/severity", "medium"),
        owner=notes.get("solon.dev/owner", ""),
        controls=tuple(c.strip() for c in notes.get("solon.dev/controls", "").split(",") if c.strip()),
        remediation=notes.get("solon.dev/remediation", ""),
        parameters=constraint.parameters,
        code=constraint.template.location,
    )
