"""What solon.yaml says under ``breakglass``."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

import msgspec

from solon.governance.times import duration

LONGEST: Final = timedelta(hours=24)
_VARIABLE: Final = re.compile(r"[A-Za-z_]\w*", re.ASCII)


class BreakglassSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Paths are relative to solon.yaml; durations as 60m, 3d. ``openers`` are names or globs; None is anyone.

    ``alarm`` is whose channels of ``notify`` are told when a token is used.
    """

    public_key: str = "breakglass.pub.pem"
    private_key_env: str = "SOLON_BREAKGLASS_KEY"  # the variable with the path of the private key
    maximum: str = "60m"
    repeats: int = 3
    within: str = "30d"
    review_within: str = "3d"
    ledger: str = "breakglass.jsonl"
    alarm: str = "*"
    openers: list[str] | None = None

    def __post_init__(self) -> None:
        for name in ("maximum", "within", "review_within"):
            try:
                length = duration(getattr(self, name))
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None
            if not length:
                raise ValueError(f"{name} must be longer than nothing")
        if self.longest > LONGEST:
            raise ValueError(
                f"maximum is {self.maximum}, and must be 24h or less: what takes longer is a waiver"
            )
        if self.repeats < 1:
            raise ValueError(f"repeats must be 1 or more, and is {self.repeats}")
        if not _VARIABLE.fullmatch(self.private_key_env):
            raise ValueError(
                "private_key_env must be the name of an environment variable, not a key or a path"
            )
        for name in ("public_key", "ledger"):
            if not getattr(self, name):
                raise ValueError(f"{name} is empty: name a file")
        if self.openers is not None and not (self.openers and all(self.openers)):
            raise ValueError("openers is empty, so that nobody could open: name them, or leave it out")

    @property
    def longest(self) -> timedelta:
        return duration(self.maximum)

    @property
    def window(self) -> timedelta:
        return duration(self.within)

    @property
    def review_time(self) -> timedelta:
        return duration(self.review_within)
