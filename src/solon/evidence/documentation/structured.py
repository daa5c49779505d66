"""YAML and JSON to parts: a key is a heading, its value what stands under it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from solon.evidence.documentation.outline import Part
from solon.subjects.documents import Problem
from solon.subjects.subject import Path

MOST_KEYS: Final = 5_000
_RAW: Final = re.compile(r"""[^:]*:[ \t]+([^\s#"'\[{&*|>][^\s#]*)[ \t]*(?:#.*)?$""")


def parts(value: Any, text: str, line_of: Callable[[Path], int]) -> Iterator[Part]:
    """The parts of a document. ``text`` is that of the file, ``line_of`` where in it a path stands. Raises Problem."""
    lines = text.split("\n")
    stack: list[tuple[Any, Path, tuple[str, ...]]] = [(value, (), ())]
    keys = 0
    while stack:
        value, path, names = stack.pop()
        if isinstance(value, list):
            stack += [
                (item, (*path, number), names)
                for number, item in reversed(list(enumerate(value)))
                if isinstance(item, dict | list)
            ]
            continue
        below = []
        for key, item in value.items() if isinstance(value, dict) else ():
            keys += 1
            if keys > MOST_KEYS:
                raise Problem(f"more than {MOST_KEYS:,} keys", hint="a card is written for people")
            whole, name = (*path, key), (*names, str(key))
            line = line_of(whole)
            yield Part(name, line, _text(item), line, "key", _raw(lines, line, item))
            below.append((item, whole, name))
        stack += [each for each in reversed(below) if isinstance(each[0], dict | list)]


def _text(value: Any) -> str:
    """What a value says itself: a text, a number, and those of a list, one a line."""
    if isinstance(value, list):
        return "\n".join(_text(item) for item in value if not isinstance(item, dict | list))
    if value is None or isinstance(value, dict):
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _raw(lines: list[str], line: int, value: Any) -> str:
    """A number as it is written."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < line <= len(lines):
        return ""
    found = _RAW.match(lines[line - 1].rstrip("\r"))
    try:
        return found[1] if found and float(found[1]) == value else ""
    except ValueError:
        return ""
