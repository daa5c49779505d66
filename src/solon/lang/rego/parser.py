"""Tokens to syntax tree: a recursive-descent parser for Rego v0 and v1.

Each method quotes its production, so that the file reads as the grammar. Rego v1 and v0 differ in which
words are keywords, and in what a rule's head may look like; ``import rego.v1`` makes a v0 file v1.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Final, Literal, NoReturn

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

Version = Literal["v0", "v1"]

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


def parse_module(file: str, text: str, version: Version = "v1") -> ast.Module:
    """Parse one file. Raises RegoError."""
    parser = Parser(file, text, version)
    try:
        return parser.module()
    except RecursionError:
        raise parser.error("nested too deeply") from None


def parse_query(text: str, version: Version = "v1", file: str = "query") -> ast.Module:
    """Parse a query into a module with one rule, whose body is the query. Raises RegoError."""
    parser = Parser(file, text, version)
    try:
        body = parser.body(END)
    except RecursionError:
        raise parser.error("nested too deeply") from None
    if not body:
        raise parser.error("empty query")
    rule = ast.Rule(ast.Head([ast.Var("query", 0)], 0), body, 0, len(text))
    return parser.as_module([], 0, [], [rule])


class Parser:
    def __init__(
        self, file: str, text: str, version: Version, start: int = 0, stop: int | None = None
    ) -> None:
        self.file = file
        self.text = text
        self.version: Version = version
        self.tokens, self.comments = tokenize(file, text, start, stop)
        self.position = 0
        self.token = self.tokens[0]
        self.depth = 0
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

    # --- modules

    def as_module(
        self, package: list[str], package_at: int, imports: list[ast.Import], rules: list[ast.Rule]
    ) -> ast.Module:
        return ast.Module(
            self.file, self.text, package, package_at, imports, rules, self.comments, self.version,
            ast.line_starts(self.text),
        )  # fmt: skip

    def module(self) -> ast.Module:
        """module = "package" ref { import } { rule }"""
        if self.token.kind == END:
            raise self.error("empty module", hint="a Rego file starts with `package NAME`")
        if self.token.kind != "package":
            self.unexpected("package declaration", "a Rego file starts with `package NAME`")
        package_at = self.advance().at
        package = self.path("package name")
        imports: list[ast.Import] = []
        rules: list[ast.Rule] = []
        while self.token.kind != END:
            if not self.token.newline and self.token.kind != ";":
                self.unexpected("a line break")
            if self.accept(";"):
                continue
            if self.keyword("import"):
                imports.append(self.import_())
            else:
                rules.extend(self.rule())
        return self.as_module(package, package_at, imports, rules)

    def path(self, expected: str) -> list[str]:
        """path = name { "." name | "[" string "]" }"""
        first = self.expect(IDENT, expected)
        names = [first.text]
        while self.token.kind in (".", "[") and not self.token.spaced:
            if self.accept("."):
                names.append(self.field_name())
            else:
                self.advance()
                names.append(self.expect(STRING, "a string").text)
                self.expect("]", '"]"')
        return names

    def field_name(self) -> str:
        token = self.token
        if token.kind != IDENT and token.kind not in KEYWORDS:
            self.unexpected("a field name")
        return self.advance().text

    def import_(self) -> ast.Import:
        """import = "import" path [ "as" name ]"""
        at = self.advance().at
        start = self.token
        path = self.path("import path")
        alias = ""
        if self.token.kind == "as":
            self.advance()
            alias = self.expect(IDENT, "an alias").text
            if alias in ("data", "input"):
                raise self.error(
                    f"unexpected import alias, must not be a reserved name: {alias}",
                    self.tokens[self.position - 1],
                )
        if path[0] == "future":
            self.import_future(path, start, alias)
        elif path[0] == "rego":
            if path != ["rego", "v1"]:
                raise self.error("invalid import, must be `rego.v1`", start)
            self.version = "v1"
            self.keywords.update(FUTURE_KEYWORDS)
        elif path[0] not in ("data", "input"):
            raise self.error(
                f"unexpected import path, must begin with one of: {{data, future, input, rego}}, got: {path[0]}",
                start,
            )
        return ast.Import(path, alias, at)

    def import_future(self, path: list[str], start: Token, alias: str) -> None:
        if path[1:2] != ["keywords"] or len(path) > 3:
            raise self.error("invalid import, must be `future.keywords`", start)
        if alias:
            raise self.error("`future` imports cannot be aliased", start)
        known = FUTURE_KEYWORDS | {"not", "and", "or"}
        if len(path) == 3 and path[2] not in known:
            raise self.error(f"unexpected keyword, must be one of {sorted(known)}", start)
        self.keywords.update(FUTURE_KEYWORDS & set(path[2:]) if len(path) == 3 else FUTURE_KEYWORDS)
        if path[2:] == ["every"]:
            self.keywords.add("in")

    # --- rules

    def rule(self) -> list[ast.Rule]:
        """rule = [ "default" ] head [ body ] { else } { body }"""
        start = self.token
        default = self.keyword("default")
        if default:
            self.advance()
        head = self.head(default)
        if default:
            if head.value is None:
                self.unexpected('a value, as in "default allow := false"')
            self.check_default(head, start)
            always = self.always(start.at)
            return [ast.Rule(head, [always], start.at, self.last_end(), default=True)]
        has_if = self.keyword("if")
        has_body = has_if or (self.token.kind == "{" and not self.token.newline)
        if not has_body and not (head.value or head.key or head.args is not None or len(head.path) > 1):
            raise self.error(
                "var cannot be used for rule name",
                start,
                "a rule without a body needs a value: `name := value`",
            )
        if has_body and not has_if and self.version == "v1":
            raise self.error("`if` keyword is required before rule body", self.token)
        self.classify(head, has_if)
        body = self.rule_body() if has_body else [self.always(start.at)]
        rule = ast.Rule(head, body, start.at, self.last_end())
        rules = [rule]
        if not has_body and self.version == "v1" and not (head.value or head.key or head.args):
            if len(head.path) == 2:
                raise self.error("`contains` keyword is required for partial set rules", start)
            raise self.error("rule must have value assignment and/or body declaration", start)
        while self.keyword("else"):
            rule.elses.append(self.else_())
            rule.end = self.last_end()
        while self.token.kind == "{" and not self.token.newline and not rule.elses and self.version == "v0":
            at = self.token.at
            rules.append(ast.Rule(head, self.rule_body(), at, self.last_end()))
        return rules

    def check_default(self, head: ast.Head, start: Token) -> None:
        """A default stands for what no rule gave: its value is fixed, and its arguments match anything."""
        stack: list[ast.Term] = [head.value] if head.value is not None else []
        while stack:
            term = stack.pop()
            if isinstance(term, ast.Var | ast.Ref | ast.Call):
                kind = type(term).__name__.lower()
                raise self.error(f"illegal default rule (value cannot contain {kind})", start)
            if not isinstance(term, ast.Comprehension):
                stack.extend(ast.subterms(term))
        names = [arg.name for arg in head.args or [] if isinstance(arg, ast.Var) and arg.name != "_"]
        if any(not isinstance(arg, ast.Var) for arg in head.args or []):
            raise self.error("illegal default rule (arguments must be variables)", start)
        if len(names) != len(set(names)):
            raise self.error("illegal default rule (arguments cannot be repeated)", start)

    def last_end(self) -> int:
        return self.tokens[max(0, self.position - 1)].end

    def always(self, at: int) -> ast.Expr:
        return ast.Expr(ast.TermExpr(ast.Scalar(True, at)), at, at)

    def classify(self, head: ast.Head, has_if: bool) -> None:
        """In v0, ``p[x] { … }`` and ``p.a { … }`` define sets."""
        if self.version == "v1" or has_if or head.key is not None or head.value is not None:
            return
        if len(head.path) == 2 and head.args is None:
            head.key = head.path.pop()

    def head(self, default: bool) -> ast.Head:
        """head = ref [ "(" args ")" ] [ "contains" term ] [ ( ":=" | "=" ) term ]"""
        token = self.token
        word = token.kind in KEYWORDS and self.heads_ref()
        if token.kind == IDENT and token.text in self.keywords and not self.heads_ref():
            raise self.error(f"unexpected {token.text} keyword: expected rule name")
        if token.kind != IDENT and not word:
            shapes = {"[": "array", "{": "object", STRING: "string", NUMBER: "number"}
            if token.kind in shapes:
                raise self.error(f"{shapes[token.kind]} cannot be used for rule name")
            self.unexpected("rule name")
        path: list[ast.Term] = [ast.Var(token.text, token.at)]
        self.advance()
        while self.token.kind in (".", "[") and not self.token.spaced:
            at = self.token.at
            if self.accept("."):
                path.append(ast.Scalar(self.field_name(), at + 1))
            else:
                self.advance()
                path.append(self.term())
                self.expect("]", '"]"')
        head = ast.Head(path, token.at)
        if self.token.kind == "(" and not self.token.spaced:
            self.advance()
            head.args = self.terms(")") or None  # `f() = 1` defines a value, not a function
            self.expect(")", '")"')
        if self.at_word("contains") and not default:
            self.advance()
            head.key = self.infix()
        if self.token.kind in (":=", "="):
            head.assigned = self.advance().kind == ":="
            if head.key is not None:
                raise self.error("partial set rules cannot have a value")
            head.value = self.infix()
        return head

    def rule_body(self) -> list[ast.Expr]:
        """body = "{" exprs "}" | "if" ( "{" exprs "}" | expr )"""
        if self.keyword("if"):
            self.advance()
            if self.token.kind != "{":
                return [self.expr()]
            return self.body_or_expr()
        return self.braced_body()

    def body_or_expr(self) -> list[ast.Expr]:
        """What can be an expression is one (``if {x | some x in xs} == ys``), unless that is a set alone."""
        position = self.position
        body, problem = None, None
        try:
            body = self.braced_body()
        except RegoError as error:
            problem = error
        behind = self.position
        union = any(token.kind == "|" for token in self.tokens[position:behind])
        if body is not None and self.ends_rule() and not union:
            return body
        self.restore(position)
        try:
            expr = self.expr()
        except RegoError:
            expr = None
        if expr is not None and self.ends_rule():
            statement = expr.statement
            if not (isinstance(statement, ast.TermExpr) and isinstance(statement.term, ast.SetTerm)):
                return [expr]
        if body is None:
            assert problem is not None
            raise problem
        self.restore(behind)
        return body

    def ends_rule(self) -> bool:
        return self.token.newline or self.token.kind in (END, ";", "else")

    def braced_body(self) -> list[ast.Expr]:
        opening = self.expect("{", '"{"')
        body = self.body("}")
        if not body:
            raise self.error("found empty body", opening)
        self.expect("}", '"}"')
        return body

    def else_(self) -> ast.Else:
        """else = "else" [ ( ":=" | "=" ) term ] [ body ]"""
        at = self.advance().at
        value = None
        if self.token.kind in (":=", "="):
            self.advance()
            value = self.infix()
        if self.keyword("if") or (self.token.kind == "{" and self.version == "v0"):
            return ast.Else(value, self.rule_body(), at)
        if self.token.kind == "{" and not self.token.newline:
            raise self.error("`if` keyword is required before rule body", self.token)
        if value is None:
            self.unexpected("else keyword to be followed by a value or a body")
        return ast.Else(value, [self.always(at)], at)

    # --- bodies

    def body(self, closing: str) -> list[ast.Expr]:
        """exprs = expr { ( ";" | line break ) expr }"""
        exprs: list[ast.Expr] = []
        while True:
            while self.accept(";"):
                pass
            if self.token.kind == closing:
                return exprs
            exprs.append(self.expr())
            if self.token.kind in (closing, ";") or self.token.newline:
                if self.token.kind == END and closing != END:
                    self.unexpected(f'"{closing}"')
                continue
            self.unexpected(f'a line break, ";" or "{closing}"' if closing != END else 'a line break or ";"')

    def expr(self) -> ast.Expr:
        """expr = ( some | every | [ "not" ] statement ) { with }"""
        at = self.token.at
        negated = False
        if self.keyword("some"):
            statement: ast.Statement = self.some()
        elif self.keyword("every"):
            statement = self.every()
        else:
            negated = self.keyword("not") and self.advance() is not None
            if negated and (self.keyword("some") or self.keyword("every")):
                raise self.error(f"unexpected {self.token.text} keyword after not")
            statement = self.statement()
        withs = []
        while self.keyword("with"):
            withs.append(self.with_())
        return ast.Expr(statement, at, self.last_end(), negated, withs)

    def statement(self) -> ast.Statement:
        """statement = term [ ( ":=" | "=" ) term ]"""
        left = self.infix(key_value=True)
        if self.token.kind in (":=", "="):
            operator: Literal["=", ":=", "=="] = ":=" if self.advance().kind == ":=" else "="
            return ast.Unify(left, self.infix(key_value=True), operator)
        if isinstance(left, ast.Call) and left.infix and left.name == "equal":
            return ast.Unify(left.args[0], left.args[1], "==")
        return ast.TermExpr(left)

    def some(self) -> ast.Some | ast.SomeIn:
        """some = "some" name { "," name } | "some" [ term "," ] term "in" term"""
        some = self.advance()
        if "in" in self.keywords:
            position = self.position
            first = self.infix(members=False)
            second = None
            if self.accept(","):
                second = self.infix(members=False)
            if self.at_in():
                self.advance()
                domain = self.infix()
                if second is None:
                    return ast.SomeIn(None, first, domain)
                return ast.SomeIn(first, second, domain)
            self.restore(position)
        names = []
        while True:
            token = self.token
            if token.kind != IDENT or token.text in self.keywords:
                self.unexpected("a variable name")
            names.append(ast.Var(token.text, token.at))
            self.advance()
            if self.token.kind in (".", "[") and not self.token.spaced:
                raise self.error("illegal some: expected a variable name", some)
            if not self.accept(","):
                return ast.Some(names)

    def every(self) -> ast.Every:
        """every = "every" [ name "," ] name "in" term braced_body."""
        self.advance()
        first = self.variable()
        key = None
        if self.accept(","):
            key, first = first, self.variable()
        if not self.at_word("in"):
            self.unexpected('"in"')
        self.advance()
        domain = self.infix()
        self.descend()
        try:
            return ast.Every(key, first, domain, self.braced_body())
        finally:
            self.depth -= 1

    def variable(self) -> ast.Var:
        token = self.expect(IDENT, "a variable name")
        return ast.Var(token.text, token.at)

    def with_(self) -> ast.With:
        """with = "with" ref "as" term"""
        at = self.advance().at
        target = self.term()
        if isinstance(target, ast.Var):
            target = ast.Ref(target, [], target.at)
        if not isinstance(target, ast.Ref):
            raise self.error(
                "with keyword target must be a reference to input, data, a function or a built-in"
            )
        self.expect("as", '"as"')
        return ast.With(target, self.infix(), at)

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
                inner = Parser(self.file, self.text, self.version, start, end)
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
        case ast.TermExpr(term=term):
            result = ast.Var("_value", expr.at)
            inner = ast.Expr(ast.Unify(result, term, ":="), expr.at, expr.end, False, expr.withs)
            return ast.Comprehension("set", None, ast.Var("_value", expr.at), [inner], expr.at)
        case _:
            return ast.Comprehension("set", None, ast.Scalar(True, expr.at), [expr], expr.at)
