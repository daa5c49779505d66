"""What a real registry has live, listed, and judged again when policies change."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from solon.decisions.log import settings
from solon.decisions.log.note import SigningKey

pytestmark = [pytest.mark.xdist_group("mlflow"), pytest.mark.filterwarnings("ignore")]
Solon = Callable[..., Any]


@pytest.fixture
def here(at_site: Solon, site: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Solon:
    """A repository of its own, with a log, that decides for the same registry."""
    there = site.directory
    said = site.settings(decisions=f"{there}/decisions", keys=[f"{there}/gate.pub.pem"])
    models = {"gate": f"{there}/gate.pub.pem", "collectors": [f"{there}/collector.pub.pem"]}
    monkeypatch.chdir(tmp_path)
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy/risk.rego").write_text((there / "policy/risk.rego").read_text())
    (tmp_path / "solon.yaml").write_text(yaml.safe_dump({**said, "models": models, "log": "decisions"}))
    settings.create("decisions", SigningKey("example.com/x", bytes(32)))
    return at_site


def test_an_alias_of_the_registry_is_live(here: Solon, site: Any) -> None:
    name = site.name()
    first, second = site.version(name, text="one"), site.version(name, text="two")
    site.client.set_registered_model_tag(name, "team", "fraud")
    assert here("model", "gate", f"models:/{name}/{first}").status == 0
    site.client.set_registered_model_alias(name, "champion", first)
    site.client.set_registered_model_alias(name, "candidate", second)

    def live(*more: str) -> list[tuple[str, str, str, str]]:
        ran = here("model", "deployed", "--mlflow", site.server.url, "--format", "json", *more)
        assert (ran.status, ran.err) == (0, "")
        return [
            (each["version"], each["serves"], each["team"], each["uri"].rpartition("/")[2])
            for each in json.loads(ran.out)["models"]
            if each["name"] == name
        ]

    assert live() == [(first, "alias champion", "fraud", "model")]  # what solon.yaml governs
    assert [each[:2] for each in live("--alias", "*")] == [
        (first, "alias champion"),
        (second, "alias candidate"),
    ]

    def violations() -> dict[str, list[str]]:
        ran = here("audit", "--mlflow", site.server.url, "--format", "json")
        owners = json.loads(ran.out)["owners"]
        found = {
            each["subject"]: [violation["message"] for violation in each["violations"]]
            for owner in owners
            for each in owner["subjects"]
        }
        return {uri: messages for uri, messages in found.items() if name in uri}

    assert violations() == {}
    policy = Path("policy/risk.rego")
    policy.write_text(policy.read_text().replace('== "high"', 'in {"high", "minimal"}'))
    assert violations() == {f"model://mlflow/{name}/{first}": ["risk is minimal"]}
