"""solon log retain and solon log hold."""

from __future__ import annotations

import getpass
import sys
from dataclasses import dataclass
from datetime import datetime

import msgspec

from solon.cli.errors import UsageError
from solon.cli.log.command import noted, opened, worded
from solon.cli.progress import counting
from solon.decisions import retention
from solon.decisions.log import erasure, settings
from solon.decisions.log.settings import Hold
from solon.decisions.warehouse import compaction
from solon.governance import times
from solon.report import retention_report


@dataclass(frozen=True, slots=True)
class Held:
    """What is to be held."""

    reason: str
    ids: list[str]
    subjects: list[str]
    since: str
    until: str


def retain(directory: str | None, apply: bool, as_of: str | None, by: str | None, format_: str) -> int:
    if apply and as_of is not None:
        raise UsageError("--as-of is for looking ahead: --apply erases what is due now")
    with worded(), opened(directory) as log, counting("reading entries") as tell:
        now = _moment(as_of) if as_of is not None else times.instant(log.around.clock())
        if apply:
            outcome = retention.apply(log, now, by=by or getpass.getuser(), tell=tell)
            if outcome.erasures and log.can_sign():
                log.integrate()
            if compaction.exists(log):
                compaction.compact(log, open_segments=True)  # what is erased is in its copy no more, either
            noted(log)
        else:
            outcome = retention.due(log, now, tell)
    sys.stdout.write(retention_report.render(format_, outcome, applied=apply))
    return 2 if outcome.left else 0


def _moment(text: str) -> datetime:
    try:
        return times.moment(text)
    except ValueError as error:
        raise UsageError(f"--as-of {error}") from None


def hold(directory: str | None, name: str | None, held: Held, *, release: bool, format_: str) -> int:
    given = held != Held("", [], [], "", "")
    with worded(), opened(directory) as log:
        if name is None:
            if given or release:
                raise UsageError("a hold needs a name")
            sys.stdout.write(retention_report.holds(format_, log.settings.holds))
            return 0
        with erasure.alone(log):  # nothing is erased while a hold begins
            said = settings.read(log.directory)
            others = [each for each in said.holds if each.name != name]
            exists = len(others) < len(said.holds)
            if release:
                if given or not exists:
                    raise UsageError(
                        f"{name}: " + ("--release takes nothing else" if given else "there is no such hold")
                    )
            elif exists:
                raise UsageError(f"{name}: is a hold already: release it first, or choose another name")
            else:
                try:
                    others.append(Hold(name, held.reason, held.ids, held.subjects, held.since, held.until))
                except ValueError as error:
                    raise UsageError(str(error)) from None
            settings.write(log.directory, msgspec.structs.replace(said, holds=others))
    if format_ == "json":
        sys.stdout.write(retention_report.holds(format_, others))
    else:
        print(f"{name} is released" if release else f"{name} holds what fits it, until it is released")
    return 0
