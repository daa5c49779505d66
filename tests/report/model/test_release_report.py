"""The page and the summary about a release: what stops it, what it was judged by, and plots that tell the truth."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ml_evidence import ARTIFACTS, DRIFT, FAIRNESS, PERFORMANCE
from ml_releases import write_evidence, write_release
from msgspec import structs

from solon.decisions.decision import Decision, decide
from solon.evidence.admission import admitted
from solon.evidence.performance.result import Comparison, Interval, Metric
from solon.frameworks.policy import Evaluation, Finding, Policy, Stage
from solon.report.model import page, plots, summary
from solon.report.model.plots import Mark, Row, axis
from solon.subjects import discover
from solon.subjects.subject import Location, Subject

WEB = "{http://www.w3.org/2000/svg}"


def decision(directory: Path, *messages: str, **results: Any) -> Decision:
    write_evidence(write_release(directory), **results)
    (subject,) = discover.read(discover.Input(str(directory / "evidence.json"), True), stdin=lambda _: b"")
    assert isinstance(subject, Subject)
    seen = admitted(subject)
    assert isinstance(seen, Subject)
    policy = Policy(
        "ml.fairness.deny",
        "rego",
        "conftest",
        Location("policy.rego", 1, 1),
        Stage.ENFORCE,
        applies=lambda _subject, _context: True,
        judge=lambda _subject, _context: [],
        title="Groups are treated <alike>",
        severity="high",
        controls=("EU-AI-Act:Art.10",),
    )
    findings = [
        Finding(
            policy,
            seen,
            each,
            Stage.ENFORCE,
            "high",
            Location("evidence.json", 3),
            remediation="Train | again",
        )
        for each in messages
    ]
    return decide(
        Evaluation(seen, findings, 3, 5),
        decision_id="d-1",
        revisions={"lib": "r1"},
        timestamp_ns=1_790_000_000 * 10**9,
    )


@pytest.fixture
def denied(tmp_path: Path) -> Decision:
    return decision(
        tmp_path / "release",
        "sex: <script>alert(1)</script> 0.18 over 0.1",
        performance=PERFORMANCE,
        fairness=FAIRNESS,
        drift=DRIFT,
    )


def test_the_page_says_what_stops_it_and_how_to_put_it_right(denied: Decision) -> None:
    html = page.render(denied)
    assert "<strong>May not go</strong><span>3 policies: 1 denied</span>" in html
    assert "<h3>Groups are treated &lt;alike&gt;</h3>" in html
    assert "sex: &lt;script&gt;alert(1)&lt;/script&gt; 0.18 over 0.1" in html
    assert "<strong>Fix:</strong> Train | again" in html
    assert "<summary>deny · ml.fairness.deny · high · 1 control</summary>" in html
    assert '<p class="what">EU-AI-Act:Art.10</p>' in html
    assert "<script" not in html
    assert "<b>X</b>" not in html


def test_the_page_needs_nothing_beside_it(denied: Decision) -> None:
    html = page.render(denied)
    assert "default-src 'none'" in html
    assert not re.findall(r"(?:src|href)=", html)
    assert not re.findall(r"@import|url\(", html)


def svgs(html: str) -> list[ET.Element]:
    return [ET.fromstring(text) for text in re.findall(r"<svg.*?</svg>", html)]


def test_every_plot_has_a_name_and_a_row_for_each_of_what_it_shows(denied: Decision) -> None:
    html = page.render(denied)
    found = {
        plot.get("aria-label"): [t.text for t in plot.iter("text") if t.get("class") == "label"]
        for plot in svgs(html)
    }
    assert found == {
        "Metrics, beside version 2": ["accuracy", "roc_auc", "f1"],
        "log_loss, beside version 2": ["log_loss"],
        "Change since version 2": ["accuracy", "roc_auc"],
        "accuracy by slice": ["sex = Female", "sex = Male"],
        "Selected, by sex": ["Female", "Male", "<b>X</b>"],
        "Stability index by column, training against serving": ["age", "hours", "region"],
    }
    assert "n = 12: too few" in html
    assert "unknown: one value only" in html


def test_a_release_without_evidence_has_a_page_too(tmp_path: Path) -> None:
    write_release(tmp_path / "release")
    (subject,) = discover.read(
        discover.Input(str(tmp_path / "release/release.yaml"), True), stdin=lambda _: b""
    )
    assert isinstance(subject, Subject)
    seen = admitted(subject)
    assert isinstance(seen, Subject)
    empty = decide(Evaluation(seen, [], 0, 1), decision_id="d", revisions={}, timestamp_ns=0)
    html = page.render(empty)
    assert html.count("release.yaml declares nothing for it") == 7
    assert "`solon model collect --only artifacts` gathers it" in html
    assert "<svg" not in html


def test_the_summary_is_markdown_that_shows_text_as_it_is(denied: Decision) -> None:
    text = summary.render(denied)
    assert text.startswith("## ❌ adult-income 3: may not go\n\n3 policies: 1 denied · ")
    assert "**deny: Groups are treated &#60;alike&#62;** (high)\n" in text
    assert "- sex: &#60;script&#62;alert(1)&#60;/script&#62; 0.18 over 0.1\n" in text
    assert "<b>Fix:</b> Train &#124; again" in text
    assert "<script" not in text
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert all(line.count(" | ") == 2 for line in rows), rows
    assert "| ● | performance | accuracy 0.852 (0.847 to 0.857)" in text


def test_errors_and_shares_have_axes_of_their_own(tmp_path: Path) -> None:
    metrics = {"mae": Metric(100, 45.0), "r2": Metric(100, 0.4)}
    beside = {"mae": Comparison(100, 45.0, 50.0, 5.0), "r2": Comparison(100, 0.4, 0.3, 0.1)}
    found = structs.replace(PERFORMANCE, metrics=metrics, baseline=beside, slices=[])
    names = [
        plot.get("aria-label") for plot in svgs(page.render(decision(tmp_path / "r", performance=found)))
    ]
    assert names == [
        "Metrics, beside version 2",
        "mae, beside version 2",
        "Change since version 2",
        "Change since version 2, mae",
    ]


def test_a_change_is_told_in_words(tmp_path: Path) -> None:
    """An error that went down by 5 is better by 5; the interval of what is worse is turned round with it."""
    beside = {
        "mae": Comparison(100, 45.0, 50.0, 5.0, Interval(1.0, 9.0, 0.95, "bootstrap")),
        "r2": Comparison(100, 0.2, 0.3, -0.1, Interval(-0.15, -0.05, 0.95, "bootstrap")),
    }
    found = structs.replace(PERFORMANCE, baseline=beside)
    text = summary.render(decision(tmp_path / "r", performance=found))
    assert "mae beside version 2: better by 5 (1 to 9)" in text
    assert "r2 beside version 2: worse by 0.1 (0.05 to 0.15)" in text


def test_a_summary_is_never_longer_than_a_comment_may_be(tmp_path: Path) -> None:
    messages = [f"message {number} " + "&" * 5000 for number in range(100)]
    many = decision(tmp_path / "release", *messages, artifacts=ARTIFACTS)
    text = summary.render(many)
    assert len(text) <= 65_536
    assert "**100 more findings** would make this comment too long" in text
    assert "| ● | artifacts |" in text


def test_of_one_policy_the_first_findings_are_enough(tmp_path: Path) -> None:
    text = summary.render(decision(tmp_path / "release", *(f"message {number}" for number in range(20))))
    assert text.count("- message ") == 12
    assert "- and 8 more\n" in text
    assert text.count("<b>Fix:</b>") == 1


# --- plots


@pytest.mark.parametrize(
    ("values", "ticks"),
    [
        ([0.0, 1.0], [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        ([0.847, 0.91], [0.84, 0.86, 0.88, 0.9, 0.92]),
        ([3.0, 3.0], [1.0, 2.0, 3.0, 4.0, 5.0]),
        ([-0.013, 0.011], [-0.015, -0.01, -0.005, 0.0, 0.005, 0.01, 0.015]),
        ([0.0, 0.0], [-0.6, -0.4, -0.2, 0.0, 0.2, 0.4, 0.6]),
        ([], [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]),
    ],
)
def test_ticks_are_round_numbers_around_the_values(values: list[float], ticks: list[float]) -> None:
    assert list(axis(values).ticks) == ticks


@given(
    st.lists(
        st.floats(-1e9, 1e9, allow_subnormal=False).filter(lambda v: not v or abs(v) > 1e-9),
        min_size=1,
        max_size=8,
    )
)
@settings(max_examples=200, deadline=None)
def test_every_value_lies_on_its_axis_in_order(values: list[float]) -> None:
    scale = axis(values)
    hair = (scale.high - scale.low) * 1e-8
    assert scale.low - hair <= min(values) <= max(values) <= scale.high + hair
    assert 2 <= len(scale.ticks) <= 13
    places = [scale.at(value) for value in sorted(values)]
    assert places == sorted(places)
    assert all(math.isfinite(place) for place in places)


def test_a_bar_begins_at_zero() -> None:
    (plot,) = svgs(plots.bars("t", [Row("a", [Mark(2.0)]), Row("b", [Mark(1.0)]), Row("c")], [0.5]))
    wide, narrow = plot.findall("rect")
    assert float(wide.get("width", "")) == pytest.approx(2 * float(narrow.get("width", "")), rel=0.01)
    assert wide.get("x") == narrow.get("x")


def test_a_whisker_goes_from_end_to_end() -> None:
    scale = axis([0.0, 1.0])
    (plot,) = svgs(plots.dots("t", [Row("a", [Mark(0.5, 0.2, 0.8)], limit=0.4)], scale))
    whisker = next(line for line in plot.findall("line") if line.get("class") == "now")
    ends = (float(whisker.get("x1", "")), float(whisker.get("x2", "")))
    assert ends == pytest.approx((scale.at(0.2), scale.at(0.8)), abs=0.1)
    limit = next(line for line in plot.findall("line") if line.get("class") == "limit")
    assert float(limit.get("x1", "")) == pytest.approx(scale.at(0.4), abs=0.1)
