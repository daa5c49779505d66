"""What is to be submitted: a manifest, or the job that MLflow makes of its template."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec

from solon.cli.check import split
from solon.cli.errors import Failure, UsageError
from solon.governance.quota.demand import gpus
from solon.governance.quota.reservation import marked, team_of
from solon.subjects import discover, kubernetes
from solon.subjects.documents import Problem, decode, text_of
from solon.subjects.subject import Subject

TEMPLATE: Final = "kube-job-template-path"
_REPOSITORY: Final = "repository-uri"
_CONTAINERS: Final = ("spec", "template", "spec", "containers")


@dataclass(frozen=True, slots=True)
class Job:
    """``subjects`` are the objects as they will be submitted, ``written`` as their file has them.

    ``backend`` is the configuration of MLflow's Kubernetes backend, where ``path`` is one.
    """

    path: str
    subjects: Sequence[Subject]
    written: Sequence[Any]
    backend: dict[str, Any] | None = None

    @property
    def name(self) -> str:
        """Of the first workload that asks for GPUs, or else of the first object."""
        asking = [each for each in self.subjects if gpus(each.document)]
        return (asking or self.subjects)[0].name.removesuffix("-")

    @property
    def gpus(self) -> int:
        return sum(gpus(each.document) for each in self.subjects)

    def of(self, reservation: str, team: str) -> Job:
        """The same, labelled with its reservation, and its team where it names none. Raises UsageError."""
        subjects = [_labelled(each, reservation, team) for each in self.subjects]
        written = [marked(each, reservation, "" if team_of(each) else team) for each in self.written]
        return replace(self, subjects=subjects, written=written)

    @property
    def team(self) -> str:
        """Whose quota it counts against. Raises UsageError where it is that of several teams."""
        teams = sorted({team_of(each.document) for each in self.subjects if gpus(each.document)})
        if len(teams) > 1:
            raise UsageError(
                f"{self.path}: its workloads are of several teams ({', '.join(each or 'none' for each in teams)}): "
                "reserve for one at a time"
            )
        return teams[0] if teams else ""

    @property
    def text(self) -> bytes:
        """The manifest to submit: JSON, which is YAML."""
        objects = self.written
        return _json(
            objects[0] if len(objects) == 1 else {"apiVersion": "v1", "kind": "List", "items": objects}
        )

    def save(self, directory: str) -> str:
        """Write what is to be submitted there, and give the path that stands in for ``path``. Raises OSError."""
        if self.backend is None:
            return _write(directory, os.path.basename(self.path), self.text)
        template = _write(directory, "job-template.yaml", self.text)
        return _write(directory, "backend_config.json", _json({**self.backend, TEMPLATE: template}))


def read(path: str, *, max_bytes: int, cluster: str) -> Job:
    """Raises UsageError, Failure."""
    backend = _backend(path, max_bytes)
    if backend is None:
        subjects = list(_objects(path, max_bytes, cluster))
        return Job(path, subjects, [each.document for each in subjects])
    template, repository = backend.get(TEMPLATE), backend.get(_REPOSITORY)
    for key, value in ((TEMPLATE, template), (_REPOSITORY, repository)):
        if not isinstance(value, str) or not value:
            raise UsageError(f"{path}: {key} must be a text: without it MLflow submits nothing")
    subjects = list(_objects(str(template), max_bytes, cluster))
    if len(subjects) != 1 or subjects[0].document["kind"] != "Job":
        raise UsageError(f"{template}: must hold one object of kind Job, as MLflow submits no other")
    made = _as_mlflow_submits(subjects[0], str(repository))
    return Job(path, [made], [subjects[0].document], backend)


def _as_mlflow_submits(subject: Subject, repository: str) -> Subject:
    """What mlflow.projects.kubernetes writes over a template. Raises UsageError.

    That is the name, to which it adds the time, and of the first container the name, the image and the command. They are
    known when it submits: the name here is one that is generated, and the image that of the repository.
    """
    document = subject.document
    metadata = document.get("metadata")
    if not isinstance(metadata, dict) or not isinstance(metadata.get("namespace"), str):
        raise UsageError(f"{subject.location}: must have metadata.namespace: without it MLflow fails")
    containers: Any = document
    for name in _CONTAINERS:
        containers = containers.get(name) if isinstance(containers, dict) else None
    if not isinstance(containers, list) or not containers or not isinstance(containers[0], dict):
        raise UsageError(
            f"{subject.location}: {'.'.join(_CONTAINERS)} must have a container: MLflow's own is the first"
        )
    base = metadata.get("name") or metadata.get("generateName")
    base = base.removesuffix("-") if isinstance(base, str) and base else "mlflow-project"
    kept = {key: value for key, value in metadata.items() if key != "name"}
    first = {key: value for key, value in containers[0].items() if key != "command"} | {"image": repository}
    made = _with(
        {**document, "metadata": {**kept, "generateName": f"{base}-"}}, _CONTAINERS, [first, *containers[1:]]
    )
    uri = subject.uri.rpartition("/")[0] + f"/{base}-"
    return replace(subject, document=made, name=f"Job/{base}-", uri=uri)


def _with(document: dict[str, Any], path: Sequence[str], value: Any) -> dict[str, Any]:
    name, *rest = path
    return {**document, name: _with(document[name], rest, value) if rest else value}


def _backend(path: str, max_bytes: int) -> dict[str, Any] | None:
    """The configuration of MLflow's backend that a file is, if it is one. Raises UsageError."""
    if path == "-":
        return None
    if not os.path.lexists(path):
        raise UsageError(f"{path or repr(path)}: no such file or directory")
    try:
        first = next(decode(text_of(discover.read_bytes(path, lambda _size: b"", max_bytes))), None)
    except Problem as problem:
        raise UsageError(str(problem.at(path))) from None
    value = first.value if first is not None and not isinstance(first, Problem) else None
    return value if isinstance(value, dict) and TEMPLATE in value and "kind" not in value else None


def _objects(path: str, max_bytes: int, cluster: str) -> Iterator[Subject]:
    """Raises Failure where anything cannot be read, or is no object: half a job must not be reserved for."""
    found = discover.find([path])
    subjects, unreadable = split(
        each
        for source in found
        for each in (
            [source]
            if not isinstance(source, discover.Input)
            else discover.read(source, stdin=sys.stdin.buffer.read, max_bytes=max_bytes, cluster=cluster)
        )
    )
    problems = [str(each) for each in unreadable]
    problems += [
        f"{each.location}: no Kubernetes object (it has no apiVersion and kind)"
        for each in subjects
        if each.kind != kubernetes.OBJECT
    ]
    if problems or not subjects:
        problems = problems or [f"{path}: no Kubernetes objects"]
        raise Failure("\n".join([*problems, "solon: nothing was reserved"]))
    yield from subjects


def _labelled(subject: Subject, reservation: str, team: str) -> Subject:
    said = team_of(subject.document)
    if team and said and said != team and gpus(subject.document):
        raise UsageError(f"{subject.location}: {subject.name} is of team {said}, and not of {team}")
    document = marked(subject.document, reservation, "" if said else team)
    labels = {name: value for name, value in document["metadata"]["labels"].items() if isinstance(value, str)}
    return replace(subject, document=document, labels=labels)


def _json(value: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"


def _write(directory: str, name: str, data: bytes) -> str:
    path = os.path.join(directory, name)
    with open(path, "wb") as file:
        file.write(data)
    return path
