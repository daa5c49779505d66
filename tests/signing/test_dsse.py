"""Envelopes: what is signed is what the specification says, and nothing else verifies."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from solon.signing import dsse
from solon.signing.dsse import NotVerified, sign, statement, verify

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(32))
SAID = statement({"model/weights.bin": "sha256:" + "ab" * 32}, "https://example.com/predicate/v1", {"n": 1})


def test_the_pre_authentication_encoding_is_that_of_the_specification() -> None:
    # The test vector of DSSE's protocol.md.
    encoded = dsse._encoded("http://example.com/HelloWorld", b"hello world")
    assert encoded == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"


def test_what_is_written_is_an_in_toto_statement() -> None:
    envelope = json.loads(sign(SAID, KEY))
    assert envelope["payloadType"] == "application/vnd.in-toto+json"
    assert json.loads(base64.b64decode(envelope["payload"])) == {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "model/weights.bin", "digest": {"sha256": "ab" * 32}}],
        "predicateType": "https://example.com/predicate/v1",
        "predicate": {"n": 1},
    }
    signed = b"DSSEv1 28 application/vnd.in-toto+json %d " % len(base64.b64decode(envelope["payload"]))
    signature = base64.b64decode(envelope["signatures"][0]["sig"])
    KEY.public_key().verify(signature, signed + base64.b64decode(envelope["payload"]))


def test_any_of_the_trusted_keys_is_enough() -> None:
    said, by = verify(sign(SAID, KEY), [OTHER.public_key(), KEY.public_key()])
    assert said == SAID
    assert by == dsse.key_id(KEY.public_key())


def changed(**what: Any) -> bytes:
    return json.dumps({**json.loads(sign(SAID, KEY)), **what}).encode()


@pytest.mark.parametrize(
    ("envelope", "problem"),
    [
        (b"", "is no DSSE envelope"),
        (b"[]", "is no DSSE envelope"),
        (b"[" * 100_000, "is no DSSE envelope"),
        (b"\xff\xfe", "is no DSSE envelope"),
        (changed(payload="***"), "is no DSSE envelope"),
        (changed(signatures=[{"sig": "*"}]), "is no DSSE envelope"),
        (changed(signatures=[]), "signed by none of the trusted keys"),
        (changed(signatures=[{"sig": ""}]), "signed by none of the trusted keys"),
        (changed(payloadType="text/plain"), "holds 'text/plain', no in-toto statement"),
        (changed(payload=base64.b64encode(b"{}").decode()), "signed by none of the trusted keys"),
        (sign(SAID, OTHER), "signed by none of the trusted keys"),
        (b" " * (dsse.MAX_BYTES + 1), "larger than 16 MiB"),
    ],
)
def test_what_proves_nothing(envelope: bytes, problem: str) -> None:
    with pytest.raises(NotVerified, match=problem):
        verify(envelope, [KEY.public_key()])


def test_without_keys_nothing_is_proven() -> None:
    with pytest.raises(NotVerified, match="no key was given"):
        verify(sign(SAID, KEY), [])


@given(st.integers(0, 10_000), st.integers(0, 7))
@settings(max_examples=100, deadline=None)
def test_a_bit_that_flips_in_what_was_said_is_seen(at: int, bit: int) -> None:
    envelope = json.loads(sign(SAID, KEY))
    payload = bytearray(base64.b64decode(envelope["payload"]))
    payload[at % len(payload)] ^= 1 << bit
    envelope["payload"] = base64.b64encode(payload).decode()
    with pytest.raises(NotVerified):
        verify(json.dumps(envelope).encode(), [KEY.public_key()])


def test_more_signatures_than_anybody_makes_are_not_tried() -> None:
    signature = json.loads(sign(SAID, KEY))["signatures"][0]
    assert verify(changed(signatures=[{"sig": ""}] * 99 + [signature]), [KEY.public_key()])[0] == SAID
    with pytest.raises(NotVerified, match=r"^has more than 100 signatures$"):
        verify(changed(signatures=[signature] * 101), [KEY.public_key()])
