"""Evidence beside the libraries that measure the same: fairness with intervals beside fairlearn, pickles beside picklescan.

    python benchmarks/evidence/measure.py [--rows 16000] [--megabytes 20]

Needs the development dependencies. fairlearn resamples as often as --resamples says, Solon a thousand times; the ratio is per
thousand. Both are timed in process, Solon with its reading of the table.
"""

from __future__ import annotations

import argparse
import csv
import json
import pickle
import tempfile
import time
import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
from fairlearn.metrics import MetricFrame, false_positive_rate, selection_rate, true_positive_rate
from picklescan.scanner import scan_file_path
from sklearn.ensemble import RandomForestClassifier

from solon.evidence import digests
from solon.evidence.artifacts.examine import examine
from solon.evidence.collector import Given
from solon.evidence.gathering import gather
from solon.evidence.release import Release, read

DECLARED = {
    "kind": "solon.release/v1",
    "name": "people",
    "version": "1",
    "model": ["model.json"],
    "task": "classification",
    "fairness": {"data": "people.csv", "label": "label", "attributes": ["sex", "region"], "positive": 1},
}


def people(rows: int, rng: np.random.Generator) -> pd.DataFrame:
    label = rng.random(rows) < 0.4
    return pd.DataFrame(
        {
            "sex": rng.choice(["F", "M"], rows),
            "region": rng.choice(["north", "south", "east", "west"], rows),
            "label": label.astype(int),
            "prediction": np.where(rng.random(rows) < 0.8, label, ~label).astype(int),
        }
    )


def timed(work: Callable[[], object]) -> float:
    """Seconds, the best of three."""
    best = float("inf")
    for _ in range(3):
        started = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - started)
    return best


def fairness(table: pd.DataFrame, resamples: int) -> None:
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        (root / "model.json").write_text("{}")
        (root / "release.yaml").write_text(json.dumps(DECLARED))
        table.to_csv(root / "people.csv", index=False, quoting=csv.QUOTE_MINIMAL)
        release = read(str(root / "release.yaml"))
        assert isinstance(release, Release)
        given = Given(release, directory, digests.model(directory, release.model), datetime.now(UTC))

        def ours() -> None:
            item = gather(given, ["fairness"]).evidence.fairness
            assert item is not None
            assert item.status == "measured", item.problem

        mine = timed(ours)

    def theirs() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for columns in (["sex"], ["region"], ["sex", "region"]):
                MetricFrame(
                    metrics={"s": selection_rate, "t": true_positive_rate, "f": false_positive_rate},
                    y_true=table["label"],
                    y_pred=table["prediction"],
                    sensitive_features=table[columns],
                    n_boot=resamples,
                    ci_quantiles=[0.025, 0.975],
                    random_state=0,
                ).difference_ci()

    started = time.perf_counter()
    theirs()
    other = (time.perf_counter() - started) * 1000 / resamples
    print(f"fairness, {len(table):,} rows, 2 attributes and their pair, intervals of 1,000 resamples")
    print(f"  solon      {mine:8.2f} s")
    print(f"  fairlearn  {other:8.2f} s   {other / mine:.0f} times as long")


def pickles(megabytes: int, rng: np.random.Generator) -> None:
    trees = RandomForestClassifier(n_estimators=20, random_state=0).fit(
        rng.random((2_000, 8)), rng.integers(0, 2, 2_000)
    )
    ballast = [rng.random(10_000) for _ in range(megabytes * 12)]
    with tempfile.NamedTemporaryFile(suffix=".pkl") as file:
        pickle.dump([trees, ballast, [str(i) for i in range(100_000)]], file)
        file.flush()
        size = Path(file.name).stat().st_size / 1e6
        mine = timed(lambda: examine(file.name, "model.pkl"))
        other = timed(lambda: scan_file_path(file.name))
    print(f"a pickle of {size:.0f} MB with a random forest")
    print(f"  solon      {mine:8.2f} s")
    print(f"  picklescan {other:8.2f} s   {other / mine:.1f} times as long")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=16_000)
    parser.add_argument("--resamples", type=int, default=20)
    parser.add_argument("--megabytes", type=int, default=20)
    asked = parser.parse_args()
    rng = np.random.default_rng(0)
    fairness(people(asked.rows, rng), asked.resamples)
    pickles(asked.megabytes, rng)


if __name__ == "__main__":
    main()
