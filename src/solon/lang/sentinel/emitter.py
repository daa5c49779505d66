"""Writing one Python function: names, variables, and what is known of values.

A value is an atom: the name of a temporary, a variable or a constant. Of some atoms it is known what type they have
(``kind``), and that they are not undefined (``sure``).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from solon.lang.emit import Function
from solon.lang.sentinel import ast
from solon.lang.sentinel.builtins import BUILTINS
from solon.lang.sentinel.errors import CHECK_ERROR, SentinelError
from solon.lang.sentinel.scopes import Frame, Scope, Variable
from solon.lang.sentinel.values import Undefined, Value
from solon.lang.source import Diagnostic

if TYPE_CHECKING:
    from solon.lang.sentinel.compile import Compiler

DEEPEST: Final = 90  # levels of indentation; Python takes 100
MOST_LOOPS: Final = 16  # in one another; Python takes 20 blocks


Node = ast.Expr | ast.Stmt | ast.Step | ast.Operator | ast.Import | ast.Param


class Info(NamedTuple):
    kind: str = ""  # str, int, float, bool, list, dict, None or nothing
    sure: bool = False


UNKNOWN: Final = Info()
BOOL: Final = Info("bool")
SURE_BOOL: Final = Info("bool", True)


class Emitter:
    """What the parts of a compiled function have in common."""

    def __init__(self, compiler: Compiler, function: Function, frame: Frame, scope: Scope) -> None:
        self.compiler = compiler
        self.unit = compiler.unit
        self.function = function
        self.frame = frame
        self.scope = scope
        self.known: set[Variable] = set()  # variables that are certainly set here
        self.infos: dict[str, Info] = {}
        self.count = 0
        self.loops = 0
        self.uses_run = False

    # --- writing

    def at(self, node: Node, start: int | None = None) -> None:
        """What is written from here on comes from this place of the policy."""
        file, begin = self.compiler.file, node.at if start is None else start
        end = node.end
        self.function.origin = lambda: file.span(begin, end)

    def add(self, text: str) -> None:
        self.function.add(text)

    @contextmanager
    def block(self, header: str) -> Iterator[None]:
        """What is written inside may not be run: what it finds out is forgotten behind it."""
        if self.function.depth > DEEPEST:
            self.refuse("nested too deeply")
        known = self.known
        self.known = set(known)
        with self.function.block(header):
            yield
        self.known = known

    def guard(self, mark: int, header: str) -> None:
        """Put the lines from ``mark`` on into a block."""
        function = self.function
        lines = function.lines
        for number in range(mark, len(lines)):
            depth, text, origin = lines[number]
            if depth > DEEPEST:
                self.refuse("nested too deeply")
            lines[number] = (depth + 1, text, origin)
        lines.insert(mark, (function.depth, header, function.origin))

    def refuse(self, message: str) -> None:
        origin = self.function.origin
        assert origin is not None
        hint = "make parts of it functions or rules of their own"
        file = self.compiler.file
        raise SentinelError([Diagnostic(CHECK_ERROR, message, origin(), hint)], {file.name: file.text})

    def temporary(self, value: str, info: Info = UNKNOWN) -> str:
        """A new name for the value of a Python expression."""
        name = self.fresh(info)
        self.add(f"{name} = {value}")
        return name

    def fresh(self, info: Info = UNKNOWN) -> str:
        name = f"v{self.count}"
        self.count += 1
        if info is not UNKNOWN:
            self.infos[name] = info
        return name

    def info(self, atom: str) -> Info:
        return self.infos.get(atom, UNKNOWN)

    def constant(self, value: Value) -> str:
        name = self.unit.constant(value)
        kind = type(value)
        if kind is not Undefined:
            self.infos[name] = Info("None" if value is None else kind.__name__, True)
        return name

    def missing(self, why: str, node: ast.Step | ast.Expr) -> str:
        """The name of what is undefined at a place."""
        return self.unit.named("U", Undefined(why, self.compiler.file.span(node.at, node.end)))

    def place(self, node: ast.Expr | ast.Step | ast.Operator, start: int | None = None) -> str:
        """The name of the place of an expression."""
        begin = node.at if start is None else start
        return self.unit.named("S", self.compiler.file.span(begin, node.end))

    @property
    def run(self) -> str:
        """The name of the run."""
        self.uses_run = True
        return "s"

    # --- variables

    def text_of(self, variable: Variable) -> str:
        if variable.scope.kind == "file":
            return f"g[{self.compiler.slot(variable)}]"
        return f"c{variable.number}[0]" if variable.captured else f"x{variable.number}"

    def candidates(self, name: str) -> tuple[list[Variable], bool]:
        """The variables that a name may stand for, the innermost first; whether the last one is certainly set."""
        found: list[Variable] = []
        scope: Scope | None = self.scope
        while scope is not None:
            variable = scope.variables.get(name)
            if variable is not None:
                found.append(variable)
                if variable.fixed or variable in self.known:
                    return found, True
            scope = scope.parent
        return found, False

    def otherwise(self, name: str) -> str | None:
        """What a name stands for where there is no variable of it."""
        compiler = self.compiler
        if name in compiler.imports:
            return f"import_value({self.run}, g[{compiler.imports[name]}])"
        words: dict[str, Any] = {"true": True, "false": False, "null": None}
        if name in words:
            return str(words[name])
        if name == "undefined":
            return "UNDEFINED"
        if name in BUILTINS:
            return compiler.builtin_function(name)
        return None

    def read(self, node: ast.Name) -> str:
        """An atom for what a name stands for."""
        name = node.name
        found, certain = self.candidates(name)
        if certain and len(found) == 1:
            return self._value_of(found[0])
        other = None if certain else self.otherwise(name)
        if not found and other is None:
            found = [self.compiler.external(name)]
        self.at(node)
        if not found:
            assert other is not None
            return self.temporary(other)
        first, *rest = found
        first.asked = True
        atom = self.temporary(self.text_of(first))
        self.took(atom, first)
        rules = first.holds_rule
        for variable in rest:
            rules = rules or variable.holds_rule
            variable.asked = True
            with self.function.block(f"if {atom} is UNSET:"):
                self.add(f"{atom} = {self.text_of(variable)}")
                self.took(atom, variable)
        if not certain:
            with self.function.block(f"if {atom} is UNSET:"):
                shown = self.unit.constant(name)
                self.add(f"unknown({shown})" if other is None else f"{atom} = {other}")
            if len(found) == 1 and other is None:
                self.known.add(first)
        if rules:
            self.force(atom)
        return atom

    def force(self, atom: str) -> None:
        with self.function.block(f"if type({atom}) is Rule:"):
            self.add(f"{atom} = force({atom})")

    def _value_of(self, variable: Variable) -> str:
        """An atom for a variable that is set."""
        text = self.text_of(variable)
        if text.startswith("x") and not variable.holds_rule:
            return text  # a local of Python cannot change before it is used; the others might, through a call
        atom = self.temporary(text)
        self.took(atom, variable)
        if variable.holds_rule:
            self.force(atom)
        return atom

    def took(self, atom: str, variable: Variable) -> None:
        """An atom has been given the value of a variable."""

    def store(self, variable: Variable, value: str) -> None:
        self.add(f"{self.text_of(variable)} = {value}")

    def move(self, name: str, atom: str) -> None:
        """Put the value of an atom into a name."""
        self.add(f"{name} = {atom}")

    def begin(self, variable: Variable) -> str:
        """How a variable begins to be; nothing where there is nothing to do."""
        if variable.captured:
            return f"c{variable.number} = [{f'x{variable.number}' if variable.fixed else 'UNSET'}]"
        return f"x{variable.number} = UNSET" if variable.asked and not variable.fixed else ""

    def write(self, name: str, value: str) -> None:
        """Assign the value of an atom to a name."""
        found, certain = self.candidates(name)
        own, *others = found
        if not others:
            self.store(own, value)
            self.known.add(own)
            return
        last = others.pop() if certain else own
        word = "if"
        for each in [own, *others]:
            each.asked = True
            with self.function.block(f"{word} {self.text_of(each)} is not UNSET:"):
                self.store(each, value)
            word = "elif"
        with self.function.block("else:"):
            self.store(last, value)

    @contextmanager
    def inside(self, scope: Scope) -> Iterator[None]:
        """What is written inside belongs to a scope: its variables begin there."""
        around, self.scope = self.scope, scope
        known = set(self.known)
        for name, variable in list(scope.variables.items()):
            if variable.fixed:
                self.known.add(variable)
                start = self.begin(variable)
                if start:
                    self.add(start)
            elif not variable.captured and scope.kind == "loop":
                # Where a scope around has the name already, assignments here go there.
                self.scope = around
                if scope.parent is around and self.candidates(name)[1] and len(self.candidates(name)[0]) == 1:
                    del scope.variables[name]
                self.scope = scope
        function = self.function
        mark, depth = len(function.lines), function.depth
        yield
        for variable in scope.variables.values():
            start = "" if variable.fixed else self.begin(variable)
            if start:
                function.lines.insert(mark, (depth, start, None))
        self.scope = around
        self.known = known if scope.kind == "loop" else self.known
