"""YAML and JSON text to plain documents.

YAML is read as Kubernetes reads it: YAML 1.1 booleans, no dates, no base-60 numbers, string keys. A fast
parser (YAML 1.2) reads the text when nothing in it means something else there; PyYAML reads the rest, and
says what is wrong and where. Duplicate keys, alias bombs and absurd nesting are refused.
"""

from __future__ import annotations

import gc
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from typing import Any, Final

import msgspec
import re2

from solon.subjects.lines import Lines
from solon.subjects.subject import Location, Unreadable

# Nesting deeper than this is refused; real documents stay below 50.
MAX_DEPTH: Final = 400
_TOO_DEEP: Final = f"nested too deeply: more than {MAX_DEPTH} levels"
# How many values the aliases of a document may stand for.
MAX_EXPANDED: Final = 1_000_000
# Duplicate keys of JSON are looked for up to this size; larger files are written by machines.
MAX_CHECKED: Final = 32 << 20


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a file: its value, its number among the file's, and the row it begins in."""

    value: Any
    index: int
    row: int


@dataclass(frozen=True, slots=True)
class Problem(Exception):
    """Why a text cannot be read; rows and columns count from 1, 0 where unknown."""

    message: str
    row: int = 0
    column: int = 0
    hint: str = ""

    def at(self, file: str) -> Unreadable:
        return Unreadable(Location(file, self.row, self.column), self.message, self.hint)


@contextmanager
def collector_paused() -> Iterator[None]:
    """Decoding builds a tree at once; looking for garbage meanwhile takes longer than decoding."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@contextmanager
def collector_spared() -> Iterator[None]:
    """What is there by now stays, and much of what comes does: to look through it again and again takes long."""
    thresholds = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()


def text_of(data: bytes) -> str:
    """The text of a file. Raises Problem where it is not UTF-8."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise Problem("not UTF-8 but UTF-16", 1, 1, "save it as UTF-8")
    try:
        return data.removeprefix(b"\xef\xbb\xbf").decode("utf-8")
    except UnicodeDecodeError as error:
        row = data.count(b"\n", 0, error.start) + 1
        column = error.start - (data.rfind(b"\n", 0, error.start) + 1) + 1
        raise Problem(f"not UTF-8: byte 0x{data[error.start]:02x}", row, column, "save it as UTF-8") from None


def looks_like_json(text: str) -> bool:
    return text.lstrip()[:1] in ("{", "[")


def decode(text: str) -> Iterator[Document | Problem]:
    """The documents of a file, with a Problem in the place of each that cannot be read."""
    if not looks_like_json(text):
        yield from decode_yaml(text)
        return
    try:
        yield Document(decode_json(text), 0, 1)
    except _NotJson as problem:
        # `{a: 1}` is YAML too, and so are JSON documents one behind the other with --- between them.
        documents = list(decode_yaml(text)) if len(text) <= MAX_CHECKED else [problem]
        if len(documents) > 1 or not any(isinstance(d, Problem) for d in documents):
            yield from documents
        else:
            yield problem
    except Problem as problem:
        yield problem


# --- JSON


class _NotJson(Problem):
    """The syntax is not that of JSON; it may be YAML."""


def decode_json(text: str) -> Any:
    """The document. Raises Problem."""
    try:
        with collector_paused():
            value = msgspec.json.decode(text)
    except RecursionError:
        raise Problem("nested too deeply", 1, 1) from None
    except msgspec.DecodeError as error:
        raise _json_problem(text, error) from None
    if len(text) <= MAX_CHECKED and text.count('"') > 1 and _may_have_duplicates(text, value):
        _check_duplicates(text)
    return value


def _json_problem(text: str, refused: Exception) -> Problem:
    """What is wrong, and where: the json module says so best, where that does not take too much memory."""
    try:
        if len(text) <= MAX_CHECKED:
            json.loads(text)
    except json.JSONDecodeError as error:
        hint = "separate documents with a line of ---" if error.msg == "Extra data" else ""
        return _NotJson(f"not JSON: {error.msg}", error.lineno, error.colno, hint)
    except RecursionError:
        return Problem("nested too deeply", 1, 1)
    except ValueError:
        pass  # more digits than Python reads: the words of msgspec are better
    words = str(refused).removeprefix("JSON is malformed: ").partition(" - at ")[0]
    reason, _, offset = words.rstrip(")").partition(" (byte ")
    before = text.encode(errors="surrogatepass")[: int(offset)].decode(errors="ignore") if offset else text
    return Problem(f"not JSON: {reason[:1].lower()}{reason[1:]}", *Lines(text).place(len(before)))


