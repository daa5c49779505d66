"""What the warehouse takes of an event."""

from __future__ import annotations

import json
from typing import Any

import pytest
from decision_events import event, finding

from solon.decisions.log.events import entry_of
from solon.decisions.log.leaf import Entry, Kind, encode
from solon.decisions.log.reading import Stored
from solon.decisions.warehouse.rows import line, row


def row_of(payload: bytes) -> dict[str, Any]:
    entry = entry_of(payload)
    found = row(Stored(7, encode(entry, bytes(16)), bytes(16), payload, "s", 0, 0), "0001")
    assert found is not None
    assert json.loads(line(found))["event"] == found["event"]
    return found


def of(document: dict[str, Any]) -> dict[str, Any]:
    return row_of(json.dumps(document).encode())


def test_an_event_of_solon() -> None:
    found = of(
        event(
            1,
            "2026-03-01T09:30:00.000001Z",
            "deny",
            latency_ns=1_500,
            bundles={"ml": "3f9a"},
            requested_by="ci",
            findings=[
                finding("a.deny"),
                finding("a.deny"),
                finding("b.warn", "warn"),
                finding("c.deny", "waived", ruling={"waiver": "w-1", "breakglass": ""}),
                finding("d.deny", "overridden", ruling={"waiver": "", "breakglass": "token-1"}),
                finding("e.deny", "recorded", excepted="e.exception"),
                finding("f.deny", "error"),
            ],
        )
    )
    assert found["shard"] == "0001"
    assert found["index"] == 7
    assert found["kind"] == "decision"
    assert found["decision_id"] == "d-1"
    assert found["time"] == 1_772_357_400_000_001
    assert (found["outcome"], found["allow"]) == ("deny", False)
    assert found["subject"] == "k8s:///payments/Deployment/web"
    assert (found["name"], found["namespace"], found["environment"]) == ("Deployment/web", "payments", "prod")
    assert (found["team"], found["owner"], found["posture"]) == ("payments", "ann", "closed")
    assert found["policies"] == ["a.deny", "b.warn", "c.deny", "d.deny"]
    assert found["denied_by"] == ["a.deny"]
    assert found["waivers"] == ["w-1"]
    assert found["breakglass"] == ["token-1"]
    assert found["stages"] == ["enforce", "warn", "dryrun"]
    assert found["findings"][5] == {
        "policy": "e.deny",
        "outcome": "excepted",
        "stage": "dryrun",
        "severity": "high",
        "waiver": None,
    }
    assert found["bundles"] == {"ml": "3f9a"}
    assert (found["latency_ns"], found["path"], found["requested_by"]) == (1_500, "solon/check", "ci")
    assert found["repeated"] is False


OPA = {
    "labels": {"id": "opa-1", "version": "1.22.0"},
    "decision_id": "4ca636c1",
    "bundles": {"authz": {"revision": "W3sib"}},
    "path": "kubernetes/admission",
    "input": {
        "request": {
            "kind": {"kind": "Pod"},
            "namespace": "payments",
            "object": {"metadata": {"name": "web"}},
        }
    },
    "result": {"response": {"allowed": False}},
    "requested_by": "10.0.0.1:5000",
    "timestamp": "2026-03-01T09:30:00Z",
    "metrics": {"timer_server_handler_ns": 31_000, "timer_rego_query_eval_ns": 9_000},
}


def test_an_event_of_opa_about_an_admission_review() -> None:
    found = of(OPA)
    assert (found["outcome"], found["allow"]) == ("deny", False)
    assert found["subject"] == "k8s:///payments/Pod/web"
    assert (found["name"], found["namespace"], found["subject_kind"]) == (
        "Pod/web",
        "payments",
        "kubernetes.object",
    )
    assert found["latency_ns"] == 31_000
    assert found["labels"] == {"id": "opa-1", "version": "1.22.0"}
    assert found["policies"] == []


@pytest.mark.parametrize(
    ("result", "outcome", "allow"),
    [
        (True, "allow", True),
        ({"allow": False}, "deny", False),
        ({"allowed": True}, "allow", True),
        ("yes", "", None),
        (["one"], "", None),
    ],
)
def test_what_a_result_of_opa_amounts_to(result: Any, outcome: str, allow: bool | None) -> None:
    found = of({**OPA, "input": {"user": "ann"}, "result": result})
    assert (found["outcome"], found["allow"]) == (outcome, allow)
    assert found.get("subject") is None
    assert found["namespace"] == ""


def test_an_error_that_was_let_pass_is_allowed() -> None:
    document = event(1, "2026-03-01T09:30:00Z", "error")
    document["result"]["allow"] = True
    assert of(document)["allow"] is True


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("labels", 3),
        ("path", {"a": 1}),
        ("requested_by", ["x"]),
        ("metrics", "fast"),
        ("metrics", {"timer_server_handler_ns": 1 << 80}),
        ("metrics", {"timer_server_handler_ns": -1}),
        ("metrics", {"timer_server_handler_ns": True}),
        ("input", "text"),
        ("input", {"request": {"kind": "Pod"}}),
        (
            "solon",
            {"outcome": "deny", "subject": {"uri": 5, "namespace": None}, "findings": [3, {"policy": 4}]},
        ),
        ("solon", {"subject": {"uri": "x"}, "findings": {"a": 1}}),
    ],
)
def test_a_field_that_is_not_what_it_should_be_is_empty(name: str, value: Any) -> None:
    found = of({**OPA, name: value})
    assert found["decision_id"] == "4ca636c1"
    assert found["latency_ns"] in {None, 31_000}


@pytest.mark.parametrize(
    "payload",
    [
        b'{"decision_id":"a","timestamp":"2026-03-01T09:30:00Z","note":"\xff\xfe"}',
        b'{"decision_id":"a","timestamp":"2026-03-01T09:30:00Z","input":'
        + b"[" * 5_000
        + b"]" * 5_000
        + b"}",
        b'{"decision_id":"a","timestamp":"2026-03-01T09:30:00Z","note":"\\ud800"}',
    ],
)
def test_an_odd_event_is_a_row(payload: bytes) -> None:
    leaf = encode(Entry(Kind.DECISION, "a", 0, payload), bytes(16))
    found = row(Stored(7, leaf, bytes(16), payload, "s", 0, 0), "0001")
    assert found is not None
    assert json.loads(line(found))["decision_id"] == "a"
    assert found["event"] == payload.decode("utf-8", "replace")


def test_an_erased_entry_is_no_row() -> None:
    entry = entry_of(json.dumps(OPA).encode())
    assert row(Stored(0, encode(entry, bytes(16)), b"", None, "s", 0, 0), "0001") is None
