"""Break-glass tokens that `solon check` is given: verified before anything is judged, recorded before anything passes."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from solon.cli.breakglass.repository import actor, public_key, read, repository
from solon.cli.config import Found
from solon.cli.errors import UsageError
from solon.cli.notify import notifier_of
from solon.decisions.decision import Decision
from solon.governance.breakglass import use
from solon.governance.breakglass.cases import Used
from solon.governance.breakglass.token import Refused
from solon.governance.breakglass.use import Alarm, Grant, Passed, Unusable
from solon.governance.notify import Kind, Message
from solon.governance.programme import Programme
from solon.governance.scope import Traits
from solon.subjects import discover
from solon.subjects.documents import Problem

VARIABLE = "SOLON_BREAKGLASS"
_LONGEST = 64 << 10


@dataclass(frozen=True, slots=True)
class Override:
    """The grants of a run, and where their use is written down."""

    grants: Sequence[Grant] = ()
    ledger: str = ""

    def covers(self, policy: str, traits: Traits) -> str:
        """The id of the grant that covers a finding, or nothing."""
        return next((grant.id for grant in self.grants if grant.covers(policy, traits)), "")


def given(arguments: Sequence[str], stdin: Callable[[int], bytes]) -> list[str]:
    """The tokens of --break-glass, where `-` is standard input and @FILE a file; else of the environment."""
    tokens: list[str] = []
    for argument in arguments or os.environ.get(VARIABLE, "").split():
        text = argument
        if argument == "-" or argument.startswith("@"):
            try:
                data = discover.read_bytes(argument.removeprefix("@"), stdin, _LONGEST)
            except Problem as problem:
                raise UsageError(str(problem.at(argument.removeprefix("@")))) from None
            text = data.decode("ascii", "replace")
        if not text.split():
            raise UsageError(f"{argument or 'an empty text'}: there is no break-glass token")
        tokens += text.split()
    return tokens


def verified(tokens: Sequence[str], found: Found | None, now: datetime) -> Override:
    """The grants that tokens give. Raises UsageError where one gives none, and Failure for a broken ledger."""
    if not tokens:
        return Override()
    if found is None:
        raise UsageError(
            "--break-glass needs the solon.yaml that says whose tokens count; none is here, or -p names policies"
        )
    at = repository(found)
    grants = use.verified(tokens, at.settings, public_key(at), read(at).cases, now)
    if problems := [str(grant) for grant in grants if isinstance(grant, Unusable)]:
        raise UsageError("; ".join(problems))
    return Override([grant for grant in grants if isinstance(grant, Grant)], at.ledger)


def record(override: Override, decisions: Sequence[Decision], now: datetime, alarm: Alarm) -> list[Used]:
    """Write down what each grant let through, and raise the alarm. Raises UsageError: then nothing may pass."""
    uses = []
    for grant in override.grants:
        passed = [
            Passed(decision.subject.uri, [finding.policy.id for finding in through])
            for decision in decisions
            if (through := [f for f in decision.overridden if f.ruling and f.ruling.breakglass == grant.id])
        ]
        if not passed:
            continue
        try:
            used = use.use(override.ledger, grant, passed, by=actor(os.environ), now=now, alarm=alarm)
        except Refused as refused:
            raise UsageError(str(refused)) from None
        except OSError as error:
            problem = (error.strerror or str(error)).lower()
            raise UsageError(f"{override.ledger}: the use could not be written down: {problem}") from None
        uses.append(used)
    return uses


def idle(override: Override, decisions: Sequence[Decision], programme: Programme | None) -> list[str]:
    """The grants that cover nothing of what is denied, as sentences."""
    if programme is None or not override.grants:
        return []
    denied = [
        (finding.policy.id, programme.traits(finding.subject, finding.path))
        for decision in decisions
        for finding in [*decision.enforced, *decision.overridden]
    ]
    return [str(each) for each in use.out_of_scope(override.grants, denied)]


def alarm_of(found: Found | None) -> Alarm:
    """Standard error, which nobody can turn off, and the channels of the settings."""

    def alarm(title: str, body: str, kind: str) -> None:
        sys.stderr.write(f"solon: ALARM: {title}\n" + "".join(f"  {line}\n" for line in body.splitlines()))
        notifier = notifier_of(found) if found is not None else None
        if found is None or notifier is None:
            return
        sent = notifier.send(found.config.breakglass.alarm, Message(title, body, Kind(kind)))
        for failure in sent.failures:
            sys.stderr.write(f"solon: the alarm was not sent: {failure}\n")

    return alarm
