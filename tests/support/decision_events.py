"""Events as Solon and OPA write them, for tests of what is asked of the log."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from solon.decisions.log import settings
from solon.decisions.log.events import entry_of
from solon.decisions.log.note import SigningKey
from solon.decisions.log.store import Log

KEY = SigningKey("log.example/asked", bytes(range(32)))


def finding(policy: str, outcome: str = "deny", **more: Any) -> dict[str, Any]:
    stage = {"deny": "enforce", "waived": "enforce", "overridden": "enforce", "recorded": "dryrun"}.get(
        outcome, "warn"
    )
    out = {
        "outcome": outcome,
        "policy": policy,
        "stage": stage,
        "severity": "high",
        "message": f"{policy} says no",
    }
    return {**out, "file": "m.yaml", "line": 7, **more}


def event(
    number: int,
    at: str,
    outcome: str = "allow",
    *,
    name: str = "Deployment/web",
    namespace: str = "payments",
    team: str = "payments",
    findings: Sequence[Mapping[str, Any]] = (),
    bundles: Mapping[str, str] | None = None,
    latency_ns: int = 1_000_000,
    **more: Any,
) -> dict[str, Any]:
    """A decision of Solon's; ``at`` is RFC 3339."""
    return {
        "labels": {"id": "solon", "version": "0.1.0"},
        "decision_id": f"d-{number}",
        "timestamp": at,
        "bundles": {name: {"revision": text} for name, text in (bundles or {"base": "r1"}).items()},
        "path": "solon/check",
        "input": {"kind": "Deployment"},
        "result": {"allow": outcome in {"allow", "warn"}, "deny": [], "warn": []},
        "metrics": {"timer_solon_evaluate_ns": latency_ns},
        "solon": {
            "outcome": outcome,
            "policies": 3,
            "posture": "closed",
            "subject": {
                "uri": f"k8s:///{namespace}/{name}",
                "kind": "kubernetes.object",
                "name": name,
                "namespace": namespace,
                "environment": "prod",
                "owner": "ann",
                "team": team,
                "labels": {},
                "file": "m.yaml",
                "line": 1,
            },
            "findings": list(findings),
        },
        **more,
    }


def later(at: str, **by: float) -> str:
    """A time so much later."""
    return f"{datetime.fromisoformat(at) + timedelta(**by):%Y-%m-%dT%H:%M:%S}Z"


def log_of(directory: Path, events: Sequence[Mapping[str, Any]], *, seal: bool = False) -> Log:
    """A log with these events, the first time in a new directory; with ``seal``, its segment is ended."""
    if not settings.is_log(str(directory)):
        settings.create(str(directory), KEY)
    log = Log(str(directory))
    log.append([entry_of(json.dumps(each, separators=(",", ":")).encode()) for each in events])
    if seal:
        log.writer().writer.seal()
    log.close()
    return log
