"""Which lines of policies and modules tests reach, seen by Python as it runs what they were compiled to."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

from solon.frameworks.rego_tests import FileCoverage
from solon.lang.sentinel import Program
from solon.lang.source import Span

Origins = Sequence[Callable[[], Span] | None]


class Reached:
    """The lines of Python that were run, by the list of what they come from."""

    def __init__(self) -> None:
        self._lines: dict[int, tuple[Origins, set[int]]] = {}

    @contextmanager
    def watching(self) -> Iterator[None]:
        before = sys.gettrace()
        sys.settrace(self._called)
        try:
            yield
        finally:
            sys.settrace(before)

    def _called(self, frame: FrameType, _event: str, _argument: Any) -> Any:
        origins = frame.f_globals.get("ORIGINS")
        if origins is None:
            return None
        lines = self._lines.setdefault(id(origins), (origins, set()))[1]

        def passed(frame: FrameType, event: str, _argument: Any) -> Any:
            if event == "line":
                lines.add(frame.f_lineno - 1)
            return passed

        return passed

    def coverage(self, programs: Iterable[Program]) -> Mapping[str, FileCoverage]:
        """The rows of each file that were reached, and those that were not."""
        found = {}
        for program in sorted(programs, key=lambda program: program.name):
            origins = program.code.unit.origins
            lines = self._lines.get(id(origins), (origins, set()))[1]
            rows = {origin().row for origin in origins if origin is not None}
            reached = {origin().row for n in lines if (origin := origins[n]) is not None}
            found[program.name] = FileCoverage(tuple(sorted(reached)), tuple(sorted(rows - reached)))
        return found
