from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from decision_events import event, finding, log_of

Solon = Callable[..., Any]
PASSED = finding("a", "overridden", ruling={"breakglass": "bg-1"})
EVENTS = [
    event(1, "2026-11-01T09:00:00Z", "deny", findings=[finding("a"), finding("b")]),
    event(2, "2026-11-01T10:00:00Z", "warn", findings=[PASSED]),
    event(3, "2026-11-01T11:00:00Z"),
    event(4, "2026-11-01T12:00:00Z", "error", findings=[finding("c", "error")]),
    {"decision_id": "opa-1", "timestamp": "2026-11-01T13:00:00Z", "path": "k8s/admission", "result": False},
]


@pytest.fixture(autouse=True)
def _log(tmp_path: Path) -> None:
    log_of(tmp_path / "log", EVENTS)
    (tmp_path / "solon.yaml").write_text("log: log\n")


def add(solon: Solon, decision: str, *more: str) -> Any:
    return solon("incident", "add", decision, "--kind", "wrong", "--reason", "sidecars", "--by", "ann", *more)


def test_from_mark_to_end(solon: Solon) -> None:
    ran = add(solon, "d-1", "--policy", "b", "--evidence", "d-2")
    found = re.fullmatch(r"(inc-[0-9a-f]{8}): d-1 is marked as wrong, caused by b\n", ran.out)
    assert ran.status == 0
    assert found, ran.out + ran.err
    name = found[1]
    (marked,) = json.loads(solon("incident", "list", "--format", "json").out)["incidents"]
    assert {
        key: marked[key] for key in ("id", "decision", "decided", "kind", "policies", "team", "subject")
    } == {
        "id": name,
        "decision": "d-1",
        "decided": "2026-11-01T09:00:00.000000000Z",
        "kind": "wrong",
        "policies": ["b"],
        "team": "payments",
        "subject": "k8s:///payments/Deployment/web",
    }
    assert (marked["state"], marked["reason"], marked["by"], marked["evidence"]) == (
        "open",
        "sidecars",
        "ann",
        ["d-2"],
    )
    table = solon("incident", "list").out
    assert table.splitlines()[0].split()[:4] == ["ID", "STATE", "KIND", "DECIDED"]
    assert re.search(rf"{name}  open +wrong  2026-11-01 09:00  b +payments +d-1 +sidecars +ann", table)
    assert "incident" in solon("log", "show", name).out
    assert solon("log", "verify").status == 0

    ran = solon("incident", "close", name, "--reason", "policy r2", "--by", "ben")
    assert ran.status == 0
    assert re.match(rf"{name}: closed as fixed; the log says so in {name}/closed-[0-9a-f]{{4}}\n", ran.out)
    assert solon("incident", "list", "--open").out == "No incidents.\n"
    (marked,) = json.loads(solon("incident", "list", "--format", "json").out)["incidents"]
    assert (marked["state"], marked["closed_by"], marked["note"]) == ("fixed", "ben", "policy r2")
    ran = solon("incident", "close", name, "--reason", "again")
    assert ran.status == 2
    assert re.match(rf"solon: {name}: is closed since .*, as fixed\n", ran.err)
    ran = solon("log", "metrics")
    assert "Incidents: 1, 200 per 1,000 decisions\n" in ran.out


def test_all_that_denied_are_the_cause_unless_some_are_named(solon: Solon) -> None:
    assert "caused by a, b\n" in add(solon, "d-1").out
    assert "caused by a\n" in add(solon, "d-2").out
    assert "caused by c\n" in add(solon, "d-4").out
    assert "caused by k8s/deny\n" in add(solon, "opa-1", "--policy", "k8s/deny").out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["d-3"], "d-3: denied nothing (allow): an incident is a denial that should not have been"),
        (["d-9"], "d-9: is not in log: `solon log query --decision deny` finds ids"),
        (["d-1", "--policy", "z"], "--policy z: did not deny d-1: a, b did"),
        (["d-1", "--evidence", "z"], "--evidence z: is not in log"),
        (["opa-1"], "opa-1: its event names no policy: say which caused it, with --policy"),
        (["d-1", "--reason", " "], "an incident needs a reason: --reason TEXT, which is kept in the log"),
    ],
)
def test_what_cannot_be_marked(solon: Solon, arguments: list[str], says: str) -> None:
    ran = add(solon, *arguments)
    assert (ran.status, ran.out, ran.err) == (2, "", f"solon: {says}\n")


def test_a_decision_is_marked_once_unless_that_was_retracted(solon: Solon) -> None:
    name = add(solon, "d-1").out.split(":")[0]
    ran = add(solon, "d-1")
    assert (ran.status, ran.err) == (2, f"solon: d-1: is marked already, as {name} (wrong, open)\n")
    solon("incident", "close", name, "--reason", "no", "--resolution", "retracted")
    assert add(solon, "d-1").status == 0


def test_closing_what_is_not_there(solon: Solon) -> None:
    ran = solon("incident", "close", "inc-0", "--reason", "x")
    assert (ran.status, ran.err) == (
        2,
        "solon: inc-0: no incident of that id: `solon incident list` has them\n",
    )


def test_suggesting(solon: Solon) -> None:
    ran = solon("incident", "suggest", "--since", "2026-11-01")
    assert ran.status == 0
    assert "break-glass let it pass" in ran.out
    command = ran.out.splitlines()[-1].strip()
    assert command == "solon incident add d-1 --kind overridden --policy a --evidence d-2 --reason ..."
    (found,) = json.loads(solon("incident", "suggest", "--since", "2026-11-01", "--format", "json").out)[
        "candidates"
    ]
    assert (found["kind"], found["policies"], found["decision"]["decision_id"]) == (
        "overridden",
        ["a"],
        "d-1",
    )
    assert solon(*command.split()[1:]).status == 0
    assert solon("incident", "suggest", "--since", "2026-11-01").out == "No denial looks like an incident.\n"
    assert solon("incident", "suggest", "--within", "soon").err == (
        "solon: --within 'soon' is no duration: write a number and m, h, d or w, such as 30d\n"
    )


def test_texts_of_others_cannot_drive_a_terminal(solon: Solon) -> None:
    add(solon, "d-1", "--reason", "\x1b[31mred\nsecond")
    out = solon("incident", "list").out
    assert "\x1b" not in out
    assert len(out.splitlines()) == 2
