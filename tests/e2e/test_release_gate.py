"""The release gate as a team runs it, with models trained on real data: one that may go, and one for each way not to.

Each case changes one thing of a release that passes, gathers the evidence anew where the change is in what is measured, and
sees that this thing is what stops it.
"""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from adult_release import (
    FEATURES,
    declare,
    declared,
    people,
    sign,
    trained,
    write,
    write_card,
    write_onnx,
    write_table,
    write_vulnerabilities,
)

Solon = Callable[..., Any]
LIBRARY = Path(__file__).parents[2] / "library"
TODAY = datetime.now(UTC).strftime("%Y-%m-%d")
SETTINGS = """policies: [policies/library]
data: [policies/ours]
models:
  signers: [signer.pub.pem]
  vulnerabilities: osv
"""
# What this organisation adds to the library's lists.
OURS = "ml_risk: {uses: {income-segments: {tier: limited, why: people are sorted by it}}}\n"


@pytest.fixture(scope="session")
def passing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with policies, and a release with its evidence. Tests work on copies."""
    from solon.cli.model import collect

    root = tmp_path_factory.mktemp("gate")
    shutil.copytree(LIBRARY, root / "policies/library")
    (root / "policies/ours").mkdir()
    (root / "policies/ours/uses.yaml").write_text(OURS)
    (root / "solon.yaml").write_text(SETTINGS)
    write_vulnerabilities(root / "osv", TODAY)
    release = write(root / "release", TODAY)
    status = collect.run(
        collect.Options(
            release=str(release),
            only=[],
            data="",
            predictor="",
            baseline_predictor="",
            signers=[str(root / "signer.pub.pem")],
            vulnerabilities=str(root / "osv"),
            key=None,
            output=None,
            timeout=60.0,
            format="json",
        )
    )
    assert status == 0, (release / "evidence.json").read_text()
    return root


@pytest.fixture
def release(solon: Solon, passing: Path, tmp_path: Path) -> Path:
    """A copy of it, to change."""
    assert solon
    shutil.copytree(passing, tmp_path, dirs_exist_ok=True)
    return tmp_path / "release"


def findings(solon: Solon) -> tuple[int, list[tuple[str, str]]]:
    """The exit status of the gate, and each policy that denies with what it says."""
    ran = solon("model", "gate", "release", "--format", "json")
    assert ran.out, ran.err
    (subject,) = json.loads(ran.out)["decisions"]
    return ran.status, [(each["policy"], each["message"]) for each in subject["findings"]]


@pytest.mark.usefixtures("release")
def test_a_release_that_may_go(solon: Solon) -> None:
    assert findings(solon) == (0, [])


@dataclass(frozen=True)
class Case:
    """``change`` is made to the release; ``parts`` are gathered anew; ``policies`` deny, the first because of ``says``."""

    change: Callable[[Path], Any]
    parts: tuple[str, ...]
    policies: tuple[str, ...]
    says: str


def change(release: Path, *path: str, value: Any) -> None:
    said = declared(release)
    at = said
    for key in path[:-1]:
        at = at.setdefault(key, {})
    at[path[-1]] = value
    declare(release, said)


def learned_nothing(release: Path) -> None:
    rows = [{**row, "income": number % 2} for number, row in enumerate(people().train)]
    write_onnx(trained(rows), release / "model/adult.onnx")
    sign(release)


def worse_than_before(release: Path) -> None:
    """The candidate is what is deployed, without an eye for how old people are."""
    model = trained(people().train)
    write_onnx(model, release / "data/before.onnx")
    model.intercept_ += model.coef_[0, 0] * sum(row["age"] for row in people().train) / len(people().train)
    model.coef_[0, 0] = 0
    write_onnx(model, release / "model/adult.onnx")
    sign(release)
    change(release, "performance", "baseline", value={"version": "1", "onnx": "data/before.onnx"})
    change(release, "performance", "minimums", value={"roc_auc": 0.6})


def unfair(release: Path) -> None:
    change(
        release,
        "fairness",
        value={
            **{
                key: declared(release)["performance"][key]
                for key in ("data", "label", "positive", "onnx", "features")
            },
            "attributes": ["sex", "age"],
            "bins": {"age": [40]},
        },
    )


def with_contacts(release: Path) -> None:
    rows = [{**row, "contact": f"p{number}@example.org"} for number, row in enumerate(people().train)]
    write_table(release / "data/train.csv", rows, [*FEATURES, "sex", "income", "contact"])


def ten_years_older(release: Path) -> None:
    older = [{**row, "age": row["age"] + 10} for row in people().test]
    write_table(release / "data/serving.csv", older, FEATURES)
    change(release, "drift", value={"training": "data/train.csv", "serving": "data/serving.csv"})


def as_a_pickle(release: Path) -> None:
    (release / "model/adult.pkl").write_bytes(pickle.dumps(trained(people().train)))
    sign(release)


def too_slow(release: Path) -> None:
    change(
        release,
        "latency",
        value={
            "data": "data/test.csv",
            "onnx": "model/adult.onnx",
            "features": FEATURES,
            "maximums": {"p50_ms": 1e-6},
        },
    )


CASES = {
    "it learned nothing": Case(
        learned_nothing,
        ("performance", "artifacts", "signature", "dependencies", "documentation", "data"),
        ("ml.performance.deny",),
        "below the declared limit of 0.75",
    ),
    "worse than what is deployed": Case(
        worse_than_before,
        ("performance", "artifacts", "signature", "dependencies", "documentation", "data"),
        ("ml.regression.deny",),
        "with version 1: worse by",
    ),
    "unfair": Case(unfair, ("fairness",), ("ml.fairness.deny",), "demographic_parity_ratio by"),
    "personal data that nobody declared": Case(
        with_contacts, ("data",), ("ml.data_quality.deny",), "column contact has email in 6000 of 6000 rows"
    ),
    "what is served has drifted": Case(ten_years_older, ("drift",), ("ml.drift.deny",), "column age drifted"),
    "a pickle": Case(
        as_a_pickle,
        ("performance", "artifacts", "signature", "dependencies", "documentation", "data"),
        ("ml.artifacts.deny",),
        "model/adult.pkl is pickle, and loading it can run code",
    ),
    "changed after it was signed": Case(
        lambda release: (release / "model/more.json").write_text("{}"),
        ("performance", "artifacts", "signature", "dependencies", "documentation", "data"),
        ("ml.signature.deny",),
        "not signed: model/more.json",
    ),
    "a dependency with a hole": Case(
        lambda release: (release / "requirements.txt").write_text("jinja2==2.10\n"),
        ("dependencies",),
        ("ml.dependencies.deny",),
        "jinja2 2.10 has PYSEC-2019-217, of severity high",
    ),
    "a dependency without a version": Case(
        lambda release: (release / "requirements.txt").write_text("numpy==2.4.6\njinja2>=2\n"),
        ("dependencies",),
        ("ml.dependencies.deny",),
        "jinja2",
    ),
    "a card that says nothing": Case(
        lambda release: (release / "card.md").write_text(
            (release / "card.md").read_text().replace("It knows the United States of 1994, five", "TODO: five")
        ),
        ("documentation",),
        ("ml.documentation.deny",),
        "card.md:17 says nothing of limitations",
    ),
    "a card of another version": Case(
        lambda release: (release / "card.md").write_text(
            (release / "card.md").read_text().replace('model_version: "2"', 'model_version: "1"')
        ),
        ("documentation",),
        ("ml.documentation.deny",),
        "card.md is about model version 1, and this is 2",
    ),
    "too slow": Case(too_slow, ("latency",), ("ml.latency.deny",), "p50_ms"),
    "a risk that its use does not have": Case(
        lambda release: change(release, "use", value="credit-scoring"),
        (),
        ("ml.risk_level.deny",),
        "declares the risk limited, and its use credit-scoring is of tier high",
    ),
    "a use that is prohibited": Case(
        lambda release: change(release, "use", value="social-scoring"),
        (),
        ("ml.risk_level.deny",),
        "Article 5(1)(c)",
    ),
    "nobody answers for it": Case(
        lambda release: change(release, "owner", value=""), (), ("ml.ownership.deny",), "owner"
    ),
    "evidence of another model": Case(
        lambda release: (write_onnx(trained(people().train[:500]), release / "model/adult.onnx"), sign(release)),
        (),
        ("ml.performance.deny",),
        "evidence of performance is refused: measured of another model than the files that lie here now",
    ),
    "evidence of another file": Case(
        lambda release: write_table(release / "data/test.csv", people().test[:100]),
        (),
        ("ml.performance.deny",),
        "evidence of performance is refused: data/test.csv has changed since it was measured",
    ),
    "no evidence": Case(
        lambda release: (release / "evidence.json").unlink(),
        (),
        ("ml.performance.deny",),
        "evidence of performance was not collected, and tier limited requires it",
    ),
    "evidence that could not be had": Case(
        lambda release: (release / "data/test.csv").unlink(),
        ("performance",),
        ("ml.performance.deny",),
        "evidence of performance is an error, and tier limited requires it: data/test.csv: no such file",
    ),
}  # fmt: skip
# Where more than the one policy has something to say: the use, or the model, is what everything else is about.
OTHERS = {
    "a risk that its use does not have",
    "a use that is prohibited",
    "evidence of another model",
    "no evidence",
}


@pytest.mark.parametrize("name", CASES)
def test_what_stops_a_release(solon: Solon, release: Path, name: str) -> None:
    case = CASES[name]
    case.change(release)
    if case.parts:
        only = [argument for part in case.parts for argument in ("--only", part)]
        solon("model", "collect", "release", *only)
    status, found = findings(solon)
    assert status == 1
    assert any(policy == case.policies[0] and case.says in message for policy, message in found), found
    if name not in OTHERS:
        assert {policy for policy, _ in found} == set(case.policies), found


def told(solon: Solon, release: Path) -> Iterator[str]:
    write_card(release, TODAY)
    yield solon("model", "show", "release").out


def test_what_is_shown_is_what_was_measured(solon: Solon, release: Path) -> None:
    (text,) = told(solon, release)
    assert "● performance    roc_auc 0.8" in text
    assert "● signature      verified, 1 file" in text
    assert "● data           6,000 rows, 7 columns" in text
