"""The preparations that a pipeline wrote down while it made the training table."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from solon.evidence.collector import Given
from solon.evidence.data import dictionary
from solon.evidence.document import Measured


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One preparation: when it ended (``at``), and the ``digest`` of the table as it left it."""

    name: str
    at: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """The names in order; None where there is no record of this table, and ``unknown`` says why."""

    steps: list[str] | None
    unknown: str = ""


def recorded(given: Given, name: str, training: Measured) -> Record:
    """What a record says of the table that lies here.

    One that gives digests must end with that of this table: else it is the record of another one, which tells nothing.
    Raises CannotCollect.
    """
    steps = [part.value for part in dictionary.parts(given.path(name), name, Step, "step")]
    if any(step.digest for step in steps):
        left = steps[-1].digest
        if not left:
            return Record(None, f"{name} gives digests, and none for its last step, {steps[-1].name}")
        if left != training.digest:
            why = (
                f"{name} records how a table with the digest {left} was made, and {training.path} has another"
            )
            return Record(None, why)
    return Record([step.name for step in steps])
