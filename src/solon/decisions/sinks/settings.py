"""``log:`` of solon.yaml: where the log is, what is masked, and where it goes."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

import msgspec

from solon.decisions.log.leaf import Kind

# What a sink may get; checkpoints of shards stay with the log.
KINDS: Final = {kind.name.lower(): kind for kind in Kind if kind is not Kind.CHECKPOINT}
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}", re.ASCII)
LOCAL: Final = ("localhost", "127.0.0.1", "::1")


class SinkSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One of ``file``, ``http`` (OPA's upload protocol) and ``otlp``; the latter two are addresses.

    ``token_env`` is the environment variable with a bearer token, ``limit_kib`` what a request may have, compressed.
    A file is followed by a new one at ``rotate_mib``, and ``keep`` old ones stay.
    """

    name: str
    file: str = ""
    http: str = ""
    otlp: str = ""
    kinds: tuple[str, ...] = ("decision",)
    token_env: str = ""
    ca: str = ""
    limit_kib: int = 1_024
    timeout_seconds: float = 30.0
    rotate_mib: int = 100
    keep: int = 10

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"a sink has the name {self.name[:70]!r}: use a-z, 0-9 and ._-")
        if sum(map(bool, (self.file, self.http, self.otlp))) != 1:
            raise ValueError(f"the sink {self.name} needs one of file, http and otlp")
        unknown = [kind for kind in self.kinds if kind not in KINDS]
        if unknown or not self.kinds:
            raise ValueError(f"the sink {self.name} has unknown kinds: known are {', '.join(KINDS)}")
        if not (1 <= self.limit_kib <= 1 << 20 and self.rotate_mib >= 1 and 0 <= self.keep <= 1_000):
            raise ValueError(f"the sink {self.name}: limit_kib and rotate_mib are 1 or more, keep 0 to 1000")
        if not 0.1 <= self.timeout_seconds <= 3_600:
            raise ValueError(f"the sink {self.name}: timeout_seconds is 0.1 to 3600")
        url = self.http or self.otlp
        if url:
            self._check(url)

    def _check(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"the sink {self.name}: an address begins with https:// or http://")
        if parts.username or parts.password:
            raise ValueError(f"the sink {self.name}: the address holds a password: use token_env")
        if self.token_env and parts.scheme == "http" and parts.hostname not in LOCAL:
            raise ValueError(f"the sink {self.name}: a token is only sent over https")

    def __str__(self) -> str:
        return self.file or self.http or self.otlp


class LogSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``mask`` is a directory of Rego, with ``data.system.log.mask`` or ``drop``.

    ``place`` is what the log calls the place that is judged at (``solon log in-force``).
    ``secrets: keep`` leaves the values of Kubernetes Secrets and Terraform's sensitive values where they are.
    """

    directory: str = ""
    mask: str = ""
    secrets: str = "mask"
    place: str = ""
    sinks: list[SinkSettings] = []

    def __post_init__(self) -> None:
        if self.secrets not in {"mask", "keep"}:
            raise ValueError("secrets is mask or keep")
        names = [sink.name for sink in self.sinks]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"two sinks have the name {twice}")
