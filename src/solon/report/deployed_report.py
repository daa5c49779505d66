"""Which versions of models are live."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from solon.evidence.deployed.live import Live
from solon.evidence.deployed.releases import plain
from solon.report.check_report import plural
from solon.report.columns import aligned
from solon.report.json import location
from solon.report.json import text as json_text
from solon.report.text import printable

SCHEMA: Final = "solon.deployed/v1"
_HEAD: Final = ("MODEL", "VERSION", "TRAFFIC", "ENVIRONMENT", "TEAM", "WHERE", "")


def render(format: str, models: Sequence[Live]) -> str:
    ordered = sorted(models, key=lambda each: (not each.known, each.name, each.version, each.where))
    if format == "json":
        return json_text({"schema": SCHEMA, "models": [_plain(each) for each in ordered]})
    return "".join(f"{line}\n" for line in _table(ordered))


def _plain(each: Live) -> dict[str, Any]:
    return plain(each) | {"location": location(each.location)}


def _table(models: Sequence[Live]) -> Iterator[str]:
    if not models:
        yield "No model is live in what was given."
        return
    lines = aligned([_HEAD, *(_cells(each) for each in models)])
    for line, each in zip(lines, [None, *models], strict=True):
        yield line
        if each is not None and each.problem:
            yield f"  ! {printable(each.problem)}"
    yield ""
    versions = {(each.name, each.version) for each in models if each.known}
    unknown = sum(not each.known for each in models)
    yield (
        f"{plural(len(versions), 'version')} of {plural(len({name for name, _ in versions}), 'model')} "
        f"{'is' if len(versions) == 1 else 'are'} live"
        + (f", and in {plural(unknown, 'place')} nobody knows which" if unknown else "")
    )


def _cells(each: Live) -> tuple[str, ...]:
    share = "" if each.traffic is None else f"{each.traffic:.4g} %"
    where = each.serves if not each.namespace else f"{each.serves} in {each.namespace}"
    cells = (
        each.name or "?",
        each.version or "?",
        share,
        each.environment,
        each.team or each.owner,
        where,
        str(each.location),
    )
    return tuple(map(printable, cells))
