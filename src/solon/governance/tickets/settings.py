"""What solon.yaml says under ``tickets:``."""

from __future__ import annotations

import re
from typing import Annotated, Final
from urllib.parse import urlsplit

import msgspec

LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_REPOSITORY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}")
_PROJECT: Final = re.compile(r"[A-Z][A-Z0-9_]{1,254}")
_ENV: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LABEL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,29}")


class GitHubSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Issues of one repository; ``api`` differs on GitHub Enterprise (``https://HOST/api/v3``)."""

    repository: str
    token_env: str = "GITHUB_TOKEN"  # noqa: S105 - a name
    api: str = "https://api.github.com"
    labels: list[str] = []

    def __post_init__(self) -> None:
        if not _REPOSITORY.fullmatch(self.repository):
            raise ValueError(f"repository {self.repository!r}: write it as owner/name")
        _check_env("token_env", self.token_env)
        check_url("api", self.api)
        for label in self.labels:
            if not label.strip() or len(label) > 50 or "," in label:
                raise ValueError(f"label {label!r}: 1 to 50 characters, without a comma")


class JiraSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Issues of one project of Jira Cloud. With an empty ``user_env`` the token is sent as a bearer token."""

    url: str
    project: str
    issue_type: str = "Task"
    user_env: str = "JIRA_USER"
    token_env: str = "JIRA_TOKEN"  # noqa: S105 - a name
    labels: list[str] = []

    def __post_init__(self) -> None:
        check_url("url", self.url)
        if not _PROJECT.fullmatch(self.project):
            raise ValueError(f"project {self.project!r}: write its key, such as GOV")
        if not self.issue_type.strip():
            raise ValueError("issue_type is empty: write one that the project has, such as Task")
        _check_env("token_env", self.token_env)
        if self.user_env:
            _check_env("user_env", self.user_env)
        for label in self.labels:
            if not label or len(label) > 255 or re.search(r"\s", label):
                raise ValueError(f"label {label!r}: 1 to 255 characters, without blanks")


class TicketSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where tickets are kept. ``label`` marks those of this repository; two that share a tracker use two."""

    github: GitHubSettings | None = None
    jira: JiraSettings | None = None
    label: str = "solon"
    per_minute: Annotated[int, msgspec.Meta(ge=1, le=600)] = 20

    def __post_init__(self) -> None:
        if (self.github is None) == (self.jira is None):
            raise ValueError("tickets go to one tracker: write either github or jira")
        if not _LABEL.fullmatch(self.label):
            raise ValueError(f"label {self.label!r}: up to 30 letters, digits, '.', '_' and '-'")


def check_url(name: str, url: str) -> None:
    """Raises ValueError where a token must not be sent to that address."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError(f"{name}: not a URL") from None
    if parts.username is not None or parts.password is not None:
        raise ValueError(f"{name}: no user or password in the URL; name environment variables instead")
    if parts.scheme not in ("https", "http") or not host or parts.query or parts.fragment:
        raise ValueError(f"{name}: {url!r} is no address such as https://api.github.com")
    if re.search(r"[\s\x00-\x1f\x7f\\]", url):
        raise ValueError(f"{name}: {url!r} has blanks or controls in it")
    if parts.scheme == "http" and host not in LOCAL:
        raise ValueError(f"{name}: {url} is not encrypted; tokens are sent over https alone")


def _check_env(name: str, value: str) -> None:
    if not _ENV.fullmatch(value):
        # It may be the token itself, written in the wrong place.
        raise ValueError(f"{name} must be the name of an environment variable")
