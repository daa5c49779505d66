"""solon profile: what policies cost on real subjects, and what to change in them."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from solon.cli import check, policies
from solon.cli.progress import track
from solon.frameworks.policy import Context, Policy, PolicySet, evaluate
from solon.lang.profile import Profile
from solon.lang.rego.advice import advise, behind_the_first
from solon.report.profile_report import Idle, ProfileReport, render
from solon.subjects.subject import Subject

_WORTH = 0.02  # of all time: less is not worth to be told apart by kind of subject


@dataclass(frozen=True, slots=True)
class Options:
    """``check`` says what is judged, and with what."""

    check: check.Options
    sort: str
    limit: int


def run(options: Options) -> int:
    """The exit status. Raises UsageError, Failure."""
    started = time.perf_counter_ns()
    settled = check.configured(options.check)
    profile = Profile()
    sets = policies.load(replace(check.wanted(settled), watch=profile))
    subjects, around, unreadable = check.gathered(settled)
    context = check.context_of(subjects, around, settled, time.time_ns())
    asked = _ask(sets, subjects, context, profile)
    report = ProfileReport(
        subjects=len(subjects),
        policies=sum(len(policy_set.policies) for policy_set in sets),
        costs=[cost for cost in profile.evaluated() if cost.site.rule],
        advice=advise(profile),
        idle=asked.idle(profile.total_ns),
        errors=asked.errors,
        unreadable=unreadable,
        elapsed_ns=time.perf_counter_ns() - started,
    )
    width = shutil.get_terminal_size((100, 24)).columns if sys.stdout.isatty() else 100
    text = render(settled.format, report, sort=options.sort, limit=options.limit, width=width)
    sys.stdout.write(text)
    return 2 if unreadable else 0


@dataclass(slots=True)
class _Count:
    asked: int = 0
    concerned: int = 0
    time_ns: int = 0


class _Asked:
    """What each policy was asked about, by kind of subject, and what stopped it."""

    def __init__(self) -> None:
        self.errors: list[str] = []
        self.counts: dict[tuple[str, str], _Count] = {}

    def idle(self, total_ns: int) -> list[Idle]:
        """Policies that say nothing of a kind of subject, where that is no small part of the time."""
        found = [
            Idle(policy, kind, count.asked, count.time_ns)
            for (policy, kind), count in self.counts.items()
            if count.asked > 1 and not count.concerned and count.time_ns > _WORTH * total_ns
        ]
        concerned = {policy for (policy, _), count in self.counts.items() if count.concerned}
        return sorted((i for i in found if i.policy in concerned), key=lambda i: -i.time_ns)


def _ask(
    sets: Sequence[PolicySet], subjects: Sequence[Subject], context: Context, profile: Profile
) -> _Asked:
    """Judge every subject with every policy, one by one."""
    out = _Asked()
    beyond: frozenset[int] | None = None
    for subject in track(subjects, len(subjects), "profiling"):
        for policy_set in sets:
            for policy in policy_set.candidates(subject):
                evaluation = evaluate([_alone(policy_set, policy)], subject, context)
                if not evaluation.policies:
                    continue
                if beyond is None:
                    beyond = behind_the_first(profile)
                for finding in evaluation.findings:
                    if finding.error and finding.message not in out.errors:
                        out.errors.append(finding.message)
                if policy.framework == "conftest":
                    count = out.counts.setdefault((policy.id, subject.kind), _Count())
                    count.asked += 1
                    count.concerned += bool(evaluation.findings or beyond & profile.reached)
                    count.time_ns += profile.last_ns
    return out


def _alone(policy_set: PolicySet, policy: Policy) -> PolicySet:
    return replace(policy_set, policies=[policy], candidates=lambda _subject: [policy])
