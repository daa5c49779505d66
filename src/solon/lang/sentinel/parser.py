"""Tokens to a syntax tree: recursive descent for statements, two stacks for operators.

Nothing recurses but what nests in the text, and that no deeper than ``MAX_DEPTH``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, TypeVar

from solon.lang.sentinel import ast
from solon.lang.sentinel.documents import documents_of
from solon.lang.sentinel.errors import PARSE_ERROR, SentinelError
from solon.lang.sentinel.lexer import END, FLOAT, IDENT, INT, STRING, tokenize
from solon.lang.source import Diagnostic

MAX_DEPTH: Final = 100  # levels of brackets, blocks and signs
MAX_ERRORS: Final = 10
T = TypeVar("T")

LEVELS: Final[dict[str, int]] = {
    "or": 1, "xor": 1,
    "and": 2,
    "==": 3, "!=": 3, "<": 3, "<=": 3, ">": 3, ">=": 3, "is": 3, "matches": 3, "contains": 3, "in": 3, "not": 3,
    "else": 4,
    "+": 5, "-": 5,
    "*": 6, "/": 6, "%": 6,
}  # fmt: skip
ASSIGNMENTS: Final = frozenset(["=", "+=", "-=", "*=", "/=", "%="])
_QUANTIFIERS: Final = frozenset(["all", "any", "filter", "map"])
_SIGNS: Final = {"-": "-", "+": "+", "!": "not", "not": "not"}
_SHOWN: Final = {IDENT: "a name", INT: "a number", STRING: "a string", END: "the end of the file"}


class _Wrong(Exception):
    """The statement cannot be read any further; the diagnostic has been kept."""


def parse(text: str, file: str) -> ast.File:
    """The syntax tree of a policy or module. Raises SentinelError with every error found."""
    return _Parser(text, file, text, {}).file()


def parse_fast(text: str, file: str) -> ast.File:
    """The same for who needs no tokens: documents are each a Constant whose value is a collection."""
    shorter, documents = documents_of(text)
    if documents:
        try:
            return _Parser(text, file, shorter, documents).file()
        except SentinelError:
            pass  # shown with the text as it is
    return parse(text, file)


class _Parser:
    def __init__(self, text: str, file: str, shorter: str, documents: Mapping[int, Any]) -> None:
        tokens, comments = tokenize(file, shorter)
        self.result = ast.File(file, text, [], [], [], tokens, comments)
        self.kinds, self.values = tokens.kinds, tokens.values
        self.starts, self.ends = tokens.starts, tokens.ends
        self.documents = documents
        self.position = 0
        self.depth = 0
        self.errors: list[Diagnostic] = []

    # --- tokens

    @property
    def kind(self) -> str:
        return self.kinds[self.position]

    @property
    def at(self) -> int:
        return self.starts[self.position]

    @property
    def last_end(self) -> int:
        """Where the token before this one ends."""
        return self.ends[self.position - 1]

    def accept(self, kind: str) -> bool:
        if self.kinds[self.position] == kind:
            self.position += 1
            return True
        return False

    def expect(self, kind: str, where: str, hint: str = "") -> int:
        """The place of the token that has to come; goes past it."""
        at = self.starts[self.position]
        if self.kinds[self.position] != kind:
            raise self.unexpected(f"{_SHOWN.get(kind, repr(kind))} {where}", hint)
        self.position += 1
        return at

    def name(self, where: str) -> ast.Name:
        at = self.expect(IDENT, where)
        return ast.Name(self.values[self.position - 1], at, self.last_end)

    def wrong(self, at: int, message: str, hint: str = "", end: int = 0) -> _Wrong:
        span = self.result.span(at, end or None)
        self.errors.append(Diagnostic(PARSE_ERROR, message, span, hint))
        return _Wrong()

    def unexpected(self, expected: str, hint: str = "") -> _Wrong:
        kind, at, end = self.kind, self.at, self.ends[self.position]
        if kind == ";" and self.values[self.position] == "\n":
            shown = "the end of the line"
        elif kind == ";" and not self.values[self.position]:
            shown = "the end of the file"
        elif kind in (IDENT, INT, FLOAT):
            shown = repr(self.result.text[at:end][:40])
        else:
            shown = _SHOWN.get(kind, repr(kind))
        return self.wrong(at, f"expected {expected}, found {shown}", hint, end)

    def deeper(self) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.wrong(
                self.at,
                f"nested more than {MAX_DEPTH} levels deep",
                "name parts of it, or make it a function",
            )

    # --- files

    def file(self) -> ast.File:
        """``File = {Import} {Param} {Stmt}``"""
        while self.kind != END:
            start = self.position
            self.depth = 0
            try:
                self.declaration()
                self.separator()
            except _Wrong:
                self.recover(start)
                if len(self.errors) >= MAX_ERRORS:
                    break
        if self.errors:
            raise SentinelError(self.errors, {self.result.name: self.result.text})
        return self.result

    def declaration(self) -> None:
        result = self.result
        if self.kind == "import":
            if result.params or result.statements:
                raise self.wrong(
                    self.at, "an import below other statements", "move it to the top of the file"
                )
            result.imports.append(self.import_())
        elif self.kind == "param":
            if result.statements:
                raise self.wrong(
                    self.at, "a param below other statements", "move it to the top, behind the imports"
                )
            result.params.append(self.param())
        elif not self.accept(";"):
            result.statements.append(self.statement(top=True))

    def separator(self) -> None:
        """What stands between statements. None is needed before a closing brace."""
        if self.kind not in ("}", END) and self.kinds[self.position - 1] != ";":
            self.expect(";", "or a line break behind the statement", self.why_no_end())

    def why_no_end(self) -> str:
        if self.kind == "else":
            return "`else` of an `if` stands on the line of the `}`"
        if self.kind in ASSIGNMENTS:
            return 'only a name, or an index such as x["key"], can be assigned to'
        if self.kind == ":":
            return 'a map stands in braces: {"key": value}'
        if self.kind == IDENT:
            return "operators are `is`, `and`, `contains`, …; names have no hyphens or spaces"
        return ""

    def recover(self, start: int) -> None:
        """Go to where the next statement of the file seems to begin: at the left margin, behind a line break."""
        text, starts, kinds = self.result.text, self.starts, self.kinds
        self.position = max(self.position, start + 1)
        while self.position < len(kinds) - 1:
            at = starts[self.position]
            margin = at == 0 or text[at - 1] == "\n"
            if margin and (
                kinds[self.position] == IDENT or kinds[self.position] in ("import", "param", "func")
            ):
                return
            self.position += 1
        self.position = len(kinds) - 1

    def import_(self) -> ast.Import:
        """``"import" string ["as" ident]``"""
        at = self.expect("import", "")
        self.expect(STRING, "behind `import`", 'such as import "tfplan/v2" as tfplan')
        path = self.values[self.position - 1]
        alias = self.name("behind `as`") if self.accept("as") else None
        return ast.Import(path, alias, at, self.last_end)

    def param(self) -> ast.Param:
        """``"param" ident ["default" literal]``"""
        at = self.expect("param", "")
        name = self.name("behind `param`")
        default = self.expression() if self.accept("default") else None
        return ast.Param(name, default, at, self.last_end)

    # --- statements

    def block(self, where: str) -> ast.Block:
        """``"{" {Stmt ";"} "}"``"""
        at = self.expect("{", where)
        self.deeper()
        statements = self.statements()
        self.expect("}", f"at the end of the block that begins in line {self.result.place(at)[0]}")
        self.depth -= 1
        return ast.Block(statements, at, self.last_end)

    def statements(self) -> list[ast.Stmt]:
        found: list[ast.Stmt] = []
        while self.kind not in ("}", "when", "else", END):
            if not self.accept(";"):
                found.append(self.statement())
                if self.kind not in ("when", "else") or self.kinds[self.position - 1] != ";":
                    self.separator()
        return found

    def statement(self, top: bool = False) -> ast.Stmt:
        """``Assign | Expr | If | For | Case | break | continue | return Expr | func ident (…) Block``"""
        kind, at = self.kind, self.at
        if kind == "if":
            return self.if_()
        if kind == "for":
            return self.for_()
        if kind == "case":
            return self.case()
        if kind == "return":
            self.position += 1
            if self.kind in (";", "}"):
                raise self.unexpected(
                    "a value behind `return`", "every function returns one: `return undefined`"
                )
            return ast.Return(self.expression(), at, self.last_end)
        if kind in ("break", "continue"):
            self.position += 1
            return ast.Jump("break" if kind == "break" else "continue", at, self.last_end)
        if kind == "func" and self.kinds[self.position + 1] == IDENT:
            if not top:
                raise self.wrong(
                    at,
                    "a function is declared inside another",
                    f"write {self.values[self.position + 1]} = func(…)",
                )
            self.position += 1
            name = self.name("behind `func`")
            function = self.function(at, name.name)
            return ast.Declare(name, function, at, self.last_end)
        if kind in ("import", "param"):
            raise self.wrong(at, f"`{kind}` inside a block", "move it to the top of the file")
        value = self.expression()
        if self.kind in ASSIGNMENTS:
            return self.assignment(value)
        return ast.ExprStmt(value, at, self.last_end)

    def assignment(self, target: ast.Expr) -> ast.Assign:
        """``ident|IndexExpr ("="|"+="|"-="|"*="|"/="|"%=") Expr``"""
        if not (
            isinstance(target, ast.Name)
            or (isinstance(target, ast.Path) and isinstance(target.steps[-1], ast.Index))
        ):
            hint = 'only a name, or an index such as x["key"], can be assigned to'
            if isinstance(target, ast.Path) and isinstance(target.steps[-1], ast.Select):
                hint = f'write …["{target.steps[-1].name}"]'
            raise self.wrong(target.at, "this cannot be assigned to", hint, target.end)
        operator = self.kind
        self.position += 1
        value = self.expression()
        if isinstance(target, ast.Name) and operator == "=" and isinstance(value, ast.Func | ast.Rule):
            value.name = target.name
        return ast.Assign(target, operator, value, target.at, self.last_end)

    def if_(self) -> ast.If:
        """``"if" Expr Block ["else" (If|Block)]``"""
        at = self.at
        branches: list[ast.Branch] = []
        otherwise = None
        while self.accept("if"):
            condition = self.expression()
            branches.append(ast.Branch(condition, self.block("behind the condition")))
            if not self.accept("else"):
                break
            if self.kind != "if":
                otherwise = self.block("or `if` behind `else`")
                break
        return ast.If(branches, otherwise, at, self.last_end)

    def for_(self) -> ast.For:
        """``"for" Expr "as" [ident ","] ident Block``"""
        at = self.expect("for", "")
        collection = self.expression()
        first, second = self.names()
        return ast.For(
            collection, first, second, self.block("behind the names of the loop"), at, self.last_end
        )

    def names(self) -> tuple[ast.Name | None, ast.Name]:
        """``"as" [ident ","] ident``"""
        self.expect("as", "behind the collection", "such as `all xs as x { … }`")
        name = self.name("behind `as`")
        return (name, self.name("behind the comma")) if self.accept(",") else (None, name)

    def case(self) -> ast.Case:
        """``"case" [Expr] "{" {"when" Expr{","Expr} ":" Stmts | "else" ":" Stmts} "}"``"""
        at = self.expect("case", "")
        subject = None if self.kind == "{" else self.expression()
        self.expect("{", "behind `case`")
        self.deeper()
        clauses: list[ast.Clause] = []
        while not self.accept("}"):
            start = self.at
            values: list[ast.Expr] = []
            if self.accept("else"):
                if any(not clause.values for clause in clauses):
                    raise self.wrong(start, "a second `else` in one `case`", "take one out", self.last_end)
            else:
                self.expect("when", "or `else` in `case`")
                values.append(self.expression())
                while self.accept(","):
                    values.append(self.expression())
            begin = self.expect(":", "behind the values of `when`" if values else "behind `else`")
            statements = self.statements()
            end = statements[-1].end if statements else begin + 1
            clauses.append(ast.Clause(values, ast.Block(statements, begin, end), start, end))
        self.depth -= 1
        return ast.Case(subject, clauses, at, self.last_end)

    # --- expressions

    def expression(self) -> ast.Expr:
        """Operators by their levels: ``or xor``, ``and``, comparisons, ``else``, ``+ -``, ``* / %``."""
        first = self.operand()
        if LEVELS.get(self.kinds[self.position], 0) == 0:
            return first
        operands = [first]
        operators: list[tuple[int, ast.Operator]] = []
        while True:
            kind = self.kinds[self.position]
            level = LEVELS.get(kind, 0)
            if level == 0 or (
                kind == "not" and self.kinds[self.position + 1] not in ("in", "contains", "matches")
            ):
                break
            operator = self.operator(kind)
            while operators and operators[-1][0] >= level:
                _join(operands, operators)
            operators.append((level, operator))
            operands.append(self.operand())
        while operators:
            _join(operands, operators)
        return operands[0]

    def operator(self, kind: str) -> ast.Operator:
        at = self.at
        self.position += 1
        if kind == "not":
            kind = f"not {self.kind}"
            self.position += 1
        elif kind == "is":
            kind = "!=" if self.accept("not") else "=="
        return ast.Operator(kind, at, self.last_end)

    def operand(self) -> ast.Expr:
        """``{"-"|"+"|"!"|"not"} Primary {Postfix} ["is" ["not"] ("empty"|"defined")]``"""
        signs: list[tuple[str, int]] = []
        depth = self.depth
        while self.kinds[self.position] in _SIGNS:
            self.deeper()
            signs.append((_SIGNS[self.kind], self.at))
            self.position += 1
        at = self.at
        expr = self.postfix(self.primary(), at)
        while self.kind == "is":
            negated = self.kinds[self.position + 1] == "not"
            what = self.position + (2 if negated else 1)
            if self.kinds[what] == "empty" or (self.kinds[what] == IDENT and self.values[what] == "defined"):
                self.position = what + 1
                self.deeper()
                expr = ast.Test(
                    expr, "empty" if self.kinds[what] == "empty" else "defined", negated, at, self.last_end
                )
            else:
                break
        for operator, start in reversed(signs):
            expr = ast.Unary(operator, expr, start, self.last_end)
        self.depth = depth
        return expr

    def postfix(self, head: ast.Expr, at: int) -> ast.Expr:
        """``{"." ident | "[" Expr "]" | "[" [Expr] ":" [Expr] "]" | "(" args ")"}``"""
        steps: list[ast.Step] = []
        while True:
            kind, start = self.kind, self.at
            if kind == ".":
                self.position += 1
                name = self.name("behind the dot")
                steps.append(ast.Select(name.name, name.at, name.end))
            elif kind == "[":
                self.position += 1
                steps.append(self.index(start))
            elif kind == "(":
                self.position += 1
                arguments = self.listed(")", "in the arguments of the call", self.expression)
                steps.append(ast.Call(arguments, start, self.last_end))
            else:
                return ast.Path(head, steps, at, self.last_end) if steps else head

    def index(self, at: int) -> ast.Index | ast.Slice:
        self.deeper()
        low = None if self.kind == ":" else self.expression()
        if self.accept(":"):
            high = None if self.kind == "]" else self.expression()
            self.expect("]", "at the end of the slice")
            step: ast.Index | ast.Slice = ast.Slice(low, high, at, self.last_end)
        else:
            assert low is not None
            self.expect("]", "at the end of the index")
            step = ast.Index(low, at, self.last_end)
        self.depth -= 1
        return step

    def listed(self, close: str, where: str, item: Callable[[], T]) -> list[T]:
        """Items with commas between them, and perhaps one behind the last, up to the closing bracket."""
        self.deeper()
        found: list[T] = []
        while self.kind != close:
            found.append(item())
            if not self.accept(","):
                break
        hint = ""
        if self.kind == ";" and self.values[self.position] == "\n":
            hint = f"put a comma at the end of the line, or `{close}` on it"
        self.expect(close, f"or ',' {where}", hint)
        self.depth -= 1
        return found

    def primary(self) -> ast.Expr:
        """``literal | ident | (Expr) | List | Map | func | rule | all | any | filter | map``"""
        kind, at = self.kinds[self.position], self.starts[self.position]
        if kind == IDENT:
            self.position += 1
            return ast.Name(self.values[self.position - 1], at, self.last_end)
        if kind in (STRING, INT, FLOAT):
            self.position += 1
            return ast.Constant(self.values[self.position - 1], at, self.last_end)
        if kind == "(":
            self.position += 1
            self.deeper()
            inner = self.expression()
            self.expect(")", "at the end of the parenthesis")
            self.depth -= 1
            return ast.Paren(inner, at, self.last_end)
        if kind == "[":
            self.position += 1
            items = self.listed("]", "in the list", self.expression)
            if at in self.documents:
                return ast.Constant(self.documents[at], at, self.last_end)
            return ast.List(items, at, self.last_end)
        if kind == "{":
            self.position += 1
            pairs = self.listed("}", "in the map", self.pair)
            if at in self.documents:
                return ast.Constant(self.documents[at], at, self.last_end)
            return ast.Map(pairs, at, self.last_end)
        if kind == "func":
            self.position += 1
            return self.function(at, "")
        if kind == "rule":
            return self.rule()
        if kind in _QUANTIFIERS:
            return self.quantifier()
        raise self.unexpected("an expression", self.why_none())

    def why_none(self) -> str:
        before = self.kinds[self.position - 1] if self.position else ""
        if self.kind == "=" and before in ("=", "!", "<", ">"):
            return "operators have no spaces in them"
        if self.kind == ";" and before in LEVELS:
            return "the right operand is missing"
        if self.kind == "else":
            return "`else` of an `if` stands on the line of the `}`"
        return ""

    def pair(self) -> tuple[ast.Expr, ast.Expr]:
        key = self.expression()
        self.expect(":", "behind the key of a map")
        return key, self.expression()

    def function(self, at: int, name: str) -> ast.Func:
        """``"(" [ident {"," ident}] ")" Block``"""
        self.expect("(", "behind `func`")
        parameters = self.listed(")", "in the parameters", lambda: self.name("in the parameters"))
        return ast.Func(name, parameters, self.block("behind the parameters"), at, self.last_end)

    def rule(self) -> ast.Rule:
        """``"rule" ["when" Expr] "{" Expr "}"``"""
        at = self.expect("rule", "")
        condition = self.expression() if self.accept("when") else None
        return ast.Rule("", condition, self.body("rule"), at, self.last_end)

    def quantifier(self) -> ast.Quantifier:
        """``("all"|"any"|"filter"|"map") Expr "as" [ident ","] ident "{" Expr "}"``"""
        at, kind = self.at, self.kind
        self.position += 1
        self.deeper()
        collection = self.expression()
        first, second = self.names()
        body = self.body(kind)
        self.depth -= 1
        of: dict[str, Literal["all", "any", "filter", "map"]] = {
            "all": "all", "any": "any", "filter": "filter", "map": "map",
        }  # fmt: skip
        return ast.Quantifier(of[kind], collection, first, second, body, at, self.last_end)

    def body(self, what: str) -> ast.Expr:
        """``"{" Expr "}"``"""
        self.expect("{", f"before the expression of `{what}`")
        self.deeper()
        expr = self.expression()
        while self.accept(";"):
            pass
        hint = f"`{what}` holds one expression; put an operator at the end of the line to continue it"
        self.expect("}", f"at the end of `{what}`", hint)
        self.depth -= 1
        return expr


def _join(operands: list[Any], operators: list[tuple[int, ast.Operator]]) -> None:
    """Apply the last operator to the last two operands."""
    level, operator = operators.pop()
    right = operands.pop()
    left = operands[-1]
    if isinstance(left, ast.Chain) and _level(left) == level:
        left.operators.append(operator)
        left.operands.append(right)
    else:
        operands[-1] = ast.Chain([left, right], [operator])


def _level(chain: ast.Chain) -> int:
    return LEVELS[chain.operators[0].name.split()[0]]
