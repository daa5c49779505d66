"""Tokens to terms: the part of the parser that reads values, references and calls."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Final, NoReturn

from solon.lang.rego import ast
from solon.lang.rego.errors import RegoError
from solon.lang.rego.lexer import (
    END,
    FUTURE_KEYWORDS,
    IDENT,
    KEYWORDS,
    NUMBER,
    STRING,
    TEMPLATE,
    Token,
    fail,
    tokenize,
    unquote,
)

# Keywords that nothing but their import brings; `not` is one always, and means more when imported.
LOGIC: Final = frozenset(["and", "not", "or"])

# Terms nested deeper than this are refused, so that no later stage can run out of stack.
MAX_DEPTH: Final = 150

# operator -> (precedence, built-in). Comparison binds loosest; `in` is looser still and stands apart.
_INFIX: Final[dict[str, tuple[int, str]]] = {
    "==": (1, "equal"), "!=": (1, "neq"), "<": (1, "lt"), "<=": (1, "lte"), ">": (1, "gt"), ">=": (1, "gte"),
    "|": (2, "or"),
    "&": (3, "and"),
    "+": (4, "plus"), "-": (4, "minus"),
    "*": (5, "mul"), "/": (5, "div"), "%": (5, "rem"),
}  # fmt: skip

_SCALARS: Final = {"true": True, "false": False, "null": None}


class TermParser:
    """Moves through the tokens and reads terms; bodies and expressions are read by the class above it."""

    def __init__(
        self, file: str, text: str, version: ast.Version, start: int = 0, stop: int | None = None
    ) -> None:
        self.file = file
        self.text = text
        self.tokens, self.comments = tokenize(file, text, start, stop)
        self.begin(version)

    def begin(self, version: ast.Version) -> None:
        """Stand before the first token."""
        self.version: ast.Version = version
        self.position = 0
        self.token = self.tokens[0]
        self.depth = 0
        self.groups: set[int] = set()  # positions of brackets that are known to hold no value
        self.unions: set[int] = set()  # positions of `|` that are known to be operators
        self.keywords: set[str] = set(FUTURE_KEYWORDS) if version == "v1" else set()

    # --- moving through the tokens

    def advance(self) -> Token:
        token = self.token
        if token.kind != END:
            self.position += 1
            self.token = self.tokens[self.position]
        return token

    def peek(self, offset: int = 1) -> Token:
        return self.tokens[min(self.position + offset, len(self.tokens) - 1)]

    def restore(self, position: int) -> None:
        self.position = position
        self.token = self.tokens[position]

    def at_word(self, word: str) -> bool:
        """Whether the token is ``word``, a keyword here."""
        token = self.token
        return token.text == word and (token.kind == word or (token.kind == IDENT and word in self.keywords))

    def keyword(self, word: str) -> bool:
        """Whether the token is the keyword, and not the head of a reference such as ``with.foo``."""
        return self.at_word(word) and not self.heads_ref()

    def at_in(self) -> bool:
        # `x in[1]` is membership; `in.foo`, or `in[…]` on a line of its own, is a reference.
        return self.at_word("in") and (
            not self.heads_ref() or (self.peek().kind == "[" and not self.token.newline)
        )

    def heads_ref(self) -> bool:
        after = self.peek()
        return after.kind in (".", "[") and not after.spaced

    def accept(self, kind: str) -> Token | None:
        return self.advance() if self.token.kind == kind else None

    def expect(self, kind: str, expected: str) -> Token:
        if self.token.kind != kind:
            self.unexpected(expected)
        return self.advance()

    def error(self, message: str, token: Token | None = None, hint: str = "") -> RegoError:
        token = token or self.token
        length = min(token.end, self.text.find("\n", token.at) % (len(self.text) + 1) or token.end) - token.at
        return fail(self.file, self.text, token.at, message, hint, max(1, length))

    def unexpected(self, expected: str, hint: str = "") -> NoReturn:
        token = self.token
        shown = {END: "end of file", NUMBER: "number", STRING: "string"}.get(token.kind, f"{token.text!r}")
        kind = "keyword " if token.kind in KEYWORDS else ""
        raise self.error(f"unexpected {kind}{shown}: expected {expected}", hint=hint)

    def body(self, closing: str) -> list[ast.Expr]:
        raise NotImplementedError

    def expr(self) -> ast.Expr:
        raise NotImplementedError

    # --- terms

    def infix(
        self, *, key_value: bool = False, members: bool = True, first: ast.Term | None = None
    ) -> ast.Term:
        """infix = binary [ "," binary ] { "in" binary }; ``first`` is a term that has been read already"""
        left = self.binary(1, first)
        if not members or "in" not in self.keywords:
            return left
        if key_value and self.token.kind == ",":
            position = self.position
            comma = self.advance()
            try:
                value = self.binary(1)
            except RegoError:
                self.restore(position)
                return left
            if not self.at_in():
                self.restore(position)
                return left
            self.advance()
            left = ast.Call("internal.member_3", [left, value, self.binary(1)], comma.at, infix=True)
        count = 0
        while self.at_in():
            count += 1
            self.chained(count)
            at = self.advance().at
            left = ast.Call("internal.member_2", [left, self.binary(1)], at, infix=True)
        return left

    def binary(self, floor: int, first: ast.Term | None = None) -> ast.Term:
        """binary = term { operator binary }, operators of one precedence grouping to the left"""
        left = self.term() if first is None else first
        count = 0
        while True:
            found = _INFIX.get(self.token.kind)
            if found is None or found[0] < floor:
                return left
            count += 1
            self.chained(count)
            at = self.advance().at
            left = ast.Call(found[1], [left, self.binary(found[0] + 1)], at, infix=True)

    def chained(self, count: int) -> None:
        if count > MAX_DEPTH:
            raise self.error(f"more than {MAX_DEPTH} operators in a row")

    def term(self) -> ast.Term:
        """term = primary { "." name | "[" term "]" | "(" terms ")" }"""
        self.descend()
        try:
            return self.postfix(self.primary())
        finally:
            self.depth -= 1

    def descend(self) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.depth -= 1
            raise self.error(f"nested deeper than {MAX_DEPTH} levels")

    def postfix(self, term: ast.Term) -> ast.Term:
        path: list[ast.Term] = []
        start = term.at
        while not self.token.spaced:
            at = self.token.at
            if self.token.kind == ".":
                self.advance()
                path.append(ast.Scalar(self.field_name(), at + 1))
            elif self.token.kind == "[":
                self.advance()
                path.append(self.infix())
                self.expect("]", '"]"')
            elif self.token.kind == "(":
                name = self.callee(term, path)
                self.advance()
                args = self.terms(")")
                self.expect(")", '")"')
                term, path = ast.Call(name, args, start), []
            else:
                break
            if len(path) > MAX_DEPTH:
                raise self.error(f"reference longer than {MAX_DEPTH} names")
        if not path:
            return term
        if isinstance(term, (ast.Scalar, ast.Template)):
            raise fail(self.file, self.text, start, "illegal ref (head cannot be a scalar)")
        return ast.Ref(term, path, start)

    def field_name(self) -> str:
        token = self.token
        if token.kind != IDENT and token.kind not in KEYWORDS:
            self.unexpected("a field name")
        return self.advance().text

    def callee(self, term: ast.Term, path: list[ast.Term]) -> str:
        parts = [term.name] if isinstance(term, ast.Var) else []
        parts += [p.value for p in path if isinstance(p, ast.Scalar) and isinstance(p.value, str)]
        if len(parts) != len(path) + 1:
            raise self.error("only a name can be called")
        return ".".join(parts)

    def primary(self) -> ast.Term:
        """primary = scalar | name | array | object | set | "(" infix ")" | template"""
        token = self.token
        kind = token.kind
        if kind in KEYWORDS and self.heads_ref():
            kind = IDENT
        if kind == IDENT:
            word = (
                token.text in self.keywords and token.text != "contains"
            )  # which is a built-in's name as well
            if word and not self.heads_ref() and self.peek().kind != "(":
                self.unexpected_keyword(token)
            self.advance()
            if token.text == "set" and self.token.kind == "(" and self.peek().kind == ")":
                self.advance()
                self.advance()
                return ast.SetTerm([], token.at)
            return ast.Var(token.text, token.at)
        if kind == STRING:
            self.advance()
            return ast.Scalar(token.text, token.at)
        if kind == NUMBER:
            self.advance()
            return ast.Scalar(self.number(token), token.at)
        if kind == "-":
            self.advance()
            if self.token.kind == IDENT:  # less what is referred to or called
                return ast.Call("minus", [ast.Scalar(0, token.at), self.term()], token.at, infix=True)
            number = self.expect(NUMBER, "a number")
            return ast.Scalar(-self.number(number), token.at)
        if kind in _SCALARS:
            self.advance()
            return ast.Scalar(_SCALARS[kind], token.at)
        if kind == "[":
            return self.array()
        if kind == "{":
            return self.braces()
        if kind == "(":
            self.advance()
            inner = self.infix(key_value=True)
            self.expect(")", '")"')
            return inner
        if kind == TEMPLATE:
            return self.template()
        if kind in KEYWORDS:
            self.unexpected_keyword(token)
        return self.unexpected("a term")

    def unexpected_keyword(self, token: Token) -> NoReturn:
        raise self.error(f"unexpected {token.text} keyword", token)

    def number(self, token: Token) -> int | float:
        text = token.text
        if re.fullmatch(r"\d+", text):
            if len(text) > 4000:
                raise self.error("number is too long", token)
            return int(text)
        value = float(text)
        if not math.isinf(value):
            return value
        exact = Decimal(text)
        if exact.adjusted() > 4000:
            raise self.error("number is too large", token)
        return int(exact)

    def terms(self, closing: str, first: ast.Term | None = None) -> list[ast.Term]:
        """terms = [ infix { "," infix } [ "," ] ]; ``first`` is a term that has been read already"""
        out: list[ast.Term] = []
        if first is not None:
            out.append(self.infix(first=first))
            if not self.accept(","):
                return out
        while self.token.kind != closing:
            out.append(self.infix())
            if not self.accept(","):
                break
        return out

    def comprehension_body(self, closing: str) -> list[ast.Expr] | None:
        """The body behind ``|``, or None where there is no ``|``, or it is an operator."""
        position = self.position
        # What has turned out to be an operator is not tried again, or nested ones would double the work.
        if self.token.kind != "|" or position in self.unions:
            return None
        self.advance()
        try:
            body = self.body(closing)
        except RegoError:
            if closing == "}" or self.token.kind != ",":
                raise
            self.unions.add(position)
            self.restore(position)
            return None
        if not body:
            self.unexpected("a body")
        self.advance()
        return body

    def array(self) -> ast.Term:
        """array = "[" terms "]" | "[" term "|" exprs "]"."""
        at = self.advance().at
        head = None
        if self.token.kind != "]":
            head = self.term()
            body = self.comprehension_body("]")
            if body is not None:
                return ast.Comprehension("array", None, head, body, at)
        items = self.terms("]", head)
        self.expect("]", '"," or "]"')
        return ast.Array(items, at)

    def braces(self) -> ast.Term:
        """set = "{" terms "}"; object = "{" [ pair { "," pair } ] "}"; and both kinds of comprehension"""
        at = self.advance().at
        if self.accept("}"):
            return ast.Object([], at)
        head = self.term()
        body = self.comprehension_body("}")
        if body is not None:
            return ast.Comprehension("set", None, head, body, at)
        if self.accept(":"):
            value = self.term()
            body = self.comprehension_body("}")
            if body is not None:
                return ast.Comprehension("object", head, value, body, at)
            return self.object(at, head, self.infix(first=value))
        first = self.infix(first=head)
        if self.accept(":"):
            return self.object(at, first, self.infix())
        items = [first]
        if self.accept(","):
            items += self.terms("}")
        self.expect("}", '"," or "}"')
        return ast.SetTerm(items, at)

    def object(self, at: int, name: ast.Term, value: ast.Term) -> ast.Object:
        pairs = [(name, value)]
        while self.accept(",") and self.token.kind != "}":
            name = self.infix()
            self.expect(":", '":"')
            pairs.append((name, self.infix()))
        self.expect("}", '"," or "}"')
        return ast.Object(pairs, at)

    def template(self) -> ast.Template:
        """template = '$"' { text | "{" infix "}" } '"'"""
        token = self.advance()
        parts: list[str | ast.Term] = []
        for is_expression, start, end in token.parts:
            if is_expression:
                inner = type(self)(self.file, self.text, self.version, start, end)
                inner.keywords = self.keywords
                inner.depth = self.depth
                if inner.token.kind == END:
                    raise fail(self.file, self.text, start, "empty expression in template string")
                expr = inner.expr()
                parts.append(_interpolated(expr))
                if inner.token.kind != END:
                    inner.unexpected('"}"')
            elif token.text[1] == "`":
                parts.append(self.text[start:end].replace("\\{", "{"))
            else:
                parts.append(unquote(self.file, self.text, start, end, template=True))
        return ast.Template(parts, token.at)


def _interpolated(expr: ast.Expr) -> ast.Term:
    """An expression in a template: the set of its values, so that none and several can be told apart."""
    match expr.statement:
        case ast.TermExpr(term=(ast.Scalar() | ast.Var()) as term) if not expr.withs:
            return term
        case ast.Unify(left=left, right=right, operator="==") if not expr.negated:
            compared = ast.TermExpr(ast.Call("equal", [left, right], expr.at, infix=True))
            return _interpolated(ast.Expr(compared, expr.at, expr.end, False, expr.withs))
        case ast.TermExpr(term=term):
            result = ast.Var("_value", expr.at)
            inner = ast.Expr(ast.Unify(result, term, ":="), expr.at, expr.end, False, expr.withs)
            return ast.Comprehension("set", None, ast.Var("_value", expr.at), [inner], expr.at)
        case _:
            return ast.Comprehension("set", None, ast.Scalar(True, expr.at), [expr], expr.at)
