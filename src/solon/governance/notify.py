"""Tells people: chat, mail and webhooks through apprise (the extra ``notify``)."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, Final
from urllib.parse import quote

import msgspec

from solon.governance.inert import inert, inert_line
from solon.governance.pace import Clock, Pace
from solon.governance.scope import matches
from solon.subjects.subject import Location, Path

FALLBACK: Final = "*"
_VARIABLE: Final = re.compile(r"\$\{([^}]*)\}")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SERVICE: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*(?=://)|\$\{[^}]*\}")
_TITLE: Final = 200
_BODY: Final = 4000


class NotifySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What solon.yaml says under ``notify:``.

    ``channels`` are URLs of apprise by owner: a name, a glob, or ``*`` for those that no other entry is about.
    ``${NAME}`` in a URL stands for that variable of the environment.
    """

    channels: dict[str, list[str]]
    per_minute: Annotated[int, msgspec.Meta(ge=1, le=600)] = 30

    def __post_init__(self) -> None:
        for pattern, urls in self.channels.items():
            if not pattern or not urls:
                raise ValueError(f"channels of {pattern!r}: name an owner, and at least one URL")
            for number, url in enumerate(urls):
                problem = _malformed(url)
                if problem:  # the URL may hold a secret: it is not shown
                    raise ValueError(f"channel {number + 1} of {pattern!r}: {problem}")


def _malformed(url: str) -> str:
    if not _SERVICE.match(url):
        return "a URL begins with its service, such as slack:// or mailto://, or is a variable: ${NAME}"
    if not all(_NAME.fullmatch(name) for name in _VARIABLE.findall(url)):
        return "write ${NAME} for a variable of the environment"
    return "the bracket of ${NAME} is not closed" if "${" in _VARIABLE.sub("", url) else ""


class Kind(StrEnum):
    """How a message is marked; apprise has the same four."""

    INFO = "info"
    SUCCESS = "success"
    WARNING = "warning"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class Message:
    """Plain text. What is markup or a mention somewhere is shown as it is, whoever wrote it."""

    title: str
    body: str
    kind: Kind = Kind.INFO


@dataclass(frozen=True, slots=True)
class Channel:
    """One URL of the settings, as it may be shown: never the URL itself."""

    pattern: str
    number: int
    service: str

    @property
    def path(self) -> Path:
        return ("notify", "channels", self.pattern, self.number)

    def __str__(self) -> str:
        return f"notify.channels.{self.pattern}[{self.number}] ({self.service})"


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a message. ``failures`` are one line each, with the place in the settings."""

    delivered: tuple[Channel, ...] = ()
    failures: tuple[str, ...] = ()
    repeated: tuple[Channel, ...] = ()  # had been told the same before


@dataclass
class Notifier:
    """Sends messages to the channels of an owner. No failure is raised: each is in the answer, and in ``failures``.

    ``place`` gives where in its file a part of the configuration stands.
    """

    settings: NotifySettings
    environ: Mapping[str, str]
    clock: Clock
    place: Callable[[Path], Location] = lambda path: Location("solon.yaml")
    dry_run: bool = False
    failures: list[str] = field(default_factory=list)
    _told: set[tuple[str, int, Message]] = field(default_factory=set)
    _open: dict[tuple[str, int], Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._pace = Pace(self.settings.per_minute, self.clock)

    def channels_of(self, owner: str) -> list[Channel]:
        """Those of the owner by name; else of the first glob that matches; else of ``*``."""
        channels = self.settings.channels
        globs = (p for p in channels if p != FALLBACK and matches(p, owner))
        pattern = owner if owner in channels else next(globs, FALLBACK)
        return [
            Channel(pattern, number, found[0] if (found := _SERVICE.match(url)) else "")
            for number, url in enumerate(channels.get(pattern, ()))
        ]

    def send(self, owner: str, message: Message) -> Sent:
        """Tell the owner; what a channel was told before in this run is not told again."""
        channels = self.channels_of(owner)
        if not channels:
            return self._failed(
                [f"no channel for {owner or 'those without an owner'!r}: add one under notify.channels"]
            )
        safe = Message(inert_line(message.title, _TITLE), inert(message.body, _BODY), message.kind)
        delivered, failures, repeated = [], [], []
        for channel in channels:
            told = (channel.pattern, channel.number, safe)
            if told in self._told:
                repeated.append(channel)
                continue
            self._told.add(told)
            problem = "" if self.dry_run else self._tell(channel, safe)
            if problem:
                failures.append(f"{self.place(channel.path)}: {channel}: {problem}")
            else:
                delivered.append(channel)
        return self._failed(failures, tuple(delivered), tuple(repeated))

    def _failed(
        self, failures: list[str], delivered: tuple[Channel, ...] = (), repeated: tuple[Channel, ...] = ()
    ) -> Sent:
        self.failures += failures
        return Sent(delivered, tuple(failures), repeated)

    def _tell(self, channel: Channel, message: Message) -> str:
        """Why the message was not delivered, or nothing."""
        try:
            import apprise
        except ImportError:
            return "notifications need apprise: pip install 'solon[notify]'"
        template = self.settings.channels[channel.pattern][channel.number]
        missing = [name for name in _VARIABLE.findall(template) if not self.environ.get(name)]
        if missing:
            return f"{', '.join(missing)} is not set in the environment"
        values = {name: self.environ[name] for name in _VARIABLE.findall(template)}
        secrets = [template, *values.values()]
        with _overheard() as words:
            service = self._open.get((channel.pattern, channel.number))
            if service is None:
                url = _VARIABLE.sub(lambda found: values[found[1]], template)
                secrets.append(url)
                asset = apprise.AppriseAsset(app_id="Solon", app_desc="Solon", storage_mode="memory")
                service = apprise.Apprise(asset=asset)
                if not service.add(url):
                    return (
                        "apprise cannot read this URL: see https://appriseit.com for how the service's look"
                    )
                self._open[channel.pattern, channel.number] = service
            self._pace.step()
            done = service.notify(
                body=message.body,
                title=message.title,
                notify_type=apprise.NotifyType(message.kind.value),
                body_format=apprise.NotifyFormat.TEXT,
            )
        return "" if done else f"not delivered{_reason(words, secrets)}"


@contextmanager
def _overheard() -> Iterator[list[str]]:
    """What apprise says in its log, which goes nowhere else meanwhile: it may name hosts and users."""
    words: list[str] = []
    logger = logging.getLogger("apprise")
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: words.append(record.getMessage())  # type: ignore[method-assign]
    propagate, logger.propagate = logger.propagate, False
    logger.addHandler(handler)
    try:
        yield words
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagate


def _reason(words: list[str], secrets: list[str]) -> str:
    if not words:
        return ""
    text = words[0]
    for value in sorted(secrets, key=len, reverse=True):
        for form in (value, quote(value, safe="")):
            text = text.replace(form, "***")
    return f": {inert_line(text, _TITLE)}"
