"""Which rows are looked at where there are too many: always the same, and spread over the whole table."""

from __future__ import annotations

from typing import Final

_RANGE: Final = 1 << 32
_GOLDEN: Final = (
    2654435769  # the golden ratio of the range: its multiples fall evenly, in no period that data has
)


def spread(rows: int, wanted: int) -> str:
    """SQL that is true of ``wanted`` of a table's rows, more or less by one; of all where it has no more."""
    if rows <= wanted:
        return "true"
    return f"(rowid * {_GOLDEN}) % {_RANGE} < {wanted * _RANGE // rows}"
