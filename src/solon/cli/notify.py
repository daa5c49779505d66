"""solon notify: tells an owner something, and shows whether the channels work."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass
from typing import Any

from solon.cli import config
from solon.cli.errors import UsageError
from solon.governance.notify import Kind, Message, Notifier, Sent
from solon.governance.pace import Clock
from solon.report.json import text
from solon.report.text import printable
from solon.subjects.documents import text_of
from solon.subjects.positions import SourceFile
from solon.subjects.subject import Location, Path


@dataclass(frozen=True, slots=True)
class Options:
    owner: str
    title: str
    body: str
    kind: str
    dry_run: bool
    format: str


def run(options: Options) -> int:
    """The exit status. Raises UsageError."""
    found = config.find(os.getcwd())
    notifier = notifier_of(found, dry_run=options.dry_run) if found is not None else None
    if notifier is None:
        raise UsageError(
            "no channels: write them in solon.yaml, such as "
            '`notify: {channels: {"*": ["slack://${SLACK_TOKENS}"]}}`'
        )
    sent = notifier.send(options.owner, Message(options.title, options.body, Kind(options.kind)))
    sys.stdout.write(_json(sent, options) if options.format == "json" else _table(sent, options))
    return 2 if sent.failures else 0


def notifier_of(found: config.Found, *, dry_run: bool = False) -> Notifier | None:
    """What tells people in this repository; None where solon.yaml has no channels."""
    if found.config.notify is None:
        return None
    name = os.path.relpath(os.path.join(found.directory, config.NAME))
    file = SourceFile(name, lambda: _text(name))

    def place(path: Path) -> Location:
        return Location(name, *(file.place(0, path) or ()))

    return Notifier(found.config.notify, os.environ, Clock(time.time, time.sleep), place, dry_run)


def _text(name: str) -> str:
    with open(name, "rb") as file:
        return text_of(file.read())


def _table(sent: Sent, options: Options) -> str:
    word = "would be told" if options.dry_run else "told"
    lines = [f"✓ {word}: {channel}" for channel in sent.delivered] + [f"✗ {said}" for said in sent.failures]
    return "".join(f"{printable(line)}\n" for line in lines)


def _json(sent: Sent, options: Options) -> str:
    said: dict[str, Any] = {
        "schema": "solon.notify/v1",
        "owner": options.owner,
        "dry_run": options.dry_run,
        "delivered": [str(channel) for channel in sent.delivered],
        "failures": list(sent.failures),
    }
    return text(said)
