"""What a run task asks of HCP Terraform: the plan, and that a result be taken."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any, Final, TypeVar
from urllib.parse import urljoin, urlsplit

import httpx
import orjson

from solon.governance.inert import inert_line
from solon.server.run_task.request import Task

JSON_API: Final = "application/vnd.api+json"
_REDIRECTS: Final = 3
_FIRST_WAIT: Final = 1.0  # seconds; doubled from try to try
_LONGEST_WAIT: Final = 30.0
_GLANCE: Final = 1.0  # seconds of sleep between looks at whether to go on
_ANSWER: Final = 64 << 10
_LOCAL: Final = frozenset(["localhost", "127.0.0.1", "::1"])
T = TypeVar("T")


class Unreachable(Exception):
    """It did not answer as it should, for as long as there was time."""


@dataclass(frozen=True, slots=True)
class Clock:
    """Seconds; replaced by tests."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


class Terraform:
    """From several threads at once. ``client`` follows no redirects, and has no token of its own."""

    def __init__(self, client: httpx.Client, clock: Clock, max_bytes: int) -> None:
        self._client = client
        self._clock = clock
        self._max_bytes = max_bytes

    def plan(self, task: Task, until: float, is_over: Callable[[], bool] = lambda: False) -> bytes:
        """The plan as JSON. Raises Unreachable.

        The answer redirects to an address that holds for a minute; that host gets no token.
        """
        assert task.plan_json_api_url is not None
        url = task.plan_json_api_url

        def ask() -> bytes:
            headers = {"Authorization": f"Bearer {task.access_token}", "Accept": "application/json"}
            at = url
            for _ in range(_REDIRECTS + 1):
                with self._client.stream("GET", at, headers=headers) as response:
                    if response.is_redirect:
                        at = _next(at, response.headers.get("location", ""))
                        headers = {"Accept": "application/json"}
                        continue
                    if response.status_code == 204:
                        raise _Again("the plan is not ready yet")
                    _good(response, "the plan", task)
                    return self._body(response)
            raise Unreachable(f"the plan: more than {_REDIRECTS} redirects")

        return self._patiently(ask, until, is_over)

    def report(self, task: Task, document: Mapping[str, Any], until: float) -> None:
        """Send a result, or word of progress. Raises Unreachable."""
        body = orjson.dumps(document)
        headers = {"Authorization": f"Bearer {task.access_token}", "Content-Type": JSON_API}

        def ask() -> None:
            with self._client.stream(
                "PATCH", task.task_result_callback_url, content=body, headers=headers
            ) as response:
                _good(response, "the result", task)

        self._patiently(ask, until, lambda: False)

    def _body(self, response: httpx.Response) -> bytes:
        parts: list[bytes] = []
        size = 0
        for part in response.iter_bytes():
            size += len(part)
            if size > self._max_bytes:
                raise Unreachable(
                    f"the plan is larger than {self._max_bytes >> 20} MiB: raise --max-size, or split the workspace"
                )
            parts.append(part)
        return b"".join(parts)

    def _patiently(self, ask: Callable[[], T], until: float, is_over: Callable[[], bool]) -> T:
        wait = _FIRST_WAIT
        while True:
            try:
                return ask()
            except _Again as error:
                problem, pause = str(error), max(error.after, wait)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                problem, pause = inert_line(str(error), 200) or type(error).__name__, wait
            if self._clock.now() + pause > until:
                raise Unreachable(problem)
            for _ in range(ceil(pause / _GLANCE)):
                self._clock.sleep(min(pause, _GLANCE))
                pause -= _GLANCE
                if is_over():
                    raise Unreachable(problem)
            wait = min(wait * 2, _LONGEST_WAIT)


class _Again(Exception):
    """What may be different soon; ``after`` seconds at the earliest."""

    def __init__(self, problem: str, after: float = 0.0) -> None:
        super().__init__(problem)
        self.after = after


def _next(at: str, location: str) -> str:
    to = urljoin(at, location)
    if urlsplit(to).scheme != "https" and urlsplit(at).scheme == "https":
        raise Unreachable("the plan: redirected from https to another scheme")
    return to


def _good(response: httpx.Response, what: str, task: Task) -> None:
    status = response.status_code
    if 200 <= status < 300:
        return
    said = b""
    for part in response.iter_bytes():
        said += part
        if len(said) > _ANSWER:
            break
    text = said[:300].decode("utf-8", "replace").replace(task.access_token, "***")
    problem = f"{what}: {response.url.host} answers {status}" + (f": {inert_line(text, 300)}" if text else "")
    if status in {408, 425, 429} or status >= 500:
        after = response.headers.get("retry-after", "")
        raise _Again(problem, float(after) if after.isdecimal() and len(after) < 5 else 0.0)
    raise Unreachable(problem)


def client(timeout: float, ca: str | None, *, local: bool) -> httpx.Client:
    """``local``: tasks come from this machine, and no proxy is between. Raises OSError for ``ca``."""
    import ssl

    return httpx.Client(
        headers={"User-Agent": "solon"},
        timeout=httpx.Timeout(timeout, connect=min(timeout, 10.0)),
        follow_redirects=False,
        trust_env=not local,
        verify=ssl.create_default_context(cafile=ca) if ca else True,
    )


def is_local(origin: str) -> bool:
    return urlsplit(origin).hostname in _LOCAL
