"""Files of values with a type: YAML and JSON, each part typed, each problem at its line."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import msgspec
from msgspec.inspect import ListType, LiteralType, StructType, Type, UnionType, type_info

from solon.subjects import discover
from solon.subjects.documents import Problem, decode, text_of
from solon.subjects.positions import SourceFile
from solon.subjects.subject import Location, Path, Unreadable

T = TypeVar("T")
MAX_BYTES: Final = 16 << 20


@dataclass(frozen=True, slots=True)
class Part(Generic[T]):
    """One value of a file, and where it and its fields stand.

    ``number`` counts the values of the file from 0, with those that are wrong.
    """

    value: T
    place: Callable[[Path], Location]
    file: str
    number: int = 0

    @property
    def location(self) -> Location:
        return self.place(())

    def problem(self, text: str, *path: str | int, hint: str = "") -> Unreadable:
        return Unreadable(self.place(path), text, hint)


@dataclass(frozen=True, slots=True)
class Files(Generic[T]):
    """What was read, and what could not be."""

    parts: Sequence[Part[T]]
    problems: Sequence[Unreadable]


def read(paths: Sequence[str], kind: type[T], *, noun: str) -> Files[T]:
    """The parts of that kind in files and directories: each document is one, or a list of them.

    A part that is wrong is a problem; the others are read all the same. ``noun`` is what people call a part.
    """
    parts: list[Part[T]] = []
    problems: list[Unreadable] = []
    for source in discover.find(paths):
        if isinstance(source, Unreadable):
            if source.problem != discover.NOTHING:
                problems.append(source)
            continue
        try:
            text = text_of(discover.read_bytes(source.path, lambda _size: b"", MAX_BYTES, remedy=""))
        except Problem as problem:
            problems.append(problem.at(source.path))
            continue
        for found in parsed(text, source.path, kind, noun):
            (problems if isinstance(found, Unreadable) else parts).append(found)  # type: ignore[arg-type]
    return Files(parts, problems)


def parsed(text: str, name: str, kind: type[T], noun: str) -> Iterator[Part[T] | Unreadable]:
    """The parts of a text, and its problems."""
    file = SourceFile(name, lambda: text)
    number = -1
    for document in decode(text):
        if isinstance(document, Problem):
            number += 1
            yield document.at(name)
            continue
        value = document.value
        if value is None:
            continue
        whole = isinstance(value, list)
        for index, item in enumerate(value if whole else [value]):
            number += 1
            place = _placer(file, document.index, document.row, (index,) if whole else ())
            if not isinstance(item, dict):
                yield Unreadable(place(()), f"a {noun} must hold keys, and is {_said(item)}")
                continue
            try:
                yield Part(msgspec.convert(item, kind), place, name, number)
            except msgspec.ValidationError:
                yield from _problems(item, kind, place)


def _placer(file: SourceFile, document: int, row: int, prefix: Path) -> Callable[[Path], Location]:
    def place(path: Path) -> Location:
        return Location(file.name, *(file.place(document, prefix + tuple(path)) or (row, 1)))

    return place


def convert(value: Any, kind: type[T], place: Callable[[Path], Location]) -> T | Unreadable:
    """The value as that type, or what is wrong with it and where."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        problem, path = _explained(str(error), value, kind)
        return Unreadable(place(path), problem, _quotes(problem, _at(value, path)))


def _problems(value: Any, kind: type[T], place: Callable[[Path], Location]) -> Iterator[Unreadable]:
    """All that keeps a value from being of that type: what was told of is taken out, and the rest asked again."""
    told: set[Path] = set()
    while True:
        try:
            msgspec.convert(value, kind)
            return
        except msgspec.ValidationError as error:
            problem, path = _explained(str(error), value, kind)
            missing = _MISSING.search(str(error))
        if not (missing and (*path, missing[1]) in told):
            yield Unreadable(place(path), problem, _quotes(problem, _at(value, path)))
        if not path:
            return
        told.add(path)
        value = _without(value, path)


def _quotes(problem: str, value: Any) -> str:
    """What to do where YAML reads as something else what was meant as a text."""
    if "must be a text" not in problem or not isinstance(value, int | float):
        return ""
    return _BOOLEAN if isinstance(value, bool) else "put it in quotes"


