"""solon check: subjects in, decisions out."""

from __future__ import annotations

import os
import shutil
import sys
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from solon.cli import config, key_files, policies, programme, runs, schemas
from solon.cli.breakglass import override
from solon.cli.breakglass.override import Override
from solon.cli.errors import UsageError
from solon.cli.progress import track
from solon.decisions.decision import Decision, decide
from solon.frameworks.gatekeeper.inventory import inventory_of, namespaces_of
from solon.frameworks.policy import Context, PolicySet, evaluate
from solon.frameworks.rego_files import Dialect
from solon.governance.programme import Programme
from solon.governance.times import instant
from solon.lang.budget import Budget
from solon.report import render
from solon.report.check_report import CheckReport
from solon.subjects import discover, ml_release
from solon.subjects.documents import collector_spared
from solon.subjects.subject import Subject, Unreadable

if TYPE_CHECKING:
    from solon.cli.log.programme import InForce
    from solon.governance.breakglass.cases import Used


@dataclass(frozen=True, slots=True)
class Options:
    paths: list[str]
    policies: list[str] = field(default_factory=list)
    namespaces: list[str] = field(default_factory=list)
    all_namespaces: bool = False
    combine: bool = False
    data: list[str] = field(default_factory=list)
    inventory: list[str] = field(default_factory=list)
    format: str = ""
    output: str | None = None
    log: str | None = None
    dialect: Dialect = "auto"
    fail_on_warn: bool = False
    allowed_hosts: frozenset[str] = frozenset()
    timeout: float = 10.0
    max_bytes: int = discover.MAX_BYTES
    verbose: bool = False
    quiet: bool = False
    schema: str | None = None
    as_of: str | None = None
    cluster: str = ""
    environment: str = ""
    break_glass: list[str] = field(default_factory=list)
    params: Mapping[str, Any] = field(default_factory=dict)
    copies: Mapping[str, str] = field(default_factory=dict)
    tfrun: str | None = None
    cost_estimate: str | None = None
    place: str = ""
    set_names: list[str] = field(default_factory=list)  # what solon.yaml calls the paths of the policies
    collectors: list[str] = field(default_factory=list)  # public keys whose evidence about models is believed


@dataclass(frozen=True, slots=True)
class Judged:
    """What a run came to, with its options as solon.yaml completes them."""

    report: CheckReport
    options: Options


def run(options: Options) -> int:
    """The exit status. Raises UsageError, Failure."""
    done = decided(options)
    if not done.options.quiet:
        write(done)
    return status(done)


def decided(options: Options) -> Judged:
    """The decisions, once the log has them. Raises UsageError, Failure."""
    started_ns, started = time.time_ns(), time.perf_counter_ns()
    governed = governing(options)
    options = configured(options)
    if options.as_of and (options.log or options.break_glass):
        raise UsageError("--as-of asks what would be: that goes into no log, and breaks no glass")
    now = time_of(options, governed, started_ns)
    given = [] if options.as_of else override.given(options.break_glass, sys.stdin.buffer.read)
    tokens = override.verified(given, governed, now)
    sets = policies.load(wanted(options))
    if options.log:
        append(options.log, [])  # what cannot be recorded is not judged
    subjects, around, unreadable = gathered(options)
    context = context_of(subjects, around, options, started_ns)
    with collector_spared():
        plan = programme_of(governed, sets, around, context, options, tokens)
        known = recorded(governed, sets, plan, options)
        decisions = list(judged(sets, subjects, context, plan))
    uses = override.record(tokens, decisions, now, override.alarm_of(governed))
    report = CheckReport(
        decisions=decisions,
        unreadable=unreadable,
        policy_sets=sets,
        programme_problems=plan.problems if plan is not None else [],
        notes=[*_notes(plan), *override.idle(tokens, decisions, plan)],
        elapsed_ns=time.perf_counter_ns() - started,
        started_ns=started_ns,
    )
    if options.log:
        append(options.log, report.decisions, known, uses)
    return Judged(report, options)


def wanted(options: Options) -> policies.Wanted:
    """The policies that a run is about. Raises UsageError."""
    return policies.Wanted(
        options.policies,
        options.data,
        options.namespaces,
        options.all_namespaces,
        options.dialect,
        schemas=schemas.read(options.schema),
        names=options.set_names,
        params=options.params,
        copies=options.copies,
    )


