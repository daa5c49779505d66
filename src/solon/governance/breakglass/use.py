"""Using tokens: which of them hold, what they cover, and the record and alarm when one lets something through."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from solon.governance.breakglass import ledger
from solon.governance.breakglass.cases import Cases, Used
from solon.governance.breakglass.rules import not_allowed
from solon.governance.breakglass.settings import BreakglassSettings
from solon.governance.breakglass.token import Claims, Refused, digest, verify
from solon.governance.scope import Test, Traits, compiled, matches
from solon.governance.times import period, shown

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

LEEWAY: Final = timedelta(seconds=60)  # how far the clock of who opened it may be ahead; its end has none
MAX_TOKENS: Final = 20
_LISTED: Final = 500  # URIs that one line of the ledger names
_LONGEST_URI: Final = 300


@dataclass(frozen=True, slots=True)
class Unusable:
    """A token that lets nothing through, and why. ``id`` is empty where it cannot be trusted."""

    problem: str
    id: str = ""

    def __str__(self) -> str:
        return f"break-glass token{' ' * bool(self.id)}{self.id}: {self.problem}"


@dataclass(frozen=True, slots=True)
class Grant:
    """A token that holds."""

    claims: Claims
    scope: Test

    @property
    def id(self) -> str:
        return self.claims.jti

    def covers(self, policy: str, traits: Traits) -> bool:
        """Whether it lets a finding of the policy with that identifier on that subject through."""
        return any(matches(glob, policy) for glob in self.claims.policies) and self.scope(traits)


@dataclass(frozen=True, slots=True)
class Passed:
    """A subject that a grant let through: its URI, and the policy of each finding."""

    subject: str
    policies: Sequence[str]


def verified(
    tokens: Iterable[str], settings: BreakglassSettings, key: Ed25519PublicKey, cases: Cases, now: datetime
) -> list[Grant | Unusable]:
    """Each token once, as a grant or with the reason why it is none."""
    once = list(dict.fromkeys(token.strip() for token in tokens))
    if len(once) > MAX_TOKENS:
        return [Unusable(f"{len(once)} of them; {MAX_TOKENS} are allowed")]
    return [_verified(token, settings, key, cases, now) for token in once]


def _verified(
    token: str, settings: BreakglassSettings, key: Ed25519PublicKey, cases: Cases, now: datetime
) -> Grant | Unusable:
    try:
        claims = verify(token, key)
    except Refused as refused:
        return Unusable(str(refused))
    if problem := unusable(claims, digest(token), settings, cases, now):
        return Unusable(problem, claims.jti)
    return Grant(claims, compiled(claims.scope))


def unusable(
    claims: Claims, token_digest: str, settings: BreakglassSettings, cases: Cases, now: datetime
) -> str:
    """Why a token with a good signature cannot be used; empty when it can."""
    length = claims.expires - claims.issued
    if length > settings.longest:
        return f"lasts {period(length)}, and {period(settings.longest)} are allowed (`maximum` in solon.yaml)"
    if now < claims.issued - LEEWAY:
        return f"is not valid before {shown(claims.issued)}; are the clocks right?"
    if now >= claims.expires:
        return f"expired {shown(claims.expires)}; it cannot be renewed"
    if problem := not_allowed(claims.sub, settings):
        return problem
    case = cases.get(claims.jti)
    if case is None or case.opened.token != token_digest:
        return "is not in the ledger: commit and push the line that `solon breakglass open` wrote there"
    if case.closed is not None:
        return f"was closed {shown(case.closed.at)} by {case.closed.by}: {case.closed.outcome}"
    return ""


def out_of_scope(grants: Sequence[Grant], denied: Iterable[tuple[str, Traits]]) -> list[Unusable]:
    """The grants that cover nothing of what is denied: (policy, traits of the subject) of each finding."""
    findings = list(denied)
    return [
        Unusable(
            f"covers nothing of what is denied; it is for {grant.claims.scope}, "
            f"and policies {', '.join(grant.claims.policies)}",
            grant.id,
        )
        for grant in grants
        if findings and not any(grant.covers(policy, traits) for policy, traits in findings)
    ]


Alarm = Callable[[str, str, str], None]  # title, body, kind: "failure", the gravest of a notifier


def use(path: str, grant: Grant, passed: Sequence[Passed], *, by: str, now: datetime, alarm: Alarm) -> Used:
    """Write down what a grant lets through, then raise the alarm; only after that may it go through.

    Raises OSError, and Refused where the ledger is not sound or the token was closed meanwhile.
    """
    policies = sorted({policy for one in passed for policy in one.policies})
    event = Used(
        at=now.replace(microsecond=0),
        id=grant.id,
        by=_plain(" ".join(by.split())),
        policies=[_plain(policy) for policy in policies],
        findings=sum(len(one.policies) for one in passed),
        subjects=len(passed),
        uris=[_plain(one.subject[:_LONGEST_URI]) for one in passed[:_LISTED]],
    )

    def decide(book: ledger.Book) -> Used:
        case = book.cases.get(grant.id)
        if case is None or case.closed is not None:
            raise Refused(str(Unusable("was closed, or taken out of the ledger, while this ran", grant.id)))
        return event

    ledger.record(path, decide)
    alarm(*alarm_of(grant.claims, event), "failure")
    return event


def alarm_of(claims: Claims, used: Used) -> tuple[str, str]:
    """Title and body."""
    title = f"Break-glass {claims.jti} used by {used.by}: {_count(used.findings, 'finding')} let through"
    shown_uris = used.uris[:10]
    more = used.subjects - len(shown_uris)
    lines = [
        f"Opened by {claims.sub}, {claims.ticket}: {claims.reason}",
        f"Scope: {claims.scope}; until {shown(claims.expires)}",
        f"Policies: {', '.join(used.policies)}",
        f"{_count(used.subjects, 'subject')}:",
        *(f"  {uri}" for uri in shown_uris),
        *([f"  and {more:,} more"] if more else []),
        f'Somebody else must review it: solon breakglass close {claims.jti} --outcome "..."',
    ]
    return title, "\n".join(lines)


def _plain(text: str) -> str:
    """Names come from what is judged: nothing in them may drive a terminal, or a chat."""
    return text if text.isprintable() else text.encode("unicode_escape").decode()


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"
