"""Text that others wrote, made safe to show."""

from __future__ import annotations

import re
from typing import Final

# Controls drive a terminal; bidirectional overrides make text read as something else; the separators
# U+2028 and U+2029 break lines; a lone surrogate cannot be written as UTF-8.
_CHARACTERS: Final = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff"
)
UNSAFE: Final = re.compile(f"[{_CHARACTERS}]")
_UNSAFE_IN_LINE: Final = re.compile(f"[\t\n{_CHARACTERS}]")
_SHORT: Final = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}


def printable(text: str) -> str:
    r"""The text in one line: what could drive a terminal is shown as an escape (``\x1b``) instead."""
    return _UNSAFE_IN_LINE.sub(_escape, text)


def printable_lines(text: str) -> str:
    """As ``printable``, with line ends kept and tabs as spaces; blank lines around it are dropped."""
    return UNSAFE.sub(_escape, text.replace("\r\n", "\n")).expandtabs(4).strip("\n")


def _escape(match: re.Match[str]) -> str:
    char = match.group()
    code = ord(char)
    return _SHORT.get(char) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")
