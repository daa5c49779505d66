"""solon log record and solon log in-force."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from solon.cli import check, policies, programme
from solon.cli.errors import UsageError
from solon.cli.log import programme as present
from solon.cli.log.command import noted, opened, worded
from solon.cli.progress import counting
from solon.decisions.in_force import reading, texts
from solon.decisions.in_force.events import Recorded
from solon.decisions.in_force.parts import PLACE
from solon.decisions.in_force.standing import InForce, judged
from solon.decisions.in_force.state import State, as_of, places, with_digest
from solon.decisions.log.errors import LogError
from solon.decisions.log.events import nanoseconds
from solon.decisions.log.store import Log
from solon.decisions.record import rfc3339
from solon.decisions.warehouse import query as questions
from solon.decisions.warehouse import session
from solon.decisions.warehouse.query import Filters
from solon.decisions.warehouse.session import Session, Window
from solon.governance import times
from solon.governance.scope import matches
from solon.report import in_force_report
from solon.report.in_force_report import Asked, Decided

_NEVER: Final = "nothing was recorded of it by then"


# --- record


@dataclass(frozen=True, slots=True)
class Recording:
    """``judging`` has no paths: nothing is judged."""

    judging: check.Options
    format: str


def record(options: Recording) -> int:
    """2 where a file of the programme cannot be used; what is in force without it is recorded. Raises UsageError."""
    now_ns = time.time_ns()
    governed = check.governing(options.judging)
    judging = check.configured(options.judging)
    sets = policies.load(check.wanted(judging))
    plan = None
    if governed is not None:
        now = times.instant(now_ns)
        run = programme.Run(now, cluster=judging.cluster, environment=judging.environment)
        plan = programme.read(governed, sets, run)
    where = present.Where(judging.place, judging.environment, judging.cluster)
    known = present.in_force(governed, sets, plan, where)
    with worded(), opened(judging.log) as log:
        changed = known.record(log)
        if changed and log.can_sign():
            try:
                log.integrate()
            except LogError as error:
                print(f"solon: note: it is in the log, and not signed yet: {error}", file=sys.stderr)
        noted(log)
    problems = known.problems
    for problem in problems:
        print(f"solon: {problem}", file=sys.stderr)
    sys.stdout.write(in_force_report.recorded(options.format, known.present.place, changed, problems))
    return 2 if problems else 0


# --- in-force


@dataclass(frozen=True, slots=True)
class Options:
    directory: str | None
    at: str | None
    subject: str | None
    policies: Sequence[str]
    place: str | None
    format: str


def in_force(options: Options) -> int:
    """1 where the log does not know. Raises UsageError."""
    now_ns = time.time_ns()
    at = _time(options.at, now_ns)
    decided: Decided | None = None
    with worded(), opened(options.directory) as log, counting("reading entries") as tell:
        entries = reading.entries(log)
        if options.subject is not None:
            event, decided = _decision(log, options.subject, at if options.at else None, tell)
            asked = [_for_subject(log, entries, event, decided, at if options.at else None, options)]
        else:
            named = [options.place] if options.place is not None else places(entries)
            asked = [_at_place(log, entries, each, at, options, to_come=at > now_ns) for each in named]
    if not asked:
        asked = [Asked(PLACE, times.instant(at), None, problem=_unknown(entries, PLACE))]
    width = shutil.get_terminal_size((100, 24)).columns if sys.stdout.isatty() else 10_000
    sys.stdout.write(in_force_report.render(options.format, asked, decided, width=width))
    return 1 if any(each.found is None for each in asked) else 0


def _time(text: str | None, now_ns: int) -> int:
    """Nanoseconds since 1970. Raises UsageError."""
    if text is None:
        return now_ns
    now = times.instant(now_ns)
    try:
        found = now - times.duration(text)
    except (ValueError, OverflowError):
        try:
            return nanoseconds(text)
        except ValueError:
            pass
        try:
            found = times.moment(text)
        except ValueError:
            raise UsageError(
                f"--at {text}: write a time, such as 2026-09-01 or 2026-09-01T08:00:00Z, or how long ago, such as 90d"
            ) from None
    return max(int((found - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1_000_000), 0) * 1_000


def _at_place(
    log: Log, entries: Sequence[Recorded], place: str, at: int, options: Options, *, to_come: bool
) -> Asked:
    state = as_of(entries, at, place)
    if state is None:
        return Asked(place, times.instant(at), None, problem=_unknown(entries, place))
    found = of_state(log, state, at)
    standings = [each for each in found.standings() if _is_asked(each.policy.id, options.policies)]
    return Asked(place, times.instant(at), found, standings, to_come=to_come)


def _unknown(entries: Sequence[Recorded], place: str) -> str:
    """Why nothing is known: what was in force is not guessed."""
    first = next((each for each in entries if each.said.place == place), None)
    if first is not None:
        return f"{_NEVER}: the first entry is of {rfc3339(first.time_ns)[:19]}Z"
    known = places(entries)
    if not known:
        return f"{_NEVER}: the log has no entry about what was in force (`solon log record` adds them)"
    return f"{_NEVER}: the log knows {', '.join(known)}"


def _is_asked(policy: str, globs: Sequence[str]) -> bool:
    return not globs or any(matches(glob, policy) for glob in globs)


def of_state(log: Log, state: State, at: int) -> InForce:
    """Raises LogError where a text beside the log is not as it was."""
    return InForce(state, times.instant(at), lambda name: texts.get(log.directory, name))


# --- of a subject


def _decision(log: Log, subject: str, until: int | None, tell: Any) -> tuple[dict[str, Any], Decided]:
    """The last decision that let a subject pass; with a time, the last of any kind until then. Raises UsageError."""
    window = Window(None, None if until is None else until // 1_000 + 1)
    with session.opened(log, window=window, tell=tell) as found:
        rows = _last(found, Filters(subjects=[subject], passed=until is None))
        if not rows and until is None and (denied := _last(found, Filters(subjects=[subject]))):
            raise UsageError(
                f"{subject}: no decision let it pass; the last one is {denied[0][0]} ({denied[0][1]}): "
                "ask with --at TIME what held for it then"
            )
    if not rows:
        until_then = " by then" if until is not None else ""
        raise UsageError(f"{subject}: no decision about it is in {log.directory}{until_then}")
    name, outcome, allow, text = rows[0]
    event = _event(text)
    return event, decided_of(event, str(name), str(outcome or ""), let_pass=bool(allow))


def _last(found: Session, filters: Filters) -> list[tuple[Any, ...]]:
    columns = ["decision_id", "outcome", "allow", "event"]
    return list(questions.ask(found, questions.built(filters, columns, limit=1)).rows)


def _event(text: str) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(text)
    except (msgspec.MsgspecError, RecursionError, ValueError):
        found = None
    return found if isinstance(found, dict) else {}


def decided_of(event: Mapping[str, Any], name: str, outcome: str, *, let_pass: bool) -> Decided:
    """What a decision's event says of waivers and tokens that it used."""
    solon = event.get("solon")
    solon = solon if isinstance(solon, dict) else {}
    subject, _ = judged(event)
    findings = solon.get("findings")
    found: dict[str, list[str]] = {}
    covered: dict[str, None] = {}
    overridden: dict[str, None] = {}
    for each in findings if isinstance(findings, list) else []:
        if not isinstance(each, dict):
            continue
        word = str(each.get("outcome", ""))
        words = found.setdefault(str(each.get("policy", "")), [])
        if word not in words:
            words.append(word)
        ruling = each.get("ruling")
        ruling = ruling if isinstance(ruling, dict) else {}
        if word == "waived" and ruling.get("waiver"):
            covered[str(ruling["waiver"])] = None
        if ruling.get("breakglass"):
            overridden[str(ruling["breakglass"])] = None
    applied = solon.get("policies")
    return Decided(
        name,
        str(event.get("timestamp", "")),
        outcome,
        subject.uri,
        let_pass,
        applied if isinstance(applied, int) else None,
        {policy: ", ".join(words) for policy, words in found.items()},
        list(covered),
        list(overridden),
    )


