"""Filters, one by one and together, over what is compacted and what is not."""

from __future__ import annotations

from typing import Any

import pytest
from decision_events import event, finding, log_of

from solon.decisions.log.errors import LogError
from solon.decisions.log.store import Log
from solon.decisions.warehouse import compaction, query, session
from solon.decisions.warehouse.query import Filters

WAIVED = finding("images.pinned", "waived", ruling={"waiver": "w-7", "breakglass": ""})
TOKEN = finding("gpu.quota", "overridden", ruling={"waiver": "", "breakglass": "bg-1"})
EVENTS = [
    event(0, "2026-03-01T08:00:00Z"),
    event(
        1, "2026-03-01T09:00:00Z", "deny", findings=[finding("labels.required"), finding("gpu.quota", "warn")]
    ),
    event(
        2, "2026-03-02T08:00:00Z", "deny", namespace="search", team="find", findings=[finding("gpu.quota")]
    ),
    event(
        3, "2026-03-03T08:00:00Z", "warn", name="Job/train_1", findings=[finding("labels.required", "warn")]
    ),
    event(4, "2026-03-04T08:00:00Z", findings=[WAIVED], bundles={"ml": "abc123"}),
    event(5, "2026-03-05T08:00:00Z", "warn", namespace="pay-two", findings=[TOKEN], requested_by="cd"),
    event(6, "2026-03-06T08:00:00Z", "error", namespace="pay-two", findings=[finding("gpu.quota", "error")]),
    event(7, "2026-03-07T08:00:00Z", namespace="50%_off", name="Job/trainX1", team=""),
]


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Log:
    where = tmp_path_factory.mktemp("asked") / "log"
    log = log_of(where, EVENTS[::2], seal=True)
    compaction.compact(log)
    return log_of(where, EVENTS[1::2])


def ids(log: Log, filters: Filters, **more: Any) -> list[int]:
    with session.opened(log) as found:
        answer = query.ask(found, query.built(filters, ["decision_id"], **{"order": "time", **more}))
        return [int(name.removeprefix("d-")) for (name,) in answer.rows]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, [0, 1, 2, 3, 4, 5, 6, 7]),
        ({"outcomes": ["deny"]}, [1, 2]),
        ({"outcomes": ["deny", "error"]}, [1, 2, 6]),
        ({"namespaces": ["search"]}, [2]),
        ({"namespaces": ["pay*"]}, [0, 1, 3, 4, 5, 6]),
        ({"namespaces": ["pay-???", "search"]}, [2, 5, 6]),
        ({"namespaces": ["50%_off"]}, [7]),
        ({"namespaces": ["5?%_of*"]}, [7]),
        ({"namespaces": ["%"]}, []),
        ({"namespaces": ["%*"]}, []),
        ({"policies": ["gpu.quota"]}, [1, 2, 5]),
        ({"policies": ["gpu.quota"], "outcomes": ["deny"]}, [2]),
        ({"policies": ["labels.*", "images.*"]}, [1, 3, 4]),
        ({"policies": ["Labels.*"]}, []),
        ({"teams": ["find"]}, [2]),
        ({"teams": [""]}, [7]),
        ({"subjects": ["k8s:///search/*"]}, [2]),
        ({"subjects": ["Job/*"]}, [3, 7]),
        ({"subjects": ["*/train_1"]}, [3]),
        ({"revisions": ["abc*"]}, [4]),
        ({"waived": True}, [4]),
        ({"waivers": ["w-*"]}, [4]),
        ({"breakglass": True}, [5]),
        ({"stages": ["warn"]}, [1, 3, 6]),
        ({"requesters": ["cd"]}, [5]),
        ({"paths": ["solon/*"], "environments": ["prod"], "owners": ["ann"]}, [0, 1, 2, 3, 4, 5, 6, 7]),
        (
            {
                "namespaces": ["payments"],
                "outcomes": ["deny"],
                "policies": ["labels.*"],
                "teams": ["payments"],
            },
            [1],
        ),
        ({"namespaces": ["x' OR true --"]}, []),
    ],
)
def test_filters(log: Log, filters: dict[str, Any], expected: list[int]) -> None:
    assert ids(log, Filters(**filters)) == expected


@pytest.mark.parametrize(
    ("order", "limit", "expected"),
    [
        ("time", 3, [0, 1, 2]),
        ("-time", 2, [7, 6]),
        ("namespace", 1, [7]),
        ("-decision_id", 1, [7]),
    ],
)
def test_order_and_limit(log: Log, order: str, limit: int, expected: list[int]) -> None:
    assert ids(log, Filters(), order=order, limit=limit) == expected


def test_events_come_for_the_rows_that_are_wanted(log: Log) -> None:
    with session.opened(log) as found:
        for limit in (None, 2):
            asked = query.built(
                Filters(outcomes=["deny"]), ["decision_id", "event"], order="-time", limit=limit
            )
            rows = list(query.ask(found, asked).rows)
            assert [name for name, _ in rows] == ["d-2", "d-1"]
            assert all(f'"decision_id":"{name}"' in text for name, text in rows)


@pytest.mark.parametrize(
    ("columns", "order", "filters", "problem"),
    [
        (["nothing"], "time", Filters(), "no column 'nothing'"),
        (["time"], "x; DROP", Filters(), "no column 'x; DROP'"),
        (["repeated"], "time", Filters(), "no column 'repeated'"),
        (
            ["time"],
            "time",
            Filters(outcomes=["denied"]),
            "--decision denied: unknown; it is one of allow, warn, deny, error",
        ),
    ],
)
def test_what_is_not_there(columns: list[str], order: str, filters: Filters, problem: str) -> None:
    with pytest.raises(LogError, match=problem):
        query.built(filters, columns, order=order)
