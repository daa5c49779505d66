"""Chat templates (Jinja): what in them reaches for more than the conversation.

A template is rendered by whoever serves the model, and not always in a sandbox (CVE-2024-34359). Those that models
have need no private attributes, no filter that takes attributes by name, and no other template.
"""

from __future__ import annotations

import re
from typing import Final

_BLOCK: Final = re.compile(r"\{\{(.*?)\}\}|\{%(.*?)%\}", re.DOTALL)
_LITERAL: Final = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"", re.DOTALL)
_PRIVATE: Final = re.compile(r"\.\s*(_\w+)")
_DUNDER: Final = re.compile(r"__\w+__|\\x5f|\\u005f|\\137", re.IGNORECASE)
_ATTRIBUTE: Final = re.compile(r"\|\s*(attr|map\s*\(\s*attribute)\b")
_GLOBALS: Final = re.compile(
    r"(?<![\w.])(lipsum|cycler|joiner|self|request|config|os|sys|subprocess|builtins|importlib)\s*(?=[.\[(|])"
)
_OTHERS: Final = re.compile(r"\A[-+]?\s*(include|import|from|extends)\b")
_JOINED: Final = re.compile(r"\[[^\]]*['\"]\s*(?:~|\+|\|\s*(?:join|format|replace|reverse))")


def is_template(text: str) -> bool:
    return ("{%" in text and "%}" in text) or ("{{" in text and "}}" in text)


def dangers(text: str) -> list[str]:
    """What is wrong with a template, in plain words; nothing where nothing was found."""
    found: dict[str, None] = {}
    for match in _BLOCK.finditer(text):
        block = match[1] if match[1] is not None else match[2]
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
        if (match[2] is not None) and (other := _OTHERS.match(code)):
            found[f"its template brings in another one: {other[1]}"] = None
        if _JOINED.search(block):
            found["its template makes the names of attributes of pieces"] = None
        if len(found) >= 8:
            break
    return list(found)
