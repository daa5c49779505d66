"""The example's two releases: what stops one, that nothing stops the other, and that their evidence is about what lies there."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from solon.cli import policies
from solon.evidence.admission import admitted
from solon.frameworks.policy import Context, evaluate
from solon.subjects import discover
from solon.subjects.subject import Subject

ROOT = Path(__file__).parents[2]
RELEASES = ROOT / "examples/ml-release"
STOPPED_BY = {
    "ml.artifacts.deny",
    "ml.data_quality.deny",
    "ml.dependencies.deny",
    "ml.documentation.deny",
    "ml.drift.deny",
    "ml.fairness.deny",
    "ml.latency.deny",
    "ml.performance.deny",
    "ml.regression.deny",
}


def seen(version: int) -> Subject:
    path = RELEASES / f"credit-scoring-{version}/evidence.json"
    (subject,) = discover.read(discover.Input(str(path), True), stdin=lambda _: b"")
    assert isinstance(subject, Subject)
    found = admitted(subject)
    assert isinstance(found, Subject), found
    return found


@pytest.mark.parametrize("version", [7, 8])
def test_the_evidence_is_about_what_lies_there(version: int) -> None:
    document = seen(version).document
    assert document["model"]["verified"] is True
    assert {item["status"] for item in document["evidence"].values()} == {"measured"}


@pytest.mark.parametrize(("version", "denied"), [(7, set()), (8, STOPPED_BY)])
def test_what_the_library_says_on_the_day_of_the_evidence(version: int, denied: set[str]) -> None:
    subject = seen(version)
    now = datetime.fromisoformat(subject.document["collected_at"])
    sets = policies.load(policies.Wanted([str(ROOT / "library")], [], [], True, "v1"))
    found = evaluate(sets, subject, Context(now_ns=int(now.timestamp()) * 10**9))
    assert {finding.policy.id for finding in found.findings} == denied
    assert found.policies == 13


def test_evidence_grows_old() -> None:
    subject = seen(7)
    later = datetime.fromisoformat(subject.document["collected_at"]).timestamp() + 31 * 86_400
    sets = policies.load(policies.Wanted([str(ROOT / "library")], [], [], True, "v1"))
    found = evaluate(sets, subject, Context(now_ns=int(later) * 10**9))
    assert "ml.evidence.deny" in {finding.policy.id for finding in found.findings}


def test_the_demo_shows_both(solon: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    _, _, releases = solon("demo").out.partition("\nTwo versions of a model ")
    assert "\ncredit-scoring 7: may go (13 policies: none has anything to say)\n" in releases
    assert re.search(r"\ncredit-scoring 8: may not go \(13 policies: \d+ denied\)\n", releases)
    shown, _, _ = releases.partition("\nTry next:\n")
    assert shown.count("\n      fix: ") == len(STOPPED_BY)
    assert max(map(len, shown.splitlines()[2:])) <= 110


def test_the_bill_of_materials_is_of_the_same_model() -> None:
    for version in (7, 8):
        bill = json.loads((RELEASES / f"credit-scoring-{version}/ml-bom.cdx.json").read_text())
        assert bill["metadata"]["component"]["version"] == str(version)
