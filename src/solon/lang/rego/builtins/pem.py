"""PEM blocks, as Go's encoding/pem reads them."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final, NamedTuple


class Block(NamedTuple):
    label: str
    data: bytes
    rest: str  # what follows the block


_BEGIN: Final = re.compile(r"^-----BEGIN ([^\n]*?)-----[ \t\r]*\n", re.MULTILINE)
_END: Final = re.compile(r"^-----END ([^\n]*?)-----[ \t\r]*(?:\n|\Z)", re.MULTILINE)


def decode(text: str) -> Block | None:
    """The first block of ``text``; None if there is none. Broken blocks are skipped."""
    at = 0
    while (begin := _BEGIN.search(text, at)) and (end := _END.search(text, begin.end())):
        if begin.group(1) == end.group(1):
            data = _body(text[begin.end() : end.start()])
            if data is not None:
                return Block(begin.group(1), data, text[end.end() :])
        at = end.end()
    return None


def blocks(text: str) -> list[Block]:
    out: list[Block] = []
    while block := decode(text):
        out.append(block)
        text = block.rest
    return out


def _body(text: str) -> bytes | None:
    lines = text.split("\n")
    while lines and ":" in lines[0]:  # headers of the block
        lines.pop(0)
    try:
        return base64.b64decode("".join("".join(lines).split()), validate=True)
    except (binascii.Error, ValueError):
        return None
