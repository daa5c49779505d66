"""The writing of one Python function: its lines, what its names hold, and when it gives up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from solon.lang.emit import Function
from solon.lang.rego import ast

if TYPE_CHECKING:
    from solon.lang.rego.compile import Compiler

MAX_LOOPS: Final = 16  # in one function; CPython allows 20 nested loops and other blocks


@dataclass(frozen=True, slots=True)
class Sought:
    """Only elements that have, at each path, the value of the Python expression beside it matter."""

    paths: tuple[tuple[str, ...], ...]
    values: tuple[str, ...]

    def below(self, names: Sequence[str]) -> Sought:
        """The same for what holds the elements at a path."""
        return Sought(tuple((*names, *path) for path in self.paths), self.values)


def key_of_any(name: str) -> str:
    """A Python expression for the key that stands for a value of which nothing is known."""
    return f"{name} if type({name}) is str else key({name})"


def read(function: Function, name: str, base: str, fields: Iterable[str], otherwise: str) -> None:
    """Write ``name = base.a.b``; ``otherwise`` is what to do where something on the way has no fields."""
    with function.block("try:"):
        function.add(f"{name} = {base}{''.join(f'.get({field}, U)' for field in fields)}")
    with function.block("except AttributeError:"):
        function.add(otherwise)


class Emitter:
    """Writes one Python function; the classes above it know references, calls and bodies."""

    def __init__(
        self,
        compiler: Compiler,
        module: ast.Module,
        function: Function,
        environment: dict[str, str],
        failure: str,
    ) -> None:
        self.compiler = compiler
        self.unit = compiler.unit
        self.module = module
        self.function = function
        self.environment = environment  # variable -> Python expression
        self.failure = failure  # the statement that gives up, outside of any loop
        self.loops = 0
        self.ordered = False  # whether objects and sets are visited in order: what is built is an array
        self.state = "s"
        self.known: dict[tuple[object, ...], str] = {}  # what has been read -> the name that holds it
        self.rest: Sequence[ast.Expr] = ()  # the expressions of the body that are still to be written
        self.sought: Sought | None = None  # what the next loop's elements will be compared with
        self.based: dict[
            str, str
        ] = {}  # names of what was read of the base documents -> the first name there
        self.kinds: dict[str, type] = {}  # name -> the type of what it holds, where that is certain
        self.defined: set[str] = set()  # names that were read and found not to be U

    def fail(self) -> str:
        return "continue" if self.loops else self.failure

    def guard(self, condition: str) -> None:
        """Give up where the condition holds."""
        with self.function.block(f"if {condition}:"):
            self.function.add(self.fail())

    def needs(self, name: str) -> None:
        """Give up where a name holds U; tested once."""
        if name not in self.defined and name not in self.kinds:
            self.defined.add(name)
            self.guard(f"{name} is U")

    def needs_truth(self, name: str) -> None:
        """Give up where a name holds false."""
        kind = self.kinds.get(name)
        if kind is bool:
            self.guard(f"not {name}")
        elif kind is None:
            self.guard(f"{name} is False")

    def assign(self, expression: str, kind: type | None = None) -> str:
        name = self.unit.fresh("v")
        self.function.add(f"{name} = {expression}")
        if kind is not None:
            self.kinds[name] = kind
        return name

    def loop(self, header: str) -> None:
        if self.loops and self.loops % MAX_LOOPS == 0:
            self.function.begin_part()
        self.function.open(header)
        self.loops += 1

    def at(self, at: int, length: int = 1) -> None:
        """What is written from here on comes from this place of the policy."""
        module = self.module
        self.function.origin = lambda: module.span(at, length)

    def visit(self, how: str) -> str:
        """The function of the runtime that iterates: ``values``, ``items``, ``walk``, ``keys``."""
        return f"ordered_{how}" if self.ordered else how

    def site(self, what: str) -> int:
        return self.compiler.site(what, self.function.origin)

    def is_mocked(self, function: str) -> bool:
        return function in self.compiler.mocked_functions

    def key_of(self, name: str) -> str:
        """A Python expression for the key that stands for a value."""
        kind = self.kinds.get(name)
        if kind is None:
            return key_of_any(name)
        return name if kind in (str, int, float, type(None)) else f"Key({name})"

    def value(self, term: ast.Term) -> str:
        """A Python expression (a name or constant) for the term's value; gives up where it is undefined."""
        raise NotImplementedError

    def unify(self, pattern: ast.Term, value: str) -> None:
        """Match a value that a Python expression holds."""
        raise NotImplementedError
