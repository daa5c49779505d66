"""The evidence document: what is known of one release, each part with its source, and bound to what was measured.

Version 1, ``solon.evidence/v1``. A part that is not there is unknown, as is one that is not ``measured``: policies
treat both as missing, never as passed.
"""

from __future__ import annotations

from datetime import UTC, datetime
from inspect import cleandoc
from typing import Any, Final, Generic, Literal, TypeVar

import msgspec

from solon.evidence.artifacts.result import Artifacts
from solon.evidence.data.result import Data, Drift
from solon.evidence.documentation.result import Documentation
from solon.evidence.fairness.result import Fairness
from solon.evidence.performance.result import Latency, Performance
from solon.evidence.release import Release
from solon.evidence.supply.result import Dependencies, Signature

T = TypeVar("T")

Status = Literal["measured", "error", "refused"]


class Measured(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a part is about: ``what`` is ``model``, ``declaration`` or a role such as ``training``.

    ``path`` is that in the release; of a declaration the key of release.yaml. ``digest`` is ``sha256:`` with hexadecimal digits.
    """

    what: str
    digest: str
    path: str = ""


class Item(msgspec.Struct, Generic[T], frozen=True, omit_defaults=True):
    """One part of the evidence.

    ``error``: the collector could not do it, and ``problem`` says why. ``refused``: measured once, but of something else than
    what lies here now. ``result`` is there where it was measured.
    """

    status: Status
    source: str
    tool: str
    tool_version: str
    collected_at: str
    measured: list[Measured]
    result: T | None = None
    problem: str = ""


class Parts(msgspec.Struct, frozen=True, omit_defaults=True):
    """Those that were collected."""

    artifacts: Item[Artifacts] | None = None
    signature: Item[Signature] | None = None
    dependencies: Item[Dependencies] | None = None
    documentation: Item[Documentation] | None = None
    data: Item[Data] | None = None
    drift: Item[Drift] | None = None
    performance: Item[Performance] | None = None
    latency: Item[Latency] | None = None
    fairness: Item[Fairness] | None = None


class File(msgspec.Struct, frozen=True):
    path: str
    bytes: int
    digest: str


class Model(msgspec.Struct, frozen=True):
    """The released files, and one ``digest`` over all of them (see ``digests.of_files``)."""

    digest: str
    files: list[File]


class Collector(msgspec.Struct, frozen=True):
    name: str
    version: str


class Evidence(msgspec.Struct, frozen=True, omit_defaults=True):
    """The document as it is written. ``release`` is what release.yaml declared when the last part was collected.

    What has no value is left out, rather than null: in Rego null is less than every number, and would pass a limit.
    """

    kind: Literal["solon.evidence/v1"]
    release: Release
    model: Model
    collected_at: str
    collector: Collector
    evidence: Parts


NAMES: Final = Parts.__struct_fields__


def stamp(time: datetime) -> str:
    """A time as the document has it: RFC 3339, in UTC, to the second."""
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def found_in(item: Item[T] | None) -> T | None:
    """The result of a part; None where it was not measured, for whatever reason."""
    return item.result if item is not None and item.status == "measured" else None


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of the document."""
    made = msgspec.json.schema(Evidence)
    for part in made["$defs"].values():
        if "description" in part:
            part["description"] = cleandoc(part["description"]).replace("``", "`")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Evidence about an ML release",
        **made,
    }


def encoded(evidence: Evidence) -> bytes:
    """The document as it lies in a file: indented JSON, ended by a line feed."""
    return msgspec.json.format(msgspec.json.encode(evidence), indent=2) + b"\n"
