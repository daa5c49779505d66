"""German credit and COMPAS as they were published: what their documentation says of them is what is found."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from data_releases import released
from public_data import public_data

from solon.evidence.data.collect import collect
from solon.evidence.data.drift import collect as drift
from solon.evidence.data.result import Column, Data, Detection, Drift
from solon.evidence.release import DataPart, DriftPart

# german.doc of the Statlog project: 1,000 applicants, 7 numbers, 13 codes, none missing.
GERMAN = """\
- {name: checking_status, type: text, category: financial, values: [A11, A12, A13, A14]}
- {name: duration, type: integer, category: none, minimum: 4, maximum: 72}
- {name: credit_history, type: text, category: financial, values: [A30, A31, A32, A33, A34]}
- {name: purpose, type: text, category: none, pattern: "A4([0-689]|10)"}
- {name: amount, type: integer, category: none, minimum: 250, maximum: 18424}
- {name: savings, type: text, category: financial, pattern: "A6[1-5]"}
- {name: employment_since, type: text, category: personal, pattern: "A7[1-5]"}
- {name: installment_rate, type: integer, category: none, minimum: 1, maximum: 4}
- {name: status_sex, type: text, category: protected, values: [A91, A92, A93, A94]}
- {name: other_debtors, type: text, category: none, values: [A101, A102, A103]}
- {name: residence_since, type: integer, category: personal, minimum: 1, maximum: 4}
- {name: property, type: text, category: financial, pattern: "A12[1-4]"}
- {name: age, type: integer, category: protected, minimum: 19, maximum: 75}
- {name: other_plans, type: text, category: none, values: [A141, A142, A143]}
- {name: housing, type: text, category: personal, values: [A151, A152, A153]}
- {name: existing_credits, type: integer, category: none, minimum: 1, maximum: 4}
- {name: job, type: text, category: personal, pattern: "A17[1-4]"}
- {name: dependents, type: integer, category: personal, values: [1, 2]}
- {name: telephone, type: text, category: none, values: [A191, A192]}
- {name: foreign_worker, type: text, category: protected, values: [A201, A202]}
- {name: credit, type: integer, category: none, values: [1, 2]}
"""


def of(tmp_path: Path, table: Path, columns: str) -> Data:
    given = released(
        tmp_path, {"t.csv": table.read_bytes(), "columns.yaml": columns}, DataPart("t.csv", "columns.yaml")
    )
    collected = collect(given)
    assert collected is not None
    assert isinstance(collected.result, Data)
    return collected.result


def cells(table: Path, column: str) -> list[str]:
    with open(table, newline="") as file:
        return [row[column] for row in csv.DictReader(file)]


def test_german_credit_is_as_its_documentation_says(tmp_path: Path) -> None:
    found = of(tmp_path, public_data().german, GERMAN)
    assert (found.rows, found.looked_at, len(found.columns), found.absent) == (1000, 1000, 21, [])
    wrong = {
        name: column
        for name, column in found.columns.items()
        if column.problems or column.detected or column.missing
    }
    assert wrong == {}
    assert not [name for name, column in found.columns.items() if not column.declared]
    # A191 and A192 say whether there is one, and are no numbers; the name says so much and no more.
    assert found.columns["telephone"] == Column("text", 1000, 0, True, "none", "personal")
    assert {name for name, column in found.columns.items() if column.suspected == "protected"} == {
        "age", "status_sex", "foreign_worker"
    }  # fmt: skip


def test_a_narrower_dictionary_is_broken_in_the_rows_that_it_leaves_out(tmp_path: Path) -> None:
    german = public_data().german
    narrower = (
        GERMAN.replace("minimum: 250,", "minimum: 1000,")
        .replace("[0-689]", "[0-689]{1}")
        .replace("A34]", "A33]")
    )
    narrower = narrower.replace("category: financial, values: [A30", "category: none, values: [A30").replace(
        "|10)", ")"
    )
    found = of(tmp_path, german, narrower)
    amounts = [int(cell) for cell in cells(german, "amount")]
    small = [row for row, amount in enumerate(amounts, start=1) if amount < 1000]
    assert found.columns["amount"].problems == [
        f"below 1000 in {len(small)} of 1,000 rows, such as '{amounts[small[0] - 1]}' in row {small[0]}"
    ]
    purposes = cells(german, "purpose")
    assert found.columns["purpose"].problems == [
        f"no match of A4([0-689]{{1}}) in {purposes.count('A410')} of 1,000 rows, such as 'A410' in row {purposes.index('A410') + 1}"
    ]
    histories = cells(german, "credit_history")
    assert found.columns["credit_history"].problems == [
        f"not an allowed value in {histories.count('A34')} of 1,000 rows, such as 'A34' in row {histories.index('A34') + 1}"
    ]


def test_compas_holds_names_birthdays_and_criminal_records(tmp_path: Path) -> None:
    compas = public_data().compas
    found = of(tmp_path, compas, "- {name: race, type: text, category: ethnicity}\n")
    assert found.rows == found.looked_at == 7214
    assert found.columns["dob"].detected == [Detection("birth_date", 7214, 7214)]
    assert {name: column.detected for name, column in found.columns.items() if column.detected}.keys() == {
        "dob"
    }
    suspected = {name: column.suspected for name, column in found.columns.items()}
    assert suspected["name"] == "personal"
    assert suspected["sex"] == suspected["age"] == suspected["dob"] == "protected"
    assert suspected["race"] == "ethnicity"
    assert suspected["priors_count"] == suspected["two_year_recid"] == suspected["c_jail_in"] == "criminal"
    assert suspected["decile_score"] == suspected["start"] == suspected["event"] == ""
    for name in ("days_b_screening_arrest", "c_charge_desc", "violent_recid", "sex"):
        assert found.columns[name].missing == cells(compas, name).count("")
    assert found.columns["violent_recid"].type == "empty"


@pytest.mark.parametrize("column", ["duration", "amount", "age"])
def test_the_index_of_german_credit_by_numpy(tmp_path: Path, column: str) -> None:
    """The oldest 300 applicants beside the others."""
    with open(public_data().german, newline="") as file:
        header, *rows = list(csv.reader(file))
    rows.sort(key=lambda row: int(row[header.index("age")]))
    text = ["\n".join(",".join(row) for row in [header, *part]) + "\n" for part in (rows[:700], rows[700:])]
    part = DriftPart("train.csv", "serve.csv", [column])
    collected = drift(released(tmp_path, {"train.csv": text[0], "serve.csv": text[1]}, drift=part))
    assert collected is not None
    assert isinstance(collected.result, Drift)
    training, serving = (
        np.array([float(row[header.index(column)]) for row in part]) for part in (rows[:700], rows[700:])
    )
    deciles = np.quantile(training, np.arange(1, 10) / 10, method="inverted_cdf").tolist()
    # a value on which two deciles fall has a bin of its own
    ends = sorted({-np.inf, *deciles, *(each + 0.5 for each in deciles if deciles.count(each) > 1), np.inf})
    t, s = (np.maximum(np.histogram(side, ends)[0] / len(side), 1e-6) for side in (training, serving))
    assert collected.result.columns[column].psi == pytest.approx(((s - t) * np.log(s / t)).sum())
