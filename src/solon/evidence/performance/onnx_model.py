"""ONNX models, run by ONNX Runtime on the CPU with the operators that it has itself.

No library of a model is loaded, and what it may take of memory and time is bounded.

A model takes a table: one tensor (rows, columns), or a tensor for each column, as sklearn-onnx makes them. It gives a
label and probabilities (a tensor, or maps from label to probability), or one tensor.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from solon.evidence.collector import CannotCollect
from solon.evidence.tables import Table, label

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Feeds = Mapping[str, Any]  # input to its tensor, with as many rows each

THREADS: Final = 2
MEMORY: Final = 4 << 30  # for the tensors of all models in this process
_BATCH: Final = 4096
_QUIET: Final = 4  # fatal errors alone are logged; the others are exceptions
_DTYPES: Final = {
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(float16)": "float16",
    "tensor(int64)": "int64",
    "tensor(int32)": "int32",
    "tensor(bool)": "bool",
    "tensor(string)": "object",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """For each row a prediction (label or number), and a score where the model has one. Lengths are equal."""

    prediction: NDArray[Any]
    score: NDArray[np.float64] | None


@contextmanager
def loaded(content: bytes, name: str, timeout: float) -> Iterator[OnnxModel]:
    """A model that is stopped after ``timeout`` seconds, in loading as in running; ``name`` is what errors call it.

    Raises CannotCollect where ONNX Runtime refuses it, ModuleNotFoundError where that is not installed.
    """
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    _bound_memory()
    options, running = onnxruntime.SessionOptions(), onnxruntime.RunOptions()
    options.intra_op_num_threads = THREADS
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.use_env_allocators", "1")
    options.log_severity_level = running.log_severity_level = _QUIET
    up = threading.Event()

    def stop() -> None:
        """ONNX Runtime looks at these between two operators."""
        up.set()
        options.set_load_cancellation_flag(True)
        running.terminate = True

    timer = threading.Timer(timeout, stop)
    timer.daemon = True
    timer.start()
    try:
        yield OnnxModel(onnxruntime.InferenceSession, content, options, running, name)
    except _Failed as error:
        raise CannotCollect(f"{name}: not done in {timeout:g} s" if up.is_set() else str(error)) from None
    finally:
        timer.cancel()


@cache
def _bound_memory() -> None:
    """Once in a process: an arena that the sessions share, and that gives no more than ``MEMORY``."""
    import onnxruntime as ort

    where = ort.OrtMemoryInfo("Cpu", ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, ort.OrtMemType.DEFAULT)
    usual = dict.fromkeys(
        ("arena_extend_strategy", "initial_chunk_size_bytes", "max_dead_bytes_per_chunk"), -1
    )
    ort.create_and_register_allocator(where, ort.OrtArenaCfg({"max_mem": MEMORY, **usual}))


class _Failed(Exception):
    """What ONNX Runtime said, before it is known whether that is because it was stopped."""


class OnnxModel:
    def __init__(self, session: Any, content: bytes, options: Any, running: Any, name: str) -> None:
        self.name = name
        self._running = running
        try:
            self._session = session(content, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # noqa: BLE001 - ONNX Runtime's errors have no base of their own
            raise _Failed(f"{name}: ONNX Runtime cannot load it: {_one_line(error)}") from None
        self._inputs = list(self._session.get_inputs())

    def feeds(self, table: Table, features: Sequence[str], columns: Sequence[str]) -> Feeds:
        """What the inputs are given, for all rows. ``features`` are columns in order; needed where there is one input.

        Where none are named, inputs that are called as one of ``columns`` are given that. Raises CannotCollect where
        columns and inputs do not fit.
        """
        known = set(features or columns)
        if len(self._inputs) == 1 and self._inputs[0].name not in known:
            return {self._inputs[0].name: self._matrix(self._inputs[0], table, features)}
        names = {each.name for each in self._inputs}
        by_name = names <= known
        if not by_name and len(features) != len(names):
            raise CannotCollect(
                f"{self.name}: takes {', '.join(sorted(names)[:12])}; `features` must name these columns, or as many in order"
            )
        columns = [each.name for each in self._inputs] if by_name else features
        fed = {}
        for each, column in zip(self._inputs, columns, strict=True):
            fixed = each.shape[1] if len(each.shape) == 2 and isinstance(each.shape[1], int) else 1
            if len(each.shape) not in (1, 2) or fixed != 1:
                raise CannotCollect(
                    f"{self.name}: input {each.name} has the shape {each.shape}, which no column has"
                )
            values = self._column(each, table, column)
            fed[each.name] = values if len(each.shape) == 1 else values.reshape(-1, 1)
        return fed

    def run(self, feeds: Feeds) -> list[Any]:
        """One call."""
        try:
            return list(self._session.run(None, dict(feeds), self._running))
        except Exception as error:  # noqa: BLE001 - as above
            raise _Failed(f"{self.name}: {_one_line(error)}") from None

    def outputs(self, feeds: Feeds) -> list[Any]:
        """The outputs for all rows, asked for in batches; a list of maps stays one."""
        import numpy as np

        rows = len(next(iter(feeds.values())))
        parts = [self.run(batch) for batch in self.batches(feeds, rows, _BATCH)]
        found: list[Any] = []
        for output in zip(*parts, strict=True):
            if all(isinstance(part, list) for part in output):
                found.append([each for part in output for each in part])
            elif all(isinstance(part, np.ndarray) and part.ndim for part in output):
                found.append(np.concatenate(output))
            else:
                raise CannotCollect(
                    f"{self.name}: an output is neither a tensor with rows nor a list of maps"
                )
            if len(found[-1]) != rows:
                raise CannotCollect(f"{self.name}: {len(found[-1])} predictions for {rows} rows")
        return found

    def batches(self, feeds: Feeds, rows: int, size: int) -> Iterator[Feeds]:
        """The rows in turn, ``size`` at once, or one where the model takes no more."""
        fixed = {each.shape[0] for each in self._inputs if each.shape and isinstance(each.shape[0], int)}
        if fixed - {1}:
            raise CannotCollect(
                f"{self.name}: takes {max(fixed)} rows at a time; export it with any number of rows"
            )
        size = 1 if fixed else size
        for start in range(0, rows, size):
            yield {name: values[start : start + size] for name, values in feeds.items()}

    def _matrix(self, given: Any, table: Table, features: Sequence[str]) -> NDArray[Any]:
        import numpy as np

        if not features:
            raise CannotCollect(f"{self.name}: `features` must name the columns that it takes, in order")
        if len(given.shape) != 2:
            raise CannotCollect(
                f"{self.name}: input {given.name} has the shape {given.shape}, which no table has"
            )
        if isinstance(given.shape[1], int) and given.shape[1] != len(features):
            raise CannotCollect(
                f"{self.name}: takes {given.shape[1]} columns, and `features` names {len(features)}"
            )
        return np.column_stack([self._column(given, table, column) for column in features])

    def _column(self, given: Any, table: Table, column: str) -> NDArray[Any]:
        import numpy as np

        dtype = _DTYPES.get(given.type)
        if dtype is None:
            raise CannotCollect(f"{self.name}: input {given.name} is a {given.type}, which no column has")
        if dtype == "object":
            texts = table.texts(column)
            texts[texts == None] = ""  # noqa: E711 - elementwise
            return texts
        if not dtype.startswith("float"):
            return table.measurements(column).astype(dtype)
        numbers = table.numbers(column)
        if numbers.wrong.any():
            row = int(numbers.wrong.argmax())
            raise CannotCollect(
                f"{table.name}: `{column}` is not a number in row {row + 1}, and {self.name} takes numbers"
            )
        with np.errstate(over="ignore"):
            return numbers.values.astype(dtype)


def classes(outputs: Sequence[Any], name: str, positive: str, labels: Sequence[str]) -> Answer:
    """What a classifier says. ``labels`` are those of the data, as ``tables.label`` has them, ``positive`` one or empty.

    One output is labels, or a number for each class (the largest is predicted, and classes are numbered from 0), or one
    number for each row: the probability of ``positive``, which is predicted from 0.5 on. Raises CannotCollect.
    """
    import numpy as np

    if len(outputs) == 2 and not isinstance(outputs[0], list) and outputs[0].ndim <= 2:
        predicted = _labels(outputs[0].reshape(len(outputs[0]), -1), name)
        return Answer(predicted, _score_beside(outputs[1], predicted, name, positive))
    if len(outputs) != 1 or isinstance(outputs[0], list) or outputs[0].ndim > 2:
        raise CannotCollect(
            f"{name}: must give a label and probabilities, or one tensor, and gives {len(outputs)} outputs"
        )
    found = outputs[0].reshape(len(outputs[0]), -1)
    if found.dtype.kind not in "fc":
        return Answer(_labels(found, name), None)
    values = _finite(found, name)
    if values.shape[1] > 1:
        column = int(positive) if positive.isdecimal() and int(positive) < values.shape[1] else None
        score = values[:, column] if column is not None else None
        return Answer(np.array([str(each) for each in values.argmax(axis=1)], dtype=object), score)
    score = values[:, 0]
    others = [each for each in labels if each != positive]
    if not positive or len(others) != 1:
        raise CannotCollect(
            f"{name}: gives one number a row, which needs two labels, and `positive` to say which it is of"
        )
    if score.min() < 0 or score.max() > 1:
        raise CannotCollect(f"{name}: gives numbers outside of 0 and 1, which are no probabilities")
    return Answer(np.where(score >= 0.5, positive, others[0]).astype(object), score)


def numbers(outputs: Sequence[Any], name: str) -> Answer:
    """What a model of one number a row says: a regression, a ranking. Raises CannotCollect."""
    if len(outputs) != 1 or isinstance(outputs[0], list) or outputs[0].size != len(outputs[0]):
        raise CannotCollect(f"{name}: must give one number for each row")
    values = _finite(outputs[0].reshape(len(outputs[0]), 1), name)[:, 0]
    return Answer(values, values)


def _labels(found: NDArray[Any], name: str) -> NDArray[np.object_]:
    import numpy as np

    if found.shape[1] != 1:
        raise CannotCollect(f"{name}: gives {found.shape[1]} labels a row")
    return np.array([label(each) for each in found[:, 0].tolist()], dtype=object)


def _score_beside(
    given: Any, predicted: NDArray[np.object_], name: str, positive: str
) -> NDArray[np.float64] | None:
    """The probability of ``positive``, from maps or a tensor; None where nobody asked for one."""
    import numpy as np

    if not positive:
        return None
    if isinstance(given, list):
        maps = [{label(key): value for key, value in each.items()} for each in given]
        if not all(positive in each for each in maps):
            raise CannotCollect(f"{name}: gives no probability of {positive}")
        return _finite(np.array([[each[positive]] for each in maps], dtype=np.float64), name)[:, 0]
    if given.dtype.kind != "f" or given.ndim > 2:
        raise CannotCollect(f"{name}: its second output is no probabilities")
    values = _finite(given.reshape(len(given), -1), name)
    if values.shape[1] == 1:
        return values[:, 0]
    column = _column_of(positive, values, predicted)
    if column is None:
        raise CannotCollect(
            f"{name}: which of its {values.shape[1]} probabilities is that of {positive} cannot be told; export it with "
            "a map from label to probability (ZipMap)"
        )
    return values[:, column]


def _column_of(positive: str, values: NDArray[np.float64], predicted: NDArray[np.object_]) -> int | None:
    """The column that is largest wherever the label is predicted, and nowhere else; of two, the one that is left over."""
    largest = values.argmax(axis=1)
    mine = set(largest[predicted == positive].tolist())
    others = set(largest[predicted != positive].tolist())
    if len(mine) == 1 and not mine & others:
        return int(mine.pop())
    if not mine and len(others) == 1 and values.shape[1] == 2:
        return 1 - int(others.pop())
    return None


def _finite(values: NDArray[Any], name: str) -> NDArray[np.float64]:
    import numpy as np

    bad = ~np.isfinite(values).all(axis=1)
    if bad.any():
        raise CannotCollect(
            f"{name}: gives no finite number in {int(bad.sum())} of {len(values)} rows, first in row {int(bad.argmax()) + 1}"
        )
    return values.astype(np.float64)


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return f"needs more than {MEMORY >> 30} GiB of memory" if "bfc_arena" in text else text[:300]