def stamp_of(event: Mapping[str, Any]) -> tuple[str, str]:
    """The place at which a decision was taken, and the digest of what was in force there; nothing where it does not say."""
    solon = event.get("solon")
    said = solon.get("programme") if isinstance(solon, dict) else None
    said = said if isinstance(said, dict) else {}
    place, digest = said.get("place"), said.get("digest")
    return (place, digest) if isinstance(place, str) and isinstance(digest, str) else ("", "")


def state_of(entries: Sequence[Recorded], event: Mapping[str, Any]) -> tuple[State | None, str]:
    """What a decision was judged under, or why that is not known."""
    place, digest = stamp_of(event)
    if not place:
        return None, "the decision does not say under what it was taken"
    try:
        time_ns = nanoseconds(str(event.get("timestamp", "")))
    except ValueError as error:
        return None, f"the decision {error}"
    state = with_digest(entries, digest, place, time_ns)
    if state is None:
        return None, f"what was in force in {place} then is not in the log as a whole"
    return state, ""


def _for_subject(
    log: Log,
    entries: Sequence[Recorded],
    event: Mapping[str, Any],
    decided: Decided,
    at: int | None,
    options: Options,
) -> Asked:
    subject, traits = judged(event)
    when = at if at is not None else nanoseconds(decided.time)
    place, _ = stamp_of(event)
    problem = ""
    if at is None and options.place in {None, place}:
        state, problem = state_of(entries, event)
    else:
        place = options.place or place
        state = as_of(entries, when, place) if place else None
        problem = (
            "" if state else _unknown(entries, place) if place else "say which --place: the decision does not"
        )
    if state is None:
        return Asked(place or PLACE, times.instant(when), None, problem=problem)
    found = of_state(log, state, when)
    standings = [
        each for each in found.of_subject(subject, traits) if _is_asked(each.policy.id, options.policies)
    ]
    return Asked(place, times.instant(when), found, standings)
