"""The jobs in deploy/ci do what they say: their commands are run, on releases that may go and that may not."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ml_releases import write_evidence, write_release

ROOT = Path(__file__).parents[2]
GITHUB = yaml.safe_load((ROOT / "deploy/ci/github-release-gate.yml").read_text())
GITLAB = yaml.safe_load((ROOT / "deploy/ci/gitlab-release-gate.yml").read_text())[".solon-release-gate"]
POLICY = """# METADATA
# custom:
#   subject: ml.release
package ml.risk

deny contains "risk is high" if input.release.risk == "high"
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository with a policy and two releases, and `solon` on the path."""
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy/risk.rego").write_text(POLICY)
    (tmp_path / "solon.yaml").write_text("policies: [policy]\n")
    for name, risk in (("good", "minimal"), ("bad", "high")):
        write_evidence(write_release(tmp_path / "releases" / name, risk=risk, documentation=None))
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "solon").write_text(f"#!/bin/sh\nexec '{sys.executable}' -m solon \"$@\"\n")
    (programs / "pip").write_text("#!/bin/sh\n")
    for program in programs.iterdir():
        program.chmod(0o755)
    return tmp_path


def ran(script: str, checkout: Path, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": f"{checkout / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT / "src"),
        "HOME": str(checkout),
        **more,
    }
    bash = shutil.which("bash") or "bash"
    return subprocess.run(
        [bash, "-e", "-o", "pipefail", "-c", script],
        cwd=checkout,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def key_of(checkout: Path) -> str:
    made = ran("solon model keygen --private key.pem --public gate.pub.pem", checkout)
    assert made.returncode == 0, made.stderr
    return (checkout / "key.pem").read_text()


def github(step: str, release: str) -> str:
    """The commands of a step, with what GitHub puts in."""
    steps: list[dict[str, Any]] = GITHUB["jobs"]["gate"]["steps"]
    (found,) = (each["run"] for each in steps if each.get("name") == step)
    made = found.replace("${{ matrix.release }}", release)
    assert "${{" not in made
    return str(made)


@pytest.mark.parametrize(("release", "status"), [("good", 0), ("bad", 1)])
def test_github(checkout: Path, release: str, status: int) -> None:
    pem = key_of(checkout)
    files = {"RUNNER_TEMP": str(checkout), "GITHUB_ENV": str(checkout / "env")}
    kept = ran(github("The key of the gate", release), checkout, PEM=pem.rstrip("\n"), **files)
    assert kept.returncode == 0, kept.stderr
    named = (checkout / "env").read_text().strip()
    variable, _, path = named.partition("=")
    script = f"export {variable}='{path}' GITHUB_STEP_SUMMARY=summary.md\n" + "\n".join(
        github(step, f"releases/{release}") for step in ("Gather evidence", "Decide")
    )
    done = ran(script, checkout)
    assert done.returncode == status, done.stdout + done.stderr
    assert (checkout / "gate.html").read_text().startswith("<!doctype html>")
    assert (checkout / "summary.md").read_text().startswith("## ✅" if status == 0 else "## ❌")
    verified = ran(f"solon model verify releases/{release} --key gate.pub.pem", checkout)
    assert verified.returncode == status, verified.stderr


def test_github_does_not_go_on_without_its_key(checkout: Path) -> None:
    files = {"RUNNER_TEMP": str(checkout), "GITHUB_ENV": str(checkout / "env")}
    done = ran(github("The key of the gate", ""), checkout, PEM="", **files)
    assert (done.returncode, done.stderr) == (
        1,
        "no secret SOLON_GATE_KEY_PEM: the decision would not be signed\n",
    )


@pytest.mark.parametrize(("release", "status"), [("good", 0), ("bad", 1)])
def test_gitlab(checkout: Path, release: str, status: int) -> None:
    key_of(checkout)
    (checkout / "key.pem").chmod(0o666)  # as GitLab writes variables that are files
    script = "\n".join(GITLAB["script"])
    done = ran(script, checkout, RELEASE=f"releases/{release}", SOLON_GATE_KEY=str(checkout / "key.pem"))
    assert done.returncode == status, done.stdout + done.stderr
    assert (checkout / "gate.xml").read_text().startswith("<?xml")
    assert f"adult-income 3: may {'go' if status == 0 else 'not go'}" in done.stdout
    assert (checkout / f"releases/{release}/decision.dsse.json").exists()


def test_what_is_kept_is_what_is_written() -> None:
    written = {"gate.html", "evidence.json", "ml-bom.cdx.json", "decision.dsse.json"}
    (upload,) = (each for each in GITHUB["jobs"]["gate"]["steps"] if "upload" in str(each.get("uses")))
    assert {Path(path).name for path in upload["with"]["path"].splitlines()} == written
    kept = {Path(re.sub(r"\$\w+", "x", path)).name for path in GITLAB["artifacts"]["paths"]}
    assert kept == {*written, "gate.md"}
