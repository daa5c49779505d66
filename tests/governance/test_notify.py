"""Messages to people, through apprise, to a server on this machine."""

from __future__ import annotations

import builtins
import logging
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from local_http import LocalServer, Response

from solon.governance.notify import Kind, Message, Notifier, NotifySettings
from solon.governance.pace import Clock
from solon.subjects.subject import Location, Path

# Of a module that apprise imports.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

HELLO = Message("Waiver expires", "in 7 days", Kind.WARNING)


@pytest.fixture(scope="module")
def running() -> Iterator[LocalServer]:
    with LocalServer() as server:
        yield server


@pytest.fixture
def server(running: LocalServer) -> LocalServer:
    running.faults.clear()
    running.requests.clear()
    running.application = lambda _request: Response(200)
    return running


def place(path: Path) -> Location:
    assert path[:2] == ("notify", "channels")
    return Location("solon.yaml", 10 + int(path[3]), 9)


def notifier(channels: dict[str, list[str]], environ: dict[str, str] | None = None, **more: Any) -> Notifier:
    settings = NotifySettings(channels)
    return Notifier(settings, environ or {}, Clock(lambda: 0.0, lambda _seconds: None), place, **more)


def url(server: LocalServer, path: str = "a") -> str:
    return f"{server.url.replace('http', 'json')}/{path}"


def told(server: LocalServer) -> list[str]:
    return [request.path for request in server.requests]


def test_a_message(server: LocalServer) -> None:
    sent = notifier({"team-payments": [url(server)]}).send("team-payments", HELLO)
    assert [str(channel) for channel in sent.delivered] == ["notify.channels.team-payments[0] (json)"]
    assert sent.failures == ()
    (request,) = server.requests
    assert (request.method, request.path) == ("POST", "/a")
    assert {name: request.body[name] for name in ("title", "message", "type")} == {
        "title": "Waiver expires",
        "message": "in 7 days",
        "type": "warning",
    }


@pytest.mark.parametrize("kind", list(Kind))
def test_kinds(server: LocalServer, kind: Kind) -> None:
    notifier({"*": [url(server)]}).send("team", Message("t", "b", kind))
    assert server.requests[0].body["type"] == kind.value


@pytest.mark.parametrize(
    "owner, paths",
    [
        ("team-payments", ["/exact"]),
        ("team-search", ["/glob", "/glob-too"]),
        ("@org/data", ["/data"]),
        ("alice@example.com", ["/rest"]),
        ("", ["/rest"]),
        ("*", ["/rest"]),
    ],
)
def test_the_channels_of_an_owner(server: LocalServer, owner: str, paths: list[str]) -> None:
    channels = {
        "*": [url(server, "rest")],
        "team-*": [url(server, "glob"), url(server, "glob-too")],
        "team-payments": [url(server, "exact")],
        "@org/*": [url(server, "data")],
        "@org/data*": [url(server, "later")],
    }
    notifier(channels).send(owner, HELLO)
    assert told(server) == paths


def test_an_owner_without_a_channel(server: LocalServer) -> None:
    one = notifier({"team-a": [url(server)]})
    assert one.send("team-b", HELLO).failures == ("no channel for 'team-b': add one under notify.channels",)
    assert one.send("", HELLO).failures == (
        "no channel for 'those without an owner': add one under notify.channels",
    )
    assert one.failures == [
        "no channel for 'team-b': add one under notify.channels",
        "no channel for 'those without an owner': add one under notify.channels",
    ]


def test_the_same_is_told_once_in_a_run(server: LocalServer) -> None:
    one = notifier({"*": [url(server)]})
    one.send("a", HELLO)
    again = one.send("b", HELLO)
    assert [str(channel) for channel in again.repeated] == ["notify.channels.*[0] (json)"]
    assert again.delivered == ()
    one.send("a", Message("Waiver expires", "in 6 days", Kind.WARNING))
    assert [request.body["message"] for request in server.requests] == ["in 7 days", "in 6 days"]


def test_secrets_come_from_the_environment(server: LocalServer) -> None:
    host = server.url.removeprefix("http://")
    one = notifier({"*": ["json://${HOST}/${PATH_TOKEN}", "${WHOLE}"]}, {
        "HOST": host, "PATH_TOKEN": "t0ken", "WHOLE": url(server, "whole"),
    })  # fmt: skip
    assert [str(channel) for channel in one.send("a", HELLO).delivered] == [
        "notify.channels.*[0] (json)",
        "notify.channels.*[1] (${WHOLE})",
    ]
    assert told(server) == ["/t0ken", "/whole"]


SECRET = "hunter2-is-secret"


@pytest.mark.parametrize(
    "channel, environ, problem",
    [
        ("slack://${A}/${B}", {"A": "x"}, "B is not set in the environment"),
        ("slack://${A}/${B}", {"A": "", "B": ""}, "A, B is not set in the environment"),
        (
            "nosuch://${A}",
            {"A": SECRET},
            "apprise cannot read this URL: see https://appriseit.com for how the service's look",
        ),
        (
            "slack://${A}",
            {"A": SECRET},
            "apprise cannot read this URL: see https://appriseit.com for how the service's look",
        ),
    ],
)
def test_a_channel_that_is_wrong(
    server: LocalServer,
    capfd: pytest.CaptureFixture[str],
    channel: str,
    environ: dict[str, str],
    problem: str,
) -> None:
    """Its place is named, its URL is not; the other channels are told all the same."""
    one = notifier({"a": [url(server, "1"), channel, url(server, "3")]}, environ)
    sent = one.send("a", HELLO)
    service = channel.partition(":")[0]
    assert sent.failures == (f"solon.yaml:11:9: notify.channels.a[1] ({service}): {problem}",)
    assert told(server) == ["/1", "/3"]
    assert capfd.readouterr() == ("", "")


