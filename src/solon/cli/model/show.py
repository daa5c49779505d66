"""solon model show: the evidence about a release, and what of it holds."""

from __future__ import annotations

import os
import sys

import msgspec
import orjson

from solon.cli.errors import Failure, UsageError
from solon.cli.model import key, releases
from solon.cli.model.collect import width
from solon.evidence.admission import admitted
from solon.evidence.document import Evidence
from solon.report import evidence_report
from solon.subjects import discover
from solon.subjects.subject import Subject, Unreadable


def run(release: str, format_: str) -> int:
    """Raises UsageError, Failure."""
    found = releases.find(release)
    if not os.path.lexists(found.evidence):
        raise UsageError(f"{found.evidence}: no evidence yet: solon model collect {release}")
    read = list(discover.read(discover.Input(found.evidence, True), stdin=lambda _size: b""))
    if len(read) != 1 or isinstance(read[0], Unreadable):
        raise Failure("\n".join(map(str, read)))
    seen = admitted(read[0], key.public_keys(key.settings().collectors))
    if not isinstance(seen, Subject):
        raise Failure("\n".join(map(str, seen)))
    if format_ == "json":
        sys.stdout.write(orjson.dumps(seen.document, option=orjson.OPT_INDENT_2).decode() + "\n")
        return 0
    signed = seen.document.get("collected_by", {})
    by = (
        f"Signed by {signed['key'][:19]}…"
        if signed.get("verified")
        else f"Not signed: {signed.get('problem')}"
    )
    sys.stdout.write(
        evidence_report.table(msgspec.convert(seen.document, Evidence), width=width(), notes=[by])
    )
    return 0
