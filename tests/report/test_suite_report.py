import json
from xml.etree import ElementTree as ET

import pytest

from solon.frameworks.testing import Status, TestResult
from solon.report.test_report import FORMATS, SuiteReport, render, summary
from solon.subjects.subject import Location, Unreadable

STARTED = 1_772_357_400_000_000_000
MS = 1_000_000
LABELS, QUOTA = "policies/labels_test.rego", "suites/quota.yaml"
RESULTS = [
    TestResult(LABELS, "data.labels.test_denies_unlabelled", Status.PASSED, 0.001, Location(LABELS, 9, 1)),
    TestResult(
        LABELS,
        "data.labels.test_names_what_is_missing",
        Status.FAILED,
        0.002,
        Location(LABELS, 21, 2),
        'expected count(deny) == 2\nbut deny is {"lacks the label owner"}',
        ("looking at fraud-scorer",),
    ),
    TestResult(LABELS, "data.labels.todo_test_later", Status.SKIPPED, 0.0, Location(LABELS, 30, 1), "todo"),
    TestResult(QUOTA, "gpu-quota/within-quota", Status.PASSED, 0.003, Location(QUOTA, 9)),
    TestResult(
        QUOTA,
        "gpu-quota/over-quota",
        Status.ERROR,
        0.001,
        Location(QUOTA, 14),
        "object file not found: samples/over.yaml",
    ),
    TestResult("suites/fine.yaml", "labels/has-owner", Status.PASSED, 0.001, Location("suites/fine.yaml", 3)),
]
PROBLEMS = [
    Unreadable(
        Location("policies/broken.rego", 3, 1), "rego_parse_error: unexpected }", "close the rule first"
    )
]
FAILED = SuiteReport(RESULTS, PROBLEMS, 1_230 * MS, STARTED)
PASSED = SuiteReport([RESULTS[0], RESULTS[3]], [], 4 * MS, STARTED)


@pytest.fixture
def no_version(monkeypatch):
    monkeypatch.setattr("solon.__version__", "0.0.0")


@pytest.mark.parametrize(
    "file,name,options",
    [
        ("test.txt", "table", {}),
        ("test-verbose.txt", "table", {"verbose": True}),
        ("test-color.txt", "table", {"color": True}),
        ("test.json", "json", {}),
        ("test.xml", "junit", {}),
    ],
)
@pytest.mark.usefixtures("no_version")
def test_golden(file, name, options, golden):
    golden(file, render(name, FAILED, **options))


@pytest.mark.parametrize(
    "report,ok,text",
    [
        (FAILED, False, "3 passed, 1 failed, 1 skipped, 1 error, 1 unreadable · 1.2 s"),
        (PASSED, True, "2 passed · 4 ms"),
        (SuiteReport([], [], 0, STARTED), True, "no tests found · 0 ms"),
        (SuiteReport([], PROBLEMS, 0, STARTED), False, "1 unreadable · 0 ms"),
    ],
)
def test_summary(report, ok, text):
    assert (report.ok, summary(report)) == (ok, text)


def test_what_passed_is_one_line():
    assert render("table", PASSED) == "2 passed · 4 ms\n"


@pytest.mark.parametrize("name", FORMATS)
def test_hostile_text(name):
    bad = "\x1b[31m\x00\n::error::\ud800]]>&<\ufffe"
    report = SuiteReport(
        [TestResult(bad, bad, status, 1e-9, Location(bad, 1), bad, (bad,)) for status in Status],
        [Unreadable(Location(bad), bad, bad)],
        1,
        STARTED,
    )
    text = render(name, report, verbose=True)
    assert not {c for c in text if c != "\n" and ord(c) < 0x20}
    if name == "json":
        assert json.loads(text)["results"][0]["name"] == bad
    if name == "junit":
        root = ET.fromstring(text.encode())
        assert (root.get("tests"), root.get("failures"), root.get("errors"), root.get("skipped")) == (
            "5",
            "1",
            "2",
            "1",
        )
