"""solon serve: judges what others send."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from msgspec.structs import asdict

from solon.cli import check, policies
from solon.cli.breakglass import override
from solon.cli.errors import Failure, UsageError
from solon.cli.listening import listening
from solon.cli.log.rules import say
from solon.decisions.decision import Decision
from solon.frameworks.policy import PolicySet
from solon.frameworks.sentinel.terraform.run import of_run_task
from solon.report import run_task as results
from solon.report.check_report import CheckReport
from solon.server.run_task.request import HCP, Origins, Task
from solon.server.run_task.terraform import Clock
from solon.subjects import discover, terraform
from solon.subjects.subject import Location, Unreadable


@dataclass(frozen=True, slots=True)
class Options:
    """``judging`` are those of `solon check`; their paths are empty."""

    judging: check.Options
    listen: str
    hosts: Sequence[str]
    key_env: str
    without_key: bool
    is_open: bool
    at_once: int
    url: str
    ca: str | None


def run(options: Options) -> int:
    """Runs until it is told to end. Raises UsageError, Failure."""
    from solon.server import run as running
    from solon.server.run_task import app
    from solon.server.run_task.terraform import Terraform, client, is_local

    try:
        origins = Origins.of(options.hosts or [HCP])
    except ValueError as error:
        raise UsageError(f"--host {error}") from None
    key = os.environ.get(options.key_env, "").encode()
    if not key and not options.without_key:
        raise UsageError(
            f"{options.key_env} is not set: it holds the task's HMAC key, without which anyone may ask. "
            "Or say --without-key"
        )
    if "-" in options.judging.break_glass:
        raise UsageError(
            "--break-glass -: a server reads no tokens from standard input; name a file with @FILE"
        )
    judging = _Judging(options)
    sets = judging.load()  # what is wrong with the policies is said now, not at the first plan
    try:
        asking = client(30.0, options.ca, local=all(map(is_local, origins.known)))
    except OSError as error:
        raise UsageError(f"--ca {options.ca}: {(error.strerror or str(error)).lower()}") from None
    with asking, listening(options.listen) as at:
        clock = Clock()
        tasks = app.RunTasks(
            app.Trust(key, origins),
            Terraform(asking, clock, options.judging.max_bytes),
            judging,
            clock=clock,
            limits=app.Limits(at_once=options.at_once),
            is_open=options.is_open,
            say=say,
        )
        count = sum(len(each.policies) for each in sets)
        say(f"run tasks at {running.address(at)}, from {', '.join(sorted(origins.known))}: {count} policies")
        running.run(tasks.application(), at)
    say("ended: every task that was accepted has been answered")
    return 0


class _Judging:
    """Judges plans as `solon check` does, each with the policies as they are then."""

    def __init__(self, options: Options) -> None:
        self._options = options

    def load(self) -> list[PolicySet]:
        return policies.load(check.wanted(check.configured(self._options.judging)))

    def __call__(self, task: Task, plan: bytes, is_over: Callable[[], bool]) -> dict[str, Any]:
        from solon.server.run_task.app import Unjudged

        try:
            report = self._report(task, plan, is_over)
        except (UsageError, Failure) as error:
            raise Unjudged(str(error).splitlines()[0]) from None
        if is_over():
            raise Unjudged
        return results.render(
            report,
            is_open=self._options.is_open,
            with_outcomes=task.shows_outcomes,
            url=self._options.url,
        )

    def _report(self, task: Task, plan: bytes, is_over: Callable[[], bool]) -> CheckReport:
        started_ns, started = time.time_ns(), time.perf_counter_ns()
        governed = check.governing(self._options.judging)
        options = check.configured(self._options.judging)
        now = check.time_of(options, governed, started_ns)
        tokens = override.verified(override.given(options.break_glass, sys.stdin.buffer.read), governed, now)
        sets = policies.load(check.wanted(options))
        if options.log:
            check.append(options.log, [])
        name = f"{task.workspace_name or 'workspace'}.json"
        subjects, unreadable = check.split(discover.read_data(name, plan))
        if not unreadable and not any(subject.kind == terraform.PLAN for subject in subjects):
            subjects, unreadable = [], [Unreadable(Location(name), "what was sent is no Terraform plan")]
        context = check.context_of(subjects, [], options, started_ns)
        context = replace(context, run={**of_run_task(asdict(task)), **(context.run or {})})
        programme = check.programme_of(governed, sets, [], context, options, tokens)
        posture = "open" if self._options.is_open else "closed"
        known = check.recorded(governed, sets, programme, options, via="run-task", posture=posture)
        decisions: list[Decision] = []
        for decision in check.judged(sets, subjects, context, programme):
            decisions.append(decision)
            if is_over():
                raise UsageError("the time was up, or Solon was stopped, before all was judged")
        uses = override.record(tokens, decisions, now, override.alarm_of(governed))
        if options.log:
            check.append(
                options.log,
                decisions,
                known,
                uses,
                path="solon/run-task",
                posture=posture,
                labels=_labels(task),
            )
        return CheckReport(
            decisions=decisions,
            unreadable=unreadable,
            policy_sets=sets,
            programme_problems=programme.problems if programme is not None else [],
            elapsed_ns=time.perf_counter_ns() - started,
            started_ns=started_ns,
        )


def _labels(task: Task) -> dict[str, str]:
    from solon.decisions.record import LABELS

    said = {
        "run_id": task.run_id,
        "workspace": task.workspace_name,
        "organization": task.organization_name,
        "stage": task.stage,
        "run_url": task.run_app_url or "",
        "requested_by": task.run_created_by or "",
    }
    return {**LABELS, **{name: value for name, value in said.items() if value}}
