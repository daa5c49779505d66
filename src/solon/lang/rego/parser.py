"""Tokens to syntax tree: a recursive-descent parser for Rego v0 and v1.

Each method quotes its production, so that the file reads as the grammar. Rego v1 and v0 differ in which
words are keywords, and in what a rule's head may look like; ``import rego.v1`` makes a v0 file v1.
"""

from __future__ import annotations

from typing import Literal

from solon.lang.rego import ast
from solon.lang.rego.errors import RegoError
from solon.lang.rego.lexer import (
    END,
    FUTURE_KEYWORDS,
    IDENT,
    KEYWORDS,
    NUMBER,
    STRING,
    Token,
)
from solon.lang.rego.terms import LOGIC, TermParser


def parse_module(file: str, text: str, version: ast.Version = "v1") -> ast.Module:
    """Parse one file. Raises RegoError."""
    return _module(Parser(file, text, version))


def parse_either(file: str, text: str) -> ast.Module:
    """Parse a file as v1, or as v0 where it is not v1. Raises RegoError: of neither, the errors of v1."""
    parser = Parser(file, text, "v1")
    try:
        return _module(parser)
    except RegoError:
        parser.begin("v0")
        try:
            return _module(parser)
        except RegoError:
            pass
        raise


def _module(parser: Parser) -> ast.Module:
    try:
        return parser.module()
    except RecursionError:
        raise parser.error("nested too deeply") from None


def parse_query(text: str, version: ast.Version = "v1", file: str = "query") -> ast.Module:
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


