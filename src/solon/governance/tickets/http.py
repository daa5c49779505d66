"""Requests to a tracker: bounded in time and size, paced, tried again where that is safe.

The credentials go to the configured address alone: redirects are not followed, and no message shows them.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import msgspec

from solon.governance.inert import inert_line
from solon.governance.pace import Clock, Pace
from solon.governance.tickets.settings import LOCAL
from solon.governance.tickets.tracker import TrackerError, TrackerUnavailable

MAX_BYTES: Final = 32 << 20
_TIMEOUT: Final = 30.0  # seconds without a byte
_DEADLINE: Final = 120.0  # seconds for a whole answer
_TRIES: Final = 5
_LONGEST_WAIT: Final = 900.0  # seconds, for all of one request; later, the next run goes on
_SECONDS: Final = re.compile(r"[0-9]{1,12}")
_TOKEN: Final = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: httpx.Headers
    value: Any
    next: str  # address of the next page, "" where there is none


def secret(environ: Mapping[str, str], name: str) -> str:
    """A token from the environment. Raises TrackerUnavailable."""
    value = environ.get(name, "").strip()
    if not value:
        raise TrackerUnavailable(f"{name} is not set in the environment (see tickets: in solon.yaml)")
    if not _TOKEN.fullmatch(value):
        raise TrackerUnavailable(f"{name} holds blanks or characters beyond ASCII")
    return value


@cache
def _tls() -> ssl.SSLContext:
    """What every connection is verified with; reading the certificates takes a while."""
    return httpx.create_ssl_context()


class Connection:
    """Talks JSON with one address. ``secrets`` are taken out of every message."""

    def __init__(
        self,
        base: str,
        headers: Mapping[str, str],
        *,
        clock: Clock,
        pace: Pace,
        secrets: tuple[str, ...],
        auth: tuple[str, str] | None = None,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self._base = base.rstrip("/")
        self._clock = clock
        self._pace = pace
        self._secrets = secrets
        self._max_bytes = max_bytes
        self._client = httpx.Client(
            headers={"User-Agent": "solon", "Accept-Encoding": "identity", **headers},
            auth=auth,
            timeout=httpx.Timeout(_TIMEOUT, connect=10.0),
            follow_redirects=False,
            verify=_tls(),
            trust_env=urlsplit(base).hostname not in LOCAL,  # proxies and certificates of the environment
        )

    def close(self) -> None:
        self._client.close()

    def get(self, path: str, **params: str | int) -> Answer:
        # No parameters must not become empty ones: they would take the place of those in the address.
        return self.send("GET", path, params=params or None)

    def send(
        self, method: str, path: str, body: Any = None, *, repeatable: bool | None = None, **options: Any
    ) -> Answer:
        """The answer, where it is a success. Raises TrackerError.

        What may have been done already is only asked for again where that changes nothing: reading, and setting
        fields (``repeatable``). ``path`` may be an address of the same host.
        """
        reads = method == "GET"
        repeatable = method in ("GET", "PUT", "PATCH") if repeatable is None else repeatable
        url = self._address(path)
        waited = 0.0
        for attempt in range(1, _TRIES + 1):
            if not reads:
                self._pace.step()
            try:
                answer = self._once(method, url, body, options)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:  # nothing was sent
                problem, wait = self._said(error), 2.0 ** (attempt - 1)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                if not repeatable:
                    raise TrackerError(f"{self._host()} did not answer: {self._said(error)}") from None
                problem, wait = self._said(error), 2.0 ** (attempt - 1)
            else:
                if answer.status < 300:
                    return answer
                limited = _wait(answer, self._clock.now(), attempt)
                if limited is not None:
                    problem, wait = f"it limits our rate for {limited:,.0f} s", limited
                elif answer.status >= 500 and repeatable:
                    problem, wait = (
                        f"status {answer.status}",
                        _after(answer, self._clock.now()) or 2.0 ** (attempt - 1),
                    )
                else:
                    raise self._refusal(answer)
            if attempt == _TRIES or waited + wait > _LONGEST_WAIT:
                raise TrackerUnavailable(f"{self._host()}: {problem}; run again later, it goes on from here")
            waited += wait
            self._clock.sleep(wait)
        raise AssertionError("not reached")

    def _address(self, path: str) -> str:
        if "://" not in path:
            return self._base + path
        ours, theirs = urlsplit(self._base), urlsplit(path)
        if (ours.scheme, ours.netloc) != (theirs.scheme, theirs.netloc):
            raise TrackerUnavailable(f"{self._host()} sends us to another host: not followed")
        return path

    def _once(self, method: str, url: str, body: Any, options: Mapping[str, Any]) -> Answer:
        until = self._clock.now() + _DEADLINE
        parts: list[bytes] = []
        size = 0
        with self._client.stream(method, url, json=body, **options) as response:
            for part in response.iter_bytes():
                size += len(part)
                if size > self._max_bytes:
                    raise TrackerUnavailable(
                        f"{self._host()} answers with more than {self._max_bytes >> 20} MiB"
                    )
                if self._clock.now() > until:
                    raise httpx.ReadTimeout("the answer takes too long")
                parts.append(part)
            following = response.links.get("next", {}).get("url", "")
        try:
            value = msgspec.json.decode(b"".join(parts)) if size else None
        except (msgspec.DecodeError, RecursionError):
            if response.status_code < 300:
                raise TrackerUnavailable(f"{self._host()} answers with something that is not JSON") from None
            value = None
        return Answer(response.status_code, response.headers, value, following)

    def _refusal(self, answer: Answer) -> TrackerError:
        status = answer.status
        if 300 <= status < 400:
            return TrackerUnavailable(
                f"{self._host()}: status {status}: it has moved; redirects are not followed, change the address"
            )
        text = f"{self._host()}: status {status}: {self._clean(_message(answer.value))}"
        return (TrackerUnavailable if status == 401 else TrackerError)(text)

    def _host(self) -> str:
        return urlsplit(self._base).netloc

    def _said(self, error: Exception) -> str:
        return self._clean(str(error)) or type(error).__name__

    def _clean(self, text: str) -> str:
        for value in self._secrets:
            text = text.replace(value, "***")
        return inert_line(text, 300)


def _message(value: Any) -> str:
    """What GitHub and Jira say of an error."""
    if not isinstance(value, dict):
        return "no reason given"
    said: list[str] = [str(value["message"])] if value.get("message") else []
    messages = value.get("errorMessages")
    said += [str(m) for m in messages] if isinstance(messages, list) else []
    errors = value.get("errors")
    if isinstance(errors, dict):
        said += [f"{name}: {problem}" for name, problem in errors.items()]
    elif isinstance(errors, list):
        said += [
            " ".join(str(e[k]) for k in ("field", "code", "message") if e.get(k))
            if isinstance(e, dict)
            else str(e)
            for e in errors
        ]
    return "; ".join(said) or "no reason given"


def _wait(answer: Answer, now: float, attempt: int) -> float | None:
    """How long to wait where the answer is that we are too fast: as GitHub and Jira document it."""
    headers = answer.headers
    spent = headers.get("x-ratelimit-remaining") == "0"
    if answer.status != 429 and not (
        answer.status == 403
        and (spent or "retry-after" in headers or "rate limit" in _message(answer.value).lower())
    ):
        return None
    after = _after(answer, now)
    if after is not None:
        return after
    reset = headers.get("x-ratelimit-reset", "")
    if spent and _SECONDS.fullmatch(reset):
        return max(int(reset) - now, 0.0) + 1.0
    return 60.0 * 2.0 ** (attempt - 1)


def _after(answer: Answer, now: float) -> float | None:
    """Retry-After: seconds, or a date."""
    text = answer.headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    try:
        return max(parsedate_to_datetime(text).timestamp() - now, 0.0) if text else None
    except (ValueError, OverflowError):
        return None
