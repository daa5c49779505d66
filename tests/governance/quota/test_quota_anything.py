"""Whatever a manifest holds, its GPUs are counted, and it can be held for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from solon.governance.quota.demand import gpus, mentions
from solon.governance.quota.reservation import Reservation, held, marked

NAMES = st.sampled_from(
    [
        "kind", "metadata", "name", "labels", "team", "spec", "template", "containers", "resources", "limits", "requests",
        "nvidia.com/gpu", "replicas", "workerGroupSpecs", "pytorchReplicaSpecs", "podSets", "count", "predictor", "model",
        "ownerReferences", "creationTimestamp", "initContainers", "rayClusterSpec", "headGroupSpec",
    ]
)  # fmt: skip
VALUES = st.recursive(
    st.sampled_from([None, True, 0, 3, -1, 2.5, "4", "x", "Job", "RayJob", "Workload", "Pod", float("inf")]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=25,
)
DOCUMENTS = st.dictionaries(NAMES, VALUES, max_size=5)


@given(DOCUMENTS, DOCUMENTS)
def test_any_documents(document: dict[str, Any], running: dict[str, Any]) -> None:
    assert gpus(document) >= 0
    assert gpus(document) == 0 or mentions(document)
    now, hour = datetime(2026, 11, 2, tzinfo=UTC), timedelta(hours=1)
    made = marked(document, "r-1", "fraud")
    reservation = Reservation("r-1", "fraud", "anna", "x", 0, [made], now, now + hour, hour)
    assert len(held([reservation], [running])) <= 1
    assert len(held([reservation], [])) == 1
