"""Latency: what is counted, by a clock of the test's; who is called, by real commands and models."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx_models
import pytest
from measured_releases import Files

from solon.evidence.collector import CannotCollect, Given, Operator
from solon.evidence.performance import latency
from solon.evidence.performance.latency import collect, host, ratio, timed, timing
from solon.evidence.performance.result import Latency
from solon.evidence.release import LatencyPart


class Clock:
    """Stands still, but for what calls take."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Predictor:
    """Takes the seconds it is told, one call after the other, and writes down who was called with what."""

    def __init__(
        self, name: str, clock: Clock, seconds: list[float], seen: list[tuple[str, list[int]]]
    ) -> None:
        self.name, self.clock, self.seconds, self.seen = name, clock, iter(seconds), seen

    def ready(self, rows: Any) -> list[int]:
        self.clock.now += 5.0  # making a batch ready is nobody's latency
        found: list[int] = rows.tolist()
        return found

    def call(self, batch: list[int]) -> None:
        self.seen.append((self.name, batch))
        self.clock.now += next(self.seconds)


def part(**said: Any) -> LatencyPart:
    return LatencyPart(**{"data": "d.csv", **said})


def test_times_are_those_of_calls_without_the_warming_up() -> None:
    clock, seen = Clock(), list[tuple[str, list[int]]]()
    predictor = Predictor("a", clock, [9.0, 9.0, 0.01, 0.02, 0.03], seen)
    found = timed([predictor], 3, part(calls=3, warm_up=2, batch=2), clock)
    assert found.tolist() == [[pytest.approx(0.01), pytest.approx(0.02), pytest.approx(0.03)]]
    assert [batch for _, batch in seen] == [[0, 1], [2, 0], [1, 2], [0, 1], [2, 0]]


def test_the_deployed_one_is_called_in_turns_with_the_same_rows() -> None:
    clock, seen = Clock(), list[tuple[str, list[int]]]()
    both = [Predictor(name, clock, [0.1] * 4, seen) for name in "ab"]
    timed(both, 10, part(calls=3, warm_up=1), clock)
    assert "".join(name for name, _ in seen) == "abbaabba"
    assert [batch[0] for _, batch in seen] == [0, 0, 1, 1, 2, 2, 3, 3]


def test_a_deadline() -> None:
    clock = Clock()
    predictor = Predictor("a", clock, [10.0] * 9, [])
    with pytest.raises(CannotCollect, match="2 of 9 calls when the time was up; ask for fewer `calls`"):
        timed([predictor], 1, part(calls=9, warm_up=0), clock, deadline=clock.now + 25)


def test_percentiles_are_times_that_were_measured() -> None:
    """Of 1 to 200 ms, 100 of 200 are at most 100 ms, 190 at most 190, 198 at most 198."""
    found = timing(np.random.default_rng(0).permutation(np.arange(1, 201) / 1000), 4)
    assert (found.p50_ms, found.p95_ms, found.p99_ms) == (
        pytest.approx(100),
        pytest.approx(190),
        pytest.approx(198),
    )
    assert found.calls == 200
    assert found.throughput == pytest.approx(4 * 200 / 20.1)


def test_of_few_calls_the_slowest_is_the_tail() -> None:
    found = timing(np.array([0.001] * 19 + [0.5]), 1)
    assert (found.p50_ms, found.p95_ms, found.p99_ms) == (
        pytest.approx(1),
        pytest.approx(1),
        pytest.approx(500),
    )


def test_slower_is_a_ratio_of_medians_with_an_interval() -> None:
    rng = np.random.default_rng(4)
    baseline = rng.lognormal(-5, 0.2, 400)
    found = ratio(baseline * 1.5 * rng.lognormal(0, 0.05, 400), baseline)
    assert found is not None
    assert found.value == pytest.approx(1.5, rel=0.05)
    assert 1.3 < found.interval.low < found.value < found.interval.high < 1.7
    same = ratio(rng.lognormal(-5, 0.2, 400), baseline)
    assert same is not None
    assert same.interval.low < 1 < same.interval.high


def test_a_clock_too_coarse_gives_no_ratio() -> None:
    assert ratio(np.array([0.1, 0.1]), np.array([0.0, 0.0])) is None


def test_the_machine_is_said() -> None:
    found = host()
    assert found.processors >= 1
    assert found.python == sys.version.split()[0].rstrip("+")
    assert all((found.machine, found.processor, found.system))


