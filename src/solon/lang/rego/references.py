"""References: paths into input, data, rules and variables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from solon.lang.rego import ast
from solon.lang.rego.emitter import Emitter, Sought, read
from solon.lang.rego.resolve import walk_all
from solon.lang.rego.safety import variables

SMALL: Final = 16  # elements; below, looking at each is quicker than looking for an index

# Calls that an element may be spared although they come before the comparison that leaves it out.
CANNOT_FAIL: Final = frozenset(["eq", "equal", "neq", "lt", "lte", "gt", "gte", "internal.member_2"])


class References(Emitter):
    """Writes what follows a path; where a part of it is not bound, a loop over what it may be."""

    def ref(self, ref: ast.Ref) -> str:
        head = ref.head
        if isinstance(head, ast.Var):
            if head.name == "input":
                return self.steps(f"{self.state}.input", ref.path)
            if head.name == "data":
                return self.data(ref)
        return self.steps(self.value(head), ref.path)

    def data(self, ref: ast.Ref) -> str:
        """A reference into data: to a rule, to plain data, or to a document that both define."""
        compiler = self.compiler
        node = compiler.root
        depth = 0
        for part in ref.path:
            if node.group is not None or not isinstance(part, ast.Scalar) or type(part.value) is not str:
                break
            child = node.children.get(part.value)
            if child is None:
                return self.steps(f"{self.state}.data", ref.path)
            node = child
            depth += 1
        rest = ref.path[depth:]
        if node.group is None and rest and isinstance(rest[0], ast.Scalar):
            return self.steps(f"{self.state}.data", ref.path)
        if compiler.is_replaced(node.path):
            return self.stepwise(compiler.node(compiler.root), ref.path)
        if node.group is None:
            return self.stepwise(compiler.node(node), rest)
        if node.group.kind == "function":
            self.guard("True")
            return "U"
        return self.steps(self.document(node.group.index, node.group.kind == "complete"), rest)

    def document(self, group: int, may_be_undefined: bool) -> str:
        where = ("group", group, self.state)
        name = self.known.get(where)
        if name is None:
            name = self.known[where] = self.assign(f"g{group}({self.state})")
            if not may_be_undefined:
                self.defined.add(name)
        self.needs(name)
        return name

    def stepwise(self, node: int, path: Sequence[ast.Term]) -> str:
        """A path through packages, one step at a time: only what it leads to is evaluated."""
        if not path:
            name = self.assign(f"{self.state}.document({node})")
            self.guard(f"{name} is U")
            return name
        at = self.assign(f"{self.state}.at({node})")
        for part in path:
            if self.is_open(part):
                index = self.unit.fresh("v")
                self.loop(f"for {index} in {self.visit('keys')}({self.state}, {at}):")
                self.unify(part, index)
            else:
                index = self.value(part)
            at = self.assign(f"{self.state}.step({at}, {index})")
            self.guard(f"{at} is U")
        name = self.assign(f"{self.state}.force({at})")
        self.guard(f"{name} is U")
        return name

    def is_open(self, term: ast.Term) -> bool:
        """Whether the term, used as an index, binds variables."""
        return isinstance(term, ast.Var | ast.Array | ast.Object) and any(
            var.name not in self.environment for var in variables(term)
        )

    def steps(self, base: str, path: Sequence[ast.Term]) -> str:
        """Follow a path from a Python expression."""
        names: list[str] = []
        at_data = base.endswith(".data")
        defined = True  # whether `base` is known not to be U
        if base.endswith(".input"):
            defined = False
        for position, part in enumerate(path):
            if isinstance(part, ast.Scalar) and type(part.value) is str:
                names.append(self.unit.constant(part.value))
                continue
            base, defined = self.fields(base, names, defined)
            names = []
            if self.is_open(part):
                base, defined = self.iterate(base, part, path[position + 1 :]), True
            else:
                step = "data_lookup" if at_data and isinstance(part, ast.Scalar) else "lookup"
                base, defined = self.assign(f"{step}({base}, {self.value(part)})"), False
        base, defined = self.fields(base, names, defined)
        if not defined:
            if "." in base:
                base = self.assign(base)
            self.needs(base)
        return base

    def fields(self, base: str, names: list[str], defined: bool) -> tuple[str, bool]:
        """``base.a.b``, read once; may be U."""
        if not names:
            return base, defined
        return self.field(base, names, self.fail()), False

    def field(self, base: str, names: list[str], failure: str) -> str:
        """``base.a.b``, read once; ``failure`` ({0}: the name) is what to do where it has no fields."""
        taken = len(names)
        while taken and (base, *names[:taken]) not in self.known:
            taken -= 1
        held = self.known.get((base, *names[:taken]), base)
        if taken == len(names):
            return held
        name = self.unit.fresh("v")
        read(self.function, name, held, names[taken:], failure.format(name))
        self.known[base, *names] = name
        if base.endswith(".data"):
            self.based[name] = names[0]
        elif base in self.based:
            self.based[name] = self.based[base]
        return name

    def iterate(self, base: str, part: ast.Term, tail: Sequence[ast.Term]) -> str:
        """A loop over what an open part of a path may be; the element. ``tail`` is the path behind it."""
        sought = None
        names = ast.fixed_names(tail)
        if len(names) == len(tail) and self.sought is not None:
            sought, self.sought = self.sought.below(names), None
        element = self.unit.fresh("v")
        if isinstance(part, ast.Var) and part.name.startswith("_'"):
            self.loop(f"for {element} in {self.elements('values', base, sought)}:")
            return element
        index = self.unit.fresh("v")
        self.loop(f"for {index}, {element} in {self.elements('items', base, sought)}:")
        self.unify(part, self.unkeyed(index))
        return element

    def elements(self, how: str, base: str, sought: Sought | None) -> str:
        """What to loop over: all ``values`` or ``items`` of a collection, or those that are sought."""
        visit = self.visit(how)
        if sought is None:
            return f"{visit}({self.state}, {base})"
        paths = self.unit.shared("K", f"paths {sought.paths!r}", sought.paths)
        if len(sought.values) == 1:
            key = self.key_of(sought.values[0])
        else:
            key = f"({', '.join(map(self.key_of, sought.values))})"
        large = f"type({base}) in COLLECTIONS and len({base}) >= {SMALL}"
        state = self.state
        cache = f"cache_of_base({state}, {self.based[base]})" if base in self.based else f"{state}.run.cache"
        found = f"matching({self.state}, {cache}, {base}, {paths}, {key}, {visit}, {how == 'items'})"
        return f"({found} if {large} else {visit}({self.state}, {base}))"

    # --- what need not be in a loop

    def opens_loop(self, expr: ast.Expr) -> bool:
        terms = walk_all(ast.statement_terms(expr.statement), [])
        return isinstance(expr.statement, ast.SomeIn) or any(
            isinstance(term, ast.Ref) and any(map(self.is_open, term.path)) for term in terms
        )

    def askable(self, rest: Sequence[ast.Expr]) -> list[ast.Expr]:
        """Comparisons among the next expressions that can be made now; made before a loop, they may spare it."""
        found = []
        for expr in rest:
            statement = expr.statement
            sides: list[ast.Term] = []
            match statement:
                case ast.TermExpr(term=ast.Call(args=args) as call) if call.name in CANNOT_FAIL:
                    sides = args
                case ast.Unify(left=left, right=right, operator="==" | "="):
                    sides = [left, right]
            if sides and not expr.negated and not expr.withs and all(map(self.is_ready, sides)):
                found.append(expr)
            elif expr.withs or may_fail(expr):
                break
        return found

    # --- joins

    def seek(self, var: ast.Term) -> None:
        """Note what the next expressions compare a variable with, before a loop binds it."""
        if not isinstance(var, ast.Var) or var.name in self.environment:
            return
        found: dict[tuple[str, ...], str] = {}
        for expr in self.rest:
            if expr.negated or expr.withs:
                break
            for one, other in compared(expr.statement):
                path = path_from(var, one)
                if path is not None and path not in found and self.is_ready(other):
                    found[path] = self.value(other)
            # A call may fail, and then it matters which elements it is called for.
            if may_fail(expr):
                break
        if found:
            self.sought = Sought(tuple(found), tuple(found.values()))

    def both(self, one: ast.Term, other: ast.Term) -> tuple[str, str]:
        """The values of two terms that must be equal: a loop in one of them seeks the other's value."""
        if self.is_ready(other):
            second = self.value(other)
            return self.sought_in(one, second), second
        first = self.value(one)
        return first, self.sought_in(other, first)

    def sought_in(self, term: ast.Term, value: str) -> str:
        if isinstance(term, ast.Ref) and any(map(self.is_open, term.path)):
            self.sought = Sought(((),), (value,))
        name = self.value(term)
        self.sought = None
        return name

    def is_ready(self, term: ast.Term) -> bool:
        """Whether a term can be read now, with no loop."""
        if isinstance(term, ast.Ref):
            return self.is_plain(term)
        return isinstance(term, ast.Scalar) or (isinstance(term, ast.Var) and term.name in self.environment)

    def unkeyed(self, index: str) -> str:
        """What ``items`` gave as an index, as a value."""
        with self.function.block(f"if type({index}) is Key:"):
            self.function.add(f"{index} = {index}.value")
        return index

    def is_plain(self, ref: ast.Ref) -> bool:
        """Whether reading it needs no loop: a path of constants and bound variables from input or a variable."""
        known = isinstance(ref.head, ast.Var) and (
            ref.head.name == "input" or ref.head.name in self.environment
        )
        return known and all(
            isinstance(p, ast.Scalar) or (isinstance(p, ast.Var) and p.name in self.environment)
            for p in ref.path
        )

    def read(self, ref: ast.Ref) -> str:
        """The value of a plain reference, which may be U; nothing gives up."""
        assert isinstance(ref.head, ast.Var)
        base = f"{self.state}.input" if ref.head.name == "input" else self.environment[ref.head.name]
        names: list[str] = []
        for part in ref.path:
            if isinstance(part, ast.Scalar) and type(part.value) is str:
                names.append(self.unit.constant(part.value))
                continue
            base, names = self.field(base, names, "{0} = U"), []
            base = self.assign(f"lookup({base}, {self.value(part)})")
        base = self.field(base, names, "{0} = U")
        return self.assign(base) if "." in base else base


