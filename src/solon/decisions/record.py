"""The record kept of a decision: one JSON line in the shape of OPA's decision log events.

(OPA, "Decision Logs": labels, decision_id, timestamp, bundles, path, input, result, masked, metrics.)
What OPA has no key for stands under ``solon``. Secrets are masked: the values of Kubernetes Secrets, and
what a Terraform plan marks as sensitive, wherever in the event they turn up again.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from solon import __version__
from solon.decisions.decision import Decision
from solon.decisions.masking import Scrubber, escaped, mask
from solon.frameworks.policy import Finding, Ruling
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
    parent_secrets: frozenset[str] = frozenset(),
    programme: Mapping[str, str] | None = None,
) -> bytes:
    """One line, ended by a line feed.

    ``posture`` says what an error meant: ``closed`` stops the change, ``open`` lets it pass. Without
    ``with_input`` the document judged stays out of the line; its secrets are masked in the rest all the same,
    as are ``parent_secrets``: those of the plan that a resource was taken from. ``programme`` says what was in force.
    """
    subject = decision.subject
    document, masked, secrets = mask(subject.document, "/input")
    if with_input:
        inside = Scrubber(secrets)
        document = inside(document, "/input")
        masked += inside.pointers
    clean = Scrubber(secrets | parent_secrets)
    event: dict[str, Any] = {
        "labels": dict(labels),
        "decision_id": decision.decision_id,
        "timestamp": rfc3339(decision.timestamp_ns),
        "bundles": {name: {"revision": revision} for name, revision in decision.revisions.items()},
        "path": path,
        "input": document,
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
                "team": subject.team,
                "labels": clean(dict(subject.labels), "/solon/subject/labels"),
                "file": subject.location.file,
                "line": subject.location.line,
            },
            "findings": [
                _finding(word, finding, clean, f"/solon/findings/{index}")
                for index, (word, finding) in enumerate(decision.worded())
            ],
        },
    }
    if programme:
        event["solon"]["programme"] = dict(programme)
    if not with_input:
        del event["input"]
    pointers = dict.fromkeys([*(masked if with_input else []), *clean.pointers])
    if pointers:
        event["masked"] = list(pointers)
    return _line(event)


def records(decisions: Iterable[Decision], **options: Any) -> Iterator[bytes]:
    """A record of each decision; ``options`` as for ``record``. The secrets of a plan are looked for once."""
    parent: Any = None
    secrets: frozenset[str] = frozenset()
    for decision in decisions:
        if decision.findings and decision.subject.parent is not parent:
            parent = decision.subject.parent
            secrets = mask(parent)[2]
        yield record(decision, parent_secrets=secrets, **options)


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
    if finding.remediation:
        out["remediation"] = clean(finding.remediation, f"{at}/remediation")
    if finding.excepted:
        out["excepted"] = finding.excepted
    if finding.ruling is not None:
        out["ruling"] = clean(ruling(finding.ruling), f"{at}/ruling")
    if finding.details is not None:
        out["details"] = clean(to_json(finding.details), f"{at}/details")
    return out


def ruling(said: Ruling) -> dict[str, Any]:
    """What the programme made of a finding; times are RFC 3339, null where there is none."""
    return {
        "team": said.team,
        "owner": said.owner,
        "rollout": said.rollout,
        "scope": said.scope,
        "enforced_from": _time(said.enforced_from),
        "existing_until": _time(said.existing_until),
        "waiver": said.waiver,
        "waiver_expires": _time(said.waiver_expires),
        "waiver_location": None if said.waiver_location is None else str(said.waiver_location),
        "breakglass": said.breakglass,
        "because": said.because,
    }


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")


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

    Lines are written whole, many at a time, one writer after the other.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            pending = bytearray()
            for line in lines:
                pending += line
                if len(pending) >= _CHUNK:
                    _write(descriptor, pending)
                    pending.clear()
            _write(descriptor, pending)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise OSError(error.errno, error.strerror, os.fspath(path)) from None


def _write(descriptor: int, text: bytes | bytearray) -> None:
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        size = os.fstat(descriptor).st_size
        if size and text and os.pread(descriptor, 1, size - 1) != b"\n":
            text = b"\n" + text  # a crash left a line unfinished: end it, so that it spoils no other
        rest = memoryview(text)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
