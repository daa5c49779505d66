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

    ``problems`` are values that break the dictionary's schema, each in a line with how many.
    """

    type: str
    rows: int
    missing: int
    declared: bool
    category: str = ""
    suspected: str = ""
    problems: list[str] = []
    detected: list[Detection] = []


class Data(msgspec.Struct, frozen=True):
    """``absent`` are columns that the dictionary has and the table has not."""

    rows: int
    columns: dict[str, Column]
    absent: list[str]
    steps_required: list[str]
    steps_recorded: list[str]
    looked_at: int  # rows whose text was searched for personal data


class DriftColumn(msgspec.Struct, frozen=True, omit_defaults=True):
    """One column, in training and in serving.

    ``psi`` is the population stability index over ten quantile bins or the categories, ``statistic`` that of ``test``:
    ``ks`` (numbers) or ``chi-square`` (categories). A p-value on many rows always finds something: judge by the index.
    """

    kind: str
    n_training: int
    n_serving: int
    psi: float | None = None
    test: str = ""
    statistic: float | None = None
    p_value: float | None = None
    missing_training: float = 0.0
    missing_serving: float = 0.0
    unseen: list[str] = []
    unknown: str = ""


class Drift(msgspec.Struct, frozen=True, omit_defaults=True):
    """``overall`` is the mean of the columns' indices, None where one of them is unknown."""

    columns: dict[str, DriftColumn]
    absent: list[str]
    largest: str = ""
    overall: float | None = None
