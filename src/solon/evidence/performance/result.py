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
    """``value`` is None where it could not be had, and ``unknown`` says why. ``n`` counts rows (queries of a ranking)."""

    n: int
    value: float | None = None
    interval: Interval | None = None
    higher_is_better: bool = True
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
    """``predictions`` says where they are from: ``recorded`` in a file, ``command`` or ``onnx`` when measured."""

    task: str
    n: int
    predictions: str
    metrics: dict[str, Metric]
    minimums: dict[str, float]
    slices: list[Slice]
    baseline_version: str = ""
    baseline: dict[str, Comparison] = {}


class Host(msgspec.Struct, frozen=True):
    """The machine that something was timed on: times of two machines do not compare."""

    machine: str
    processor: str
    processors: int
    system: str
    python: str


class Timing(msgspec.Struct, frozen=True):
    """``throughput`` is in rows per second."""

    calls: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    throughput: float


class Latency(msgspec.Struct, frozen=True, omit_defaults=True):
    """``baseline`` is what is deployed, timed in turns with the candidate in the same run."""

    predictor: str
    batch: int
    warm_up: int
    candidate: Timing
    maximums: dict[str, float]
    host: Host
    throughput: float | None = None
    baseline_version: str = ""
    baseline: Timing | None = None
    slower: Interval | None = None  # by how many times the median, with an interval
