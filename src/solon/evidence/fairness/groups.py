"""Rows sorted into groups by protected attributes. Nobody is left out: rows without a value are a group, too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from solon.evidence.collector import CannotCollect
from solon.evidence.tables import MISSING, NO_LABEL

MOST: Final = 50  # groups of one column
MOST_TOGETHER: Final = 400  # groups of several columns
BETWEEN: Final = " x "  # of the names of columns, and of values, that are judged together


@dataclass(frozen=True, slots=True)
class Groups:
    """``of`` is the number of the group of each row, ``values`` those of the columns for each group."""

    columns: tuple[str, ...]
    of: NDArray[np.intp]
    values: list[tuple[str, ...]]

    @property
    def name(self) -> str:
        return BETWEEN.join(self.columns)

    @property
    def names(self) -> list[str]:
        return [BETWEEN.join(values) for values in self.values]

    def count(self, rows: NDArray[np.bool_] | None = None) -> NDArray[np.int64]:
        """How many of these rows, of all where none are named, each group has."""
        of = self.of if rows is None else self.of[rows]
        return np.bincount(of, minlength=len(self.values)).astype(np.int64)


def by_value(column: str, texts: Sequence[str | None] | NDArray[Any]) -> Groups:
    """A group for each value; what is empty is missing. Raises CannotCollect where there are too many."""
    cells = [MISSING if text is None or text.strip() in NO_LABEL else text.strip() for text in texts]
    values = sorted(set(cells), key=lambda value: (value == MISSING, value))
    if len(values) > MOST:
        raise CannotCollect(
            f"{column}: {len(values)} values are too many groups (at most {MOST}): "
            f"cut a number with `bins: {{{column}: [25, 45, 65]}}`, or group the values in the table"
        )
    numbers = {value: number for number, value in enumerate(values)}
    return Groups(
        (column,), np.array([numbers[cell] for cell in cells], dtype=np.intp), [(v,) for v in values]
    )


def by_bins(column: str, numbers: NDArray[np.float64], cuts: Sequence[float]) -> Groups:
    """Groups of numbers between cuts, each with its lower end; NaN is missing. Raises CannotCollect for such cuts."""
    if not cuts or not np.isfinite(cuts).all() or any(a >= b for a, b in pairwise(cuts)):
        raise CannotCollect(f"{column}: bins must be numbers in ascending order, such as [25, 45, 65]")
    if len(cuts) >= MOST:
        raise CannotCollect(f"{column}: {len(cuts)} cuts make too many groups (at most {MOST})")
    shown = [f"{cut:g}" for cut in cuts]
    between = [f"{low} to <{high}" for low, high in pairwise(shown)]
    labels = [f"<{shown[0]}", *between, f">={shown[-1]}", MISSING]
    bins = np.where(np.isnan(numbers), len(labels) - 1, np.searchsorted(cuts, numbers, side="right"))
    present, of = np.unique(bins, return_inverse=True)
    return Groups((column,), of.astype(np.intp), [(labels[number],) for number in present])


def together(parts: Sequence[Groups]) -> Groups:
    """A group for each combination that there is. Raises CannotCollect where there are too many."""
    first, *others = parts
    of, values = first.of, first.values
    for part in others:
        present, inverse = np.unique(of * len(part.values) + part.of, return_inverse=True)
        values = [values[each // len(part.values)] + part.values[each % len(part.values)] for each in present]
        of = inverse.astype(np.intp)
        if len(values) > MOST_TOGETHER:
            names = BETWEEN.join(part.columns[0] for part in parts)
            raise CannotCollect(
                f"{names}: {len(values)} groups together are too many (at most {MOST_TOGETHER}): "
                "name under `intersections` which attributes are judged together"
            )
    return Groups(tuple(column for part in parts for column in part.columns), of, values)
