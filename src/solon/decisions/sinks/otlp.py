"""OpenTelemetry: log records as JSON over HTTP (OTLP 1.x, ``POST /v1/logs``)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from solon import __version__
from solon.decisions.log.reading import Stored
from solon.decisions.sinks.deliver import Refusal
from solon.decisions.sinks.http import Upload

# outcome -> severity number and text of the OpenTelemetry log data model
_SEVERITY: Final = {"warn": (13, "WARN"), "deny": (13, "WARN"), "error": (17, "ERROR")}
_INFO: Final = (9, "INFO")
_TRACE: Final = re.compile(r"(?!0{32})[0-9a-f]{32}")
_SPAN: Final = re.compile(r"(?!0{16})[0-9a-f]{16}")


class _Partial(msgspec.Struct):
    rejected: int | str = msgspec.field(default=0, name="rejectedLogRecords")
    message: str = msgspec.field(default="", name="errorMessage")


class _Answer(msgspec.Struct):
    partial: _Partial | None = msgspec.field(default=None, name="partialSuccess")


class _Subject(msgspec.Struct):
    uri: str = ""
    namespace: str = ""


class _Solon(msgspec.Struct):
    subject: _Subject | None = None


class _Event(msgspec.Struct):
    """What attributes are taken from."""

    path: str = ""
    trace_id: str = ""
    span_id: str = ""
    labels: dict[str, str] = {}
    solon: _Solon | None = None


class OtlpSink:
    """``name`` is that of the log, which the records have as ``service.instance.id``."""

    def __init__(self, upload: Upload, name: str) -> None:
        self._upload = upload
        self._name = name

    def send(self, batch: Sequence[Stored]) -> Refusal | None:
        """Raises Down, TooLarge, Unwanted."""
        answer = self._upload.post(request(batch, self._name), len(batch))
        try:
            partial = msgspec.json.decode(answer or b"{}", type=_Answer).partial
            rejected = min(int(partial.rejected), len(batch)) if partial else 0
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return None  # an answer in another form says no more than its status
        if partial is None or rejected <= 0:
            return None
        # The protocol forbids to send such a request again, and does not tell which records are meant.
        return Refusal(batch[0], batch[-1], rejected, partial.message[:200])

    def close(self) -> None:
        self._upload.close()


def request(batch: Sequence[Stored], name: str) -> bytes:
    resource = {"service.name": "solon", "service.instance.id": name, "service.version": __version__}
    return msgspec.json.encode(
        {
            "resourceLogs": [
                {
                    "resource": {"attributes": _attributes(resource)},
                    "scopeLogs": [
                        {
                            "scope": {"name": "solon.decisions", "version": __version__},
                            "logRecords": [_record(each) for each in batch],
                        }
                    ],
                }
            ]
        }
    )


def _record(stored: Stored) -> dict[str, Any]:
    leaf = stored.says
    payload = stored.payload or b""
    try:
        event = msgspec.json.decode(payload, type=_Event)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        event = _Event()
    number, word = _SEVERITY.get(leaf.outcome, _INFO)
    subject = event.solon.subject if event.solon else None
    attributes = {
        "solon.decision_id": leaf.id,
        "solon.kind": leaf.kind.name.lower(),
        "solon.outcome": leaf.outcome,
        "solon.path": event.path,
        "solon.subject.uri": subject.uri if subject else "",
        "k8s.namespace.name": subject.namespace if subject else "",
        **{f"solon.label.{key}": value for key, value in event.labels.items()},
    }
    record: dict[str, Any] = {
        "timeUnixNano": str(leaf.time_ns),
        "observedTimeUnixNano": str(stored.time_ns),
        "severityNumber": number,
        "severityText": word,
        "eventName": f"solon.{leaf.kind.name.lower()}",
        "body": {"stringValue": payload.decode("utf-8", "replace")},
        "attributes": _attributes({key: value for key, value in attributes.items() if value}),
    }
    if _TRACE.fullmatch(event.trace_id):
        record["traceId"] = event.trace_id
        if _SPAN.fullmatch(event.span_id):
            record["spanId"] = event.span_id
    return record


def _attributes(values: dict[str, str]) -> list[dict[str, Any]]:
    return [{"key": key, "value": {"stringValue": value}} for key, value in values.items()]
