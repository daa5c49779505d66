"""promtool, as Debian packages it: the one that is installed, or that of a package fetched once into the user's cache."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "solon-tests" / "prometheus"


@functools.cache
def promtool() -> str:
    """The path of the program; skips the test where it cannot be had."""
    installed = shutil.which("promtool")
    if installed:
        return installed
    kept = CACHE / "usr" / "bin" / "promtool"
    if not kept.exists():
        _fetch()
    if not kept.exists():
        pytest.skip(
            "promtool is not installed, and the package prometheus cannot be fetched (apt-get download)"
        )
    return str(kept)


def _fetch() -> None:
    """Unpacks the package beside, and moves it there whole: two tests may do so at once."""
    if not (shutil.which("apt-get") and shutil.which("dpkg")):
        return
    CACHE.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE.parent) as work:
        got = subprocess.run(
            ["apt-get", "download", "prometheus"], cwd=work, capture_output=True, timeout=120, check=False
        )
        packages = list(Path(work).glob("prometheus_*.deb"))
        if got.returncode or not packages:
            return
        unpacked = Path(work) / "unpacked"
        subprocess.run(["dpkg", "-x", str(packages[0]), str(unpacked)], check=True, timeout=120)
        try:
            unpacked.rename(CACHE)
        except OSError:
            return  # somebody else was faster
