"""Releases as the collectors of supply are given them, and keys to sign them with."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from solon.evidence import digests
from solon.evidence.collector import Given, Operator
from solon.evidence.release import Release, SupplyPart

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def given(root: Path, model: list[str], operator: Operator | None = None, **supply: str) -> Given:
    """What a collector sees of a release that lies in ``root`` as it is now."""
    release = Release(
        "solon.release/v1", "credit", "3", model, supply=SupplyPart(**supply) if supply else None
    )
    return Given(release, str(root), digests.model(str(root), model), NOW, operator or Operator())


def written(root: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return root


def key_pair(directory: Path, name: str = "key", curve: Any = None) -> tuple[str, str]:
    """The files of a private and a public key."""
    directory.mkdir(exist_ok=True)
    key = ec.generate_private_key(curve or ec.SECP256R1())
    private, public = directory / f"{name}.pem", directory / f"{name}.pub.pem"
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    public.write_bytes(
        key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    return str(private), str(public)