def gathered(options: Options) -> tuple[list[Subject], list[Subject], list[Unreadable]]:
    """The subjects, what else exists, and what could not be read of either. Raises UsageError."""
    subjects, unreadable = split(_read(options.paths, options, skip=options.policies))
    around, unreadable_around = existing(options)
    if not subjects and not unreadable:
        raise UsageError(f"nothing to judge in {', '.join(options.paths)}")
    if options.combine and subjects:
        subjects = [_combined(subjects)]
    return subjects, around, [*unreadable, *unreadable_around]


def existing(options: Options) -> tuple[list[Subject], list[Unreadable]]:
    """What else exists, and what of that could not be read."""
    return split(_read(options.inventory, options, skip=[]))


def governing(options: Options) -> config.Found | None:
    """The solon.yaml that a run is governed by: none where policies are named. Raises UsageError."""
    return None if options.policies else config.find(os.getcwd())


def configured(options: Options) -> Options:
    """The options, with what solon.yaml says where they say nothing. Raises UsageError."""
    found = governing(options)
    if found is None:
        if not options.policies and not os.path.isdir("policy"):
            raise UsageError(
                "no policies: name them with -p DIR, or list them under `policies:` in solon.yaml "
                "(`solon init` writes one)"
            )
        return replace(options, policies=options.policies or ["policy"], format=options.format or "table")
    settings = found.config
    return replace(
        options,
        policies=found.paths(settings.policies or ["policy"]),
        set_names=settings.policies or ["policy"],
        data=options.data or found.paths(settings.data),
        inventory=options.inventory or found.paths(settings.inventory),
        namespaces=options.namespaces or settings.namespaces,
        format=options.format or settings.format or "table",
        cluster=options.cluster or settings.cluster,
        log=options.log or found.log().directory or None,
        params={**settings.sentinel.params, **options.params},
        copies=found.copies(),
        tfrun=options.tfrun or found.path(settings.sentinel.tfrun) or None,
        cost_estimate=options.cost_estimate or found.path(settings.sentinel.cost_estimate) or None,
        collectors=options.collectors or found.models().collectors,
    )


def _read(paths: Sequence[str], options: Options, skip: Sequence[str]) -> Iterator[Subject | Unreadable]:
    """The subjects of files; those of the policies themselves left out."""
    inside = [os.path.realpath(path) + os.sep for path in skip]
    sources = discover.find(paths)
    for source in track(sources, len(sources), "reading"):
        if isinstance(source, Unreadable):
            yield source
        elif source.named or not (os.path.realpath(source.path) + os.sep).startswith(tuple(inside)):
            for found in discover.read(
                source,
                stdin=sys.stdin.buffer.read,
                max_bytes=options.max_bytes,
                cluster=options.cluster,
            ):
                if isinstance(found, Subject) and found.kind == ml_release.KIND:
                    yield from _admitted(found, options)
                else:
                    yield found


def _admitted(release: Subject, options: Options) -> Sequence[Subject | Unreadable]:
    """A release, with what of its evidence is about the files that lie there. Raises UsageError."""
    from solon.evidence.admission import admitted
    from solon.signing import keys

    hint = "`models: {collectors: […]}` in solon.yaml names it"
    trusted = [key_files.read(path, keys.public_key, hint, private=False) for path in options.collectors]
    found = admitted(release, trusted)
    return [found] if isinstance(found, Subject) else found


def split(found: Iterable[Subject | Unreadable]) -> tuple[list[Subject], list[Unreadable]]:
    """The subjects, and what could not be read."""
    subjects: list[Subject] = []
    unreadable: list[Unreadable] = []
    for item in found:
        (unreadable if isinstance(item, Unreadable) else subjects).append(item)  # type: ignore[arg-type]
    return subjects, unreadable


def _combined(subjects: list[Subject]) -> Subject:
    from solon.frameworks.conftest.load import combined

    return combined([s for s in subjects if s.kind != "terraform.resource"])


def context_of(
    subjects: Sequence[Subject], around: Sequence[Subject], options: Options, now_ns: int
) -> Context:
    """What policies may know besides their subject."""
    # What is judged exists, too: it is in the inventory, as for Gatekeeper's own command line.
    objects = [s.document for s in [*around, *subjects] if s.kind == "kubernetes.object"]
    return Context(
        now_ns=now_ns,
        inventory=inventory_of(objects),
        namespaces=namespaces_of(objects),
        budget=Budget(seconds=options.timeout),
        allowed_hosts=options.allowed_hosts,
        run=runs.read(options.tfrun, options.cost_estimate),
    )


