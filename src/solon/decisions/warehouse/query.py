"""Questions that people ask often, as SQL over ``decisions``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from solon.decisions.log.errors import LogError
from solon.decisions.warehouse.columns import AUDIT, COLUMNS
from solon.decisions.warehouse.session import Answer, Session

OUTCOMES: Final = ("allow", "warn", "deny", "error")
ASKED: Final = tuple(name for name in COLUMNS if name not in {"kind", "repeated"})


@dataclass(frozen=True, slots=True)
class Filters:
    """What must hold; of several values of one filter, one. Texts are globs: ``*`` and ``?``."""

    outcomes: Sequence[str] = ()
    policies: Sequence[str] = ()
    namespaces: Sequence[str] = ()
    environments: Sequence[str] = ()
    teams: Sequence[str] = ()
    owners: Sequence[str] = ()
    subjects: Sequence[str] = ()
    revisions: Sequence[str] = ()
    waivers: Sequence[str] = ()
    stages: Sequence[str] = ()
    paths: Sequence[str] = ()
    requesters: Sequence[str] = ()
    waived: bool = False
    breakglass: bool = False
    passed: bool = False  # could pass: not what was only looked at


@dataclass(frozen=True, slots=True)
class Query:
    """A SELECT and its parameters."""

    sql: str
    parameters: Sequence[Any]


def built(
    filters: Filters, columns: Sequence[str], *, order: str = "-time", limit: int | None = None
) -> Query:
    """``order`` is a column, with a - before it for the largest first. Raises LogError."""
    for name in columns:
        _known(name)
    holds, parameters = condition(filters)
    wanted = ", ".join(f'"{name}"' for name in columns)
    name = order.removeprefix("-")
    _known(name)
    down = " DESC" if order.startswith("-") else ""
    ordered = f'ORDER BY "{name}"{down}, shard{down}, "index"{down}'
    if limit is not None:
        ordered += f" LIMIT {int(limit)}"
    if "event" not in columns or limit is None:
        return Query(f"SELECT {wanted} FROM decisions WHERE {holds} {ordered}", parameters)
    # The keys first: an event is ten times as large as the rest, and is read for the rows that are shown alone.
    return Query(
        f'WITH keys AS MATERIALIZED (SELECT shard, "index", time FROM decisions WHERE {holds} {ordered}) '
        f"SELECT {wanted} FROM decisions WHERE {holds} "
        "AND time >= (SELECT min(time) FROM keys) AND time <= (SELECT max(time) FROM keys) "
        f'AND (shard, "index") IN (SELECT (shard, "index") FROM keys) {ordered}',
        [*parameters, *parameters],
    )


def ask(session: Session, query: Query) -> Answer:
    return session.ask(query.sql, query.parameters)


def events(session: Session, keys: Sequence[tuple[str, int]]) -> dict[tuple[str, int], str]:
    """The events of these decisions, by shard and index, and no others: an event is large. Raises LogError."""
    rows = session.all(
        'SELECT shard, "index", event FROM decisions '
        'WHERE (shard, "index") IN (SELECT (unnest($1::VARCHAR[]), unnest($2::BIGINT[])))',
        [[shard for shard, _ in keys], [index for _, index in keys]],
    )
    return {(shard, index): event for shard, index, event in rows}


def _known(name: str) -> None:
    if name not in ASKED:
        raise LogError(f"there is no column {name!r}: there are {', '.join(ASKED)}")


def condition(filters: Filters) -> tuple[str, list[Any]]:
    """What the filters ask for, as SQL and its parameters. Raises LogError."""
    parts: list[str] = []
    parameters: list[Any] = []
    unknown = [word for word in filters.outcomes if word not in OUTCOMES]
    if unknown:
        raise LogError(f"--decision {unknown[0]}: unknown; it is one of {', '.join(OUTCOMES)}")
    if filters.outcomes:
        parts.append(_any("outcome", filters.outcomes, parameters))
    violated = "denied_by" if tuple(filters.outcomes) == ("deny",) else "policies"
    for column, wanted in (
        ("namespace", filters.namespaces),
        ("environment", filters.environments),
        ("team", filters.teams),
        ("owner", filters.owners),
        ("path", filters.paths),
        ("requested_by", filters.requesters),
    ):
        if wanted:
            parts.append(_any(column, wanted, parameters))
    if filters.subjects:
        uri = _any("subject", filters.subjects, parameters)
        parts.append(f"({uri} OR {_any('name', filters.subjects, parameters)})")
    for values, wanted in (
        (violated, filters.policies),
        ("waivers", filters.waivers),
        ("stages", filters.stages),
        ("map_values(bundles)", filters.revisions),
    ):
        if wanted:
            inside = _any("x", wanted, parameters)
            parts.append(f"len(list_filter({values}, lambda x: {inside})) > 0")
    if filters.waived:
        parts.append("len(waivers) > 0")
    if filters.breakglass:
        parts.append("len(breakglass) > 0")
    if filters.passed:
        parts.append(f"allow AND coalesce(path, '') <> '{AUDIT}'")
    return " AND ".join(parts) or "true", parameters


def _any(column: str, wanted: Sequence[str], parameters: list[Any]) -> str:
    """That a column is one of these."""
    parts = []
    for text in wanted:
        if "*" in text or "?" in text:
            parts.append(f"{column} LIKE ? ESCAPE '\\'")
            parameters.append(_like(text))
        else:
            parts.append(f"{column} = ?")
            parameters.append(text)
    return f"({' OR '.join(parts)})" if len(parts) > 1 else parts[0]


def _like(glob: str) -> str:
    out = glob.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return out.replace("*", "%").replace("?", "_")
