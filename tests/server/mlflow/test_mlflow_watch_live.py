"""Watching a real MLflow server: what goes live without a decision is found, and undone, by looking and by webhook.

The watch governs the alias `live` and models `copies.*`, which the plugin of the server does not: they stand for whatever
goes around it.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

pytestmark = [pytest.mark.xdist_group("mlflow"), pytest.mark.filterwarnings("ignore")]
pytest.importorskip("mlflow")

Solon = Callable[..., Any]
SECRET = "a secret of the webhook"


@pytest.fixture
def watching(solon: Solon, site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Solon:
    """The command line in a repository that watches more than the plugin governs; its log is decisions.jsonl."""
    said = site.settings(
        aliases=["live"], stages=["Staging"], names=["copies.*"], decisions=f"{site.directory}/decisions"
    )
    said["models"] = {"gate": f"{site.directory}/gate.pub.pem"}
    said["policies"] = [f"{site.directory}/policy"]
    (tmp_path / "solon.yaml").write_text(yaml.safe_dump(said))
    monkeypatch.setenv("SOLON_GATE_KEY", f"{site.directory}/gate.pem")
    monkeypatch.setenv("SOLON_MLFLOW_WEBHOOK_SECRET", SECRET)
    return lambda *arguments: solon("model", *arguments)


def look(watching: Solon, *more: str) -> tuple[int, dict[str, Any]]:
    ran = watching(
        "watch", "--once", "--format", "json", "--memory", "memory.json", "--log", "decisions.jsonl", *more
    )
    return ran.status, json.loads(ran.out) if ran.out else {"error": ran.err}


def of(said: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return [each for each in said["violations"] if each["name"] == name]


def test_an_alias_goes_back_to_what_was_let_pass(site, watching: Solon, tmp_path: Path) -> None:
    name = site.name()
    good, bad = site.version(name), site.version(name, risk="high", text="other")
    watching("gate", f"models:/{name}/{good}")
    watching("gate", f"models:/{name}/{bad}")
    site.client.set_registered_model_alias(name, "live", good)
    status, said = look(watching, "--revert")
    assert of(said, name) == []
    site.client.set_registered_model_alias(name, "live", bad)
    status, said = look(watching)
    (found,) = of(said, name)
    assert (status, found["departure"], found["reverted"]) == (1, "new", [])
    assert "risk is high" in found["because"]
    site.client.set_registered_model_alias(name, "live", good)
    look(watching, "--revert")
    site.client.set_registered_model_alias(name, "live", bad)
    status, said = look(watching, "--revert")
    assert of(said, name)[0]["reverted"] == [f"the alias live of {name} is set back to version {good}"]
    assert site.aliases(name) == {"live": good}
    events = [json.loads(line) for line in (tmp_path / "decisions.jsonl").read_text().splitlines()]
    mine = [each for each in events if each["solon"]["watch"]["name"] == name]
    assert [each["result"]["allow"] for each in mine] == [False, False]
    assert mine[1]["solon"]["subject"]["uri"] == f"model://mlflow/{name}/{bad}"
    assert mine[1]["solon"]["watch"]["reverted"] == [
        f"the alias live of {name} is set back to version {good}"
    ]


def test_what_never_passed_loses_the_alias_and_what_was_there_before_keeps_it(site, watching: Solon) -> None:
    old, new = site.name(), site.name()
    for name in (old, new):
        site.version(name)
    site.client.set_registered_model_alias(old, "live", "1")
    _, said = look(watching, "--revert")
    assert of(said, old)[0]["departure"] == "known"
    site.client.set_registered_model_alias(new, "live", "1")
    _, said = look(watching, "--revert")
    assert of(said, old)[0]["reverted"] == []
    assert (site.aliases(old), site.aliases(new)) == ({"live": "1"}, {})
    site.client.set_registered_model_alias(new, "live", "1")  # again, and at once
    look(watching, "--revert")
    assert site.aliases(new) == {}
    site.client.delete_registered_model_alias(old, "live")


def test_stages_and_copies_are_undone(site, watching: Solon) -> None:
    name, copies = site.name(), f"copies.{site.name()}"
    good, bad = site.version(name), site.version(name, text="other")
    watching("gate", f"models:/{name}/{good}")
    site.client.transition_model_version_stage(name, good, "Staging")
    look(watching, "--revert")
    site.client.transition_model_version_stage(name, bad, "Staging", archive_existing_versions=True)
    site.client.copy_model_version(f"models:/{name}/{bad}", copies)
    _, said = look(watching, "--revert")
    assert len(of(said, name)[0]["reverted"]) == 2
    assert of(said, copies)[0]["reverted"] == [
        f"version 1 of {copies} is taken out of the registry; its files stay"
    ]
    stages = {version: site.client.get_model_version(name, version).current_stage for version in (good, bad)}
    assert stages == {good: "Staging", bad: "None"}
    assert site.client.search_model_versions(f"name = '{copies}'") == []


def test_a_tag_hides_nothing(site, watching: Solon) -> None:
    name = site.name()
    site.version(name)
    look(watching)
    raw = site.client._get_registry_client()
    site.client.set_registered_model_alias(name, "live", "1")
    raw.set_registered_model_tag(name, "mlflow.prompt.is_prompt", "true")
    raw.set_model_version_tag(name, "1", "mlflow.prompt.is_prompt", "true")
    _, said = look(watching, "--revert")
    assert [each["departure"] for each in of(said, name)] == ["new"]
    assert raw.get_registered_model(name).aliases == {}


@pytest.mark.parametrize("name", ["it's", 'a "b"', 'it\'s "odd"', "%2e", "ü " * 40, "`x`; --", "a@b"])
def test_an_odd_name_hides_nothing(site, watching: Solon, name: str) -> None:
    name = f"{name} {site.name()}"
    site.version(name)
    look(watching)
    site.client.set_registered_model_alias(name, "live", "1")
    site.client.transition_model_version_stage(name, "1", "Staging")
    _, said = look(watching, "--revert")
    assert [each["departure"] for each in of(said, name)] == ["new", "new"]
    assert site.aliases(name) == {}
    assert site.client.get_model_version(name, "1").current_stage == "None"
    site.client.delete_registered_model(name)


def test_files_that_changed_after_the_decision_are_found(site, watching: Solon) -> None:
    name = site.name()
    version = site.version(name)
    watching("gate", f"models:/{name}/{version}")
    site.client.set_registered_model_alias(name, "live", version)
    assert of(look(watching)[1], name) == []
    run = site.client.get_model_version(name, version).run_id
    path = next((site.directory / "server/artifacts").rglob(f"{run}/artifacts/model/weights.txt"))
    path.write_text("poison")
    (found,) = of(look(watching)[1], name)
    assert (found["departure"], found["because"]) == ("lapsed", "its files have changed since it was judged")
    assert of(look(watching, "--contents", "0")[1], name) == []
    path.unlink()
    status, said = look(watching)
    assert (status, of(said, name)) == (2, [])
    assert any(name in line for line in said["unknown"])
    site.client.delete_registered_model_alias(name, "live")


def test_a_decision_that_is_withdrawn_takes_nothing_down_and_is_said(site, watching: Solon) -> None:
    name = site.name()
    version = site.version(name)
    watching("gate", f"models:/{name}/{version}")
    site.client.set_registered_model_alias(name, "live", version)
    look(watching, "--revert")
    policy = site.directory / "policy/risk.rego"
    before = policy.read_text()
    try:
        policy.write_text(before.replace('== "high"', '== "minimal"'))
        time.sleep(1.1)  # decisions are dated to the second, and of two in one the denial counts
        assert watching("gate", f"models:/{name}/{version}").status == 1
    finally:
        policy.write_text(before)
    _, said = look(watching, "--revert")
    assert of(said, name)[0]["departure"] == "lapsed"
    assert site.aliases(name) == {"live": version}
    site.client.delete_registered_model_alias(name, "live")


def test_a_memory_that_cannot_be_read_is_no_first_look(watching: Solon, tmp_path: Path) -> None:
    (tmp_path / "memory.json").write_text("{")
    status, said = look(watching, "--revert")
    assert status == 2
    assert "take it away to begin anew" in said["error"]


@contextmanager
def running(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], Callable[[str], str]]]:
    """The watch as a process, and a function that waits for a line of its standard error."""
    process = subprocess.Popen(
        [sys.executable, "-m", "solon", "model", "watch", "--memory", "memory.json", "--log", "decisions.jsonl", *arguments],
        stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )  # fmt: skip
    lines: list[str] = []

    def wait(pattern: str) -> str:
        assert process.stderr is not None
        for line in process.stderr:
            lines.append(line)
            if found := re.search(pattern, line):
                return found[0]
        raise AssertionError("".join(lines))

    try:
        yield process, wait
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


@pytest.mark.usefixtures("watching")
def test_a_webhook_is_answered_by_a_look_at_once(site) -> None:
    name = site.name()
    site.version(name)
    with running("--revert", "--listen", "127.0.0.1:0", "--every", "3600") as (process, wait):
        address = wait(r"http://[0-9.:]+")
        until = time.monotonic() + 60
        while httpx.get(f"{address}/healthz").status_code != 200:  # the first look is over
            assert time.monotonic() < until
            time.sleep(0.1)
        hook = site.client.create_webhook(
            "solon", f"{address}/mlflow", ["model_version_alias.created"], secret=SECRET
        )
        try:
            site.client.set_registered_model_alias(name, "live", "1")
            assert "was not let pass" in wait(f"version 1 of {name}.*")
            assert "taken away" in wait("reverted: .*")
            assert site.aliases(name) == {}
        finally:
            site.client.delete_webhook(hook.webhook_id)
        forged = httpx.post(address, content=b'{"entity": "x", "action": "y"}')
        assert forged.status_code == 400
    assert process.returncode == 0


@pytest.mark.usefixtures("watching")
def test_looking_alone_finds_it_as_well(site) -> None:
    name = site.name()
    site.version(name)
    with running("--revert", "--every", "1") as (process, wait):
        wait("looking every 1 s")
        while not Path("memory.json").exists():
            time.sleep(0.1)
        site.client.set_registered_model_alias(name, "live", "1")
        assert "was not let pass" in wait(f"version 1 of {name}.*")
        assert site.aliases(name) == {}
    assert process.returncode == 0
