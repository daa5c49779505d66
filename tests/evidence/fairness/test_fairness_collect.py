from __future__ import annotations

import csv
import io
import subprocess
import sys

import pytest
from measured_releases import Files
from public_data import public_data

from solon.evidence.collector import CannotCollect, Operator
from solon.evidence.fairness.collect import collect

ROWS = "sex,age,label,prediction,score\nf,20,1,1,0.9\nf,30,0,0,0.1\nm,40,1,0,0.4\nm,,0,1,0.6\n,50,0,0,0.2\n"
PART = {"data": "held-out.csv", "label": "label", "attributes": ["sex"], "smallest": 1}


def collected(tmp_path, rows=ROWS, **said):
    return collect(Files(tmp_path).given({"held-out.csv": rows}, fairness=PART | said))


def problem(tmp_path, rows=ROWS, **said):
    with pytest.raises(CannotCollect) as error:
        collected(tmp_path, rows, **said)
    return str(error.value)


def table(columns):
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return out.getvalue()


def test_nothing_is_collected_where_nothing_is_declared(tmp_path):
    assert collect(Files(tmp_path).given({})) is None


def test_what_is_measured(tmp_path):
    found = collected(tmp_path, score="score")
    assert found.source == "held-out.csv"
    assert [each.what for each in found.measured] == ["data"]
    fairness = found.result
    assert (fairness.n, fairness.predictions, fairness.positive, fairness.smallest) == (5, "recorded", "1", 1)
    assert list(fairness.attributes) == ["sex"]
    assert [(g.values["sex"], g.n, g.n_positive) for g in fairness.attributes["sex"].groups] == [
        ("f", 2, 1),
        ("m", 2, 1),
        ("(missing)", 1, 0),
    ]
    assert list(fairness.attributes["sex"].disparities) == [
        "demographic_parity_difference",
        "demographic_parity_ratio",
        "equalized_odds_difference",
        "equal_opportunity_difference",
        "calibration_difference",
    ]


@pytest.mark.parametrize(
    "intersections, names",
    [
        (None, ["a", "b", "c", "a x b", "a x c", "b x c"]),
        ([], ["a", "b", "c"]),
        ([["c", "a"], ["a", "b", "c"]], ["a", "b", "c", "c x a", "a x b x c"]),
    ],
)
def test_each_pair_is_judged_together_where_nothing_is_said(tmp_path, intersections, names):
    rows = "a,b,c,label,prediction\n1,1,1,1,1\n2,2,2,0,0\n"
    said = {} if intersections is None else {"intersections": intersections}
    found = collected(tmp_path, rows, attributes=["a", "b", "c"], **said)
    assert list(found.result.attributes) == names


def test_a_number_is_cut_into_groups(tmp_path):
    found = collected(tmp_path, attributes=["age"], bins={"age": [30, 45]}).result
    assert [(g.values["age"], g.n) for g in found.attributes["age"].groups] == [
        ("<30", 1),
        ("30 to <45", 2),
        (">=45", 1),
        ("(missing)", 1),
    ]


def test_predictions_of_a_command(tmp_path):
    """They are made while measuring, and nobody could have recorded others."""
    code = "import sys; print('prediction,score'); [print('1,0.5') for row in sys.stdin.readlines()[1:]]"
    operator = Operator(predictor=[sys.executable, "-S", "-c", code])
    release = Files(tmp_path).given({"held-out.csv": ROWS}, operator, fairness=PART)
    found = collect(release).result
    assert found.predictions == "command"
    assert [group.rates["selection_rate"].value for group in found.attributes["sex"].groups] == [1, 1, 1]
    assert "calibration_error" in found.attributes["sex"].groups[0].rates


def test_a_name_is_of_one_attribute(tmp_path):
    rows = "a,b,a x b,label,prediction\n1,1,1,1,1\n2,2,2,0,0\n"
    said = {"attributes": ["a", "b", "a x b"], "intersections": [["a", "b"]]}
    assert "a x b is asked for twice" in problem(tmp_path, rows, **said)


def test_it_is_imported_without_numpy():
    """Without the extra `ml` there is a message, and no traceback."""
    code = "import sys, solon.evidence.fairness.collect; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    "said, wrong",
    [
        ({"attributes": []}, "`attributes` is empty"),
        ({"attributes": ["sex", "sex"]}, "names a column twice"),
        ({"attributes": ["label"]}, "has the label"),
        ({"attributes": ["gone"]}, "held-out.csv: has no column 'gone'; it has sex, age"),
        ({"positive": None}, "`positive` is empty"),
        ({"positive": "yes"}, "`positive: yes` is no label of `label`: 0, 1"),
        ({"smallest": 0}, "`smallest` is 0"),
        ({"bins": {"age": [30]}}, "`bins` has age, which is not one of `attributes`"),
        ({"bins": {"sex": [30]}}, "held-out.csv: `sex` is not a number in row 1"),
        ({"attributes": ["age"], "bins": {"age": [30, 20]}}, "ascending order"),
        ({"intersections": [["sex", "age"]]}, "`intersections` has age, which is not one of"),
        ({"intersections": [["sex"]]}, "name two columns or more"),
        ({"intersections": [["sex", "sex"]]}, "name two columns or more"),
    ],
)
def test_a_declaration_that_is_wrong_is_told(tmp_path, said, wrong):
    text = problem(tmp_path, **said)
    assert wrong in text
    assert "\n" not in text


