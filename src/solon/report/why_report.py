"""Why a decision was made as it was: from its event alone, as it was logged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from solon.report.json import text
from solon.report.table import wrap
from solon.report.text import printable, printable_lines

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


def render(name: str, event: Mapping[str, Any], place: Mapping[str, Any], *, width: int = 100) -> str:
    """``place`` says where it stands in the log: shard, index, signed, copies."""
    if name == "json":
        return text({"schema": SCHEMA, **_document(event), "log": dict(place)})
    return "".join(f"{line}".rstrip() + "\n" for line in _lines(event, place, min(width, _WIDEST)))


def _document(event: Mapping[str, Any]) -> dict[str, Any]:
    solon = _dict(event.get("solon"))
    return {
        "decision_id": event.get("decision_id"),
        "timestamp": event.get("timestamp"),
        "outcome": solon.get("outcome") or _opa_outcome(event),
        "because": because(event),
        "allow": _dict(event.get("result")).get("allow"),
        "path": event.get("path"),
        "requested_by": event.get("requested_by"),
        "labels": event.get("labels"),
        "revisions": {
            name: _dict(each).get("revision") for name, each in _dict(event.get("bundles")).items()
        },
        "posture": solon.get("posture"),
        "policies": solon.get("policies"),
        "subject": solon.get("subject"),
        "findings": _findings(event),
        "masked": event.get("masked") or [],
        "metrics": event.get("metrics"),
    }


def because(event: Mapping[str, Any]) -> str:
    """The outcome in a sentence."""
    solon = _dict(event.get("solon"))
    if not solon:
        return "It is an event of OPA's, which says what was asked and what came of it, and not why."
    findings = _findings(event)
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


def _lines(event: Mapping[str, Any], place: Mapping[str, Any], width: int) -> Iterator[str]:
    solon = _dict(event.get("solon"))
    subject = _dict(solon.get("subject"))
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
    for title, value in _facts(event, solon, subject, place):
        if value:
            yield from _block(value, width, f"  {title:<10}")
    for finding in _findings(event):
        yield ""
        yield from _finding(finding, width)


def _facts(
    event: Mapping[str, Any], solon: Mapping[str, Any], subject: Mapping[str, Any], place: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    labels = _dict(event.get("labels"))
    yield "decision", _plain(event.get("decision_id"))
    took = next(
        (
            value
            for name, value in _dict(event.get("metrics")).items()
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
        f"{_plain(name)}@{_plain(_dict(each).get('revision'))}"
        if _dict(each).get("revision")
        else _plain(name)
        for name, each in _dict(event.get("bundles")).items()
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
    ruling = _dict(finding.get("ruling"))
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
    allowed = _dict(result).get("allow", _dict(result).get("allowed")) if isinstance(result, dict) else result
    return {True: "allow", False: "deny"}.get(allowed) if isinstance(allowed, bool) else None


def _findings(event: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = _dict(event.get("solon")).get("findings")
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _block(value: str, width: int, lead: str) -> Iterator[str]:
    """A paragraph behind its label, indented as deep."""
    lines: Sequence[str] = wrap(printable_lines(value), max(width - len(lead), 20)) if value else ()
    for number, line in enumerate(lines):
        yield (lead if not number else " " * len(lead)) + line


def _count(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


def _plain(value: Any) -> str:
    return printable(_text(value))