_NAME: Final = re.compile(r'"\s*:')


def _may_have_duplicates(text: str, value: Any) -> bool:
    """Whether the text has more names than the document; strings that hold ``":`` make it look so too."""
    names = 0
    stack = [value]
    while stack:
        at = stack.pop()
        if type(at) is dict:
            names += len(at)
            stack.extend(v for v in at.values() if type(v) is dict or type(v) is list)
        elif type(at) is list:
            stack.extend(v for v in at if type(v) is dict or type(v) is list)
    return len(_NAME.findall(text)) > names


class _Duplicate(Exception):
    pass


def _check_duplicates(text: str) -> None:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        fields = dict(pairs)
        if len(fields) < len(pairs):
            seen: set[str] = set()
            for name, _ in pairs:
                if name in seen:
                    raise _Duplicate(name)
                seen.add(name)
        return fields

    try:
        json.loads(text, object_pairs_hook=unique)
    except _Duplicate as error:
        name = str(error)
        places = [
            m.start() for m in re.finditer(re.escape(json.dumps(name, ensure_ascii=False)) + r"\s*:", text)
        ]
        at = places[1] if len(places) == 2 else -1
        row = text.count("\n", 0, at) + 1 if at >= 0 else 0
        column = at - (text.rfind("\n", 0, at) + 1) + 1 if at >= 0 else 0
        raise Problem(f"duplicate key {name!r}", row, column) from None


# --- YAML

# What YAML 1.2 reads otherwise than Kubernetes does: yes/no/on/off/y/n, leading zeros and underscores in
# numbers, numbers without a fraction, keys that are not strings, merge keys, tags, infinities, times.
_OTHERWISE: Final = re2.compile(
    r"(?im)(?:^|[\s\[{,:'\"])(?:yes|no|on|off|y|n)(?:[\s,\]}:]|$)"
    r"|(?:^|[\s\[{,:])[-+]?(?:0[0-9_]+|0b[01]|\d[\d_]*_)(?:[\d_\s,\]}.]|$)"
    r"|(?:^|[\s{,?-])(?:[-+]?[\d.][\w.+-]*|true|false|null|~)\s*:(?:\s|$)"
    r"|(?:^|[\s\[{,:])[-+]?(?:\d+\.0*|[\d.]+e[-+]?\d+)(?:[\s,\]}]|$)"
    r"|<<\s*:|[\s\[{,]!|[-+\s\[{,]\.(?:inf|nan)|(?:^|[\s\[{,])\?(?:\s|$)"
)
_ALIAS: Final = re2.compile(r"(?m)(?:^|[\s\[{,:-])[*&][^\s*&,\[\]{}]")  # or an anchor
_SEPARATOR: Final = re.compile(r"^---(?=\s|$)", re.MULTILINE)
_BARE_SEPARATOR: Final = re.compile(r"---[ \t]*(?:#.*)?\r?(?:\n|$)")
_DIRECTIVE: Final = re.compile(r"^%", re.MULTILINE)
_CONTENT: Final = re.compile(r"^(?!%)[ \t]*[^\s#]", re.MULTILINE)
_DEEP_BLOCK: Final = re.compile(rf"^\s*(?:- ){{{MAX_DEPTH}}}|^ {{{MAX_DEPTH * 2}}}\s*\S", re.MULTILINE)


def decode_yaml(text: str) -> Iterator[Document | Problem]:
    """The documents of a YAML stream; where one is broken, the others are still read."""
    problem = _too_deep(text)
    if problem is not None:
        yield problem
        return
    parts = split(text)
    lines = Lines(text)
    values = _fast(text)
    if values is None and (len(parts) == 1 or _DIRECTIVE.search(text)):
        try:
            values = _load_all(text)
        except Problem as error:
            yield replace(error, row=error.row or 1)
            return
    bracketed = text.count("[") + text.count("{") > MAX_DEPTH
    for found in _one_by_one(text, parts, lines) if values is None else enumerate(values):
        if isinstance(found, Problem):
            yield found
            continue
        index, value = found
        row = _first_row(text, lines, parts[min(index, len(parts) - 1)][0])
        if bracketed and _is_deep(value):
            yield Problem(_TOO_DEEP, row)
        elif value is not None:
            yield Document(value, index, row)


def _fast(text: str) -> list[Any] | None:
    import ryaml

    if _OTHERWISE.search(text) or _ALIAS.search(text):
        return None
    try:
        with collector_paused():
            return ryaml.loads_all(text) or []  # type: ignore[attr-defined]
    except ValueError:
        return None


