"""The record kept of a decision: one JSON line in the shape of OPA's decision log events.

(OPA, "Decision Logs": labels, decision_id, timestamp, bundles, path, input, result, masked, metrics.)
What OPA has no key for stands under ``solon``. Secrets are masked: the values of Kubernetes Secrets, and
what a Terraform plan marks as sensitive, wherever in the event they turn up again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from itertools import chain
from typing import Any, Final

import orjson

from solon import __version__
from solon.decisions.decision import Decision
from solon.decisions.masking import Scrubber, escaped, mask
from solon.frameworks.policy import Finding
from solon.lang.values import to_json
from solon.subjects.subject import Path

LABELS: Final = {"id": "solon", "version": __version__}
_CHUNK: Final = 1 << 20


def record(
    decision: Decision,
    *,
    labels: Mapping[str, str] = LABELS,
    path: str = "solon/check",
    posture: str = "closed",
    with_input: bool = True,
) -> bytes:
    """One line, ended by a line feed.

    ``posture`` says what an error meant: ``closed`` stops the change, ``open`` lets it pass. Without
    ``with_input`` the document judged stays out of the line; its secrets are masked in the rest all the same.
    """
    subject = decision.subject
    document, masked, secrets = mask(subject.document, "/input")
    if subject.parent is not None:  # what the plan marks as sensitive may be named in a resource's finding
        secrets = secrets | mask(subject.parent, "")[2]
    clean = Scrubber(secrets)
    found = [
        (word, finding)
        for word, findings in (
            ("error", decision.errors),
            ("deny", decision.enforced),
            ("warn", decision.warned),
            ("recorded", decision.recorded),
        )
        for finding in findings
    ]
    event: dict[str, Any] = {
        "labels": dict(labels),
        "decision_id": decision.decision_id,
        "timestamp": rfc3339(decision.timestamp_ns),
        "bundles": {name: {"revision": revision} for name, revision in decision.revisions.items()},
        "path": path,
        "input": clean(document, "/input") if with_input else None,
        "result": {
            "allow": not decision.enforced and not (decision.errors and posture == "closed"),
            "deny": clean([finding.message for finding in decision.enforced], "/result/deny"),
            "warn": clean([finding.message for finding in decision.warned], "/result/warn"),
        },
        "metrics": {"timer_solon_evaluate_ns": decision.elapsed_ns},
        "solon": {
            "outcome": decision.outcome.value,
            "policies": decision.policies,
            "posture": posture,
            "subject": {
                "uri": subject.uri,
                "kind": subject.kind,
                "name": subject.name,
                "namespace": subject.namespace,
                "environment": subject.environment,
                "owner": subject.owner,
                "labels": clean(dict(subject.labels), "/solon/subject/labels"),
                "file": subject.location.file,
                "line": subject.location.line,
            },
            "findings": [
                _finding(word, finding, clean, f"/solon/findings/{index}")
                for index, (word, finding) in enumerate(found)
            ],
        },
    }
    if not with_input:
        del event["input"]
    pointers = dict.fromkeys([*(masked if with_input else []), *clean.pointers])
    if pointers:
        event["masked"] = list(pointers)
    return _line(event)


def _finding(word: str, finding: Finding, clean: Scrubber, at: str) -> dict[str, Any]:
    out: dict[str, Any] = {
        "outcome": word,
        "policy": finding.policy.id,
        "stage": finding.stage.value,
        "severity": finding.severity,
        "message": clean(finding.message, f"{at}/message"),
        "file": finding.location.file,
        "line": finding.location.line,
    }
    if finding.path is not None:
        out["path"] = pointer(finding.path)
    if finding.excepted:
        out["excepted"] = finding.excepted
    if finding.details is not None:
        out["details"] = clean(to_json(finding.details), f"{at}/details")
    return out


def pointer(path: Path) -> str:
    """The path as a JSON pointer (RFC 6901)."""
    return "".join("/" + escaped(str(part)) for part in path)


def rfc3339(time_ns: int) -> str:
    """Nanoseconds since 1970 as RFC 3339 in UTC with nine digits: ``2026-03-01T09:30:00.000000007Z``."""
    seconds, nanos = divmod(time_ns, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{nanos:09d}Z"


def _line(event: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE)
    except TypeError:  # an integer above 64 bits, or a lone surrogate: both are JSON, and slower to write
        text = json.dumps(event, separators=(",", ":"), ensure_ascii=True)
        return text.encode("ascii") + b"\n"


def append(path: str | os.PathLike[str], lines: Iterable[bytes]) -> None:
    """Append records to a file that only its owner may read. Raises OSError, with its name, where it cannot.

    Lines are written whole, many at a time, in append mode: writers beside this one do not tear them. A line
    that a crash left unfinished is ended first, so that it spoils no other.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        size = os.fstat(descriptor).st_size
        torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        pending = bytearray()
        for line in chain([b"\n"] if torn else [], lines):
            pending += line
            if len(pending) >= _CHUNK:
                _write(descriptor, pending)
        _write(descriptor, pending)
    except OSError as error:
        raise OSError(error.errno, error.strerror, os.fspath(path)) from None
    finally:
        os.close(descriptor)


def _write(descriptor: int, pending: bytearray) -> None:
    while pending:
        written = os.write(descriptor, pending)
        del pending[:written]
