"""HCL as far as configuration of Sentinel needs it: blocks, attributes and literal values.

::

    Body      = { Attribute | Block }
    Attribute = identifier "=" Value
    Block     = identifier { string | identifier } "{" Body "}"
    Value     = string | heredoc | number | "true" | "false" | "null" | List | Object
    List      = "[" [ Value { "," Value } [ "," ] ] "]"
    Object    = "{" { (identifier | string | number) ("=" | ":") Value [ "," ] } "}"

There are no expressions: no references, no functions, no ``${…}``. (HCL Native Syntax Specification.)
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from solon.subjects.documents import Problem
from solon.subjects.lines import Lines
from solon.subjects.subject import Location, Unreadable

MAX_DEPTH: Final = 100
MAX_PROBLEMS: Final = 20

_TOKEN: Final = re.compile(
    r"""
      (?P<space>(?:[ \t\r\n]+|\#[^\n]*|//[^\n]*|/\*(?s:.*?)\*/)+)
    | (?P<name>[^\W\d][\w-]*)
    | (?P<string>"(?:[^"\\\n]|\\.)*")
    | (?P<number>-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)
    | <<(?P<indented>-?)(?P<heredoc>[^\W\d][\w-]*)\r?\n(?P<text>(?:.*\n)*?)[ \t]*(?P=heredoc)(?=\r?\n|\Z)
    | (?P<mark>[{}\[\]=:,])
    | (?P<other>.)
    """,
    re.VERBOSE,
)
_ESCAPE: Final = re.compile(r"\\(u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|.)", re.DOTALL)
_ESCAPED: Final = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
_TEMPLATE: Final = re.compile(r"(?<!\$)\$\{|(?<!%)%\{")
_WORDS: Final = {"true": True, "false": False, "null": None}


class Place(Protocol):
    """Where something stands; its row is found when somebody asks."""

    @property
    def location(self) -> Location: ...


@dataclass(frozen=True, slots=True)
class _Offset:
    file: str
    lines: Lines
    offset: int

    @property
    def location(self) -> Location:
        return Location(self.file, *self.lines.place(self.offset))


@dataclass(frozen=True, slots=True)
class Attribute:
    name: str
    value: Any
    at: Place


@dataclass(frozen=True, slots=True)
class Body:
    attributes: dict[str, Attribute] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Block:
    type: str
    labels: tuple[str, ...]
    body: Body
    at: Place


def parse(text: str, file: str) -> tuple[Body, list[Unreadable]]:
    """What a file holds, and what is wrong with it; what could be read of a broken file is there too."""
    parser = _Parser(text, file)
    body = parser.body(0)
    return body, parser.problems


class _Syntax(Exception):
    def __init__(self, message: str, offset: int, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset
        self.hint = hint


class _Parser:
    """One token ahead: ``kind`` and ``word`` of it, and ``at``, where it begins."""

    def __init__(self, text: str, file: str) -> None:
        self._text = text
        self._file = file
        self._lines = Lines(text)
        self._end = 0
        self.problems: list[Unreadable] = []
        self._next()

    def _next(self) -> None:
        while True:
            self.at = self._end
            match = self._match = _TOKEN.match(self._text, self._end)
            if match is None:
                self.kind, self.word = "end", "the end of the file"
                return
            self._end = match.end()
            if match.lastgroup != "space":
                break
        self.kind = match.lastgroup or "other"
        self.word = match[0]
        if self.kind == "mark":
            self.kind = self.word

    def body(self, depth: int) -> Body:
        """The attributes and blocks up to the brace that closes them; at depth 0, up to the end."""
        body = Body()
        while self.kind != "end" and not (depth and self.kind == "}"):
            try:
                self._item(body, depth)
            except _Syntax as error:
                self.problems.append(
                    Problem(error.message, *self._lines.place(error.offset), error.hint).at(self._file)
                )
                if len(self.problems) >= MAX_PROBLEMS or self.kind == "end":
                    self._stop()
                    break
                self._skip_line()
        return body

    def _item(self, body: Body, depth: int) -> None:
        """Attribute or Block."""
        at = self.at
        name = self._expect("name", 'a name, such as `policy "name" {` or `source = "..."`')
        if self.kind == "=":
            self._next()
            value = self._value(depth)
            if name in body.attributes:
                raise _Syntax(f"{name!r} is set twice", at)
            body.attributes[name] = Attribute(name, value, self._place(at))
            return
        labels: list[str] = []
        while self.kind in ("string", "name"):
            labels.append(self._string() if self.kind == "string" else self.word)
            self._next()
        if self.kind != "{":
            raise _Syntax(f"expected = or {{ after {name!r}, not {self._shown()}", self.at)
        if depth >= MAX_DEPTH:
            raise _Syntax(f"nested too deeply: more than {MAX_DEPTH} levels", self.at)
        self._next()
        inside = self.body(depth + 1)
        body.blocks.append(Block(name, tuple(labels), inside, self._place(at)))
        if self.kind == "}":
            self._next()
        elif not self.problems:
            raise _Syntax(f"{name!r} has no closing brace", at)

    def _value(self, depth: int) -> Any:
        """Value."""
        kind, word, at = self.kind, self.word, self.at
        if kind == "string":
            value: Any = self._string()
        elif kind == "number":
            value = int(word) if word.lstrip("-").isdigit() and len(word) < 400 else float(word)
        elif kind == "text":
            value = self._heredoc()
        elif kind == "name" and word in _WORDS:
            value = _WORDS[word]
        elif kind == "[":
            return self._list(depth + 1)
        elif kind == "{":
            return self._object(depth + 1)
        elif kind == "name" or word in ("(", "-", "!", "$"):
            raise _Syntax(f"{self._shown()} is an expression", at, 'write a value, such as "text" or 3')
        else:
            raise _Syntax(f"expected a value, not {self._shown()}", at)
        self._next()
        return value

    def _list(self, depth: int) -> list[Any]:
        """List."""
        self._open(depth)
        values: list[Any] = []
        while self.kind != "]":
            values.append(self._value(depth))
            if self.kind == ",":
                self._next()
            elif self.kind != "]":
                raise _Syntax(f"expected , or ] in a list, not {self._shown()}", self.at)
        self._next()
        return values

    def _object(self, depth: int) -> dict[str, Any]:
        """Object."""
        self._open(depth)
        values: dict[str, Any] = {}
        while self.kind != "}":
            at = self.at
            if self.kind not in ("name", "string", "number"):
                raise _Syntax(f"expected a key or }} in an object, not {self._shown()}", at)
            key = self._string() if self.kind == "string" else self.word
            self._next()
            if self.kind not in ("=", ":"):
                raise _Syntax(f"expected = after the key {key!r}, not {self._shown()}", self.at)
            self._next()
            if key in values:
                raise _Syntax(f"the key {key!r} is there twice", at)
            values[key] = self._value(depth)
            if self.kind == ",":
                self._next()
        self._next()
        return values

    def _open(self, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise _Syntax(f"nested too deeply: more than {MAX_DEPTH} levels", self.at)
        self._next()

    def _string(self) -> str:
        return _unescaped(_literal(self.word[1:-1], self.at), self.at)

    def _heredoc(self) -> str:
        assert self._match is not None
        text = self._match["text"].replace("\r\n", "\n")
        return _literal(textwrap.dedent(text) if self._match["indented"] else text, self.at)

    def _expect(self, kind: str, wanted: str) -> str:
        if self.kind != kind:
            raise _Syntax(f"expected {wanted}, not {self._shown()}", self.at)
        word = self.word
        self._next()
        return word

    def _shown(self) -> str:
        if self.kind == "other" and self.word == '"':
            return "a string with no closing quote"
        word = self.word if len(self.word) <= 40 else self.word[:37] + "..."
        return word if self.kind == "end" else repr(word) if '"' not in word else word

    def _place(self, offset: int) -> Place:
        return _Offset(self._file, self._lines, offset)

    def _skip_line(self) -> None:
        """Go on at the next line that could begin an attribute or a block, or at a closing brace on its own."""
        feed = self._text.find("\n", self.at)
        self._end = len(self._text) if feed < 0 else feed
        self._next()

    def _stop(self) -> None:
        self._end = len(self._text)
        self._next()


def _literal(text: str, at: int) -> str:
    """A text without templates; ``$${`` stands for ``${``."""
    if "{" not in text:
        return text
    if _TEMPLATE.search(text):
        raise _Syntax("templates (${...} and %{...}) are not supported", at, "write the text itself")
    return text.replace("$${", "${").replace("%%{", "%{")


def _unescaped(text: str, at: int) -> str:
    def one(match: re.Match[str]) -> str:
        code = match[1]
        if len(code) > 1:
            number = int(code[1:], 16)
            if number > 0x10FFFF or 0xD800 <= number < 0xE000:
                raise _Syntax(f"\\{code} is no character", at)
            return chr(number)
        if code not in _ESCAPED:
            raise _Syntax(f"unknown escape \\{code} in a string", at, "write \\\\ for a backslash")
        return _ESCAPED[code]

    return _ESCAPE.sub(one, text) if "\\" in text else text
