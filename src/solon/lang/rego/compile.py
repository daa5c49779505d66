"""Rules to Python functions.

Each group of rules becomes a function ``gN(s)`` that gives the document's value, evaluated once per state,
or ``gN(s, a0, a1)`` for a function; each rule of it becomes ``rN``, which returns its value or adds to the
document its group builds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from solon.lang.emit import Function, Origin, Unit
from solon.lang.profile import Profile
from solon.lang.rego import ast, inline, joins, runtime
from solon.lang.rego.annotations import Annotations
from solon.lang.rego.body import BodyEmitter, literal
from solon.lang.rego.builtins import TABLE
from solon.lang.rego.builtins.registry import Builtin
from solon.lang.rego.emitter import key_of_any, read
from solon.lang.rego.errors import BuiltinError
from solon.lang.rego.indexing import Index, index_of
from solon.lang.rego.resolve import BUILTIN, walk_all
from solon.lang.rego.rules import Definition, Group, Node
from solon.lang.rego.runtime import Replacement
from solon.lang.source import Span
from solon.lang.trace import Trace
from solon.lang.values import UNDEFINED, Key, Set, equal, key, lookup, member, member_at, unkey

COMPLETE_CONFLICT = "complete rules must not produce multiple outputs"
FUNCTION_CONFLICT = "functions must not produce multiple outputs for same inputs"
OBJECT_CONFLICT = "object keys must be unique"
MIN_TABLE = 3  # so many constant rules of a function become a table


def namespace() -> dict[str, Any]:
    """What compiled code may name, besides its own functions and constants."""
    from solon.lang.rego.builtins.formatting import format_value

    return {
        **inline.NAMES,
        "__builtins__": {
            "AttributeError": AttributeError, "enumerate": enumerate, "len": len, "type": type,
            "list": list, "dict": dict, "str": str, "int": int,
        },
        "U": UNDEFINED,
        "M": runtime.MISSING,
        "Set": Set,
        "COLLECTIONS": frozenset([list, dict, Set]),
        "BuiltinError": BuiltinError,
        "Key": Key,
        "Nested": runtime.Nested,
        "data_lookup": runtime.data_lookup,
        "equal": equal,
        "format_value": format_value,
        "items": runtime.items,
        "keys": runtime.keys,
        "key": key,
        "less": runtime.less,
        "less_equal": runtime.less_equal,
        "lookup": lookup,
        "cache_of_base": joins.cache_of_base,
        "matching": joins.matching,
        "member": member,
        "member_at": member_at,
        "ordered_items": runtime.ordered_items,
        "ordered_keys": runtime.ordered_keys,
        "ordered_values": runtime.ordered_values,
        "ordered_walk": runtime.ordered_walk,
        "put": runtime.put,
        "template": runtime.template,
        "values": runtime.values,
        "walk": runtime.walk,
    }  # fmt: skip


class Compiler:
    """Writes the functions of a program, or of a query against one, into a Unit."""

    def __init__(
        self,
        unit: Unit,
        root: Node,
        groups: Sequence[Group],
        functions: Mapping[str, Group],
        builtins: Mapping[str, Builtin],
        replaced: frozenset[tuple[str, ...]],
        sources: Mapping[str, str],
        annotations: Annotations,
        *,
        coverage: bool = False,
        prints: bool = False,
        emitter: type[BodyEmitter] = BodyEmitter,
        watch: Profile | Trace | None = None,
    ) -> None:
        self.unit = unit
        self.root = root
        self.groups = groups
        self.functions = functions
        self.builtins = builtins
        self.sources = sources
        self.annotations = annotations
        self.coverage = coverage
        self.prints = prints
        self.emitter_type = emitter
        self.watch = watch
        self.rule = ""  # the name of the document whose rules are being written
        self.frames: dict[
            str, tuple[str, Span, bool]
        ] = {}  # function -> rule, place, whether it is all of it
        self.coverable: set[tuple[str, int]] = set()
        self.sites: list[tuple[str, Callable[[], Span]]] = []
        self.nodes: list[Node] = []
        self.titles: dict[str, str] = {}  # Python function -> what it computes
        self.mocked_functions = {path[1] for path in replaced if path[0] == "function"}
        self.replaced_documents = [path[1:] for path in replaced if path[0] == "data"]

    # --- what bodies ask for

    @property
    def may_reorder(self) -> bool:
        """Whether expressions may run in another order than written: not where somebody watches."""
        return not isinstance(self.watch, Trace) and not self.coverage

    @property
    def is_thorough(self) -> bool:
        """Whether each rule is to be run, even where a look into a table would do."""
        return self.coverage or self.emitter_type.detailed

    @property
    def profile(self) -> Profile:
        assert isinstance(self.watch, Profile)
        return self.watch

    @property
    def trace(self) -> Trace:
        assert isinstance(self.watch, Trace)
        return self.watch

    def site(self, what: str, origin: Origin) -> int:
        """A number that stands for a place where something can fail at run time."""
        self.sites.append((what, origin or (lambda: Span("", 0, 0))))
        return len(self.sites) - 1

    def node(self, node: Node) -> int:
        self.nodes.append(node)
        return len(self.nodes) - 1

    def is_replaced(self, path: tuple[str, ...]) -> bool:
        """Whether a `with` somewhere replaces the document at ``path``, or one around it."""
        return any(target == path[: len(target)] for target in self.replaced_documents)

    def function_named(self, ref: ast.Ref) -> str | None:
        """The function or built-in that a resolved reference names."""
        if not isinstance(ref.head, ast.Var):
            return None
        names = [str(part.value) for part in ref.path if isinstance(part, ast.Scalar)]
        if ref.head.name == BUILTIN:
            return names[0]
        name = ".".join([ref.head.name, *names])
        return name if name in self.functions else None

    def function_group(self, name: str) -> Group:
        return self.functions[name]

    def replacement_of(self, name: str) -> str:
        """The constant that holds a function as something to call in another's place."""
        group = self.functions.get(name)
        value = replacement(name, None if group is None else group.index)
        return self.unit.shared("K", f"function {name}", value)

    def builtin(self, builtin: Builtin) -> str:
        return self.unit.shared("B", builtin.name, builtin.function)

    def metadata(self, name: str, module: ast.Module, at: int) -> Any:
        chain = self.annotations.chain(module, at)
        if name == "rego.metadata.chain":
            return chain
        return next((link.get("annotations", {}) for link in chain[:1]), {})

    # --- groups

    def group(self, group: Group) -> None:
        arguments = [f"a{n}" for n in range(group.arity)] if group.kind == "function" else []
        name = f"g{group.index}"
        self.titles[name] = self.rule = group.name
        if group.kind in ("complete", "function"):
            self.value_group(group, name, arguments)
        else:
            self.collecting_group(group, name)

    def value_group(self, group: Group, name: str, arguments: list[str]) -> None:
        if group.kind == "function" and group.default is None and len(group.definitions) == 1:
            self.value_rule(group.definitions[0], arguments, name)
            return
        table, definitions = self.constant_table(group)
        parts = [self.value_rule(d, arguments) for d in definitions]
        default = self.value_rule(group.default, arguments) if group.default else None
        function = self.unit.function(name, ["s", *arguments])
        given = ", ".join(["s", *arguments])
        add = function.add
        if group.kind == "complete":
            add("memo = s.memo")
            add(f"v = memo[{group.index}]")
            with function.block("if v is not M:"):
                add("return v")
        if table is not None:
            position, constants = table
            argument = arguments[position]
            add(f"v = {self.unit.constant(constants)}.get({key_of_any(argument)}, U)")
        elif not parts:
            add("v = U")
        message = COMPLETE_CONFLICT if group.kind == "complete" else FUNCTION_CONFLICT
        first = parts[0][1] if parts else None
        same = first is not None and all(c is not None and equal(c[0], first[0]) for _, c in parts)
        index = None if table is not None or self.is_thorough else index_of(definitions)
        if index is not None:
            self.indexed_values(
                function, index, definitions, [rule for rule, _ in parts], given, message, same
            )
            parts = []
        for position, (rule, _) in enumerate(parts):
            if position == 0 and table is None:
                add(f"v = {rule}({given})")
                continue
            # Rules that can only give the same constant need not all run.
            if table is None and same:
                with function.block("if v is U:"):
                    add(f"v = {rule}({given})")
                continue
            _agree(function, f"{rule}({given})", str(self.head_site(message, definitions[position])))
        if default is not None:
            with function.block("if v is U:"):
                add(f"v = {default[0]}({given})")
        if group.kind == "complete":
            add(f"memo[{group.index}] = v")
        add("return v")

    def indexed_values(
        self, function: Function, index: Index, definitions: Sequence[Definition], rules: Sequence[str],
        given: str, message: str, same: bool,
    ) -> None:  # fmt: skip
        """The value of the rules that the index names."""
        chosen = self.chosen(function, index, rules)
        add = function.add
        add("v = U")
        if same:
            with function.block(f"for rule in {chosen}:"):
                add(f"v = rule({given})")
                with function.block("if v is not U:"):
                    add("break")
            return
        sites = {rule: self.head_site(message, d) for rule, d in zip(rules, definitions, strict=True)}
        places = self.unit.constant(sites)
        with function.block(f"for rule in {chosen}:"):
            _agree(function, f"rule({given})", f"{places}[rule.__name__]")

    def chosen(self, function: Function, index: Index, rules: Sequence[str]) -> str:
        """A Python expression for the functions to run; writes the reading of what the index looks at."""
        if isinstance(index.subject, int):
            at = f"a{index.subject}"
        else:
            at = "at"
            read(function, at, "s.input", map(self.unit.constant, index.subject), "at = U")
        named = {k: tuple(rules[n] for n in positions) for k, positions in index.table.items()}
        named[UNDEFINED] = tuple(rules[n] for n in index.default)
        table = self.unit.table(named)
        return f"{table}.get({key_of_any(at)}, {table}[U])"

    def head_site(self, message: str, definition: Definition) -> int:
        module, at = definition.module, definition.rule.head.at
        return self.site(message, lambda: module.span(at))

    def collecting_group(self, group: Group, name: str) -> None:
        function = self.unit.function(name, ["s"])
        add = function.add
        add("memo = s.memo")
        add(f"v = memo[{group.index}]")
        with function.block("if v is not M:"):
            add("return v")
        nested = group.kind == "object" and any(
            len(d.rest) > 1 or d.rule.head.key is not None for d in group.definitions
        )
        if group.kind == "set":
            add("out = Set()")
        else:
            add(f"out = Nested(s, {self.unit.constant(_fixed_paths(group))})" if nested else "out = {}")
        path = self.shared_path(group)
        if path:
            read(function, "vp", "s.input", path, "vp = U")
        given = "s, out, vp" if path else "s, out"
        rules = [self.collecting_rule(definition, nested, path) for definition in group.definitions]
        index = None if self.is_thorough else index_of(group.definitions)
        if index is None:
            for rule in rules:
                add(f"{rule}({given})")
        else:
            with function.block(f"for rule in {self.chosen(function, index, rules)}:"):
                add(f"rule({given})")
        add(f"memo[{group.index}] = {'out.value' if nested else 'out'}")
        add(f"return {'out.value' if nested else 'out'}")

    def shared_path(self, group: Group) -> list[str]:
        """Constants: the longest path below input that the bodies of all rules read; it is read once for all."""
        if len(group.definitions) < 2:
            return []
        shared = set.intersection(*[set(_input_paths(d.body)) for d in group.definitions])
        longest = max(sorted(shared), key=len, default=())
        return [self.unit.constant(name) for name in longest]

    # --- rules

    def emitter(
        self, definition: Definition, parameters: list[str], failure: str, at: int, name: str = ""
    ) -> tuple[BodyEmitter, Function, str]:
        name = name or self.unit.fresh("r")
        function = self.unit.function(name, ["s", *parameters])
        body = self.emitter_type(self, definition.module, function, {}, failure)
        body.at(at)
        body.begin_rule(at)
        span = definition.module.span(at)
        self.titles.setdefault(name, f"{span.file}:{span.row}")
        return body, function, name

    def constant_table(self, group: Group) -> tuple[tuple[int, dict[Any, Any]] | None, list[Definition]]:
        """``f("a") := 1``, ``f("b") := 2`` …: the argument's position and its table, and the other rules."""
        if group.kind != "function" or self.is_thorough:
            return None, group.definitions
        for position in range(group.arity):
            table: dict[Any, Any] = {}
            others = []
            for definition in group.definitions:
                entry = _entry(definition, position)
                if entry is None or entry[0] in table:
                    others.append(definition)
                else:
                    table[entry[0]] = entry[1]
            if len(table) >= MIN_TABLE:
                return (position, table), others
        return None, group.definitions

    def value_rule(
        self, definition: Definition, arguments: list[str], name: str = ""
    ) -> tuple[str, tuple[Any] | None]:
        """The function of a rule with a value, and its value if that is always the same."""
        rule = definition.rule
        branches = [(definition.body, definition.value, rule.at)]
        branches += [(branch.body, branch.value, branch.at) for branch in definition.elses]
        if len(branches) == 1:
            return self.branch(definition, arguments, *branches[0], name)
        parts = [self.branch(definition, arguments, *branch) for branch in branches]
        name = name or self.unit.fresh("r")
        function = self.unit.function(name, ["s", *arguments])
        given = ", ".join(["s", *arguments])
        for part, _ in parts[:-1]:
            function.add(f"v = {part}({given})")
            with function.block("if v is not U:"):
                function.add("return v")
        function.add(f"return {parts[-1][0]}({given})")
        return name, None

    def branch(
        self,
        definition: Definition,
        arguments: list[str],
        exprs: Sequence[ast.Expr],
        value: ast.Term | None,
        at: int,
        name: str = "",
    ) -> tuple[str, tuple[Any] | None]:
        emit, function, name = self.emitter(definition, arguments, "return U", at, name)
        for pattern, argument in zip(definition.args, arguments, strict=True):
            emit.unify(pattern, argument)
        if self.coverage and at == definition.rule.at and exprs and exprs[0].at != at:
            emit.body(exprs)
            emit.cover(at)
        else:
            emit.body(exprs)
        emit.at(at)
        emit.begin_head(at, ast.present(value))
        constant = (True,) if value is None else literal(value)
        if constant is not None:
            emit.end_head()
            function.add(f"return {self.unit.constant(constant[0])}")
            function.depth = 1
            if emit.loops:
                function.add("return U")
            return name, constant
        assert value is not None
        held = emit.value(value)
        emit.end_head()
        if not emit.loops:
            function.add(f"return {held}")
            return name, None
        message = FUNCTION_CONFLICT if arguments else COMPLETE_CONFLICT
        with function.block("if out is U:"):
            function.add(f"out = {held}")
        with function.block(f"elif not equal(out, {held}):"):
            function.add(f"s.conflict({emit.site(message)})")
        function.first("out = U")
        function.depth = 1
        function.add("return out")
        return name, None

    def collecting_rule(self, definition: Definition, nested: bool, path: Sequence[str]) -> str:
        parameters = ["out", "vp"] if path else ["out"]
        emit, function, name = self.emitter(definition, parameters, "return", definition.rule.at)
        if path:
            emit.known["s.input", *path] = "vp"
        emit.body(definition.body)
        if self.coverage:
            emit.cover(definition.rule.at)
        emit.at(definition.rule.at)
        emit.begin_head(
            definition.rule.at, [*definition.rest, *ast.present(definition.key, definition.value)]
        )
        path = [emit.value(part) for part in definition.rest]
        if definition.key is not None:
            member = emit.value(definition.key)
            emit.end_head()
            if not nested:
                function.add(f"out[{emit.key_of(member)}] = {member}")
            else:
                site = emit.site(OBJECT_CONFLICT)
                function.add(f"out.add(({', '.join(path)},), {member}, {site})")
            return name
        held = "True" if definition.value is None else emit.value(definition.value)
        emit.end_head()
        site = emit.site(OBJECT_CONFLICT)
        if nested:
            function.add(f"out.put(({', '.join(path)},), {held}, {site})")
        else:
            function.add(f"put(s, out, {path[0]}, {held}, {site})")
        return name


