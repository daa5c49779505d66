"""Collects how a model treats the groups of protected attributes, on data held out."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Final

from solon.evidence.collector import CannotCollect, Collected, Given
from solon.evidence.fairness.result import Fairness
from solon.evidence.release import FairnessPart

if TYPE_CHECKING:
    from solon.evidence.fairness.groups import Groups
    from solon.evidence.performance.predictions import Predictions
    from solon.evidence.tables import Table

_SEED: Final = 20_240_613  # any number: with the same one the same data have the same intervals


def collect(given: Given) -> Collected | None:
    """The attributes that the release names, and those that are judged together. Raises CannotCollect."""
    part = given.release.fairness
    if part is None:
        return None
    _check(part)
    import numpy as np

    from solon.evidence.fairness import groups, measure
    from solon.evidence.performance import predictions

    given.progress("predictions", 0, 0)
    found = predictions.of(given, part)
    _check_labels(found, part)
    one = {column: _groups(found.table, column, part) for column in part.attributes}
    several = part.intersections
    if several is None:
        several = [list(pair) for pair in combinations(part.attributes, 2)]
    asked = [*one.values(), *(groups.together([one[column] for column in columns]) for columns in several)]
    rows = measure.Predictions(found.y_true == found.positive, found.y_pred == found.positive, found.score)
    attributes = {}
    for done, each in enumerate(asked):
        given.progress(each.name, done, len(asked))
        if each.name in attributes:
            raise CannotCollect(f"release.yaml: fairness: {each.name} is asked for twice")
        attributes[each.name] = measure.attribute(each, rows, part.smallest, np.random.default_rng(_SEED))
    result = Fairness(found.table.rows, found.source, found.positive, part.smallest, attributes)
    return Collected(result, part.data, found.measured)


def _check(part: FairnessPart) -> None:
    """What can be wrong with a declaration before any file is read. Raises CannotCollect."""
    wrong = ""
    if not part.attributes:
        wrong = "`attributes` is empty: name the protected columns"
    elif len(set(part.attributes)) < len(part.attributes):
        wrong = "`attributes` names a column twice"
    elif part.label in part.attributes:
        wrong = f"`attributes` has the label, {part.label}: name the protected columns"
    elif part.positive is None:
        wrong = (
            "`positive` is empty: name the label that is the favourable one, or the one that is looked for"
        )
    elif part.smallest < 1:
        wrong = f"`smallest` is {part.smallest}: a group has a row at least; 30 is usual"
    elif unknown := sorted(set(part.bins) - set(part.attributes)):
        wrong = f"`bins` has {unknown[0]}, which is not one of `attributes`"
    for columns in part.intersections or ():
        if unknown := [column for column in columns if column not in part.attributes]:
            wrong = f"`intersections` has {unknown[0]}, which is not one of `attributes`"
        elif len(columns) < 2 or len(set(columns)) < len(columns):
            wrong = f"`intersections` has {columns}: name two columns or more, each once"
    if wrong:
        raise CannotCollect(f"release.yaml: fairness: {wrong}")


def _check_labels(found: Predictions, part: FairnessPart) -> None:
    """A label that is written in another way would be no positive prediction, and nobody would be treated worse.

    Raises CannotCollect.
    """
    predicted, true = set(found.y_pred.tolist()), set(found.y_true.tolist())
    if found.positive not in predicted and predicted - true:
        raise CannotCollect(
            f"{part.data}: no row is predicted {found.positive}, and {min(predicted - true)} is no label of "
            f"`{part.label}`: write the labels and the predictions in the same way"
        )


def _groups(table: Table, column: str, part: FairnessPart) -> Groups:
    from solon.evidence.fairness import groups

    cuts = part.bins.get(column)
    if cuts is None:
        return groups.by_value(column, table.texts(column))
    numbers = table.numbers(column)
    if numbers.wrong.any():
        row = int(numbers.wrong.argmax()) + 1
        raise CannotCollect(
            f"{table.name}: `{column}` is not a number in row {row}, and cannot be cut by `bins`"
        )
    return groups.by_bins(column, numbers.values, cuts)
