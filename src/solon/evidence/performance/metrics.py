"""The metrics that are known, by task: what they are called, which way is better, and between what they lie."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from solon.evidence.collector import CannotCollect
from solon.evidence.release import Task


@dataclass(frozen=True, slots=True)
class Definition:
    """``range`` is what all values lie in, None where there is no bound. ``undefined`` says when there is no value.

    ``needs`` is what a release must declare for it: ``positive``, or also ``score``, or ``probability`` which is a score from
    0 to 1. ``k`` is where a ranking is cut off.
    """

    name: str
    higher_is_better: bool = True
    range: tuple[float, float] | None = (0.0, 1.0)
    undefined: str = ""
    needs: str = ""
    base: str = ""
    k: int | None = None


_ONE_LABEL: Final = "only one label occurs"
_NO_RELEVANT: Final = "no query has a relevant document"

CLASSIFICATION: Final = (
    Definition("accuracy"),
    Definition("balanced_accuracy", undefined=_ONE_LABEL),
    Definition("precision", undefined="nothing was predicted as the positive label, or only one label occurs"),
    Definition("recall", undefined="the positive label does not occur, or it is the only one"),
    Definition("f1", undefined="the positive label does not occur, or it is the only one"),
    Definition("mcc", range=(-1.0, 1.0), undefined="only one label occurs, or is predicted"),
    Definition("roc_auc", undefined=_ONE_LABEL, needs="score"),
    Definition("average_precision", undefined=_ONE_LABEL, needs="score"),
    Definition("log_loss", higher_is_better=False, range=None, needs="probability"),
    Definition("brier", higher_is_better=False, needs="probability"),
)  # fmt: skip
REGRESSION: Final = (
    Definition("mae", higher_is_better=False, range=None, undefined="too large to be computed"),
    Definition("rmse", higher_is_better=False, range=None, undefined="too large to be computed"),
    Definition("r2", range=None, undefined="the truth is the same in every row, or too large to be computed"),
    Definition("mape", higher_is_better=False, range=None, undefined="the truth is 0 in a row"),
    Definition("median_ae", higher_is_better=False, range=None, undefined="too large to be computed"),
)  # fmt: skip
RANKING: Final = (
    Definition("ndcg", undefined=_NO_RELEVANT),
    Definition("map", undefined=_NO_RELEVANT),
    Definition("mrr", undefined=_NO_RELEVANT),
    Definition("precision"),
)  # fmt: skip
_KNOWN: Final[dict[Task, tuple[Definition, ...]]] = {
    "classification": CLASSIFICATION,
    "regression": REGRESSION,
    "ranking": RANKING,
}
_USUAL: Final[dict[Task, tuple[str, ...]]] = {
    "classification": ("accuracy", "balanced_accuracy", "f1"),
    "regression": ("mae", "rmse", "r2"),
    "ranking": ("ndcg@10", "mrr"),
}
_CUT: Final = re.compile(r"(?P<base>[a-z]+)@(?P<k>[1-9]\d{0,5})")


def wanted(task: Task, names: Sequence[str]) -> list[Definition]:
    """The metrics of these names, each once; the usual ones of the task where none is named. Raises CannotCollect."""
    if task not in _KNOWN:
        raise CannotCollect(
            f"nothing is known to measure the performance of `task: {task}`: {', '.join(_KNOWN)} are"
        )
    return [_named(task, name) for name in dict.fromkeys(names or _USUAL[task])]


def _named(task: Task, name: str) -> Definition:
    known = {each.name: each for each in _KNOWN[task]}
    if task == "ranking":
        cut = _CUT.fullmatch(name)
        found = known.get(cut["base"] if cut else name)
        if found and (cut or name != "precision"):
            k = int(cut["k"]) if cut else None
            return Definition(name, undefined=found.undefined, base=found.name, k=k)
        shown = "ndcg, ndcg@K, map, map@K, mrr, mrr@K, precision@K"
    else:
        if name in known:
            return known[name]
        shown = ", ".join(known)
    raise CannotCollect(f"no metric of a {task} is called {name!r}; there are {shown}")
