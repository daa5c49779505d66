"""What is reserved, as policies see it: until what was reserved for runs, and never besides it."""

from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from solon.governance.quota.reservation import LABEL, Reservation, held, marked

MADE = datetime(2026, 11, 2, 12, 0, 0, 700_000, UTC)
TEAM = {"team": "fraud"}


def job(name: str = "train", gpus: int = 4, labels: dict[str, str] = TEAM, **metadata: Any) -> dict[str, Any]:
    limits = {"nvidia.com/gpu": gpus}
    named = {"name": name} if name else {}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {**named, "namespace": "fraud", "labels": dict(labels), **metadata},
        "spec": {"template": {"spec": {"containers": [{"name": "main", "resources": {"limits": limits}}]}}},
    }


def reserved(*documents: dict[str, Any], id: str = "r-1") -> Reservation:
    hour = timedelta(hours=1)
    made = [marked(document, id, "") for document in documents]
    return Reservation(id, "fraud", "anna", "Job/train", 4, made, MADE, MADE + hour, hour)


def names(*found: dict[str, Any]) -> list[str]:
    return [each["metadata"]["name"] for each in found]


def test_marking_changes_labels_alone() -> None:
    document = job(annotations={"note": "x"})
    before = copy.deepcopy(document)
    assert marked(document, "r-1", "search") == {
        **before,
        "metadata": {**before["metadata"], "labels": {"team": "search", LABEL: "r-1"}},
    }
    assert document == before


@pytest.mark.parametrize("metadata", [None, "train", {"labels": None}, {"labels": ["team"]}])
def test_marking_bears_with_what_is_malformed(metadata: Any) -> None:
    assert marked({"kind": "Job", "metadata": metadata}, "r-1", "")["metadata"] == {"labels": {LABEL: "r-1"}}


def test_what_is_reserved_is_held_under_a_name_of_its_own() -> None:
    one = reserved(job())
    two = reserved(job(), job(), id="r-2")
    nameless = reserved(job("", generateName="train-"), id="r-3")
    assert names(*held([one, two, nameless], [job()])) == [
        "train reserved as r-1",
        "train reserved as r-2",
        "train reserved as r-2 (2)",
        "train reserved as r-3",
    ]
    kept = held([one], [])[0]
    assert kept["spec"] == job()["spec"]
    assert kept["metadata"]["labels"]["team"] == "fraud"


def test_it_is_held_in_the_namespace_that_it_is_for() -> None:
    nowhere = job()
    del nowhere["metadata"]["namespace"]
    assert [
        each["metadata"]["namespace"] for each in held([reserved(job()), reserved(nowhere, id="r-2")], [])
    ] == ["fraud", "default"]


RUNS = {**TEAM, LABEL: "r-1"}


@pytest.mark.parametrize(
    "running, counts_as_running",
    [
        pytest.param(job("train-x7k2p", labels=RUNS), True, id="it has the label"),
        pytest.param(job("t", annotations={LABEL: "r-1"}), True, id="it has the annotation"),
        pytest.param(job("t", gpus=8, labels=RUNS), True, id="it holds more, which is counted"),
        pytest.param(job("t", gpus=1, labels=RUNS), False, id="it holds less than was reserved"),
        pytest.param(job("t", labels={LABEL: "r-1"}), False, id="it counts for no team"),
        pytest.param(
            job("t", labels={LABEL: "r-1", "team": "search"}), False, id="it counts for another team"
        ),
        pytest.param({**job("t", labels=RUNS), "kind": "CronJob"}, False, id="it is of another kind"),
        pytest.param(
            job("t", labels=RUNS, ownerReferences=[{"kind": "CronJob"}]), False, id="its owner counts instead"
        ),
        pytest.param(job("t", labels={**TEAM, LABEL: "r-2"}), False, id="it has another label"),
        pytest.param(
            job(creationTimestamp="2026-11-02T12:00:00Z"), True, id="it has the name and came after"
        ),
        pytest.param(job(creationTimestamp="2026-11-02T11:59:59Z"), False, id="it was there before"),
        pytest.param(job(), False, id="nobody knows since when it is there"),
        pytest.param(job(creationTimestamp="yesterday"), False, id="its time is malformed"),
        pytest.param(
            job(namespace="other", creationTimestamp="2026-11-02T13:00:00Z"), False, id="it is elsewhere"
        ),
    ],
)
def test_what_runs_is_not_held_besides(running: dict[str, Any], counts_as_running: bool) -> None:
    assert bool(held([reserved(job())], [running])) is not counts_as_running


def test_a_generated_name_is_nobodys() -> None:
    reservation = reserved(job("", generateName="train-"))
    came_after = job("", creationTimestamp="2026-11-02T13:00:00Z")
    assert held([reservation], [came_after])


def test_one_workload_stands_for_one() -> None:
    reservation = reserved(job("a"), job("b"), job("c"))
    running = [job("a-1", labels=RUNS), job("b-1", labels=RUNS)]
    assert names(*held([reservation], running)) == ["c reserved as r-1"]


def test_a_finished_job_ends_what_was_held_for_it() -> None:
    done = {**job("t", labels=RUNS), "status": {"conditions": [{"type": "Complete", "status": "True"}]}}
    assert held([reserved(job())], [done]) == []
