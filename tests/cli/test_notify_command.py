"""solon notify."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from local_http import LocalServer, Response

# Of a module that apprise imports.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

Solon = Callable[..., Any]


@pytest.fixture
def server() -> Iterator[LocalServer]:
    with LocalServer() as running:
        running.application = lambda _request: Response(200)
        yield running


@pytest.fixture(autouse=True)
def configured(server: LocalServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK", server.url.removeprefix("http://"))
    (tmp_path / "solon.yaml").write_text(
        "notify:\n"
        "  channels:\n"
        '    team-a: ["json://${HOOK}/a"]\n'
        '    "*":\n'
        '      - "json://${HOOK}/rest"\n'
        '      - "json://${NOT_SET}/x"\n'
    )


def test_a_message(solon: Solon, server: LocalServer) -> None:
    ran = solon("notify", "team-a", "--title", "T", "--body", "B", "--kind", "failure")
    assert (ran.status, ran.out, ran.err) == (0, "✓ told: notify.channels.team-a[0] (json)\n", "")
    (request,) = server.requests
    assert (request.path, request.body["title"], request.body["message"], request.body["type"]) == (
        "/a",
        "T",
        "B",
        "failure",
    )


def test_a_channel_that_fails(solon: Solon, server: LocalServer) -> None:
    ran = solon("notify", "team-b", "--format", "json")
    assert ran.status == 2
    assert json.loads(ran.out) == {
        "schema": "solon.notify/v1",
        "owner": "team-b",
        "dry_run": False,
        "delivered": ["notify.channels.*[0] (json)"],
        "failures": ["solon.yaml:6:9: notify.channels.*[1] (json): NOT_SET is not set in the environment"],
    }
    assert [request.path for request in server.requests] == ["/rest"]


def test_a_dry_run(solon: Solon, server: LocalServer) -> None:
    ran = solon("notify", "team-b", "--dry-run")
    assert (ran.status, ran.out) == (
        0,
        "✓ would be told: notify.channels.*[0] (json)\n✓ would be told: notify.channels.*[1] (json)\n",
    )
    assert server.requests == []


def test_without_channels(solon: Solon, tmp_path: Path) -> None:
    (tmp_path / "solon.yaml").write_text("format: table\n")
    ran = solon("notify", "team-a")
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith("solon: no channels: write them in solon.yaml, such as `notify:")
