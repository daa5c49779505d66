"""What policies cost over real subjects, and what to change."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from solon.lang.profile import Cost, place_of
from solon.lang.rego.advice import Advice
from solon.lang.source import Span
from solon.report.check_report import duration, plural
from solon.report.profile_lines import short
from solon.report.table import wrap
from solon.report.text import printable
from solon.subjects.subject import Unreadable

FORMATS: Final = ("table", "json")
SORTS: Final = ("time", "steps", "evaluations")

_WIDEST: Final = 120


@dataclass(frozen=True, slots=True)
class Idle:
    """A policy that was asked about subjects of a kind, and never got beyond its first condition."""

    policy: str
    kind: str
    asked: int
    time_ns: int


@dataclass(frozen=True, slots=True)
class ProfileReport:
    """``costs`` are those of rules' expressions; ``errors`` what stopped policies, each once."""

    subjects: int
    policies: int
    costs: Sequence[Cost]
    advice: Sequence[Advice]
    idle: Sequence[Idle]
    errors: Sequence[str]
    unreadable: Sequence[Unreadable]
    elapsed_ns: int

    @property
    def time_ns(self) -> int:
        return sum(cost.time_ns for cost in self.costs)

    @property
    def steps(self) -> int:
        return sum(cost.steps for cost in self.costs)


def render(name: str, report: ProfileReport, *, sort: str, limit: int, width: int = 100) -> str:
    """The report in the format of that name; ``limit`` 0 shows everything."""
    costs = sorted(report.costs, key=lambda c: (-_by(sort, c), -c.time_ns, place_of(c.site)))
    if name == "json":
        return json.dumps(_json(report, costs[: limit or None]), indent=2, ensure_ascii=False) + "\n"
    lines = _lines(report, costs, sort, limit, width)
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _by(sort: str, cost: Cost) -> int:
    return {"time": cost.time_ns, "steps": cost.steps, "evaluations": cost.evaluations}[sort]


def _rules(costs: Sequence[Cost]) -> list[tuple[str, int, int]]:
    """(rule, time, steps) in the order of time."""
    found: dict[str, list[int]] = {}
    for cost in costs:
        totals = found.setdefault(cost.site.rule, [0, 0])
        totals[0] += cost.time_ns
        totals[1] += cost.steps
    return sorted(((rule, *totals) for rule, totals in found.items()), key=lambda each: -each[1])  # type: ignore[misc]


def _share(part: int, whole: int) -> float:
    return 100.0 * part / whole if whole else 0.0


# --- for people


def _lines(report: ProfileReport, costs: Sequence[Cost], sort: str, limit: int, width: int) -> Iterator[str]:
    rules = _rules(report.costs)
    if len(rules) > 1:
        yield "Rules"
        yield f"{'TIME':>9} {'SHARE':>6} {'STEPS':>13}  RULE"
        for rule, time_ns, steps in rules[: limit or None]:
            share = _share(time_ns, report.time_ns)
            yield f"{short(time_ns):>9} {share:>4.0f} % {steps:>13,}  {printable(_short_name(rule))}"
        yield from _more(len(rules), limit)
        yield ""
    if costs:
        yield f"Expressions, by {sort}"
        yield f"{'TIME':>9} {'SHARE':>6} {'EVALS':>11} {'STEPS':>13}  EXPRESSION"
    for cost in costs[: limit or None]:
        share = _share(cost.time_ns, report.time_ns)
        figures = f"{short(cost.time_ns):>9} {share:>4.0f} % {cost.evaluations:>11,} {cost.steps:>13,}"
        place, name = _place(cost.site.span), _short_name(cost.site.rule)
        lead, room = " " * (len(figures) + 2), width - len(figures) - 2
        if len(place) + len(name) + 2 <= room:
            yield printable(f"{figures}  {place}  {name}")
        else:
            yield printable(f"{figures}  {place}")
            yield printable(f"{lead}{name}")
        yield printable(lead + _cut(cost.site.text, room))
    if costs:
        yield from _more(len(costs), limit)
        yield ""
    yield from _advice(report, width)
    for error in report.errors:
        yield from _block(f"✗ stopped: {error}; the figures are those up to there", width, "")
    for problem in report.unreadable:
        yield f"✗ could not be read: {printable(str(problem))}"
    if report.errors or report.unreadable:
        yield ""
    yield (
        f"{plural(report.subjects, 'subject')} · {plural(report.policies, 'policy', 'policies')} · "
        f"{report.steps:,} steps · {short(report.time_ns)} in expressions · {duration(report.elapsed_ns)}"
    )


