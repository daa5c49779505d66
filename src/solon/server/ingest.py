"""OPA's upload protocol: ``POST /logs`` and ``POST /logs/{partition}``, answered when the events are durable.

Beside it ``GET /healthz``, and ``GET /metrics``.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

import anyio.to_thread
from anyio import CapacityLimiter
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from solon.decisions.ingest import Limits, Received, Receiver, Refused
from solon.decisions.log.errors import LogError
from solon.server.metrics import Metrics

_AT_ONCE: Final = 4  # uploads that are worked on; others wait, with their bodies in memory
_HELD: Final = 128 << 20  # bytes of bodies in memory
_SLOWEST: Final = 60.0  # seconds for a body to arrive
_SHOWN: Final = 100
_AGAIN: Final = {"Retry-After": "5"}


class Ingest:
    """The application. ``say`` is told what a person should know; ``every`` is how often checkpoints are signed."""

    def __init__(
        self,
        receiver: Receiver,
        limits: Limits,
        *,
        token: str = "",
        every: float | None = None,
        sign: Callable[[], None] = lambda: None,
        say: Callable[[str], None] = lambda _text: None,
        metrics: Metrics | None = None,
    ) -> None:
        self._metrics = metrics
        self._receiver = receiver
        self._limits = limits
        self._token = token.encode()
        self._every = every
        self._sign = sign
        self._say = say
        self._held = 0
        self._threads = CapacityLimiter(_AT_ONCE)

    def application(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/logs", self.logs, methods=["POST"]),
                Route("/logs/{partition:path}", self.logs, methods=["POST"]),
                Route("/healthz", self.health, methods=["GET"]),
                *([Route("/metrics", self.metrics, methods=["GET"])] if self._metrics is not None else []),
            ],
            lifespan=self._lifespan,
        )

    @asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        signing = asyncio.create_task(self._signing())
        try:
            yield
        finally:
            signing.cancel()
            if self._every is not None:
                await self._signed()

    async def _signing(self) -> None:
        while self._every is not None:
            await asyncio.sleep(self._every)
            await self._signed()

    async def _signed(self) -> None:
        try:
            await anyio.to_thread.run_sync(self._sign)
        except (LogError, OSError) as error:
            self._say(f"no checkpoint: {error}")

    # --- requests

    async def health(self, _request: Request) -> Response:
        problem = self._receiver.problem
        said = {"status": "failing" if problem else "ok", "shard": self._receiver.shard}
        if problem:
            return JSONResponse(said | {"problem": problem}, 503)
        return JSONResponse(said | {"entries": self._receiver.entries()})

    async def metrics(self, request: Request) -> Response:
        assert self._metrics is not None
        try:
            self._known(request)
        except Refused as error:
            return JSONResponse({"error": str(error)}, error.status, headers={"WWW-Authenticate": "Bearer"})
        return await self._metrics.answer(request)

    async def logs(self, request: Request) -> Response:
        try:
            self._allowed(request)
            held = 0
            try:
                parts: list[bytes] = []
                async for part in self._body(request):
                    held += len(part)
                    self._held += len(part)
                    parts.append(part)
                body = b"".join(parts)
                del parts
                encoding = request.headers.get("content-encoding", "").strip().lower()
                partition = request.path_params.get("partition", "")
                received = await anyio.to_thread.run_sync(
                    self._receiver.receive, body, encoding, partition, limiter=self._threads
                )
            finally:
                self._held -= held
        except Refused as error:
            headers = {"WWW-Authenticate": "Bearer"} if error.status == 401 else None
            if error.status == 503:
                headers = _AGAIN
            # What is left of the body would be read as the next request.
            return JSONResponse(
                {"error": str(error)}, error.status, headers={**(headers or {}), "Connection": "close"}
            )
        except LogError as error:
            self._say(str(error))
            return JSONResponse({"error": f"not durable, send it again: {error}"}, 503, headers=_AGAIN)
        except ClientDisconnect:
            return Response(status_code=400)
        return self._answer(request, received)

    def _known(self, request: Request) -> None:
        """Whether who asks has the token. Raises Refused."""
        if self._token:
            scheme, _, given = request.headers.get("authorization", "").partition(" ")
            if scheme.lower() != "bearer" or not hmac.compare_digest(
                given.strip().encode("latin-1"), self._token
            ):
                raise Refused(401, "a bearer token is needed, and this is not the one")

    def _allowed(self, request: Request) -> None:
        self._known(request)
        if "origin" in request.headers:
            raise Refused(403, "a web page may not send decisions")
        media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media != "application/json":
            raise Refused(415, "send Content-Type: application/json")
        length = request.headers.get("content-length", "0")
        if length.isdecimal() and int(length) > self._limits.body:
            raise self._too_large()

    def _too_large(self) -> Refused:
        return Refused(413, f"a body has at most {self._limits.body:,} bytes as it is sent")

    async def _body(self, request: Request) -> AsyncIterator[bytes]:
        size = 0
        until = asyncio.get_running_loop().time() + _SLOWEST
        stream = request.stream()
        while True:
            try:
                async with asyncio.timeout_at(until):
                    part = await anext(stream)
            except StopAsyncIteration:
                return
            except TimeoutError:
                raise Refused(408, f"the body did not arrive within {_SLOWEST:.0f} s") from None
            size += len(part)
            if size > self._limits.body:
                raise self._too_large()
            if self._held + len(part) > _HELD:
                raise Refused(503, "too many uploads at once: send it again")
            yield part

    def _answer(self, request: Request, received: Received) -> Response:
        said: dict[str, Any] = {
            "kept": received.kept,
            "duplicates": received.duplicates,
            "dropped": received.dropped,
        }
        if not received.refused:
            return JSONResponse(said)
        client = request.client.host if request.client else "someone"
        index, problem = received.refused[0]
        more = f", and {len(received.refused) - 1} more" if len(received.refused) > 1 else ""
        self._say(f"{client}: event {index} {problem}{more}: set aside")
        said["refused"] = [
            {"index": index, "problem": problem} for index, problem in received.refused[:_SHOWN]
        ]
        return JSONResponse(said, 207)
