"""Texts of policies, manifests and waivers, on their way to people's chats and trackers: without any effect there."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_GONE: Final = "\N{REPLACEMENT CHARACTER}"
# Controls, marks that turn the direction of text around, lone surrogates, odd ends of lines.
_ODD: Final = ("Cc", "Cf", "Cs", "Zl", "Zp")
# What begins a mention, a reference, a tag, the address of a link, or code, where that follows at once.
_MARK: Final = re.compile(r"[@#](?=\w)|<(?=\S)|\](?=\()|`(?=`)")


def visible(text: str, longest: int) -> str:
    """The text, shortened, with what cannot be shown replaced; lines stay lines."""
    short = text if len(text) <= longest else text[: longest - 1] + "…"
    short = short.replace("\r\n", "\n").expandtabs(4)
    if short.replace("\n", " ").isprintable():
        return short
    return "".join(_GONE if c != "\n" and unicodedata.category(c) in _ODD else c for c in short)


def inert(text: str, longest: int) -> str:
    """As ``visible``, with an empty character behind marks, so that nobody is called and nothing leads elsewhere."""
    return _MARK.sub(lambda found: found[0] + "\N{ZERO WIDTH SPACE}", visible(text, longest))


def inert_line(text: str, longest: int) -> str:
    """As ``inert``, in one line."""
    return inert(" ".join(text[: longest + 1].split()), longest)
