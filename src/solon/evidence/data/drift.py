"""Drift: each column of what the model is asked now, beside what it was trained on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from solon.evidence import tables
from solon.evidence.collector import CannotCollect, Collected, Given
from solon.evidence.data import dictionary, names, stability
from solon.evidence.data.dictionary import SHOWN, Declared
from solon.evidence.data.result import Drift, DriftColumn
from solon.evidence.data.search import search
from solon.evidence.data.stability import Binned
from solon.evidence.tables import NO_LABEL, Numbers, Table, label

SMALLEST: Final = 100  # values on each side: of ten bins, ten in each
_DISTINCT: Final = 100_000  # values of a category that are counted at all
_TAIL: Final = 0.5  # the share of training that may stand together as rare
_UNSEEN: Final = 5  # examples
_LONG: Final = 40  # characters of one
_BEGINNING: Final = 200  # characters by which values are told apart


def collect(given: Given) -> Collected | None:
    declared = given.release.drift
    if declared is None:
        return None
    given.progress(f"reading {declared.training}", 0, 0)
    training = tables.read(given.path(declared.training), declared.training)
    given.progress(f"reading {declared.serving}", 0, 0)
    serving = tables.read(given.path(declared.serving), declared.serving)
    measured = [given.measured("training", declared.training), given.measured("serving", declared.serving)]
    if measured[0].digest == measured[1].digest:
        raise CannotCollect(
            f"{declared.serving}: the same table as {declared.training}; name one of what is asked in production"
        )
    both = [name for name in training.columns if name in serving]
    wanted = declared.columns or list(dict.fromkeys((*training.columns, *serving.columns)))
    compared = [name for name in both if name in set(wanted)]
    if not compared:
        raise CannotCollect(f"{declared.training} and {declared.serving} have no column in common")
    described = _described(given)
    columns: dict[str, DriftColumn] = {}
    for done, name in enumerate(compared):
        given.progress(f"comparing {name}", done, len(compared))
        columns[name] = compare(training, serving, name, described.get(name))
    return Collected(
        summary(columns, [name for name in wanted if name not in columns]), declared.serving, measured
    )


def summary(columns: Mapping[str, DriftColumn], absent: list[str]) -> Drift:
    known = {name: column.psi for name, column in columns.items() if column.psi is not None}
    whole = len(known) == len(columns)
    return Drift(
        columns=dict(columns),
        absent=absent,
        largest=max(known, key=lambda name: known[name], default=""),
        overall=sum(known.values()) / len(known) if whole else None,
    )


def compare(training: Table, serving: Table, name: str, described: Declared | None = None) -> DriftColumn:
    """One column of both. Raises CannotCollect."""
    here = training.numbers(name)
    if _is_number(here):
        return _numbers(here, serving.numbers(name))
    return _categories(training, serving, name, described)


def _is_number(column: Numbers) -> bool:
    """More values than there are bins, and every one a number. The few of any other column are its categories."""
    import numpy as np

    values = column.values[np.isfinite(column.values)]
    wrong = len(values) + int(column.missing.sum()) < len(column.values)
    return not wrong and len(np.unique(values)) > stability.BINS


def _numbers(training: Numbers, serving: Numbers) -> DriftColumn:
    import numpy as np

    here, there = (side.values[np.isfinite(side.values)] for side in (training, serving))
    rows, missing = len(serving.values), int(serving.missing.sum())
    wrong = rows - missing - len(there)
    column = DriftColumn(
        kind="number",
        n_training=len(here),
        n_serving=rows - missing,
        missing_training=_share(int(training.missing.sum()), len(training.values)),
        missing_serving=_share(missing, rows),
        unseen=_share(wrong + int(((there < here.min()) | (there > here.max())).sum()), rows - missing),
    )
    if small := _small(column):
        return _unknown(column, small)
    if not len(there):
        return _unknown(column, "no number in serving")
    statistic, p = stability.kolmogorov_smirnov(here, there)
    return _with(column, stability.numbers(here, there, (0, wrong)), "ks", statistic, p)


def _categories(training: Table, serving: Table, name: str, described: Declared | None) -> DriftColumn:
    here, there = _counts(training, name), _counts(serving, name)
    column = DriftColumn(kind="category", n_training=here.n, n_serving=there.n)
    if here.many or there.many:
        return _unknown(column, f"more than {_DISTINCT:,} different values: a text or an identifier")
    unseen = {value: count for value, count in there.values.items() if value not in here.values}
    column = msgspec.structs.replace(
        column,
        missing_training=_share(training.rows - here.n, training.rows),
        missing_serving=_share(serving.rows - there.n, serving.rows),
        unseen=_share(sum(unseen.values()), there.n),
        unseen_values=_shown(unseen, name, described),
    )
    if small := _small(column):
        return _unknown(column, small)
    if len(here.values) == 1:
        return _unknown(column, "constant in training")
    binned = stability.categories(here.values, there.values)
    if binned.rare > _TAIL:
        return _unknown(column, f"{len(here.values):,} different values in training, most of them rare")
    return _with(column, binned, "chi-square", *stability.chi_square(binned))


@dataclass(frozen=True, slots=True)
class _Counts:
    """How often each value is in a column of ``n`` that are not missing; no value is counted where there are too ``many``."""

    values: Mapping[str, int]
    n: int
    many: bool = False


def _counts(table: Table, name: str) -> _Counts:
    found = table.ask(
        f"SELECT left(trim({table.cell(name)}::VARCHAR), {_BEGINNING}) AS value, count(*) FROM cells GROUP BY value "
        f"LIMIT {_DISTINCT + 1}"
    )
    if len(found) > _DISTINCT:
        return _Counts({}, table.rows, many=True)
    values: Counter[str] = Counter()
    for value, count in found:
        if value is not None and value.lower() not in NO_LABEL:
            values[label(value)] += count
    return _Counts(values, sum(values.values()))


def _shown(unseen: Mapping[str, int], name: str, described: Declared | None) -> list[str]:
    """Some of the values, the most frequent ones, where the dictionary says that they are nobody's."""
    if described is None or described.category not in SHOWN or names.suspected(name) or search(unseen, name):
        return []
    most = sorted(unseen, key=lambda value: (-unseen[value], value))[:_UNSEEN]
    return [value if len(value) <= _LONG else value[: _LONG - 1] + "…" for value in most]


def _small(column: DriftColumn) -> str:
    for n, where in ((column.n_training, "training"), (column.n_serving, "serving")):
        if n < SMALLEST:
            return f"{n} values in {where}, and at least {SMALLEST} are needed"
    return ""


def _unknown(column: DriftColumn, why: str) -> DriftColumn:
    return msgspec.structs.replace(column, unknown=why)


def _with(column: DriftColumn, binned: Binned, test: str, statistic: float, p_value: float) -> DriftColumn:
    return msgspec.structs.replace(
        column,
        psi=stability.index(binned),
        noise=stability.noise(binned),
        test=test,
        statistic=statistic,
        p_value=p_value,
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _described(given: Given) -> Mapping[str, Declared]:
    """The column dictionary, where the release has one that can be read: without it no value is shown."""
    if given.release.data is None:
        return {}
    try:
        return dictionary.read(given.path(given.release.data.columns), given.release.data.columns)
    except CannotCollect:
        return {}  # which the evidence about data says