ROWS = "age,code,income,note\n" + "".join(
    f"{20 + n}.5,0{n % 10},{n % 2},{'a' if n else ''}\n" for n in range(30)
)
ANSWER = """
import json, os, sys
assert os.environ["SOLON_PROTOCOL"] == "lines"
for line in sys.stdin:
    rows = json.loads(line)
    assert set(rows[0]) == {"age", "code", "note"}, rows[0]
    assert isinstance(rows[0]["age"], float) and isinstance(rows[0]["code"], str)
    print(json.dumps([row["age"] > 30 for row in rows]), flush=True)
"""


def python(code: str) -> list[str]:
    return [sys.executable, "-S", "-c", code]


def given(tmp_path: Path, files: Any = None, operator: Operator | None = None, **said: Any) -> Given:
    declared = {"data": "d.csv", "calls": 8, "warm_up": 2, **said}
    performance = {"data": "d.csv", "label": "income"}
    return Files(tmp_path).given(
        {"d.csv": ROWS, **(files or {})}, operator, latency=declared, performance=performance
    )


def result(release: Given) -> Latency:
    found = collect(release)
    assert found is not None
    assert isinstance(found.result, Latency)
    assert b"null" not in msgspec.json.encode(found.result)
    return found.result


def problem(release: Given) -> str:
    with pytest.raises(CannotCollect) as error:
        collect(release)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_nothing_is_declared(tmp_path: Path) -> None:
    assert collect(Files(tmp_path).given({})) is None


def test_a_command(tmp_path: Path) -> None:
    found = result(given(tmp_path, operator=Operator(predictor=python(ANSWER)), batch=3, maximums={"p95_ms": 50.0}, throughput=10.0))  # fmt: skip
    assert (found.predictor, found.batch, found.warm_up, found.candidate.calls) == ("command", 3, 2, 8)
    assert (found.maximums, found.throughput) == ({"p95_ms": 50.0}, 10.0)
    assert 0 < found.candidate.p50_ms <= found.candidate.p95_ms <= found.candidate.p99_ms
    assert found.candidate.throughput > 0
    assert found.baseline is None
    assert found.slower is None


def test_a_command_beside_the_deployed_one(tmp_path: Path) -> None:
    """The candidate sleeps 20 ms a call: that it is slower does not depend on this machine."""
    slow = ANSWER.replace("rows = ", "import time; time.sleep(0.02); rows = ")
    operator = Operator(predictor=python(slow), baseline_predictor=python(ANSWER))
    found = result(given(tmp_path, operator=operator, baseline={"version": "1"}))
    assert found.baseline is not None
    assert found.baseline_version == "1"
    assert found.candidate.p50_ms >= 20
    assert found.slower is not None
    assert found.slower.value > 1


def test_an_onnx_model(tmp_path: Path) -> None:
    release = given(
        tmp_path,
        {"model/m.onnx": onnx_models.linear([1.0, 1.0]), "old.onnx": onnx_models.linear([1.0, 0.0], rows=1)},
        onnx="model/m.onnx",
        features=["age", "code"],
        batch=5,
        baseline={"version": "1", "onnx": "old.onnx"},
    )
    found = collect(release)
    assert found is not None
    assert found.result.predictor == "onnx"
    assert found.result.slower is not None
    assert [(each.what, each.path) for each in found.measured] == [
        ("data", "d.csv"),
        ("predictor", "model/m.onnx"),
        ("baseline", "old.onnx"),
    ]


@pytest.mark.parametrize(
    "code, wrong",
    [
        ("import sys; sys.exit('no weights')", "ended before it had answered: no weights"),
        ("for _ in range(3): print(input() and '[1]', flush=True)", "ended before it had answered"),
        (
            "import sys\nfor line in sys.stdin: print('yes', flush=True)",
            "answered with 'yes', not a JSON array",
        ),
        (
            "import sys\nfor line in sys.stdin: print('{}', flush=True)",
            "answered with '{}', not a JSON array",
        ),
        ("import sys\nfor line in sys.stdin: print('[]', flush=True)", "0 answers for 1 rows"),
        ("import sys\nfor line in sys.stdin: print('[1, 2]', flush=True)", "2 answers for 1 rows"),
        (
            "import sys\nfor line in sys.stdin: print('[1]\\n[1]', flush=True)",
            "wrote more than one line for a line",
        ),
        ("input()\nwhile True: print('x' * 65536, end='')", "an answer longer than 16 MiB"),
        ("import time; time.sleep(60)", "no answer to a line in 0.5 s"),
        (
            "import sys; print('prediction', len(sys.stdin.read()))",
            "no answer to a line in 0.5 s; timed, a predictor answers",
        ),
        (
            "print('[1]\\n' * 9, flush=True); import time; time.sleep(60)",
            "wrote more than one line for a line",
        ),
    ],
)
def test_a_command_that_does_not_keep_to_the_protocol(tmp_path: Path, code: str, wrong: str) -> None:
    timeout = 0.5 if "0.5 s" in wrong else 30.0
    assert wrong in problem(given(tmp_path, operator=Operator(predictor=python(code), timeout=timeout)))


