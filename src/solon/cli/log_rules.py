"""``log:`` of solon.yaml, and what events go through before they are logged."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator

from solon.cli import config
from solon.cli.errors import UsageError
from solon.decisions.event_rules import EventRules, RulesError, load
from solon.decisions.sinks.settings import LogSettings


def settings() -> LogSettings:
    """``log:`` of the nearest solon.yaml. Raises UsageError."""
    found = config.find(os.getcwd())
    return found.log() if found is not None else LogSettings()


def rules_of(said: LogSettings, mask: str | None = None) -> EventRules:
    """Raises UsageError."""
    path = mask or said.mask
    secrets = said.secrets == "mask"
    if not path:
        return EventRules(secrets=secrets)
    try:
        return load(path, secrets=secrets, warn=say)
    except RulesError as error:
        raise UsageError(str(error)) from None


def ruled(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Events as the policies of solon.yaml leave them; a record of Solon has no secrets any more. Raises UsageError."""
    said = settings()
    if not said.mask:
        yield from lines
        return
    rules = rules_of(said)
    for line in lines:
        try:
            kept = rules.rewrite(line)
        except ValueError:  # a lone surrogate is JSON, and no text
            plain = json.dumps(json.loads(line), ensure_ascii=False).encode("utf-8", "replace")
            kept = rules.rewrite(plain)
        if kept is not None:
            yield kept if kept.endswith(b"\n") else kept + b"\n"


def say(text: str) -> None:
    print(f"solon: {text}", file=sys.stderr, flush=True)
