"""Where a field of a document stands in its file, found only when somebody asks."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cached_property
from typing import Any, Final

from solon.subjects.documents import kubernetes_loader, looks_like_json, split
from solon.subjects.subject import Location, Path


class SourceFile:
    """The text of one file. ``load`` reads it again when it is first needed, so that subjects stay small."""

    def __init__(self, name: str, load: Callable[[], str]) -> None:
        self.name = name
        self._load = load

    @cached_property
    def _index(self) -> Callable[[int, Path], tuple[int, int] | None]:
        try:
            text = self._load()
        except OSError:
            return lambda document, path: None
        return _json_finder(text) if looks_like_json(text) else _yaml_finder(text)

    def place(self, document: int, path: Path) -> tuple[int, int] | None:
        """(row, column) of a path in the document of that number, of its nearest ancestor if it is missing."""
        return self._index(document, path)


class FieldLocator:
    """The Locator of a subject: a document of a file, or a part of it (an item of a List, a resource)."""

    __slots__ = ("_document", "_file", "_prefix", "_start")

    def __init__(self, file: SourceFile, document: int, start: Location, prefix: Path = ()) -> None:
        self._file = file
        self._document = document
        self._start = start
        self._prefix = prefix

    def locate(self, path: Path) -> Location:
        whole = self._prefix + tuple(path)
        found = self._file.place(self._document, whole) if whole else None
        return self._start if found is None else Location(self._file.name, *found)


def _yaml_nodes(text: str) -> list[Any]:
    import yaml

    loader = kubernetes_loader()(text)
    nodes: list[Any] = []
    try:
        while loader.check_node():
            nodes.append(loader.get_node())
    except (yaml.YAMLError, RecursionError):
        return []
    return nodes


def _yaml_finder(text: str) -> Callable[[int, Path], tuple[int, int] | None]:
    import yaml

    nodes = _yaml_nodes(text)
    rows = [0] * len(nodes)
    if not nodes:  # a document is broken: the others are found between the --- lines
        for start, end in split(text):
            nodes.append(next(iter(_yaml_nodes(text[start:end])), None))
            rows.append(text.count("\n", 0, start))

    def find(document: int, path: Path) -> tuple[int, int] | None:
        node = nodes[document] if document < len(nodes) else None
        if node is None:
            return None
        mark = node.start_mark
        for part in path:
            if isinstance(node, yaml.MappingNode):
                pair = next(((k, v) for k, v in node.value if k.value == str(part)), None)
                if pair is None:
                    break
                mark, node = pair[0].start_mark, pair[1]
            elif (
                isinstance(node, yaml.SequenceNode) and isinstance(part, int) and 0 <= part < len(node.value)
            ):
                node = node.value[part]
                mark = node.start_mark
            else:
                break
        return mark.line + 1 + rows[document], mark.column + 1

    return find


_TOKEN: Final = re.compile(r'[\s,:]*("(?:[^"\\]|\\.)*"|[{}\[\]]|[^\s,:{}\[\]"]+)')


def _json_finder(text: str) -> Callable[[int, Path], tuple[int, int] | None]:
    """Scans to the path each time; what it passed is remembered, so that neighbours are found fast."""
    known: dict[Path, int] = {}  # path -> offset of its value

    def find(_document: int, path: Path) -> tuple[int, int] | None:
        offset, value = _begin(text), _begin(text)
        for depth in range(len(path)):
            step = known.get(path[: depth + 1])
            if step is None:
                found = _child(text, value, path[: depth + 1], known)
                if found is None:
                    break
                offset, value = found
            else:
                value = step
                offset = known.get((*path[: depth + 1], "\0name"), step)
        row = text.count("\n", 0, offset) + 1
        return row, offset - (text.rfind("\n", 0, offset) + 1) + 1

    return find


def _begin(text: str) -> int:
    return len(text) - len(text.lstrip())


def _child(text: str, at: int, path: Path, known: dict[Path, int]) -> tuple[int, int] | None:
    """Offsets of the name and of the value of the last part of ``path``, in the container at ``at``."""
    if text[at] not in "{[":
        return None
    is_object = text[at] == "{"
    wanted = path[-1]
    parent = path[:-1]
    position = at + 1
    number = 0
    while True:
        token = _TOKEN.match(text, position)
        if token is None or token[1] in "}]":
            return None
        name_at = value_at = token.start(1)
        name: str | int = number
        position = token.end()
        if is_object:
            raw = token[1][1:-1]
            name = raw if "\\" not in raw else _unescaped(token[1])
            value = _TOKEN.match(text, position)
            if value is None:
                return None
            value_at, position = value.start(1), value.end()
        if text[value_at] in "{[":
            position = _skip(text, value_at)
        known[(*parent, name)] = value_at
        known[(*parent, name, "\0name")] = name_at
        if name == wanted:
            return name_at, value_at
        number += 1


def _unescaped(token: str) -> str:
    import json

    return str(json.loads(token))


_BRACKET: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]]')


def _skip(text: str, at: int) -> int:
    """Offset behind the container that begins at ``at``."""
    depth = 0
    for token in _BRACKET.finditer(text, at):
        char = token.group()
        if char in "{[":
            depth += 1
        elif char in "}]":
            depth -= 1
            if depth == 0:
                return token.end()
    return len(text)