def _more(count: int, limit: int) -> Iterator[str]:
    if limit and count > limit:
        yield f"  … {count - limit:,} more; --limit 0 shows all"


def _advice(report: ProfileReport, width: int) -> Iterator[str]:
    if not report.costs:
        return
    if not report.advice and not report.idle:
        yield "Advice: none; nothing that can be told from a profile is out of proportion"
        yield ""
        return
    yield "Advice"
    for number, advice in enumerate(report.advice, 1):
        lead = f"{number}. "
        yield printable(f"{lead}{_place(advice.site.span)}  {_short_name(advice.site.rule)}")
        yield printable(f"     {_cut(advice.site.text, width - 5)}")
        yield from _block(advice.problem, width, "   ")
        yield from _block(advice.because, width, "   ")
        yield "   instead:"
        yield from (_code(f"     {line}") for line in advice.instead)
        yield ""
    for idle in report.idle:
        text = (
            f"{idle.policy} was asked about {idle.asked:,} subjects of kind {idle.kind}, and its first condition "
            f"held for none. If it is not about those, say so in its metadata, and it is not asked:"
        )
        yield from _block(text, width, "")
        yield from ("     # METADATA", "     # custom:", "     #   subject: …", "")


def _code(line: str) -> str:
    return printable(line.replace("\t", "    "))


def _block(text: str, width: int, indent: str) -> Iterator[str]:
    room = min(width, _WIDEST) - len(indent)
    return (indent + line for line in wrap(printable(text), max(room, 20)))


def _place(span: Span) -> str:
    return f"{span.file}:{span.row}"


def _short_name(rule: str) -> str:
    return rule.removeprefix("data.")


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: max(width, 20) - 1] + "…"


# --- for machines


def _json(report: ProfileReport, costs: Sequence[Cost]) -> dict[str, Any]:
    from solon import __version__

    return {
        "schema": "solon.profile/v1",
        "solon": __version__,
        "subjects": report.subjects,
        "policies": report.policies,
        "elapsed_ns": report.elapsed_ns,
        "time_ns": report.time_ns,
        "steps": report.steps,
        "rules": [
            {"rule": _short_name(rule), "time_ns": time_ns, "steps": steps}
            for rule, time_ns, steps in _rules(report.costs)
        ],
        "expressions": [
            {
                "rule": _short_name(cost.site.rule),
                "location": _location(cost.site.span),
                "text": cost.site.text,
                "time_ns": cost.time_ns,
                "share": round(_share(cost.time_ns, report.time_ns), 2),
                "evaluations": cost.evaluations,
                "most_evaluations": cost.most,
                "steps": cost.steps,
            }
            for cost in costs
        ],
        "advice": [
            {
                "rule": _short_name(advice.site.rule),
                "location": _location(advice.site.span),
                "text": advice.site.text,
                "problem": advice.problem,
                "because": advice.because,
                "instead": list(advice.instead),
            }
            for advice in report.advice
        ],
        "idle": [
            {"policy": idle.policy, "kind": idle.kind, "asked": idle.asked, "time_ns": idle.time_ns}
            for idle in report.idle
        ],
        "errors": list(report.errors),
        "unreadable": [str(problem) for problem in report.unreadable],
    }


def _location(span: Span) -> dict[str, Any]:
    return {"file": span.file, "row": span.row, "col": span.column}
