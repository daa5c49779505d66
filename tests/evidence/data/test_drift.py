"""Drift between the tables that a release names: what is compared, what is unknown, and what is never shown."""

from __future__ import annotations

import csv
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from data_releases import released
from public_data import public_data

from solon.evidence.collector import CannotCollect
from solon.evidence.data.drift import collect
from solon.evidence.data.result import Drift, DriftColumn
from solon.evidence.release import DataPart, DriftPart

DRIFT = DriftPart("train.csv", "serve.csv")


def table(**columns: list) -> str:
    rows = [
        ",".join(columns),
        *(
            ",".join("" if cell is None else str(cell) for cell in row)
            for row in zip(*columns.values(), strict=True)
        ),
    ]
    return "\n".join(rows) + "\n"


def found(
    tmp_path: Path, training: str | bytes, serving: str | bytes, drift: DriftPart = DRIFT, columns: str = ""
) -> Drift:
    files = {drift.training: training, drift.serving: serving}
    data = DataPart(drift.training, "columns.yaml") if columns else None
    collected = collect(
        released(tmp_path, files | ({"columns.yaml": columns} if columns else {}), data, drift)
    )
    assert collected is not None
    assert isinstance(collected.result, Drift)
    return collected.result


def shifted(path: Path, years: int) -> str:
    """The table with everybody so many years older."""
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    return table(age=[int(row["age"]) + years for row in rows], sex=[row["sex"] for row in rows])


def test_the_halves_of_adult_are_alike_and_ten_years_are_not(tmp_path: Path) -> None:
    """The figures were worked out once with numpy's histogram and quantiles."""
    adult = public_data()
    training = shifted(adult.adult_train, 0)
    same = found(tmp_path, training, shifted(adult.adult_test, 0))
    assert same.columns["age"].psi == pytest.approx(0.0006, abs=5e-5)
    assert same.columns["age"].n_training == 32561
    assert same.columns["age"].psi < same.columns["age"].noise < 0.002
    assert same.columns["sex"].psi == pytest.approx(0.0, abs=5e-5)
    assert same.overall == pytest.approx((same.columns["age"].psi + same.columns["sex"].psi) / 2)
    older = found(tmp_path, training, shifted(adult.adult_test, 10))
    assert older.columns["age"].psi == pytest.approx(2.48, abs=5e-3)
    assert older.largest == "age"
    assert older.columns["age"].unseen == pytest.approx(
        49 / 16281
    )  # who is over 80 in the test half, and over 90 then


def test_a_column_of_numbers_and_one_of_categories(tmp_path: Path) -> None:
    training = table(x=[*range(100)] * 2, c=["a", "b"] * 100)
    serving = table(x=[*range(100)], c=["a"] * 75 + ["b"] * 25)
    result = found(tmp_path, training, serving)
    assert result.columns["x"] == DriftColumn(
        "number",
        200,
        100,
        0.0,
        pytest.approx((1 / 200 + 1 / 100) * 16.919, rel=1e-4),
        "ks",
        0.0,
        1.0,
        0.0,
        0.0,
        0.0,
    )
    # 0.25 ln(0.75/0.5) - 0.25 ln(0.25/0.5)
    assert result.columns["c"].psi == pytest.approx(0.274653)
    assert (result.columns["c"].kind, result.columns["c"].test) == ("category", "chi-square")
    assert (result.largest, result.overall) == ("c", pytest.approx(0.274653 / 2))


def test_missing_shares(tmp_path: Path) -> None:
    training = table(x=[*range(190), *["NA"] * 10], c=["a", "b", "c", None] * 50)
    serving = table(x=[*range(150), *["nan"] * 50], c=["a", "b", "c", "c"] * 50)
    result = found(tmp_path, training, serving)
    assert (result.columns["x"].missing_training, result.columns["x"].missing_serving) == (0.05, 0.25)
    assert (result.columns["c"].missing_training, result.columns["c"].missing_serving) == (0.25, 0.0)
    assert (result.columns["c"].n_training, result.columns["c"].n_serving) == (150, 200)


def test_few_numbers_are_categories_however_they_are_written(tmp_path: Path) -> None:
    pq.write_table(
        pa.table({"x": [1.0, 2.0, 3.0, 3.0] * 50, "b": [True, False] * 100}), tmp_path / "serve.parquet"
    )
    serving = (tmp_path / "serve.parquet").read_bytes()
    training = table(x=["1", "2", "3", "3"] * 50, b=["True", "False"] * 100)
    result = found(tmp_path, training, serving, DriftPart("train.csv", "serve.parquet"))
    assert [(c.kind, c.psi, c.unseen) for c in result.columns.values()] == [
        ("category", 0.0, 0.0),
        ("category", 0.0, 0.0),
    ]