def test_a_request_larger_than_a_pipe(tmp_path: Path) -> None:
    """A command that reads slowly, and one that never does."""
    rows = "age,note\n" + f"1,{'x' * 2000}\n" * 100
    slow = "import sys\nfor line in sys.stdin: print('[' + ','.join('1' * 100) + ']', flush=True)"
    release = given(tmp_path, {"d.csv": rows}, Operator(predictor=python(slow), timeout=30.0), batch=100)
    assert result(release).candidate.calls == 8
    never = Operator(predictor=python("import time; time.sleep(60)"), timeout=0.5)
    assert "no answer to a line in 0.5 s" in problem(given(tmp_path, {"d.csv": rows}, never, batch=100))


@pytest.mark.parametrize(
    "said, wrong",
    [
        ({}, "latency: nothing to call; name the model's `onnx`"),
        ({"data": "gone.csv"}, "gone.csv: no such file"),
        ({"calls": 0}, "latency: `calls` is 0; it must be from 1 to 20,000"),
        ({"calls": 10**12}, "latency: `calls` is 1,000,000,000,000"),
        ({"warm_up": -1}, "latency: `warm_up` is -1"),
        ({"batch": 10**9}, "latency: `batch` is 1,000,000,000"),
        ({"maximums": {"p50": 3.0}}, "latency: `maximums` are of p50_ms, p95_ms, p99_ms, and not of 'p50'"),
        ({"maximums": {"p50_ms": float("inf")}}, "latency: `maximums` has inf for p50_ms"),
        ({"throughput": float("nan")}, "latency: `throughput` is nan"),
        ({"features": ["gone"]}, "d.csv: has no column 'gone'"),
        ({"onnx": "d.csv"}, "d.csv: is not among the released files"),
        ({"onnx": "model/model.bin", "features": ["age"]}, "model/model.bin: ONNX Runtime cannot load it"),
    ],
)
def test_what_is_declared_wrong(tmp_path: Path, said: dict[str, Any], wrong: str) -> None:
    assert wrong in problem(given(tmp_path, **said))


def test_a_baseline_that_cannot_be_called(tmp_path: Path) -> None:
    operator = Operator(predictor=python(ANSWER))
    assert "a baseline is declared, and nothing to call" in problem(
        given(tmp_path, operator=operator, baseline={"version": "1", "predictions": "d.csv"})
    )


def test_two_ways_of_calling_do_not_compare(tmp_path: Path) -> None:
    release = given(
        tmp_path,
        {"old.onnx": onnx_models.linear([1.0])},
        Operator(predictor=python(ANSWER)),
        features=["age"],
        baseline={"version": "1", "onnx": "old.onnx"},
    )
    assert "the candidate is called as command and the baseline as onnx" in problem(release)


def test_no_process_outlives_the_collection(tmp_path: Path) -> None:
    """Nor what it started, which holds its pipes."""
    mark = tmp_path / "pid"
    code = f"import os, subprocess, sys\nchild = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\nopen({str(mark)!r}, 'w').write(str(child.pid))\nfor line in sys.stdin: print('[1]', flush=True)"  # fmt: skip
    result(given(tmp_path, operator=Operator(predictor=python(code))))
    state = Path(f"/proc/{mark.read_text()}/stat")
    for _ in range(200):  # it was killed, and takes its time to die
        try:
            if state.read_text().split()[2] == "Z":
                return
        except OSError:
            return
        time.sleep(0.05)
    pytest.fail("what the command started still runs")


def test_processor_is_told_without_proc(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: Any, **__: Any) -> Any:
        raise OSError

    monkeypatch.setattr("builtins.open", gone)
    assert latency._processor()
