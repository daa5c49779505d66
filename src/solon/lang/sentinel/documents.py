"""Long literals of plain data, as mocks have them: read as JSON, which takes a tenth of the time.

HashiCorp's generator writes ``name = {`` … ``}`` with both at the left margin. What stands between is taken for a
document where it is JSON but for commas at the ends of lines, and means the same in both languages.
"""

from __future__ import annotations

import re
from typing import Final

from solon.lang.sentinel.values import Value

_BEGIN: Final = re.compile(r"^[^\W\d]\w*[ \t]*=[ \t]*([{\[])[ \t]*\n", re.MULTILINE)
_END: Final = re.compile(r"^[}\]][ \t]*$", re.MULTILINE)
_LONG: Final = 1_000  # characters
_TRAILING_COMMA: Final = re.compile(r",(?=\n[ \t]*[}\]])")  # no string of JSON has a line break
# Numbers of more than 64 bits, and escapes that the languages do not share.
_DIFFERENT: Final = re.compile(r"[0-9]{19}|\\/|\\u[dD][89a-fA-F]")


def documents_of(text: str) -> tuple[str, dict[int, Value]]:
    """The text with spaces for what is in documents, and the documents by where they begin."""
    found: dict[int, Value] = {}
    parts: list[str] = []
    last = 0
    begin = _BEGIN.search(text)
    while begin is not None:
        start = begin.start(1)
        closed = _END.search(text, begin.end())
        if closed is None:
            break
        end = closed.start() + 1
        if end - start > _LONG and (value := _read(text[start:end])) is not None:
            found[start] = value
            parts += [text[last : start + 1], " " * (end - start - 2)]
            last = end - 1
        begin = _BEGIN.search(text, end)
    return ("".join([*parts, text[last:]]), found) if found else (text, found)


def _read(text: str) -> Value | None:
    import orjson

    if _DIFFERENT.search(text):
        return None
    try:
        return orjson.loads(_TRAILING_COMMA.sub("", text))
    except ValueError:
        return None
