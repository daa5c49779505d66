"""Sends a batch so that one event that is refused does not hold up the others, and none is given up for a bad day."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from solon.decisions.log.reading import Stored

_SAMPLE: Final = 20  # unwanted events, one after the other, until it is held to be the receiver


class Down(Exception):
    """The receiver cannot be reached, or says that it cannot: to be tried again. ``after`` is in seconds."""

    def __init__(self, message: str, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after


class TooLarge(Exception):
    """The receiver takes less at once."""


class Unwanted(Exception):
    """The receiver will not take something in there."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """``count`` of the entries from ``first`` to ``last`` that a receiver would not take, and what it said."""

    first: Stored
    last: Stored
    count: int
    problem: str


Send = Callable[[Sequence[Stored]], Refusal | None]


@dataclass(slots=True)
class Delivered:
    """What became of a batch. ``left`` is the first entry that is to be sent again, where ``down`` says why."""

    accepted: int = 0
    refused: list[Refusal] = field(default_factory=list)
    down: Down | None = None
    left: Stored | None = None


def deliver(batch: Sequence[Stored], send: Send) -> Delivered:
    """Halves what is too large or unwanted until it is taken, or is one event.

    An event counts as refused where another one was taken, or where it alone is too large. Where all are unwanted it is
    the receiver, or its address, that is wrong: then nothing is given up.
    """
    done = Delivered()
    unwanted: list[Refusal] = []
    pending = [list(batch)] if batch else []
    while pending:
        part = pending[-1]
        try:
            partly = send(part)
        except Down as error:
            done.down = error
            break
        except (TooLarge, Unwanted) as error:
            pending.pop()
            if len(part) > 1:
                half = len(part) // 2
                pending += [part[half:], part[:half]]
                continue
            refusal = Refusal(part[0], part[0], 1, str(error))
            if isinstance(error, TooLarge):
                done.refused.append(refusal)
                continue
            unwanted.append(refusal)
            if not done.accepted and len(unwanted) >= _SAMPLE:
                break
        else:
            pending.pop()
            done.accepted += len(part) - (partly.count if partly else 0)
            done.refused += [partly] if partly else []
    if unwanted and not done.accepted:
        done.down = done.down or Down(unwanted[0].problem)
        done.left = unwanted[0].first
        done.refused = [each for each in done.refused if each.first.index < done.left.index]
    else:
        done.refused = sorted([*done.refused, *unwanted], key=lambda each: each.first.index)
        done.left = pending[-1][0] if pending else None
    return done
