"""What lint says of the rollouts of a repository, and of what a change does to them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from solon.cli import config, governed, policies
from solon.cli.errors import Failure, UsageError
from solon.cli.git import Revision
from solon.frameworks.policy import PolicySet, Stage
from solon.governance import times
from solon.governance.rollouts import lint as rollout_lint
from solon.governance.rollouts.lint import Version
from solon.governance.rollouts.rollout import Plan, Rollout, assigned, plan
from solon.lang.remark import Remark
from solon.subjects import files
from solon.subjects.subject import Location, Unreadable


def remarks(start: str, base: str | None) -> Iterator[Remark]:
    """``start`` is where to look for solon.yaml, upwards; ``base`` a revision to compare with. Raises UsageError."""
    found = config.find(start)
    if found is None:
        return
    local = times.zone(found.config.timezone)
    paths = found.rollouts()
    after = _read(paths, local)
    sets = _policies(found) if paths is not None or base is not None else None
    for problem in after.problems:
        yield rollout_lint.invalid(problem)
    for each in after.plans:
        yield from rollout_lint.remarks(each, sets)
    if sets is None:
        return
    version, twice = _version(after, sets)
    for problem in twice:
        yield rollout_lint.invalid(problem)
    if base is not None and not after.problems:
        yield from _raised(found, base, local, version, sets)


@dataclass(frozen=True, slots=True)
class _Rollouts:
    """``plans`` is empty, and ``governed`` false, where there are none."""

    plans: Sequence[Plan]
    problems: Sequence[Unreadable]
    governed: bool


def _read(paths: list[str] | None, local: tzinfo) -> _Rollouts:
    if paths is None:
        return _Rollouts([], [], governed=False)
    read = files.read(paths, Rollout, noun="rollout")
    plans, problems = [], list(read.problems)
    for part in read.parts:
        found, wrong = plan(part, local)
        problems += wrong
        if found is not None:
            plans.append(found)
    return _Rollouts(plans, problems, governed=True)


def _version(read: _Rollouts, sets: Sequence[PolicySet]) -> tuple[Version, list[Unreadable]]:
    if not read.governed:
        return Version(None), []
    by_policy, twice = assigned(read.plans, sets)
    return Version(by_policy), twice


def _policies(found: config.Found) -> list[PolicySet] | None:
    """The policies of the repository; None where they do not compile, which lint says by itself."""
    try:
        return policies.load(policies.of_repository(found))
    except (Failure, UsageError):
        return None


def _raised(
    found: config.Found, base: str, local: tzinfo, after: Version, sets: Sequence[PolicySet]
) -> Iterator[Remark]:
    """What the rollouts of the base did not deny. Raises UsageError."""
    # Where they are now, or where they usually are: they may be gone.
    paths = found.rollouts() or found.paths(["rollouts"])
    revision = Revision.find(found.directory, base)
    with tempfile.TemporaryDirectory(prefix="solon-base-") as place:
        moved = [each for each in revision.write(paths, place).values() if os.path.exists(each)]
        before = _read(moved or None, local)
    version, twice = _version(before, sets)
    if before.problems or twice:
        return  # what was in force then is not known
    named = os.path.relpath(os.path.join(found.directory, config.NAME))
    yield from rollout_lint.raised(
        version,
        after,
        [policy.id for each in sets for policy in each.policies if policy.stage is Stage.ENFORCE],
        times.instant(governed.clock()),
        Location(named, 1, 1),
    )
