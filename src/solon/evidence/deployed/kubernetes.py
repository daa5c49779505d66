"""Live models of Kubernetes: workloads that say which model they serve, or load one by a URI in their environment.

Read from manifests or from ``kubectl get -o json``. What is scaled to nothing, or has finished, is not live. Of an object that
another one owns (the pods of a Deployment) the model is told of once, with its owner's; pods of a version that their owner
does not have any more are live all the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from solon.evidence.deployed.live import DIGEST, Claim, Live, Registry, Settings, identified
from solon.subjects.fields import get, items, mapping, mappings, text
from solon.subjects.subject import Path, Subject

# KServe notes there what its storage initializer loads.
SOURCE_URI: Final = "internal.serving.kserve.io/storage-initializer-sourceuri"
_COMPONENT: Final = "app.kubernetes.io/component"
_TEMPLATES: Final[Mapping[str, Path]] = {
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
    "Pod": (),
}
_USUAL: Final[Path] = ("spec", "template")
_ENDED: Final = frozenset(["Succeeded", "Failed", "Complete"])


def live(subjects: Sequence[Subject], settings: Settings, owners: Sequence[Live] = ()) -> Iterator[Live]:
    """KServe's own kinds are left to ``kserve``; ``owners`` are those."""
    owned: list[Live] = []
    told = {_key(each) for each in owners}
    for subject in subjects:
        if not _runs(subject.document):
            continue
        for each in _of(subject, settings):
            if mapping(mapping(subject.document).get("metadata")).get("ownerReferences"):
                owned.append(each)
            else:
                told.add(_key(each))
                yield each
    for each in owned:
        if _key(each) not in told:
            told.add(_key(each))
            yield each


def claim_of(annotations: Mapping[str, Any], registry: Registry) -> Claim:
    """What annotations say of the model."""
    return Claim(
        _word(annotations.get(registry.annotations.model)),
        _word(annotations.get(registry.annotations.version)),
        text(annotations.get(DIGEST)),
    )


def _key(each: Live) -> tuple[str, ...]:
    """What owner and owned have in common."""
    return each.namespace, each.name, each.version, each.uri if not each.known else ""


def _of(subject: Subject, settings: Settings) -> Iterator[Live]:
    registry, document = settings.registry, subject.document
    at = _TEMPLATES.get(document["kind"], _USUAL)
    template = get(document, at)
    of_template = get(template, ("metadata", "annotations")) if at else None
    annotations = {**mapping(of_template), **mapping(get(document, ("metadata", "annotations")))}
    claim = claim_of(annotations, registry)
    uris = list(_uris(template, at, registry))
    if not uris and (claim.name or claim.version):
        uris = [_Uri("", ("metadata", "annotations"))]
    if not uris and _is_model_server(subject, template, registry):
        uris = [_Uri("", ("metadata", "labels"))]
    for uri in uris:
        yield served(subject, settings, claim, "kubernetes", uri.uri, uri.path)


def served(
    subject: Subject,
    settings: Settings,
    claim: Claim,
    source: str,
    uri: str,
    path: Path,
    traffic: float | None = None,
    problem: str = "",
) -> Live:
    """What an object serves from a URI, which stands at a path of it; ``problem`` counts before what keeps it unknown."""
    found, unknown = identified(claim, uri, settings.registry)
    whose = settings.whose(subject)
    return Live(
        name=found.name,
        version=found.version,
        where=subject.uri,
        serves=subject.name,
        location=subject.locator.locate(path),
        source=source,
        uri=uri,
        digest=claim.digest,
        namespace=subject.namespace,
        environment=whose.environment,
        team=whose.team,
        owner=whose.owner,
        traffic=traffic,
        problem=problem or unknown,
    )


@dataclass(frozen=True, slots=True)
class _Uri:
    uri: str
    path: Path


def _uris(template: Any, at: Path, registry: Registry) -> Iterator[_Uri]:
    """Where containers load models from, each once."""
    seen: set[str] = set()
    said = get(template, ("metadata", "annotations", SOURCE_URI))
    if isinstance(said, str) and said:
        seen.add(said)
        yield _Uri(said, (*at, "metadata", "annotations", SOURCE_URI))
    for field in ("containers", "initContainers"):
        containers = get(template, ("spec", field))
        for number, container in enumerate(items(containers)):
            for index, variable in enumerate(items(mapping(container).get("env"))):
                name, value = mapping(variable).get("name"), mapping(variable).get("value")
                if name in registry.environment_variables and isinstance(value, str) and value not in seen:
                    seen.add(value)
                    yield _Uri(value, (*at, "spec", field, number, "env", index, "value"))


def _is_model_server(subject: Subject, template: Any, registry: Registry) -> bool:
    of_template = mapping(get(template, ("metadata", "labels"))).get(_COMPONENT)
    return bool({subject.labels.get(_COMPONENT), of_template} & set(registry.component_labels))


def is_kserve(document: Mapping[str, Any]) -> bool:
    return str(document["apiVersion"]).startswith("serving.kserve.io/")


def _runs(document: Mapping[str, Any]) -> bool:
    if document["kind"] == "Revision" or is_kserve(document):
        return False
    if mapping(document.get("spec")).get("replicas") == 0:
        return False
    status = mapping(document.get("status"))
    ended = {
        text(condition.get("type"))
        for condition in mappings(status.get("conditions"))
        if condition.get("status") == "True"
    }
    return text(status.get("phase")) not in _ENDED and not ended & _ENDED


def _word(value: Any) -> str:
    """A version may be written as a number."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if is_number else text(value)
