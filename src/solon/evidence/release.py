"""``release.yaml``: what is released, what it is for, and where the evidence about it comes from.

It lies in the directory of the release, and every path in it stays inside that directory, or inside the one that
the caller names for data. It is written by whoever releases: nothing in it is run, and no threshold of the
organisation is in it; policies have those.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from solon.subjects import discover, files
from solon.subjects.documents import Problem, text_of
from solon.subjects.ml_release import MAX_BYTES, RELEASE
from solon.subjects.subject import Unreadable

Task = Literal["classification", "regression", "ranking", "generation", "other"]
Risk = Literal["minimal", "limited", "high", "prohibited"]


class Baseline(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The version that is deployed now; ``predictions`` are its own on the same rows, ``onnx`` the model itself.

    ``onnx`` takes the same ``features``. Where the caller gives a command for the baseline, that is asked.
    """

    version: str
    predictions: str = ""
    onnx: str = ""


class PerformancePart(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """``data`` is a table with the truth in column ``label``, and predictions in it or in ``predictions``.

    ``prediction`` is the column of what was predicted, ``score`` of the probability of ``positive`` or of the
    relevance in a ranking, where ``group`` is the query. ``minimums`` are promised before the training; of an error, such
    as mae, it is the most. Where the caller gives a predictor, or ``onnx`` names a model, predictions are made anew.
    """

    data: str
    label: str
    predictions: str = ""
    prediction: str = "prediction"
    score: str = ""
    positive: Any = None
    group: str = ""
    metrics: list[str] = []
    minimums: dict[str, float] = {}
    slices: list[str] = []
    onnx: str = ""
    features: list[str] = []
    baseline: Baseline | None = None


class LatencyPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Calls with rows of ``data``: each with ``batch`` of them, ``calls`` times after ``warm_up``.

    ``maximums`` are promised: of p50_ms, p95_ms, p99_ms; ``throughput`` is the least rows per second.
    """

    data: str
    calls: int = 200
    warm_up: int = 20
    batch: int = 1
    maximums: dict[str, float] = {}
    throughput: float | None = None
    onnx: str = ""
    features: list[str] = []
    baseline: Baseline | None = None


class FairnessPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """As for performance, on data held out; ``attributes`` are the protected columns.

    ``intersections`` are lists of them, judged together; each pair where nothing is said. ``bins`` cuts a number
    into groups at these values. A group with fewer than ``smallest`` rows, or of those with a label that a rate
    counts, is too small for it. ``onnx`` and ``features`` are as for performance.
    """

    data: str
    label: str
    attributes: list[str]
    predictions: str = ""
    prediction: str = "prediction"
    score: str = ""
    positive: Any = 1
    intersections: list[list[str]] | None = None
    bins: dict[str, list[float]] = {}
    smallest: int = 30
    onnx: str = ""
    features: list[str] = []


class DataPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """``training`` is a table, ``columns`` the dictionary of its columns.

    ``steps`` are the preparations that it went through, in order, as whoever releases says; ``recorded`` is the YAML file in
    which the pipeline wrote down those that ran. Which ones are required is for policies.
    """

    training: str
    columns: str
    steps: list[str] = []
    recorded: str = ""


class DriftPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """``training`` and ``serving`` are tables; ``columns`` those to compare, all that both have where none is named."""

    training: str
    serving: str
    columns: list[str] = []


class SupplyPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """``signature`` is a Sigstore bundle of OpenSSF model-signing; ``lock`` and ``sbom`` say what the model needs."""

    signature: str = ""
    lock: str = ""
    sbom: str = ""


class DocumentationPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    model_card: str = ""
    data_sheet: str = ""
    risk_assessment: str = ""


class Release(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One version of one model.

    ``model`` are the files and directories that are released: what evidence is about. ``use`` is what for, in words of the
    organisation (``credit-scoring``); policies know which uses are of which risk. ``trained_at`` is the end of the last
    training.
    """

    kind: Literal["solon.release/v1"]
    name: str
    version: str
    model: list[str]
    task: Task = "other"
    use: str = ""
    risk: Risk | None = None
    registry: str = "local"
    environment: str = ""
    owner: str = ""
    team: str = ""
    trained_at: str = ""
    labels: dict[str, str] = {}
    performance: PerformancePart | None = None
    latency: LatencyPart | None = None
    fairness: FairnessPart | None = None
    data: DataPart | None = None
    drift: DriftPart | None = None
    supply: SupplyPart | None = None
    documentation: DocumentationPart | None = None

    def declares(self, part: str) -> bool:
        """Whether there is something to gather for a part of the evidence; the released files are always scanned."""
        match part:
            case "artifacts":
                return True
            case "signature":
                return self.supply is not None and bool(self.supply.signature)
            case "dependencies":
                return self.supply is not None and bool(self.supply.lock or self.supply.sbom)
            case _:
                return getattr(self, part) is not None


def read(path: str) -> Release | list[Unreadable]:
    """The release that a file declares, or all that is wrong with it."""
    try:
        with open(path, "rb", opener=discover.regular) as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:  # before it is decoded: cut off, it could say something else
            raise Problem(f"larger than {MAX_BYTES >> 20} MiB")
        text = text_of(data)
    except OSError as error:
        return [Problem((error.strerror or str(error)).lower()).at(path)]
    except Problem as problem:
        return [problem.at(path)]
    found = list(files.parsed(text, path, Release, "release"))
    wrong = [each for each in found if isinstance(each, Unreadable)]
    if wrong:
        return wrong
    if len(found) != 1:
        return [
            Problem(f"must hold one release, has {len(found)}", hint=f"it begins with `kind: {RELEASE}`").at(
                path
            )
        ]
    only = found[0]
    assert isinstance(only, files.Part)
    return only.value
