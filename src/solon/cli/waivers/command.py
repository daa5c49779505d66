"""solon waivers check, list, show and metrics: what the waivers of a repository are, and what is to be done about them."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from difflib import get_close_matches

from solon.cli import config, policies, programme
from solon.cli.config import Found
from solon.cli.errors import Failure, UsageError
from solon.cli.governed import HISTORY
from solon.frameworks import live_models
from solon.frameworks.policy import Policy
from solon.governance import times
from solon.governance.rollouts import observations
from solon.governance.rollouts.observations import Observation
from solon.governance.waivers import lint as waiver_lint
from solon.governance.waivers import waiver as waivers
from solon.governance.waivers.review import Review, is_expiring, review
from solon.governance.waivers.waiver import Checked, Exemption, Rules, Waiver, person
from solon.report import lint_report, waivers_report
from solon.report.lint_report import LintReport
from solon.report.waivers_report import WaiversReport
from solon.subjects import files
from solon.subjects.files import Part
from solon.subjects.subject import Unreadable


@dataclass(frozen=True, slots=True)
class Repository:
    """The waivers of a policy repository, and what they are held against."""

    found: Found
    policies: Sequence[Policy]
    rules: Rules
    parts: Sequence[Part[Waiver]]
    checked: Checked
    local: tzinfo

    @property
    def ids(self) -> list[str]:
        return [policy.id for policy in self.policies]

    def review(self, now: datetime) -> Review:
        path = self.found.paths([self.found.config.history or HISTORY])[0]
        return review(self.checked, self.ids, list(_looks(path)), self.rules, now)


def read() -> Repository:
    """Raises UsageError, and Failure where policies do not compile."""
    found = config.find(os.getcwd())
    if found is None:
        raise UsageError(
            f"no {config.NAME} here or above: waivers are part of a policy repository (`solon init` begins one)"
        )
    return checked_with(found, policies_of(found))


def policies_of(found: Found) -> list[Policy]:
    """The policies of a repository. Raises UsageError, Failure."""
    sets = policies.load(policies.of_repository(found))
    return [policy for each in sets for policy in each.policies]


def checked_with(found: Found, there: Sequence[Policy]) -> Repository:
    """The waivers of a repository, held against these policies, and that of Solon's own."""
    there = [*there, *live_models.policies().policies]
    local, rules = times.zone(found.config.timezone), waivers.rules(found.waiver_settings())
    read = files.read(found.waivers() or [], Waiver, noun="waiver")
    checked = waivers.checked(read.parts, rules, there, local)
    problems = [*read.problems, *checked.problems]
    return Repository(found, there, rules, read.parts, Checked(checked.exemptions, problems), local)


def _looks(path: str) -> Iterator[Observation]:
    """What was observed; what cannot be read of it is said, and proves nothing."""
    try:
        for found in observations.read(path):
            if isinstance(found, Observation):
                yield found
            else:
                print(found, file=sys.stderr)
    except OSError as error:
        raise UsageError(f"{path}: {(error.strerror or str(error)).lower()}") from None


def now() -> datetime:
    return times.instant(time.time_ns())


def at(as_of: str | None, repository: Repository) -> datetime:
    """The time that is asked about. Raises UsageError."""
    if as_of:
        return programme.moment_of(as_of, repository.found)
    return now()