def test_a_channel_that_fails(server: LocalServer, capfd: pytest.CaptureFixture[str]) -> None:
    server.faults.extend([Response(500, {"said": SECRET})])
    host = server.url.removeprefix("http://")
    one = notifier({"a": ["json://user:${P}@${H}/${P}", url(server, "2")]}, {"P": SECRET, "H": host})
    sent = one.send("a", HELLO)
    (failure,) = sent.failures
    assert failure.startswith("solon.yaml:10:9: notify.channels.a[0] (json): not delivered: ")
    assert "500" in failure
    assert SECRET not in failure
    assert host not in failure
    assert told(server)[-1] == "/2"
    assert one.failures == [failure]
    assert capfd.readouterr() == ("", "")


def test_a_host_that_is_not_there(capfd: pytest.CaptureFixture[str]) -> None:
    sent = notifier({"a": ["json://127.0.0.1:9/${P}"]}, {"P": SECRET}).send("a", HELLO)
    (failure,) = sent.failures
    assert failure.startswith("solon.yaml:10:9: notify.channels.a[0] (json): not delivered")
    assert SECRET not in failure
    assert capfd.readouterr() == ("", "")


def test_logging_is_as_it_was(server: LocalServer) -> None:
    logger = logging.getLogger("apprise")
    before = list(logger.handlers), logger.propagate
    notifier({"a": [url(server)]}).send("a", HELLO)
    assert (logger.handlers, logger.propagate) == before


def test_a_dry_run_needs_nothing(server: LocalServer) -> None:
    sent = notifier({"a": [url(server), "slack://${NOT_SET}"]}, dry_run=True).send("a", HELLO)
    assert [channel.service for channel in sent.delivered] == ["json", "slack"]
    assert sent.failures == ()
    assert server.requests == []


def test_without_apprise(server: LocalServer, monkeypatch: pytest.MonkeyPatch) -> None:
    imported = builtins.__import__

    def missing(name: str, *args: Any) -> Any:
        if name == "apprise":
            raise ImportError(name)
        return imported(name, *args)

    monkeypatch.setattr(builtins, "__import__", missing)
    assert notifier({"a": [url(server)]}).send("a", HELLO).failures == (
        "solon.yaml:10:9: notify.channels.a[0] (json): notifications need apprise: pip install 'solon[notify]'",
    )


def test_messages_are_paced(server: LocalServer) -> None:
    now, slept = [0.0], []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    one = Notifier(NotifySettings({"*": [url(server)]}, per_minute=2), {}, Clock(lambda: now[0], sleep))
    for n in range(5):
        now[0] += 1
        one.send("a", Message(f"{n}", "b"))
    assert slept == [58.0, 58.0]
    assert len(server.requests) == 5


@pytest.mark.parametrize(
    "text, shown",
    [
        ("@everyone and @here", "@\u200beveryone and @\u200bhere"),
        ("<!channel> <@U1>", "<\u200b!channel> <\u200b@\u200bU1>"),
        ("[bank](http://evil.example)", "[bank]\u200b(http://evil.example)"),
        ("<http://evil.example|bank>", "<\u200bhttp://evil.example|bank>"),
        ("```code", "`\u200b`\u200b`code"),
        ("red \x1b[31m \u202e", "red \ufffd[31m \ufffd"),
        ("3 < 4, a b@ c # d", "3 < 4, a b@ c # d"),
        ("two\r\nlines", "two\nlines"),
    ],
)
def test_texts_call_nobody(server: LocalServer, text: str, shown: str) -> None:
    notifier({"a": [url(server)]}).send("a", Message(text, text))
    body = server.requests[0].body
    assert body["message"] == shown
    assert body["title"] == " ".join(shown.split())


def test_texts_are_bounded(server: LocalServer) -> None:
    notifier({"a": [url(server)]}).send("a", Message("t" * 9999, "b" * 99999))
    body = server.requests[0].body
    assert (len(body["title"]), len(body["message"])) == (200, 4000)


@pytest.mark.parametrize(
    "said, problem",
    [
        ({}, "Object missing required field `channels`"),
        ({"channels": {"a": []}}, "channels of 'a': name an owner, and at least one URL"),
        ({"channels": {"": ["json://x"]}}, "channels of '': name an owner, and at least one URL"),
        ({"channels": {"a": "json://x"}}, "Expected `array`, got `str` - at `$.channels[...]`"),
        (
            {"channels": {"a": ["json://x", SECRET]}},
            "channel 2 of 'a': a URL begins with its service, such as slack:// or mailto://, or is a variable: ${NAME}",
        ),
        ({"channels": {"a": ["json://${a-b}"]}}, "channel 1 of 'a': write ${NAME} for a variable of the environment"),
        ({"channels": {"a": ["json://${A"]}}, "channel 1 of 'a': the bracket of ${NAME} is not closed"),
        ({"channels": {}, "per_minute": 0}, "Expected `int` >= 1 - at `$.per_minute`"),
        ({"channels": {}, "colour": 0}, "Object contains unknown field `colour`"),
    ],
)  # fmt: skip
def test_settings_that_are_wrong(said: Any, problem: str) -> None:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert(said, NotifySettings)
    assert str(caught.value) == problem


def test_a_name_of_the_environment_only_in_brackets(server: LocalServer) -> None:
    notifier({"a": [url(server, "$HOME")]}, {"HOME": "/root"}).send("a", HELLO)
    assert told(server) == ["/$HOME"]
