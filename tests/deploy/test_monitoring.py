"""The dashboard and the alerts: they are what Prometheus takes, and ask for metrics that Solon writes."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from decision_events import event, finding, log_of
from prometheus_tools import promtool

from solon.decisions import incidents
from solon.decisions.health import Health, Witnessed
from solon.decisions.incidents import Incident
from solon.decisions.log.events import entry_of
from solon.decisions.sinks.lag import Lag
from solon.decisions.warehouse import session
from solon.decisions.warehouse.metrics import measured
from solon.report import metrics_report

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy" / "prometheus"
DASHBOARD = json.loads((ROOT / "deploy" / "grafana" / "solon.json").read_text())
_METRIC = re.compile(r"\bsolon_\w+")
_LABELS = re.compile(r"\b(solon_\w+)\{([^}]*)\}")


@pytest.fixture(scope="module")
def emitted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """What Solon writes when there is something of everything: metrics, and the labels of each."""
    ruling = {"waiver": "w-1", "waiver_expires": "2026-12-01T00:00:00Z", "because": "vendor"}
    events = [
        event(1, "2026-03-01T00:00:00Z", "deny", findings=[finding("a")]),
        event(2, "2026-03-02T00:00:00Z"),
        event(3, "2026-03-03T00:00:00Z", findings=[finding("b", "waived", ruling=ruling)]),
        event(
            4,
            "2026-03-04T00:00:00Z",
            "warn",
            findings=[finding("c", "overridden", ruling={"breakglass": "t"})],
        ),
    ]
    log = log_of(tmp_path_factory.mktemp("emitted") / "log", events)
    mark = Incident("inc-1", "d-1", "2026-03-01T00:00:00Z", "wrong", ("a",), "payments", "s", "r", "b", "")
    log.append([entry_of(incidents.added(mark, 1, {}))])
    log.close()
    state = Health(1, 1, 0, 1, [Witnessed("w", 0, 1, 0)], [Lag("s", "", 0, 1, 0, 0, "", "")])
    with session.opened(log, records=True) as found:
        text = metrics_report.render("prometheus", measured(found, asof_us=1_775_000_000_000_000), state)
    out: dict[str, set[str]] = {}
    for line in text.splitlines():
        match = re.match(r"(solon_\w+)(?:\{(.*)\})? ", line)
        if match:
            out.setdefault(match[1], set()).update(re.findall(r"(\w+)=\"", match[2] or ""))
    return out


def expressions() -> Iterator[tuple[str, str]]:
    """What the dashboard and the rules ask, and where."""
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", []):
            yield f"panel {panel['title']}", target["expr"]
    for variable in DASHBOARD["templating"]["list"]:
        if variable["type"] == "query":
            yield f"variable {variable['name']}", variable["definition"]
    for rule in rules():
        yield f"alert {rule['alert']}", rule["expr"]


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((RULES / "solon-alerts.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


@pytest.mark.parametrize(("where", "expr"), list(expressions()), ids=[where for where, _ in expressions()])
def test_what_is_asked_is_written(emitted: dict[str, set[str]], where: str, expr: str) -> None:
    names = set(_METRIC.findall(expr))
    assert names, where
    assert names <= set(emitted)
    for name, matchers in _LABELS.findall(expr):
        labels = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", matchers)) - {"instance"}
        assert labels <= emitted[name], f"{where}: {name} has no {labels - emitted[name]}"
    for labels_, name in re.findall(r"by \(([^)]*)\) \((?:\w+\()?(solon_\w+)", expr):
        grouped = {label.strip() for label in labels_.split(",")} - {"instance"}
        assert grouped <= emitted[name], f"{where}: {name} has no {grouped - emitted[name]}"


def test_every_metric_is_documented(emitted: dict[str, set[str]]) -> None:
    page = (ROOT / "docs" / "reference" / "log-queries.md").read_text()
    families = {re.sub(r"_(bucket|sum|count)$", "", name) for name in emitted}
    assert families <= set(re.findall(r"`(solon_\w+)`", page))


def test_the_panels_do_not_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert taken.isdisjoint(cells), panel["title"]
        taken |= cells
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(
    "panel", [p for p in DASHBOARD["panels"] if p["type"] != "row"], ids=lambda panel: panel["title"]
)
def test_a_panel_says_what_it_shows(panel: dict[str, Any]) -> None:
    assert panel["description"]
    assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    for target in panel["targets"]:
        assert "$instance" in target["expr"]


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_an_alert_says_what_to_do(rule: dict[str, Any]) -> None:
    assert set(rule["annotations"]) == {"summary", "description", "runbook"}
    assert rule["labels"]["severity"] in {"info", "warning", "critical"}


def test_every_alert_is_tested() -> None:
    tests = yaml.safe_load((RULES / "solon-alerts-test.yml").read_text())["tests"]
    fires = {case["alertname"] for test in tests for case in test["alert_rule_test"] if case["exp_alerts"]}
    assert fires == {rule["alert"] for rule in rules()}


@pytest.mark.parametrize(
    "arguments",
    [("check", "rules", "solon-alerts.yml"), ("test", "rules", "solon-alerts-test.yml")],
    ids=" ".join,
)
def test_promtool(arguments: tuple[str, ...]) -> None:
    run = subprocess.run([promtool(), *arguments], cwd=RULES, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "SUCCESS" in run.stdout + run.stderr
