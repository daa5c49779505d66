"""Which waivers stand, until when, and what they cover."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from waiver_strategies import NAMES, START, TRAITS, exemptions

from solon.governance.scope import Traits, compiled
from solon.governance.waivers.waiver import (
    Approver,
    Cover,
    State,
    Waiver,
    WaiverSettings,
    is_same,
    named,
    rules,
)
from solon.subjects import files

GOOD = {
    "policy": "a.high",
    "scope": {"namespace": "payments-legacy"},
    "owner": "team-payments",
    "reason": "vendor image",
    "approved_by": "platform-security",
    "created": "2026-09-30",
    "expires": "2026-12-15",
}
BERLIN = ZoneInfo("Europe/Berlin")


def text(*changes: dict[str, object]) -> str:
    """A file of waivers, each a good one with changes; None leaves a key out. One key a line, in order."""
    entries = [{k: v for k, v in {**GOOD, **each}.items() if v is not None} for each in changes]
    return yaml.safe_dump(entries, sort_keys=False, default_flow_style=None, width=1000).replace("'", '"')


def at(moment: str) -> datetime:
    return datetime.fromisoformat(moment).astimezone(UTC)


def test_a_good_one_stands(check_waivers):
    found = check_waivers(text({}))
    assert not found.problems
    (only,) = found.exemptions
    assert (only.id, str(only.location), only.since) == ("w", "w.yaml:1:3", at("2026-09-30T00:00Z"))


@pytest.mark.parametrize(
    "changes, problem",
    [
        ({"expires": None}, "w.yaml:1:3: expires is missing: an exemption without an end is not one"),
        ({"expires": " "}, "w.yaml:7:3: expires is missing: an exemption without an end is not one"),
        ({"created": None}, "w.yaml:1:3: created is missing: say since when it holds"),
        ({"owner": None}, "w.yaml:1:3: owner is missing: somebody must be accountable"),
        ({"owner": ""}, "w.yaml:3:3: owner is missing: somebody must be accountable"),
        ({"reason": None}, "w.yaml:1:3: reason is missing: say why"),
        ({"approved_by": None}, "w.yaml:1:3: approved_by is missing: somebody else must have agreed"),
        ({"policy": None}, "w.yaml:1:3: policy is missing: name the policy that is waived"),
        ({"policy": []}, "w.yaml:1:3: policy is missing: name the policy that is waived"),
        ({"policy": ["a.low", ""]}, "w.yaml:1:3: policy is missing: name the policy that is waived"),
        (
            {"scope": None},
            "w.yaml:1:3: scope is missing: name what is exempt; a waiver for everything is none",
        ),
        ({"scope": {}}, "w.yaml:2:3: scope is missing: name what is exempt; a waiver for everything is none"),
        ({"scope": {"namespace": ""}}, "w.yaml:2:11: namespace is empty, and matches nothing"),
        ({"scope": {"labels": {"a.b/c": ""}}}, "w.yaml:3:14: labels.a.b/c is empty, and matches nothing"),
        (
            {"approved_by": "@Team-Payments"},
            "w.yaml:5:3: @Team-Payments owns the waiver and cannot approve it",
        ),
        ({"created": "2026-13-01"}, "w.yaml:6:3: created: '2026-13-01' is no date: month must be in 1..12"),
        ({"expires": "next week"}, "w.yaml:7:3: expires: 'next week' is no date: write 2026-12-01"),
        ({"expires": "2026-02-30"}, "w.yaml:7:3: expires: '2026-02-30' is no date: day is out of range"),
        ({"expires": "2026-09-29"}, "w.yaml:7:3: it expires on 2026-09-29, before it is created"),
        ({"expires": "2026-09-30"}, "w.yaml:7:3: it expires on 2026-09-30, when it is created"),
        ({"id": "two words"}, "w.yaml:8:3: id may have letters, digits and - _ . / alone"),
        ({"expiry": "2026-12-15"}, "w.yaml:8:3: unknown key expiry: known are policy, scope, owner"),
        ({"expires": 20261215}, "w.yaml:7:3: expires must be a text, and is 20261215"),
    ],
)
def test_what_is_rejected_is_told_at_its_line(check_waivers, changes, problem):
    found = check_waivers(text(changes))
    assert not found.exemptions
    assert str(found.problems[0]).startswith(problem)
    assert len(found.problems) == 1


def test_all_that_is_wrong_is_told_at_once(check_waivers):
    found = check_waivers(
        "- {policy: a.high, scope: {namespace: '*'}, owner: jo, approved_by: JO, created: soon}\n"
    )
    assert [str(each).partition(": ")[2] for each in found.problems] == [
        "expires is missing: an exemption without an end is not one",
        "reason is missing: say why",
        "scope is namespace *, and so names nothing: a waiver for everything is none",
        "created: 'soon' is no date: write 2026-12-01, or 2026-12-01T09:00:00Z",
        "JO owns the waiver and cannot approve it",
    ]


def test_all_keys_that_are_unknown_or_ill_typed_are_told_at_once(check_waivers):
    found = check_waivers("- expiry: 1\n  owner: 2\n  scope: {tem: x, team: 3}\n  history: [{created: 4}]\n")
    assert [str(each.location) + " " + each.problem.partition(":")[0] for each in found.problems] == [
        "w.yaml:1:3 unknown key expiry",
        "w.yaml:2:3 owner must be a text, and is 2",
        "w.yaml:3:11 unknown key scope.tem",
        "w.yaml:3:19 scope.team must be a text or a list, and is 3",
        "w.yaml:4:14 history[0].created must be a text, and is 4",
    ]


def test_one_that_is_wrong_does_not_spoil_the_others(check_waivers):
    found = check_waivers(text({}, {"owner": None}, {}))
    assert [each.id for each in found.exemptions] == ["w", "w/3"]
    assert len(found.problems) == 1


@pytest.mark.parametrize(
    "scope, telling",
    [
        ({"namespace": "*"}, False),
        ({"namespace": "?*"}, False),
        ({"namespace": ["payments", "*"]}, False),
        ({"namespace": "*", "team": "**"}, False),
        ({"subject": "*://*"}, False),
        ({"subject": "k8s://*"}, False),
        ({"resource": "*/*"}, False),
        ({"labels": {"team": "*"}}, False),
        ({"selector": {}}, False),
        ({"selector": {"matchExpressions": [{"key": "a", "operator": "Exists"}]}}, False),
        ({"selector": {"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["b"]}]}}, False),
        ({"namespace": "*-legacy"}, True),
        ({"namespace": "*", "team": "payments"}, True),
        ({"subject": "k8s://prod/*"}, True),
        ({"resource": "deployment/*"}, True),
        ({"labels": {"app": "gateway"}}, True),
        ({"selector": {"matchLabels": {"app": "gateway"}}}, True),
        ({"selector": {"matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}]}}, True),
    ],
)
def test_a_scope_must_name_something(check_waivers, scope, telling):
    assert bool(check_waivers(text({"scope": scope})).exemptions) is telling


@pytest.mark.parametrize(
    "owner, approver",
    [
        ("team-payments", "team-payments"),
        ("team-payments", " Team-Payments "),
        ("@team-payments", "TEAM-PAYMENTS"),
        ("@acme/team-payments", "team-payments"),
        ("team-payments", "acme/Team_Payments"),
        ("team payments", "team-payments"),
        ("jo@example.com", "jo"),
        ("Jo <jo@example.com>", "JO@EXAMPLE.COM"),
        ("mailto:jo@example.com", "@jo"),
        ("jo.smith", "jo-smith@example.com"),
        ("ｊｏ", "jo"),  # full width
        ("jo", "j\u200bo"),  # with a space that has no width
    ],
)
def test_an_owner_in_any_spelling_cannot_approve(check_waivers, owner, approver):
    assert is_same(approver, owner)
    found = check_waivers(yaml.safe_dump([{**GOOD, "owner": owner, "approved_by": approver}]))
    assert "owns the waiver" in str(found.problems[0])


@pytest.mark.parametrize(
    "owner, approver",
    [
        ("team-payments", "platform-security"),
        ("acme/payments", "other/payments"),
        ("jo@example.com", "jo@example.org"),
        ("jo", "joe"),
    ],
)
def test_somebody_else_may(owner, approver):
    assert not is_same(owner, approver)


@pytest.mark.parametrize(
    "policies, longest, above, lasts, of",
    [
        (
            "b.critical",
            "2026-10-30",
            "2026-10-30T00:00:01Z",
            "30 days; 30 days",
            "b.critical, whose severity is critical",
        ),
        ("a.high", "2026-12-29", "2026-12-30", "91 days; 90 days", "a.high, whose severity is high"),
        ("a.medium", "2027-03-29", "2027-03-30", "181 days; 180 days", "a.medium, whose severity is medium"),
        ("a.low", "2027-09-30", "9999-12-31", "2,912,170 days; 365 days", "a.low, whose severity is low"),
        # Of several the strictest counts.
        ("a.*", "2026-12-29", "2027-03-29", "180 days; 90 days", "a.high, whose severity is high"),
        (
            ["a.low", "b.critical"],
            "2026-10-30",
            "2026-12-29",
            "90 days; 30 days",
            "b.critical, whose severity is critical",
        ),
    ],
)
def test_how_long_one_may_last(check_waivers, policies, longest, above, lasts, of):
    assert check_waivers(text({"policy": policies, "expires": longest})).exemptions
    found = check_waivers(text({"policy": policies, "expires": above}))
    assert [str(each).partition(": ")[2] for each in found.problems] == [
        f"it lasts {lasts} is the most for a waiver of {of} (expires: {longest} at the latest)"
    ]


def test_a_policy_that_is_not_there_yet_may_have_any_severity(check_waivers):
    assert check_waivers(text({"policy": "c.new", "expires": "2027-09-30"})).exemptions
    found = check_waivers(text({"policy": "c.new", "expires": "2027-10-01"}))
    assert "it lasts 366 days; 365 days is the most for any waiver" in str(found.problems[0])


def test_settings_change_how_long(check_waivers):
    shorter = WaiverSettings(longest={"high": "60d"})
    assert "60 days is the most" in str(check_waivers(text({}), shorter).problems[0])


APPROVERS = WaiverSettings(
    approvers=[
        Approver(["platform-security", "@acme/risk"], severities=["low", "medium", "high"]),
        Approver(["ciso"], policies=["b.*"]),
    ]
)


@pytest.mark.parametrize(
    "policies, by, problem",
    [
        ("a.high", "platform-security", ""),
        ("a.high", "@Platform-Security", ""),
        ("a.high", "acme/risk", ""),
        (
            "a.high",
            "risk",
            "risk may not approve waivers of a.high (high): platform-security, @acme/risk may",
        ),
        (
            "a.high",
            "ciso",
            "ciso may not approve waivers of a.high (high): platform-security, @acme/risk may",
        ),
        ("b.critical", "ciso", ""),
        (
            "b.critical",
            "platform-security",
            "platform-security may not approve waivers of b.critical (critical): ciso may",
        ),
        (
            "a.*",
            "ciso",
            "ciso may not approve waivers of a.low (low) and 2 more: platform-security, @acme/risk may",
        ),
        (
            "*",
            "platform-security",
            "platform-security may not approve waivers of b.critical (critical): ciso may",
        ),
    ],
)
def test_who_may_approve(check_waivers, policies, by, problem):
    found = check_waivers(text({"policy": policies, "approved_by": by, "expires": "2026-10-15"}), APPROVERS)
    assert [str(each) for each in found.problems] == ([f"w.yaml:5:3: {problem}"] if problem else [])


def test_where_nobody_is_named_nobody_may(check_waivers):
    only = WaiverSettings(approvers=[Approver(["ciso"], policies=["b.*"])])
    assert str(check_waivers(text({}), only).problems[0]).endswith("waivers of a.high (high): nobody may")


@pytest.mark.parametrize(
    "said, problem",
    [
        (WaiverSettings(longest={"sever": "3d"}), "longest: unknown severity 'sever'"),
        (WaiverSettings(longest={"low": "3"}), "longest: low: '3' is no duration"),
        (WaiverSettings(remind_before="soon"), "remind_before: 'soon' is no duration"),
        (WaiverSettings(unused_after="-1d"), "unused_after: '-1d' is no duration"),
        (
            WaiverSettings(approvers=[Approver([])]),
            "approvers: who, policies and severities must not be empty",
        ),
        (
            WaiverSettings(approvers=[Approver([""])]),
            "approvers: who, policies and severities must not be empty",
        ),
        (
            WaiverSettings(approvers=[Approver(["x"], severities=["Low"])]),
            "approvers: unknown severity 'Low'",
        ),
    ],
)
def test_settings_that_are_wrong_are_told_with_their_key(said, problem):
    with pytest.raises(ValueError, match=problem):
        rules(said)


# --- Time


@pytest.mark.parametrize(
    "zone, created, expires, before, after",
    [
        (UTC, "2026-11-01", "2026-12-15", "2026-12-14T23:59:59.999999Z", "2026-12-15T00:00:00Z"),
        (BERLIN, "2026-11-01", "2026-12-15", "2026-12-14T22:59:59Z", "2026-12-14T23:00:00Z"),
        # A time with its own offset has that, whatever the zone of the repository is.
        (BERLIN, "2026-11-01", "2026-12-15T12:00:00-05:00", "2026-12-15T16:59:59Z", "2026-12-15T17:00:00Z"),
        (UTC, "2026-11-01", "2026-12-15T12:00", "2026-12-15T11:59:59Z", "2026-12-15T12:00:00Z"),
        # In summer, midnight in Berlin is an hour earlier.
        (BERLIN, "2026-03-01", "2026-03-29", "2026-03-28T22:59:59Z", "2026-03-28T23:00:00Z"),
        (BERLIN, "2026-03-01", "2026-03-30", "2026-03-29T21:59:59Z", "2026-03-29T22:00:00Z"),
        # 02:30 is skipped on that day, and shown twice on the other: the first counts.
        (BERLIN, "2026-03-01", "2026-03-29T02:30:00", "2026-03-29T01:29:59Z", "2026-03-29T01:30:00Z"),
        (BERLIN, "2026-10-01", "2026-10-25T02:30:00", "2026-10-25T00:29:59Z", "2026-10-25T00:30:00Z"),
        # A leap second is the second behind it.
        (UTC, "2016-12-01", "2016-12-31T23:59:60Z", "2016-12-31T23:59:59.999Z", "2017-01-01T00:00:00Z"),
        (UTC, "2027-12-31", "2028-02-29", "2028-02-28T23:59:59Z", "2028-02-29T00:00:00Z"),
        (UTC, "9999-12-01", "9999-12-31", "9999-12-30T23:59:59Z", "9999-12-31T00:00:00Z"),
        (UTC, "0001-01-01", "0001-01-02", "0001-01-01T23:59:59Z", "0001-01-02T00:00:00Z"),
    ],
)
def test_it_covers_until_the_second_it_expires(check_waivers, zone, created, expires, before, after):
    found = check_waivers(text({"created": created, "expires": expires}), local=zone)
    assert not found.problems
    traits = Traits(namespace="payments-legacy")
    for moment, state in ((before, State.ACTIVE), (after, State.EXPIRED)):
        now = datetime.fromisoformat(moment)
        assert found.exemptions[0].state(now) is state
        assert bool(Cover(found.exemptions, now).of("a.high", traits)) is (state is State.ACTIVE)


def test_it_covers_from_the_second_it_is_created(check_waivers):
    (only,) = check_waivers(text({"created": "2026-10-01T08:00:00Z"})).exemptions
    assert only.state(at("2026-10-01T07:59:59Z")) is State.PENDING
    assert only.state(at("2026-10-01T08:00:00Z")) is State.ACTIVE


@pytest.mark.parametrize(
    "zone, moment",
    [(ZoneInfo("Asia/Tokyo"), "0001-01-01"), (ZoneInfo("America/New_York"), "9999-12-31T23:00:00")],
)
def test_a_date_beyond_all_calendars_is_told(check_waivers, zone, moment):
    key = "created" if moment.startswith("0") else "expires"
    found = check_waivers(text({key: moment}), local=zone)
    assert f"{key}: '{moment}' is no date: out of range" in str(found.problems[0])


@pytest.mark.parametrize("created, expires", [("2026-10-01", "2026-10-31"), ("2026-03-01", "2026-03-31")])
def test_thirty_days_are_thirty_days_when_clocks_change(check_waivers, created, expires):
    found = check_waivers(
        text({"policy": "b.critical", "created": created, "expires": expires}), local=BERLIN
    )
    assert not found.problems


def test_a_history_is_read(check_waivers):
    history = [
        {"created": "2026-03-01", "expires": "2026-05-01", "reason": "one", "approved_by": "ciso"},
        {"created": "2026-05-01", "expires": "2026-07-01", "reason": "two", "ticket": "PAY-1"},
    ]
    (only,) = check_waivers(text({"history": history})).exemptions
    assert only.since == at("2026-03-01T00:00Z")
    assert [f"{start:%m}-{end:%m}" for start, end in only.periods] == ["03-05", "05-07", "09-12"]


@pytest.mark.parametrize(
    "entry, problem",
    [
        ({"created": "once", "expires": "2026-05-01"}, "history: created: 'once' is no date"),
        ({"created": "2026-05-01", "expires": "later"}, "history: expires: 'later' is no date"),
        ({"created": "2026-05-01"}, "expires is missing in history[0]"),
        (
            {"created": "2026-05-01", "expires": "2026-06-01", "reason": "Vendor  image"},
            "it was renewed for the reason it had before: say what is new",
        ),
    ],
)
def test_a_history_that_is_wrong_is_told(check_waivers, entry, problem):
    found = check_waivers(text({"history": [entry]}))
    assert problem in str(found.problems[0])
    assert not found.exemptions


# --- Names


def test_names_are_of_files_and_numbers_there():
    parts = [
        part
        for name, ids in (("waivers/pay.yaml", ["", "mine", ""]), ("waivers/ml.yaml", [""]))
        for part in files.parsed(text(*({"id": each or None} for each in ids)), name, Waiver, "waiver")
    ]
    assert [name for name, _ in named(parts)] == ["pay", "mine", "pay/3", "ml"]


def test_two_of_one_name_are_told(check_waivers):
    found = check_waivers(text({"id": "x"}, {"id": "x"}))
    assert [each.id for each in found.exemptions] == ["x"]
    assert str(found.problems[0]) == "w.yaml:16:3: a second waiver is called 'x'; the first is at w.yaml:1:3"


# --- Cover


@settings(max_examples=200, deadline=None)
@given(exemptions(), NAMES, TRAITS, st.integers(0, 40))
def test_cover_is_what_asking_each_would_give(several, policy, traits, day):
    now = START + timedelta(days=day)
    fitting = [
        each
        for each in several
        if each.created <= now < each.expires and each.names(policy) and compiled(each.waiver.scope)(traits)
    ]
    found = Cover(several, now).of(policy, traits)
    assert (found in fitting) if fitting else (found is None)
    assert not fitting or found.expires == max(each.expires for each in fitting)


def test_only_the_named_scope_is_exempt(check_waivers):
    scope = {"namespace": "payments-legacy", "resource": "deployment/gateway"}
    cover = Cover(check_waivers(text({"scope": scope})).exemptions, at("2026-10-10T00:00Z"))
    inside = Traits(namespace="payments-legacy", resource="Deployment/gateway")
    assert cover.of("a.high", inside) is not None
    assert cover.of("a.low", inside) is None
    assert cover.of("a.high", Traits(namespace="payments", resource="Deployment/gateway")) is None
    assert cover.of("a.high", Traits(namespace="payments-legacy", resource="Deployment/gateway2")) is None
    assert cover.of("a.high", Traits()) is None


def test_a_waiver_is_as_it_is_written():
    """What is left out of a waiver is left out of its encoding, so that an edit can be compared."""
    assert msgspec.to_builtins(Waiver(policy="a", expires="2026-01-01")) == {
        "policy": "a",
        "expires": "2026-01-01",
    }
