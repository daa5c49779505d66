"""Where a field of a document stands in its file, found only when somebody asks."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, cached_property, lru_cache
from typing import Any, Final

from solon.subjects.documents import Problem, kubernetes_loader, split
from solon.subjects.lines import Lines
from solon.subjects.subject import Location, Path

Finder = Callable[[int, Path], "tuple[int, int] | None"]

# JSON, rather than YAML in flow style: no --- line, and no bare word as the first key.
_JSON: Final = re.compile(r'\s*(?:\{\s*["}]|\[)')


def _is_json(text: str) -> bool:
    return _JSON.match(text) is not None and len(split(text)) == 1


class SourceFile:
    """The text of one file. ``load`` reads it again when it is first needed, so that subjects stay small."""

    def __init__(self, name: str, load: Callable[[], str]) -> None:
        self.name = name
        self._load = load

    @cached_property
    def _index(self) -> Finder:
        try:
            text = self._load()
        except (OSError, Problem):  # the file has changed since it was read
            return lambda document, path: None
        return _json_finder(text) if _is_json(text) else _yaml_finder(text)

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


@cache
def _mark_loader() -> Any:
    """The loader for nodes with marks alone: what type a scalar has is not asked, which is a third of the time."""

    class MarkLoader(kubernetes_loader()):  # type: ignore[misc]
        def resolve(self, kind: Any, value: Any, implicit: Any) -> str:
            del kind, value, implicit
            return ""

        def descend_resolver(self, current_node: Any, current_index: Any) -> None:
            pass

        def ascend_resolver(self) -> None:
            pass

    return MarkLoader


def _yaml_finder(text: str) -> Finder:
    """Composes a document to nodes with marks when it is first asked about; only the last one is kept."""
    import yaml

    parts = split(text)
    lines = Lines(text)

    @lru_cache(maxsize=1)
    def composed(document: int) -> Any:
        start, end = parts[document]
        loader = _mark_loader()(text[start:end])
        try:
            return loader.get_node() if loader.check_node() else None
        except (yaml.YAMLError, RecursionError):
            return None

    def find(document: int, path: Path) -> tuple[int, int] | None:
        node = composed(document) if document < len(parts) else None
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
        return mark.line + lines.row(parts[document][0]), mark.column + 1

    return find


_TOKEN: Final = re.compile(r'[\s,:]*("(?:[^"\\]|\\.)*"|[{}\[\]]|[^\s,:{}\[\]"]+)')


def _json_finder(text: str) -> Finder:
    """Scans to the path; what it passed is remembered, so that no part is scanned twice."""
    begin = len(text) - len(text.lstrip())
    lines = Lines(text)
    containers: dict[int, _Container] = {}

    def find(_document: int, path: Path) -> tuple[int, int] | None:
        offset = value = begin
        for part in path:
            if text[value] not in "{[":
                break
            container = containers.get(value)
            if container is None:
                container = containers[value] = _Container(text, value)
            found = container.child(part)
            if found is None:
                break
            offset, value = found
        return lines.place(offset)

    return find


class _Container:
    """The children of an object or array, found as far as somebody has asked."""

    __slots__ = ("_children", "_is_object", "_position", "_text")

    def __init__(self, text: str, at: int) -> None:
        self._text = text
        self._is_object = text[at] == "{"
        self._position = at + 1  # -1 when all children are known
        self._children: dict[str | int, tuple[int, int]] = {}

    def child(self, wanted: str | int) -> tuple[int, int] | None:
        """Offsets of the name (of the value, in an array) and of the value."""
        children = self._children
        while wanted not in children and self._position >= 0:
            self._next()
        return children.get(wanted)

    def _next(self) -> None:
        text = self._text
        token = _TOKEN.match(text, self._position)
        if token is None or token[1] in "}]":
            self._position = -1
            return
        name: str | int = len(self._children)
        name_at = value_at = token.start(1)
        end = token.end()
        if self._is_object:
            name = token[1][1:-1] if "\\" not in token[1] else _unescaped(token[1])
            value = _TOKEN.match(text, end)
            if value is None:
                self._position = -1
                return
            value_at, end = value.start(1), value.end()
        self._children[name] = (name_at, value_at)
        self._position = _skip(text, value_at) if text[value_at] in "{[" else end


def _unescaped(token: str) -> str:
    import json

    return str(json.loads(token))


# All up to the next bracket that matters: containers of strings and numbers alone are passed as a whole.
_PLAIN: Final = r'[^"{}\[\]]++|"(?:[^"\\]++|\\.)*+"'
_FLAT: Final = re.compile(rf"(?:{_PLAIN}|\{{(?:{_PLAIN})*+\}}|\[(?:{_PLAIN})*+\])*+", re.DOTALL)


def _skip(text: str, at: int) -> int:
    """Offset behind the container that begins at ``at``."""
    depth = 0
    end = len(text)
    while at < end:
        depth += 1 if text[at] in "{[" else -1
        if depth <= 0 or text[at] == '"':
            return at + 1
        found = _FLAT.match(text, at + 1)
        at = end if found is None else found.end()
    return end
