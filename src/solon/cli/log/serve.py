"""solon log serve: receives what OPA uploads."""

from __future__ import annotations

import os
import time

from solon.cli.errors import UsageError
from solon.cli.listening import listening
from solon.cli.log import command as log
from solon.cli.log.rules import rules_of, say, settings
from solon.decisions.ingest import Limits, Receiver
from solon.decisions.log import witness
from solon.decisions.log.store import Log
from solon.decisions.warehouse.session import Limits as QueryLimits

_LIMITS = QueryLimits(memory_mib=1_024)


def serve(
    directory: str | None,
    listen: str,
    mask: str | None,
    token_env: str,
    *,
    without_token: bool,
    relay: bool,
    checkpoint_every: int,
) -> int:
    from solon.cli.log.query import prometheus
    from solon.server import ingest, metrics, run

    token = os.environ.get(token_env, "").strip()
    if not token.isascii():
        raise UsageError(f"{token_env} holds characters beyond ASCII")
    rules = rules_of(settings(), mask)
    with log.worded(), log.opened(directory) as found:
        receiver = Receiver(found, rules, Limits(), time.time_ns, relay=relay)
        with listening(listen) as at:
            if not token and not without_token and not run.is_local(at):
                raise UsageError(
                    f"--listen {listen}: others reach this: set {token_env} to a token, or say --without-token"
                )
            signs = bool(checkpoint_every) and found.can_sign()
            log.noted(found)
            for notice in receiver.notices:
                say(notice)
            if checkpoint_every and not signs:
                say(
                    f"note: the signing key cannot be read: no checkpoints; {found.directory} is signed elsewhere"
                )
            app = ingest.Ingest(
                receiver,
                Limits(),
                token=token,
                every=checkpoint_every if signs else None,
                sign=lambda: _sign(found),
                say=say,
                metrics=metrics.Metrics(lambda: prometheus(found, _LIMITS), time.monotonic),
            )
            say(f"receiving at {run.address(at)}/logs, into shard {receiver.shard} of {found.directory}")
            run.run(app.application(), at)
    say("ended: all that was acknowledged is durable")
    return 0


def _sign(found: Log) -> None:
    found.integrate()
    if found.settings.witnesses:
        for each in witness.send(found):
            if each.problem:
                say(each.problem)
