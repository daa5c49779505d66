"""What ``solon eval`` can tell of an evaluation besides its result: metrics, coverage, profile, explanation."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

from solon.cli.errors import UsageError
from solon.frameworks.rego_tests import coverage_of
from solon.lang import rego
from solon.lang.profile import Line, Profile
from solon.lang.trace import Mode, Trace
from solon.report import coverage, explanation, profile_lines


@dataclass(frozen=True, slots=True)
class Wanted:
    metrics: bool = False
    coverage: bool = False
    profile: bool = False
    profile_limit: int = 10
    profile_sort: Sequence[str] = ()
    explain: str = "off"  # or a Mode of solon.lang.trace


@dataclass(slots=True)
class Recording:
    """One evaluation's. Raises UsageError where the wanted cannot be had together."""

    wanted: Wanted
    timers: dict[str, int] = field(default_factory=dict)
    watch: Profile | Trace | None = None
    covered: set[Any] | None = None
    program: rego.Program | None = None

    def __post_init__(self) -> None:
        wanted = self.wanted
        unknown = [name for name in wanted.profile_sort if name not in profile_lines.SORTS]
        if unknown:
            known = ", ".join(profile_lines.SORTS)
            raise UsageError(f"--profile-sort {unknown[0]}: unknown; it must be one of {known}")
        if wanted.explain != "off":
            if wanted.profile:
                raise UsageError("--profile and --explain change what is measured: ask for one at a time")
            self.watch = Trace(cast("Mode", wanted.explain))
        elif wanted.profile:
            self.watch = Profile()
        if wanted.coverage:
            self.covered = set()

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        started = time.perf_counter_ns()
        try:
            yield
        finally:
            self.timers[f"timer_rego_{name}_ns"] = time.perf_counter_ns() - started

    def compiled(self, program: rego.Program) -> None:
        self.program = program
        self.timers["timer_rego_module_parse_ns"] = program.parse_ns
        self.timers["timer_rego_module_compile_ns"] = program.compile_ns

    def prepared(self, query: rego.Query) -> None:
        self.timers["timer_rego_query_parse_ns"] = query.parse_ns
        self.timers["timer_rego_query_compile_ns"] = query.compile_ns

    # --- what it tells

    def as_json(self) -> dict[str, Any]:
        """What to add to the document of the result."""
        out: dict[str, Any] = {}
        if isinstance(self.watch, Trace):
            out["explanation"] = explanation.as_json(self.watch)
        if self._has_metrics:
            out["metrics"] = dict(sorted(self.timers.items()))
        if isinstance(self.watch, Profile):
            out["profile"] = profile_lines.as_json(self._lines(self.watch))
        if self.covered is not None and self.program is not None:
            out["coverage"] = coverage.as_json(coverage_of(self.program, self.covered))
        return out

    def before(self, width: int) -> str:
        """What people read before the result."""
        return explanation.render(self.watch, width) if isinstance(self.watch, Trace) else ""

    def behind(self) -> str:
        """What people read after it."""
        out = ""
        if self._has_metrics:
            rows = [(name, f"{ns:,}") for name, ns in sorted(self.timers.items())]
            out += profile_lines.table([("METRIC", "VALUE"), *rows], "lr")
        if isinstance(self.watch, Profile):
            out += profile_lines.render(self._lines(self.watch))
        if self.covered is not None and self.program is not None:
            out += coverage.render(coverage_of(self.program, self.covered))
        return out

    @property
    def _has_metrics(self) -> bool:
        return self.wanted.metrics or self.wanted.profile

    def _lines(self, profile: Profile) -> list[Line]:
        return profile_lines.lines(profile.evaluated(), self.wanted.profile_sort, self.wanted.profile_limit)