class Parser(TermParser):
    """Reads modules, rules and bodies."""

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
            position = self.position
            if self.keyword("import"):
                imports.append(self.import_())
                continue
            try:
                rules.extend(self.rule())
            except RegoError:
                if self.tokens[position].newline:
                    raise
                self.restore(position)
                self.unexpected("a line break")
        return self.as_module(package, package_at, imports, rules)

    def path(self, expected: str) -> list[str]:
        """path = name { "." name | "[" string "]" }"""
        if self.token.kind not in KEYWORDS:
            self.expect(IDENT, expected)
        else:
            self.advance()
        names = [self.tokens[self.position - 1].text]
        while self.token.kind in (".", "[") and not self.token.spaced:
            if self.accept("."):
                names.append(self.field_name())
            else:
                self.advance()
                names.append(self.expect(STRING, "a string").text)
                self.expect("]", '"]"')
        return names

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
        last = path[-1]
        if path[0] in ("data", "input") and not alias and (last in KEYWORDS or last in self.keywords):
            hint = "import a different path or use an alias"
            raise self.error(f"unexpected import path, must not end with a keyword, got: {last}", start, hint)
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
        known = FUTURE_KEYWORDS | LOGIC
        if len(path) == 3 and path[2] not in known:
            raise self.error(f"unexpected keyword, must be one of {sorted(known)}", start)
        self.keywords.update(path[2:] if len(path) == 3 else known)
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
            if head.value is None and (len(head.path) > 1 or head.args is not None):
                self.unexpected('a value, as in "default allow := false"')
            self.check_default(head, start)
            always = self.always(start.at)
            return [ast.Rule(head, [always], start.at, self.last_end(), default=True)]
        has_if = self.keyword("if")
        has_body = has_if or (self.token.kind == "{" and (self.version == "v0" or not self.token.newline))
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
            if head.key is not None:
                raise self.error("else keyword cannot be used on multi-value rules")
            if any(isinstance(part, ast.Var) for part in head.path[1:]):
                raise self.error("else keyword cannot be used on rules with variables in head")
            rule.elses.append(self.else_())
            rule.end = self.last_end()
        while self.token.kind == "{" and not rule.elses and (has_if or self.version == "v0"):
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
            head.key = self.infix(key_value=True)
        if self.token.kind in (":=", "="):
            head.assigned = self.advance().kind == ":="
            if head.key is not None:
                raise self.error("partial set rules cannot have a value")
            head.value = self.infix(key_value=True)
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
            # The braces of a body alone are an operand of `and` and `or`, too: its variables stay with the rule.
            alone = body is not None and self.position == behind and isinstance(statement, ast.Logic)
            if not alone and not (
                isinstance(statement, ast.TermExpr) and isinstance(statement.term, ast.SetTerm)
            ):
                return [expr]
        if body is None:
            assert problem is not None
            raise problem
        self.restore(behind)
        return body

    def ends_rule(self) -> bool:
        return self.token.newline or self.token.kind in (END, ";", "else", "{")

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
            value = self.infix(key_value=True)
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
        elif not self.keywords.isdisjoint(LOGIC):
            return self.logical()
        else:
            negated = self.keyword("not") and self.advance() is not None
            if negated and (self.keyword("some") or self.keyword("every")):
                raise self.error(f"unexpected {self.token.text} keyword after not")
            statement = self.statement()
        return self.modified(ast.Expr(statement, at, self.last_end(), negated))

    def modified(self, expr: ast.Expr) -> ast.Expr:
        while self.keyword("with"):
            expr.withs.append(self.with_())
        expr.end = self.last_end()
        return expr

    # --- not, and, or, where they are imported

    def logical(self) -> ast.Expr:
        """logical = conjunction { "or" conjunction } { with }"""
        expr = self.modified(self.chain("or", first=True))
        for word in ("and", "or"):
            if expr.withs and self.at_word(word):
                hint = f"put the operand in (...) or {{...}}, or `with` behind the whole `{word}`"
                raise self.error(f"`with` modifier is not allowed on operand of `{word}`", hint=hint)
        return expr

    def chain(self, word: Literal["and", "or"], *, first: bool) -> ast.Expr:
        """conjunction = operand { "and" operand }"""
        at = self.token.at
        left, implicit = self.side(word, first=first)
        count = 0
        while self.at_word(word):
            count += 1
            self.chained(count)
            self.fallible(left, word)
            self.advance()
            right, plain = self.side(word, first=False)
            self.fallible(right, word)
            logic = ast.Logic(word, [left, right], [implicit, plain])
            left, implicit = [ast.Expr(logic, at, self.last_end())], True
        if implicit and len(left) == 1:
            return left[0]
        return ast.Expr(ast.Logic("and", [left], [False]), at, self.last_end())

    def side(self, word: str, *, first: bool) -> tuple[list[ast.Expr], bool]:
        return self.operand(first=first) if word == "and" else ([self.chain("and", first=first)], True)

    def fallible(self, operand: list[ast.Expr], word: str) -> None:
        terms = [e.statement.term for e in operand if isinstance(e.statement, ast.TermExpr)]
        if len(terms) == len(operand) and all(isinstance(t, ast.Call) and t.name == "print" for t in terms):
            raise self.error(f"operand of `{word}` cannot consist only of calls to `print`")

    def operand(self, *, first: bool = False) -> tuple[list[ast.Expr], bool]:
        """operand = "not" operand | "(" logical ")" | "{" exprs "}" | statement; and whether it is one expression"""
        at = self.token.at
        self.descend()
        try:
            if self.keyword("not"):
                return [self.negation()], True
            if self.token.kind == "{" and not first:
                return self.braced_body(), False
            if self.token.kind not in ("(", "{"):
                return [self.plain(at)], True
            return self.grouped(at)
        finally:
            self.depth -= 1

    def plain(self, at: int) -> ast.Expr:
        if self.keyword("some") or self.keyword("every"):
            raise self.error(f"unexpected {self.token.text} keyword")
        return ast.Expr(self.statement(), at, self.last_end())

    def grouped(self, at: int) -> tuple[list[ast.Expr], bool]:
        """What begins with a bracket is a value where it can be one, and a group or a body where it cannot."""
        position = self.position
        if position not in self.groups:
            try:
                expr = self.plain(at)
                if self.tokens[position].kind == "(" or not (self.at_word("and") or self.at_word("or")):
                    return [expr], True
            except RegoError:
                pass
            self.groups.add(position)
            self.restore(position)
        if self.token.kind == "{":
            return self.braced_body(), False
        self.advance()
        inner = self.logical()
        self.expect(")", '")"')
        return [inner], True

    def negation(self) -> ast.Expr:
        at = self.advance().at
        if self.keyword("not"):
            raise self.error("unexpected not keyword")
        if "not" not in self.keywords:
            expr = self.plain(at)
            expr.negated = True
            return expr
        operand, implicit = self.operand()
        return ast.Expr(ast.Logic("not", [operand], [implicit]), at, self.last_end())

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
        return ast.With(target, self.infix(key_value=True), at)
