"""Live models of KServe: InferenceService (v1beta1), TrainedModel and LLMInferenceService (v1alpha1).

In a canary rollout two versions are live: that of the specification, and the one before, which is in a Revision of Knative
alone. (KServe documentation, "Canary Rollout Strategy"; the status has the traffic of each revision.)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from solon.evidence.deployed.kubernetes import SOURCE_URI, claim_of, is_kserve, served
from solon.evidence.deployed.live import Claim, Live, Settings
from solon.subjects.fields import get, items, mapping, text
from solon.subjects.subject import Path, Subject

_COMPONENTS: Final = ("predictor", "transformer", "explainer")
_PREVIOUS: Final = (
    "the version before the canary is not in what was given: add `kubectl get revisions.serving.knative.dev`"
)


def live(subjects: Sequence[Subject], settings: Settings) -> Iterator[Live]:
    """``subjects`` are all objects: Revisions tell of versions that a canary leaves running."""
    revisions = {
        (subject.namespace, str(get(subject.document, ("metadata", "name")))): subject
        for subject in subjects
        if subject.document["kind"] == "Revision"
    }
    for subject in subjects:
        if is_kserve(subject.document):
            reader = _READERS.get(subject.document["kind"])
            if reader is not None:
                yield from reader(subject, settings, revisions)


_Revisions = Mapping[tuple[str, str], Subject]


@dataclass(frozen=True, slots=True)
class _Part:
    """A model that a component loads: its URI, and where that is written. ``share``: percent of the traffic."""

    uri: str
    path: Path
    share: float | None
    problem: str = ""


def _inference_service(subject: Subject, settings: Settings, revisions: _Revisions) -> Iterator[Live]:
    claim = claim_of(mapping(get(subject.document, ("metadata", "annotations"))), settings.registry)
    found = False
    for component in _COMPONENTS:
        spec = get(subject.document, ("spec", component))
        if not isinstance(spec, dict):
            continue
        current, previous = _shares(subject, component, spec)
        for part in _loads(spec, ("spec", component), current, settings):
            if current is None or current > 0 or spec.get("canaryTrafficPercent") == 0:
                found = True
                yield _made(subject, settings, claim if component == "predictor" else Claim(), part)
        for revision, share in previous:
            found = True
            yield _before(subject, settings, revision, share, revisions, component)
    if not found:
        part = _Part("", ("spec", "predictor"), None)
        yield _made(subject, settings, claim, part)


def _shares(
    subject: Subject, component: str, spec: Mapping[str, Any]
) -> tuple[float | None, list[tuple[str, float | None]]]:
    """The traffic of what the specification has, and of each other revision by its name (empty: not known)."""
    status = mapping(get(subject.document, ("status", "components", component)))
    traffic = [each for each in items(status.get("traffic")) if isinstance(each, dict)]
    newest = status.get("latestCreatedRevision")
    if traffic and isinstance(newest, str):
        current = 0.0
        others: list[tuple[str, float | None]] = []
        for each in traffic:
            share = _number(each.get("percent"))
            name = each.get("revisionName")
            if name == newest or (name is None and each.get("latestRevision") is True):
                current += share or 0.0
            elif share:
                others.append((text(name), share))
        return current, others
    canary = _number(spec.get("canaryTrafficPercent"))
    if canary is None or canary >= 100:
        return 100.0 if component == "predictor" else None, []
    return canary, [("", 100.0 - canary)]


def _loads(spec: Mapping[str, Any], at: Path, share: float | None, settings: Settings) -> Iterator[_Part]:
    """The models of a component: of its ``model`` or framework, ``storageUris``, and its containers' environment."""
    for field, said in spec.items():
        if isinstance(said, dict) and isinstance(said.get("storageUri"), str):
            yield _Part(said["storageUri"], (*at, field, "storageUri"), share)
        yield from _many(mapping(said).get("storageUris"), (*at, field, "storageUris"), share)
    if isinstance(spec.get("storageUri"), str):
        yield _Part(spec["storageUri"], (*at, "storageUri"), share)
    yield from _many(spec.get("storageUris"), (*at, "storageUris"), share)
    for field in ("containers", "model"):
        containers = spec.get(field)
        listed = isinstance(containers, list)
        for number, container in enumerate(items(containers) if listed else [containers]):
            place = (*at, field, number) if listed else (*at, field)
            for index, variable in enumerate(items(mapping(container).get("env"))):
                said = mapping(variable)
                if said.get("name") in settings.registry.environment_variables and isinstance(
                    said.get("value"), str
                ):
                    yield _Part(said["value"], (*place, "env", index, "value"), share)


def _many(uris: Any, path: Path, share: float | None) -> Iterator[_Part]:
    for index, each in enumerate(items(uris)):
        if isinstance(uri := mapping(each).get("uri"), str):
            yield _Part(uri, (*path, index, "uri"), share)


def _before(
    subject: Subject,
    settings: Settings,
    revision: str,
    share: float | None,
    revisions: _Revisions,
    component: str,
) -> Live:
    at = ("spec", component, "canaryTrafficPercent")
    found = revisions.get((subject.namespace, revision))
    annotations = mapping(get(found.document, ("metadata", "annotations"))) if found is not None else {}
    uri = annotations.get(SOURCE_URI)
    claim = claim_of(annotations, settings.registry)
    if isinstance(uri, str) or claim.name:
        return _made(subject, settings, claim, _Part(text(uri), at, share))
    return _made(subject, settings, Claim(), _Part("", at, share, _PREVIOUS))


def _trained_model(subject: Subject, settings: Settings, _revisions: _Revisions) -> Iterator[Live]:
    claim = claim_of(mapping(get(subject.document, ("metadata", "annotations"))), settings.registry)
    at = ("spec", "model", "storageUri")
    yield _made(subject, settings, claim, _Part(text(get(subject.document, at)), at, None))


def _llm(subject: Subject, settings: Settings, _revisions: _Revisions) -> Iterator[Live]:
    """The base model, and each adapter that is served with it."""
    if get(subject.document, ("spec", "replicas")) == 0:
        return
    claim = claim_of(mapping(get(subject.document, ("metadata", "annotations"))), settings.registry)
    at = ("spec", "model", "uri")
    yield _made(subject, settings, claim, _Part(text(get(subject.document, at)), at, None))
    adapters: Path = ("spec", "model", "lora", "adapters")
    for index, adapter in enumerate(items(get(subject.document, adapters))):
        uri = text(mapping(adapter).get("uri"))
        yield _made(subject, settings, Claim(), _Part(uri, (*adapters, index, "uri"), None))


def _made(subject: Subject, settings: Settings, claim: Claim, part: _Part) -> Live:
    return served(subject, settings, claim, "kserve", part.uri, part.path, part.share, part.problem)


_READERS: Final = {
    "InferenceService": _inference_service,
    "TrainedModel": _trained_model,
    "LLMInferenceService": _llm,
}


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
