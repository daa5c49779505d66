"""solon rollout report: what each team has to put right, by when, and how."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass

from solon.cli import governed
from solon.cli.errors import UsageError
from solon.cli.governed import Asked
from solon.cli.writing import replaced
from solon.report import team_html, team_markdown, team_report
from solon.report.check_report import plural
from solon.report.team_report import INDEX, Fleet, TeamReport

_ENDINGS = {"markdown": "md", "html": "html", "json": "json"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """``output`` is a directory for all reports; without it, that of one team is printed, or the index."""

    team: str | None
    unowned: bool
    format: str
    output: str | None


def report(asked: Asked, wanted: Wanted) -> int:
    """The exit status. Raises UsageError, Failure."""
    if wanted.output is not None and (wanted.team is not None or wanted.unowned):
        raise UsageError("--output writes the reports of all teams: leave out --team and --unowned")
    if wanted.team is not None and wanted.unowned:
        raise UsageError("--team and --unowned are two reports: ask for one")
    at = governed.judged(asked)
    governed.sound(at, "nothing was reported")
    found = team_report.fleet(at.decisions, at.programme)
    if wanted.output is not None:
        count = _write(found, wanted.output, wanted.format)
        sys.stderr.write(f"solon: {plural(count, 'file')} in {wanted.output}\n")
    elif wanted.team is None and not wanted.unowned:
        sys.stdout.write(_index(found, wanted.format, links=False))
    else:
        sys.stdout.write(_team(wanted.format)(_chosen(found, wanted.team)))
    return 0


def _chosen(found: Fleet, team: str | None) -> TeamReport:
    """Raises UsageError."""
    chosen = found.of(team or "")
    if chosen is None and team is None:
        return TeamReport("", [], found.now, found.local)
    if chosen is None:
        known = ", ".join(each.team for each in found.teams if each.team) or "none"
        raise UsageError(f"--team: nothing there is of {team!r}; there are: {known}")
    return chosen


def _team(name: str) -> Callable[[TeamReport], str]:
    return {"markdown": team_markdown.team, "html": team_html.team, "json": team_report.team_json}[name]


def _index(found: Fleet, name: str, *, links: bool) -> str:
    if name == "json":
        return team_report.index_json(found)
    index = team_html.index if name == "html" else team_markdown.index
    return index(found, links=links)


def _write(found: Fleet, directory: str, name: str) -> int:
    """How many files were written. Raises UsageError."""
    texts = {INDEX: _index(found, name, links=True)}
    for each in found.teams:
        texts[each.file] = team_html.team(each, home=True) if name == "html" else _team(name)(each)
    try:
        os.makedirs(directory, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{directory}: {(error.strerror or str(error)).lower()}") from None
    for file, text in texts.items():
        replaced(os.path.join(directory, f"{file}.{_ENDINGS[name]}"), text.encode())
    return len(texts)
