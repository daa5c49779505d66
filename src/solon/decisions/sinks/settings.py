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
_TOPIC: Final = re.compile(r"[A-Za-z0-9._-]{1,249}", re.ASCII)
_SERVER: Final = re.compile(r"([A-Za-z0-9.-]+|\[[0-9a-f:]+\]):[0-9]{1,5}", re.ASCII)
LOCAL: Final = ("localhost", "127.0.0.1", "::1")


_MECHANISMS: Final = ("", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")


class KafkaSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """``servers`` are host:port; ``sasl`` is how ``username`` and the secret of the sink are said.

    ``certificate`` and ``certificate_key`` are files by which a broker knows this client.
    """

    servers: tuple[str, ...]
    topic: str
    tls: bool = True
    sasl: str = ""
    username: str = ""
    certificate: str = ""
    certificate_key: str = ""

    def __post_init__(self) -> None:
        if not self.servers or not all(_SERVER.fullmatch(server) for server in self.servers):
            raise ValueError("kafka: servers are HOST:PORT, one or more")
        if not _TOPIC.fullmatch(self.topic) or self.topic in {".", ".."}:
            raise ValueError("kafka: a topic has up to 249 of a-z, A-Z, 0-9 and ._-")
        if self.sasl not in _MECHANISMS:
            raise ValueError(f"kafka: sasl is one of {', '.join(_MECHANISMS[1:])}")
        if bool(self.sasl) != bool(self.username):
            raise ValueError("kafka: sasl and username belong together")
        if bool(self.certificate) != bool(self.certificate_key):
            raise ValueError("kafka: certificate and certificate_key belong together")
        if self.certificate and not self.tls:
            raise ValueError("kafka: a certificate is only shown over TLS")
        if self.sasl and not self.tls and not self._local:
            raise ValueError("kafka: a password is only sent over TLS")

    @property
    def _local(self) -> bool:
        return all(server.rpartition(":")[0].strip("[]") in LOCAL for server in self.servers)

    def __str__(self) -> str:
        return f"kafka://{','.join(self.servers)}/{self.topic}"


class SinkSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One of ``file``, ``http`` (OPA's upload protocol), ``otlp`` and ``kafka``; the second and third are addresses.

    ``token_env`` is the environment variable with a bearer token or password, ``token_file`` a file with it;
    ``limit_kib`` is what a request may have, compressed. A file is followed by a new one at ``rotate_mib``, and ``keep`` old ones stay.
    """

    name: str
    file: str = ""
    http: str = ""
    otlp: str = ""
    kafka: KafkaSettings | None = None
    kinds: tuple[str, ...] = ("decision",)
    token_env: str = ""
    token_file: str = ""
    ca: str = ""
    limit_kib: int = 1_024
    timeout_seconds: float = 30.0
    rotate_mib: int = 100
    keep: int = 10

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"a sink has the name {self.name[:70]!r}: use a-z, 0-9 and ._-")
        if sum(map(bool, (self.file, self.http, self.otlp, self.kafka))) != 1:
            raise ValueError(f"the sink {self.name} needs one of file, http, otlp and kafka")
        if self.token_env and self.token_file:
            raise ValueError(f"the sink {self.name}: token_env or token_file, not both")
        if self.kafka and bool(self.kafka.sasl) != self.has_token:
            raise ValueError(
                f"the sink {self.name}: a password (token_env or token_file) belongs to kafka.sasl"
            )
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
        if self.has_token and parts.scheme == "http" and parts.hostname not in LOCAL:
            raise ValueError(f"the sink {self.name}: a token is only sent over https")

    @property
    def has_token(self) -> bool:
        return bool(self.token_env or self.token_file)

    def __str__(self) -> str:
        return str(self.kafka or self.file or self.http or self.otlp)


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
