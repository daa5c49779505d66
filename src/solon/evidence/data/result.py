"""What is found of data, and of drift."""

from __future__ import annotations

import msgspec


class Detection(msgspec.Struct, frozen=True):
    """Personal data in the values of a column: ``kind`` such as ``email``, in ``rows`` of the ``looked_at``."""

    kind: str
    rows: int
    looked_at: int


class Column(msgspec.Struct, frozen=True, omit_defaults=True):
    """``category`` is what the dictionary says (``personal``, ``health``, ``protected`` …), ``suspected`` what the name says.

    ``problems`` are values that break the dictionary's schema, each in a line with how many. ``detected`` is what the
    rows that were looked at show, and says nothing of others. ``cut`` of them were searched in their first characters
    only; ``unsearched`` says why none was.
    """

    type: str
    rows: int
    missing: int
    declared: bool
    category: str = ""
    suspected: str = ""
    problems: list[str] = []
    detected: list[Detection] = []
    cut: int = 0
    unsearched: str = ""


class Data(msgspec.Struct, frozen=True, omit_defaults=True):
    """``absent`` are columns that the dictionary has and the table has not.

    ``steps_declared`` are the preparations that release.yaml says were done, ``steps_recorded`` those that the pipeline
    wrote down, in order. The latter is None where there is no record of this table, and ``steps_unknown`` says why.
    """

    rows: int
    columns: dict[str, Column]
    absent: list[str]
    steps_declared: list[str]
    looked_at: int  # rows whose text was searched for personal data
    steps_recorded: list[str] | None = None
    steps_unknown: str = ""


class DriftColumn(msgspec.Struct, frozen=True, omit_defaults=True):
    """One column, in training and in serving.

    ``kind`` is ``number`` or ``category``. ``n_training`` and ``n_serving`` count the values that are not missing. ``psi`` is
    the population stability index over ten quantile bins of training, or over the categories; ``noise`` is the index that
    samples of these sizes exceed in one of twenty cases without any drift. ``statistic`` is that of ``test``: ``ks``
    (numbers) or ``chi-square`` (categories). A p-value on many rows always finds something: judge by the index.
    ``unseen`` is the share of serving values that training never had (beyond its least and greatest, of numbers), and
    ``unseen_values`` are some of them; none are shown that may be personal. ``unknown`` says why there is no index.
    """

    kind: str
    n_training: int
    n_serving: int
    psi: float | None = None
    noise: float | None = None
    test: str = ""
    statistic: float | None = None
    p_value: float | None = None
    missing_training: float | None = None
    missing_serving: float | None = None
    unseen: float | None = None
    unseen_values: list[str] = []
    unknown: str = ""


class Drift(msgspec.Struct, frozen=True, omit_defaults=True):
    """``absent`` are columns that only one of the tables has, or that were asked for and neither has.

    ``largest`` is the column with the largest index. ``overall`` is the mean of the columns' indices, None where one of them
    is unknown.
    """

    columns: dict[str, DriftColumn]
    absent: list[str]
    largest: str = ""
    overall: float | None = None
