"""Opening, using and closing: with a clock that is passed in."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from solon.governance.breakglass import ledger, rules
from solon.governance.breakglass.rules import Request, closing, opening
from solon.governance.breakglass.settings import BreakglassSettings
from solon.governance.breakglass.token import Claims, Refused, issue
from solon.governance.breakglass.use import (
    Grant,
    Passed,
    Unusable,
    out_of_scope,
    use,
    verified,
)
from solon.governance.scope import Scope, Traits

KEY = Ed25519PrivateKey.from_private_bytes(b"\x01" * 32)
PUBLIC = KEY.public_key()
NOON = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
SETTINGS = BreakglassSettings()
PAYMENTS = Scope(team="payments", namespace="pay-*")
ID = "bg-000000000001"


def request(**changes: Any) -> Request:
    asked = {
        "by": "ana@example.com",
        "reason": "the gateway is down",
        "ticket": "PAY-4821",
        "scope": PAYMENTS,
        "policies": ["*"],
        "minutes": 30,
    }
    return Request(**{**asked, **changes})


def claims(at: datetime = NOON, id: str = ID, **changes: Any) -> Claims:
    return opening(request(**changes), {}, SETTINGS, at, id)


def cases_of(*given: Claims) -> dict[str, Any]:
    return ledger.fold(enumerate((rules.opened(one, issue(one, KEY)) for one in given), 1))[0]


def problem(claims: Claims, now: datetime, settings: BreakglassSettings = SETTINGS, cases: Any = None) -> str:
    """Why the token is unusable; empty when it is a grant."""
    [result] = verified(
        [issue(claims, KEY)], settings, PUBLIC, cases_of(claims) if cases is None else cases, now
    )
    if isinstance(result, Unusable):
        assert result.id == claims.jti
        return result.problem
    return ""


# --- opening


def test_a_token_is_valid_for_what_was_asked() -> None:
    opened = claims(NOON + timedelta(microseconds=999_999))
    assert (opened.issued, opened.expires, opened.nbf) == (NOON, NOON + timedelta(minutes=30), opened.iat)
    assert (opened.sub, opened.jti, opened.scope, opened.policies) == ("ana@example.com", ID, PAYMENTS, ["*"])


def test_texts_are_one_line() -> None:
    assert claims(reason=" the gateway\n\tis down ").reason == "the gateway is down"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"by": " "}, "the name of who opens it is empty"),
        ({"reason": ""}, "reason is empty"),
        ({"reason": "\n"}, "reason is empty"),
        ({"reason": "a\x1b[2Jb"}, "reason has characters that cannot be shown"),
        ({"ticket": ""}, "ticket is empty"),
        ({"scope": Scope()}, "a token for everything is not given"),
        ({"scope": Scope(team=[])}, "team is empty"),
        ({"policies": []}, "name 1 to 100"),
        ({"minutes": 0}, "minutes must be 1 to 60"),
        ({"minutes": -5}, "minutes must be 1 to 60"),
        ({"minutes": 61}, "minutes must be 1 to 60"),
    ],
)
def test_what_is_not_given(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(Refused) as refused:
        claims(**changes)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("openers", "by", "allowed"),
    [
        (None, "anyone", True),
        (["ana@example.com"], "ana@example.com", True),
        (["Ana@Example.com"], "ana@example.com", True),
        (["*@sre.example.com", "ben@example.com"], "cleo@sre.example.com", True),
        (["*@sre.example.com", "ben@example.com"], "ben@example.com", True),
        (["*@sre.example.com"], "eve@sre.example.com.evil.test", False),
        (["ana@example.com"], "eve@example.com", False),
    ],
)
def test_openers(openers: list[str] | None, by: str, allowed: bool) -> None:
    settings = BreakglassSettings(openers=openers)
    token = claims(by=by)
    if allowed:
        assert opening(request(by=by), {}, settings, NOON, ID) == token
        assert problem(token, NOON, settings) == ""
        return
    with pytest.raises(Refused, match=r"may not open one: `openers` in solon\.yaml has"):
        opening(request(by=by), {}, settings, NOON, ID)
    assert "may not open one" in problem(token, NOON, settings)


# --- routine


def before(*days: float, scope: Scope = PAYMENTS) -> dict[str, Any]:
    return cases_of(
        *(claims(NOON - timedelta(days=ago), f"bg-{n:012x}", scope=scope) for n, ago in enumerate(days, 10))
    )


@pytest.mark.parametrize(
    ("cases", "scope", "given"),
    [
        ({}, PAYMENTS, True),
        (before(1, 2), PAYMENTS, True),
        (before(1, 2, 3), PAYMENTS, False),
        (before(29.99, 29.98, 29.97), PAYMENTS, False),
        (before(1, 2, 30), PAYMENTS, True),  # thirty days ago, to the second, is no longer within thirty days
        (before(1, 2, 3), Scope(team="fraud"), True),
        (before(1, 2, 3), Scope(team="payments"), False),
        (before(1, 2, 3), Scope(namespace="pay-gateway"), False),
        (before(1, 2, 3), Scope(namespace="checkout"), True),
        (before(1, 2, 3, scope=Scope(namespace="pay-a")), Scope(namespace="pay-b"), True),
        (before(1, 2, 3, scope=Scope(namespace="*")), Scope(namespace="pay-b"), False),
    ],
)
def test_routine_is_no_emergency(cases: dict[str, Any], scope: Scope, given: bool) -> None:
    if given:
        assert opening(request(scope=scope), cases, SETTINGS, NOON, ID).scope == scope
        return
    with pytest.raises(Refused, match=r"routine and no emergency; file a waiver \(`solon waivers add`\)"):
        opening(request(scope=scope), cases, SETTINGS, NOON, ID)


def test_tokens_that_were_closed_count_as_well() -> None:
    cases = before(1, 2, 3)
    closed = {id: replace(case, closed=closing(id, "ben", "fine", cases, NOON)) for id, case in cases.items()}
    with pytest.raises(Refused, match="routine"):
        opening(request(), closed, SETTINGS, NOON, ID)


def test_other_policies_do_not_make_it_less_routine() -> None:
    with pytest.raises(Refused, match="routine"):
        opening(request(policies=["another.*"]), before(1, 2, 3), SETTINGS, NOON, ID)


# --- using: time


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-61, "is not valid before 2026-12-01 12:00 UTC; are the clocks right?"),
        (-60, ""),
        (0, ""),
        (1799, ""),
        (1799.999999, ""),
        (1800, "expired 2026-12-01 12:30 UTC; it cannot be renewed"),
        (1801, "expired 2026-12-01 12:30 UTC; it cannot be renewed"),
        (86_400 * 3650, "expired 2026-12-01 12:30 UTC; it cannot be renewed"),
    ],
)
def test_a_token_holds_from_its_first_second_to_its_last(seconds: float, said: str) -> None:
    assert problem(claims(), NOON + timedelta(seconds=seconds)) == said


def test_a_token_made_by_hand_cannot_last_longer() -> None:
    long = msgspec.structs.replace(claims(), exp=claims().iat + 10 * 86_400)
    assert problem(long, NOON) == "lasts 10 days, and 1 hour are allowed (`maximum` in solon.yaml)"
    second = msgspec.structs.replace(claims(), exp=claims().iat + 3601)
    assert "(`maximum` in solon.yaml)" in problem(second, NOON)
    hour = msgspec.structs.replace(claims(), exp=claims().iat + 3600)
    assert problem(hour, NOON) == ""


def test_a_maximum_that_was_lowered_holds_for_tokens_that_are_out() -> None:
    assert "lasts 30 minutes, and 15 minutes are allowed" in problem(
        claims(), NOON, BreakglassSettings(maximum="15m")
    )


def test_a_time_zone_or_a_change_of_the_clock_does_not_matter() -> None:
    from zoneinfo import ZoneInfo

    # In Berlin, 25 October 2026 has 02:30 twice; an hour lies between them.
    start = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    token = claims(start)
    first = datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"), fold=0)
    second = first.replace(fold=1)
    assert problem(token, first) == ""
    assert "expired" in problem(token, second)


# --- using: the ledger


def test_a_token_that_the_ledger_does_not_know() -> None:
    assert "is not in the ledger" in problem(claims(), NOON, cases={})


def test_a_token_that_is_not_the_one_in_the_ledger() -> None:
    wider = msgspec.structs.replace(claims(), scope=Scope(team="*"))
    assert "is not in the ledger" in problem(wider, NOON, cases=cases_of(claims()))


def test_a_token_that_was_closed() -> None:
    cases = cases_of(claims())
    cases[ID] = replace(cases[ID], closed=closing(ID, "ben", "not needed", cases, NOON))
    assert problem(claims(), NOON, cases=cases) == "was closed 2026-12-01 12:00 UTC by ben: not needed"


def test_tokens_that_cannot_be_trusted_have_no_name() -> None:
    other = Ed25519PrivateKey.from_private_bytes(b"\x02" * 32)
    results = verified(["x", issue(claims(), other)], SETTINGS, PUBLIC, cases_of(claims()), NOON)
    assert [str(result) for result in results] == [
        "break-glass token: is not a token: three parts with dots between, as `solon breakglass open` prints it",
        "break-glass token: has a signature that the public key does not verify: changed, or of another key",
    ]


def test_tokens_are_taken_once_and_not_endlessly() -> None:
    token = issue(claims(), KEY)
    [grant] = verified([token, f" {token}\n"], SETTINGS, PUBLIC, cases_of(claims()), NOON)
    assert isinstance(grant, Grant)
    [too_many] = verified([f"{token}{n}" for n in range(21)], SETTINGS, PUBLIC, {}, NOON)
    assert str(too_many) == "break-glass token: 21 of them; 20 are allowed"


# --- using: what is covered


def grant_of(**changes: Any) -> Grant:
    token = claims(**changes)
    [grant] = verified([issue(token, KEY)], SETTINGS, PUBLIC, cases_of(token), NOON)
    assert isinstance(grant, Grant)
    return grant


@pytest.mark.parametrize(
    ("changes", "policy", "traits", "covered"),
    [
        ({}, "main.deny", Traits(team="payments", namespace="pay-gateway"), True),
        ({}, "main.deny", Traits(team="payments", namespace="checkout"), False),
        ({}, "main.deny", Traits(team="fraud", namespace="pay-gateway"), False),
        ({}, "main.deny", Traits(namespace="pay-gateway"), False),
        ({}, "main.deny", Traits(), False),
        ({"policies": ["main.*"]}, "main.deny", Traits(team="payments", namespace="pay-a"), True),
        ({"policies": ["main.*"]}, "other.deny", Traits(team="payments", namespace="pay-a"), False),
        ({"policies": ["x", "y"]}, "y", Traits(team="payments", namespace="pay-a"), True),
        ({"scope": Scope(labels={"tier": "gold"})}, "x", Traits(labels={"tier": "gold"}), True),
        ({"scope": Scope(labels={"tier": "gold"})}, "x", Traits(labels={"tier": "tin"}), False),
    ],
)
def test_only_what_the_token_names_is_covered(
    changes: dict[str, Any], policy: str, traits: Traits, covered: bool
) -> None:
    assert grant_of(**changes).covers(policy, traits) is covered


def test_a_grant_that_covers_nothing_of_what_is_denied() -> None:
    grant = grant_of(policies=["main.*"])
    inside, outside = Traits(team="payments", namespace="pay-a"), Traits(team="fraud")
    assert out_of_scope([grant], []) == []
    assert out_of_scope([grant], [("main.deny", outside), ("main.deny", inside)]) == []
    [said] = out_of_scope([grant], [("main.deny", outside), ("other", inside)])
    assert str(said) == (
        f"break-glass token {ID}: covers nothing of what is denied; it is for namespace pay-*, team payments, "
        "and policies main.*"
    )


# --- using: the record and the alarm


@pytest.fixture
def path(tmp_path: Path) -> str:
    path = str(tmp_path / "breakglass.jsonl")
    token = claims()
    ledger.record(path, lambda _book: rules.opened(token, issue(token, KEY)))
    return path


def test_a_use_is_written_down_and_then_the_alarm_is_raised(path: str) -> None:
    alarms = []

    def alarm(*said: str) -> None:
        assert len(ledger.read(path).cases[ID].uses) == 1, "the record comes first"
        alarms.append(said)

    passed = [Passed("k8s://c/pay-a/Deployment/web", ["main.b", "main.a"]), Passed("k8s://c/pay-a/Pod/x\x1b[1m", ["main.a"])]  # fmt: skip
    use(path, grant_of(), passed, by="ci-bot", now=NOON + timedelta(minutes=1), alarm=alarm)
    [used] = ledger.read(path).cases[ID].uses
    assert (used.by, used.policies, used.findings, used.subjects) == ("ci-bot", ["main.a", "main.b"], 3, 2)
    assert used.uris == ["k8s://c/pay-a/Deployment/web", "k8s://c/pay-a/Pod/x\\x1b[1m"]
    [(title, body, kind)] = alarms
    assert (title, kind) == (f"Break-glass {ID} used by ci-bot: 3 findings let through", "failure")
    assert body.splitlines() == [
        "Opened by ana@example.com, PAY-4821: the gateway is down",
        "Scope: namespace pay-*, team payments; until 2026-12-01 12:30 UTC",
        "Policies: main.a, main.b",
        "2 subjects:",
        "  k8s://c/pay-a/Deployment/web",
        "  k8s://c/pay-a/Pod/x\\x1b[1m",
        f'Somebody else must review it: solon breakglass close {ID} --outcome "..."',
    ]


def test_what_one_line_names_is_bounded(path: str) -> None:
    said: list[str] = []
    passed = [Passed(f"k8s://c/pay-a/Pod/{'x' * 900}{n}", ["main.a"]) for n in range(2_000)]
    use(path, grant_of(), passed, by="ci", now=NOON, alarm=lambda *text: said.extend(text))
    [used] = ledger.read(path).cases[ID].uses
    assert (used.subjects, used.findings, len(used.uris)) == (2_000, 2_000, 500)
    assert "  and 1,990 more" in said[1]
    assert Path(path).stat().st_size < 200_000


def test_a_token_that_is_closed_meanwhile_lets_nothing_through(path: str) -> None:
    grant = grant_of()
    ledger.record(path, lambda book: closing(ID, "ben", "stop", book.cases, NOON))
    alarms: list[str] = []
    with pytest.raises(Refused, match=f"{ID}: was closed"):
        use(path, grant, [Passed("u", ["p"])], by="ci", now=NOON, alarm=lambda *text: alarms.extend(text))
    assert alarms == []


def test_what_cannot_be_written_down_is_not_let_through(path: str) -> None:
    Path(path).write_bytes(Path(path).read_bytes().replace(b"payments", b"everyone"))
    alarms: list[str] = []
    with pytest.raises(Refused, match="this line was changed"):
        use(path, grant_of(), [Passed("u", ["p"])], by="ci", now=NOON, alarm=lambda *text: alarms.extend(text))  # fmt: skip
    assert alarms == []


# --- closing


def test_somebody_else_closes() -> None:
    cases = cases_of(claims())
    closed = closing(ID, "ben@example.com", "rolled back;\nPAY-4830 filed", cases, NOON)
    assert (closed.at, closed.by, closed.outcome) == (NOON, "ben@example.com", "rolled back; PAY-4830 filed")


@pytest.mark.parametrize(
    ("id", "by", "outcome", "said"),
    [
        (ID, "ana@example.com", "fine", "was opened by ana@example.com: somebody else must review it"),
        (ID, " Ana@Example.COM ", "fine", "somebody else must review it"),
        (ID, "", "fine", "the name of who closes it is empty"),
        (ID, "ben", " ", "outcome is empty"),
        ("bg-1", "ben", "fine", "'bg-1' is not in the ledger"),
    ],
)
def test_what_does_not_close(id: str, by: str, outcome: str, said: str) -> None:
    with pytest.raises(Refused) as refused:
        closing(id, by, outcome, cases_of(claims()), NOON)
    assert said in str(refused.value)


# --- settings


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"maximum": "1 hour"}, "maximum: '1 hour' is no duration"),
        ({"maximum": "0m"}, "maximum must be longer than nothing"),
        ({"maximum": "25h"}, "maximum is 25h, and must be 24h or less: what takes longer is a waiver"),
        ({"within": "soon"}, "within: 'soon' is no duration"),
        ({"review_within": "0d"}, "review_within must be longer than nothing"),
        ({"repeats": 0}, "repeats must be 1 or more"),
        ({"repeats": "3"}, "Expected `int`, got `str`"),
        ({"private_key_env": "/etc/key.pem"}, "must be the name of an environment variable"),
        ({"private_key": "x"}, "unknown field `private_key`"),
        ({"ledger": ""}, "ledger is empty"),
        ({"openers": []}, "openers is empty"),
        ({"openers": [""]}, "openers is empty"),
    ],
)
def test_settings_that_are_wrong(said: dict[str, Any], problem: str) -> None:
    with pytest.raises(msgspec.ValidationError) as error:
        msgspec.convert(said, BreakglassSettings)
    assert problem in str(error.value)


def test_settings() -> None:
    settings = msgspec.convert({"maximum": "24h", "within": "2w", "review_within": "90m"}, BreakglassSettings)
    assert (settings.longest, settings.window, settings.review_time) == (
        timedelta(hours=24),
        timedelta(weeks=2),
        timedelta(minutes=90),
    )
