"""What solon.yaml says under ``models``: whom to believe, and where things are kept."""

from __future__ import annotations

import re
from typing import Final

import msgspec

_VARIABLE: Final = re.compile(r"[A-Za-z_]\w*", re.ASCII)


class ModelSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Paths are relative to solon.yaml.

    ``collectors`` are public keys whose evidence is believed, ``gate`` the public key of this gate's own decisions,
    ``signers`` those that a model may be signed with (PEM, P-256). ``vulnerabilities`` is a file or directory of OSV
    records. ``store`` keeps the evidence that was judged; ``valid`` is how long a decision holds, as 90d.
    """

    collectors: list[str] = []
    gate: str = "gate.pub.pem"
    private_key_env: str = "SOLON_GATE_KEY"  # the variable with the path of the private key
    signers: list[str] = []
    vulnerabilities: str = ""
    store: str = ".solon/releases"
    valid: str = "90d"

    def __post_init__(self) -> None:
        if not _VARIABLE.fullmatch(self.private_key_env):
            raise ValueError(
                "private_key_env must be the name of an environment variable, not a key or a path"
            )
        if not re.fullmatch(r"[1-9][0-9]{0,4}[hd]", self.valid):
            raise ValueError(f"valid must be hours or days, such as 90d, and is {self.valid!r}")
