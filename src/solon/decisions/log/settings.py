"""log.json, which makes a directory a log."""

from __future__ import annotations

import os
import re
import stat
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from solon.decisions.log import durable
from solon.decisions.log.errors import LogError, os_error
from solon.decisions.log.note import SigningKey, VerifierKey, check_name
from solon.governance import times

NAME: Final = "log.json"
KEY: Final = "log.key"
SCHEMA: Final = "solon.log/v1"
_KEEP: Final = re.compile(r"[1-9]\d{0,5}[dwy]", re.ASCII)


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


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How long decisions are kept that these policy sets were asked for: globs. Without ``sets``, all other decisions."""

    keep: str
    sets: list[str] | str = []

    def __post_init__(self) -> None:
        if not _KEEP.fullmatch(self.keep):
            raise ValueError(f"keep is {self.keep!r}: write a number and d, w or y, such as 400d or 7y")

    @property
    def globs(self) -> list[str]:
        return [self.sets] if isinstance(self.sets, str) else self.sets

    def __str__(self) -> str:
        return f"{', '.join(self.globs) or 'all others'}: {self.keep}"

    def before(self, now: datetime) -> datetime:
        """What is older than this is not kept. A year is one of the calendar."""
        number, unit = int(self.keep[:-1]), self.keep[-1]
        try:
            if unit == "y":
                day = min(now.day, 28) if now.month == 2 else now.day
                return now.replace(year=now.year - number, day=day)
            return now - timedelta(days=number * (7 if unit == "w" else 1))
        except (ValueError, OverflowError):
            return datetime(1, 1, 1, tzinfo=UTC)


class Hold(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Decisions that are kept whatever the rules say: all that fit each of what is given. Subjects are globs."""

    name: str
    reason: str
    ids: list[str] = []
    subjects: list[str] = []
    since: str = ""
    until: str = ""

    def __post_init__(self) -> None:
        if not self.reason.strip():
            raise ValueError(f"the hold {self.name!r} needs a reason")
        if not (self.ids or self.subjects or self.since or self.until):
            raise ValueError(
                f"the hold {self.name!r} says nothing of what it holds: ids, subjects, since or until"
            )
        for text in (self.since, self.until):
            if text:
                times.moment(text)


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
    retention: list[Rule] = []
    holds: list[Hold] = []

    def __post_init__(self) -> None:
        if not (1 <= self.segment_mib <= 1_024 and self.segment_minutes >= 1 and self.rows >= 1):
            raise ValueError("segment_mib is 1 to 1024; segment_minutes and rows are 1 or more")
        if not 0 <= self.delay_ms <= 1_000:
            raise ValueError("delay_ms is 0 to 1000")
        if sum(not rule.globs for rule in self.retention) > 1:
            raise ValueError("retention has two rules without sets: one is for all others")
        if len({hold.name for hold in self.holds}) < len(self.holds):
            raise ValueError("two holds have the same name")

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
        write(directory, settings)
    except OSError as error:
        raise os_error(error, "the log cannot be made") from None
    return settings


def write(directory: str, settings: Settings) -> None:
    """Raises OSError."""
    text = msgspec.json.format(msgspec.json.encode(settings), indent=2) + b"\n"
    durable.replace(os.path.join(directory, NAME), text)
    durable.sync_directory(directory)


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
