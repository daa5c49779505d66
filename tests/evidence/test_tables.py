"""Tables as evidence reads them: strict about what a row is, and lenient only in how a value is written."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solon.evidence import tables
from solon.evidence.collector import CannotCollect


def read(tmp_path: Path, content: bytes, name: str = "held-out.csv") -> tables.Table:
    path = tmp_path / name
    path.write_bytes(content)
    return tables.read(str(path), name)


@pytest.mark.parametrize(
    "content, columns, first",
    [
        (b"a,b\n1,x\n2,y\n", ("a", "b"), ["1", "2"]),
        (b"a;b\n1;x\n2;y\n", ("a", "b"), ["1", "2"]),
        (b"a\tb\n1\tx\n", ("a", "b"), ["1"]),
        (b"a|b\n1|x\n", ("a", "b"), ["1"]),
        (b"\xef\xbb\xbfa,b\n1,2\n", ("a", "b"), ["1"]),
        (b"a,b\r\n1,2\r\n", ("a", "b"), ["1"]),
        (b'"a,1";b\n"x;y";2\n', ("a,1", "b"), ["x;y"]),
        (b'a,b\n"one\ntwo",2\n"say ""hi""",3\n', ("a", "b"), ["one\ntwo", 'say "hi"']),
        (b"label\n1\n\n0\n", ("label",), ["1", None, "0"]),
        (b"A,a\n1,2\n", ("A", "a"), ["1"]),
        (b"a, b\n1, >50K\n", ("a", "b"), ["1"]),
        (b"1,2\n3,4\n", ("1", "2"), ["3"]),
        (b"a,b\n", ("a", "b"), []),
        (b"a,b\n1,2", ("a", "b"), ["1"]),
        ("é,ß\nü,1\n".encode(), ("é", "ß"), ["ü"]),
    ],
)
def test_csv_as_people_write_it(
    tmp_path: Path, content: bytes, columns: tuple[str, ...], first: list[str | None]
) -> None:
    table = read(tmp_path, content)
    assert table.columns == columns
    assert table.texts(columns[0]).tolist() == first
    assert table.rows == len(first)


@pytest.mark.parametrize(
    "content, problem",
    [
        (b"", "held-out.csv: is empty"),
        (b"\n1,2\n", "held-out.csv:1: no header"),
        (b"a,a\n1,2\n", "held-out.csv:1: two columns are named 'a'"),
        (b"a,\n1,2\n", "held-out.csv:1: column 2 has no name"),
        (b"a,b\n1,2\n3\n4,5\n", "held-out.csv:3: 1 fields where the header has 2"),
        (b"a,b\n1,2\n3,4,5\n", "held-out.csv:3: 3 fields where the header has 2"),
        (b"a,b\n" + b"1,2\n" * 100_000 + b"1\n", "held-out.csv:100002: 1 fields where the header has 2"),
        (b'a,b\n"x,1\n2,3\n', "held-out.csv:2: a quote that does not end"),
        (b"a,b\n1,2\nx\0y,2\n", "held-out.csv:3: holds a NUL byte"),
        ("a,b\n1,2\n".encode("utf-16"), "held-out.csv:1: holds a NUL byte"),
        (b"a,b\n\xe9,1\n", "held-out.csv:2: not UTF-8"),
        (b"\xe9,b\n1,1\n", "held-out.csv:1: not UTF-8"),
        (b"x" * (2 << 20), "held-out.csv:1: a header longer than 1 MiB"),
        (b",".join(b"c%d" % number for number in range(6_000)) + b"\n", "6000 columns, more than 5,000"),
        (b"a,b\r\n1,2\n3,4\n", "are its lines ended in two ways?"),
        (b"a,b\n" + b"x" * (20 << 20) + b",1\n", "a line longer than 16 MiB"),
        (b"PAR1 and no more of it", "Parquet that was cut off"),
    ],
)
def test_what_is_no_table_is_said_in_one_line(tmp_path: Path, content: bytes, problem: str) -> None:
    with pytest.raises(CannotCollect) as error:
        read(tmp_path, content)
    assert problem in str(error.value)
    assert "\n" not in str(error.value)