@pytest.mark.parametrize(
    "training, serving, unknown",
    [
        (["a"] * 200, ["a"] * 200, "constant in training"),
        ([7] * 200, [*range(200)], "constant in training"),
        (["a", "b"] * 49, ["a", "b"] * 100, "98 values in training, and at least 100 are needed"),
        ([*range(200)], [*range(99)], "99 values in serving, and at least 100 are needed"),
        ([*range(200)], ["NA"] * 200, "0 values in serving, and at least 100 are needed"),
        ([None] * 200, [*range(200)], "0 values in training, and at least 100 are needed"),
        ([*range(200)], ["x"] * 200, "no number in serving"),
        ([f"name {n}" for n in range(200)], [f"name {n}" for n in range(200)], "200 different values in training, most of them rare"),
    ],
)  # fmt: skip
def test_what_cannot_be_told_is_unknown_and_says_why(tmp_path: Path, training, serving, unknown: str) -> None:
    result = found(
        tmp_path,
        table(x=training, y=[0, *range(len(training) - 1)]),
        table(x=serving, y=[*range(len(serving))]),
    )
    column = result.columns["x"]
    assert (column.psi, column.unknown) == (None, unknown)
    assert not {"psi", "p_value", "statistic", "noise"} & {*msgspec.to_builtins(column)}
    assert result.overall is None
    assert result.largest in ("", "y")


def test_what_is_no_number_in_serving_is_drift(tmp_path: Path) -> None:
    result = found(tmp_path, table(x=[*range(200)]), table(x=[*range(180), *["twelve"] * 10, *["inf"] * 10]))
    assert result.columns["x"].unseen == 0.1
    assert result.columns["x"].psi > 1  # 0.1 ln(0.1 / 10^-6) alone is 1.15


def test_columns_of_one_table_alone_are_absent(tmp_path: Path) -> None:
    both, one, other = [*range(200)], [*range(200)], [*range(200)]
    result = found(tmp_path, table(both=both, one=one), table(other=other, both=both))
    assert ([*result.columns], result.absent) == (["both"], ["one", "other"])


def test_columns_that_are_named_are_compared_and_no_others(tmp_path: Path) -> None:
    training, serving = table(x=[*range(200)], y=["a"] * 200), table(x=[*range(200)], y=["b"] * 200)
    result = found(tmp_path, training, serving, DriftPart("train.csv", "serve.csv", ["x", "z"]))
    assert ([*result.columns], result.absent, result.overall) == (["x"], ["z"], 0.0)


DESCRIBED = "- name: c\n  type: text\n  category: none\n"


@pytest.mark.parametrize(
    "column, unseen, columns, shown",
    [
        ("c", "z", DESCRIBED, ["z"]),
        ("c", "z" * 50, DESCRIBED, ["z" * 39 + "…"]),
        ("c", "z", "", []),  # nobody says whose it is
        ("c", "z", "- name: d\n  type: text\n", []),
        ("c", "z", "- name: c\n  type: text\n  category: personal\n", []),
        ("c", "z", "- name: c\n  type: none of these\n", []),
        ("religion", "z", "- name: religion\n  type: text\n  category: none\n", []),
        ("c", "jo@firm.de", DESCRIBED, []),
    ],
)
def test_unseen_values_are_shown_where_they_are_nobodys(
    tmp_path: Path, column, unseen, columns, shown
) -> None:
    training, serving = (
        table(**{column: ["a", "b"] * 100}),
        table(**{column: ["a", "b"] * 80 + [unseen] * 40}),
    )
    result = found(tmp_path, training, serving, columns=columns)
    assert result.columns[column].unseen == 0.2
    assert result.columns[column].unseen_values == shown


@pytest.mark.parametrize(
    "training, serving, problem",
    [
        (
            "x\n1\n",
            "x\n1\n",
            "serve.csv: the same table as train.csv; name one of what is asked in production",
        ),
        ("x\n1\n", "y\n1\n", "train.csv and serve.csv have no column in common"),
        ("x\n1\n", "", "serve.csv: is empty"),
        ("x,y\n1\n", "x\n1\n", "train.csv:2: 1 fields where the header has 2"),
    ],
)
def test_what_cannot_be_compared(tmp_path: Path, training: str, serving: str, problem: str) -> None:
    with pytest.raises(CannotCollect) as raised:
        found(tmp_path, training, serving)
    assert str(raised.value).startswith(problem)


def test_nothing_declared_is_no_evidence(tmp_path: Path) -> None:
    assert collect(released(tmp_path, {})) is None
