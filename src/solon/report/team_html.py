"""The reports of teams as pages that need nothing beside them: no script, no font, no network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape as escaped
from typing import Final

from solon.governance.times import shown
from solon.report.check_report import plural
from solon.report.team_report import Fleet, Item, OfPolicy, TeamReport, by_date, by_policy, counted
from solon.report.text import printable, printable_lines

_OPEN: Final = 30  # longer lists are folded

_STYLE: Final = """
:root { color-scheme: light dark; --line: #d8dce3; --soft: #f5f6f8; --dim: #5b6472; --bad: #b3261e; --soon: #8a5a00;
  --good: #1b6e3c; --link: #0b57d0; }
@media (prefers-color-scheme: dark) { :root { --line: #39404b; --soft: #1d2127; --dim: #9aa4b2; --bad: #ff8a80;
  --soon: #ffca6b; --good: #7fd6a0; --link: #8ab4f8; } body { background: #14171b; color: #e6e8eb; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: .5rem 0; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 2.2rem 0 .3rem; border-bottom: 1px solid var(--line); padding-bottom: .3rem; }
h3 { font-size: 1rem; margin: 1.3rem 0 .2rem; overflow-wrap: anywhere; }
p { margin: .3rem 0; } a { color: var(--link); }
code { font: .875em ui-monospace, monospace; overflow-wrap: anywhere; }
.dim { color: var(--dim); } .bad { color: var(--bad); } .soon { color: var(--soon); } .good { color: var(--good); }
.fix { background: var(--soft); border-left: 3px solid var(--good); padding: .4rem .7rem; margin: .5rem 0;
  white-space: pre-line; overflow-wrap: anywhere; }
ul { list-style: none; margin: .5rem 0; padding: 0; }
li { border-top: 1px solid var(--line); padding: .45rem 0; overflow-wrap: anywhere; }
li p { white-space: pre-line; } details summary { cursor: pointer; color: var(--dim); }
.tag { font-size: .8rem; border: 1px solid var(--line); border-radius: 1rem; padding: 0 .5rem; margin-left: .4rem;
  font-weight: normal; white-space: nowrap; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .4rem .6rem; border-bottom: 1px solid var(--line); }
th { font-size: .85rem; color: var(--dim); } td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
@media print { body { max-width: none; } details:not([open]) > * { display: block; } }
"""


def _page(title: str, body: Iterator[str]) -> str:
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{_text(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )


def _text(text: str) -> str:
    return escaped(printable(text))


def _lines(text: str) -> str:
    return escaped(printable_lines(text))


def team(report: TeamReport, *, home: bool = False) -> str:
    """``home``: with a link to the index beside it."""
    return _page(f"{report.name}: {report.summary}", _team(report, home))


def _team(report: TeamReport, home: bool) -> Iterator[str]:
    if home:
        yield '<p><a href="index.html">All teams</a></p>'
    yield f"<h1>{_text(report.name)}</h1>"
    yield f'<p class="dim">As of {report.as_of}: {report.summary}.</p>'
    if report.denied:
        yield from _section("Denied now", "bad", report.denied, report)
    for at, items in by_date(report.coming, lambda each: each.denied_from):
        yield from _section(f"Denied from {report.when(at)}", "soon", items, report)
    for at, items in by_date(report.waived, lambda each: each.waived_until):
        yield from _section(f"Waived until {report.when(at)}", "", items, report)
    if report.undated:
        yield from _section("No date to deny yet", "dim", report.undated, report)
    if report.unowned:
        yield "<h2>Nobody answers for these</h2>"
        yield (
            f"<p>{plural(len(report.unowned), 'resource')}: a label or tag <code>team</code>, or CODEOWNERS, "
            "says whose they are.</p>"
        )
        rows = [f"<li>{_resource(u.resource, u.namespace, str(u.location))}</li>" for u in report.unowned]
        yield from _list(rows)


def _section(title: str, style: str, items: Sequence[Item], report: TeamReport) -> Iterator[str]:
    yield f'<h2 class="{style}">{_text(title)}</h2>'
    yield f'<p class="dim">{counted(items)}.</p>'
    for group in by_policy(items):
        yield from _policy(group, report)


def _policy(group: OfPolicy, report: TeamReport) -> Iterator[str]:
    severity = f'<span class="tag">{_text(group.severity)}</span>' if group.severity else ""
    title = f"{_text(group.title)} " if group.title else ""
    yield f"<h3>{title}<code>{_text(group.policy)}</code>{severity}</h3>"
    if group.fix:
        yield f'<div class="fix"><strong>Fix:</strong> {_lines(group.fix)}</div>'
    yield from _list([_item(item, not group.fix, report) for item in group.items])


def _list(rows: Sequence[str]) -> Iterator[str]:
    first, rest = rows[:_OPEN], rows[_OPEN:]
    yield "\n".join(["<ul>", *first, "</ul>"])
    if rest:
        more = f"<details><summary>{len(rest):,} more</summary>"
        yield "\n".join([more, "<ul>", *rest, "</ul></details>"])


def _item(item: Item, with_fix: bool, report: TeamReport) -> str:
    out = f"<li>{_resource(item.resource, item.namespace, str(item.location))}<p>{_lines(item.message)}</p>"
    if with_fix and item.fix:
        out += f'<div class="fix"><strong>Fix:</strong> {_lines(item.fix)}</div>'
    if item.waived_until is not None:
        then = f"; denied from {shown(item.denied_from, report.local)}" if item.denied_from else ""
        out += f'<p class="dim">Waiver <code>{_text(item.waiver)}</code>{then}</p>'
    return out + "</li>"


def _resource(name: str, namespace: str, place: str) -> str:
    inside = f" in {_text(namespace)}" if namespace else ""
    return f'<strong>{_text(name)}</strong>{inside} <code class="dim">{_text(place)}</code>'


def index(found: Fleet, *, links: bool) -> str:
    """``links``: to files beside it."""
    return _page("Violations by team", _index(found, links))


def _index(found: Fleet, links: bool) -> Iterator[str]:
    yield "<h1>Violations by team</h1>"
    yield f'<p class="dim">As of {found.as_of}.</p>'
    yield (
        '<div class="wide"><table><thead><tr><th>Team</th><th class="n">Denied now</th><th class="n">To be denied</th>'
        '<th>First on</th><th class="n">Waived</th><th class="n">No date</th></tr></thead><tbody>'
    )
    for each in found.teams:
        name = _text(each.name)
        name = f'<a href="{each.file}.html">{name}</a>' if links else name
        first = shown(each.next, found.local) if each.next else ""
        yield (
            f"<tr><td>{name}</td>{_number(len(each.denied), 'bad')}{_number(len(each.coming), 'soon')}<td>{first}</td>"
            f"{_number(len(each.waived), '')}{_number(len(each.undated), '')}</tr>"
        )
    yield "</tbody></table></div>"
    unowned = sum(len(each.unowned) for each in found.teams)
    if unowned:
        yield f"<p>{plural(unowned, 'resource')} {'has' if unowned == 1 else 'have'} no owner.</p>"
    if found.failures:
        yield f"<p>Policies failed {plural(found.failures, 'time')}: <code>solon check</code> says why.</p>"


def _number(count: int, style: str) -> str:
    return f'<td class="n {style if count else "dim"}">{count:,}</td>'
