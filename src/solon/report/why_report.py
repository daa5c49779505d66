"""Why a decision was made as it was: from its event, as it was logged, and what was in force by the log then."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from itertools import zip_longest
from typing import Any, Final

import msgspec

from solon.decisions.in_force.parts import ActivePolicy, ActiveSet, written
from solon.decisions.in_force.standing import InForce, Standing
from solon.decisions.record import rfc3339
from solon.frameworks.excerpt import Lines
from solon.governance.breakglass.cases import Case
from solon.governance.rollouts.rollout import Period
from solon.governance.times import shown
from solon.governance.waivers.waiver import Exemption
from solon.lang.ways import Again
from solon.report.explanation import in_words, location_of, readings_of
from solon.report.in_force_report import entry
from solon.report.in_force_report import token as token_of
from solon.report.in_force_report import waiver as waiver_of
from solon.report.json import text
from solon.report.table import wrap
from solon.report.text import printable, printable_lines
from solon.subjects.fields import mapping

SCHEMA: Final = "solon.explain/v1"
_WIDEST: Final = 110
_SAYS: Final = {
    "deny": "denies it",
    "error": "failed",
    "overridden": "would deny it, but for break-glass",
    "warn": "warns",
    "waived": "is covered by a waiver",
    "recorded": "is recorded only",
}
_MARKS: Final = {"deny": "✗", "error": "✗", "overridden": "!", "warn": "!"}


@dataclass(frozen=True, slots=True)
class Behind:
    """What the log has on a finding besides its event. ``texts`` are the policy's lines, by file; ``problem``: why not."""

    policies: ActiveSet | None = None
    since: int = 0
    policy: ActivePolicy | None = None
    standing: Standing | None = None
    texts: Sequence[tuple[str, Lines]] = ()
    problem: str = ""
    waiver: Exemption | None = None
    token: Case | None = None
    again: Again = field(default_factory=Again)


@dataclass(frozen=True, slots=True)
class Basis:
    """What was in force when it was decided, and what is behind each finding; or why that is not known."""

    found: InForce | None = None
    findings: Sequence[Behind] = ()
    problem: str = ""


def render(
    name: str, event: Mapping[str, Any], place: Mapping[str, Any], basis: Basis = Basis(), *, width: int = 100
) -> str:
    """``place`` says where it stands in the log: shard, index, signed, copies."""
    if name == "json":
        document = {"schema": SCHEMA, **_document(event), "log": dict(place), **_behind_json(event, basis)}
        return text(msgspec.to_builtins(document))
    return "".join(f"{line}".rstrip() + "\n" for line in _lines(event, place, basis, min(width, _WIDEST)))


def _document(event: Mapping[str, Any]) -> dict[str, Any]:
    solon = mapping(event.get("solon"))
    return {
        "decision_id": event.get("decision_id"),
        "timestamp": event.get("timestamp"),
        "outcome": solon.get("outcome") or _opa_outcome(event),
        "because": because(event),
        "allow": mapping(event.get("result")).get("allow"),
        "path": event.get("path"),
        "requested_by": event.get("requested_by"),
        "labels": event.get("labels"),
        "revisions": {
            name: mapping(each).get("revision") for name, each in mapping(event.get("bundles")).items()
        },
        "posture": solon.get("posture"),
        "policies": solon.get("policies"),
        "subject": solon.get("subject"),
        "findings": findings_of(event),
        "masked": event.get("masked") or [],
        "metrics": event.get("metrics"),
    }


def because(event: Mapping[str, Any]) -> str:
    """The outcome in a sentence."""
    solon = mapping(event.get("solon"))
    if not solon:
        return "It is an event of OPA's, which says what was asked and what came of it, and not why."
    findings = findings_of(event)
    posture = solon.get("posture")
    counts = {word: sum(each.get("outcome") == word for each in findings) for word in _SAYS}
    outcome = solon.get("outcome")
    if outcome == "deny":
        return f"Denied: {_count(counts['deny'], 'finding')} of enforced policies."
    if outcome == "error":
        effect = "so it was let pass" if posture == "open" else "so it was stopped"
        return (
            f"{_count(counts['error'], 'policy', 'policies')} failed, and the posture is {posture}, {effect}."
        )
    if counts["overridden"]:
        return f"Let pass by break-glass, in spite of {_count(counts['overridden'], 'finding')}."
    if outcome == "warn":
        return (
            f"Allowed, with {_count(counts['warn'], 'warning')}: nothing that was violated is enforced here."
        )
    if not solon.get("policies"):
        return "Allowed, since no policy applies to it."
    quiet = [f"{count} {word}" for word, count in counts.items() if count]
    return f"Allowed: no policy that applies denies it{' (' + ', '.join(quiet) + ')' if quiet else ''}."


