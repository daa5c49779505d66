"""What MLflow tells when something changed: taken as a reason to look, never for what it says.

(MLflow 3, "Webhooks": ``X-MLflow-Signature: v1,BASE64(HMAC-SHA256(secret, "ID.TIMESTAMP.BODY"))``.)
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

SIGNATURE: Final = "x-mlflow-signature"
DELIVERY: Final = "x-mlflow-delivery-id"
TIMESTAMP: Final = "x-mlflow-timestamp"
WINDOW: Final = 300  # seconds that a delivery may be old, or early by another clock
_MAX_BODY: Final = 1 << 20
_SLOWEST: Final = 10.0  # seconds for a body to arrive
_REMEMBERED: Final = 20_000
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,100}", re.ASCII)
_TIME: Final = re.compile(r"[0-9]{1,12}", re.ASCII)


class Refused(Exception):
    """A delivery that is not believed: an HTTP status, and why."""

    def __init__(self, status: int, problem: str) -> None:
        super().__init__(problem)
        self.status = status


class Told(msgspec.Struct, frozen=True):
    """What changed: ``model_version_alias`` was ``created``."""

    entity: str
    action: str


@dataclass
class Deliveries:
    """The deliveries of the last minutes, so that each is taken once."""

    limit: int = _REMEMBERED
    _seen: OrderedDict[str, int] = field(default_factory=OrderedDict)

    def is_new(self, delivery: str, now: int) -> bool:
        """Remember it. Raises Refused where there are more than can be remembered for as long as they are valid."""
        while self._seen and next(iter(self._seen.values())) < now - 2 * WINDOW:
            self._seen.popitem(last=False)
        if delivery in self._seen:
            return False
        if len(self._seen) >= self.limit:
            raise Refused(503, "too many deliveries at once: send it again")
        self._seen[delivery] = now
        return True


def opened(body: bytes, headers: Mapping[str, str], secret: bytes, now: int) -> tuple[Told, str]:
    """What a delivery says, and its id. ``headers`` have names in lower case, ``now`` is seconds. Raises Refused."""
    delivery, at = headers.get(DELIVERY, ""), headers.get(TIMESTAMP, "")
    if not _ID.fullmatch(delivery) or not _TIME.fullmatch(at):
        raise Refused(400, f"no webhook of MLflow: {DELIVERY} or {TIMESTAMP} is missing")
    signed = b".".join([delivery.encode(), at.encode(), body])
    wanted = b"v1," + base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest())
    # Compared as bytes, and always: how long it takes says nothing about what was expected.
    if not hmac.compare_digest(wanted, headers.get(SIGNATURE, "").encode("utf-8", "replace")):
        raise Refused(401, f"{SIGNATURE} is not that of this delivery with the webhook's secret")
    if abs(now - int(at)) > WINDOW:
        raise Refused(401, f"sent more than {WINDOW} s from now")
    try:
        return msgspec.json.decode(body, type=Told), delivery
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(400, f"no webhook of MLflow: {error}") from None


def application(
    secret: bytes,
    *,
    clock: Callable[[], float],
    look: Callable[[Told], None],
    health: Callable[[], Mapping[str, object]],
    say: Callable[[str], None],
) -> Starlette:
    """POST anywhere tells that something changed. ``look`` must not wait."""
    known = Deliveries()

    async def told(request: Request) -> Response:
        try:
            body = await _body(request)
            now = int(clock())
            said, delivery = opened(body, request.headers, secret, now)
            if known.is_new(delivery, now):
                look(said)
        except Refused as error:
            client = request.client.host if request.client else "someone"
            say(f"{client}: refused: {error}")
            return JSONResponse({"error": str(error)}, error.status, headers={"Connection": "close"})
        except ClientDisconnect:
            return Response(status_code=400)
        return Response(status_code=200)

    async def healthy(_request: Request) -> Response:
        said = health()
        return JSONResponse(said, 200 if said.get("status") == "ok" else 503)

    return Starlette(
        routes=[
            Route("/healthz", healthy, methods=["GET"]),
            Route("/{path:path}", told, methods=["POST"]),
        ]
    )


async def _body(request: Request) -> bytes:
    body = b""
    try:
        async with asyncio.timeout(_SLOWEST):
            async for part in request.stream():
                body += part
                if len(body) > _MAX_BODY:
                    raise Refused(413, f"a webhook has at most {_MAX_BODY:,} bytes")
    except TimeoutError:
        raise Refused(408, f"the body did not arrive within {_SLOWEST:.0f} s") from None
    return body
