"""The text of a YAML file, changed in few places: where something stands, and how a value is written."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from solon.subjects.documents import Problem, decode, kubernetes_loader, split

_PLAIN: Final = re.compile(r"[A-Za-z](?:[\w ./-]*[\w./-])?|\d{4}-\d\d-\d\d(?:T[\d:]+Z)?|\d+[mhdw]", re.ASCII)
# What YAML may take for something else than a text.
_WORDS: Final = frozenset(["y", "n", "yes", "no", "on", "off", "true", "false", "null", "none"])


class Unclear(Exception):
    """A layout that cannot be changed without changing what it says."""


def scalar(text: str, quote: str | None = None) -> str:
    """The text as a YAML value: plain where that is safe, or within the quotes that are used there."""
    if quote == "'" and text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    if quote != '"' and _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    return "".join(map(_escaped, json.dumps(text, ensure_ascii=False)))


def _escaped(char: str) -> str:
    if char.isprintable():
        return char
    return f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}"


def flow(value: Any, *, as_json: bool = False) -> str:
    """Mappings, lists and texts in one line: ``{team: payments, namespace: ["a-*", b]}``."""
    if as_json:
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{scalar(key)}: {flow(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    return scalar(value) if isinstance(value, str) else json.dumps(value)


def newline_of(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def line_end(text: str, at: int) -> int:
    """Behind the last character of the line, before its end."""
    found = text.find("\n", at)
    end = len(text) if found < 0 else found
    return end - 1 if end > at and text[end - 1] == "\r" else end


def part(text: str, number: int) -> tuple[int, Any]:
    """Where the document begins that has the part of that number, and the part's node. Raises Unclear.

    Parts are counted as :func:`solon.subjects.files.parsed` gives them: documents, or the items of those that are
    lists.
    """
    import yaml

    start, end, nested = _document(text, number)
    try:
        loader = kubernetes_loader()(text[start:end])
        node = loader.get_node() if loader.check_node() else None
    except (yaml.YAMLError, RecursionError) as error:
        raise Unclear(f"its layout is not understood: {type(error).__name__}") from None
    if nested is not None and isinstance(node, yaml.SequenceNode):
        node = node.value[nested]
    if not isinstance(node, yaml.MappingNode):
        raise Unclear("its keys are not where they are looked for")
    return start, node


def _document(text: str, number: int) -> tuple[int, int, int | None]:
    """Where the document is that has the part of that number, and which of its list the part is."""
    places = split(text)
    count = 0
    for document in decode(text):
        if isinstance(document, Problem):
            count += 1
            continue
        if document.value is None:
            continue
        whole = isinstance(document.value, list)
        items = len(document.value) if whole else 1
        if number < count + items:
            return *places[document.index], number - count if whole else None
        count += items
    raise Unclear("its documents are not understood")


def content_end(node: Any) -> int:
    """Behind the last thing that is written of a node: marks of block nodes are at whatever comes next."""
    import yaml

    if isinstance(node, yaml.ScalarNode) or node.flow_style or not node.value:
        end: int = node.end_mark.index
        return end
    last = node.value[-1]
    return max(map(content_end, last)) if isinstance(last, tuple) else content_end(last)