def _agree(function: Function, call: str, site: str) -> None:
    """Write the taking of one more rule's value, which must be that of those before it."""
    function.add(f"w = {call}")
    with function.block("if w is not U:"):
        with function.block("if v is U:"):
            function.add("v = w")
        with function.block("elif not equal(v, w):"):
            function.add(f"s.conflict({site})")


def _fixed_paths(group: Group) -> tuple[tuple[tuple[Any, ...], bool], ...]:
    """What the references of rules define although no rule holds, each with whether a set is at its end.

    Where a rule has a variable, there is only what rules give.
    """
    heads = [_fixed(d.rest) for d in group.definitions]
    open_heads = [head for head, d in zip(heads, group.definitions, strict=True) if len(head) < len(d.rest)]
    found = []
    for head, definition in zip(heads, group.definitions, strict=True):
        is_set = definition.rule.head.key is not None
        path = head if is_set else head[: len(definition.rest) - 1]
        for other in open_heads:
            if other == path[: len(other)]:
                path, is_set = other, False
        if path:
            found.append((tuple(map(unkey, path)), is_set))
    return tuple(found)


def _fixed(path: Sequence[ast.Term]) -> list[Any]:
    """The keys of the constants that a path begins with."""
    found = []
    for part in path:
        if not isinstance(part, ast.Scalar):
            break
        found.append(key(part.value))
    return found


