"""The syntax tree of Sentinel, as the parser leaves it.

A place is an offset into the text of the file; :meth:`File.span` turns it into row and column. Every node says
where it begins (``at``) and ends (``end``). What may be long is flat: operators of one level are a :class:`Chain`,
``a.b[c](d)`` is a :class:`Path`, and ``else if`` are branches of one :class:`If`.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from solon.lang.sentinel.lexer import Comment, Tokens
from solon.lang.source import Span

# --- expressions


@dataclass(slots=True, eq=False)
class Constant:
    """A number or a string. For the compiler also a document, see ``parse_fast``."""

    value: Any
    at: int
    end: int


@dataclass(slots=True, eq=False)
class Name:
    """An identifier; ``true``, ``null``, ``undefined`` and the built-in functions are such, too."""

    name: str
    at: int
    end: int


@dataclass(slots=True, eq=False)
class Paren:
    inner: Expr
    at: int
    end: int


@dataclass(slots=True, eq=False)
class List:
    items: list[Expr]
    at: int
    end: int


@dataclass(slots=True, eq=False)
class Map:
    pairs: list[tuple[Expr, Expr]]
    at: int
    end: int


@dataclass(slots=True, eq=False)
class Select:
    """``.name``; ``at`` is where the name stands."""

    name: str
    at: int
    end: int


@dataclass(slots=True, eq=False)
class Index:
    """``[index]``"""

    index: Expr
    at: int
    end: int


@dataclass(slots=True, eq=False)
class Slice:
    """``[low:high]``"""

    low: Expr | None
    high: Expr | None
    at: int
    end: int


@dataclass(slots=True, eq=False)
class Call:
    """``(arguments)``"""

    arguments: list[Expr]
    at: int
    end: int


Step = Select | Index | Slice | Call


@dataclass(slots=True, eq=False)
class Path:
    """``head.a[b](c)``"""

    head: Expr
    steps: list[Step]
    at: int
    end: int


@dataclass(slots=True, eq=False)
class Unary:
    """``operator`` is ``-``, ``+`` or ``not``."""

    operator: str
    operand: Expr
    at: int
    end: int


@dataclass(slots=True, eq=False)
class Test:
    """``operand is [not] empty|defined``"""

    operand: Expr
    what: Literal["empty", "defined"]
    negated: bool
    at: int
    end: int


@dataclass(slots=True, eq=False)
class Operator:
    """An operator between two operands: ``is`` is ``==``, ``is not`` is ``!=``; ``not in`` and its like are one."""

    name: str
    at: int
    end: int


@dataclass(slots=True, eq=False)
class Chain:
    """Operands of operators of one level, applied from left to right."""

    operands: list[Expr]
    operators: list[Operator]

    @property
    def at(self) -> int:
        return self.operands[0].at

    @property
    def end(self) -> int:
        return self.operands[-1].end


@dataclass(slots=True, eq=False)
class Quantifier:
    """``kind collection as [first,] second { body }``; one name is ``second`` alone."""

    kind: Literal["all", "any", "filter", "map"]
    collection: Expr
    first: Name | None
    second: Name
    body: Expr
    at: int
    end: int


@dataclass(slots=True, eq=False)
class Func:
    """``func(parameters) { body }``; ``name`` is what it is declared as, or assigned to."""

    name: str
    parameters: list[Name]
    body: Block
    at: int
    end: int


@dataclass(slots=True, eq=False)
class Rule:
    """``rule [when condition] { body }``; ``name`` is what it is assigned to."""

    name: str
    condition: Expr | None
    body: Expr
    at: int
    end: int


Expr = (
    Constant | Name | Paren | List | Map | Path | Unary | Test | Chain | Quantifier | Func | Rule
)  # fmt: skip

# --- statements


@dataclass(slots=True, eq=False)
class Block:
    """Statements; in braces, but for those of a clause of ``case``."""

    statements: list[Stmt]
    at: int
    end: int


@dataclass(slots=True, eq=False)
class Assign:
    """``target operator value``; the target is a name, or a path that ends in an index."""

    target: Name | Path
    operator: str
    value: Expr
    at: int
    end: int


@dataclass(slots=True, eq=False)
class Declare:
    """``func name(parameters) { body }``"""

    name: Name
    function: Func
    at: int
    end: int


@dataclass(slots=True, eq=False)
class ExprStmt:
    value: Expr
    at: int
    end: int


@dataclass(slots=True, eq=False)
class Branch:
    condition: Expr
    body: Block


@dataclass(slots=True, eq=False)
class If:
    branches: list[Branch]
    otherwise: Block | None
    at: int
    end: int


@dataclass(slots=True, eq=False)
class For:
    collection: Expr
    first: Name | None
    second: Name
    body: Block
    at: int
    end: int


@dataclass(slots=True, eq=False)
class Clause:
    """``when values: body``; ``else: body`` has none."""

    values: list[Expr]
    body: Block
    at: int
    end: int


@dataclass(slots=True, eq=False)
class Case:
    """``case subject { clauses }``; without a subject, the first clause with a true value is taken."""

    subject: Expr | None
    clauses: list[Clause]
    at: int
    end: int


@dataclass(slots=True, eq=False)
class Return:
    value: Expr
    at: int
    end: int


@dataclass(slots=True, eq=False)
class Jump:
    kind: Literal["break", "continue"]
    at: int
    end: int


Stmt = Assign | Declare | ExprStmt | If | For | Case | Return | Jump

# --- files


@dataclass(slots=True, eq=False)
class Import:
    """``import "path" [as alias]``; ``name`` is what the file calls it."""

    path: str
    alias: Name | None
    at: int
    end: int

    @property
    def name(self) -> str:
        return self.alias.name if self.alias else self.path


@dataclass(slots=True, eq=False)
class Param:
    name: Name
    default: Expr | None
    at: int
    end: int


@dataclass(slots=True, eq=False)
class File:
    """A policy or module. ``tokens`` and ``comments`` are all there are, in order."""

    name: str
    text: str
    imports: list[Import]
    params: list[Param]
    statements: list[Stmt]
    tokens: Tokens
    comments: list[Comment]
    _starts: list[int] = field(default_factory=list)

    def place(self, at: int) -> tuple[int, int]:
        """Row and column of an offset, from 1."""
        if not self._starts:
            self._starts = line_starts(self.text)
        row = bisect_right(self._starts, at)
        return row, at - self._starts[row - 1] + 1

    def span(self, at: int, end: int | None = None) -> Span:
        row, column = self.place(at)
        return Span(self.name, row, column, max(1, (at + 1 if end is None else end) - at))

    def source(self, node: Expr | Stmt | Step) -> str:
        """The text of a node."""
        return self.text[node.at : node.end]

    @property
    def description(self) -> str:
        """The comment at the top, where an empty line stands behind it."""
        block = self._comments_up_to(None)
        if not block:
            return ""
        behind = self.text[block[-1].end :]
        return _said(block) if re.match(r"[ \t\r]*(\n[ \t\r]*\n|\n?\Z)", behind) else ""

    def comment_before(self, at: int) -> str:
        """What the comment on the lines just above a place says."""
        line = self.text.rfind("\n", 0, at) + 1
        at = line + len(self.text[line:at]) - len(self.text[line:at].lstrip())
        return _said(self._comments_up_to(at))

    def _comments_up_to(self, at: int | None) -> list[Comment]:
        """Comments on consecutive lines: those at the top of the file, or those that end just above ``at``."""
        found: list[Comment] = []
        if at is None:
            for comment in self.comments:
                before = found[-1].end if found else 0
                between = self.text[before : comment.at]
                if between.strip("\ufeff \t\r\n") or (found and between.count("\n") > 1):
                    break
                found.append(comment)
            return found
        edge = at
        for comment in reversed(self.comments[: bisect_right(self.comments, at, key=lambda c: c.at)]):
            between = self.text[comment.end : edge]
            line = self.text[self.text.rfind("\n", 0, comment.at) + 1 : comment.at]
            if between.strip() or between.count("\n") > 1 or line.strip():
                break
            found.append(comment)
            edge = comment.at
        return found[::-1]


def line_starts(text: str) -> list[int]:
    """Offsets at which the lines begin."""
    return [0, *(match.end() for match in re.finditer("\n", text))]


def _said(comments: list[Comment]) -> str:
    lines: list[str] = []
    for comment in comments:
        if comment.text.startswith("/*"):
            body = comment.text[2:-2].strip("\n")
            lines += [re.sub(r"^\s*\*? ?", "", line).rstrip() for line in body.split("\n")]
        else:
            lines.append(re.sub(r"^(#+|//+) ?", "", comment.text).rstrip())
    return "\n".join(lines).strip("\n")


# --- walking


def inner(expr: Expr) -> Expr:
    """The expression without the parentheses around it."""
    while isinstance(expr, Paren):
        expr = expr.inner
    return expr


def parts(node: Expr | Stmt | Step | Block | Branch | Clause) -> Iterator[Any]:
    """What a node consists of directly: expressions, steps, statements and blocks, in order of the text."""
    for name in _PARTS.get(type(node), ()):
        part = getattr(node, name)
        if type(part) is list:
            for each in part:
                if type(each) is tuple:
                    yield from each
                else:
                    yield each
        elif part is not None:
            yield part


_PARTS: Final[dict[type, tuple[str, ...]]] = {
    Paren: ("inner",),
    List: ("items",),
    Map: ("pairs",),
    Index: ("index",),
    Slice: ("low", "high"),
    Call: ("arguments",),
    Path: ("head", "steps"),
    Unary: ("operand",),
    Test: ("operand",),
    Chain: ("operands",),
    Quantifier: ("collection", "body"),
    Func: ("body",),
    Rule: ("condition", "body"),
    Block: ("statements",),
    Assign: ("target", "value"),
    Declare: ("function",),
    ExprStmt: ("value",),
    Return: ("value",),
    If: ("branches", "otherwise"),
    Branch: ("condition", "body"),
    For: ("collection", "body"),
    Case: ("subject", "clauses"),
    Clause: ("values", "body"),
}


def walk(node: Any) -> Iterator[Any]:
    """The node and everything in it, in order of the text."""
    stack = [node]
    while stack:
        at = stack.pop()
        yield at
        stack.extend(reversed(list(parts(at))))
