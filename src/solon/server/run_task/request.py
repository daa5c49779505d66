"""What HCP Terraform asks: a signed POST with a task, whose answer goes to an address in it.

(HashiCorp, "Run tasks integration API": payload version 1.)
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import urlsplit

import httpx
import msgspec

SIGNATURE: Final = "x-tfc-task-signature"
HCP: Final = "https://app.terraform.io"
_LONGEST: Final = 4_096  # characters of an address


class Refused(Exception):
    """A request that is not worked on: an HTTP status, and why."""

    def __init__(self, status: int, problem: str) -> None:
        super().__init__(problem)
        self.status = status


class Capabilities(msgspec.Struct, frozen=True):
    outcomes: bool = False


class Task(msgspec.Struct, frozen=True):
    """One question. Where a key is null in the payload, it is empty here."""

    payload_version: int
    stage: str
    access_token: str = ""
    task_result_id: str = ""
    task_result_callback_url: str = ""
    task_result_enforcement_level: str = ""
    plan_json_api_url: str | None = None
    run_id: str = ""
    run_app_url: str | None = None
    run_created_at: str | None = None
    run_created_by: str | None = None
    run_message: str | None = None
    is_speculative: bool | None = None
    organization_name: str = ""
    workspace_id: str = ""
    workspace_name: str = ""
    workspace_working_directory: str | None = None
    vcs_branch: str | None = None
    vcs_repo_url: str | None = None
    vcs_commit_url: str | None = None
    vcs_pull_request_url: str | None = None
    capabilities: Capabilities | None = None

    @property
    def is_trial(self) -> bool:
        """Whether this is what is sent once when the task is set up, to see that someone answers."""
        return self.stage == "test" or self.access_token == "test-token"  # noqa: S105 (what is sent)

    @property
    def shows_outcomes(self) -> bool:
        return self.capabilities is not None and self.capabilities.outcomes


_decode: Final = msgspec.json.Decoder(Task).decode


@dataclass(frozen=True, slots=True)
class Origins:
    """Where tasks may come from, as ``https://host[:port]``: the access token goes nowhere else."""

    known: frozenset[str]

    @classmethod
    def of(cls, said: Iterable[str]) -> Self:
        """Hosts, or origins with their scheme. Raises ValueError."""
        return cls(frozenset(_origin(each if "://" in each else f"https://{each}") for each in said))

    def has(self, url: str) -> bool:
        try:
            return len(url) <= _LONGEST and _origin(url, alone=False) in self.known
        except ValueError:
            return False


def _origin(url: str, *, alone: bool = True) -> str:
    """Scheme, host and port of an address. Raises ValueError."""
    try:
        parts = httpx.URL(url)  # the one that is asked later reads it, so that both see the same host
        host, port = parts.host, parts.port
    except httpx.InvalidURL:
        raise ValueError(f"{url}: is no host such as app.terraform.io") from None
    if parts.scheme not in {"http", "https"} or not host or parts.userinfo:
        raise ValueError(f"{url}: is no host such as app.terraform.io")
    if alone and (parts.path not in {"", "/"} or parts.query or urlsplit(url).fragment):
        raise ValueError(f"{url}: name the host alone")
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + (f":{port}" if port is not None else "")


def read(body: bytes, signature: str, key: bytes, origins: Origins) -> Task:
    """The task of a request. ``key`` is empty where tasks are not signed. Raises Refused."""
    if key:
        wanted = hmac.new(key, body, hashlib.sha512).hexdigest()
        # Compared as bytes, and always: how long it takes says nothing about what was expected.
        if not hmac.compare_digest(wanted.encode(), signature.strip().lower().encode("utf-8", "replace")):
            raise Refused(401, f"{SIGNATURE} is not the signature of this body with the task's HMAC key")
    try:
        task = _decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(400, f"no run task: {error}") from None
    if task.payload_version != 1:
        raise Refused(400, f"payload version {task.payload_version} is not known; 1 is")
    if task.is_trial:
        return task
    for name, url in (
        ("task_result_callback_url", task.task_result_callback_url),
        *([("plan_json_api_url", task.plan_json_api_url)] if task.plan_json_api_url else []),
    ):
        if not origins.has(url):
            raise Refused(403, f"{name} is at none of: {', '.join(sorted(origins.known))}")
    if not task.task_result_id or not task.access_token:
        raise Refused(400, "no run task: it has no task_result_id or no access_token")
    return task
