"""The evidence about a training table: what is declared, what is found, and what is never shown."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from data_releases import released

from solon.evidence import digests
from solon.evidence.collector import CannotCollect
from solon.evidence.data import collect as quality
from solon.evidence.data.collect import collect
from solon.evidence.data.result import Column, Data, Detection
from solon.evidence.release import DataPart

DATA = DataPart(training="train.csv", columns="columns.yaml")
COLUMNS = """\
- name: age
  type: integer
  category: protected
  minimum: 18
- name: purpose
  type: text
  category: none
  values: [car, tv]
- name: note
  type: text
  category: free_text
  missing: 0.5
- name: income
  type: number
"""
TABLE = """\
age,purpose,note,religion
44,car,paid on time,none
17,boat,write to jo@firm.de,none
51,tv,,none
"""


def found(
    tmp_path: Path, table: str | bytes, columns: str = COLUMNS, data: DataPart = DATA, **files: str
) -> Data:
    given = released(tmp_path, {data.training: table, "columns.yaml": columns, **files}, data)
    collected = collect(given)
    assert collected is not None
    assert isinstance(collected.result, Data)
    return collected.result


def test_a_table_beside_its_dictionary(tmp_path: Path) -> None:
    assert found(tmp_path, TABLE) == Data(
        rows=3,
        columns={
            "age": Column(
                "integer", 3, 0, True, "protected", "protected",
                ["below 18 in 1 of 3 rows, first in row 2 (not shown: the column is protected)"],
            ),
            "purpose": Column(
                "text", 3, 0, True, "none", "", ["not an allowed value in 1 of 3 rows, such as 'boat' in row 2"]
            ),
            "note": Column("text", 3, 1, True, "free_text", "", [], [Detection("email", 1, 3)]),
            "religion": Column("text", 3, 0, False, "", "religion"),
        },
        absent=["income"],
        steps_declared=[],
        looked_at=3,
        steps_unknown="no record of the pipeline: release.yaml names none under `data.recorded`",
    )  # fmt: skip


def test_what_was_measured_is_said_with_its_digest(tmp_path: Path) -> None:
    data = DataPart("train.csv", "columns.yaml", recorded="steps.yaml")
    given = released(tmp_path, {"train.csv": TABLE, "columns.yaml": COLUMNS, "steps.yaml": "[]"}, data)
    collected = collect(given)
    assert collected is not None
    assert [(each.what, each.path, each.digest) for each in collected.measured] == [
        ("training", "train.csv", digests.of_bytes(TABLE.encode())),
        ("columns", "columns.yaml", digests.of_bytes(COLUMNS.encode())),
        ("steps", "steps.yaml", digests.of_bytes(b"[]")),
    ]


def test_nothing_declared_is_no_evidence(tmp_path: Path) -> None:
    assert collect(released(tmp_path, {})) is None


@pytest.mark.parametrize(
    "column, cells, category",
    [
        ("age", ["44", "seventeen"], "protected"),
        ("x", ["44", "seventeen"], "health"),
        ("religion", ["44", "catholic"], "none"),  # whatever the dictionary says: the name says otherwise
        ("x", ["44", "jo@firm.de"], "none"),
        ("x", ["12", "call 212-555-0123", "44"], "none"),
        ("x", ["jo@firm.de", "secret sauce"], "none"),  # not itself, and in a column that holds some
    ],
)
def test_no_personal_value_is_shown(tmp_path: Path, column: str, cells: list[str], category: str) -> None:
    columns = f"- name: {column}\n  type: integer\n  category: {category}\n"
    result = found(tmp_path, "\n".join([column, *cells]) + "\n", columns)
    written = msgspec.json.encode(result).decode()
    assert "no integer in" in written
    assert "not shown" in written
    for cell in cells:
        assert cell not in written or cell.isdigit()


def test_an_example_beyond_the_sample_is_looked_at_itself(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(quality, "CELLS", 1)
    columns = "- name: x\n  type: text\n  values: [a]\n"
    result = found(tmp_path, "x\n" + "a\n" * 50 + "jo@firm.de\n" + "a\n" * 50, columns)
    assert result.looked_at <= 2
    assert result.columns["x"].detected == []
    assert result.columns["x"].problems == [
        "not an allowed value in 1 of 101 rows, first in row 51 (not shown: it may be personal)"
    ]


def test_examples_are_cut_and_have_no_control_characters(tmp_path: Path) -> None:
    result = found(tmp_path, 'x\n"\x1b[31m' + "y" * 500 + '"\n', "- name: x\n  type: integer\n")
    assert result.columns["x"].problems == [
        "no integer in 1 of 1 rows, such as '\\x1b[31m" + "y" * 34 + "…' in row 1"
    ]


def test_how_many_rows_were_looked_at_is_said(tmp_path: Path, monkeypatch) -> None:
    """No detection in a sample is not none."""
    monkeypatch.setattr(quality, "CELLS", 400)
    table = "x,y\n" + "".join(f"{number},a@firm.de\n" for number in range(1000))
    result = found(tmp_path, table, "- name: x\n  type: integer\n")
    assert result.rows == 1000
    assert 199 <= result.looked_at <= 201
    assert result.columns["y"].detected == [Detection("email", result.looked_at, result.looked_at)]


def test_long_texts_are_searched_in_fewer_rows_and_in_their_beginning(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(quality, "CHARACTERS", 20_000)
    monkeypatch.setattr(quality, "LONGEST", 1000)
    long = "a@firm.de " + "x" * 5000 + " 212-555-0123"
    table = "x,y\n" + "".join(f"{number},{long}\n" for number in range(100))
    result = found(tmp_path, table, "- name: x\n  type: integer\n")
    looked_at = result.looked_at
    assert 9 <= looked_at <= 11
    assert result.columns["y"].detected == [Detection("email", looked_at, looked_at)]
    assert result.columns["y"].cut == looked_at


def test_binary_data_is_said_to_be_unsearched(tmp_path: Path) -> None:
    pq.write_table(pa.table({"photo": pa.array([b"jo@firm.de"] * 3), "x": [1, 2, 3]}), tmp_path / "t.parquet")
    data = DataPart("t.parquet", "columns.yaml")
    result = found(tmp_path, (tmp_path / "t.parquet").read_bytes(), "- name: x\n  type: integer\n", data)
    assert result.columns["photo"].unsearched == "binary data"
    assert result.columns["photo"].detected == []
    assert result.looked_at == 3


def test_a_table_without_rows(tmp_path: Path) -> None:
    result = found(tmp_path, "age,purpose,note,income\n")
    assert (result.rows, result.looked_at, result.absent) == (0, 0, [])
    assert [column.problems for column in result.columns.values()] == [[], [], [], []]


@pytest.mark.parametrize(
    "files, problem",
    [
        ({"columns.yaml": COLUMNS}, "train.csv: no such file in the release"),
        ({"train.csv": TABLE}, "columns.yaml: no such file in the release"),
        ({"train.csv": TABLE, "columns.yaml": "- name: age\n"}, "columns.yaml:1:3: type is missing"),
        ({"train.csv": "", "columns.yaml": COLUMNS}, "train.csv: is empty"),
        ({"train.csv": "a,a\n1,2\n", "columns.yaml": COLUMNS}, "train.csv:1: two columns are named 'a'"),
        ({"train.csv": "a,b\n1\n", "columns.yaml": COLUMNS}, "train.csv:2: 1 fields where the header has 2"),
        ({"train.csv": b"a,b\n1,\xff\n", "columns.yaml": COLUMNS}, "train.csv:2: not UTF-8"),
        ({"train.csv": b"a,b\n1,\0\n", "columns.yaml": COLUMNS}, "train.csv:2: holds a NUL byte"),
    ],
)
def test_what_cannot_be_collected(tmp_path: Path, files: dict[str, str], problem: str) -> None:
    with pytest.raises(CannotCollect) as raised:
        collect(released(tmp_path, files, DATA))
    assert str(raised.value).startswith(problem)


def test_a_table_that_is_too_large_is_refused_unread(tmp_path: Path, monkeypatch) -> None:
    """No digest is made of ten empty gigabytes, either."""
    given = released(tmp_path, {"train.csv": TABLE, "columns.yaml": COLUMNS}, DATA)
    with open(tmp_path / "train.csv", "ab") as file:
        file.truncate(10 << 30)
    monkeypatch.setattr(digests, "of_file", lambda path: pytest.fail(f"read {path}"))
    with pytest.raises(CannotCollect, match=r"^train\.csv: larger than 2 GiB; take a sample of its rows$"):
        collect(given)


DIGEST = digests.of_bytes(TABLE.encode())


@pytest.mark.parametrize(
    "record, steps, unknown",
    [
        ("- name: drop names\n- name: impute income\n", ["drop names", "impute income"], ""),
        (
            f"- name: a\n  digest: sha256:00\n- name: b\n  digest: {DIGEST}\n  at: 2026-01-01T00:00:00Z\n",
            ["a", "b"],
            "",
        ),
        (
            f"- name: a\n  digest: {DIGEST}\n- name: b\n",  # what b did is not in this table
            None,
            "steps.yaml gives digests, and none for its last step, b",
        ),
        ("[]", [], ""),
        ("", [], ""),
        (
            f"- name: a\n  digest: {DIGEST}\n- name: b\n  digest: sha256:00\n",
            None,
            "steps.yaml records how a table with the digest sha256:00 was made, and train.csv has another",
        ),
    ],
)
def test_preparations_that_the_pipeline_wrote_down(tmp_path: Path, record: str, steps, unknown: str) -> None:
    """A record of how another table was made tells nothing of this one."""
    data = DataPart("train.csv", "columns.yaml", ["drop names"], "steps.yaml")
    result = found(tmp_path, TABLE, data=data, **{"steps.yaml": record})
    assert (result.steps_declared, result.steps_recorded, result.steps_unknown) == (
        ["drop names"],
        steps,
        unknown,
    )


def test_what_is_declared_is_not_taken_for_recorded(tmp_path: Path) -> None:
    result = found(tmp_path, TABLE, data=DataPart("train.csv", "columns.yaml", ["drop names"]))
    assert result.steps_recorded is None
    assert "steps_recorded" not in msgspec.to_builtins(result)


@pytest.mark.parametrize(
    "record, problem",
    [
        ("- drop names\n", "steps.yaml:1:3: a step must hold keys, and is 'drop names'"),
        ("- step: a\n", "steps.yaml:1:3: unknown key step: known are name, at, digest"),
        ("steps:\n- name: a\n", "steps.yaml:1:1: unknown key steps: known are name, at, digest"),
        ("- name: [\n", "steps.yaml:"),
    ],
)
def test_a_record_that_cannot_be_read(tmp_path: Path, record: str, problem: str) -> None:
    data = DataPart("train.csv", "columns.yaml", recorded="steps.yaml")
    with pytest.raises(CannotCollect) as raised:
        found(tmp_path, TABLE, data=data, **{"steps.yaml": record})
    assert str(raised.value).startswith(problem)
