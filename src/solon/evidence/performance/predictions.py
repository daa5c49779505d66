"""What a model predicts for the rows of a table, and what is true: from a file, a command of the operator, or an ONNX model.

``of`` is for every part of a release that judges predictions. The operator's command comes first, then the ``onnx`` that the
part names, and then what is recorded. A row without a prediction is an error: left out, it would be a mistake that nobody
counts.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

from solon.evidence import digests, tables
from solon.evidence.collector import CannotCollect, Given
from solon.evidence.document import Measured
from solon.evidence.performance import command, onnx_model
from solon.evidence.tables import Table

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Source = Literal["recorded", "command", "onnx"]
Kind = Literal["labels", "numbers"]

MAX_MODEL: Final = 2 << 30


class Judged(Protocol):
    """What a part of release.yaml says about its predictions."""

    @property
    def data(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def predictions(self) -> str: ...
    @property
    def prediction(self) -> str: ...
    @property
    def score(self) -> str: ...
    @property
    def positive(self) -> Any: ...
    @property
    def onnx(self) -> str: ...
    @property
    def features(self) -> list[str]: ...


@dataclass(frozen=True, slots=True)
class Made:
    """Predictions of one model, in the order of the rows: labels as ``tables.label`` has them, or numbers.

    ``score`` is the probability of the positive label, or the relevance in a ranking; None where there is none.
    ``measured`` are the files it came from beside the data.
    """

    prediction: NDArray[Any]
    score: NDArray[np.float64] | None
    source: Source
    measured: tuple[Measured, ...] = ()


@dataclass(frozen=True, slots=True)
class Predictions:
    """The rows that were judged: the ``table``, what is true of each, and what the candidate predicts.

    ``y_true`` and ``y_pred`` are labels (texts, as ``tables.label`` has them) in a classification, else numbers.
    ``positive`` is the label so written, empty where none is declared. ``measured`` has the data, too.
    """

    table: Table
    y_true: NDArray[Any]
    y_pred: NDArray[Any]
    score: NDArray[np.float64] | None
    positive: str
    source: Source
    measured: tuple[Measured, ...]


def of(given: Given, part: Judged, kind: Kind = "labels") -> Predictions:
    """The predictions that a part of the release asks for. Raises CannotCollect, with what is wrong and what to do."""
    table = tables.read(given.path(part.data), part.data)
    if not table.rows:
        raise CannotCollect(f"{part.data}: has no rows")
    data = given.measured("data", part.data)
    _held_out(given, data)
    table.need([part.label])
    truth = table.labels(part.label) if kind == "labels" else table.measurements(part.label)
    positive = "" if part.positive is None or kind == "numbers" else tables.label(part.positive)
    if positive and positive not in set(truth.tolist()):
        there = sorted(set(truth.tolist()))
        shown = ", ".join(there[:8]) + (f" and {len(there) - 8} more" if len(there) > 8 else "")
        raise CannotCollect(
            f"{part.data}: `positive: {part.positive}` is no label of `{part.label}`: {shown}. Name in `positive` the "
            "one that is looked for"
        )
    made = _candidate(given, part, table, truth, kind, positive)
    _plausible(truth, made, kind, part)
    return Predictions(
        table,
        truth,
        made.prediction,
        made.score,
        positive,
        made.source,
        (data, *made.measured),
    )


def baseline(
    given: Given, part: Judged, found: Predictions, kind: Kind, *, predictions: str, onnx: str
) -> Made:
    """What the deployed version predicts for the same rows; ``predictions`` and ``onnx`` are files. Raises CannotCollect."""
    asked = _Asked(given, part, found.table, found.y_true, kind, found.positive)
    if given.operator.baseline_predictor:
        made = asked.by_command(given.operator.baseline_predictor)
    elif onnx:
        content, measured = content_of(given, onnx, "baseline")
        made = asked.by_onnx(content, onnx, measured)
    elif predictions:
        made = asked.recorded(predictions, "baseline")
    else:
        raise CannotCollect(
            "a baseline is declared, and nothing to compare with: record its `predictions`, name its `onnx`, or have the "
            "operator give a command"
        )
    _plausible(found.y_true, made, kind, part)
    return made


def features(part: Judged, table: Table) -> list[str]:
    """The columns that a model is given: those that are named, or all but what is true and what was predicted.

    Raises CannotCollect where the truth is among them.
    """
    hidden = (part.label, part.prediction, part.score)
    if not part.features:
        return [column for column in table.columns if column not in hidden]
    if part.label in part.features:
        raise CannotCollect(
            f"`features` has the label, `{part.label}`: a model that is told the truth knows it"
        )
    table.need(part.features)
    return part.features


def released(given: Given, name: str) -> tuple[bytes, tuple[Measured, ...]]:
    """The content of a file that is released, and no other. Raises CannotCollect."""
    known = {file.path: file.digest for file in given.model.files}
    path = os.path.normpath(name)
    if path not in known:
        raise CannotCollect(f"{name}: is not among the released files; name it under `model:`")
    content, measured = content_of(given, name, "predictor")
    if measured[0].digest != known[path]:
        raise CannotCollect(f"{name}: has changed while evidence was collected")
    return content, measured


def content_of(given: Given, name: str, what: str) -> tuple[bytes, tuple[Measured, ...]]:
    try:
        path = given.path(name)
        if os.path.getsize(path) > MAX_MODEL:
            raise CannotCollect(f"{name}: larger than {MAX_MODEL >> 30} GiB")
        with open(path, "rb") as file:
            content = file.read(MAX_MODEL)
    except OSError as error:
        raise CannotCollect(f"{name}: {(error.strerror or str(error)).lower()}") from None
    return content, (Measured(what, digests.of_bytes(content), name),)


def _held_out(given: Given, data: Measured) -> None:
    """Raises CannotCollect where the rows are those that the release says it was trained on."""
    release = given.release
    for name in {part.training for part in (release.data, release.drift) if part is not None}:
        try:
            trained = given.measured("training", name)
        except CannotCollect:
            continue  # that is for the parts that need it
        if trained.digest == data.digest:
            raise CannotCollect(
                f"{data.path}: is what the model was trained on ({name}); measure on rows that were held out"
            )


def _candidate(
    given: Given, part: Judged, table: Table, truth: NDArray[Any], kind: Kind, positive: str
) -> Made:
    asked = _Asked(given, part, table, truth, kind, positive)
    if given.operator.predictor:
        return asked.by_command(given.operator.predictor)
    if part.onnx:
        content, measured = released(given, part.onnx)
        return asked.by_onnx(content, part.onnx, measured)
    return asked.recorded(part.predictions, "predictions")


@dataclass(frozen=True, slots=True)
class _Asked:
    """One question: what a model predicts for these rows."""

    given: Given
    part: Judged
    table: Table
    truth: NDArray[Any]
    kind: Kind
    positive: str

    def by_command(self, arguments: Sequence[str]) -> Made:
        found = command.predicted(
            arguments,
            self.table,
            features(self.part, self.table),
            release=self.given.root,
            timeout=self.given.operator.timeout,
        )
        return self._read(found, "prediction", "score" if "score" in found else "", "command")

    def by_onnx(self, content: bytes, name: str, measured: tuple[Measured, ...]) -> Made:
        columns = features(self.part, self.table)
        with onnx_model.loaded(content, name, self.given.operator.timeout) as model:
            outputs = model.outputs(model.feeds(self.table, self.part.features, columns))
        if self.kind == "labels":
            answer = onnx_model.classes(outputs, name, self.positive, sorted(set(self.truth.tolist())))
        else:
            answer = onnx_model.numbers(outputs, name)
        return Made(answer.prediction, answer.score, "onnx", measured)

    def recorded(self, name: str, what: str) -> Made:
        """From the column of the data, or of a table beside it with the same rows in the same order."""
        found, measured = self.table, list[Measured]()
        if name and name != self.part.data:
            found = tables.read(self.given.path(name), name)
            measured.append(self.given.measured(what, name))
            self._same_rows(found)
        if self.part.label in (self.part.prediction, self.part.score):
            raise CannotCollect(f"`{self.part.label}` is named as the label and as what was predicted")
        try:
            made = self._read(found, self.part.prediction, self.part.score, "recorded")
        except CannotCollect as error:
            if self.part.prediction in found:
                raise
            raise CannotCollect(
                f"{error}. No predictions are recorded: name their column in `prediction` or their table in "
                "`predictions`, the model in `onnx`, or have the operator give a command (--predictor)"
            ) from None
        return Made(made.prediction, made.score, made.source, tuple(measured))

    def _same_rows(self, found: Table) -> None:
        if found.rows != self.table.rows:
            raise CannotCollect(
                f"{found.name}: {found.rows} rows, where {self.table.name} has {self.table.rows}; they must be the same, in the same order"
            )
        if self.part.label in found:
            label = self.part.label
            there = found.labels(label) if self.kind == "labels" else found.measurements(label)
            differs = there != self.truth
            if differs.any():
                raise CannotCollect(
                    f"{found.name}: `{label}` is not that of {self.table.name} in row {int(differs.argmax()) + 1}: other rows, or in another order"
                )

    def _read(self, found: Table, prediction: str, score: str, source: Source) -> Made:
        """Of numbers the score may stand alone: it is the prediction then, as in a ranking."""
        scored = found.measurements(score) if score else None
        if self.kind == "numbers" and scored is not None and prediction not in found:
            return Made(scored, scored, source)
        column: Callable[[str], NDArray[Any]] = found.labels if self.kind == "labels" else found.measurements
        return Made(column(prediction), scored, source)


def _plausible(truth: NDArray[Any], made: Made, kind: Kind, part: Judged) -> None:
    """Labels of which none ever occurs are written in another way than the truth."""
    if kind == "numbers":
        return
    predicted, true = set(made.prediction.tolist()), set(truth.tolist())
    if not predicted & true:
        raise CannotCollect(
            f"none of the predicted labels ({', '.join(sorted(predicted)[:4])}) is one of `{part.label}` ({', '.join(sorted(true)[:4])})"
        )
