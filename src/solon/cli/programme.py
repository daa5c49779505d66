"""The programme of a policy repository, read from its files."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import msgspec

from solon.cli.config import Found
from solon.cli.errors import UsageError
from solon.frameworks.policy import PolicySet
from solon.governance import codeowners, times
from solon.governance.ownership import Around, Ownership, OwnershipSettings, Source
from solon.governance.programme import Inputs, Programme, creation_times
from solon.governance.rollouts import baseline
from solon.governance.rollouts.baseline import Known
from solon.governance.rollouts.rollout import Rollout
from solon.governance.scope import Traits
from solon.governance.waivers.waiver import Waiver, rules
from solon.subjects import discover, files
from solon.subjects.documents import Problem, collector_paused, decode_yaml, text_of
from solon.subjects.files import Files
from solon.subjects.subject import Unreadable


@dataclass(frozen=True, slots=True)
class Run:
    """What one run of a command knows: what else exists, where it is, and which tokens it was given."""

    now: datetime
    exists: Sequence[Any] = ()
    namespaces: dict[str, Any] | None = None
    cluster: str = ""
    environment: str = ""
    breakglass: Callable[[str, Traits], str] = lambda policy, traits: ""


@collector_paused()
def read(found: Found, sets: Sequence[PolicySet], run: Run) -> Programme:
    """The programme of a repository. Raises UsageError where the settings name files that cannot be read."""
    config = found.config
    at_rollouts, at_waivers = found.rollouts(), found.waivers()
    rollouts = None if at_rollouts is None else files.read(at_rollouts, Rollout, noun="rollout")
    baselines, texts, problems = _baselines(found, rollouts)
    if rollouts is not None and problems:
        rollouts = replace(rollouts, problems=[*rollouts.problems, *problems])
    inputs = Inputs(
        ownership=ownership(found, run),
        rules=rules(found.waiver_settings()),
        rollouts=rollouts,
        waivers=None if at_waivers is None else files.read(at_waivers, Waiver, noun="waiver"),
        baselines=baselines,
        baseline_texts=texts,
        created=creation_times(run.exists),
        breakglass=run.breakglass,
        local=times.zone(config.timezone),
    )
    return Programme(inputs, sets, run.now)


def ownership(found: Found, run: Run) -> Ownership:
    """Who owns what, by the settings of a repository. Raises UsageError."""
    around = Around(
        codeowners=code_owners(found),
        root=found.directory,
        namespaces=run.namespaces or {},
        cluster=run.cluster,
        environment=run.environment,
    )
    said = found.config.ownership
    settings = OwnershipSettings(
        *(
            [_loaded(found, source) for source in sources]
            for sources in (said.team, said.owner, said.environment)
        )
    )
    return Ownership(settings, around)


def code_owners(found: Found) -> codeowners.CodeOwners | None:
    """The CODEOWNERS of a repository, where it has one. Raises UsageError where the one that is named is not there."""
    named = found.config.codeowners
    for name in [named] if named else codeowners.PLACES:
        path = os.path.join(found.directory, name)
        if named or os.path.isfile(path):
            return codeowners.parse(_text(os.path.relpath(path)), name)
    return None


def _loaded(found: Found, source: Source) -> Source:
    """The source with the map that it names read from its file."""
    changes = {
        key: _map(found.paths([name])[0])
        for key in ("namespaces", "accounts")
        if isinstance(name := getattr(source, key), str)
    }
    return msgspec.structs.replace(source, **changes)


# A number with zeros in front is another one in YAML, and no account.
_ZEROS = re.compile(r"^\s*0\d+\s*:", re.MULTILINE)


def _map(path: str) -> dict[str, str]:
    text = _text(path)
    if zeros := _ZEROS.search(text):
        row = text.count("\n", 0, zeros.end()) + 1
        raise UsageError(
            f"{path}:{row}:1: write {zeros[0].strip(' :').strip()} in quotes, as it begins with 0"
        )
    documents = list(decode_yaml(text))
    value = documents[0] if len(documents) == 1 else None
    if isinstance(value, Problem):
        raise UsageError(str(value.at(path)))
    table = value.value if value is not None else None
    if not isinstance(table, dict) or not all(isinstance(each, str) for each in table.values()):
        raise UsageError(f"{path}: must hold names and what they stand for, such as `payments-*: payments`")
    return table


def _text(path: str) -> str:
    try:
        return text_of(discover.read_bytes(path, lambda _size: b"", files.MAX_BYTES, remedy=""))
    except Problem as problem:
        raise UsageError(str(problem.at(path))) from None


def _baselines(
    found: Found, rollouts: Files[Rollout] | None
) -> tuple[dict[str, Known], dict[str, bytes], list[Unreadable]]:
    """The baselines that rollouts name, with their texts, and those that cannot be read."""
    known: dict[str, Known] = {}
    texts: dict[str, bytes] = {}
    problems: list[Unreadable] = []
    for part in rollouts.parts if rollouts is not None else ():
        for existing in (part.value.existing, *(scope.existing for scope in part.value.scopes)):
            name = existing.baseline if existing is not None else None
            if name is None or name in known:
                continue
            path = found.paths([name])[0]
            try:
                data = discover.read_bytes(path, lambda _size: b"")
            except Problem as problem:
                problems.append(
                    Unreadable(part.location, f"baseline {path}: {problem.message}", problem.hint)
                )
                continue
            read = baseline.decoded(data, path)
            if isinstance(read, Unreadable):
                problems.append(read)
            else:
                known[name], texts[name] = read, data
    return known, texts, problems


def moment_of(text: str, found: Found | None) -> datetime:
    """A time that a user gave, in the time zone of the repository. Raises UsageError."""
    try:
        return times.moment(text, times.zone(found.config.timezone if found else "UTC"))
    except ValueError as error:
        raise UsageError(str(error)) from None
