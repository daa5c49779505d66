"""What a change of policies does, as text for people, JSON, GitHub annotations and SARIF."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from solon.governance.changes import Change, Changes, Verdict
from solon.report.github import command
from solon.report.text import printable_lines

RULES: Final = {
    "change/added": "a policy that is new",
    "change/removed": "a policy that is no more",
    "change/tightened": "a policy that asks for more",
    "change/loosened": "a policy that asks for less",
    "change/mixed": "a policy that asks for more here and for less there",
    "change/changed": "a policy of which it is not known whether it asks for more or for less",
}
_MOST: Final = 5  # samples to name; JSON and SARIF have all


def rule_of(change: Change) -> str:
    return "change/mixed" if " " in change.kind else f"change/{change.kind}"


def table(changes: Changes) -> str:
    lines = [f"Changes since {changes.base}: {_counts(changes)}"]
    for change in changes.policies:
        lines.append(f"  {change.kind:<9}  {change.id}  {change.location}")
        lines += [f"    {line}" for text in told(change)[1:] for line in text.splitlines()]
    lines += [f"  not compared: {problem}" for problem in changes.problems]
    if changes.samples and changes.policies:
        lines.append(f"  {_samples(changes)}")
        for title, verdicts in (
            ("newly denied", changes.newly_denied),
            ("newly allowed", changes.newly_allowed),
        ):
            lines += [f"    {title}: {line}" for line in _named(verdicts)]
    return printable_lines("\n".join(lines))


def _counts(changes: Changes) -> str:
    counts: dict[str, int] = {}
    for change in changes.policies:
        counts[change.kind] = counts.get(change.kind, 0) + 1
    order = ("added", "removed", "tightened", "loosened", "tightened and loosened", "changed")
    return ", ".join(f"{counts[kind]} {kind}" for kind in order if kind in counts) or "none"


def _samples(changes: Changes) -> str:
    return (
        f"{changes.samples} sample{'s' * (changes.samples != 1)} judged with both: "
        f"{len(changes.newly_denied)} newly denied, {len(changes.newly_allowed)} newly allowed"
    )


def told(change: Change) -> list[str]:
    """What there is to say of a change, the first line by itself."""
    was = f", which was {change.was}" if change.was else ""
    lines = [f"{change.id}{was}: {change.kind}"]
    stage = change.stages[1] or change.stages[0]
    if change.kind in ("added", "removed"):
        lines.append(f"enforcement: {stage}")
    elif change.was:
        lines.append(f"was {change.was}")
    lines += [f"{reason.about}: {reason.text}{_toward(reason.direction)}" for reason in change.reasons]
    lines += [f"violated by {line}" for line in _named(change.newly_found)]
    lines += [f"no longer violated by {line}" for line in _named(change.newly_passed)]
    return lines


def _toward(direction: str) -> str:
    return f" ({direction})" if direction else ""


def _named(verdicts: Sequence[Verdict]) -> Iterator[str]:
    for verdict in verdicts[:_MOST]:
        yield f"{verdict.sample} ({verdict.location}): {verdict.message}"
    if len(verdicts) > _MOST:
        yield f"{len(verdicts) - _MOST} more"


def notices(changes: Changes) -> list[str]:
    found = [
        command("notice", change.location, rule_of(change), printable_lines("\n".join(told(change))))
        for change in changes.policies
    ]
    return [*found, f"Changes since {changes.base}: {_counts(changes)}; {_samples(changes)}"]


def document(changes: Changes) -> dict[str, Any]:
    return {
        "base": changes.base,
        "policies": [
            {
                "id": change.id,
                "was": change.was or None,
                "change": change.kind,
                "location": _place(change.location),
                **properties(change),
            }
            for change in changes.policies
        ],
        "samples": {
            "judged": changes.samples,
            "newly_denied": [_verdict(each) for each in changes.newly_denied],
            "newly_allowed": [_verdict(each) for each in changes.newly_allowed],
        },
        "problems": list(changes.problems),
    }


def properties(change: Change) -> dict[str, Any]:
    before, after = change.stages
    return {
        "enforcement": {"before": before, "after": after},
        "reasons": [
            {"about": reason.about, "direction": reason.direction or None, "text": reason.text}
            for reason in change.reasons
        ],
        "newly_violated_by": [_verdict(each) for each in change.newly_found],
        "no_longer_violated_by": [_verdict(each) for each in change.newly_passed],
    }


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {"sample": verdict.sample, "location": _place(verdict.location), "message": verdict.message}


def _place(location: Any) -> dict[str, Any]:
    return {"file": location.file, "line": location.line, "column": location.column}
