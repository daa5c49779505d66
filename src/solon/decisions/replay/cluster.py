"""Judging on a Ray cluster (the extra ``ray``): an actor for each of its cores, given events in chunks.

Ray sends the policy repository to the machines. Solon must be installed on them, in the same version.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

from solon import __version__
from solon.decisions.replay.judging import Verdict
from solon.decisions.replay.pool import LOST, Chunk, InOrder, Loader, PoolError, Reading

_MISSING: Final = "--on ray needs Ray: pip install 'solon[ray]'"
_EACH: Final = 2  # chunks that an actor has
_EXCLUDED: Final = (".git", ".venv")
_TRIES: Final = 3  # of an actor that is lost while it judges a single event


class Cluster:
    """``directory`` is what the machines get, without the ``log``: the paths of the candidate must be inside of it."""

    def __init__(self, load: Loader, jobs: int, *, directory: str, paths: Sequence[str], log: str) -> None:
        """Raises PoolError."""
        self._load = load
        self._jobs = jobs
        self._directory = os.path.realpath(directory)
        for path in (os.curdir, *paths):
            inside = os.path.relpath(os.path.realpath(path), self._directory)
            if inside.split(os.sep)[0] == os.pardir:
                raise PoolError(
                    f"--on ray sends {self._directory} to the cluster, and {path} is not in it: run it there, or "
                    "copy the candidate into it"
                )
        beside = os.path.relpath(os.path.realpath(log), self._directory)
        self._excluded = [*_EXCLUDED, f"/{beside}"]
        try:
            import ray
        except ImportError:
            raise PoolError(_MISSING) from None
        self._ray = ray

    def __call__(self, events: Iterable[bytes | None]) -> Iterator[Verdict]:
        """Raises PoolError."""
        ray = self._ray
        try:
            ours = not ray.is_initialized()
            ray.init(
                ignore_reinit_error=True,
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.ERROR,
                runtime_env={"working_dir": self._directory, "excludes": self._excluded},
            )
        except (ConnectionError, RuntimeError, ValueError, OSError) as error:
            raise PoolError(f"Ray does not start: {_first_line(error)}") from None
        try:
            yield from self._judged(events)
        finally:
            if ours:
                ray.shutdown()

    def _judged(self, events: Iterable[bytes | None]) -> Iterator[Verdict]:
        ray = self._ray
        count = self._jobs or max(1, int(ray.cluster_resources().get("CPU", 1)))
        start = os.path.relpath(os.getcwd(), self._directory)
        make = ray.remote(num_cpus=1, max_restarts=-1)(_Actor)
        actors = [make.remote(self._load, start, __version__) for _ in range(count)]
        self._ready(actors)
        source, done = Reading(events), InOrder()
        under_way: dict[Any, tuple[Any, Chunk]] = {}
        busy = [0] * count
        while True:
            source.ahead(count * _EACH)
            for at, actor in enumerate(actors):
                while busy[at] < _EACH and (chunk := source.take()) is not None:
                    under_way[actor.judged.remote(chunk.events)] = (at, chunk)
                    busy[at] += 1
            if not under_way:
                if source.ended:
                    return
                continue
            (ready,), _ = ray.wait(list(under_way), num_returns=1)
            at, chunk = under_way.pop(ready)
            busy[at] -= 1
            try:
                verdicts = ray.get(ready)
            except ray.exceptions.RayError:
                verdicts = [self._alone(actors[at], event) for event in chunk.events]
            yield from done.add(chunk.number, verdicts)

    def _ready(self, actors: Sequence[Any]) -> None:
        """Raises PoolError where one cannot load the candidate."""
        ray = self._ray
        try:
            for said in ray.get([actor.ready.remote() for actor in actors]):
                if said:
                    raise PoolError(said)
        except ray.exceptions.RayError as error:
            raise PoolError(f"the machines of the cluster cannot judge: {_first_line(error)}") from None

    def _alone(self, actor: Any, event: bytes) -> Verdict:
        """One event of a chunk that an actor was lost with: the one that it died of is not judged."""
        ray = self._ray
        for _ in range(_TRIES):
            try:
                verdict: Verdict = ray.get(actor.judged.remote([event]))[0]
            except ray.exceptions.RayError:
                continue
            return verdict
        return Verdict(problem=f"{LOST} was lost")


class _Actor:
    """What runs on a machine of the cluster, in the copy of the directory there."""

    def __init__(self, load: Loader, start: str, version: str) -> None:
        self._judge: Callable[[bytes], Verdict] | None = None
        self._problem = ""
        if version != __version__:
            self._problem = f"a machine of the cluster has Solon {__version__}, and this one has {version}"
            return
        try:
            os.chdir(start)
            self._judge = load()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told, and nothing is judged
            self._problem = str(error) or type(error).__name__

    def ready(self) -> str:
        """Why nothing can be judged, or nothing."""
        return self._problem

    def judged(self, events: list[bytes]) -> list[Verdict]:
        assert self._judge is not None
        return [self._judge(event) for event in events]


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
