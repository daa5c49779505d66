"""Predictions from a file, from a command, from an ONNX model: the same rows, every one of them, or an error."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx_models
import pytest
from measured_releases import Files

from solon.evidence.collector import CannotCollect, Given, Operator
from solon.evidence.performance import predictions
from solon.evidence.performance.predictions import Predictions
from solon.evidence.release import FairnessPart, PerformancePart

DATA = "age,hours,income,prediction,score\n25,40,0,0,0.1\n52,60,1,1,0.9\n38,50,1,0,0.4\n17,10,0,0,0.0\n"
PART = {"data": "data/held-out.csv", "label": "income"}


def of(given: Given) -> Predictions:
    assert given.release.performance is not None
    kind: Any = "labels" if given.release.task == "classification" else "numbers"
    return predictions.of(given, given.release.performance, kind)


def problem(given: Given) -> str:
    with pytest.raises(CannotCollect) as error:
        of(given)
    assert "\n" not in str(error.value)
    return str(error.value)


def release(tmp_path: Path, rows: str = DATA, files: Any = None, **said: Any) -> Given:
    operator = said.pop("operator", None)
    task = said.pop("task", "classification")
    part = PART | said
    return Files(tmp_path).given(
        {"data/held-out.csv": rows, **(files or {})}, operator, performance=part, task=task
    )


def python(code: str, timeout: float = 30.0) -> Operator:
    return Operator(predictor=[sys.executable, "-S", "-c", code], timeout=timeout)


class TestRecorded:
    def test_in_the_data(self, tmp_path: Path) -> None:
        found = of(release(tmp_path, score="score", positive=1))
        assert found.y_true.tolist() == ["0", "1", "1", "0"]
        assert found.y_pred.tolist() == ["0", "1", "0", "0"]
        assert found.score is not None
        assert found.score.tolist() == [0.1, 0.9, 0.4, 0.0]
        assert (found.source, found.positive) == ("recorded", "1")
        assert [(each.what, each.path) for each in found.measured] == [("data", "data/held-out.csv")]

    def test_in_a_table_beside(self, tmp_path: Path) -> None:
        found = of(release(tmp_path, files={"p.csv": "prediction\n1.0\ntrue\n0\n0.0\n"}, predictions="p.csv"))
        assert found.y_pred.tolist() == ["1", "1", "0", "0"]
        assert [each.what for each in found.measured] == ["data", "predictions"]

    def test_of_a_fairness_part(self, tmp_path: Path) -> None:
        files = Files(tmp_path).given(
            {"d.csv": DATA}, fairness={"data": "d.csv", "label": "income", "attributes": ["age"]}
        )
        part = files.release.fairness
        assert isinstance(part, FairnessPart)
        assert predictions.of(files, part).y_pred.tolist() == ["0", "1", "0", "0"]

    @pytest.mark.parametrize(
        "said, wrong",
        [
            (
                {"prediction": "gone"},
                "held-out.csv: has no column 'gone'; it has age, hours, income, prediction, score",
            ),
            ({"prediction": "gone"}, "No predictions are recorded: name their column in `prediction`"),
            ({"label": "gone"}, "held-out.csv: has no column 'gone'"),
            ({"score": "gone"}, "held-out.csv: has no column 'gone'"),
            ({"data": "gone.csv"}, "gone.csv: no such file in the release"),
            ({"data": "../x.csv"}, "leads out of the release"),
            ({"predictions": "gone.csv"}, "gone.csv: no such file"),
            ({"prediction": "income"}, "`income` is named as the label and as what was predicted"),
            ({"positive": 2}, "`positive: 2` is no label of `income`: 0, 1"),
            (
                {"positive": "yes"},
                "`positive: yes` is no label of `income`: 0, 1. Name in `positive` the one",
            ),
        ],
    )
    def test_what_is_declared_wrong(self, tmp_path: Path, said: dict[str, Any], wrong: str) -> None:
        assert wrong in problem(release(tmp_path, **said))

    @pytest.mark.parametrize(
        "data, wrong",
        [
            ("income,prediction\n", "held-out.csv: has no rows"),
            ("income,prediction\n1,1\n0,\n1,0\n", "`prediction` is missing in 1 of 3 rows, first in row 2"),
            (
                "income,prediction\n1,nan\n0,NaN\n1,nan\n",
                "`prediction` is missing in 3 of 3 rows, first in row 1",
            ),
            ("income,prediction\n1,1\n,1\n", "`income` is missing in 1 of 2 rows, first in row 2"),
            (
                "income,prediction\n1,yes\n0,no\n",
                "none of the predicted labels (no, yes) is one of `income` (0, 1)",
            ),
        ],
    )
    def test_rows_without_an_answer(self, tmp_path: Path, data: str, wrong: str) -> None:
        assert wrong in problem(release(tmp_path, data))

    @pytest.mark.parametrize(
        "beside, wrong",
        [
            ("prediction\n1\n0\n", "p.csv: 2 rows, where data/held-out.csv has 4"),
            (
                "income,prediction\n0,0\n1,0\n0,0\n1,0\n",
                "p.csv: `income` is not that of data/held-out.csv in row 3: other rows, or in another order",
            ),
        ],
    )
    def test_other_rows(self, tmp_path: Path, beside: str, wrong: str) -> None:
        assert wrong in problem(release(tmp_path, files={"p.csv": beside}, predictions="p.csv"))

    @pytest.mark.parametrize(
        "declared",
        [
            {"data": {"training": "train.csv", "columns": "c.yaml"}},
            {"drift": {"training": "train.csv", "serving": "now.csv"}},
        ],
    )
    def test_rows_that_the_model_was_trained_on(self, tmp_path: Path, declared: dict[str, Any]) -> None:
        """A model does well on what it has seen; a copy under another name is seen through."""
        part = {"data": "held-out.csv", "label": "income"}
        files = {"held-out.csv": DATA, "train.csv": DATA}
        given = Files(tmp_path).given(files, performance=part, **declared)
        assert problem(given) == (
            "held-out.csv: is what the model was trained on (train.csv); measure on rows that were held out"
        )
        given = Files(tmp_path).given(
            {**files, "train.csv": DATA + "61,20,1,1,0.9\n"}, performance=part, **declared
        )
        assert of(given).table.rows == 4

    def test_scores_alone_are_the_predictions_of_a_ranking(self, tmp_path: Path) -> None:
        found = of(
            release(
                tmp_path, "q,grade,s\na,2,0.5\na,0,0.1\n", task="ranking", label="grade", score="s", group="q"
            )
        )
        assert found.y_true.tolist() == [2.0, 0.0]
        assert found.y_pred.tolist() == [0.5, 0.1]

    def test_a_number_that_is_infinite(self, tmp_path: Path) -> None:
        given = release(tmp_path, "y,prediction\n1,inf\n2,2\n", task="regression", label="y")
        assert "`prediction` is infinite in 1 of 2 rows" in problem(given)


ECHO = """
import csv, os, sys
assert os.environ["SOLON_PROTOCOL"] == "csv" and os.environ["SOLON_RELEASE"]
rows = list(csv.DictReader(sys.stdin))
assert list(rows[0]) == ["age", "hours"], list(rows[0])
print("prediction,score")
for row in rows:
    print(f"{int(float(row['age']) > 30)},{float(row['age']) / 100}")
