"""solon waivers remind: owners hear of their waivers before those end, and after."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from solon.cli.errors import UsageError
from solon.cli.notify import notifier_of
from solon.cli.waivers import command as waivers
from solon.governance.notify import Kind, Message, Sent
from solon.governance.waivers.review import by_owner
from solon.governance.waivers.waiver import Exemption, State
from solon.report import waivers_report
from solon.report.check_report import plural
from solon.report.json import text
from solon.report.text import printable, printable_lines
from solon.report.waivers_report import WaiversReport

_MOST = 12  # waivers told of in a message, whose length is limited


def remind(as_of: str | None, format: str, *, dry_run: bool) -> int:
    """The exit status. Raises UsageError, Failure."""
    repository = waivers.read()
    notifier = notifier_of(repository.found, dry_run=dry_run)
    if notifier is None and not dry_run:
        raise UsageError(
            "no channels: write them in solon.yaml, such as "
            '`notify: {channels: {"*": ["slack://${SLACK_TOKENS}"]}}`'
        )
    found = repository.review(waivers.at(as_of, repository))
    report = WaiversReport(found, repository.rules, repository.local)
    told = []
    for owner, several in by_owner([*found.expired, *found.expiring]).items():
        message = _message(report, several)
        sent = notifier.send(owner, message) if notifier is not None else Sent()
        told.append((owner, several, message, sent))
    if format == "json":
        said = [_json(*each) for each in told]
        sys.stdout.write(text({"schema": "solon.waivers.remind/v1", "dry_run": dry_run, "reminders": said}))
    else:
        sys.stdout.write("".join(_table(*each, dry_run) for each in told) or _NOBODY)
    failures = notifier.failures if notifier is not None else []
    for problem in [*found.problems, *failures]:
        print(problem, file=sys.stderr)
    return 2 if found.problems or failures else 0


_NOBODY = "No waiver has expired or is about to.\n"


def _message(report: WaiversReport, several: Sequence[Exemption]) -> Message:
    """``several`` are those of one owner: the expired, then the others, each in order of time."""
    now = report.review.now
    expired = sum(each.state(now) is State.EXPIRED for each in several)
    soon = several[expired:]
    title = f"{plural(expired, 'waiver has', 'waivers have')} expired" if expired else ""
    if soon:
        count = str(len(soon)) if expired else plural(len(soon), "waiver")
        when = waivers_report.relative(soon[0].expires, now)
        title += (
            ", " * bool(expired) + f"{count} {'expires' if len(soon) == 1 else 'expire, the first'} {when}"
        )
    entries = ["\n".join(waivers_report.reminder(report, each)) for each in several[:_MOST]]
    if len(several) > _MOST:
        owner = several[0].waiver.owner
        entries.append(f"And {len(several) - _MOST:,} more: solon waivers list --owner {owner}")
    return Message(title, "\n\n".join(entries), Kind.FAILURE if expired else Kind.WARNING)


def _table(owner: str, _: Sequence[Exemption], message: Message, sent: Sent, dry_run: bool) -> str:
    word = "would be told" if dry_run else "told" if sent.delivered else "not told"
    on = f" on {', '.join(map(str, sent.delivered))}" if sent.delivered else ""
    lines = [printable(f"{owner} {word}{on}: {message.title}")]
    if dry_run:
        lines += [f"    {line}".rstrip() for line in printable_lines(message.body).splitlines()]
    return "\n".join(lines) + "\n"


def _json(owner: str, several: Sequence[Exemption], message: Message, sent: Sent) -> dict[str, Any]:
    return {
        "owner": owner,
        "waivers": [each.id for each in several],
        "title": message.title,
        "body": message.body,
        "delivered": [str(channel) for channel in sent.delivered],
        "failures": list(sent.failures),
    }