def replacement(name: str, group: int | None) -> Replacement:
    """A function as something to call in another's place: a group's, or a built-in."""
    if group is None:
        return Replacement(TABLE[name].function, TABLE[name].contextual)
    return Replacement(lambda state, *args: state.linked.functions[group](state, *args), True)


def _input_paths(body: Sequence[ast.Expr]) -> Iterator[tuple[str, ...]]:
    """What a body reads of input, each path and what is above it."""
    if any(expr.withs for expr in body):
        return
    for expr in body:
        for term in walk_all(ast.statement_terms(expr.statement), []):
            if isinstance(term, ast.Ref) and isinstance(term.head, ast.Var) and term.head.name == "input":
                names = ast.fixed_names(term.path)
                yield from (names[:length] for length in range(1, len(names) + 1))


def _entry(definition: Definition, position: int) -> tuple[Any, Any] | None:
    """(argument, value) of a rule that gives a constant wherever one argument is a certain constant."""
    argument = definition.args[position]
    value = (True,) if definition.value is None else literal(definition.value)
    fixed = isinstance(argument, ast.Scalar) and not isinstance(argument.value, bool)
    others = [arg for n, arg in enumerate(definition.args) if n != position]
    names = {arg.name for arg in others if isinstance(arg, ast.Var)}
    trivial = all(
        isinstance(e.statement, ast.TermExpr)
        and isinstance(e.statement.term, ast.Scalar)
        and e.statement.term.value is not False
        and not e.negated
        and not e.withs
        for e in definition.body
    )
    if not fixed or value is None or len(names) != len(others) or not trivial:
        return None
    assert isinstance(argument, ast.Scalar)
    return argument.value, value[0]
