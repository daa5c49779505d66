"""Terms, expressions and bodies, laid out as ``opa fmt`` lays them out.

What stands on one line in the source stays on one line, and what is spread over several gets a line for each
group that has one there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from solon.lang.rego import ast
from solon.lang.rego.format.lines import CrowdedError, Lines
from solon.lang.rego.format.source import Source
from solon.lang.rego.lexer import FUTURE_KEYWORDS, KEYWORDS

T = TypeVar("T")

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

OPERATORS: Final = {
    "equal": "==", "neq": "!=", "lt": "<", "lte": "<=", "gt": ">", "gte": ">=", "or": "|", "and": "&",
    "plus": "+", "minus": "-", "mul": "*", "div": "/", "rem": "%",
}  # fmt: skip
_MEMBER: Final = ("internal.member_2", "internal.member_3")


class TermWriter(Lines):
    """Writes what a rule is made of."""

    def __init__(self, source: Source, keywords: frozenset[str]) -> None:
        super().__init__(source.module.comments)
        self.source = source
        self.keywords = keywords
        self.nested = False  # inside a term that can be written as it stands in the source

    # --- terms

    def term(self, term: ast.Term, *, grouped: bool = False) -> None:
        """A term; as it stands in the source where its comments leave no other way."""
        if self.nested:
            self.laid_out(term, grouped)
            return
        mark = self.mark()
        self.nested = True
        try:
            self.laid_out(term, grouped)
        except CrowdedError:
            self.restore(mark)
            at, end = self.source.begin(term), self.source.end(term)
            self.verbatim(at, end)
        finally:
            self.nested = False

    def verbatim(self, at: int, end: int) -> None:
        self.comments_above(self.source.row(at))
        if not self.inline:
            self.start_line()
        self.write_verbatim(self.source.text[at:end], at, self.source.row(end - 1))

    def laid_out(self, term: ast.Term, grouped: bool) -> None:
        """Infix operators get parentheses if ``grouped``."""
        self.comments_to(self.source.term_row(term))
        if not self.inline:
            self.start_line()
        match term:
            case ast.Scalar():
                self.write(self.source.scalar(term))
            case ast.Var():
                self.write(term.name)
            case ast.Ref():
                self.ref(term)
            case ast.Array():
                self.bracketed("[", "]", term.items, term, self.item)
            case ast.SetTerm(items=[]):
                self.write("set()")
            case ast.SetTerm():
                self.bracketed("{", "}", term.items, term, self.item)
            case ast.Object():
                self.bracketed("{", "}", term.pairs, term, self.pair)
            case ast.Comprehension():
                self.comprehension(term)
            case ast.Template():
                self.write(self.source.template(term))
            case ast.Call() if term.infix:
                self.infix(term, grouped)
            case ast.Call():
                self.call(term)
        if not self.inline:
            self.start_line()

    def ref(self, ref: ast.Ref) -> None:
        self.term(ref.head, grouped=True)
        self.path(ref.path)

    def path(self, path: Sequence[ast.Term]) -> None:
        for part in path:
            if isinstance(part, ast.Scalar) and type(part.value) is str:
                self.write(self.field(part.value, self.source.is_quoted(part.at)))
            else:
                self.write("[")
                self.term(part)
                self.write("]")

    def field(self, name: str, quoted: bool) -> str:
        """``.name``, or ``["name"]`` where that is no name; a keyword stays as it was written."""
        if not _NAME.fullmatch(name) or (quoted and name in self.keywords):
            return f"[{json.dumps(name, ensure_ascii=False)}]"
        return f".{name}"

    def dotted(self, at: int) -> int:
        """The path of fixed names at an offset; the offset of what follows it."""
        names, behind = self.source.names(at)
        self.write(names[0].text)
        for name in names[1:]:
            self.write(self.field(name.text, self.source.is_quoted(name.at)))
        return behind

    def call(self, call: ast.Call) -> None:
        opening = self.dotted(call.at)
        self.arguments(call.args, call.at, opening)

    def arguments(
        self, args: Sequence[ast.Term], at: int, opening: int, *, keeps_break: bool = False
    ) -> None:
        self.write("(")
        self.sequence(args, at, self.source.closing(opening), self.argument, keeps_break)
        self.write(")")

    def argument(self, term: ast.Term) -> None:
        self.term(term, grouped=is_union(term) and self.source.is_grouped(term))

    def item(self, term: ast.Term) -> None:
        # Behind a bracket `a | b` would be a comprehension.
        self.term(term, grouped=is_union(term))

    def pair(self, pair: tuple[ast.Term, ast.Term]) -> None:
        key, value = pair
        self.item(key)
        self.write(": ")
        self.item(value)

    def infix(self, call: ast.Call, grouped: bool) -> None:
        if call.name in _MEMBER:
            self.member(call, grouped)
            return
        if grouped:
            self.write("(")
        for position, operand in enumerate(call.args):
            if position:
                self.write(f" {OPERATORS[call.name]} ")
            self.operand(operand)
        if grouped:
            self.write(")")

    def operand(self, term: ast.Term) -> None:
        """An operand of an operator: `in` binds more loosely than all others."""
        member = is_member(term)
        if member:
            self.write("(")
        self.term(term, grouped=not member)
        if member:
            self.write(")")

    def member(self, call: ast.Call, grouped: bool) -> None:
        """``x in xs``; with a key, in parentheses where it is part of something else."""
        *left, domain = call.args
        grouped = grouped and len(left) == 2
        if grouped:
            self.write("(")
        for position, term in enumerate(left):
            if position:
                self.write(", ")
            if len(left) == 2:
                self.operand(term)
            else:
                self.term(term, grouped=True)
        self.write(" in ")
        self.operand(domain)
        if grouped:
            self.write(")")

    # --- what stands in brackets

    def bracketed(
        self, opening: str, closing: str, items: Sequence[T], term: ast.Term, write: Callable[[T], None]
    ) -> None:
        self.write(opening)
        self.sequence(items, term.at, self.source.closing(term.at), write, True)
        self.write(closing)

    def sequence(
        self,
        items: Sequence[T],
        at: int,
        closing: int,
        write: Callable[[T], None],
        keeps_break: bool,
    ) -> None:
        """Items separated by commas: on one line, or each group of a line of the source on a line.

        Those of one line stay apart from the bracket if they begin a line there, and ``keeps_break``.
        """
        rows = [self.source.term_row(_first(item)) for item in items]
        lines: list[list[T]] = [[]]
        for position, item in enumerate(items):
            if position and rows[position] > rows[position - 1]:
                lines.append([])
            lines[-1].append(item)
        first, last = self.source.row(at), self.source.row(closing)
        if len(lines) == 1 and keeps_break:
            comment = self.next_comment()
            if comment is not None and first < comment.row < last:
                raise CrowdedError
        spread = len(lines) > 1 or (
            keeps_break and bool(rows) and self.source.row(self.source.begin(_first(items[0]))) > first
        )
        if spread:
            self.delayed = True
            self.end_line()
            self.level += 1
            self.start_line()
        for position, line in enumerate(lines):
            if position:
                self.write(",")
                self.end_line()
                self.start_line()
            for place, item in enumerate(line):
                if place:
                    self.write(", ")
                write(item)
        if spread:
            self.write(",")
            self.end_line()
            self.comments_to(last)
            self.level -= 1
            self.start_line()

    def comprehension(self, term: ast.Comprehension) -> None:
        opening, closing = "[]" if term.kind == "array" else "{}"
        self.write(opening)
        row = self.source.row(term.at)
        if term.key is not None:
            self.term(term.key, grouped=True)
            self.write(": ")
        elif self.source.term_row(term.value) > row:
            self.end_line()
            self.start_line()
            row = self.source.term_row(term.value)
        self.term(term.value, grouped=True)
        self.write(" |")
        self.inner_body(term.body, row, self.source.closing(term.at))
        self.write(closing)

    def inner_body(self, body: Sequence[ast.Expr], row: int, closing: int, *, union: bool = False) -> None:
        """The body in a term or an expression: on its line, or on lines of its own."""
        rows = [row, *(self.source.row(expr.at) for expr in body)]
        if rows == [row] * len(rows):
            for position, expr in enumerate(body):
                self.write("; " if position else " ")
                self.expr(expr, union=union and not position)
            self.comments_to(self.source.row(closing))
            return
        self.end_line()
        self.level += 1
        nested, self.nested = self.nested, False
        self.body(body, union=union)
        self.comments_to(self.source.row(closing))
        self.nested = nested
        self.level -= 1
        if not self.inline:
            self.start_line()

    # --- bodies

    def body(self, body: Sequence[ast.Expr], *, union: bool = False) -> None:
        """Expressions on lines of their own, with one blank line where the source has some."""
        last = 0
        for position, expr in enumerate(body):
            row = self.source.row(expr.at)
            if not position:
                self.comments_to(row)
            elif row > last + 1:
                self.blank_line()
            self.start_line()
            self.whole(expr, union=union and not position)
            self.end_line()
            last = self.source.row(expr.end - 1)

    def whole(self, expr: ast.Expr, *, union: bool = False) -> None:
        """An expression; as it stands in the source where its comments leave no other way."""
        mark = self.mark()
        try:
            self.expr(expr, union=union)
        except CrowdedError:
            self.restore(mark)
            self.nested = False
            self.verbatim(expr.at, expr.end)

    def expr(self, expr: ast.Expr, *, union: bool = False) -> None:
        """An expression; in parentheses what begins with a set union, if ``union``."""
        self.comments_to(self.source.row(expr.at))
        if not self.inline:
            self.start_line()
        if expr.negated:
            self.write("not ")
        match expr.statement:
            case ast.TermExpr(ast.Call(infix=True) as call) if not is_member(call):
                self.comparison(OPERATORS[call.name], call.args, union, whole=is_union(call))
            case ast.TermExpr(term):
                self.term(term)
            case ast.Unify(left, right, operator):
                if operator == "==":
                    self.comparison(operator, (left, right), union)
                else:
                    self.term(left, grouped=union and is_union(left))
                    self.write(f" {operator} ")
                    self.term(right, grouped=is_pair_member(right))
            case ast.Some(names):
                self.some(names)
            case ast.SomeIn(key, value, domain):
                self.write("some ")
                for term in ast.present(key):
                    self.term(term, grouped=True)
                    self.write(", ")
                self.term(value, grouped=True)
                self.write(" in ")
                self.operand(domain)
            case ast.Every():
                self.every(expr.statement, expr.at)
            case ast.Logic():
                self.logic(expr.statement, expr.at)
        self.withs(expr)

    def comparison(
        self, operator: str, operands: Sequence[ast.Term], union: bool, *, whole: bool = False
    ) -> None:
        """An operator on its own: the operators it joins need no parentheses, but for `in` and as ``union`` asks."""
        if union and whole:
            self.write("(")
        for position, term in enumerate(operands):
            if position:
                self.write(f" {operator} ")
            if is_member(term):
                self.operand(term)
            else:
                self.term(term, grouped=not position and union and is_union(term))
        if union and whole:
            self.write(")")

    def some(self, names: Sequence[ast.Var]) -> None:
        self.write("some ")
        row = self.source.row(names[0].at)
        for position, name in enumerate(names):
            if position:
                self.write(",")
                if self.source.row(name.at) > row:
                    self.end_line()
                    self.start_line()
                    self.write("\t")
                    row = self.source.row(name.at)
                else:
                    self.write(" ")
            self.comments_to(row)
            self.write(name.name)

    def every(self, every: ast.Every, at: int) -> None:
        self.write("every ")
        if every.key is not None:
            self.write(f"{every.key.name}, ")
        self.write(f"{every.value.name} in ")
        self.term(every.domain)
        self.write(" ")
        self.braces(every.body, self.source.row(at))

    def braces(self, body: Sequence[ast.Expr], row: int, *, union: bool = False) -> None:
        """A body in braces; in parentheses what begins with a set union, if ``union``."""
        closing = self.source.closing(self.source.before(body[0].at).at)
        self.write("{")
        self.inner_body(body, row, closing, union=union)
        # As `opa fmt` has it, several expressions on the line of an `every` end without a space.
        if self.source.row(body[-1].at) == row and (union or len(body) == 1):
            self.write(" ")
        self.write("}")

    # --- with

    def withs(self, expr: ast.Expr) -> None:
        """`with` stays on the line of the term; those on further lines are indented."""
        if not expr.withs:
            return
        row = self.source.row(self.source.before(expr.withs[0].at).end - 1)
        level = self.level
        for modifier in expr.withs:
            own = self.source.row(modifier.at)
            if own > row:
                self.level = level + 1
                self.end_line()
                self.start_line()
                self.comments_to(own)
                if not self.inline:
                    self.start_line()
            else:
                self.comments_to(own)
                self.write(" ")
            row = max(row, own)
            self.write("with ")
            self.term(modifier.target)
            self.write(" as ")
            self.term(modifier.value)
        self.level = level

    # --- not, and, or, where they are imported

    def logic(self, logic: ast.Logic, at: int) -> None:
        if logic.operator == "not":
            self.write("not ")
            (operand,) = logic.operands
            self.side(operand, logic.implicit[0], is_loose(operand[0]), self.source.row(at))
            return
        level = self.level
        row = 0  # on which what has been written ends
        for word, operand, implicit, loose in chain(logic):
            brace = self.source.before(operand[0].at)
            begin = self.source.row(operand[0].at if implicit else brace.at)
            if word and begin > row:
                self.level = level + 1
                self.write(f" {word}")
                self.end_line()
                self.start_line()
            elif word:
                self.write(f" {word} ")
            self.side(operand, implicit, loose, begin)
            row = self.source.row(operand[-1].end - 1 if implicit else self.source.closing(brace.at))
        self.level = level

    def side(self, operand: Sequence[ast.Expr], implicit: bool, loose: bool, row: int) -> None:
        """An operand: an expression, in parentheses if ``loose``, or a body in braces."""
        if not implicit:
            self.braces(operand, row, union=True)
            return
        if loose:
            self.write("(")
        self.expr(operand[0])
        if loose:
            self.write(")")


Operand = tuple[str, list[ast.Expr], bool, bool]


def chain(logic: ast.Logic) -> list[Operand]:
    """The operands of `and` and `or` that need no parentheses between them, each with the word before it."""
    out: list[Operand] = []
    while True:
        word = logic.operator
        for operand, implicit in list(zip(logic.operands, logic.implicit, strict=True))[:0:-1]:
            out.append((word, operand, implicit, is_loose(operand[0], word)))
        first, implicit = logic.operands[0], logic.implicit[0]
        inner = first[0].statement
        loose = is_loose(first[0], word, right=False)
        if not implicit or loose or not isinstance(inner, ast.Logic) or inner.operator == "not":
            out.append(("", first, implicit, loose))
            return out[::-1]
        logic = inner


def is_loose(expr: ast.Expr, word: str = "", *, right: bool = True) -> bool:
    """Whether an expression needs parentheses as an operand of ``word``, which is empty for `not`."""
    if expr.withs:
        return True
    statement = expr.statement
    if isinstance(statement, ast.Logic):
        if statement.operator == "not" or not word:
            return not word
        return right if statement.operator == word else word == "and"
    terms = ast.statement_terms(statement)
    return not expr.negated and bool(terms) and _begins_with_brace(terms[0])


def _begins_with_brace(term: ast.Term) -> bool:
    match term:
        case ast.Object():
            return True
        case ast.SetTerm():
            return bool(term.items)
        case ast.Comprehension():
            return term.kind != "array"
        case ast.Ref():
            return _begins_with_brace(term.head)
        case ast.Call():
            return term.infix and _begins_with_brace(term.args[0])
        case _:
            return False


def is_union(term: ast.Term) -> bool:
    return isinstance(term, ast.Call) and term.infix and term.name == "or"


def is_member(term: ast.Term) -> bool:
    return isinstance(term, ast.Call) and term.infix and term.name in _MEMBER


def is_pair_member(term: ast.Term) -> bool:
    return is_member(term) and isinstance(term, ast.Call) and len(term.args) == 3


def _first(item: object) -> ast.Term:
    """The term that an item of a sequence begins with."""
    return item[0] if isinstance(item, tuple) else item  # type: ignore[return-value]


def keywords_of(module: ast.Module) -> frozenset[str]:
    """The words that are keywords in a module, by its version and its imports."""
    imported = {name for i in module.imports if i.path[:2] == ["future", "keywords"] for name in i.path[2:]}
    return KEYWORDS | imported | (FUTURE_KEYWORDS if module.version == "v1" else frozenset())


def is_set(expr: ast.Expr) -> bool:
    statement = expr.statement
    return (
        not expr.negated and isinstance(statement, ast.TermExpr) and isinstance(statement.term, ast.SetTerm)
    )