def test_a_directory_a_missing_file_and_a_pattern(tmp_path: Path) -> None:
    with pytest.raises(CannotCollect, match="is a directory"):
        tables.read(str(tmp_path))
    with pytest.raises(CannotCollect, match="no such file"):
        tables.read(str(tmp_path / "gone.csv"), "gone.csv")
    (tmp_path / "a.csv").write_bytes(b"a\n1\n")
    with pytest.raises(CannotCollect, match="cannot be read; rename"):
        tables.read(str(tmp_path / "*.csv"))


def test_an_unknown_column_names_those_there_are(tmp_path: Path) -> None:
    table = read(tmp_path, b"age,sex\n1,f\n")
    assert "age" in table
    assert "race" not in table
    with pytest.raises(CannotCollect, match=r"held-out\.csv: has no column 'race'; it has age, sex"):
        table.need(["age", "race"])


def test_an_unknown_column_names_the_one_most_like_it_and_of_many_the_last(tmp_path: Path) -> None:
    header = ",".join([*(f"f{number}" for number in range(20)), "sex", "target"])
    table = read(tmp_path, header.encode() + b"\n" + b",".join([b"1"] * 22) + b"\n")
    said = (
        r"no column 'sexx'; it has f0, f1, f2, f3, f4, f5, …, f16, f17, f18, f19, sex, target: is it 'sex'\?$"
    )
    with pytest.raises(CannotCollect, match=said):
        table.need(["sexx"])


def test_nothing_but_the_file_can_be_reached(tmp_path: Path) -> None:
    import duckdb

    other = tmp_path / "other.csv"
    other.write_bytes(b"secret\n1\n")
    table = read(tmp_path, b"a\n1\n")
    for statement in (
        f"SELECT * FROM read_csv('{other}')",
        f"COPY cells TO '{tmp_path / 'out.csv'}'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "SET memory_limit = '1TB'",
    ):
        with pytest.raises(duckdb.Error):
            table._database.execute(statement)


def test_too_many_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MAX_ROWS", 3)
    assert read(tmp_path, b"a\n1\n2\n3\n").rows == 3
    with pytest.raises(CannotCollect, match="more than 3 rows; take a sample"):
        read(tmp_path, b"a\n1\n2\n3\n4\n")


def test_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MAX_BYTES", 3)
    with pytest.raises(CannotCollect, match="take a sample"):
        read(tmp_path, b"a\n1\n2\n")


def test_more_than_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MEMORY", "40MiB")
    path = tmp_path / "large.parquet"
    cells = np.random.default_rng(0).bytes(60 << 20)
    pq.write_table(pa.table({"a": [cells[at : at + 4096].hex() for at in range(0, len(cells), 4096)]}), path)
    with pytest.raises(CannotCollect, match=r"large.parquet: does not fit in 40MiB of memory"):
        tables.read(str(path), "large.parquet")


def test_a_small_file_with_much_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MAX_TEXT", 1 << 20)
    path = tmp_path / "bomb.parquet"
    cells = pa.DictionaryArray.from_arrays(pa.array([0] * 20_000, pa.int32()), pa.array(["x" * 5_000]))
    pq.write_table(pa.table({"a": cells}), path)
    assert path.stat().st_size < 100_000
    with pytest.raises(CannotCollect, match="`a` holds more than 1 MiB of text"):
        tables.read(str(path), "bomb.parquet").texts("a")


def test_numbers_say_which_are_missing_and_which_are_none(tmp_path: Path) -> None:
    table = read(tmp_path, b"n\n1\n2.5\n-3e2\n 4 \n\nNA\nnan\nNULL\ntrue\nFalse\n?\ntwelve\ninf\n")
    found = table.numbers("n")
    absent = [False, False, False, False, True, True, True, True, False, False, False, False, False]
    assert found.missing.tolist() == absent
    assert found.wrong.tolist() == [False] * 10 + [True, True, False]
    kept = found.values[~(found.missing | found.wrong)]
    assert kept.tolist() == [1.0, 2.5, -300.0, 4.0, 1.0, 0.0, float("inf")]
    assert np.isnan(found.values[found.missing | found.wrong]).all()


