"""Chat templates (Jinja): what in them reaches for more than the conversation.

A template is rendered by whoever serves the model, and not always in a sandbox (CVE-2024-34359). Those that models
have need no private attributes, no filter that takes attributes by name, and no other template.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

_ENDS: Final = {"{{": "}}", "{%": "%}"}
_BEGIN: Final = re.compile(r"\{\{|\{%")
_LITERAL: Final = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"", re.DOTALL)
_PRIVATE: Final = re.compile(r"\.\s*(_\w+)")
_DUNDER: Final = re.compile(r"__\w+__|\\x5f|\\u005f|\\137", re.IGNORECASE)
_ATTRIBUTE: Final = re.compile(r"\|\s*(attr|map\s*\(\s*attribute)\b")
_GLOBALS: Final = re.compile(
    r"(?<![\w.])(lipsum|cycler|joiner|self|request|config|os|sys|subprocess|builtins|importlib)\s*(?=[.\[(|])"
)
_OTHERS: Final = re.compile(r"\A[-+]?\s*(include|import|from|extends)\b")
_JOINED: Final = re.compile(r"\[[^\]]{0,200}['\"]\s{0,20}(?:~|\+|\|\s{0,20}(?:join|format|replace|reverse))")


def is_template(text: str) -> bool:
    return ("{%" in text and "%}" in text) or ("{{" in text and "}}" in text)


def dangers(text: str) -> list[str]:
    """What is wrong with a template, in plain words; nothing where nothing was found."""
    found: dict[str, None] = {}
    for begin, block in _blocks(text):
        for literal in _LITERAL.findall(block):
            for name in _DUNDER.findall(literal):
                found[f"its template reaches for the inside of Python: {name}"] = None
        code = _LITERAL.sub("''", block)
        for name in _PRIVATE.findall(code):
            found[f"its template reaches for the inside of Python: {name}"] = None
        for name in _ATTRIBUTE.findall(code):
            found[f"its template takes attributes by name: |{name.partition('(')[0].strip()}"] = None
        for name in _GLOBALS.findall(code):
            found[f"its template uses {name}, which no conversation needs"] = None
        if begin == "{%" and (other := _OTHERS.match(code)):
            found[f"its template brings in another one: {other[1]}"] = None
        if _JOINED.search(block):
            found["its template makes the names of attributes of pieces"] = None
        if len(found) >= 8:
            break
    return list(found)


def _blocks(text: str) -> Iterator[tuple[str, str]]:
    """What begins each expression and statement, and what is in it."""
    at = 0
    while match := _BEGIN.search(text, at):
        end = text.find(_ENDS[match[0]], match.end())
        if end < 0:
            return
        yield match[0], text[match.end() : end]
        at = end + 2
