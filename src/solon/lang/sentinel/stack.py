"""Room for functions that call themselves: as many frames of Python as 500 calls of Sentinel may take.

The limit is one for the whole process. It is raised while such evaluations run, and then what it was before.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Final

FRAMES: Final = 3_000  # of Python code, which take no stack of C


class _Room:
    def __init__(self) -> None:
        self.lock = Lock()
        self.users = 0
        self.limit = 0  # what it was before


_room: Final = _Room()


@contextmanager
def room() -> Iterator[None]:
    with _room.lock:
        if _room.users == 0:
            _room.limit = sys.getrecursionlimit()
            sys.setrecursionlimit(max(_room.limit, FRAMES))
        _room.users += 1
    try:
        yield
    finally:
        with _room.lock:
            _room.users -= 1
            if _room.users == 0:
                sys.setrecursionlimit(_room.limit)
