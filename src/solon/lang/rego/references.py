"""References: paths into input, data, rules and variables."""

from __future__ import annotations

from collections.abc import Sequence

from solon.lang.rego import ast
from solon.lang.rego.emitter import Emitter
from solon.lang.rego.safety import variables


class References(Emitter):
    """Writes what follows a path; where a part of it is not bound, a loop over what it may be."""

    def ref(self, ref: ast.Ref) -> str:
        head = ref.head
        if isinstance(head, ast.Var):
            if head.name == "input":
                return self.steps(f"{self.state}.input", ref.path)
            if head.name == "data":
                return self.data(ref)
            return self.steps(self.environment[head.name], ref.path)
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
        for part in path:
            if isinstance(part, ast.Scalar) and type(part.value) is str:
                names.append(self.unit.constant(part.value))
                continue
            base, defined = self.fields(base, names, defined)
            names = []
            if self.is_open(part):
                base, defined = (
                    self.iterate(
                        base,
                        part,
                    ),
                    True,
                )
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
        with self.function.block("try:"):
            self.function.add(f"{name} = {held}{''.join(f'.get({n}, U)' for n in names[taken:])}")
        with self.function.block("except AttributeError:"):
            self.function.add(failure.format(name))
        self.known[base, *names] = name
        return name

    def iterate(self, base: str, part: ast.Term) -> str:
        element = self.unit.fresh("v")
        if isinstance(part, ast.Var) and part.name.startswith("_'"):
            self.loop(f"for {element} in {self.visit('values')}({self.state}, {base}):")
            return element
        index = self.unit.fresh("v")
        self.loop(f"for {index}, {element} in {self.visit('items')}({self.state}, {base}):")
        self.unify(part, self.unkeyed(index))
        return element

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
