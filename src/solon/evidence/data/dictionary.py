"""The column dictionary: what each column of a table holds, which values are right, and what they say of people.

A YAML file with a list of columns, as whoever releases wrote it. Its patterns are RE2's.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final, Literal, TypeVar, get_args

import msgspec
import re2

from solon.evidence.collector import CannotCollect
from solon.subjects import discover, files
from solon.subjects.documents import Problem, text_of
from solon.subjects.subject import Unreadable

T = TypeVar("T")

MAX_BYTES: Final = 4 << 20

Type = Literal["text", "integer", "number", "boolean", "date", "timestamp"]
NUMERIC: Final = ("integer", "number")
_IN_TIME: Final = ("date", "timestamp")

# Those of GDPR Art. 9 (1) and 10, then what else the law or an organisation may rule out.
Category = Literal[
    "health",
    "genetic",
    "biometric",
    "religion",
    "ethnicity",
    "political",
    "union",
    "sexual",
    "criminal",
    "protected",
    "personal",
    "identifier",
    "financial",
    "credential",
    "free_text",
    "none",
    "",
]
CATEGORIES: Final = tuple(name for name in get_args(Category) if name)
# Nothing of these columns is ever shown: all that a category other than these two says is that it is about somebody.
SHOWN: Final = ("", "none")

Value = str | int | float | bool


class Declared(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One column.

    ``missing`` is the share of rows that may have no value, ``missing_as`` what stands in a cell then, beside nothing at all.
    ``values`` are all that is allowed; of numbers and dates ``minimum`` and ``maximum`` are. A text matches ``pattern`` as a
    whole. ``category`` is what it says of people: ``none`` is a promise, and nothing is said where there is none.
    """

    name: str
    type: Type
    category: Category = ""
    description: str = ""
    missing: float = 0.0
    missing_as: list[str] = []
    values: list[Value] = []
    minimum: int | float | str | None = None
    maximum: int | float | str | None = None
    pattern: str = ""
    unique: bool = False


def read(path: str, name: str) -> Mapping[str, Declared]:
    """The columns by name; ``name`` is what errors call the file. Raises CannotCollect with what is wrong first."""
    found: dict[str, Declared] = {}
    lines: dict[str, int] = {}
    wrong: list[Unreadable] = []
    for part in parts(path, name, Declared, "column"):
        column = part.value
        wrong += _problems(part)
        if column.name in found:
            wrong.append(
                part.problem(f"{column.name} is declared twice, before in line {lines[column.name]}", "name")
            )
        found[column.name] = column
        lines[column.name] = part.location.line
    if wrong:
        raise CannotCollect(_told(wrong))
    if not found:
        raise CannotCollect(f"{name}: declares no columns; it is a list, of `- name: …` and `type: …`")
    return found


def parts(path: str, name: str, kind: type[T], noun: str) -> list[files.Part[T]]:
    """The values of a YAML file that is a list of them. Raises CannotCollect with what is wrong first."""
    try:
        text = text_of(discover.read_bytes(path, lambda _size: b"", MAX_BYTES, remedy=""))
    except Problem as problem:
        raise CannotCollect(str(problem.at(name))) from None
    found: list[files.Part[T]] = []
    wrong: list[Unreadable] = []
    for part in files.parsed(text, name, kind, noun):
        if isinstance(part, Unreadable):
            wrong.append(part)
        else:
            found.append(part)
    if wrong:
        raise CannotCollect(_told(wrong))
    return found


def _told(wrong: list[Unreadable]) -> str:
    more = len(wrong) - 1
    return f"{wrong[0]}" + (f"; and {more} more problem{'s' if more > 1 else ''}" if more else "")


def _problems(part: files.Part[Declared]) -> Iterator[Unreadable]:
    """What no type tells: declarations that cannot be meant so."""
    column = part.value
    if not column.name.strip():
        yield part.problem("name is empty", "name")
    if not 0 <= column.missing <= 1:
        yield part.problem(f"missing is a share, from 0 to 1, and is {column.missing:g}", "missing")
    if column.pattern and column.type != "text":
        yield part.problem(f"pattern is for text, and this is {column.type}", "pattern")
    elif column.pattern:
        try:
            options = re2.Options()
            options.log_errors = False
            re2.compile(column.pattern, options=options)
        except re2.error as error:
            why = error.args[0].decode() if error.args and isinstance(error.args[0], bytes) else str(error)
            yield part.problem(f"pattern: {why}", "pattern")
    if column.values and column.type == "boolean":
        yield part.problem("values: a boolean has two, which need no list", "values")
    for index, value in enumerate(column.values):
        if isinstance(value, bool):
            hint = "YAML reads y, yes, on, n, no and off as booleans: put the word in quotes"
            yield part.problem(
                f"values: {str(value).lower()} is no {column.type}", "values", index, hint=hint
            )
        elif column.type in NUMERIC and not _is_number(value):
            yield part.problem(f"values: {value!r} is no number", "values", index)
    yield from _bounds(part)


def _bounds(part: files.Part[Declared]) -> Iterator[Unreadable]:
    column = part.value
    for bound, value in (("minimum", column.minimum), ("maximum", column.maximum)):
        if value is None:
            continue
        if column.type in NUMERIC and not _is_number(value):
            yield part.problem(f"{bound}: {value!r} is no number", bound)
        elif column.type in _IN_TIME and not (isinstance(value, str) and _is_date(value)):
            yield part.problem(f"{bound}: {value!r} is no date, such as 2026-01-31", bound)
        elif column.type not in (*NUMERIC, *_IN_TIME):
            yield part.problem(f"{bound} is for numbers and dates, and this is {column.type}", bound)
    if (
        type(column.minimum) is type(column.maximum)
        and column.minimum is not None
        and column.maximum < column.minimum  # type: ignore[operator]
    ):
        yield part.problem("maximum is below minimum", "maximum")


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_date(value: str) -> bool:
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return value[4:5] == "-"  # and not 20260131
