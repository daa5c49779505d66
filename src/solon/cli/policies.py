"""Policy sets from the paths a user names, each told apart by what is in it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from solon.cli import cache, config
from solon.cli.errors import Failure, UsageError
from solon.frameworks import rego_files
from solon.frameworks.gatekeeper.load import is_gatekeeper
from solon.frameworks.policy import PolicySet, SourceText, source_text
from solon.frameworks.rego_files import Dialect
from solon.frameworks.sentinel.find import find as sentinel_sets
from solon.lang import rego
from solon.subjects import discover
from solon.subjects.documents import Problem
from solon.subjects.subject import Subject, Unreadable


@dataclass(frozen=True, slots=True)
class Wanted:
    """Where policies are, and which of them are meant."""

    paths: Sequence[str]
    data: Sequence[str]
    namespaces: Sequence[str]
    all_namespaces: bool
    dialect: Dialect
    watch: rego.Watch | None = None  # where their costs, or their evaluations, are recorded
    schemas: Mapping[tuple[str, ...], Any] | None = None
    params: Mapping[str, Any] = field(default_factory=dict)  # of Sentinel policies
    copies: Mapping[str, str] = field(default_factory=dict)  # of their remote sources
    may_be_none: bool = False  # documents of Rego that are no policies are enough
    names: Sequence[
        str
    ] = ()  # of the paths, for the names of the sets: those of solon.yaml, from wherever it is run

    @property
    def named(self) -> str:
        return ",".join(self.names or self.paths)


def of_repository(found: config.Found) -> Wanted:
    """Those of solon.yaml, under the names that it gives them."""
    settings = found.config
    named = settings.policies or ["policy"]
    return Wanted(
        found.paths(named),
        found.paths(settings.data),
        settings.namespaces,
        all_namespaces=False,
        dialect="auto",
        names=named,
        params=settings.sentinel.params,
        copies=found.copies(),
    )


def load(wanted: Wanted) -> list[PolicySet]:
    """The policy sets. Raises UsageError, and Failure with every error of policies that do not compile."""
    for path in [*wanted.paths, *wanted.data]:
        if not os.path.exists(path):
            raise UsageError(f"{path or repr(path)}: no such file or directory")
    problems: list[str] = []
    found = [_rego(wanted, problems), _gatekeeper(wanted, problems), *_sentinel(wanted, problems)]
    sets = [policy_set for policy_set in found if policy_set is not None]
    if problems:
        count = sum(_errors_in(problem) for problem in problems)
        raise Failure(
            "\n".join(
                [*problems, f"solon: {count} error{'s' * (count != 1)} in policies; nothing was judged"]
            )
        )
    if not any(s.policies for s in sets) and not wanted.may_be_none:
        shown = ", ".join(wanted.paths)
        if wanted.namespaces:
            raise UsageError(
                f"{shown}: no policies in package {' or '.join(wanted.namespaces)}. Name another with "
                "--namespace, or take those of every package with --all-namespaces"
            )
        raise UsageError(
            f"{shown}: no policies found. Looked for Rego rules named deny, warn or violation, for Gatekeeper "
            "ConstraintTemplates with constraints, and for sentinel.hcl"
        )
    ours = (policy for s in sets for policy in s.policies if policy.language == "sentinel")
    taken = {name for policy in ours for name in policy.parameters or {}}
    if unknown := sorted(wanted.params.keys() - taken):
        raise UsageError(f"no Sentinel policy has a parameter {' or '.join(unknown)}")
    return [s for s in sets if s.policies]


def _errors_in(problem: str) -> int:
    """How many errors a text tells of: those of a language each have a code, any other text is one."""
    return max(1, problem.count(": rego_") + problem.count(": sentinel_"))


def _rego(wanted: Wanted, problems: list[str]) -> PolicySet | None:
    files = rego_files.read(wanted.paths, wanted.data, wanted.dialect)
    problems += map(str, files.problems)
    if not files.modules:
        return None
    from solon.frameworks import conftest
    from solon.lang.rego import RegoError

    try:
        return conftest.load(
            f"conftest:{wanted.named}",
            files,
            wanted.namespaces,
            every=wanted.all_namespaces,
            cache=cache.of_user(),
            watch=wanted.watch,
            schemas=wanted.schemas,
        )
    except RegoError as error:
        problems.append(error.render())
        return None


def _gatekeeper(wanted: Wanted, problems: list[str]) -> PolicySet | None:
    objects: list[Subject] = []
    texts: list[SourceText] = []
    for path in wanted.paths:
        for source in (
            discover.find([path]) if os.path.isdir(path) or path.endswith(discover.EXTENSIONS) else []
        ):
            if isinstance(source, Unreadable):
                problems += [str(source)] if source.problem not in (discover.NOTHING, discover.LOOP) else []
                continue
            text = _mentioning_gatekeeper(source.path, problems)
            if text is None:
                continue
            before = len(objects)
            for subject in discover.read(source, stdin=lambda _size: b""):
                if isinstance(subject, Unreadable):
                    problems.append(str(subject))
                elif subject.kind == "kubernetes.object" and is_gatekeeper(subject.document):
                    objects.append(subject)
            if len(objects) > before:
                texts.append(source_text(source.path, text))
    if not objects:
        return None
    from solon.frameworks import gatekeeper

    found, wrong = gatekeeper.load(
        f"gatekeeper:{wanted.named}", objects, cache=cache.of_user(), watch=wanted.watch
    )
    problems += map(str, wrong)
    return replace(found, texts=texts)


def _sentinel(wanted: Wanted, problems: list[str]) -> Iterator[PolicySet | None]:
    for path, name in zip(wanted.paths, wanted.names or wanted.paths, strict=True):
        for place in sentinel_sets(path):
            from solon.frameworks.sentinel.load import load as load_sentinel

            found, wrong = load_sentinel(
                place, within=path, name=name, params=wanted.params, copies=wanted.copies
            )
            problems += wrong
            yield found


def _mentioning_gatekeeper(path: str, problems: list[str]) -> bytes | None:
    """A cheap look before parsing: policy directories hold fixtures and other YAML, too."""
    try:
        text = discover.read_bytes(path, lambda _size: b"")
    except Problem as problem:
        problems.append(str(problem.at(path)))
        return None
    return text if b"gatekeeper.sh/" in text else None
