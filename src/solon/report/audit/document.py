"""The audit as JSON: all that the other formats are made of."""

from __future__ import annotations

import base64
from dataclasses import asdict
from typing import Any, Final

from solon.decisions.audit.assessed import Audit
from solon.report import query_report
from solon.report.json import text

SCHEMA: Final = "solon.audit/v1"


def render(audit: Audit) -> str:
    return text({"schema": SCHEMA, **document(audit)})


def document(audit: Audit) -> dict[str, Any]:
    kept = audit.kept
    return {
        "asked": list(audit.asked),
        "start": query_report.value(audit.start),
        "end": query_report.value(audit.end),
        "made": query_report.value(audit.made),
        "whole": audit.whole,
        "sound": audit.sound,
        "policies_from": "log" if audit.recorded else "repository",
        "controls": [
            {
                **query_report.value(asdict(each)),
                "policies": [c.policy for c in each.carriers],
                "whole": each.whole,
            }
            for each in audit.controls
        ],
        "policies": query_report.value([asdict(each) for each in audit.carriers]),
        "evidence": query_report.value(asdict(audit.evidence)),
        "changes": query_report.value(list(audit.changes)),
        "not_proven": list(audit.limits),
        "log": {
            "name": kept.name,
            "key": kept.key,
            "key_from": "log" if kept.own_key else "given",
            "entries": kept.entries,
            "unsigned": kept.unsigned,
            "verified": kept.verified is not None,
            "problems": [str(each) for each in (kept.verified.problems if kept.verified else [])],
            "compared": kept.compared,
            "checkpoint": None
            if kept.meta is None
            else {
                "origin": kept.meta.origin,
                "size": kept.meta.size,
                "root": base64.b64encode(kept.meta.root).decode(),
                "text": kept.meta.text,
            },
            "witnesses": [{"witness": each.witness, "size": each.size} for each in kept.witnesses],
        },
    }