def split(text: str) -> list[tuple[int, int]]:
    """Offsets of the documents of a stream, told apart by their --- lines alone."""
    starts = [m.start() for m in _SEPARATOR.finditer(text)]
    if not starts or _CONTENT.search(text, 0, starts[0]):
        starts.insert(0, 0)
    return list(zip(starts, [*starts[1:], len(text)], strict=True))


def _first_row(text: str, lines: Lines, start: int) -> int:
    """The row in which the document behind a --- line begins."""
    return lines.row(start) + (_BARE_SEPARATOR.match(text, start) is not None)


def _one_by_one(text: str, parts: list[tuple[int, int]], lines: Lines) -> Iterator[tuple[int, Any] | Problem]:
    """The documents of a stream, each read on its own: one is broken, or asks for the slower way."""
    for index, (start, end) in enumerate(parts):
        part = text[start:end]
        try:
            values = _fast(part)
            for value in _load_all(part) if values is None else values:
                yield index, value
        except Problem as problem:
            row = lines.row(start) - 1 + problem.row if problem.row else _first_row(text, lines, start)
            yield replace(problem, row=row)


def _too_deep(text: str) -> Problem | None:
    if text.count("[") + text.count("{") > MAX_DEPTH:
        depth = 0
        for found in re.finditer(r'"(?:[^"\\\n]|\\.)*"|[\[\]{}]', text):
            char = found.group()
            if char in "[{":
                depth += 1
                if depth > MAX_DEPTH:
                    return Problem(_TOO_DEEP, text.count("\n", 0, found.start()) + 1)
            elif char in "]}" and depth:
                depth -= 1
    found_block = _DEEP_BLOCK.search(text)
    if found_block:
        return Problem(_TOO_DEEP, text.count("\n", 0, found_block.start()) + 1)
    return None


def _is_deep(value: Any) -> bool:
    """Whether a document nests deeper than its text showed: quotes can hide brackets from :func:`_too_deep`."""
    level = [value]
    for _ in range(MAX_DEPTH * 2):
        inner = (at.values() if isinstance(at, dict) else at for at in level if isinstance(at, dict | list))
        level = list({id(child): child for children in inner for child in children}.values())
        if not level:
            return False
    return True


def _load_all(text: str) -> list[Any]:
    """All documents, through PyYAML. Raises Problem."""
    import yaml

    loader = kubernetes_loader()(text)
    values: list[Any] = []
    try:
        with collector_paused():
            while loader.check_data():
                values.append(loader.get_data())
    except yaml.MarkedYAMLError as error:
        raise _yaml_problem(error, text) from None
    except yaml.reader.ReaderError as error:
        row = text.count("\n", 0, error.position) + 1
        raise Problem(f"not YAML: {error.reason}", row) from None
    except RecursionError:
        raise Problem(_TOO_DEEP) from None
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        raise Problem(f"not YAML: {error}") from None
    finally:
        loader.dispose()
    if _ALIAS.search(text):
        for value in values:
            _check_expansion(value)
    return values


