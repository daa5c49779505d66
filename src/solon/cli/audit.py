"""solon audit: what is deployed, judged by the policies of today; owners of what no longer complies are told, once."""

from __future__ import annotations

import sys
import time
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from solon.cli import audit_models, governed
from solon.cli.config import Found
from solon.cli.errors import UsageError
from solon.cli.governed import Asked as AskedPaths
from solon.cli.log import command as log_command
from solon.cli.log.programme import InForce, Where, in_force
from solon.cli.log.query import window
from solon.cli.log.replay import Workers, is_lost, replayed
from solon.cli.log.replay_candidate import Asked, load_of
from solon.cli.log.rules import ruled
from solon.cli.model import deployed
from solon.cli.notify import notifier_of
from solon.decisions.decision import Decision
from solon.decisions.log.store import Log
from solon.decisions.record import records
from solon.decisions.replay import fleet, source
from solon.decisions.replay.fleet import Standing
from solon.decisions.replay.judging import Verdict
from solon.decisions.replay.recorded import Recorded, recorded
from solon.decisions.replay.source import Selection, Which
from solon.decisions.warehouse import session
from solon.decisions.warehouse.columns import AUDIT
from solon.decisions.warehouse.query import Filters
from solon.frameworks.policy import PolicySet
from solon.governance.notify import Notifier
from solon.report import fleet_report
from solon.report.check_report import plural
from solon.report.fleet_report import FleetReport, Owned


@dataclass(frozen=True, slots=True)
class Options:
    """``paths`` hold what is deployed, in place of what the log says; ``models`` which models are live."""

    directory: str | None
    paths: list[str]
    since: str | None
    inventory: list[str]
    cluster: str
    environment: str
    notify: bool
    again: bool
    jobs: int | None
    allowed_hosts: frozenset[str]
    timeout: float
    max_bytes: int
    format: str
    models: deployed.Options | None = None


def run(options: Options) -> int:
    """The exit status. Raises UsageError, Failure."""
    found = governed.repository()
    notifier = notifier_of(found) if options.notify else None
    if options.notify and notifier is None:
        raise UsageError(
            "no channels: write them in solon.yaml, such as "
            '`notify: {channels: {"*": ["slack://${SLACK_TOKENS}"]}}`'
        )
    with log_command.worded(), log_command.opened(options.directory) as log:
        fleet_now = _Fleet(log)
        judge = _of_models if options.models is not None else _of_paths if options.paths else _of_log
        sets, known = judge(fleet_now, found, options)
        owners = fleet_report.by_owner(fleet_now.standings)
        recorded_count = 0
        if notifier is not None:
            owners = [_told(notifier, each, everything=options.again) for each in owners]
            recorded_count = _append(fleet_now, owners, known)
        log_command.noted(log)
    report = FleetReport(
        owners,
        fleet_now.judged,
        {each.name: each.revision for each in sets},
        fleet_now.undone,
        recorded_count,
        options.notify,
    )
    sys.stdout.write(fleet_report.json(report) if options.format == "json" else fleet_report.table(report))
    if _problems(fleet_now, notifier):
        return 2
    return 1 if any(each.denied for each in fleet_now.standings) else 0


class _Fleet:
    """What is deployed, as it stands today: all that does not comply, and all that the log does not know of."""

    def __init__(self, log: Log) -> None:
        """Raises LogError."""
        self.log = log
        self.standings: list[Standing] = []
        self.undone: Counter[str] = Counter()
        self.judged = 0
        with session.opened(log) as opened:
            self._looks = fleet.looks(opened)

    def add(self, then: Recorded, line: bytes) -> None:
        self.judged += 1
        each = fleet.standing(then, line, self._looks.get(then.uri))
        if not each.complies or each.is_news(frozenset()):
            self.standings.append(each)


def _problems(fleet_now: _Fleet, notifier: Notifier | None) -> bool:
    """Whether something could not be done, which is said."""
    problems = list(notifier.failures) if notifier is not None else []
    failing = Counter(policy for each in fleet_now.standings for policy in each.failed)
    problems += [
        f"{policy}: cannot judge {plural(count, 'deployed subject')}"
        for policy, count in sorted(failing.items())
    ]
    for problem in problems:
        print(f"solon: {problem}", file=sys.stderr)
    return bool(problems) or any(map(is_lost, fleet_now.undone))


