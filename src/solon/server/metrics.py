"""GET /metrics: Prometheus' text, counted at most every so often, whoever asks and how many."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from solon.decisions.log.errors import LogError

EVERY: Final = 60.0
TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """``count`` reads the log, in a thread; ``now`` is a clock that never goes back."""

    def __init__(self, count: Callable[[], str], now: Callable[[], float], every: float = EVERY) -> None:
        self._count = count
        self._now = now
        self._every = every
        self._text = ""
        self._counted: float | None = None
        self._counting = asyncio.Lock()

    async def answer(self, _request: Request) -> Response:
        async with self._counting:
            if self._counted is None or self._now() - self._counted >= self._every:
                try:
                    self._text = await anyio.to_thread.run_sync(self._count)
                except (LogError, OSError) as error:
                    return PlainTextResponse(f"{error}\n", 503)
                self._counted = self._now()
        return Response(self._text, media_type=TYPE)
