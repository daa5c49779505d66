import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from solon.report.check_report import duration, summary
from solon.report.table import render, wrap
from solon.subjects.subject import Location, Unreadable


@pytest.mark.parametrize(
    "name,options",
    [
        ("table-120.txt", {"width": 120}),
        ("table-40.txt", {"width": 40}),
        ("table-verbose.txt", {"verbose": True}),
        ("table-color.txt", {"color": True}),
    ],
)
def test_golden(name, options, sample_report, golden):
    golden(name, render(sample_report, **options))


def test_golden_of_hostile_text(nasty_report, golden):
    golden("table-nasty.txt", render(nasty_report))


def test_color_adds_nothing_but_color(sample_report):
    assert re.sub(r"\x1b\[[\d;]*m", "", render(sample_report, color=True)) == render(sample_report)


def test_no_color_in_the_environment_is_the_callers_business(sample_report, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" in render(sample_report, color=True)


def test_what_is_fine_is_listed_on_request_only(build):
    subject = build.subject("Pod/fine")
    report = build.report(build.decision(subject, policies=2), policies=[build.policy("p")])
    assert "Pod/fine" not in render(report)
    assert "✓ Pod/fine · kubernetes.object · web.yaml:1 · 2 policies" in render(report, verbose=True)


def test_a_place_that_the_title_names_is_not_repeated(build):
    policy, subject = build.policy("p"), build.subject("Pod/web", line=7)
    report = build.report(build.decision(subject, build.finding(policy, subject, "no")))
    assert render(report).count("web.yaml:7") == 1


@pytest.mark.parametrize("excepted", ["", "the rule"])
def test_an_exception_is_named_in_place_of_the_fix(build, excepted):
    policy, subject = build.policy("p", remediation="do it"), build.subject()
    text = render(
        build.report(build.decision(subject, build.finding(policy, subject, "no", excepted=excepted)))
    )
    assert ("fix: do it" in text) is not excepted.startswith("the")
    assert ("excepted by the rule" in text) is bool(excepted)


def test_a_resource_is_judged_with_its_plan(build):
    """Not unmatched, and not one more subject, when a policy judged the plan as a whole; nor the other way."""
    plan = {"resource_changes": [{}]}
    whole = build.subject("plan", "plan.json", kind="terraform.plan", document=plan)
    part = build.subject("aws_instance.a", "plan.json", kind="terraform.resource", parent=plan, document={})
    for matched, alone in ((whole, part), (part, whole)):
        report = build.report(build.decision(matched), build.decision(alone, policies=0))
        assert summary(report) == "1 subject: 1 allowed · 0 policies · 0.8 s"
    neither = build.report(build.decision(whole, policies=0), build.decision(part, policies=0))
    assert summary(neither) == "0 subjects judged · 2 matched no policy · 0 policies · 0.8 s"


def test_summary_counts_unreadable_inputs(build):
    report = build.report(unreadable=[Unreadable(Location("x.yaml"), "bad")])
    assert summary(report) == "0 subjects judged · 1 unreadable · 0 policies · 0.8 s"


@pytest.mark.parametrize(
    "elapsed_ns,text",
    [
        (0, "0 ms"),
        (12_400_000, "12 ms"),
        (99_600_000, "100 ms"),
        (100_000_000, "0.1 s"),
        (812_000_000, "0.8 s"),
        (59_940_000_000, "59.9 s"),
        (59_960_000_000, "1 min 0 s"),
        (125_000_000_000, "2 min 5 s"),
    ],
)
def test_duration(elapsed_ns, text):
    assert duration(elapsed_ns) == text


@pytest.mark.parametrize(
    "text,lines",
    [
        ("", [""]),
        ("short", ["short"]),
        ("one two three four", ["one two", "three four"]),
        ("abcdefghijklmno", ["abcdefghij", "klmno"]),
        ("模型部署审批", ["模型部署审", "批"]),
        ("first\n\n  second line here", ["first", "", "  second", "  line", "  here"]),
    ],
)
def test_wrap(text, lines):
    assert wrap(text, 10) == lines


WORDS = st.text(st.characters(exclude_categories=["C", "Z", "M"]), min_size=1, max_size=30)


@given(st.lists(WORDS), st.integers(4, 60))
def test_wrapping_loses_nothing_and_fits(words, width):
    lines = wrap(" ".join(words), width)
    assert "".join(lines).replace(" ", "") == "".join(words)
    assert all(cell_len(line) <= width for line in lines)
