"""OPA's own upload protocol: a gzip JSON array, posted. Whatever takes the decision logs of OPA takes this."""

from __future__ import annotations

import ssl
import zlib
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from solon.decisions.log.reading import Stored
from solon.decisions.sinks.deliver import Down, Refusal, TooLarge, Unwanted
from solon.decisions.sinks.settings import LOCAL
from solon.governance.inert import inert_line

_MOST: Final = 64 << 20  # bytes before compression
_ANSWER: Final = 64 << 10
_UNWANTED: Final = (400, 422)


class Upload:
    """Posts to one address, and there alone: redirects are not followed."""

    def __init__(
        self, url: str, *, headers: Mapping[str, str], timeout: float, ca: str, limit: int, secret: str = ""
    ) -> None:
        """Raises OSError where the certificates cannot be read."""
        self._url = url
        self._host = urlsplit(url).netloc
        self._limit = limit
        self._secret = secret
        self._most = _MOST
        sent = {
            "User-Agent": "solon",
            "Content-Type": "application/json",
            "Content-Encoding": "gzip",
            **headers,
        }
        if secret:
            sent["Authorization"] = f"Bearer {secret}"
        self._client = httpx.Client(
            headers=sent,
            timeout=httpx.Timeout(timeout, connect=min(timeout, 10.0)),
            follow_redirects=False,
            trust_env=urlsplit(url).hostname not in LOCAL,  # proxies and certificates of the environment
            verify=ssl.create_default_context(cafile=ca) if ca else True,
        )

    def post(self, body: bytes, rows: int) -> bytes:
        """What the receiver answers. Raises Down, TooLarge, Unwanted.

        How much it takes at once is learned: what was too large is not compressed a second time to find that out.
        """
        if rows > 1 and len(body) > self._most:
            raise TooLarge("more than what was taken before")
        packed = _gzip(body)
        if rows > 1 and len(packed) > self._limit:
            self._most = max(len(body) // 2, 1)
            raise TooLarge("more than limit_kib")
        try:
            status, headers, answer = self._once(packed)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Down(f"{self._host}: {self._clean(str(error)) or type(error).__name__}") from None
        if 200 <= status < 300:
            self._most = min(self._most + self._most // 16 + 1, _MOST)
            return answer
        said = self._clean(answer[:400].decode("utf-8", "replace"))
        problem = f"{self._host}: status {status}{f': {said}' if said else ''}"
        if status == 413:
            self._most = max(len(body) // 2, 1)
            raise TooLarge(problem)
        if status in _UNWANTED:
            raise Unwanted(problem)
        if 300 <= status < 400:
            problem = f"{self._host}: status {status}: it has moved; change the address"
        raise Down(problem, _after(headers))

    def _once(self, packed: bytes) -> tuple[int, httpx.Headers, bytes]:
        with self._client.stream("POST", self._url, content=packed) as response:
            answer = b""
            for part in response.iter_bytes():
                answer += part
                if len(answer) > _ANSWER:
                    break
            return response.status_code, response.headers, answer

    def _clean(self, text: str) -> str:
        return inert_line(text.replace(self._secret, "***") if self._secret else text, 200)

    def close(self) -> None:
        self._client.close()


class HttpSink:
    def __init__(self, upload: Upload) -> None:
        self._upload = upload

    def send(self, batch: Sequence[Stored]) -> Refusal | None:
        """Raises Down, TooLarge, Unwanted."""
        self._upload.post(b"[" + b",".join(each.payload or b"" for each in batch) + b"]", len(batch))
        return None

    def close(self) -> None:
        self._upload.close()


def _gzip(data: bytes) -> bytes:
    packer = zlib.compressobj(level=5, wbits=31)
    return packer.compress(data) + packer.flush()


def _after(headers: Mapping[str, Any]) -> float | None:
    """Retry-After: seconds, or a date with the answer's own date to count from."""
    text = str(headers.get("retry-after", "")).strip()
    if text.isdecimal() and len(text) < 10:
        return float(text)
    try:
        now = parsedate_to_datetime(str(headers.get("date", "")))
        return max((parsedate_to_datetime(text) - now).total_seconds(), 0.0) if text else None
    except (ValueError, TypeError):
        return None
