"""A file to Python functions.

``f0(g)`` runs the statements of the file; each function of the policy becomes ``fN(g, cells…, arguments…)``, each
rule ``rN(g, cells…)``. Variables of the file are in ``g``, others are locals of Python, or a cell (a list of one)
where a function or rule inside of the function uses them too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import partial
from typing import Any, Final

from solon.lang.emit import Unit
from solon.lang.sentinel import ast, joins, operators, runtime
from solon.lang.sentinel.body import Body
from solon.lang.sentinel.builtins import BUILTINS, Builtin, length
from solon.lang.sentinel.scopes import Scope, Scopes, Variable
from solon.lang.sentinel.values import BoolKey, Undefined
from solon.lang.sentinel.values import Function as FunctionValue

NAMESPACE: Final[dict[str, Any]] = {
    "__builtins__": {"AttributeError": AttributeError, "dict": dict, "len": len, "list": list, "str": str, "int": int,
                     "bool": bool, "type": type},
    "BoolKey": BoolKey,
    "Function": FunctionValue,
    "NUMBERS": operators.NUMBERS,
    "Rule": runtime.Rule,
    "UNDEFINED": Undefined("undefined is written in the policy"),
    "UNSET": runtime.UNSET,
    "Undefined": Undefined,
    "length": length,
    "matching": joins.matching,
    "soft": joins.soft,
    **{name: getattr(operators, name) for name in (
        "add", "add_in_place", "as_value", "contains", "cut", "different", "divide", "equal", "exclusive", "greater",
        "greater_equal", "index", "is_empty", "key", "lacks", "less", "less_equal", "matches", "mismatches",
        "multiply", "negation", "negative", "not_condition", "not_empty", "not_logical", "positive", "put",
        "remainder", "select", "subtract", "unknown",
    )},
    **{name: getattr(runtime, name) for name in (
        "call", "copied", "descend", "elements", "entries", "force", "func", "import_value", "miscounted",
        "no_param", "not_iterable", "opened", "without",
    )},
}  # fmt: skip


class Compiler:
    """Writes the functions of a file into a Unit."""

    def __init__(self, file: ast.File, scopes: Scopes, body: type[Body] = Body) -> None:
        self.file = file
        self.scopes = scopes
        self.unit = Unit(file.name)
        self.titles: dict[str, str] = {}  # Python function -> what it is in the policy
        self.functions: dict[ast.Func, str] = {}
        self.body = body
        self._slots: dict[Variable, int] = {}
        self.blank: list[Any] = [None]  # what g is at first
        self.imports: dict[str, int] = {}
        self.exports: dict[str, int] = {}
        self.companions: dict[str, int] = {}
        self.loops = _loops(scopes)
        for each in file.imports:
            self.imports[each.name] = len(self.blank)
            self.blank.append(runtime.UNSET)
        for variable in scopes.file.variables.values():
            self.slot(variable)

    def compile(self) -> None:
        function = self.unit.function("f0", ["g"])
        self.unit.fresh("f")
        self.titles["f0"] = ""
        self.body(self, function, self.scopes.file.frame, self.scopes.file).whole_file()

    # --- what bodies ask for

    def slot(self, variable: Variable) -> int:
        """Where a variable of the file stands in g."""
        number = self._slots.get(variable)
        if number is None:
            number = self._slots[variable] = self.exports[variable.name] = len(self.blank)
            self.blank.append(runtime.UNSET)
        return number

    def companion(self, variable: Variable) -> int:
        """Where the reasons of a variable of the file stand in g."""
        number = self.companions.get(variable.name)
        if number is None:
            number = self.companions[variable.name] = len(self.blank)
            self.blank.append(())
        return number

    def external(self, name: str) -> Variable:
        """The variable of a name that the file declares nowhere: a global from outside, if any."""
        variable = self.scopes.file.variables.get(name)
        if variable is None:
            variable = self.scopes.file.variables[name] = Variable(name, self.scopes.file, -1)
            self.slot(variable)
        return variable

    def sole_function(self, name: str, scope: Scope) -> tuple[ast.Func, Variable] | None:
        """The function that a name stands for, where nothing else is ever assigned to it."""
        at: Scope | None = scope
        while at is not None and at.kind != "file":
            if name in at.variables:
                return None
            at = at.parent
        variable = self.scopes.file.variables.get(name)
        if variable is None or len(variable.assigned) != 1:
            return None
        value = variable.assigned[0]
        if not isinstance(value, ast.Func) or self.scopes.frames[value].scope is not self.scopes.file:
            return None
        return value, variable

    def function_name(self, node: ast.Func) -> str:
        """The Python function that a function becomes."""
        name = self.functions.get(node)
        if name is None:
            name = self.functions[node] = self.unit.fresh("f")
            self.titles[name] = node.name or "func"
        return name

    def func(self, node: ast.Func) -> str:
        """Write a function; gives its name."""
        name = self.function_name(node)
        frame, scope = self.scopes.frames[node], self.scopes.scopes[node]
        cells = [f"c{variable.number}" for variable in frame.free]
        given = [f"x{scope.variables[each.name].number}" for each in node.parameters]
        function = self.unit.function(name, ["g", *cells, *given])
        self.body(self, function, frame, scope).function_body(node)
        return name

    def rule(self, node: ast.Rule) -> str:
        """Write a rule; gives its name."""
        name = self.unit.fresh("r")
        self.titles[name] = f"rule {node.name}".rstrip()
        frame, scope = self.scopes.frames[node], self.scopes.scopes[node]
        function = self.unit.function(name, ["g", *(f"c{variable.number}" for variable in frame.free)])
        self.body(self, function, frame, scope).rule_body(node)
        return name

    def builtin(self, builtin: Builtin) -> str:
        return self.unit.shared("B", builtin.name, builtin.run)

    def builtin_function(self, name: str) -> str:
        """A Python expression for a built-in function as a value."""
        builtin = BUILTINS[name]
        run = self.builtin(builtin)
        made = self.unit.shared("M", f"builtin {name}", _as_value(builtin))
        return f"{made}({run}, g)"

    def is_recursive(self, node: ast.Func) -> bool:
        return node.name in self.loops


def _as_value(builtin: Builtin) -> Any:
    """Makes a built-in function a value, for one evaluation."""

    def make(run: Any, g: Any) -> FunctionValue:
        if builtin.needs:
            run = partial(run, g[0] if builtin.needs == "run" else None)
        return FunctionValue(builtin.name, run, builtin.least, builtin.most)

    return make


def _loops(scopes: Scopes) -> frozenset[str]:
    """The names of functions that may come to call themselves."""
    uses: dict[str, set[str]] = {}
    for node, frame in scopes.frames.items():
        # What a rule or function inside of a function uses, the function uses.
        owner: ast.Func | ast.Rule | None = node
        while owner is not None:
            if isinstance(owner, ast.Func) and owner.name:
                uses.setdefault(owner.name, set()).update(frame.names)
            around = scopes.frames[owner].scope
            owner = None if around is None else around.frame.node
    return frozenset(_in_circles({name: names & uses.keys() for name, names in uses.items()}))


def _in_circles(graph: Mapping[str, Collection[str]]) -> Iterator[str]:
    """The nodes of a graph that lead back to themselves (Tarjan's strong components, without recursion)."""
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    open_: dict[str, None] = {}
    for start in graph:
        work = [] if start in number else [(start, iter(graph[start]))]
        while work:
            node, ahead = work[-1]
            if node not in number:
                number[node] = lowest[node] = len(number)
                open_[node] = None
            for other in ahead:
                if other not in number:
                    work.append((other, iter(graph[other])))
                    break
                if other in open_:
                    lowest[node] = min(lowest[node], lowest[other])
            else:
                work.pop()
                if work:
                    lowest[work[-1][0]] = min(lowest[work[-1][0]], lowest[node])
                if lowest[node] == number[node]:
                    component: list[str] = []
                    while not component or component[-1] != node:
                        component.append(open_.popitem()[0])
                    if len(component) > 1 or node in graph[node]:
                        yield from component
