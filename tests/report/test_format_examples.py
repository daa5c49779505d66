"""The examples of docs/reference/formats.md are what Solon writes."""

import json
import re
from pathlib import Path

import pytest

from solon.decisions.record import record
from solon.frameworks.policy import Stage
from solon.report import FORMATS, test_report

HERE = Path(__file__).parent
PAGE = (HERE.parents[1] / "docs/reference/formats.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```(text|json|xml|markdown)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
RECORD = next(
    json.loads(text) for language, text in EXAMPLES if language == "json" and text.startswith("{\n")
)


@pytest.mark.parametrize("text", [text for _, text in EXAMPLES if not text.startswith("{\n")])
def test_an_example_is_in_a_golden_file(text):
    """Of an example with … lines, each part is, in order."""
    parts = [part.strip() for part in text.split("\n…\n")]
    pattern = re.compile(".*".join(map(re.escape, parts)), re.DOTALL)
    assert any(pattern.search(file.read_text(encoding="utf-8")) for file in (HERE / "golden").iterdir())


def test_the_record(build):
    document = {"kind": "Secret", "metadata": {"name": "db"}, "data": {"password": "Y2hhbmdlbWU="}}
    policy = build.policy("no-default-passwords", Stage.ENFORCE, severity="high")
    subject = build.subject(
        "Secret/db", "db.yaml", namespace="prod", document=document, uri="k8s://manifests/prod/Secret/db"
    )
    place = type(subject.location)("db.yaml", 6)
    message = "Secret/db holds the default password changeme"
    found = build.finding(policy, subject, message, path=("data", "password"), location=place)
    line = record(build.decision(subject, found), labels=RECORD["labels"])
    assert json.loads(line) == RECORD | {"decision_id": "d-0001"}
    assert list(json.loads(line)) == list(RECORD)


@pytest.mark.parametrize("name", [*FORMATS, *test_report.FORMATS])
def test_every_format_has_its_section(name):
    assert f"\n## {name}\n" in PAGE
    assert f"[`{name}`](#{name})" in PAGE
