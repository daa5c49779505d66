"""Signed decisions on versions of a registry, as the gate writes them."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from solon.decisions.attestation import Attestation, AttestedFinding, statement_of
from solon.decisions.decision import Outcome
from solon.decisions.releases import Registered
from solon.signing import dsse

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
MODEL = "sha256:" + "ab" * 32


def envelope(
    registered: Registered,
    outcome: str = "allow",
    time: str = "2026-11-20T10:00:00.000000000Z",
    expires: str = "",
    key: Ed25519PrivateKey = KEY,
    model: str = MODEL,
    decision_id: str = "",
    message: str = "",
) -> bytes:
    said = Attestation(
        uri=f"model://mlflow/{registered.name}/{registered.version}",
        model=model,
        files={"model/MLmodel": "sha256:" + "cd" * 32},
        outcome=Outcome(outcome),
        decision_id=decision_id or f"{outcome}-{time}",
        time=time,
        revisions={"library": "r1"},
        expires=expires,
        findings=[AttestedFinding("ml.fairness.deny", "deny", message, "high", "Balance the data")]
        if message
        else [],
        source=registered.source(),
    )
    return dsse.sign(statement_of(said), key)


def registered(name: str = "adult", location: str = "mlflow-artifacts:/0/a", *others: str) -> Registered:
    return Registered("mlflow", name, "1", location, (name, *others))
