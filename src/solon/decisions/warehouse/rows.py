"""An entry of the log as a row of the warehouse.

What the leaf says is taken from the leaf. The rest comes from the event, as far as the event has it: events of OPA have
nothing under ``solon``, and what came over a network may have anything there. A field that is not what it should be is empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
import orjson

from solon.decisions.log.leaf import Kind
from solon.decisions.log.reading import Stored
from solon.subjects.fields import mapping

_NAMES: Final = {kind: kind.name.lower() for kind in Kind}
# Timers of a decision, the most telling first.
_TIMERS: Final = ("timer_solon_evaluate_ns", "timer_server_handler_ns", "timer_rego_query_eval_ns")
_VIOLATED: Final = frozenset({"deny", "overridden", "warn", "waived", "recorded"})
_LARGEST: Final = (1 << 63) - 1
_LAST_US: Final = 253_402_300_799_999_999  # the end of the year 9999, behind which a row is not dated


def row(stored: Stored, shard: str) -> dict[str, Any] | None:
    """The row; None for an entry whose payload is erased. Raises Damaged."""
    payload = stored.payload
    if payload is None:
        return None
    leaf = stored.says
    text = payload.decode("utf-8", "replace")
    out: dict[str, Any] = {
        "shard": shard,
        "index": stored.index,
        "kind": _NAMES[leaf.kind],
        "decision_id": leaf.id,
        "time": min(leaf.time_ns // 1_000, _LAST_US),
        "outcome": leaf.outcome,
        "allow": {"allow": True, "warn": True, "deny": False}.get(leaf.outcome),
        "namespace": "",
        "policies": [],
        "repeated": False,
        "event": text,
    }
    event = _decoded(text)
    if event is not None:
        _fill(out, event)
    return out


def line(row: Mapping[str, Any]) -> bytes:
    """The row as a line of JSON, for DuckDB to read."""
    return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)


class _Event(msgspec.Struct):
    """What is read of an event. The document judged may be large, and is looked into only where it is needed."""

    input: msgspec.Raw = msgspec.Raw()
    labels: Any = None
    bundles: Any = None
    path: Any = None
    requested_by: Any = None
    metrics: Any = None
    result: Any = None
    solon: Any = None


_decoder: Final = msgspec.json.Decoder(_Event)


def _decoded(text: str) -> _Event | None:
    try:
        return _decoder.decode(text)
    except (msgspec.MsgspecError, RecursionError, ValueError):
        return None


def _request(document: msgspec.Raw) -> dict[str, Any]:
    try:
        return _object(mapping(msgspec.json.decode(document)), "request") if bytes(document) else {}
    except (msgspec.MsgspecError, RecursionError, ValueError):
        return {}


def _fill(out: dict[str, Any], event: _Event) -> None:
    solon = mapping(event.solon)
    subject = _object(solon, "subject")
    result = event.result
    out["path"] = _word(event.path)
    out["requested_by"] = _word(event.requested_by)
    out["labels"] = {name: each for name, each in mapping(event.labels).items() if isinstance(each, str)}
    out["bundles"] = {
        name: _text(mapping(each), "revision") or "" for name, each in mapping(event.bundles).items()
    }
    out["latency_ns"] = _latency(mapping(event.metrics))
    out["posture"] = _text(solon, "posture")
    if isinstance(result, dict) and isinstance(result.get("allow"), bool):
        out["allow"] = result["allow"]
    if subject:
        out["subject"] = _text(subject, "uri")
        out["subject_kind"] = _text(subject, "kind")
        for name in ("name", "environment", "team", "owner"):
            out[name] = _text(subject, name)
        out["namespace"] = _text(subject, "namespace") or ""
        _findings(out, solon.get("findings"))
    else:
        _admission(out, _request(event.input), result)


def _findings(out: dict[str, Any], said: Any) -> None:
    findings = []
    breakglass: dict[str, None] = {}
    for each in said if isinstance(said, list) else []:
        finding = mapping(each)
        ruling = _object(finding, "ruling")
        word = _text(finding, "outcome") or ""
        if word == "overridden" and (token := _text(ruling, "breakglass")):
            breakglass[token] = None
        findings.append(
            {
                "policy": _text(finding, "policy") or "",
                "outcome": "excepted" if finding.get("excepted") else word,
                "stage": _text(finding, "stage"),
                "severity": _text(finding, "severity"),
                "waiver": (_text(ruling, "waiver") or None) if word == "waived" else None,
            }
        )
    out["findings"] = findings
    out["policies"] = _distinct(each["policy"] for each in findings if each["outcome"] in _VIOLATED)
    out["denied_by"] = _distinct(each["policy"] for each in findings if each["outcome"] == "deny")
    out["waivers"] = _distinct(each["waiver"] for each in findings)
    out["stages"] = _distinct(each["stage"] for each in findings)
    out["breakglass"] = list(breakglass)


def _admission(out: dict[str, Any], request: Mapping[str, Any], result: Any) -> None:
    """What an AdmissionReview says, where OPA was asked about one."""
    if request:
        kind = _text(_object(request, "kind"), "kind") or ""
        metadata = _object(_object(request, "object"), "metadata")
        name = _text(request, "name") or _text(metadata, "name") or ""
        namespace = _text(request, "namespace") or ""
        if kind:
            out["subject"] = f"k8s:///{namespace}/{kind}/{name}"
            out["subject_kind"] = "kubernetes.object"
            out["name"], out["namespace"] = f"{kind}/{name}", namespace
    response = _object(mapping(result), "response")
    allowed = mapping(result).get("allowed", response.get("allowed"))
    if isinstance(allowed, bool):
        out["allow"] = allowed
        out["outcome"] = out["outcome"] or ("allow" if allowed else "deny")


def _latency(metrics: Mapping[str, Any]) -> int | None:
    for name in _TIMERS:
        value = metrics.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST:
            return value
    return None


def _object(value: Mapping[str, Any], name: str) -> dict[str, Any]:
    return mapping(value.get(name))


def _text(value: Mapping[str, Any], name: str) -> str | None:
    return _word(value.get(name))


def _word(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _distinct(values: Any) -> list[str]:
    return list(dict.fromkeys(value for value in values if value))
