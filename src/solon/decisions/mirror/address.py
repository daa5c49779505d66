"""``s3://bucket/prefix``: where a mirror is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from solon.decisions.log.errors import LogError

_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", re.ASCII)
_PART: Final = re.compile(r"[A-Za-z0-9!_.*'() =+@,:&$-]{1,200}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Address:
    """``prefix`` is "" or ends with a slash."""

    bucket: str
    prefix: str

    def key(self, path: str) -> str:
        return self.prefix + path

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")


def parse(text: str) -> Address:
    """Raises LogError."""
    scheme, found, rest = text.partition("://")
    bucket, _, prefix = rest.partition("/")
    if scheme != "s3" or not found:
        raise LogError(f"{text}: a mirror is at s3://BUCKET/PREFIX")
    if not _BUCKET.fullmatch(bucket):
        raise LogError(f"{text}: a bucket has 3 to 63 of a-z, 0-9, dots and dashes")
    parts = prefix.rstrip("/").split("/") if prefix.rstrip("/") else []
    for part in parts:
        if part in {"", ".", ".."} or not _PART.fullmatch(part):
            raise LogError(f"{text}: {part!r} is no part of a prefix: use letters, digits and -_.=")
    return Address(bucket, "".join(f"{part}/" for part in parts))
