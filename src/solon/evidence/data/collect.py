"""Data quality: a training table beside its column dictionary, searched for personal data, and how it was prepared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from solon.evidence import tables
from solon.evidence.collector import Collected, Given, Progress
from solon.evidence.data import dictionary, names, steps
from solon.evidence.data.dictionary import SHOWN, Declared
from solon.evidence.data.result import Column, Data, Detection
from solon.evidence.data.sampling import spread
from solon.evidence.data.schema import Broken, Examined, examined, has_none
from solon.evidence.data.search import search
from solon.evidence.tables import Table

# How much is searched for personal data: cells of a table, characters of all of them, and characters of one.
CELLS: Final = 1_000_000
CHARACTERS: Final = 256 << 20
LONGEST: Final = 10_000
_EXAMPLE: Final = 40  # characters


@dataclass(frozen=True, slots=True)
class Searched:
    """What the values of a column hold, by kind; ``cut`` of the ``rows`` were searched in their beginning only."""

    rows: int
    found: Mapping[str, int]
    cut: int = 0
    unsearched: str = ""


def collect(given: Given) -> Collected | None:
    declared = given.release.data
    if declared is None:
        return None
    columns = dictionary.read(given.path(declared.columns), declared.columns)
    given.progress(f"reading {declared.training}", 0, 0)
    table = tables.read(given.path(declared.training), declared.training)
    training = given.measured("training", declared.training)  # after what is too large was refused
    measured = [training, given.measured("columns", declared.columns)]
    if declared.recorded:
        measured.append(given.measured("steps", declared.recorded))
        record = steps.recorded(given, declared.recorded, training)
    else:
        record = steps.Record(
            None, "no record of the pipeline: release.yaml names none under `data.recorded`"
        )
    found, looked_at = measure(table, columns, given.progress)
    result = Data(
        rows=table.rows,
        columns=found,
        absent=[name for name in columns if name not in table],
        steps_declared=list(declared.steps),
        looked_at=looked_at,
        steps_recorded=record.steps,
        steps_unknown=record.unknown,
    )
    return Collected(result, declared.training, measured)


def measure(
    table: Table, columns: Mapping[str, Declared], progress: Progress
) -> tuple[dict[str, Column], int]:
    """Every column of a table, and how many rows of each were searched at least. Raises CannotCollect."""
    found: dict[str, Column] = {}
    looked_at = table.rows
    for done, (name, each) in enumerate(examined(table, columns)):
        progress(f"{table.name}: {name}", done, len(table.columns))
        searched = _searched(table, name, columns.get(name), each.characters)
        if not searched.unsearched:
            looked_at = min(looked_at, searched.rows)
        found[name] = _column(table, name, columns.get(name), each, searched)
    return found, looked_at


def _searched(table: Table, name: str, declared: Declared | None, characters: int) -> Searched:
    """A sample of the column's values, searched; values that are there more than once are searched once."""
    if table.type(name) == "BLOB":
        return Searched(0, {}, unsearched="binary data")
    wanted = min(table.rows, CELLS // len(table.columns))
    longest = min(characters, LONGEST * table.rows)
    if longest > (budget := CHARACTERS // len(table.columns)):
        wanted = min(wanted, budget * table.rows // longest)
    none, parameters = has_none(table, name, declared)
    text = f"left({table.cell(name)}::VARCHAR, {LONGEST + 1})"
    found = table.ask(
        f"SELECT CASE WHEN NOT {none} THEN {text} END AS value, count(*) FROM cells "
        f"WHERE {spread(table.rows, max(wanted, 1))} GROUP BY value",
        parameters,
    )
    counts: Counter[str] = Counter()
    cut = 0
    for value, count in found:
        if value is not None:
            counts[value[:LONGEST]] += count
            cut += count if len(value) > LONGEST else 0
    return Searched(sum(count for _, count in found), search(counts, name), cut)


def _column(table: Table, name: str, declared: Declared | None, each: Examined, searched: Searched) -> Column:
    suspected = names.suspected(name)
    category = declared.category if declared else ""
    hidden = ""
    if category not in SHOWN:
        hidden = f"the column is {category}"
    elif suspected:
        hidden = f"its name says {suspected}"
    elif searched.found:
        hidden = f"the column holds {', '.join(searched.found)}"
    return Column(
        type=each.type,
        rows=table.rows,
        missing=each.missing,
        declared=declared is not None,
        category=category,
        suspected=suspected,
        problems=[_told(table, name, broken, hidden) for broken in each.broken],
        detected=[Detection(kind, rows, searched.rows) for kind, rows in searched.found.items()],
        cut=searched.cut,
        unsearched=searched.unsearched,
    )


def _told(table: Table, name: str, broken: Broken, hidden: str) -> str:
    """One line, with an example where it can be nobody's personal data."""
    line = f"{broken.what} in {broken.rows:,} of {table.rows:,} rows"
    if not broken.value:
        return f"{line}, first in row {broken.first:,}"
    if not hidden:
        ((value,),) = table.ask(
            f"SELECT left({table.cell(name)}::VARCHAR, {LONGEST}) FROM cells WHERE rowid = {broken.first - 1}"
        )
        if not search({value: 1}, name):
            shown = value if len(value) <= _EXAMPLE else value[: _EXAMPLE - 1] + "…"
            return f"{line}, such as {shown!r} in row {broken.first:,}"
        hidden = "it may be personal"
    return f"{line}, first in row {broken.first:,} (not shown: {hidden})"
