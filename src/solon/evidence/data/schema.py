"""Whether the cells of a table are what the column dictionary says: counted by DuckDB, a few columns at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from string import Template
from typing import Any, Final

from solon.evidence.data.dictionary import NUMERIC, Declared
from solon.evidence.tables import NO_NUMBER, Table

_TOGETHER: Final = 25  # columns in a query: each makes several expressions
_FIRST: Final = 1000  # rows by which the type of a column is told that nobody declared

# What a cell of a type is, in SQL; ``$t`` is the cell as a text without space around it.
_IS: Final[Mapping[str, str]] = {
    # pandas writes integers as 39.0 where others of the column are missing
    "integer": r"regexp_full_match($t, '[+-]?\d{1,300}(\.0*)?')",
    "number": r"regexp_full_match($t, '[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?') AND isfinite(TRY_CAST($t AS DOUBLE))",
    "boolean": "lower($t) IN ('true', 'false', '1', '0', 'yes', 'no')",
    "date": r"regexp_full_match($t, '\d{4}-\d{2}-\d{2}') AND TRY_CAST($t AS DATE) IS NOT NULL",
    "timestamp": r"regexp_full_match($t, '\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)? ?(Z|[+-]\d{2}(:?\d{2})?)?')"
    " AND TRY_CAST($t AS TIMESTAMP) IS NOT NULL",
}
_CAST: Final = {
    "integer": "DOUBLE",
    "number": "DOUBLE",
    "date": "TIMESTAMP",
    "timestamp": "TIMESTAMP",
    "text": "VARCHAR",
}
_NOT: Final = {
    "integer": "no integer",
    "number": "no finite number",
    "boolean": "neither true nor false",
    "date": "no date as 2026-01-31",
    "timestamp": "no time as 2026-01-31T12:00:00Z",
}


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule of the dictionary that so many ``rows`` break, the ``first`` of them (from 1), and ``what`` their cells are."""

    what: str
    rows: int
    first: int
    value: bool = True  # that there is a value, which may be an example


@dataclass(frozen=True, slots=True)
class Examined:
    """One column: ``type`` is the declared one, or else what it looks like. ``characters`` are all of its cells'."""

    type: str
    missing: int
    characters: int
    broken: Sequence[Broken]


@dataclass(frozen=True, slots=True)
class _Rule:
    """``wrong`` is SQL, true of a cell ``$t`` that breaks it."""

    what: str
    wrong: str
    parameters: Sequence[Any] = ()


def examined(table: Table, dictionary: Mapping[str, Declared]) -> Iterator[tuple[str, Examined]]:
    """Every column of a table. Raises CannotCollect."""
    for start in range(0, len(table.columns), _TOGETHER):
        yield from _together(table, dictionary, table.columns[start : start + _TOGETHER])


def has_none(table: Table, name: str, declared: Declared | None) -> tuple[str, list[str]]:
    """SQL that is true of a row without a value in this column, and its parameters."""
    numeric = declared.type in NUMERIC if declared else table.type(name) in ("FLOAT", "DOUBLE")
    text = f"trim({table.cell(name)}::VARCHAR)"
    none = NO_NUMBER if numeric else ("",)
    said = [each.strip() for each in declared.missing_as] if declared else []
    also = f" OR {text} IN ({_marks(said)})" if said else ""
    return f"({table.cell(name)} IS NULL OR lower({text}) IN ({_marks(none)}){also})", [*none, *said]


