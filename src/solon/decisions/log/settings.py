"""log.json, which makes a directory a log."""

from __future__ import annotations

import os
import stat
from typing import Final

import msgspec

from solon.decisions.log import durable
from solon.decisions.log.errors import LogError, os_error
from solon.decisions.log.note import SigningKey, VerifierKey, check_name

NAME: Final = "log.json"
KEY: Final = "log.key"
SCHEMA: Final = "solon.log/v1"


class WitnessSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where checkpoints go: one of ``file``, ``directory`` and ``url``. ``key`` is that of a witness at a URL."""

    file: str = ""
    directory: str = ""
    url: str = ""
    key: str = ""

    def __post_init__(self) -> None:
        if sum(map(bool, (self.file, self.directory, self.url))) != 1:
            raise ValueError("a witness has one of file, directory and url")
        if self.url and not self.url.startswith(("https://", "http://")):
            raise ValueError(f"a witness at {self.url!r}: the url begins with https:// or http://")
        if bool(self.url) != bool(self.key):
            raise ValueError("a witness with a url needs its key, and only such a one: name+id+key")

    def __str__(self) -> str:
        return self.file or self.directory or self.url


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """``key`` is the public key, ``signing_key`` the file of the secret one. Paths are relative to the log."""

    schema: str
    name: str
    key: str
    signing_key: str = KEY
    witnesses: list[WitnessSettings] = []
    segment_mib: int = 64
    segment_minutes: int = 60
    rows: int = 1_000
    delay_ms: float = 0.0

    def __post_init__(self) -> None:
        if not (1 <= self.segment_mib <= 1_024 and self.segment_minutes >= 1 and self.rows >= 1):
            raise ValueError("segment_mib is 1 to 1024; segment_minutes and rows are 1 or more")
        if not 0 <= self.delay_ms <= 1_000:
            raise ValueError("delay_ms is 0 to 1000")

    @property
    def verifier(self) -> VerifierKey:
        return VerifierKey.parse(self.key)


def is_log(path: str) -> bool:
    return os.path.isfile(os.path.join(path, NAME))


def read(directory: str) -> Settings:
    """Raises LogError."""
    path = os.path.join(directory, NAME)
    try:
        data = durable.read(path)
    except FileNotFoundError:
        raise LogError(f"{directory}: is no log: it has no {NAME} (`solon log init` makes one)") from None
    except OSError as error:
        raise os_error(error, "cannot be read") from None
    try:
        settings = msgspec.json.decode(data, type=Settings)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise LogError(f"{path}: {str(error)[0].lower()}{str(error)[1:]}") from None
    if settings.schema != SCHEMA:
        raise LogError(f"{path}: has the schema {settings.schema!r}, and this Solon knows {SCHEMA}")
    try:
        if settings.verifier.name != check_name(settings.name):
            raise LogError(f"the key is that of {settings.verifier.name}, and the log is {settings.name}")
    except LogError as error:
        raise LogError(f"{path}: {error}") from None
    return settings


def create(directory: str, key: SigningKey, signing_key: str = "") -> Settings:
    """Make a directory a log. ``signing_key`` is the file of the key; without it, one is written there.

    Raises LogError.
    """
    if is_log(directory):
        raise LogError(f"{directory}: is a log already")
    if os.path.isdir(directory) and os.listdir(directory):
        raise LogError(f"{directory}: is not empty")
    settings = Settings(SCHEMA, key.name, str(key.verifier), signing_key or KEY)
    try:
        durable.make_directory(directory)
        if not signing_key:
            write_key(os.path.join(directory, KEY), key)
        text = msgspec.json.format(msgspec.json.encode(settings), indent=2) + b"\n"
        durable.replace(os.path.join(directory, NAME), text)
        durable.sync_directory(directory)
    except OSError as error:
        raise os_error(error, "the log cannot be made") from None
    return settings


def write_key(path: str, key: SigningKey) -> None:
    """A new file that only its owner may read. Raises LogError."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            durable.write_all(descriptor, f"{key.secret()}\n".encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        durable.sync_directory(os.path.dirname(path) or ".")
    except FileExistsError:
        raise LogError(f"{path}: exists already: a key is not written over") from None
    except OSError as error:
        raise os_error(error, "the key cannot be written") from None


def read_key(path: str) -> SigningKey:
    """Raises LogError, also for a file that others may read."""
    try:
        with open(path, "rb") as file:
            if os.fstat(file.fileno()).st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise LogError(f"{path}: may be read by others: chmod 600 {path}")
            text = file.read(4_096).decode("utf-8", "replace")
    except OSError as error:
        raise os_error(error, "the signing key cannot be read") from None
    try:
        return SigningKey.parse(text)
    except LogError as error:
        raise LogError(f"{path}: {error}") from None