def _yaml_problem(error: Any, text: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    message = str(error.problem or error.context or "not YAML")
    if message == "second occurrence":  # PyYAML's words for an anchor that is defined twice
        message = str(error.context).partition(";")[0]
    if not message.startswith("duplicate key"):
        message = f"not YAML: {message}"
    line = text.split("\n")[mark.line] if mark and "token" in message else ""
    hint = "indent with spaces" if line[mark.column : mark.column + 1] == "\t" else ""
    return Problem(message, mark.line + 1 if mark else 0, mark.column + 1 if mark else 0, hint)


def _check_expansion(value: Any) -> None:
    """Refuse a document whose aliases stand for more than MAX_EXPANDED values, or for themselves."""
    sizes: dict[int, int] = {}
    stack: list[tuple[Any, bool]] = [(value, False)]
    open_: set[int] = set()
    while stack:
        at, done = stack.pop()
        if not isinstance(at, dict | list):
            continue
        children = at.values() if isinstance(at, dict) else at
        if done:
            open_.discard(id(at))
            sizes[id(at)] = size = 1 + sum(sizes.get(id(c), 1) for c in children)
            if size > MAX_EXPANDED:
                raise Problem(f"an alias bomb: its aliases stand for more than {MAX_EXPANDED:,} values")
        elif id(at) in open_:
            raise Problem("an alias stands for a document that contains it")
        elif id(at) not in sizes:
            open_.add(id(at))
            stack.append((at, True))
            stack.extend((c, False) for c in children)


@cache
def kubernetes_loader() -> Any:
    """The PyYAML loader class that reads YAML as Kubernetes does."""
    import yaml

    base = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    tag = "tag:yaml.org,2002:"

    class KubernetesLoader(base):  # type: ignore[misc, valid-type]
        yaml_implicit_resolvers: dict[str, list[Any]] = {}  # noqa: RUF012

        def construct_mapping(self, node: Any, deep: bool = False) -> dict[str, Any]:
            if not isinstance(node, yaml.MappingNode):
                raise yaml.constructor.ConstructorError(None, None, "expected a mapping", node.start_mark)
            self.flatten_mapping(node)
            return {self.name_of(k): self.construct_object(v, deep=deep) for k, v in node.value}

        def flatten_mapping(self, node: Any) -> None:
            """Merge keys replaced by what they stand for, each name kept once: merges of merges stay small."""
            seen: set[str] = set()
            for key_node, _ in node.value:
                if key_node.tag == tag + "merge":
                    continue
                name = self.name_of(key_node)
                if name in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"duplicate key {name!r}", key_node.start_mark
                    )
                seen.add(name)
            super().flatten_mapping(node)
            node.value = list({self.name_of(k): (k, v) for k, v in node.value}.values())

        def name_of(self, node: Any) -> str:
            if not isinstance(node, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "a key must be a scalar", node.start_mark)
            value = self.construct_object(node)
            return value if isinstance(value, str) else json.dumps(value)

        def construct_yaml_map(self, node: Any) -> Iterator[dict[str, Any]]:
            data: dict[str, Any] = {}
            yield data
            data.update(self.construct_mapping(node))

    add = KubernetesLoader.add_implicit_resolver
    add(tag + "bool", re.compile(r"^(?:y|Y|yes|Yes|YES|n|N|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$"), list("yYnNtTfFoO"))  # fmt: skip
    add(tag + "int", re.compile(r"^[-+]?(?:0b_*[01][01_]*|0o?_*[0-7][0-7_]*|0|[1-9][0-9_]*|0x_*[0-9a-fA-F][0-9a-fA-F_]*)$"), list("-+0123456789"))  # fmt: skip
    add(tag + "float", re.compile(r"^[-+]?(?:\.[0-9]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?$"), list("-+0123456789."))  # fmt: skip
    add(tag + "null", re.compile(r"^(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""])
    add(tag + "merge", re.compile(r"^<<$"), ["<"])
    KubernetesLoader.add_constructor(tag + "bool", _construct_bool)
    KubernetesLoader.add_constructor(tag + "int", _construct_int)
    KubernetesLoader.add_constructor(tag + "float", _construct_float)
    for kind in ("map", "set"):
        KubernetesLoader.add_constructor(tag + kind, KubernetesLoader.construct_yaml_map)
    for kind in ("omap", "pairs"):
        KubernetesLoader.add_constructor(tag + kind, KubernetesLoader.construct_yaml_seq)
    for kind in ("timestamp", "binary"):
        KubernetesLoader.add_constructor(tag + kind, lambda loader, node: loader.construct_scalar(node))
    KubernetesLoader.add_multi_constructor("!", _construct_without_tag)
    return KubernetesLoader


def _construct_without_tag(loader: Any, _tag: str, node: Any) -> Any:
    """What a tag of one's own stands before (CloudFormation's ``!Ref``), as Conftest reads it: the value alone."""
    import yaml

    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node)


def _construct_bool(loader: Any, node: Any) -> bool:
    return loader.construct_scalar(node).lower() in ("y", "yes", "true", "on")


def _construct_int(loader: Any, node: Any) -> float | str:
    """A number of more than 64 bits becomes a float, or stays text, as in Kubernetes."""
    text: str = loader.construct_scalar(node)
    digits = text.replace("_", "").lower()
    body = digits.lstrip("+-")
    base = 2 if body[:2] == "0b" else 16 if body[:2] == "0x" else 8 if body[:1] == "0" and body != "0" else 10
    if base == 10 and len(body) > 20:
        return _construct_float(loader, node)
    value = int(body.removeprefix("0o") if base == 8 else body, base) * (-1 if digits[0] == "-" else 1)
    if -(1 << 63) <= value < 1 << 64:
        return value
    return _construct_float(loader, node) if base == 10 else text


def _construct_float(loader: Any, node: Any) -> float | str:
    """A number too large to be one stays text; one without a fraction is an integer, as in Kubernetes' JSON."""
    text: str = loader.construct_scalar(node)
    value = float(text.replace("_", ""))
    if value in (float("inf"), float("-inf")):
        return text
    return int(Decimal(repr(value))) if value.is_integer() and abs(value) < 1e21 else value