@pytest.mark.parametrize(
    "rows, wrong",
    [
        # The test half of Adult ends its labels with a full stop: read as they are, nobody is predicted >50K.
        (
            "sex,label,prediction\nf,>50K,>50K.\nm,<=50K,<=50K\n",
            "no row is predicted >50K, and >50K. is no label of `label`",
        ),
        (
            "sex,label,prediction\nf,>50K,0.9\nm,<=50K,0.2\n",
            "none of the predicted labels (0.2, 0.9) is one of `label`",
        ),
        ("sex,label,prediction\nf,>50K,>50K\nm,,<=50K\n", "`label` is missing in 1 of 2 rows"),
        ("sex,label,prediction\nf,>50K,\nm,<=50K,<=50K\n", "`prediction` is missing in 1 of 2 rows"),
    ],
)
def test_rows_that_cannot_be_counted_are_no_pass(tmp_path, rows, wrong):
    assert wrong in problem(tmp_path, rows, positive=">50K")


def test_a_model_that_selects_nobody_has_no_ratio(tmp_path):
    found = collected(tmp_path, "sex,label,prediction\nf,1,0\nm,0,0\n").result.attributes["sex"].disparities
    assert found["demographic_parity_difference"].value == 0
    assert found["demographic_parity_ratio"].value is None


def rows_of(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_compas_as_propublica_published(tmp_path):
    """Larson, Mattu, Kirchner and Angwin, "How We Analyzed the COMPAS Recidivism Algorithm" (2016): 44.85 and 23.45 %."""
    rows = rows_of(public_data().compas)
    columns = {
        "race": [row["race"] for row in rows],
        "sex": [row["sex"] for row in rows],
        "label": [row["two_year_recid"] for row in rows],
        "prediction": [int(int(row["decile_score"]) >= 5) for row in rows],
    }
    found = collected(tmp_path, table(columns), attributes=["race", "sex"], smallest=30).result
    assert found.n == 7214
    race = found.attributes["race"]
    rate = {group.values["race"]: group.rates["false_positive_rate"] for group in race.groups}
    assert round(rate["African-American"].value, 4) == 0.4485
    assert round(rate["Caucasian"].value, 4) == 0.2345
    assert rate["African-American"].n == 1795
    assert rate["Asian"].unknown == "23 rows with a negative label, fewer than 30"
    odds = race.disparities["equalized_odds_difference"]
    assert odds.left_out == ["Asian", "Native American"]
    assert odds.interval.low > 0.2
    both = [
        number for number, name in enumerate(columns["race"]) if name in ("African-American", "Caucasian")
    ]
    columns = {name: [cells[number] for number in both] for name, cells in columns.items()}
    found = collected(tmp_path, table(columns), attributes=["race"], smallest=30).result
    assert round(found.attributes["race"].disparities["equalized_odds_difference"].value, 4) == 0.2139


def test_adult_as_published(tmp_path):
    """Of a logistic regression over all columns but fnlwgt, on the official split, by sex."""
    import pandas as pd
    from sklearn.compose import make_column_transformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    public = public_data()
    train, test = (
        pd.read_csv(path).drop(columns="fnlwgt") for path in (public.adult_train, public.adult_test)
    )
    numbers = list(train.select_dtypes("number").columns)
    words = [column for column in train.columns if column not in (*numbers, "income")]
    model = make_pipeline(
        make_column_transformer((StandardScaler(), numbers), (OneHotEncoder(handle_unknown="ignore"), words)),
        LogisticRegression(max_iter=300),
    ).fit(train.drop(columns="income"), train["income"])
    test["prediction"] = model.predict(test.drop(columns="income"))
    test["score"] = model.predict_proba(test.drop(columns=["income", "prediction"]))[:, 1]
    said = {
        "label": "income",
        "positive": ">50K",
        "score": "score",
        "smallest": 30,
        "bins": {"age": [25, 45, 65]},
    }
    found = collected(tmp_path, test.to_csv(index=False), attributes=["sex", "race", "age"], **said).result
    assert found.n == 16281
    sex = found.attributes["sex"].disparities
    assert round(sex["demographic_parity_difference"].value, 4) == 0.1766
    assert round(sex["demographic_parity_ratio"].value, 4) == 0.2988
    assert round(sex["equalized_odds_difference"].value, 4) == 0.0907
    assert (sex["demographic_parity_difference"].low, sex["demographic_parity_difference"].high) == (
        "Female",
        "Male",
    )
    assert sex["demographic_parity_difference"].interval.low > 0.165
    assert sex["demographic_parity_difference"].interval.high < 0.19
    both = found.attributes["sex x race"]
    assert len(both.groups) == 10
    assert "Female x Other" in both.disparities["equal_opportunity_difference"].left_out