def check(as_of: str | None, format: str, *, fail_on_warn: bool) -> int:
    """The exit status. Raises UsageError, Failure."""
    repository = read()
    found = repository.review(at(as_of, repository))
    report = WaiversReport(found, repository.rules, repository.local)
    if format in ("github", "sarif"):
        remarks = [
            *waiver_lint.remarks(found, repository.local),
            *waiver_lint.reminders(found, repository.local),
        ]
        codes = {code: about for code, (_, about) in {**waiver_lint.RULES, **waiver_lint.REMINDERS}.items()}
        count = len({part.file for part in repository.parts})
        sys.stdout.write(lint_report.show(LintReport(remarks, count, codes, {}), format))
    elif format == "json":
        sys.stdout.write(waivers_report.check_json(report))
    else:
        sys.stdout.write(waivers_report.check_table(report, width()))
    if found.problems:
        return 2
    return 1 if found.expired or (fail_on_warn and found.warned) else 0


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which waivers to list."""

    owner: str | None = None
    policy: str | None = None
    state: str | None = None
    expiring: str | None = None


def list_(wanted: Wanted, as_of: str | None, format: str) -> int:
    """The exit status. Raises UsageError, Failure."""
    repository = read()
    found = repository.review(at(as_of, repository))
    within = _duration(wanted.expiring) if wanted.expiring is not None else None
    listed = [each for each in found.exemptions if _is_wanted(each, wanted, within, found.now)]
    report = WaiversReport(found, repository.rules, repository.local)
    render = {
        "table": lambda: waivers_report.list_table(report, listed, width()),
        "json": lambda: waivers_report.list_json(report, listed),
        "csv": lambda: waivers_report.list_csv(report, listed),
    }
    sys.stdout.write(render[format]())
    return _told(found.problems)


def _duration(text: str) -> timedelta:
    try:
        return times.duration(text)
    except ValueError as error:
        raise UsageError(f"--expiring: {error}") from None


def _is_wanted(each: Exemption, wanted: Wanted, within: timedelta | None, now: datetime) -> bool:
    return (
        (wanted.owner is None or person(each.waiver.owner) == person(wanted.owner))
        and (wanted.policy is None or each.names(wanted.policy) or wanted.policy in each.policies)
        and (wanted.state is None or each.state(now) == wanted.state)
        and (within is None or is_expiring(each, now, within))
    )


def show(name: str, as_of: str | None, format: str) -> int:
    """The exit status. Raises UsageError, Failure."""
    repository = read()
    found = repository.review(at(as_of, repository))
    only = next((each for each in found.exemptions if each.id == name), None)
    if only is None:
        raise missing(repository, name)
    named = [policy for policy in repository.policies if only.names(policy.id)]
    report = WaiversReport(found, repository.rules, repository.local)
    if format == "json":
        sys.stdout.write(waivers_report.show_json(report, only, named))
    else:
        sys.stdout.write(waivers_report.show_table(report, only, named, width()))
    return 0


def missing(repository: Repository, name: str) -> UsageError | Failure:
    """Why there is no waiver of that name: it is invalid, or none is called so."""
    for each, part in waivers.named(repository.parts):
        if each == name:
            wrong = waivers.problems_of(part, repository.rules, repository.policies, repository.local)
            return Failure(
                "\n".join(map(str, wrong)) or f"solon: {part.location}: {name} is not the only {name}"
            )
    near = similar(name, [each for each, _ in waivers.named(repository.parts)])
    return UsageError(f"no waiver is called {name!r}{near}; `solon waivers list` names them")


def similar(name: str, known: list[str]) -> str:
    """What may have been meant, as part of a sentence; nothing where nothing is like it."""
    near = get_close_matches(name, known, n=1)
    return f" (is it {near[0]!r}?)" if near else ""


def metrics(as_of: str | None, format: str) -> int:
    """The exit status. Raises UsageError, Failure."""
    repository = read()
    found = repository.review(at(as_of, repository))
    report = WaiversReport(found, repository.rules, repository.local)
    render = {"prometheus": waivers_report.metrics_prometheus, "json": waivers_report.metrics_json}
    sys.stdout.write(render[format](report))
    return _told(found.problems)


def _told(problems: Sequence[Unreadable]) -> int:
    for problem in problems:
        print(problem, file=sys.stderr)
    return 2 if problems else 0


def width() -> int:
    return shutil.get_terminal_size((100, 24)).columns if sys.stdout.isatty() else 100