def _without(value: Any, path: Path) -> Any:
    """The value without what is at a path; of a list, without what is behind that, too."""
    first, rest = path[0], path[1:]
    copy = value.copy()
    if rest:
        copy[first] = _without(copy[first], rest)
    elif isinstance(copy, dict):
        del copy[first]
    else:
        return copy[:first]  # so that none gets another number
    return copy


_MISSING: Final = re.compile(r"missing required field `([^`]*)`")
_AT: Final = re.compile(r"^(.*?)(?: - at `(key in )?\$(.*)`)?$", re.DOTALL)
_STEP: Final = re.compile(r"\.([A-Za-z_]\w*)|\[(\d+)\]|\[\.\.\.\]")
_EXPECTED: Final = re.compile(r"Expected `([^`]*)`(?: of length [^,]*)?, got `([^`]*)`")
_BOOLEAN: Final = "YAML reads y, yes, on, n, no and off as booleans: put the word in quotes"
_WORDS: Final = {
    "str": "a text",
    "int": "a number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "keys",
}


def _explained(message: str, value: Any, kind: Any) -> tuple[str, Path]:
    """msgspec's message in words of the file, and the path that it is about."""
    found = _AT.match(message)
    assert found is not None
    problem, path = found[1], _path(found[3] or "")
    name = _dotted(path)
    if expected := _EXPECTED.search(problem):
        parts = [part.strip() for part in expected[1].split("|")]
        wanted = " or ".join(dict.fromkeys(_WORDS.get(part, part) for part in parts if part != "null"))
        given = _at(value, path)
        example = f", such as [{given}]" if wanted == "a list" and isinstance(given, str) else ""
        return f"{name or 'this'} must be {wanted}{example}, and is {_said(given, expected[2])}", path
    if missing := _MISSING.search(problem):
        return f"{missing[1]} is missing" + (f" in {name}" if name else ""), path
    if unknown := re.search(r"unknown field `([^`]*)`", problem):
        path = (*path, unknown[1])
        known = _fields(type_info(kind), path[:-1])
        return f"unknown key {_dotted(path)}" + (f": known are {', '.join(known)}" if known else ""), path
    if bad := re.search(r"Invalid enum value '?([^']*)'?", problem):
        choices = ", ".join(str(each) for each in _choices(type_info(kind), path) if each != "")
        return f"{name}: unknown {bad[1]!r}" + (f": known are {choices}" if choices else ""), path
    return f"{name}: {problem}" if name else problem, path


def _fields(kind: Type, path: Path) -> list[str]:
    """The keys that may stand at a path."""
    found = _types(kind, path)
    return next(
        ([field.encode_name for field in each.fields] for each in found if isinstance(each, StructType)), []
    )


def _choices(kind: Type, path: Path) -> list[Any]:
    """The values that may stand at a path, where they are named."""
    return [value for each in _types(kind, path) if isinstance(each, LiteralType) for value in each.values]


def _types(kind: Type, path: Path) -> Iterator[Type]:
    """What may stand at a path."""
    if isinstance(kind, UnionType):
        for each in kind.types:
            yield from _types(each, path)
    elif not path:
        yield kind
    elif isinstance(kind, StructType):
        for field in kind.fields:
            if field.encode_name == path[0]:
                yield from _types(field.type, path[1:])
    elif isinstance(kind, ListType):
        yield from _types(kind.item_type, path[1:])


def _path(text: str) -> Path:
    out: list[str | int] = []
    for step in _STEP.finditer(text):
        if step[1]:
            out.append(step[1])
        elif step[2]:
            out.append(int(step[2]))
        else:
            break  # a key of a mapping, which msgspec does not name
    return tuple(out)


def _dotted(path: Path) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


def _at(value: Any, path: Path) -> Any:
    for part in path:
        try:
            value = value[part]
        except (LookupError, TypeError):
            return None
    return value


def _said(value: Any, kind: str = "") -> str:
    if value is None:
        return "empty"
    if isinstance(value, dict | list):
        return _WORDS.get(kind, "a list" if isinstance(value, list) else "a mapping")
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."