# --- what is deployed


def _of_log(fleet_now: _Fleet, found: Found, options: Options) -> tuple[Sequence[PolicySet], InForce]:
    """The newest decision of each subject that let it pass."""
    now_ns = time.time_ns()
    asked = Asked(
        policies=[],
        data=[],
        namespaces=[],
        all_namespaces=False,
        dialect="auto",
        inventory=options.inventory,
        allowed_hosts=options.allowed_hosts,
        timeout=options.timeout,
        as_of="now",
        programme=True,
    )
    load = load_of(asked, now_ns, for_log=True)
    candidate = load.candidate()

    def told(then: Recorded, verdict: Verdict | None) -> None:
        problem = then.problem if verdict is None else verdict.problem
        if verdict is None or problem:
            fleet_now.undone[problem] += 1
        elif verdict.record:
            fleet_now.add(then, verdict.record)

    when = window(options.since, None, datetime.now(UTC))
    workers = Workers(options.jobs or 0, timeout=options.timeout)
    selection = Selection(Filters(paths=["solon/*"]), Which.DEPLOYED)
    replayed(fleet_now.log, when, selection, load, candidate, workers, told)
    plan = candidate.programme(now_ns, options.cluster or found.config.cluster)
    return candidate.sets, in_force(found, candidate.sets, plan, _where(options))


def _of_paths(fleet_now: _Fleet, found: Found, options: Options) -> tuple[Sequence[PolicySet], InForce]:
    """The manifests and plans that are named."""
    asked = AskedPaths(
        paths=options.paths,
        inventory=options.inventory,
        cluster=options.cluster,
        environment=options.environment,
        allowed_hosts=options.allowed_hosts,
        timeout=options.timeout,
        max_bytes=options.max_bytes,
    )
    at = governed.judged(asked)
    governed.sound(at, "nothing was audited")
    uris = {decision.subject.uri for decision in at.decisions}
    with session.opened(fleet_now.log) as opened:
        deployed = source.events(opened, Selection(Filters(), Which.DEPLOYED))
        known = {then.uri: then for then, _ in deployed if then.uri in uris}
    _add(fleet_now, at.decisions, known)
    return at.sets, in_force(found, at.sets, at.programme, _where(options))


def _of_models(fleet_now: _Fleet, found: Found, options: Options) -> tuple[Sequence[PolicySet], InForce]:
    """The versions of models that are live, by the evidence that was kept of them."""
    assert options.models is not None
    at = audit_models.judged(
        fleet_now.log,
        found,
        options.models,
        allowed_hosts=options.allowed_hosts,
        timeout=options.timeout,
    )
    _add(fleet_now, at.decisions, at.known)
    return at.sets, in_force(found, at.sets, at.programme, _where(options))


def _add(fleet_now: _Fleet, decisions: Sequence[Decision], known: Mapping[str, Recorded]) -> None:
    """``known`` are the decisions that let them pass. Of what the log has never seen, nobody knows anything."""
    for line in records(decisions, path=AUDIT):
        now = recorded(line)
        fleet_now.add(known.get(now.uri) or replace(now, id="", time_ns=0, findings=()), line)


def _where(options: Options) -> Where:
    return Where("", options.environment, options.cluster)


# --- who is told


def _told(notifier: Notifier, owned: Owned, *, everything: bool) -> Owned:
    if not owned.news and not everything:
        return owned
    sent = notifier.send(owned.owner, fleet_report.message(owned, everything=everything))
    return replace(owned, sent=sent)


def _append(fleet_now: _Fleet, owners: Sequence[Owned], known: InForce) -> int:
    """Add what the log does not have yet; how many entries that is. Raises UsageError, OSError.

    What an owner could not be told is not known to them, and so it is told the next time.
    """
    untold = {each.owner for each in owners if each.sent is not None and not each.sent.delivered}
    untold -= {each.owner for each in owners if each.sent is not None and each.sent.repeated}
    now_ns = time.time_ns()
    lines = []
    for each in fleet_now.standings:
        knows = fleet.untold(each) if each.owner in untold else fleet.told(each)
        if each.is_news(knows):
            lines.append(each.entry(str(uuid.uuid4()), now_ns, knows, known.stamp))
    if lines:
        log_command.record(fleet_now.log.directory, ruled(lines), known)
    return len(lines)