@pytest.mark.parametrize(
    "cells, problem",
    [
        ("1\nx\n2\ny", "`n` is not a number in 2 of 4 rows, first in row 2"),
        ("1\n2\n\n4", "`n` is missing in 1 of 4 rows, first in row 3"),
        ("1\n2\n3\nNaN", "`n` is missing in 1 of 4 rows, first in row 4"),
        ("-inf\n2\n3\n4", "`n` is infinite in 1 of 4 rows, first in row 1"),
    ],
)
def test_measurements_are_all_there(tmp_path: Path, cells: str, problem: str) -> None:
    with pytest.raises(CannotCollect) as error:
        read(tmp_path, f"n\n{cells}\n".encode()).measurements("n")
    assert str(error.value) == f"held-out.csv: {problem}"


def test_parquet_has_the_same_cells_as_csv(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(
        pa.table(
            {
                "age": pa.array([40, None, 17]),
                "AGE": pa.array([True, False, None]),
                "nested": pa.array([{"x": 1, "y": [1, 2]}] * 3),
                "score": pa.array([0.5, float("nan"), 1.0]),
                "sex": pa.array(["f", "", None]).dictionary_encode(),
            }
        ),
        path,
    )
    table = tables.read(str(path), "t.parquet")
    assert table.columns == ("age", "AGE", "nested", "score", "sex")
    assert table.texts("age").tolist() == ["40", None, "17"]
    assert table.texts("AGE").tolist() == ["true", "false", None]
    assert table.texts("sex").tolist() == ["f", "", None]
    assert table.numbers("age").missing.tolist() == [False, True, False]
    assert table.numbers("score").missing.tolist() == [False, True, False]
    assert table.numbers("score").values[2] == 1.0
    assert table.type("age") == "BIGINT"


def test_parquet_with_a_name_twice(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table([[1], [2]], names=["a", "a"]), path)
    with pytest.raises(CannotCollect, match="two columns are named 'a'"):
        tables.read(str(path))


@pytest.mark.parametrize(
    "declared, cells",
    [
        (1, ["1", "1.0", " 1", "+1", "true", "True", "TRUE", "1e0"]),
        (1.0, ["1", "1.0", "true"]),
        (True, ["1", "1.0", "true", "True"]),
        (False, ["0", "0.0", "-0", "false"]),
        (">50K", [">50K", " >50K", ">50K "]),
        ("1", ["1", "1.0"]),
        (0.5, ["0.5", "0.50", "5e-1"]),
        (12345678901234567890, ["12345678901234567890"]),
        ("yes", ["yes"]),
    ],
)
def test_a_label_is_the_same_however_it_is_written(declared: object, cells: list[str]) -> None:
    assert [tables.label(cell) for cell in cells] == [tables.label(declared)] * len(cells)


@pytest.mark.parametrize(
    "declared, cell",
    [
        (1, "01"),
        (1, "10"),
        (1, "1.5"),
        (">50K", "<=50K"),
        (">50K", ">50k"),
        ("yes", "true"),
        (12345678901234567890, "12345678901234567891"),
        ("1e999", "2e999"),
    ],
)
def test_a_label_is_not_another(declared: object, cell: str) -> None:
    assert tables.label(declared) != tables.label(cell)


def test_labels_are_all_there(tmp_path: Path) -> None:
    table = read(tmp_path, b"y,z\n1.0,\n0,a\ntrue, b\n")
    assert table.labels("y").tolist() == ["1", "0", "1"]
    with pytest.raises(CannotCollect, match="`z` is missing in 1 of 3 rows, first in row 1"):
        table.labels("z")


@settings(max_examples=100)
@given(st.binary(max_size=300) | st.text("a1,;\"\n\r\t|'é\0 ", max_size=60).map(str.encode))
def test_any_bytes_are_a_table_or_an_error(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(content)
    try:
        table = tables.read(str(path), "any.csv")
    except CannotCollect:
        return
    for column in table.columns:
        assert len(table.texts(column)) == len(table.numbers(column).values) == table.rows


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(
            st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12),
            st.floats(allow_nan=False, allow_infinity=False),
        ),
        max_size=20,
    )
)
def test_what_python_writes_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, float]]
) -> None:
    import csv

    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerows([("name", "value"), *rows])
    path = tmp_path_factory.getbasetemp() / "written.csv"
    path.write_text(text.getvalue(), encoding="utf-8", newline="")
    table = tables.read(str(path))
    assert table.texts("name").tolist() == [name for name, _ in rows]
    assert table.numbers("value").values.tolist() == [value for _, value in rows]
