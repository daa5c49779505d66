"""solon model deployed: which versions of which models are live, and where."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import msgspec

from solon.cli import check, config, governed, programme
from solon.cli.config import Found
from solon.cli.errors import UsageError
from solon.cli.progress import track
from solon.evidence.deployed import inventory, mlflow
from solon.evidence.deployed.live import Live, Registry, Settings, Whose, by_labels
from solon.frameworks import rego_files
from solon.frameworks.gatekeeper.inventory import namespaces_of
from solon.governance import times
from solon.report import deployed_report
from solon.subjects import discover, kubernetes
from solon.subjects.subject import Subject, Unreadable

DATA: Final = "model_registry"


@dataclass(frozen=True, slots=True)
class Options:
    paths: list[str]
    servers: list[str]
    aliases: list[str]
    stages: list[str]
    cluster: str
    environment: str
    max_bytes: int


def run(options: Options, format: str) -> int:
    """The exit status. Raises UsageError."""
    found, unreadable = deployed(options)
    sys.stdout.write(deployed_report.render(format, found))
    for problem in unreadable:
        print(problem, file=sys.stderr)
    return 2 if unreadable else 0


def deployed(options: Options) -> tuple[list[Live], list[Unreadable]]:
    """What is live, and what could not be read. Raises UsageError."""
    if not options.paths and not options.servers:
        raise UsageError("nothing to look at: name files, or a server with --mlflow")
    repository = config.find(os.getcwd())
    subjects, unreadable = _read(options)
    registered = [each for server in options.servers for each in _asked(server)]
    settings = Settings(_registry(repository), _whose(repository, subjects, options))
    wanted = _wanted(repository, options)
    found = inventory.live(subjects, settings, wanted, registered)
    return [replace(each, environment=options.environment or each.environment) for each in found], unreadable


def _read(options: Options) -> tuple[list[Subject], list[Unreadable]]:
    sources = discover.find(options.paths)
    return check.split(
        each
        for source in track(sources, len(sources), "reading")
        for each in ([source] if isinstance(source, Unreadable) else _of_file(source, options))
    )


def _of_file(source: discover.Input, options: Options) -> Iterator[Subject | Unreadable]:
    """What somebody named must be of use: who gives the wrong file must not read that nothing is live."""
    stdin = sys.stdin.buffer.read
    for each in discover.read(source, stdin=stdin, max_bytes=options.max_bytes, cluster=options.cluster):
        if source.named and isinstance(each, Subject) and not inventory.is_of_use(each):
            yield Unreadable(
                each.location,
                "neither an object of Kubernetes, nor what `aws sagemaker describe-…` or MLflow's registry answers",
            )
        else:
            yield each


def _asked(url: str) -> list[Live]:
    try:
        return list(mlflow.live(list(mlflow.ask(url)), mlflow.server(url)))
    except mlflow.RegistryError as error:
        raise UsageError(str(error)) from None


def _wanted(repository: Found | None, options: Options) -> mlflow.Wanted:
    """As the options say, or else solon.yaml, where it says what is governed; otherwise all aliases, and Production."""
    said = repository.config.mlflow if repository is not None else None
    if options.aliases or options.stages:
        return mlflow.Wanted(options.aliases, options.stages)
    if said is not None and (said.aliases or said.stages or said.names):
        return mlflow.Wanted(said.aliases, said.stages, said.names)
    return mlflow.Wanted()


def _registry(repository: Found | None) -> Registry:
    """``model_registry`` of the repository's data. Raises UsageError where it is malformed."""
    if repository is None:
        return Registry()
    said = repository.config
    paths = repository.paths(said.policies or ["policy"])
    files = rego_files.read([path for path in paths if os.path.exists(path)], repository.paths(said.data))
    value = files.data.get(DATA)
    if value is None:
        return Registry()
    try:
        return msgspec.convert(value, Registry)
    except msgspec.ValidationError as error:
        file = next((each.file for each in files.data_files if DATA in (each.value or {})), "data")
        raise UsageError(f"{file}: {DATA}: {error}") from None


def _whose(
    repository: Found | None, subjects: Sequence[Subject], options: Options
) -> Callable[[Subject], Whose]:
    """By the ownership settings of the repository, where there is one. Raises UsageError."""
    if repository is None:
        return by_labels
    objects = [each.document for each in subjects if each.kind == kubernetes.OBJECT]
    around = programme.Run(
        now=times.instant(governed.clock()),
        namespaces=namespaces_of(objects),
        cluster=options.cluster or repository.config.cluster,
        environment=options.environment,
    )
    ownership = programme.ownership(repository, around)

    def whose(subject: Subject) -> Whose:
        traits = ownership.traits(subject)
        return Whose(traits.team, traits.owner, traits.environment)

    return whose
