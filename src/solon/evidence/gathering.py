"""Every part of the evidence about one release, one collector after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, Final, cast

import msgspec

from solon import __version__
from solon.evidence import digests
from solon.evidence.collector import CannotCollect, Collect, Collected, Given
from solon.evidence.document import NAMES, Collector, Evidence, Item, Measured, Parts, stamp
from solon.evidence.release import Release

# The module whose `collect` gathers a part, and the key of release.yaml that it reads. Imported when it runs.
COLLECTORS: Final[Mapping[str, tuple[str, str]]] = {
    "artifacts": ("solon.evidence.artifacts.collect", "model"),
    "signature": ("solon.evidence.supply.signature", "supply"),
    "dependencies": ("solon.evidence.supply.dependencies", "supply"),
    "documentation": ("solon.evidence.documentation.collect", "documentation"),
    "data": ("solon.evidence.data.collect", "data"),
    "drift": ("solon.evidence.data.drift", "drift"),
    "performance": ("solon.evidence.performance.collect", "performance"),
    "latency": ("solon.evidence.performance.latency", "latency"),
    "fairness": ("solon.evidence.fairness.collect", "fairness"),
}
assert tuple(COLLECTORS) == NAMES


def gather(given: Given, only: Sequence[str] = (), before: Evidence | None = None) -> Evidence:
    """The evidence, of the parts in ``only`` where some are named; the others are those of ``before``.

    What goes wrong in one part is an item with the status ``error``, and the others are gathered all the same.
    """
    wanted = [name for name in NAMES if not only or name in only]
    parts: dict[str, Any] = {}
    if before is not None:
        parts = {name: getattr(before.evidence, name) for name in NAMES}
    for done, name in enumerate(wanted):
        given.progress(name, done, len(wanted))
        parts[name] = _item(name, given)
    return Evidence(
        kind="solon.evidence/v1",
        release=given.release,
        model=given.model,
        collected_at=stamp(given.now),
        collector=Collector("solon", __version__),
        evidence=Parts(**parts),
    )


def declaration(release: Release | Mapping[str, Any], part: str) -> Measured:
    """The digest of what a release declares for a part: evidence that was measured as declared otherwise is refused."""
    plain = msgspec.to_builtins(release)
    key = COLLECTORS[part][1]
    return Measured("declaration", digests.of_value([plain.get(key), plain.get("task")]), key)


def _item(name: str, given: Given) -> Item[Any] | None:
    module, key = COLLECTORS[name]
    if not getattr(given.release, key):
        return None
    about = [Measured("model", given.model.digest), declaration(given.release, name)]
    try:
        collect = cast("Collect", import_module(module).collect)
        found = collect(given)
        if found is None:
            return None
        item = _measured(found, given, about)
        msgspec.json.encode(item)  # what cannot be written is an error of this part
        return item
    except CannotCollect as error:
        problem = str(error)
    except ModuleNotFoundError as error:
        extra = "onnx" if (error.name or "").startswith("onnx") else "ml"
        problem = f"needs {error.name}, which is not installed: pip install 'solon[{extra}]'"
    except Exception as error:  # noqa: BLE001 - whatever it is, it is no evidence, and no reason to lose the rest
        problem = f"{type(error).__name__}: {error}"
    return _failed(name, given, about, problem)


def _measured(found: Collected, given: Given, about: list[Measured]) -> Item[Any]:
    return Item(
        status="measured",
        source=found.source,
        tool=found.tool,
        tool_version=found.tool_version,
        collected_at=stamp(given.now),
        measured=[*about, *found.measured],
        result=found.result,
    )


def _failed(name: str, given: Given, about: list[Measured], problem: str) -> Item[Any]:
    return Item(
        status="error",
        source=name,
        tool="solon",
        tool_version=__version__,
        collected_at=stamp(given.now),
        measured=about,
        problem=problem,
    )
