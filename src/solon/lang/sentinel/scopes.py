"""Which scopes a file has, what each declares, and what of it is constant.

An assignment goes to the nearest scope around it that has declared the name already, and otherwise declares it in
its own: which of the two may only be known at run time. So every scope that an assignment to the name stands in
has a variable of it, and compiled code asks which of them has been set.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

from solon.lang.sentinel import ast
from solon.lang.sentinel.builtins import BUILTINS, CHANGING
from solon.lang.sentinel.operators import key
from solon.lang.sentinel.values import Failure, Undefined, Value, wrapped


class _NotConstant:
    __slots__ = ()


NOT_CONSTANT: Final = _NotConstant()
WORDS: Final[dict[str, Value]] = {"true": True, "false": False, "null": None}


@dataclass(slots=True, eq=False)
class Variable:
    """``fixed``: a parameter, or the name of a loop: set from the start. ``assigned`` is what may be assigned to it."""

    name: str
    scope: Scope
    number: int
    fixed: bool = False
    captured: bool = False  # by a function or rule inside of the one it belongs to
    holds_rule: bool = False
    read: bool = False
    asked: bool = False  # compiled code asks whether it is set
    assigned: list[ast.Expr | None] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Frame:
    """What becomes a Python function: the file, a function, a rule. ``free``: the variables from around it."""

    scope: Scope | None  # the one around it
    node: ast.Func | ast.Rule | None = None
    free: list[Variable] = field(default_factory=list)
    names: set[str] = field(default_factory=set)  # that are read in it


@dataclass(slots=True, eq=False)
class Scope:
    kind: Literal["file", "func", "loop"]
    parent: Scope | None
    frame: Frame
    variables: dict[str, Variable] = field(default_factory=dict)


class Scopes:
    """What is known of a file before it is compiled."""

    def __init__(self, file: ast.File) -> None:
        self.source = file
        self._folds = True
        self._walk_file()
        self.hides_words = not self._folds  # the file gives `true`, `null` or `undefined` another meaning
        if self.hides_words:
            self._walk_file()

    def _walk_file(self) -> None:
        self.scopes: dict[ast.Expr | ast.For, Scope] = {}  # of functions, quantifiers and loops
        self.frames: dict[ast.Func | ast.Rule, Frame] = {}
        self.constants: dict[ast.Expr, Value] = {}  # words, and literals of constants
        self.count = 0  # of variables
        self.changes = False  # whether the file changes any collection
        self.changes_foreign = False  # whether one of those may be another's
        self.changes_kept = False  # whether one of those outlives the function that changes it
        self.reads: list[tuple[ast.Name, Scope]] = []
        self._references: list[tuple[str, Scope]] = []
        self._changed: list[tuple[str, Scope]] = []
        self.file = Scope("file", None, Frame(None))
        for param in self.source.params:
            self._declare(param.name.name, self.file).assigned.append(None)
            if param.default is not None:
                self._expr(param.default, self.file)
        for statement in self.source.statements:
            self._statement(statement, self.file)
        self._resolve()

    # --- declaring

    def _declare(self, name: str, scope: Scope, *, fixed: bool = False) -> Variable:
        variable = scope.variables.get(name)
        if variable is None:
            variable = scope.variables[name] = Variable(name, scope, self.count, fixed=fixed)
            self.count += 1
        if name in WORDS or name == "undefined":
            self._folds = False
        return variable

    def _assign(self, name: str, scope: Scope, value: ast.Expr | None) -> None:
        variable = self._declare(name, scope)
        variable.assigned.append(value)
        self._references.append((name, scope))
        if isinstance(value, ast.Rule):
            variable.holds_rule = True

    def _resolve(self) -> None:
        """Which variables are captured, and what may be assigned to each."""
        for name, scope in self._references:
            frame = scope.frame
            at: Scope | None = scope
            while at is not None and at.kind != "file":
                variable = at.variables.get(name)
                if variable is not None:
                    variable.read = True
                    if at.frame is not frame:
                        self._capture(variable, frame)
                    if variable.fixed:
                        break
                at = at.parent
        for scope in [*self.scopes.values(), self.file]:
            for variable in scope.variables.values():
                around = scope.parent
                while around is not None:
                    other = around.variables.get(variable.name)
                    if other is not None:
                        other.assigned += variable.assigned
                        other.holds_rule = other.holds_rule or variable.holds_rule
                    around = around.parent
        for name, scope in self._changed:
            self.changes = True
            self.changes_foreign = self.changes_foreign or not self._is_own(name, scope)
            self.changes_kept = self.changes_kept or self._is_kept(name, scope)

    def _capture(self, variable: Variable, frame: Frame) -> None:
        """The variable is passed to the frame, through those between."""
        variable.captured = True
        while frame is not variable.scope.frame:
            if variable not in frame.free:
                frame.free.append(variable)
            assert frame.scope is not None
            frame = frame.scope.frame

    def _is_own(self, name: str, scope: Scope) -> bool:
        """Whether what a name stands for has been made by this file."""
        at: Scope | None = scope
        found = False
        while at is not None:
            variable = at.variables.get(name)
            if variable is not None:
                if variable.fixed or not all(map(self._is_fresh, variable.assigned)):
                    return False
                found = True
            at = at.parent
        return found

    def _is_kept(self, name: str, scope: Scope) -> bool:
        """Whether what a name stands for is known outside of the function, too."""
        at: Scope | None = scope
        while at is not None:
            variable = at.variables.get(name)
            if variable is not None and (variable.captured or at.kind == "file"):
                return True
            at = at.parent
        return False

    def _is_fresh(self, value: ast.Expr | None) -> bool:
        match value:
            case ast.List() | ast.Map() | ast.Constant():
                return True
            case ast.Quantifier():
                return True
            case ast.Chain():
                return value.operators[0].name != "else"
            case ast.Path(ast.Name(name), [ast.Call()]):
                return name in BUILTINS and name not in self.file.variables
        return False

    # --- walking

    def _statement(self, node: ast.Stmt, scope: Scope) -> None:
        match node:
            case ast.Assign():
                self._expr(node.value, scope)
                self._assignment(node, scope)
            case ast.Declare():
                self._assign(node.name.name, scope, node.function)
                self._expr(node.function, scope)
            case ast.ExprStmt() | ast.Return():
                self._expr(node.value, scope)
            case ast.If():
                for branch in node.branches:
                    self._expr(branch.condition, scope)
                    self._block(branch.body, scope)
                if node.otherwise is not None:
                    self._block(node.otherwise, scope)
            case ast.For():
                self._expr(node.collection, scope)
                self._block(node.body, self._loop(node, scope))
            case ast.Case():
                if node.subject is not None:
                    self._expr(node.subject, scope)
                for clause in node.clauses:
                    for value in clause.values:
                        self._expr(value, scope)
                    self._block(clause.body, scope)

    def _block(self, block: ast.Block, scope: Scope) -> None:
        for statement in block.statements:
            self._statement(statement, scope)

    def _assignment(self, node: ast.Assign, scope: Scope) -> None:
        target = node.target
        if isinstance(target, ast.Name):
            self._assign(target.name, scope, node.value)
            if node.operator != "=":
                scope.variables[target.name].assigned.pop()
                if node.operator == "+=" and not _is_text_or_number(node.value):
                    self._changed.append((target.name, scope))
            return
        self._expr(target, scope)
        if isinstance(target.head, ast.Name) and len(target.steps) == 1:
            self._changed.append((target.head.name, scope))
        else:
            self._changed.append(("", scope))

    def _loop(self, node: ast.For | ast.Quantifier, scope: Scope) -> Scope:
        inside = self.scopes[node] = Scope("loop", scope, scope.frame)
        for name in (node.first, node.second):
            if name is not None:
                self._declare(name.name, inside, fixed=True)
        return inside

    def _expr(self, node: ast.Expr, scope: Scope) -> Value:
        """Walk an expression; gives its value where that is constant."""
        value: Value = NOT_CONSTANT
        match node:
            case ast.Constant():
                value = wrapped(node.value) if type(node.value) is int else node.value
            case ast.Name():
                value = self._name(node, scope)
            case ast.Paren():
                value = self._expr(node.inner, scope)
            case ast.List():
                items = [self._expr(item, scope) for item in node.items]
                value = NOT_CONSTANT if NOT_CONSTANT in items else items
            case ast.Map():
                value = self._map(node, scope)
            case ast.Unary():
                operand = self._expr(node.operand, scope)
                if node.operator == "-" and type(operand) in (int, float):
                    value = wrapped(-operand) if type(operand) is int else -operand
            case ast.Path():
                self._path(node, scope)
            case ast.Test():
                self._expr(node.operand, scope)
            case ast.Chain():
                for each in node.operands:
                    self._expr(each, scope)
            case ast.Quantifier():
                self._expr(node.collection, scope)
                self._expr(node.body, self._loop(node, scope))
            case ast.Func():
                self._func(node, scope)
            case ast.Rule():
                self._rule(node, scope)
        if value is not NOT_CONSTANT:
            self.constants[node] = value
        return value

    def _name(self, node: ast.Name, scope: Scope) -> Value:
        if self._folds:
            if node.name in WORDS:
                return WORDS[node.name]
            if node.name == "undefined":
                return Undefined("undefined is written here", self.source.span(node.at, node.end))
        self.reads.append((node, scope))
        self._references.append((node.name, scope))
        scope.frame.names.add(node.name)
        if node.name in CHANGING:
            self._changed.append(("", scope))
        return NOT_CONSTANT

    def _map(self, node: ast.Map, scope: Scope) -> Value:
        pairs = [(self._expr(name, scope), self._expr(value, scope)) for name, value in node.pairs]
        if any(name is NOT_CONSTANT or value is NOT_CONSTANT for name, value in pairs):
            return NOT_CONSTANT
        try:
            return {key(name): value for name, value in pairs}
        except Failure:
            return NOT_CONSTANT

    def _path(self, node: ast.Path, scope: Scope) -> None:
        step = node.steps[0]
        if isinstance(node.head, ast.Name) and isinstance(step, ast.Call) and node.head.name in CHANGING:
            # `append(xs, …)` changes what xs stands for; `append` itself goes nowhere else.
            target = ast.inner(step.arguments[0]) if step.arguments else None
            self._changed.append((target.name if isinstance(target, ast.Name) else "", scope))
            self._references.append((node.head.name, scope))
            scope.frame.names.add(node.head.name)
        else:
            self._expr(node.head, scope)
        for each in node.steps:
            match each:
                case ast.Index():
                    self._expr(each.index, scope)
                case ast.Slice():
                    for bound in (each.low, each.high):
                        if bound is not None:
                            self._expr(bound, scope)
                case ast.Call():
                    for argument in each.arguments:
                        self._expr(argument, scope)

    def _func(self, node: ast.Func, scope: Scope) -> None:
        frame = self.frames[node] = Frame(scope, node)
        inside = self.scopes[node] = Scope("func", scope, frame)
        for parameter in node.parameters:
            self._declare(parameter.name, inside, fixed=True)
        self._block(node.body, inside)

    def _rule(self, node: ast.Rule, scope: Scope) -> None:
        frame = self.frames[node] = Frame(scope, node)
        # A scope of its own, which declares nothing: names are looked for from inside of the frame.
        inside = self.scopes[node] = Scope("func", scope, frame)
        if node.condition is not None:
            self._expr(node.condition, inside)
        self._expr(node.body, inside)


def _is_text_or_number(node: ast.Expr) -> bool:
    """Whether a value is certainly no list."""
    match ast.inner(node):
        case ast.Constant():
            return True
        case ast.Chain() as chain:
            return any(_is_text_or_number(each) for each in chain.operands)
        case ast.Path(ast.Name(name), [ast.Call()]):
            return name in ("string", "int", "float", "length")
    return False
