"""The webhook of a run task: answered at once, then the plan is judged and the result sent.

HCP Terraform waits ten minutes for a sign of life, and an hour for the result; then a mandatory task has failed. So a
task that is lost with this process stops its run.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from threading import Event
from typing import Any, Final

import anyio.to_thread
from anyio import CapacityLimiter
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from solon.governance.inert import inert_line
from solon.report import run_task as results
from solon.server.run_task.request import SIGNATURE, Origins, Refused, Task, read
from solon.server.run_task.terraform import Clock, Terraform, Unreachable

_MAX_BODY: Final = 1 << 20
_SLOWEST: Final = 30.0  # seconds for a body to arrive
_REMEMBERED: Final = 10_000
NO_PLAN_YET: Final = "Solon judges plans, and before the plan there is none: attach this task to post-plan"
STOPPED: Final = "Solon was stopped before it had judged the plan: run the task again"

Judge = Callable[[Task, bytes, Callable[[], bool]], dict[str, Any]]
"""Judges a plan, and gives the document of the result. May ask whether it should give up. Raises Unjudged."""


class Unjudged(Exception):
    """The plan could not be judged: why, in a line."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Times in seconds, from the moment a task came. ``waiting`` counts tasks that are accepted and not done."""

    total: float = 55 * 60.0
    heartbeat: float = 4 * 60.0
    reporting: float = 4 * 60.0  # kept back for sending the result
    farewell: float = 15.0  # for sending a result once Solon is told to end
    waiting: int = 200
    at_once: int = 2


@dataclass(frozen=True, slots=True)
class Trust:
    """Who may ask. ``key`` is empty where requests are not signed."""

    key: bytes
    origins: Origins


class RunTasks:
    """The application. ``is_open``: what cannot be judged passes. ``say`` is told what a person should know."""

    def __init__(
        self,
        trust: Trust,
        terraform: Terraform,
        judge: Judge,
        *,
        clock: Clock,
        limits: Limits = Limits(),
        is_open: bool = False,
        say: Callable[[str], None] = lambda _text: None,
    ) -> None:
        self._trust = trust
        self._terraform = terraform
        self._judge = judge
        self._clock = clock
        self._limits = limits
        self._is_open = is_open
        self._say = say
        self._known: OrderedDict[str, None] = OrderedDict()  # tasks that came: they may come twice
        self._under_way: set[asyncio.Task[None]] = set()
        self._stopping = Event()
        self._threads = CapacityLimiter(limits.at_once)
        self._senders = CapacityLimiter(16)  # results and signs of life wait for no plan

    def application(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/healthz", self.health, methods=["GET"]),
                Route("/{path:path}", self.asked, methods=["POST"]),
            ],
            lifespan=self._lifespan,
        )

    @asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        try:
            yield
        finally:
            self._stopping.set()
            if self._under_way:
                await asyncio.wait(self._under_way)

    async def health(self, _request: Request) -> Response:
        return JSONResponse({"status": "ok", "tasks": len(self._under_way)})

    async def asked(self, request: Request) -> Response:
        try:
            body = await self._body(request)
            task = read(body, request.headers.get(SIGNATURE, ""), self._trust.key, self._trust.origins)
            if not task.is_trial:
                self._accept(task)
        except Refused as error:
            client = request.client.host if request.client else "someone"
            self._say(f"{client}: refused: {inert_line(str(error), 300)}")
            return JSONResponse({"error": str(error)}, error.status, headers={"Connection": "close"})
        except ClientDisconnect:
            return Response(status_code=400)
        return Response(status_code=200)

    def _accept(self, task: Task) -> None:
        if task.task_result_id in self._known:
            return
        if self._stopping.is_set() or len(self._under_way) >= self._limits.waiting:
            raise Refused(503, "too many tasks at once: send it again")
        self._known[task.task_result_id] = None
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        work = asyncio.create_task(self._work(task, self._clock.now()))
        self._under_way.add(work)
        work.add_done_callback(self._under_way.discard)

    async def _body(self, request: Request) -> bytes:
        body = b""
        try:
            async with asyncio.timeout(_SLOWEST):
                async for part in request.stream():
                    body += part
                    if len(body) > _MAX_BODY:
                        raise Refused(413, f"a run task has at most {_MAX_BODY:,} bytes")
        except TimeoutError:
            raise Refused(408, f"the body did not arrive within {_SLOWEST:.0f} s") from None
        return body

    # --- a task

    async def _work(self, task: Task, came: float) -> None:
        name = inert_line(f"{task.organization_name}/{task.workspace_name} {task.run_id}", 200)
        until = came + self._limits.total
        alive = asyncio.create_task(self._alive(task, until))
        try:
            result = await anyio.to_thread.run_sync(
                self._result, task, until - self._limits.reporting, limiter=self._threads
            )
        except Exception as error:  # noqa: BLE001 - whatever it was, the run is told, and the server goes on
            self._say(f"{name}: {type(error).__name__}: {inert_line(str(error), 300)}")
            result = self._unjudged("an error inside Solon; its output has more")
        finally:
            alive.cancel()
        attributes = result["data"]["attributes"]
        if self._stopping.is_set():
            until = min(until, self._clock.now() + self._limits.farewell)
        try:
            await anyio.to_thread.run_sync(self._terraform.report, task, result, until, limiter=self._senders)
            self._say(f"{name}: {attributes['status']}: {attributes['message']}")
        except Unreachable as error:
            self._say(f"{name}: {attributes['status']}, and it could not be reported: {error}")

    async def _alive(self, task: Task, until: float) -> None:
        document = results.document("running", "Solon is judging the plan")
        while True:
            await asyncio.sleep(self._limits.heartbeat)
            try:
                await anyio.to_thread.run_sync(
                    self._terraform.report, task, document, min(until, self._clock.now() + 30.0),
                    limiter=self._senders,
                )  # fmt: skip
            except Unreachable as error:
                self._say(f"{inert_line(task.run_id, 100)}: no sign of life could be sent: {error}")

    def _result(self, task: Task, until: float) -> dict[str, Any]:
        if task.plan_json_api_url is None:
            return self._unjudged(NO_PLAN_YET)
        if self._stopping.is_set():
            return self._unjudged(STOPPED)
        try:
            plan = self._terraform.plan(task, until, self._stopping.is_set)
            return self._judge(task, plan, lambda: self._stopping.is_set() or self._clock.now() > until)
        except Unjudged as error:
            return self._unjudged(str(error) or STOPPED)
        except Unreachable as error:
            if self._stopping.is_set():
                return self._unjudged(STOPPED)
            return self._unjudged(f"The plan could not be fetched: {error}")

    def _unjudged(self, problem: str) -> dict[str, Any]:
        return results.document("passed" if self._is_open else "failed", f"Not judged: {problem}")