"""


class TestCommand:
    def test_is_asked_rather_than_the_record(self, tmp_path: Path) -> None:
        found = of(release(tmp_path, score="score", positive=1, operator=python(ECHO)))
        assert found.y_pred.tolist() == ["0", "1", "1", "0"]
        assert found.score is not None
        assert found.score.tolist() == [0.25, 0.52, 0.38, 0.17]
        assert found.source == "command"

    def test_is_given_the_features_that_are_named(self, tmp_path: Path) -> None:
        code = "import sys; print('prediction'); [print(int(line.startswith('60'))) for line in list(sys.stdin)[1:]]"
        found = of(release(tmp_path, features=["hours", "age"], operator=python(code)))
        assert found.y_pred.tolist() == ["0", "1", "0", "0"]
        assert found.score is None

    def test_is_never_told_the_truth(self, tmp_path: Path) -> None:
        given = release(tmp_path, features=["age", "income"], operator=python(ECHO))
        assert "`features` has the label, `income`" in problem(given)

    @pytest.mark.parametrize(
        "code, wrong",
        [
            ("import sys; sys.exit(3)", "ended with status 3, and said nothing on standard error"),
            ("raise ValueError('no weights')", "ended with status 1: "),
            ("raise ValueError('no weights')", "ValueError: no weights"),
            (
                "raise ValueError('names differ:\\n- age\\n- sex\\n- hours\\n')",
                "ended with status 1: ValueError: names differ: | - age | - sex",
            ),
            ("pass", "wrote nothing; predictions are CSV with a header"),
            ("print('prediction\\n1\\n0')", "2 predictions for 4 rows"),
            ("print('answer\\n1\\n0\\n1\\n0')", "has no column 'prediction'; it has answer"),
            ("print('prediction\\n1\\n\\n1\\n0')", "`prediction` is missing in 1 of 4 rows"),
            ("print('prediction,score\\n1\\n0\\n1\\n0')", "1 fields where the header has 2"),
            ("print('prediction,score\\n1,x\\n0,1\\n1,1\\n0,1')", "`score` is not a number in 1 of 4 rows"),
            ("import sys\nwhile True: sys.stdout.write('x' * 65536)", "wrote more than 1,064,960 bytes"),
            (
                "import sys\nfor _ in range(40): sys.stderr.write('x' * 65536)\nsys.exit(1)",
                "ended with status 1: …",
            ),
            ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "ended with status -11"),
        ],
    )
    def test_that_fails(self, tmp_path: Path, code: str, wrong: str) -> None:
        assert wrong.replace("…", "") in problem(release(tmp_path, operator=python(code)))

    def test_that_does_not_end(self, tmp_path: Path) -> None:
        given = release(tmp_path, operator=python("import time; time.sleep(60)", timeout=0.5))
        assert "no predictions in 0.5 s" in problem(given)

    def test_that_is_not_there(self, tmp_path: Path) -> None:
        given = release(tmp_path, operator=Operator(predictor=["/no/such/predictor"]))
        assert problem(given) == "predictor predictor: cannot be started: no such file or directory"

    def test_no_shell_reads_its_arguments(self, tmp_path: Path) -> None:
        code = "import sys; print('prediction'); [print(int(sys.argv[1] == '$(touch x); 1')) for line in list(sys.stdin)[1:]]"
        operator = Operator(predictor=[sys.executable, "-c", code, "$(touch x); 1"])
        assert of(release(tmp_path, operator=operator)).y_pred.tolist() == ["1"] * 4


def onnx(tmp_path: Path, content: bytes, data: str = DATA, **said: Any) -> Given:
    said = {"onnx": "model/m.onnx", "features": ["age", "hours"], **said}
    return release(tmp_path, data, {"model/m.onnx": content}, **said)


def sigmoid(value: float) -> float:
    return float(1 / (1 + np.exp(-value)))


# 0.1 · age - 0.02 · hours - 2.5 for the four rows
MARGINS = [-0.8, 1.5, 0.3, -1.0]
WEIGHTS = ([0.1, -0.02], -2.5)


class TestOnnx:
    @pytest.mark.parametrize("zipmap", [False, True])
    @pytest.mark.parametrize("labels", [(0, 1), ("0", "1")])
    def test_as_sklearn_onnx_has_a_classifier(self, tmp_path: Path, labels: Any, zipmap: bool) -> None:
        found = of(onnx(tmp_path, onnx_models.logistic(*WEIGHTS, labels, zipmap), positive=1))
        assert found.source == "onnx"
        assert found.y_pred.tolist() == ["0", "1", "1", "0"]
        assert found.score == pytest.approx([sigmoid(each) for each in MARGINS], abs=1e-6)
        assert [each.what for each in found.measured] == ["data", "predictor"]

    @pytest.mark.parametrize("zipmap", [False, True])
    def test_the_score_is_that_of_the_positive_label(self, tmp_path: Path, zipmap: bool) -> None:
        """sklearn sorts its classes, other tools need not: which probability is whose is told from the labels."""
        found = of(onnx(tmp_path, onnx_models.logistic(*WEIGHTS, (1, 0), zipmap), positive=1))
        assert found.y_pred.tolist() == ["1", "0", "0", "1"]
        assert found.score == pytest.approx([sigmoid(-each) for each in MARGINS], abs=1e-6)

    def test_a_text_label(self, tmp_path: Path) -> None:
        data = DATA.replace(",0,0,", ",<=50K,x,").replace(",1,1,", ",>50K,x,").replace(",1,0,", ",>50K,x,")
        model = onnx_models.logistic(*WEIGHTS, ("<=50K", ">50K"), zipmap=True)
        found = of(onnx(tmp_path, model, data, positive=">50K"))
        assert found.y_pred.tolist() == ["<=50K", ">50K", ">50K", "<=50K"]

    def test_one_number_a_row_is_the_probability_of_the_positive_label(self, tmp_path: Path) -> None:
        found = of(onnx(tmp_path, onnx_models.linear([0.01, 0.0]), positive=1))
        assert found.y_pred.tolist() == ["0", "1", "0", "0"]
        assert found.score == pytest.approx([0.25, 0.52, 0.38, 0.17])

    def test_a_regression(self, tmp_path: Path) -> None:
        found = of(onnx(tmp_path, onnx_models.linear([1.0, 0.5], 3.0), task="regression"))
        assert found.y_pred.tolist() == [48.0, 85.0, 66.0, 25.0]

    def test_an_input_for_each_column_with_texts(self, tmp_path: Path) -> None:
        data = "sex,age,y\nf,2,5\nm,3,6\n,4,7\n"
        model = onnx_models.by_column({"age": 2.0, "sex": {"f": 10.0, "m": 20.0}}, 1.0)
        for features in (["age", "sex"], ["sex", "age"], []):
            found = of(onnx(tmp_path, model, data, label="y", task="regression", features=features))
            assert found.y_pred.tolist() == [15.0, 27.0, 9.0]

    def test_columns_by_order_where_the_model_has_other_names(self, tmp_path: Path) -> None:
        model = onnx_models.by_column({"x0": 1.0, "x1": 10.0})
        found = of(onnx(tmp_path, model, task="regression"))
        assert found.y_pred.tolist() == [425.0, 652.0, 538.0, 117.0]

    def test_one_row_at_a_time_where_it_takes_no_more(self, tmp_path: Path) -> None:
        found = of(onnx(tmp_path, onnx_models.linear([1.0, 0.0], rows=1), task="regression"))
        assert found.y_pred.tolist() == [25.0, 52.0, 38.0, 17.0]

    @pytest.mark.parametrize(
        "model, said, wrong",
        [
            (onnx_models.linear([1.0]), {}, "takes 1 columns, and `features` names 2"),
            (onnx_models.linear([1.0, 1.0]), {"features": []}, "`features` must name the columns"),
            (onnx_models.linear([1.0, 1.0], rows=7), {"task": "regression"}, "takes 7 rows at a time"),
            (onnx_models.linear([1.0, 1.0]), {"positive": 1}, "numbers outside of 0 and 1"),
            (onnx_models.linear([0.0, 0.0]), {}, "needs two labels, and `positive`"),
            (
                onnx_models.by_column({"a": 1.0, "b": 1.0}),
                {"features": ["age"]},
                "takes a, b; `features` must name",
            ),
            (onnx_models.by_column({"age": 1.0, "income": 1.0}), {"features": []}, "takes age, income"),
            (
                onnx_models.linear([1e38, 1e38]),
                {"task": "regression"},
                "gives no finite number in 4 of 4 rows",
            ),
            (onnx_models.logistic(*WEIGHTS), {"task": "regression"}, "must give one number for each row"),
            (b"not a model", {}, "model/m.onnx: ONNX Runtime cannot load it"),
            (b"", {}, "model/m.onnx: ONNX Runtime cannot load it"),
        ],
    )
    def test_that_does_not_fit(self, tmp_path: Path, model: bytes, said: dict[str, Any], wrong: str) -> None:
        assert wrong in problem(onnx(tmp_path, model, **said))

    def test_a_text_where_it_takes_a_number(self, tmp_path: Path) -> None:
        given = onnx(tmp_path, onnx_models.linear([1.0, 1.0]), DATA.replace("52,", "old,"), positive=1)
        assert "`age` is not a number in row 2, and model/m.onnx takes numbers" in problem(given)

    def test_a_probability_that_nobody_can_name(self, tmp_path: Path) -> None:
        """Its labels do not follow its probabilities, so that no column is known to be that of a label."""
        model = onnx_models.label_beside(*WEIGHTS)
        assert "export it with a map from label to probability" in problem(onnx(tmp_path, model, positive=1))
        assert of(onnx(tmp_path, model)).score is None

    def test_that_is_not_released(self, tmp_path: Path) -> None:
        given = release(tmp_path, files={"other.onnx": b"x"}, onnx="other.onnx", features=["age"])
        assert problem(given).startswith("other.onnx: is not among the released files")

    def test_that_changed_meanwhile(self, tmp_path: Path) -> None:
        given = onnx(tmp_path, onnx_models.linear([0.01, 0.0]), positive=1)
        (tmp_path / "model/m.onnx").write_bytes(onnx_models.linear([0.02, 0.0]))
        assert problem(given) == "model/m.onnx: has changed while evidence was collected"

    def test_weights_from_another_file_are_not_fetched(self, tmp_path: Path) -> None:
        from onnx import TensorProto, helper

        outside = TensorProto(
            name="w", data_type=TensorProto.FLOAT, dims=[2, 1], data_location=TensorProto.EXTERNAL
        )
        outside.external_data.add(key="location", value="../../../../etc/hostname")
        model = onnx_models.model(
            [helper.make_node("MatMul", ["X", "w"], ["y"])],
            [onnx_models.tensor("X", TensorProto.FLOAT, ["n", 2])],
            [onnx_models.tensor("y", TensorProto.FLOAT, ["n", 1])],
            [outside],
        )
        assert "cannot load it" in problem(onnx(tmp_path, model, task="regression"))

    def test_an_operator_that_onnx_runtime_has_not(self, tmp_path: Path) -> None:
        from onnx import TensorProto, helper

        model = onnx_models.model(
            [helper.make_node("Anything", ["X"], ["y"], domain="com.example")],
            [onnx_models.tensor("X", TensorProto.FLOAT, ["n", 2])],
            [onnx_models.tensor("y", TensorProto.FLOAT, ["n", 1])],
        )
        assert "cannot load it" in problem(onnx(tmp_path, model, task="regression"))

    def test_that_does_not_end(self, tmp_path: Path) -> None:
        model = onnx_models.endless()
        given = onnx(tmp_path, model, task="regression", operator=Operator(timeout=0.5))
        assert "not done in 0.5 s" in problem(given)

    def test_that_wants_more_memory_than_there_is_for_it(self, tmp_path: Path) -> None:
        """Two numbers a row, of a thousand million rows, times four bytes."""
        given = onnx(tmp_path, onnx_models.greedy(250_000_000), task="regression")
        assert problem(given) == "model/m.onnx: needs more than 4 GiB of memory"


class TestBaseline:
    def asked(self, given: Given, **said: str) -> predictions.Made:
        part = given.release.performance
        assert isinstance(part, PerformancePart)
        found = of(given)
        wanted = {"predictions": "", "onnx": "", **said}
        return predictions.baseline(given, part, found, "labels", **wanted)

    def test_recorded(self, tmp_path: Path) -> None:
        given = release(tmp_path, files={"old.csv": "prediction\n1\n1\n1\n0\n"})
        made = self.asked(given, predictions="old.csv")
        assert made.prediction.tolist() == ["1", "1", "1", "0"]
        assert [each.what for each in made.measured] == ["baseline"]

    def test_its_model_need_not_be_released(self, tmp_path: Path) -> None:
        given = release(
            tmp_path,
            files={"old.onnx": onnx_models.logistic(*WEIGHTS)},
            features=["age", "hours"],
            positive=1,
        )
        assert self.asked(given, onnx="old.onnx").prediction.tolist() == ["0", "1", "1", "0"]

    def test_command(self, tmp_path: Path) -> None:
        code = "import sys; print('prediction'); [print(1) for line in list(sys.stdin)[1:]]"
        given = release(tmp_path, operator=Operator(baseline_predictor=[sys.executable, "-S", "-c", code]))
        assert self.asked(given, predictions="gone.csv").prediction.tolist() == ["1"] * 4

    def test_other_rows(self, tmp_path: Path) -> None:
        given = release(tmp_path, files={"old.csv": "prediction\n1\n"})
        with pytest.raises(CannotCollect, match=r"old\.csv: 1 rows, where data/held-out\.csv has 4"):
            self.asked(given, predictions="old.csv")

    def test_nothing_to_compare_with(self, tmp_path: Path) -> None:
        with pytest.raises(CannotCollect, match="a baseline is declared, and nothing to compare with"):
            self.asked(release(tmp_path))
