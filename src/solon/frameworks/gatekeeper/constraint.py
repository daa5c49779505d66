"""Constraints: a template with parameters, and the objects it is about."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from solon.frameworks.field_path import field_path
from solon.frameworks.gatekeeper.errors import GatekeeperError, SchemaError
from solon.frameworks.gatekeeper.match import MatchError, Target, compile_match, kinds_of
from solon.frameworks.gatekeeper.review import Review
from solon.frameworks.gatekeeper.schema import prepare
from solon.frameworks.gatekeeper.template import Template
from solon.frameworks.policy import Context, Stage, Violation
from solon.lang.values import UNDEFINED, json_text
from solon.subjects.subject import Location

GROUP: Final = "constraints.gatekeeper.sh"
VERSIONS: Final = ("v1beta1", "v1alpha1")

_ACTIONS: Final = {"deny": Stage.ENFORCE, "warn": Stage.WARN, "dryrun": Stage.DRYRUN}
_POINTS: Final = ("validation.gatekeeper.sh", "audit.gatekeeper.sh", "gator.gatekeeper.sh", "vap.k8s.io", "*")
_FIELDS: Final = ("match", "enforcementAction", "scopedEnforcementActions", "parameters")
_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_MAX_NAME: Final = 63
_GRAVITY: Final = (Stage.DRYRUN, Stage.WARN, Stage.AUDIT, Stage.ENFORCE)


@dataclass(frozen=True, slots=True)
class Constraint:
    """``stage`` is None where the constraint does not apply at the enforcement point at all."""

    kind: str
    name: str
    template: Template
    parameters: Any
    stage: Stage | None
    matches: Callable[[Target], bool]
    matches_kind: Callable[[str, str], bool]
    location: Location
    annotations: dict[str, str]

    def concerns(self, review: Review) -> bool:
        """Whether the object matches, or has to be rejected as that cannot be told."""
        try:
            for target in review.targets:
                if self.matches(target):
                    return True
        except MatchError as error:
            review.rejections[self.kind, self.name] = str(error)
            return True
        return False

    def violations(self, review: Review, context: Context) -> list[Violation]:
        """What the constraint says of an object that it concerns. Raises RegoError."""
        rejection = review.rejections.get((self.kind, self.name))
        if rejection is not None:
            return [Violation(rejection)]
        results = self.template.violations.evaluate(
            {"review": review.document, "parameters": self.parameters},
            data={"inventory": context.inventory or {}},
            budget=context.budget,
            now_ns=context.now_ns,
            allowed_hosts=context.allowed_hosts,
        )
        if results is UNDEFINED:
            return []
        if not isinstance(results, list):
            return [Violation(f"violation must be a set of objects, not {_shown(results)}", error=True)]
        return [_violation(result, review) for result in _distinct(results)]


def _distinct(results: list[Any]) -> list[Any]:
    """Violations of the same message and details are one, whatever else they say."""
    seen: dict[str, Any] = {}
    for result in results if len(results) > 1 else []:
        shown = result
        if isinstance(result, dict) and "msg" in result:
            shown = [result["msg"], result.get("details", {})]
        seen.setdefault(json_text(shown), result)
    return list(seen.values()) or results


def _violation(result: Any, review: Review) -> Violation:
    if not isinstance(result, dict) or not isinstance(result.get("msg"), str):
        problem = f"a violation must be an object with a string msg, not {_shown(result)}"
        return Violation(problem, error=True)
    details = result.get("details", {})
    message = result["msg"]
    return Violation(message, details, field_path(message, details, review.document["object"]))


def _shown(value: Any) -> str:
    return json_text(value)[:80]


def is_constraint(document: Any) -> bool:
    return isinstance(document, dict) and str(document.get("apiVersion", "")).partition("/")[0] == GROUP


def make_constraint(
    document: dict[str, Any], template: Template, location: Location, point: str
) -> Constraint:
    """Raises GatekeeperError; SchemaError where the parameters do not fit the template's schema."""
    api_version = str(document.get("apiVersion", "")).rpartition("/")[2]
    if api_version not in VERSIONS:
        raise GatekeeperError(
            f"apiVersion {GROUP}/{api_version} is unknown: versions are {', '.join(VERSIONS)}"
        )
    meta = document.get("metadata")
    name = meta.get("name") if isinstance(meta, dict) else None
    if not isinstance(name, str) or not name:
        raise GatekeeperError("metadata.name is missing")
    if len(name) > _MAX_NAME or not _NAME.fullmatch(name):
        raise GatekeeperError(
            f"metadata.name {name!r} must be at most {_MAX_NAME} lower-case letters, digits, '-' and '.', "
            "beginning and ending with a letter or digit"
        )
    spec = document.get("spec")
    spec = {} if spec is None else spec
    if not isinstance(spec, dict):
        raise SchemaError("spec must be an object")
    unknown = sorted(set(spec) - set(_FIELDS))
    if unknown:
        raise GatekeeperError(f"spec.{unknown[0]}: unknown field; known are {', '.join(_FIELDS)}")
    # Where parameters are not there at all, the API server neither asks for required ones nor fills in theirs.
    parameters = spec.get("parameters")
    if parameters is None and isinstance(template.schema, dict):
        parameters = template.schema.get("default")
    if parameters is not None:
        parameters = prepare(template.schema, parameters, keeps_unknown=template.keeps_unknown)
    annotations = meta.get("annotations") if isinstance(meta, dict) else None
    return Constraint(
        kind=template.kind,
        name=name,
        template=template,
        parameters={} if parameters is None else parameters,
        stage=stage_at(spec, point),
        matches=compile_match(spec.get("match")),
        matches_kind=kinds_of(spec.get("match")),
        location=location,
        annotations={k: str(v) for k, v in annotations.items()} if isinstance(annotations, dict) else {},
    )


def stage_at(spec: dict[str, Any], point: str) -> Stage | None:
    """The gravest action the constraint takes at an enforcement point; None where it takes none."""
    action = spec.get("enforcementAction") or "deny"
    if not isinstance(action, str):
        raise SchemaError("spec.enforcementAction must be a string")
    if action != "scoped":
        if action not in _ACTIONS:
            known = ", ".join([*_ACTIONS, "scoped"])
            raise GatekeeperError(f"spec.enforcementAction {action!r} is unknown: must be one of {known}")
        return _ACTIONS[action]
    scoped = spec.get("scopedEnforcementActions")
    if not isinstance(scoped, list) or not scoped:
        raise GatekeeperError("spec.enforcementAction is scoped, but spec.scopedEnforcementActions is empty")
    stages: list[Stage] = []
    for entry in scoped:
        action = entry.get("action") if isinstance(entry, dict) else None
        if action not in _ACTIONS:
            raise GatekeeperError(f"spec.scopedEnforcementActions: unknown action {action!r}")
        for each in entry.get("enforcementPoints") or []:
            name = each.get("name") if isinstance(each, dict) else None
            if name not in _POINTS:
                raise GatekeeperError(f"spec.scopedEnforcementActions: unknown enforcement point {name!r}")
            if name in (point, "*"):
                stages.append(_ACTIONS[action])
    return max(stages, key=_GRAVITY.index, default=None)
