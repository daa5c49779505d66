"""The syntax tree of Rego, as the parser leaves it and the resolver completes it.

A place is an offset into the text of the module; :meth:`Module.span` turns it into row and column.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from solon.lang.source import Span

Version = Literal["v0", "v1"]


@dataclass(slots=True, eq=False)
class Scalar:
    """null, a boolean, a number or a string."""

    value: Any
    at: int


@dataclass(slots=True, eq=False)
class Var:
    """A variable. The resolver gives locals unique names; ``_`` becomes a fresh one each time."""

    name: str
    at: int

    @property
    def shown(self) -> str:
        """The name as the author wrote it."""
        return self.name.partition("'")[0]


@dataclass(slots=True, eq=False)
class Ref:
    """``head.a[b]``: a path into a variable, a document, or the value of any other term."""

    head: Term
    path: list[Term]
    at: int


@dataclass(slots=True, eq=False)
class Array:
    items: list[Term]
    at: int


@dataclass(slots=True, eq=False)
class Object:
    pairs: list[tuple[Term, Term]]
    at: int


@dataclass(slots=True, eq=False)
class SetTerm:
    items: list[Term]
    at: int


@dataclass(slots=True, eq=False)
class Comprehension:
    """``[value | body]``, ``{value | body}`` or ``{key: value | body}``."""

    kind: Literal["array", "set", "object"]
    key: Term | None
    value: Term
    body: list[Expr]
    at: int


@dataclass(slots=True, eq=False)
class Call:
    """A call. ``name`` is the dotted name written, then the resolved one (``data.pkg.f`` or a built-in)."""

    name: str
    args: list[Term]
    at: int
    infix: bool = False


@dataclass(slots=True, eq=False)
class Template:
    """``$"text {expression}"``: texts and terms in turn."""

    parts: list[str | Term]
    at: int


Term = Scalar | Var | Ref | Array | Object | SetTerm | Comprehension | Call | Template


@dataclass(slots=True, eq=False)
class With:
    """``with target as value``; the target is a ref to input, data, a rule, a function or a built-in."""

    target: Ref
    value: Term
    at: int


@dataclass(slots=True, eq=False)
class TermExpr:
    """A term on its own: holds when it is defined and not false."""

    term: Term


@dataclass(slots=True, eq=False)
class Unify:
    """``left = right``; ``:=`` and ``==`` are unifications that the resolver has checked further.

    ``()`` is a call whose last argument takes its result: ``split(x, ".", parts)``.
    """

    left: Term
    right: Term
    operator: Literal["=", ":=", "==", "()"]


@dataclass(slots=True, eq=False)
class Some:
    """``some x, y``: declares variables."""

    names: list[Var]


@dataclass(slots=True, eq=False)
class SomeIn:
    """``some k, v in xs``: declares the variables of the patterns and iterates."""

    key: Term | None
    value: Term
    domain: Term


@dataclass(slots=True, eq=False)
class Every:
    """``every k, v in xs { body }``."""

    key: Var | None
    value: Var
    domain: Term
    body: list[Expr]


@dataclass(slots=True, eq=False)
class Logic:
    """``not``, ``and`` and ``or`` over bodies, as ``import future.keywords`` has them. No variable leaves them.

    ``implicit`` says of each operand whether it is one expression rather than a body in braces.
    """

    operator: Literal["not", "and", "or"]
    operands: list[list[Expr]]
    implicit: list[bool]


Statement = TermExpr | Unify | Some | SomeIn | Every | Logic


@dataclass(slots=True, eq=False)
class Expr:
    """One expression of a body. ``end`` is the offset behind it."""

    statement: Statement
    at: int
    end: int
    negated: bool = False
    withs: list[With] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Head:
    """``path`` is the rule's reference below its package (``deny``, or ``a.b[x]``); ``args`` marks a function.

    ``key`` is the member of ``contains``; ``value`` the value, None where it is true by omission.
    """

    path: list[Term]
    at: int
    args: list[Term] | None = None
    key: Term | None = None
    value: Term | None = None
    assigned: bool = False  # with := rather than =


@dataclass(slots=True, eq=False)
class Else:
    value: Term | None
    body: list[Expr]
    at: int


@dataclass(slots=True, eq=False)
class Rule:
    head: Head
    body: list[Expr]
    at: int
    end: int
    default: bool = False
    elses: list[Else] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The first name of the rule's reference."""
        first = self.head.path[0]
        return first.name if isinstance(first, Var) else str(getattr(first, "value", "?"))


@dataclass(slots=True, eq=False)
class Import:
    path: list[str]
    alias: str
    at: int


@dataclass(slots=True, eq=False)
class Comment:
    text: str  # without the '#'
    at: int
    row: int
    column: int


@dataclass(slots=True, eq=False)
class Module:
    """One file. ``package`` is its path below data."""

    file: str
    text: str
    package: list[str]
    package_at: int
    imports: list[Import]
    rules: list[Rule]
    comments: list[Comment]
    version: Version
    line_starts: list[int]

    def span(self, at: int, length: int = 1) -> Span:
        row = bisect_right(self.line_starts, at)
        return Span(self.file, row, at - self.line_starts[row - 1] + 1, max(1, length))


def line_starts(text: str) -> list[int]:
    """Offset of the first character of each line."""
    starts = [0]
    find = text.find
    at = find("\n")
    while at >= 0:
        starts.append(at + 1)
        at = find("\n", at + 1)
    return starts


def fixed_names(path: Sequence[Term]) -> tuple[str, ...]:
    """The names that a path begins with, up to the first part that is not one."""
    names: list[str] = []
    for part in path:
        if not isinstance(part, Scalar) or type(part.value) is not str:
            break
        names.append(part.value)
    return tuple(names)


def present(*terms: Term | None) -> list[Term]:
    """The terms that are there."""
    return [term for term in terms if term is not None]


def subterms(term: Term) -> Iterator[Term]:
    """The terms directly inside a term; those of a comprehension's body are not."""
    match term:
        case Ref():
            yield term.head
            yield from term.path
        case Array() | SetTerm():
            yield from term.items
        case Object():
            for k, v in term.pairs:
                yield k
                yield v
        case Call():
            yield from term.args
        case Template():
            yield from (part for part in term.parts if not isinstance(part, str))
        case Comprehension():
            if term.key is not None:
                yield term.key
            yield term.value
        case _:
            return


def bodies(statement: Statement) -> list[list[Expr]]:
    """The bodies inside a statement."""
    match statement:
        case Every():
            return [statement.body]
        case Logic():
            return statement.operands
        case _:
            return []


def statement_terms(statement: Statement) -> list[Term]:
    """The terms of a statement, in order; those of the bodies inside it are not."""
    match statement:
        case TermExpr():
            return [statement.term]
        case Unify():
            return [statement.left, statement.right]
        case Some():
            return list(statement.names)
        case SomeIn():
            head = [statement.value] if statement.key is None else [statement.key, statement.value]
            return [*head, statement.domain]
        case Every():
            head = [statement.value] if statement.key is None else [statement.key, statement.value]
            return [*head, statement.domain]
        case Logic():
            return []


_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def written(path: Sequence[str]) -> str:
    """A path as a policy refers to it: ``data.k8s["no-root"].deny``."""
    fields = [f".{name}" if _NAME.fullmatch(name) else f"[{json.dumps(name)}]" for name in path[1:]]
    return path[0] + "".join(fields)