def compared(statement: ast.Statement) -> list[tuple[ast.Term, ast.Term]]:
    """Both ways round, what a statement says is equal."""
    match statement:
        case ast.TermExpr(term=ast.Call(name="equal" | "eq", args=[one, other])):
            return [(one, other), (other, one)]
        case ast.Unify(left=one, right=other):
            return [(one, other), (other, one)]
        case _:
            return []


def may_fail(expr: ast.Expr) -> bool:
    """Whether an expression may end the evaluation, so that it matters when it runs, and how often."""
    return bool(ast.bodies(expr.statement)) or any(
        (isinstance(t, ast.Call) and t.name not in CANNOT_FAIL)
        or (
            isinstance(t, ast.Comprehension) and t.kind == "object"
        )  # of which keys may contradict each other
        for t in parts(expr.statement)
    )


def parts(statement: ast.Statement) -> Iterable[ast.Term]:
    """The terms of a statement, but for the equality itself."""
    sides = compared(statement)
    return walk_all([term for term, _ in sides] or ast.statement_terms(statement), [])


def path_from(var: ast.Var, term: ast.Term) -> tuple[str, ...] | None:
    """The path by which a term reads the variable's value."""
    if isinstance(term, ast.Var):
        return () if term.name == var.name else None
    if not isinstance(term, ast.Ref) or not isinstance(term.head, ast.Var) or term.head.name != var.name:
        return None
    names = ast.fixed_names(term.path)
    return names if len(names) == len(term.path) else None