def programme_of(
    found: config.Found | None,
    sets: Sequence[PolicySet],
    around: Sequence[Subject],
    context: Context,
    options: Options,
    tokens: Override = Override(),  # noqa: B008 - it is frozen
) -> Programme | None:
    """The programme of the repository, where there is one. Raises UsageError."""
    if found is None:
        return None
    run = programme.Run(
        now=time_of(options, found, context.now_ns),
        exists=[subject.document for subject in around],
        namespaces=dict(context.namespaces),
        cluster=options.cluster,
        environment=options.environment,
        breakglass=tokens.covers,
    )
    return programme.read(found, sets, run)


def time_of(options: Options, found: config.Found | None, now_ns: int) -> datetime:
    """The time that the programme is asked about. Raises UsageError."""
    if not options.as_of:
        return instant(now_ns)
    if found is None:
        raise UsageError(
            "--as-of asks what the programme says of another day: there is no solon.yaml, or -p names policies"
        )
    return programme.moment_of(options.as_of, found)


def _notes(plan: Programme | None) -> list[str]:
    """What a reader should know of the programme besides the findings."""
    if plan is None or not plan.unnamed or plan.problems:
        return []
    names = [policy.id for policy in plan.unnamed]
    shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    return [f"In no rollout, so only recorded (dryrun): {shown}"]


def judged(
    sets: Sequence[PolicySet], subjects: Sequence[Subject], context: Context, plan: Programme | None
) -> Iterator[Decision]:
    """A decision on each subject."""
    revisions = {policy_set.name: policy_set.revision for policy_set in sets}
    for subject in track(subjects, len(subjects), "judging"):
        started = time.perf_counter_ns()
        evaluation = evaluate(sets, subject, context)
        if plan is not None:
            evaluation = plan.apply(evaluation)
        yield decide(
            replace(evaluation, elapsed_ns=time.perf_counter_ns() - started),
            decision_id=str(uuid.uuid4()),
            revisions=revisions,
            timestamp_ns=time.time_ns(),
        )


def recorded(
    found: config.Found | None,
    sets: Sequence[PolicySet],
    plan: Programme | None,
    options: Options,
    *,
    via: str = "",
    posture: str = "closed",
) -> InForce | None:
    """What is in force, once the log has it; None where no log is kept that could. Raises UsageError."""
    if not options.log or not os.path.isdir(options.log):
        return None
    from solon.cli.log import command as log
    from solon.cli.log.programme import Where, in_force

    where = Where(options.place, options.environment, options.cluster, via, posture)
    now = in_force(found, sets, plan, where)
    log.record(options.log, (), now)
    return now


def append(
    where: str,
    decisions: Sequence[Decision],
    known: InForce | None = None,
    uses: Sequence[Used] = (),
    **said: Any,
) -> None:
    """Write decisions to a log or a file; ``said`` as for ``record``. Raises UsageError.

    ``known`` is what they were judged under, ``uses`` are those of break-glass tokens.
    """
    from solon.cli.log import command as log
    from solon.cli.log.rules import ruled
    from solon.decisions import record

    lines = ruled(record.records(decisions, programme=known.stamp if known is not None else None, **said))
    try:
        if os.path.isdir(where):
            log.record(where, lines, known, uses)
        else:
            record.append(where, lines)
    except OSError as error:
        raise UsageError(
            f"{where}: the decisions could not be written: {(error.strerror or str(error)).lower()}"
        ) from None


def write(done: Judged) -> None:
    """Show it as the options say. Raises UsageError."""
    report, options = done.report, done.options
    to_terminal = options.output is None and sys.stdout.isatty() and "NO_COLOR" not in os.environ
    width = shutil.get_terminal_size((100, 24)).columns if sys.stdout.isatty() else 100
    text = render(options.format, report, width=width, color=to_terminal, verbose=options.verbose)
    if options.output is None:
        sys.stdout.write(text if text.endswith("\n") else text + "\n")
        sys.stdout.flush()
        return
    try:
        with open(options.output, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise UsageError(f"{options.output}: {(error.strerror or str(error)).lower()}") from None


def status(done: Judged) -> int:
    """The exit status."""
    report, options = done.report, done.options
    counts = report.counts
    if (
        report.unreadable
        or report.programme_problems
        or any(decision.errors for decision in report.decisions)
    ):
        return 2
    return 1 if counts.denied or (options.fail_on_warn and counts.warned) else 0
