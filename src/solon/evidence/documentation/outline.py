"""A document as named parts: what stands under each heading, label and key, with its line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# A label stands in the text of a heading, which has its words, too.
Origin = Literal["heading", "label", "key"]


@dataclass(frozen=True, slots=True)
class Part:
    """``path`` are the headings or keys down to this one, ``text`` what stands under it and under nothing below it.

    ``line`` is that of the heading, ``begins`` that of the first line of the text. ``raw`` is a value as its file has it,
    where that is one word: ``1.10`` and not the number 1.1.
    """

    path: tuple[str, ...]
    line: int
    text: str
    begins: int
    origin: Origin
    raw: str = ""
