"""Webhooks of MLflow: which are believed, and that each is taken once."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from solon.server.mlflow.webhook import WINDOW, Deliveries, Refused, Told, application, opened

SECRET = b"s3cret"
NOW = 1_795_000_000
BODY = b'{"entity": "model_version_alias", "action": "created", "data": {"name": "adult"}}'
ID = "0b2f7c1e-6a50-4a6e-8a49-3a1f8d2f8b11"
# Made with openssl: printf '%s.%s.%s' "$ID" 1795000000 "$BODY" | openssl dgst -sha256 -hmac s3cret -binary | base64
SIGNATURE = "v1,bCLXYdEZeVlX7c/WY7UWVm9pWBsjUvfaFuNyPFbi2pA="


def headers(**changes: str) -> dict[str, str]:
    said = {"signature": SIGNATURE, "delivery-id": ID, "timestamp": str(NOW)} | {
        key.replace("_", "-"): value for key, value in changes.items()
    }
    return {f"x-mlflow-{key}": value for key, value in said.items()}


def test_a_signed_delivery_is_opened() -> None:
    assert opened(BODY, headers(), SECRET, NOW) == (Told("model_version_alias", "created"), ID)


@pytest.mark.parametrize(
    ("changes", "body", "secret", "now", "status"),
    [
        ({"signature": ""}, BODY, SECRET, NOW, 401),
        ({"signature": "v1,"}, BODY, SECRET, NOW, 401),
        ({"signature": SIGNATURE[3:]}, BODY, SECRET, NOW, 401),
        ({"signature": "v2" + SIGNATURE[2:]}, BODY, SECRET, NOW, 401),
        ({"signature": SIGNATURE + " "}, BODY, SECRET, NOW, 401),
        ({"signature": "ü"}, BODY, SECRET, NOW, 401),
        ({}, BODY + b" ", SECRET, NOW, 401),
        ({}, BODY, b"other", NOW, 401),
        ({"delivery_id": ID[:-1] + "2"}, BODY, SECRET, NOW, 401),
        ({"timestamp": str(NOW + 1)}, BODY, SECRET, NOW, 401),
        ({}, BODY, SECRET, NOW + WINDOW + 1, 401),
        ({}, BODY, SECRET, NOW - WINDOW - 1, 401),
        ({"delivery_id": ""}, BODY, SECRET, NOW, 400),
        ({"delivery_id": "a.b"}, BODY, SECRET, NOW, 400),
        ({"delivery_id": "a" * 101}, BODY, SECRET, NOW, 400),
        ({"timestamp": ""}, BODY, SECRET, NOW, 400),
        ({"timestamp": "-1"}, BODY, SECRET, NOW, 400),
        ({"timestamp": "1e9"}, BODY, SECRET, NOW, 400),
        ({"timestamp": "١٧٩٥"}, BODY, SECRET, NOW, 400),
        ({"timestamp": "9" * 400}, BODY, SECRET, NOW, 400),
    ],
)
def test_what_is_not_signed_now_is_refused(
    changes: dict[str, str], body: bytes, secret: bytes, now: int, status: int
) -> None:
    with pytest.raises(Refused) as refused:
        opened(body, headers(**changes), secret, now)
    assert refused.value.status == status


def test_a_point_cannot_move_between_the_parts() -> None:
    # ID.TIMESTAMP.BODY is one text: `ID.1795000000` with another time and a shorter body would have the same signature.
    with pytest.raises(Refused):
        opened(BODY, headers(delivery_id=f"{ID}.{NOW}", timestamp=str(NOW)), SECRET, NOW)


@given(st.binary(max_size=200), st.text(max_size=50), st.text(max_size=20), st.text(max_size=60))
def test_no_delivery_breaks_it(body: bytes, delivery: str, at: str, signature: str) -> None:
    with pytest.raises(Refused):
        opened(body, headers(delivery_id=delivery, timestamp=at, signature=signature), SECRET, NOW)


def test_a_delivery_is_new_once_within_the_time_it_is_valid() -> None:
    known = Deliveries()
    assert known.is_new("a", NOW)
    assert not known.is_new("a", NOW + 2 * WINDOW)
    assert known.is_new("b", NOW + 2 * WINDOW)


def test_memory_is_bounded_and_nothing_valid_is_forgotten() -> None:
    known = Deliveries(limit=3)
    assert all(known.is_new(str(number), NOW) for number in range(3))
    with pytest.raises(Refused) as refused:
        known.is_new("another", NOW)
    assert refused.value.status == 503
    assert not known.is_new("0", NOW)
    assert known.is_new("another", NOW + 2 * WINDOW + 1)


def asked(*requests: tuple[bytes, dict[str, str]]) -> tuple[list[int], list[Told]]:
    """The answers to deliveries, and what was to be looked at."""
    looked: list[Told] = []
    said: list[str] = []
    app = application(
        SECRET, clock=lambda: float(NOW), look=looked.append, health=lambda: {"status": "ok"}, say=said.append
    )

    async def run() -> list[int]:
        transport: Any = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://solon") as client:
            return [
                (await client.post("/mlflow", content=body, headers=sent)).status_code
                for body, sent in requests
            ]

    return asyncio.run(run()), looked


def test_a_delivery_is_a_reason_to_look_once() -> None:
    assert asked((BODY, headers()), (BODY, headers())) == (
        [200, 200],
        [Told("model_version_alias", "created")],
    )


def test_what_is_refused_is_no_reason() -> None:
    assert asked((BODY + b" ", headers()), (b"", {}), (b"x" * ((1 << 20) + 1), headers())) == (
        [401, 400, 413],
        [],
    )


def test_a_refused_delivery_is_not_remembered_and_may_come_again() -> None:
    assert asked((BODY, headers(signature="v1,no")), (BODY, headers()))[0] == [401, 200]
