"""What a row of the warehouse has, in its order. The event comes last: most questions do not read it."""

from __future__ import annotations

from typing import Final

# name -> type in DuckDB, what it is
COLUMNS: Final = {
    "shard": ("VARCHAR", "the shard of the log that the entry is in"),
    "index": ("BIGINT", "its index there"),
    "kind": ("VARCHAR", "decision, activation, rollout, waiver, breakglass, incident"),
    "decision_id": ("VARCHAR", "the id"),
    "time": ("TIMESTAMP", "when it was decided, UTC"),
    "outcome": ("VARCHAR", "allow, warn, deny, error; empty where the event does not say"),
    "allow": ("BOOLEAN", "whether it could pass"),
    "subject": ("VARCHAR", "the uri of what was judged"),
    "subject_kind": ("VARCHAR", "such as kubernetes.object"),
    "name": ("VARCHAR", "of the subject"),
    "namespace": ("VARCHAR", "of the subject; empty where it has none"),
    "environment": ("VARCHAR", "of the subject"),
    "team": ("VARCHAR", "of the subject"),
    "owner": ("VARCHAR", "of the subject"),
    "policies": ("VARCHAR[]", "the policies that were violated, each once"),
    "denied_by": ("VARCHAR[]", "those of them that denied"),
    "waivers": ("VARCHAR[]", "the waivers that covered findings"),
    "breakglass": ("VARCHAR[]", "the break-glass tokens that let it pass"),
    "stages": ("VARCHAR[]", "the stages of its findings"),
    "findings": (
        "STRUCT(policy VARCHAR, outcome VARCHAR, stage VARCHAR, severity VARCHAR, waiver VARCHAR)[]",
        "the findings without their texts",
    ),
    "bundles": ("MAP(VARCHAR, VARCHAR)", "policy sets, and the revision of each"),
    "labels": ("MAP(VARCHAR, VARCHAR)", "of the one who decided"),
    "latency_ns": ("BIGINT", "how long it took"),
    "path": ("VARCHAR", "what was asked, such as solon/check"),
    "requested_by": ("VARCHAR", "who asked"),
    "posture": ("VARCHAR", "closed or open: what an error means"),
    "repeated": ("BOOLEAN", "an upload that came twice: left out of decisions"),
    "event": ("VARCHAR", "the event, as JSON"),
}
# What a table shows, unless asked otherwise.
SHOWN: Final = ("time", "outcome", "subject", "team", "policies", "decision_id")
AUDIT: Final = (
    "solon/audit"  # the path of decisions that look once more at what is deployed: they let nothing pass
)
ORDER: Final = "namespace, outcome, time, shard, index"  # of the rows in a file
DAY: Final = "dt"  # the day, in SQL, and the directory of its files


def schema() -> str:
    """The columns as DuckDB's `{'name': 'type', …}`."""
    return "{" + ", ".join(f"'{name}': '{kind}'" for name, (kind, _) in COLUMNS.items()) + "}"