def _together(
    table: Table, dictionary: Mapping[str, Declared], names: Sequence[str]
) -> Iterator[tuple[str, Examined]]:
    cells: list[str] = ["rowid + 1 AS r"]
    of_cells: list[Any] = []
    wrong: list[str] = ["r"]
    of_wrong: list[Any] = []
    counts: list[str] = []
    rules: list[Sequence[_Rule]] = []
    for number, name in enumerate(names):
        declared = dictionary.get(name)
        none, parameters = has_none(table, name, declared)
        cells += [f"{none} AS m{number}", f"trim({table.cell(name)}::VARCHAR) AS t{number}"]
        of_cells += parameters
        wrong += [f"m{number}", f"t{number}"]
        counts += [f"count(*) FILTER (m{number})", f"min(r) FILTER (m{number})", f"sum(length(t{number}))"]
        rules.append(list(_rules(declared)) if declared else [])
        for place, rule in enumerate(rules[-1]):
            condition = Template(rule.wrong).substitute(t=f"t{number}")
            wrong.append(f"(NOT m{number} AND ({condition})) AS w{number}_{place}")
            of_wrong += rule.parameters
            counts += [f"count(*) FILTER (w{number}_{place})", f"min(r) FILTER (w{number}_{place})"]
    (row,) = table.ask(
        f"SELECT {', '.join(counts)} FROM (SELECT {', '.join(wrong)} FROM (SELECT {', '.join(cells)} FROM cells))",
        [*of_wrong, *of_cells],
    )
    answers = iter(row)
    like = _looks_like(table, [name for name in names if name not in dictionary])
    for name, its in zip(names, rules, strict=True):
        declared = dictionary.get(name)
        missing, first, characters = next(answers), next(answers), next(answers) or 0
        broken = [Broken(rule.what, next(answers), next(answers)) for rule in its]
        if declared is None:
            yield name, Examined("empty" if missing == table.rows else like[name], missing, characters, [])
            continue
        if missing > declared.missing * table.rows:
            what = f"missing, where {declared.missing:.4g} of the rows may be,"
            broken.insert(0, Broken(what, missing, first, value=False))
        if declared.unique:
            broken.append(_repeated(table, name, declared))
        yield name, Examined(declared.type, missing, characters, [each for each in broken if each.rows])


def _rules(declared: Declared) -> Iterator[_Rule]:
    if declared.type != "text":
        yield _Rule(_NOT[declared.type], f"NOT ({_IS[declared.type]})")
    cell = f"TRY_CAST($t AS {_CAST.get(declared.type, 'VARCHAR')})"
    if values := declared.values:
        allowed = [each if declared.type in NUMERIC else str(each) for each in values]
        yield _Rule("not an allowed value", f"{cell} NOT IN ({_marks(allowed)})", allowed)
    bound = f"TRY_CAST(? AS {_CAST.get(declared.type, 'VARCHAR')})"
    if declared.minimum is not None:
        yield _Rule(f"below {declared.minimum}", f"{cell} < {bound}", [declared.minimum])
    if declared.maximum is not None:
        yield _Rule(f"above {declared.maximum}", f"{cell} > {bound}", [declared.maximum])
    if declared.pattern:
        yield _Rule(f"no match of {declared.pattern}", "NOT regexp_full_match($t, ?)", [declared.pattern])


def _looks_like(table: Table, names: Sequence[str]) -> Mapping[str, str]:
    """The types of columns that nobody declared: of texts, what their first rows could be."""
    found = {name: table.type(name).lower() for name in names}
    texts = [name for name in names if found[name] == "varchar"]
    if not texts:
        return found
    cells = ", ".join(f"trim({table.cell(name)}) AS t{number}" for number, name in enumerate(texts))
    asked = ", ".join(
        f"bool_and({Template(_IS[each]).substitute(t=f't{number}')}) FILTER (t{number} != '')"
        for number in range(len(texts))
        for each in NUMERIC
    )
    (row,) = table.ask(f"SELECT {asked} FROM (SELECT {cells} FROM cells LIMIT {_FIRST})")
    for name, integer, number in zip(texts, row[::2], row[1::2], strict=True):
        found[name] = "integer" if integer else "number" if number else "text"
    return found


def _repeated(table: Table, name: str, declared: Declared) -> Broken:
    """How many rows have a value that another row before them has."""
    none, parameters = has_none(table, name, declared)
    ((rows, first),) = table.ask(
        f"""SELECT sum(n - 1), min(second) FROM (
            SELECT count(*) AS n, list_sort(min(rowid, 2))[2] + 1 AS second FROM cells
            WHERE NOT {none} GROUP BY trim({table.cell(name)}::VARCHAR) HAVING n > 1)""",
        parameters,
    )
    return Broken("a value that another row has", rows or 0, first or 0)


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))
