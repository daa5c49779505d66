"""The reports of teams as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from solon.governance.times import shown
from solon.report.check_report import plural
from solon.report.markdown import code, escape, paragraph
from solon.report.team_report import Fleet, Item, TeamReport, by_date, by_policy, counted


def team(report: TeamReport) -> str:
    return "\n".join([*_team(report)]) + "\n"


def _team(report: TeamReport) -> Iterator[str]:
    yield f"# {escape(report.name)}"
    yield ""
    yield f"As of {report.as_of}: {report.summary}."
    yield ""
    if report.denied:
        yield from _section("Denied now", report.denied)
    for at, items in by_date(report.coming, lambda each: each.denied_from):
        yield from _section(f"Denied from {report.when(at)}", items)
    for at, items in by_date(report.waived, lambda each: each.waived_until):
        yield from _section(f"Waived until {report.when(at)}", items, report)
    if report.undated:
        yield from _section("No date to deny yet", report.undated)
    if report.unowned:
        yield "## Nobody answers for these"
        yield ""
        yield f"{plural(len(report.unowned), 'resource')}: a label or tag `team`, or CODEOWNERS, says whose they are."
        yield ""
        for each in report.unowned:
            yield f"- **{escape(each.resource)}**{_in(each.namespace)} at {code(str(each.location))}"
        yield ""


def _section(title: str, items: Sequence[Item], waived: TeamReport | None = None) -> Iterator[str]:
    yield f"## {title}"
    yield ""
    yield f"{counted(items)}."
    yield ""
    for group in by_policy(items):
        name = f" {paragraph(group.title)}" if group.title else ""
        severity = f" ({escape(group.severity)})" if group.severity else ""
        yield f"### {code(group.policy)}{name}{severity}"
        yield ""
        if group.fix:
            yield f"**Fix:** {paragraph(group.fix)}"
            yield ""
        for item in group.items:
            yield f"- **{escape(item.resource)}**{_in(item.namespace)} at {code(str(item.location))}<br>"
            yield f"  {paragraph(item.message)}"
            if item.fix and not group.fix:
                yield f"  <br>**Fix:** {paragraph(item.fix)}"
            if waived is not None:
                yield f"  <br>{_afterwards(item, waived)}"
        yield ""


def _afterwards(item: Item, report: TeamReport) -> str:
    then = f"; denied from {shown(item.denied_from, report.local)}" if item.denied_from else ""
    return f"Waiver {code(item.waiver)}{then}"


def _in(namespace: str) -> str:
    return f" in {escape(namespace)}" if namespace else ""


def index(found: Fleet, *, links: bool) -> str:
    """``links``: to files beside it."""
    lines = [
        "# Violations by team",
        "",
        f"As of {found.as_of}.",
        "",
        "| Team | Denied now | To be denied | First on | Waived | No date |",
        "|---|--:|--:|---|--:|--:|",
    ]
    for each in found.teams:
        name = escape(each.name)
        name = f"[{name}]({each.file}.md)" if links else name
        first = shown(each.next, found.local) if each.next else ""
        lines.append(
            f"| {name} | {len(each.denied)} | {len(each.coming)} | {first} | {len(each.waived)} | {len(each.undated)} |"
        )
    unowned = sum(len(each.unowned) for each in found.teams)
    if unowned:
        lines += ["", f"{plural(unowned, 'resource')} {'has' if unowned == 1 else 'have'} no owner."]
    if found.failures:
        lines += ["", f"Policies failed {plural(found.failures, 'time')}: `solon check` says why."]
    return "\n".join(lines) + "\n"
