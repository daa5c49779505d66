"""Group commit: what many threads append while one commit is under way goes to the disk together in the next."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from solon.decisions.log.leaf import Entry


@dataclass(slots=True)
class _Waiting:
    entries: Sequence[Entry]
    first: int = -1
    error: BaseException | None = None
    done: bool = False


class GroupCommit:
    """``append`` returns when its entries are durable, with the index of the first; they follow one another.

    There is no thread of its own: the first caller writes for those who come while it waits. ``rows`` limits a
    commit; ``delay`` is how long a commit waits for company, 0 by default: a disk that is busy is company enough.
    """

    def __init__(
        self, write: Callable[[Sequence[Entry]], int], rows: int = 1_000, delay: float = 0.0
    ) -> None:
        self._write = write
        self._rows = rows
        self._delay = delay
        self._changed = threading.Condition()
        self._queue: deque[_Waiting] = deque()
        self._busy = False

    def append(self, entries: Sequence[Entry]) -> int:
        """Raises what the write raised: then these entries are not acknowledged."""
        mine = _Waiting(entries)
        with self._changed:
            self._queue.append(mine)
            self._changed.notify_all()
        while True:
            with self._changed:
                while self._busy and not mine.done:
                    self._changed.wait()
                if mine.done:
                    break
                self._busy = True
                if self._delay:
                    self._gather(time.monotonic() + self._delay)
                taken = self._taken()
            self._commit(taken)
        if mine.error is not None:
            raise mine.error
        return mine.first

    def _gather(self, until: float) -> None:
        while (
            sum(len(each.entries) for each in self._queue) < self._rows
            and (left := until - time.monotonic()) > 0
        ):
            self._changed.wait(left)

    def _taken(self) -> list[_Waiting]:
        """From the head of the queue: at least one caller's."""
        taken = [self._queue.popleft()]
        rows = len(taken[0].entries)
        while self._queue and rows + len(self._queue[0].entries) <= self._rows:
            taken.append(self._queue.popleft())
            rows += len(taken[-1].entries)
        return taken

    def _commit(self, taken: Sequence[_Waiting]) -> None:
        error: BaseException | None = None
        first = -1
        try:
            first = self._write([entry for each in taken for entry in each.entries])
        except BaseException as raised:  # noqa: BLE001 (every caller whose entries these are raises it)
            error = raised
        with self._changed:
            for each in taken:
                each.first, each.error, each.done = first, error, True
                first += len(each.entries)
            self._busy = False
            self._changed.notify_all()
