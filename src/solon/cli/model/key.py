"""The key that a gate signs decisions with."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from solon.cli import config, key_files
from solon.evidence.settings import ModelSettings

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

HINT = "`solon model keygen` writes one"


def settings() -> ModelSettings:
    """Those of the repository, with their paths from here; those without one where there is none. Raises UsageError."""
    found = config.find(os.getcwd())
    return found.models() if found is not None else ModelSettings()


def keygen(private: str | None, public: str | None) -> int:
    """Raises UsageError."""
    said = settings()
    private, public = private or private_path(said), public or said.gate
    key_files.write_pair(private, public)
    print(f"Wrote {private}: the private key. Who has it can let releases pass; keep it out of git.")
    print(f"Wrote {public}: the public key. Commit it, and let CODEOWNERS say who may change it.")
    return 0


def private_path(said: ModelSettings) -> str:
    named = os.environ.get(said.private_key_env)
    if named:
        return named
    home = os.environ.get("XDG_CONFIG_HOME") or os.path.join(os.path.expanduser("~"), ".config")
    return os.path.join(home, "solon", "gate.pem")


def private_key(named: str | None, said: ModelSettings) -> Ed25519PrivateKey | None:
    """The key to sign with: one that was named, or that of the variable; None where nobody said. Raises UsageError."""
    from solon.signing import keys

    path = named or os.environ.get(said.private_key_env)
    return key_files.read(path, keys.private_key, HINT, private=True) if path else None


def public_keys(paths: list[str]) -> list[Ed25519PublicKey]:
    """Raises UsageError."""
    from solon.signing import keys

    return [key_files.read(path, keys.public_key, HINT, private=False) for path in paths]
