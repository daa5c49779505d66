"""Test cases on several cores: whole policies to each, so that what their cases share is compiled once."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import groupby
from typing import Final

from solon.frameworks.sentinel.cases import Case
from solon.frameworks.sentinel.suite import Setting, SuiteRunner
from solon.frameworks.testing import TestResult
from solon.subjects.documents import collector_spared

WORTH: Final = 1_000  # cases; with fewer, the processes take longer to start than they save
_PARTS: Final = 4  # chunks for each process, since some policies take longer than others

_runner: list[SuiteRunner] = []


def run(cases: Sequence[Case], setting: Setting, cores: int) -> Iterator[TestResult]:
    """The results in the order of the cases."""
    if cores < 2 or len(cases) < WORTH:
        with collector_spared():
            yield from SuiteRunner(setting, time.perf_counter).run(cases)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(cores, context, _begin, (setting,)) as pool:
        for results in pool.map(_run, chunks(cases, cores * _PARTS)):
            yield from results


def chunks(cases: Sequence[Case], count: int) -> list[list[Case]]:
    """About so many parts: cases of policies that lie in one directory stay together where they can."""
    longest = -(-len(cases) // count)
    found: list[list[Case]] = []
    for _, together in groupby(cases, key=lambda case: case.policy):
        group = list(together)
        same = found and os.path.dirname(found[-1][0].policy) == os.path.dirname(group[0].policy)
        if same and len(found[-1]) + len(group) <= longest:
            found[-1] += group
        else:
            found.append(group)
    return found


def _begin(setting: Setting) -> None:
    _runner.append(SuiteRunner(setting, time.perf_counter))


def _run(cases: list[Case]) -> list[TestResult]:
    with collector_spared():
        return list(_runner[0].run(cases))
