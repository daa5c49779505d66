"""What is wrong with a file whatever it is evaluated with."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from solon.lang.sentinel import ast
from solon.lang.sentinel.builtins import BUILTINS
from solon.lang.sentinel.errors import CHECK_ERROR, SentinelError
from solon.lang.sentinel.lexer import KEYWORDS
from solon.lang.sentinel.scopes import WORDS, Scope, Scopes
from solon.lang.source import Diagnostic

UNDECLARED = "sentinel_undeclared"


def check(file: ast.File, known: Collection[str] | None = None) -> None:
    """Raise SentinelError where there are errors. ``known`` are the imports there are, None: anything may be."""
    errors = diagnose(file, known)
    if errors:
        raise SentinelError(errors, {file.name: file.text})


def diagnose(file: ast.File, known: Collection[str] | None = None) -> list[Diagnostic]:
    """Every error of a file that parses, in order of place."""
    checker = _Checker(file)
    checker.imports(known)
    checker.params()
    checker.block(file.statements, in_function=False, in_loop=False)
    return sorted(checker.errors, key=lambda error: (error.span.row, error.span.column))


def undeclared(file: ast.File, globals: Collection[str] = ()) -> list[Diagnostic]:
    """Names that nothing declares, other than ``globals``: reading one is an error when the policy runs."""
    scopes = Scopes(file)
    given = (
        {each.name for each in file.imports} | BUILTINS.keys() | WORDS.keys() | {"undefined"} | set(globals)
    )
    return [
        Diagnostic(
            UNDECLARED, f"nothing declares {node.name}", file.span(node.at, node.end),
            "the policy fails where it reads this; declare it, or pass it as a global",
        )
        for node, scope in scopes.reads
        if node.name not in given and not _is_declared(node.name, scope)
    ]  # fmt: skip


def _is_declared(name: str, scope: Scope | None) -> bool:
    while scope is not None:
        if name in scope.variables:
            return True
        scope = scope.parent
    return False


class _Checker:
    def __init__(self, file: ast.File) -> None:
        self.file = file
        self.errors: list[Diagnostic] = []
        self.fixed = {each.name: "an import" for each in file.imports}
        self.shadowed = {name.name for name in _declared(file.statements)} | {
            p.name.name for p in file.params
        }

    def error(self, message: str, node: Any, hint: str = "") -> None:
        span = self.file.span(node.at, node.end)
        self.errors.append(Diagnostic(CHECK_ERROR, message, span, hint))

    # --- the top of a file

    def imports(self, known: Collection[str] | None) -> None:
        paths: dict[str, str] = {}  # name -> what it stands for
        for each in self.file.imports:
            if known is not None and each.path not in known and each.path.split("/")[0] not in known:
                self.error(f'there is no import "{each.path}"', each)
            elif each.alias is None and (not each.path.isidentifier() or each.path in KEYWORDS):
                alias = each.path.split("/")[0]
                hint = f'such as: import "{each.path}" as {alias if alias.isidentifier() else "name"}'
                self.error(f'"{each.path}" is no name: the import needs an alias', each, hint)
            elif paths.setdefault(each.name, each.path) != each.path:
                self.error(f"two imports are called {each.name}", each, "give one of them another alias")

    def params(self) -> None:
        names: set[str] = set()
        for param in self.file.params:
            name = param.name.name
            if name in names:
                self.error(f"the param {name} is declared twice", param, "take one of them out")
            elif name in self.fixed:
                self.error(
                    f"the param {name} has the name of an import", param, "give one of them another name"
                )
            names.add(name)
            if param.default is not None and not _is_literal(param.default):
                self.error(
                    f"the default of the param {name} must be a literal", param.default,
                    "a number, string, bool, or a list or map of them",
                )  # fmt: skip

    # --- statements

    def block(self, statements: Sequence[ast.Stmt], *, in_function: bool, in_loop: bool) -> None:
        for statement in statements:
            self.statement(statement, in_function, in_loop)

    def statement(self, node: ast.Stmt, in_function: bool, in_loop: bool) -> None:
        match node:
            case ast.Declare():
                self.declare(node)
            case ast.Assign(target=ast.Name() as target) if not in_function and target.name in self.fixed:
                what = self.fixed[target.name]
                self.error(f"{target.name} is {what}: it cannot be assigned to", target, "use another name")
            case ast.Return() if not in_function:
                self.error("`return` outside of a function", node, "a policy is judged by its `main`")
            case ast.Jump() if not in_loop:
                self.error(f"`{node.kind}` outside of a loop", node, "it stands in the body of a `for`")
        used = not isinstance(node, ast.ExprStmt)
        for part in ast.parts(node):
            self.part(part, in_function, in_loop or isinstance(node, ast.For), used)

    def part(self, node: Any, in_function: bool, in_loop: bool, used: bool) -> None:
        match node:
            case ast.Block():
                self.block(node.statements, in_function=in_function, in_loop=in_loop)
            case ast.Branch() | ast.Clause():
                for each in ast.parts(node):
                    self.part(each, in_function, in_loop, used=True)
            case _:
                self.expression(node, used)

    def declare(self, node: ast.Declare) -> None:
        name = node.name.name
        if name in self.fixed:
            self.error(f"{name} is {self.fixed[name]} already", node.name, "give the function another name")
        self.fixed[name] = "a function"

    def expression(self, node: Any, used: bool) -> None:
        """Everything in an expression; ``used``: something is done with its value."""
        ahead = [(node, used)]
        while ahead:
            at, used = ahead.pop()
            if isinstance(at, ast.Func):
                self.function(at)
                continue
            if used and isinstance(at, ast.Path) and "append" not in self.shadowed:
                self.appending(at)
            ahead += [(each, True) for each in ast.parts(at)]

    def appending(self, node: ast.Path) -> None:
        if (
            isinstance(node.head, ast.Name)
            and node.head.name == "append"
            and isinstance(node.steps[0], ast.Call)
        ):
            self.error(
                "append has no result", node, "it changes its list: write it as a statement of its own"
            )

    def function(self, node: ast.Func) -> None:
        names: set[str] = set()
        for parameter in node.parameters:
            if parameter.name in names:
                self.error(f"two parameters are called {parameter.name}", parameter)
            names.add(parameter.name)
        self.block(node.body.statements, in_function=True, in_loop=False)
        if not _ends(node.body):
            place = ast.Jump("break", node.body.end - 1, node.body.end)
            self.error("the function may end without `return`", place, "every way through it returns a value")


def _ends(block: ast.Block) -> bool:
    """Whether every way through a block ends in ``return``."""
    last = block.statements[-1] if block.statements else None
    match last:
        case ast.Return():
            return True
        case ast.If():
            branches = all(_ends(branch.body) for branch in last.branches)
            return branches and last.otherwise is not None and _ends(last.otherwise)
        case ast.Case():
            has_else = any(not clause.values for clause in last.clauses)
            return has_else and all(_ends(clause.body) for clause in last.clauses)
    return False


def _declared(statements: Sequence[ast.Stmt]) -> Iterator[ast.Name]:
    """The names that statements of the file assign to."""
    for node in statements:
        if isinstance(node, ast.Assign) and isinstance(node.target, ast.Name):
            yield node.target
        elif isinstance(node, ast.Declare):
            yield node.name


def _is_literal(node: ast.Expr) -> bool:
    match node:
        case ast.Constant():
            return True
        case ast.Name():
            return node.name in WORDS or node.name == "undefined"
        case ast.Unary():
            return node.operator in "+-" and isinstance(node.operand, ast.Constant)
        case ast.List():
            return all(map(_is_literal, node.items))
        case ast.Map():
            return all(_is_literal(key) and _is_literal(value) for key, value in node.pairs)
    return False
