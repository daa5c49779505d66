"""Who may open a token and for how long, and who may close it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from solon.governance.breakglass.cases import Case, Cases, Closed, Opened
from solon.governance.breakglass.settings import BreakglassSettings
from solon.governance.breakglass.token import ISSUER, Claims, Refused, check_reach, check_text, digest
from solon.governance.scope import Scope, matches, overlap
from solon.governance.times import period


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody asks for."""

    by: str
    reason: str
    ticket: str
    scope: Scope
    policies: Sequence[str]
    minutes: int


def opening(request: Request, cases: Cases, settings: BreakglassSettings, now: datetime, id: str) -> Claims:
    """The claims of a new token. Raises Refused, saying why it is not given."""
    by, reason, ticket = (" ".join(text.split()) for text in (request.by, request.reason, request.ticket))
    for what, text in (("the name of who opens it", by), ("reason", reason), ("ticket", ticket)):
        check_text(what, text)
    check_reach(request.scope, list(request.policies))
    if problem := not_allowed(by, settings):
        raise Refused(problem)
    longest = settings.longest // timedelta(minutes=1)
    if not 1 <= request.minutes <= longest:
        raise Refused(f"minutes must be 1 to {longest} (`maximum` in solon.yaml)")
    if repeated := routine(request.scope, cases, settings, now):
        raise Refused(repeated)
    if id in cases:
        raise Refused(f"{id} was given already: try again")
    issued = int(now.timestamp())
    return Claims(
        iss=ISSUER,
        sub=by,
        jti=id,
        iat=issued,
        nbf=issued,
        exp=issued + 60 * request.minutes,
        reason=reason,
        ticket=ticket,
        scope=request.scope,
        policies=list(request.policies),
    )


def not_allowed(by: str, settings: BreakglassSettings) -> str:
    """Why this person may not open tokens; empty when they may."""
    allowed = settings.openers
    if allowed is None or any(matches(glob.casefold(), by.casefold()) for glob in allowed):
        return ""
    return f"{by} may not open one: `openers` in solon.yaml has {', '.join(allowed)}"


def routine(scope: Scope, cases: Cases, settings: BreakglassSettings, now: datetime) -> str:
    """Why another token for this scope is no emergency any more; empty when it may be one."""
    since = now - settings.window
    before = [
        case.id for case in cases.values() if case.opened.issued > since and overlap(case.opened.scope, scope)
    ]
    if len(before) < settings.repeats:
        return ""
    return (
        f"{len(before)} were opened in the last {period(settings.window)} for a scope that this one meets "
        f"({', '.join(before[-settings.repeats :])}): that is routine and no emergency; file a waiver "
        "(`solon waivers add`), or fix what is wrong"
    )


def opened(claims: Claims, token: str) -> Opened:
    """What the ledger keeps of a token."""
    return Opened(
        at=claims.issued,
        id=claims.jti,
        by=claims.sub,
        reason=claims.reason,
        ticket=claims.ticket,
        scope=claims.scope,
        policies=claims.policies,
        issued=claims.issued,
        expires=claims.expires,
        token=digest(token),
    )


def closing(id: str, by: str, outcome: str, cases: Cases, now: datetime) -> Closed:
    """The end of a review, and of the token where it is still valid. Raises Refused."""
    case = found(id, cases)
    by, outcome = " ".join(by.split()), " ".join(outcome.split())
    check_text("the name of who closes it", by)
    check_text("outcome", outcome)
    if case.closed is not None:
        raise Refused(f"{id} was closed before, by {case.closed.by}: {case.closed.outcome}")
    if by.casefold() == case.opened.by.casefold():
        raise Refused(f"{id} was opened by {case.opened.by}: somebody else must review it")
    return Closed(at=now.replace(microsecond=0), id=id, by=by, outcome=outcome)


def found(id: str, cases: Cases) -> Case:
    """Raises Refused."""
    if id not in cases:
        raise Refused(f"{id!r} is not in the ledger (`solon breakglass list` shows what is)")
    return cases[id]