def _lines(event: Mapping[str, Any], place: Mapping[str, Any], basis: Basis, width: int) -> Iterator[str]:
    solon = mapping(event.get("solon"))
    subject = mapping(solon.get("subject"))
    outcome = str(solon.get("outcome") or _opa_outcome(event) or "decision")
    name = subject.get("name") or event.get("path") or event.get("decision_id")
    parts = [outcome, _plain(name)]
    if subject:
        inside = f" in {_plain(subject['namespace'])}" if subject.get("namespace") else ""
        parts.append(f"{_plain(subject.get('kind'))}{inside}")
        parts.append(f"{_plain(subject.get('file'))}:{_plain(subject.get('line'))}")
    yield " · ".join(parts)
    yield from _block(because(event), width, "  ")
    yield ""
    for title, value in [*_facts(event, solon, subject, place), ("in force", _in_force(basis))]:
        if value:
            yield from _block(value, width, f"  {title:<10}")
    for finding, behind in zip_longest(findings_of(event), basis.findings):
        yield ""
        yield from _finding(finding, width)
        if behind is not None:
            yield from _behind(behind, basis.found.local if basis.found is not None else UTC, width)


def _facts(
    event: Mapping[str, Any], solon: Mapping[str, Any], subject: Mapping[str, Any], place: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    labels = mapping(event.get("labels"))
    yield "decision", _plain(event.get("decision_id"))
    took = next(
        (
            value
            for name, value in mapping(event.get("metrics")).items()
            if "evaluate" in name or "handler" in name
        ),
        None,
    )
    spent = f", in {took / 1e6:,.3g} ms" if isinstance(took, int) else ""
    by = [_plain(labels[key]) for key in ("id", "version") if key in labels]
    by += [f"({_plain(event['path'])})"] if event.get("path") else []
    by += [f"for {_plain(event['requested_by'])}"] if event.get("requested_by") else []
    yield "time", f"{_plain(event.get('timestamp'))}{spent}"
    yield "by", " ".join(by)
    yield "subject", _plain(subject.get("uri"))
    owners = [_plain(subject[key]) for key in ("team", "owner", "environment") if subject.get(key)]
    yield "team", ", ".join(owners)
    revisions = [
        f"{_plain(name)}@{_plain(mapping(each).get('revision'))}"
        if mapping(each).get("revision")
        else _plain(name)
        for name, each in mapping(event.get("bundles")).items()
    ]
    yield (
        "policies",
        "; ".join(
            part
            for part in (
                ", ".join(revisions),
                f"{solon['policies']} applied" if solon.get("policies") else "",
            )
            if part
        ),
    )
    yield "posture", _plain(solon.get("posture"))
    masked = event.get("masked")
    yield "masked", f"{len(masked)} values" if isinstance(masked, list) and masked else ""
    signed = "signed" if place.get("signed") else "in no checkpoint yet"
    copies = f"; it is there {place['copies']} times: it was sent again" if place.get("copies", 1) > 1 else ""
    yield "log", f"entry {place['index']} of shard {place['shard']}, {signed}{copies}"


def _finding(finding: Mapping[str, Any], width: int) -> Iterator[str]:
    word = str(finding.get("outcome") or "")
    severity = f"  {_plain(finding['severity'])}" if finding.get("severity") else ""
    says = "is excepted by its own policy" if finding.get("excepted") else _SAYS.get(word, "")
    yield f"  {_MARKS.get(word, '·')} {_plain(finding.get('policy'))}{severity}  {says}"
    yield from _block(_text(finding.get("message")), width, "    ")
    path = f" {_plain(finding['path'])}" if finding.get("path") else ""
    if finding.get("file"):
        yield f"    at {_plain(finding['file'])}:{_plain(finding.get('line'))}{path}"
    ruling = mapping(finding.get("ruling"))
    yield from _block(_stage(finding, ruling), width, "    stage: ")
    if finding.get("excepted"):
        yield from _block(_text(finding["excepted"]), width, "    exception: ")
    if ruling.get("waiver"):
        until = f", until {_plain(ruling['waiver_expires'])}" if ruling.get("waiver_expires") else ""
        place = f" ({_plain(ruling['waiver_location'])})" if ruling.get("waiver_location") else ""
        yield from _block(f"{_text(ruling['waiver'])}{until}{place}", width, "    waiver: ")
    if ruling.get("breakglass"):
        yield from _block(_text(ruling["breakglass"]), width, "    break-glass: ")
    if ruling.get("because"):
        yield from _block(_text(ruling["because"]), width, "    why: ")
    if finding.get("remediation"):
        yield from _block(_text(finding["remediation"]), width, "    fix: ")


def _in_force(basis: Basis) -> str:
    if basis.found is None:
        return f"not known: {basis.problem}" if basis.problem else ""
    last = basis.found.state.last
    by = f" by {last.by}" if last.by else ""
    commit = f", commit {last.said.commit[:12]}" if last.said.commit else ""
    return f"in {basis.found.state.place}, since the change of {rfc3339(last.time_ns)[:19]}Z{by}{commit} ({last.id})"


def _behind(behind: Behind, local: tzinfo, width: int) -> Iterator[str]:
    """What the log has of a finding besides its event."""
    standing, waiver, token = behind.standing, behind.waiver, behind.token
    if standing is not None and standing.periods:
        yield from _block(_dates(standing.periods, local), width, "    dates: ")
    if waiver is not None:
        said = waiver.waiver
        ticket = f", {said.ticket}" if said.ticket else ""
        told = f"{said.reason} ({said.owner}, approved by {said.approved_by}{ticket}; for {said.scope})"
        yield from _block(told, width, "    waived for: ")
    if token is not None:
        opened = token.opened
        told = f"{opened.reason} ({opened.by}, {opened.ticket}; until {shown(opened.expires, local)}, for {opened.scope})"
        yield from _block(told, width, "    opened for: ")
    if behind.policy is not None and behind.policies is not None:
        title = f"{behind.policy.title}: " if behind.policy.title else ""
        since = rfc3339(behind.since)[:19]
        named = f"{title}{behind.policies.name}@{behind.policies.revision[:19]}, there since {since}Z"
        yield from _block(named, width, "    policy: ")
    for file, lines in behind.texts:
        yield f"      {_plain(file)}"
        gutter = len(str(lines[-1][0])) if lines else 1
        for number, line in lines:
            yield f"      {number:>{gutter}} | {_plain(line.expandtabs(4))}"
    if behind.problem:
        yield from _block(behind.problem, width, "    text: ")
    yield from _again(behind.again, width)


def _dates(periods: Sequence[Period], local: tzinfo) -> str:
    """The stages, each once: a grace period may only go on with the one before."""
    kept = [each for at, each in enumerate(periods) if not at or periods[at - 1].stage is not each.stage]
    return ", ".join(f"{each.stage} from {shown(each.start, local)}" for each in kept)


def _again(again: Again, width: int) -> Iterator[str]:
    if again.problem:
        yield from _block(again.problem, width, "    trace: ")
    if again.way is None:
        return
    yield "    trace: asked again with what was recorded, it says the same, since"
    for step in again.way.steps:
        yield _cut(_plain(f"{step.span.file}:{step.span.row}  {step.text}"), width, "      ")
        for reading in step.readings:
            if reading.text != step.text:
                yield _cut(_plain(in_words(reading)), width, "        ")


def _cut(line: str, width: int, lead: str) -> str:
    room = max(width - len(lead), 20)
    return lead + (line if len(line) <= room else line[: room - 1] + "…")


def _behind_json(event: Mapping[str, Any], basis: Basis) -> dict[str, Any]:
    """What is added to the document: the programme, and under each finding what is behind it."""
    found = basis.found
    if found is None:
        return {"in_force": None, "in_force_problem": basis.problem}
    said = [
        {**finding, "behind": _of_finding(behind, found.at)}
        for finding, behind in zip(findings_of(event), basis.findings, strict=True)
    ]
    in_force = {
        "place": found.state.place,
        "programme": found.state.digest,
        "last_change": entry(found.state.last),
    }
    return {"in_force": in_force, "findings": said}


def _of_finding(behind: Behind, at: datetime) -> dict[str, Any]:
    way, where = behind.again.way, behind.standing
    return {
        "policy": behind.policy,
        "revision": None if behind.policies is None else behind.policies.revision,
        "text": [
            {"file": file, "lines": [{"number": number, "text": line} for number, line in lines]}
            for file, lines in behind.texts
        ],
        "text_problem": behind.problem,
        "dates": []
        if where is None
        else [{"stage": each.stage, "from": written(each.start)} for each in where.periods],
        "waiver": None if behind.waiver is None else waiver_of(behind.waiver, at),
        "break_glass": None if behind.token is None else token_of(behind.token, at),
        "trace": None
        if way is None
        else [
            {"location": location_of(step.span), "text": step.text, "readings": readings_of(step.readings)}
            for step in way.steps
        ],
        "trace_problem": behind.again.problem,
    }


def _stage(finding: Mapping[str, Any], ruling: Mapping[str, Any]) -> str:
    if not finding.get("stage"):
        return ""
    out = _text(finding["stage"])
    if ruling.get("rollout"):
        out += f" by rollout {_text(ruling['rollout'])}"
        if ruling.get("scope"):
            out += f", scope {_text(ruling['scope'])}"
    if ruling.get("enforced_from"):
        out += f"; enforced from {_text(ruling['enforced_from'])}"
    if ruling.get("existing_until"):
        out += f"; what existed before is spared until {_text(ruling['existing_until'])}"
    return out


def _opa_outcome(event: Mapping[str, Any]) -> str | None:
    result = event.get("result")
    allowed = (
        mapping(result).get("allow", mapping(result).get("allowed")) if isinstance(result, dict) else result
    )
    return {True: "allow", False: "deny"}.get(allowed) if isinstance(allowed, bool) else None


def findings_of(event: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = mapping(event.get("solon")).get("findings")
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _block(value: str, width: int, lead: str) -> Iterator[str]:
    """A paragraph behind its label, indented as deep."""
    lines: Sequence[str] = wrap(printable_lines(value), max(width - len(lead), 20)) if value else ()
    for number, line in enumerate(lines):
        yield (lead if not number else " " * len(lead)) + line


def _count(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


def _plain(value: Any) -> str:
    return printable(_text(value))
