"""Every live model in what was given, told apart by content."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from solon.evidence.deployed import kserve, mlflow, sagemaker
from solon.evidence.deployed import kubernetes as workloads
from solon.evidence.deployed.live import Live, Settings, named
from solon.subjects import kubernetes
from solon.subjects.subject import Subject


def live(
    subjects: Sequence[Subject], settings: Settings, wanted: mlflow.Wanted, registered: Iterable[Live] = ()
) -> list[Live]:
    """``registered`` are those that a registry told of. What names an alias has the version that it stands for."""
    objects = [each for each in subjects if each.kind == kubernetes.OBJECT]
    others = [each for each in subjects if each.kind == kubernetes.DOCUMENT]
    answers = [each for each in others if mlflow.is_answer(each.document)]
    in_registry = [*registered, *mlflow.live(answers)]
    versions = {(each.name, _called(each)): each.version for each in in_registry}
    served = list(kserve.live(objects, settings))
    found = [
        *workloads.live(objects, settings, served),
        *served,
        *sagemaker.live([each for each in others if sagemaker.is_description(each.document)], settings),
    ]
    return [
        *(_resolved(each, versions, settings) for each in found),
        *(each for each in in_registry if wanted.covers(each)),
    ]


def is_of_use(subject: Subject) -> bool:
    """Whether it could tell of a live model. A registry of MLflow without models answers ``{}``."""
    return subject.kind == kubernetes.OBJECT or (
        subject.kind == kubernetes.DOCUMENT
        and (
            mlflow.is_answer(subject.document)
            or sagemaker.is_description(subject.document)
            or subject.document == {}
        )
    )


def _called(each: Live) -> str:
    return each.serves.partition(" ")[2]


def _resolved(each: Live, versions: dict[tuple[str, str], str], settings: Settings) -> Live:
    """With the version that an alias in its URI stands for today, where a registry said so."""
    if each.version or not each.uri:
        return each
    said = named(each.uri, settings.registry)
    version = versions.get((said.name, said.alias))
    return replace(each, version=version, problem="") if version else each
