"""Whether cells are what the dictionary says: what counts as missing, as a type, and as a broken rule."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from solon.evidence import tables
from solon.evidence.data.dictionary import Declared
from solon.evidence.data.schema import Broken, Examined, examined


def of(tmp_path: Path, cells: list[str | None], declared: Declared | None) -> Examined:
    """One column of a CSV file; None is nothing at all between two commas."""
    path = tmp_path / "training.csv"
    path.write_text(
        "n,x\n" + "".join(f"{number},{'' if cell is None else cell}\n" for number, cell in enumerate(cells))
    )
    return dict(examined(tables.read(str(path)), {"x": declared} if declared else {}))["x"]


@pytest.mark.parametrize(
    "declared, right, wrong",
    [
        (Declared("x", "integer"), ["0", "-7", "+12", "39.0", "39.", "007", " 5 "], ["1.5", "1e3", "1_000", "abc", "0x10", "1,5"]),
        (Declared("x", "number"), ["0", "-7.25", ".5", "1.", "1e-3", "-1E5"], ["abc", "1_000", "inf", "-Infinity", "1e999", "12 kg"]),
        (Declared("x", "boolean"), ["true", "False", "1", "0", "yes", "NO"], ["2", "maybe", "t"]),
        (Declared("x", "date"), ["2026-01-31", "1900-12-01"], ["2026-02-30", "31.01.2026", "2026-1-31", "2026-01-31T00:00:00"]),
        (Declared("x", "timestamp"), ["2026-01-31T12:00:00Z", "2026-01-31 12:00", "2026-01-31T12:00:00.5+02:00"], ["2026-01-31", "noon", "2026-01-31T25:00:00"]),
        (Declared("x", "text"), ["anything", "12"], []),
        (Declared("x", "text", values=["car", "tv", 12]), ["car", "tv", "12", " car"], ["Car", "12.0", "boat"]),
        (Declared("x", "integer", values=[1, 2]), ["1", "2.0"], ["3", "0"]),
        (Declared("x", "integer", minimum=18, maximum=75), ["18", "75"], ["17", "76"]),
        (Declared("x", "number", minimum=0.5), ["0.5"], ["0.49", "-1"]),
        (Declared("x", "date", minimum="2020-01-01", maximum="2020-12-31"), ["2020-01-01", "2020-12-31"], ["2019-12-31", "2021-01-01"]),
        (Declared("x", "text", pattern="[A-Z]{2}[0-9]+"), ["AB1"], ["AB", "xAB1", "AB1x"]),
    ],
)  # fmt: skip
def test_what_a_cell_may_be(tmp_path: Path, declared: Declared, right: list[str], wrong: list[str]) -> None:
    quoted = [f'"{cell}"' for cell in (*right, *wrong)]
    found = of(tmp_path, quoted, declared)
    assert sum(each.rows for each in found.broken) == len(wrong)
    if wrong:
        assert min(each.first for each in found.broken) == len(right) + 1
    assert found.missing == 0


@pytest.mark.parametrize(
    "type_, missing, cells, absent",
    [
        ("text", [], [None, '""', '"  "', "NA", "nan"], 3),
        ("integer", [], [None, "NA", "nan", "NULL", "None", "n/a", "?"], 6),
        ("integer", ["?", "-9"], [None, "?", "-9", " -9", "9"], 4),
        ("text", ["?", "unknown"], ["?", "unknown", "Unknown", "x"], 2),
    ],
)
def test_what_counts_as_missing(tmp_path: Path, type_, missing, cells, absent) -> None:
    assert of(tmp_path, cells, Declared("x", type_, missing=1, missing_as=missing)).missing == absent


@pytest.mark.parametrize("allowed, kept", [(0.0, False), (0.24, False), (0.25, True), (1.0, True)])
def test_a_share_may_be_missing(tmp_path: Path, allowed: float, kept: bool) -> None:
    found = of(tmp_path, ["a", None, "b", "c"], Declared("x", "text", missing=allowed))
    assert (found.broken == []) == kept
    if not kept:
        assert [(each.rows, each.first, each.value) for each in found.broken] == [(1, 2, False)]


def test_what_is_missing_breaks_no_other_rule(tmp_path: Path) -> None:
    rules = Declared("x", "integer", missing=1, minimum=5, values=[5, 6], unique=True)
    assert of(tmp_path, [None, "NA", "5"], rules).broken == []


def test_each_rule_is_told_with_its_rows_and_its_first(tmp_path: Path) -> None:
    rules = Declared("x", "integer", minimum=18, maximum=75)
    assert of(tmp_path, ["20", "abc", "17", "16", None, "90"], rules).broken == [
        Broken("missing, where 0 of the rows may be,", 1, 5, value=False),
        Broken("no integer", 1, 2),
        Broken("below 18", 2, 3),
        Broken("above 75", 1, 6),
    ]


def test_a_value_that_must_be_unique_and_is_not(tmp_path: Path) -> None:
    rules = Declared("x", "text", unique=True)
    assert of(tmp_path, ["a", "b", "a", "c", "b", "a", "d"], rules).broken == [
        Broken("a value that another row has", 3, 3)
    ]
    assert of(tmp_path, ["a", "b", "c"], rules).broken == []


@pytest.mark.parametrize(
    "cells, type_",
    [
        (["1", "2", None], "integer"),
        (["1", "2.5", "nan"], "text"),  # of an undeclared text nothing but emptiness is missing
        (["1", "2.5"], "number"),
        (["1", "x"], "text"),
        ([None, '""'], "empty"),
    ],
)
def test_an_undeclared_column_is_what_its_cells_look_like(tmp_path: Path, cells, type_: str) -> None:
    assert of(tmp_path, cells, None).type == type_


def test_parquet_is_judged_by_what_its_cells_say(tmp_path: Path) -> None:
    pq.write_table(
        pa.table(
            {
                "age": pa.array([39.0, float("nan"), None, 17.0]),
                "paid": pa.array([True, None, False, True]),
                "day": pa.array(["2026-01-01"] * 4).cast(pa.date32()),
                "photo": pa.array([b"\x00\xff"] * 4),
                "tags": pa.array([["a", "b"]] * 4),
            }
        ),
        tmp_path / "t.parquet",
    )
    found = dict(
        examined(
            tables.read(str(tmp_path / "t.parquet")),
            {
                "age": Declared("age", "integer", minimum=18, missing=0.5),
                "paid": Declared("paid", "boolean", missing=0.25),
                "day": Declared("day", "date"),
            },
        )
    )
    assert found["age"] == Examined("integer", 2, 11, [Broken("below 18", 1, 4)])
    assert found["paid"] == Examined("boolean", 1, 13, [])
    assert found["day"] == Examined("date", 0, 40, [])
    assert (found["photo"].type, found["photo"].missing) == ("blob", 0)
    assert (found["tags"].type, found["tags"].missing) == ("varchar[]", 0)


def test_columns_beyond_those_of_one_query(tmp_path: Path) -> None:
    names = [f"f{number}" for number in range(60)]
    path = tmp_path / "wide.csv"
    path.write_text(",".join(names) + "\n" + ",".join("7" for _ in names) + "\n")
    found = dict(examined(tables.read(str(path)), {"f59": Declared("f59", "integer", maximum=5)}))
    assert list(found) == names
    assert found["f59"].broken == [Broken("above 5", 1, 1)]


@pytest.mark.parametrize("name", ["a'b", 'a"b', "a;DROP TABLE cells", "c0", "rowid", "a.b", "ä x"])
def test_any_name_of_a_column_is_only_a_name(tmp_path: Path, name: str) -> None:
    quoted = name.replace('"', '""')
    path = tmp_path / "named.csv"
    path.write_text(f'"{quoted}",other\n1,2\nx,3\n')
    rules = {name: Declared(name, "integer", missing_as=["'; DROP TABLE cells; --"])}
    assert dict(examined(tables.read(str(path)), rules))[name].broken == [Broken("no integer", 1, 2)]
