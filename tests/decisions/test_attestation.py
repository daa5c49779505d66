"""A decision on a release, said so that it can be verified, and read by tools that know nothing of Solon."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from solon.decisions.attestation import (
    About,
    Attestation,
    attestation,
    attested,
    differences,
    statement_of,
)
from solon.decisions.decision import Decision, Outcome
from solon.signing.dsse import NotVerified, Statement, sign, verify
from solon.subjects.subject import Location, Subject

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
FILES = {"model/a.bin": "sha256:" + "a" * 64, "model/b.bin": "sha256:" + "b" * 64}
ABOUT = About("sha256:" + "c" * 64, FILES, "sha256:" + "d" * 64, timedelta(days=90))
TIME = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


class _Nowhere:
    def locate(self, path: Any) -> Location:
        return Location("evidence.json", len(path))


def decision(outcome: Outcome) -> Decision:
    subject = Subject(
        "ml.release",
        "model://local/m/1",
        "m 1",
        {},
        Location("evidence.json"),
        _Nowhere(),
        environment="production",
    )
    ns = int(TIME.timestamp()) * 1_000_000_000
    return Decision("d-1", subject, outcome, [], [], [], [], [], [], 3, {"conftest:policy": "r1"}, ns, 5)


@pytest.mark.parametrize(
    ("outcome", "result"),
    [
        (Outcome.ALLOW, "PASSED"),
        (Outcome.WARN, "PASSED"),
        (Outcome.DENY, "FAILED"),
        (Outcome.ERROR, "FAILED"),
    ],
)
def test_the_statement_is_a_verification_summary(outcome: Outcome, result: str) -> None:
    said = msgspec.to_builtins(statement_of(attestation(decision(outcome), ABOUT)))
    assert said["_type"] == "https://in-toto.io/Statement/v1"
    assert said["predicateType"] == "https://slsa.dev/verification_summary/v1"
    assert said["subject"] == [
        {"name": "model/a.bin", "digest": {"sha256": "a" * 64}},
        {"name": "model/b.bin", "digest": {"sha256": "b" * 64}},
    ]
    predicate = said["predicate"]
    assert predicate["verificationResult"] == result
    assert predicate["resourceUri"] == "model://local/m/1"
    assert predicate["timeVerified"] == "2026-11-21T12:00:00Z"
    assert predicate["policy"] == {"uri": "conftest:policy@r1"}
    assert predicate["inputAttestations"] == [{"uri": "evidence.json", "digest": {"sha256": "d" * 64}}]


def test_it_comes_back_as_it_was_said() -> None:
    said = attestation(decision(Outcome.ALLOW), ABOUT)
    statement, _ = verify(sign(statement_of(said), KEY), [KEY.public_key()])
    assert attested(statement) == said
    assert (said.environment, said.expires) == ("production", "2027-02-19T12:00:00Z")


def test_it_holds_for_a_while() -> None:
    said = attestation(decision(Outcome.ALLOW), ABOUT)
    assert said.is_current(TIME + timedelta(days=90, seconds=-1))
    assert not said.is_current(TIME + timedelta(days=90))
    for_ever = attestation(decision(Outcome.ALLOW), About("sha256:" + "c" * 64, FILES))
    assert for_ever.is_current(TIME + timedelta(days=10_000))


def statement(**predicate: Any) -> Statement:
    said = statement_of(attestation(decision(Outcome.DENY), ABOUT))
    return msgspec.structs.replace(said, predicate={**said.predicate, **predicate})


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        (
            msgspec.structs.replace(statement(), predicate_type="https://slsa.dev/provenance/v1"),
            "no decision",
        ),
        (statement(solon=None), "holds no decision of Solon"),
        (statement(solon={"uri": 1}), "holds no decision of Solon"),
        (statement(verificationResult="PASSED"), "says one thing of its subject, and another"),
        (msgspec.structs.replace(statement(), subject=[]), "says one thing of its subject, and another"),
    ],
)
def test_what_is_signed_and_is_no_decision(said: Statement, problem: str) -> None:
    with pytest.raises(NotVerified, match=problem):
        attested(said)


@pytest.mark.parametrize(
    ("files", "told"),
    [
        (FILES, []),
        ({**FILES, "model/c": "sha256:1"}, ["model/c: was not there when it was judged"]),
        ({"model/a.bin": FILES["model/a.bin"]}, ["model/b.bin: is missing"]),
        ({**FILES, "model/a.bin": FILES["model/b.bin"]}, ["model/a.bin: has changed since it was judged"]),
    ],
)
def test_files_are_compared_with_those_that_were_judged(files: dict[str, str], told: list[str]) -> None:
    said: Attestation = attestation(decision(Outcome.ALLOW), ABOUT)
    assert differences(said, files) == told
