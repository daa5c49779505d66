"""A progress bar on standard error, for work that takes longer than a second in a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

Item = TypeVar("Item")


def track(items: Iterable[Item], total: int, doing: str) -> Iterator[Item]:
    """The items, with a bar while they are worked on."""
    if not sys.stderr.isatty():
        yield from items
        return
    started = time.monotonic()
    bar: Any = None
    task: Any = None
    try:
        for done, item in enumerate(items):
            if bar is None and time.monotonic() - started > 1.0:
                bar = _bar()
                task = bar.add_task(doing, total=total, completed=done)
                bar.start()
            yield item
            if bar is not None:
                bar.update(task, completed=done + 1)
    finally:
        if bar is not None:
            bar.stop()


@contextmanager
def counting(doing: str) -> Iterator[Callable[[int], None]]:
    """A function that is told how many more are done, and shows it, of what nobody knows the number of."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    started, shown, done = time.monotonic(), 0.0, 0

    def add(count: int) -> None:
        nonlocal shown, done
        done += count
        now = time.monotonic()
        if now - started > 1.0 and now - shown > 0.1:
            shown = now
            sys.stderr.write(f"\r\x1b[K{doing} {done:,}")
            sys.stderr.flush()

    try:
        yield add
    finally:
        if shown:
            sys.stderr.write("\r\x1b[K")


def _bar() -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
