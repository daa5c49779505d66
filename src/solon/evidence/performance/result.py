"""What is measured of performance and latency. Times are in milliseconds."""

from __future__ import annotations

import msgspec


class Interval(msgspec.Struct, frozen=True):
    """Where a value lies with that ``confidence``; ``method`` says how it was found (``bootstrap``, ``wilson``)."""

    low: float
    high: float
    confidence: float
    method: str


class Metric(msgspec.Struct, frozen=True, omit_defaults=True):
    """``value`` is None where it could not be had, and ``unknown`` says why. ``n`` counts rows (queries of a ranking).

    ``higher_is_better`` is always written: who forgets that it may be missing would take an accuracy for an error.
    """

    n: int
    value: float | None = None
    interval: Interval | None = None
    higher_is_better: bool = msgspec.field(
        default_factory=lambda: True
    )  # what a factory makes is not left out
    unknown: str = ""


class Comparison(msgspec.Struct, frozen=True, omit_defaults=True):
    """The candidate beside what is deployed, on the same rows.

    ``change`` is positive where the candidate is better, and ``interval`` is of that change, from pairs.
    """

    n: int
    candidate: float | None = None
    baseline: float | None = None
    change: float | None = None
    interval: Interval | None = None
    unknown: str = ""


class Slice(msgspec.Struct, frozen=True):
    """The rows where ``column`` has that ``value``."""

    column: str
    value: str
    metrics: dict[str, Metric]


class Performance(msgspec.Struct, frozen=True, omit_defaults=True):
    """``predictions`` says where they are from: ``recorded`` in a file, ``command`` or ``onnx`` when measured.

    ``positive`` is the label that precision, recall, f1 and the metrics of a score are of; empty where there is none, and
    then the first three are means over the labels. ``minimums`` are those promised; of an error they are the most.
    """

    task: str
    n: int
    predictions: str
    metrics: dict[str, Metric]
    minimums: dict[str, float]
    slices: list[Slice]
    positive: str = ""
    baseline_version: str = ""
    baseline_predictions: str = ""
    baseline: dict[str, Comparison] = {}


class Host(msgspec.Struct, frozen=True):
    """The machine that something was timed on: times of two machines do not compare."""

    machine: str
    processor: str
    processors: int
    system: str
    python: str


class Timing(msgspec.Struct, frozen=True):
    """``p95_ms`` is the time that 95 of 100 calls did not exceed (nearest rank). ``throughput`` is in rows per second."""

    calls: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    throughput: float


class Ratio(msgspec.Struct, frozen=True):
    """By how many times something is more: 1.0 is as much."""

    value: float
    interval: Interval


class Latency(msgspec.Struct, frozen=True, omit_defaults=True):
    """``predictor`` is ``command`` or ``onnx``; ``maximums`` and ``throughput`` are those promised.

    ``baseline`` is what is deployed, timed in turns with the candidate in the same run; ``slower`` is by how many times
    the candidate's median is longer.
    """

    predictor: str
    batch: int
    warm_up: int
    candidate: Timing
    maximums: dict[str, float]
    host: Host
    throughput: float | None = None
    baseline_version: str = ""
    baseline: Timing | None = None
    slower: Ratio | None = None
