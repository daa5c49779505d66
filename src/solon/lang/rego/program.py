"""Compiling Rego and asking the compiled program."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import CodeType
from typing import Any, Literal

from solon.lang.emit import Origin, Tables, Unit, readable
from solon.lang.rego import ast, rules
from solon.lang.rego.annotations import Annotation, Annotations
from solon.lang.rego.ast import Version
from solon.lang.rego.builtins import TABLE
from solon.lang.rego.compile import Compiler, namespace
from solon.lang.rego.dependencies import Replaced, check_recursion, replacements, terms_of
from solon.lang.rego.errors import RegoError, enough_stack, refuse
from solon.lang.rego.parser import parse_either, parse_module
from solon.lang.rego.query import Query
from solon.lang.rego.resolve import Resolver, rule_names
from solon.lang.rego.rules import Definition, Group, Node
from solon.lang.rego.runtime import Linked, State
from solon.lang.rego.safety import Sorter
from solon.lang.rego.schemas import Schemas
from solon.lang.rego.stored import Cache, freeze, identity, thaw
from solon.lang.rego.trace import Watch, emitter_for, framing
from solon.lang.rego.typecheck import Checker
from solon.lang.source import Diagnostic, Span
from solon.lang.trace import Trace
from solon.lang.values import UNDEFINED, Value


@dataclass(frozen=True, slots=True)
class RuleInfo:
    """One definition of a rule. ``path`` is the document it defines, or adds to."""

    path: str
    package: str
    name: str
    kind: rules.Kind
    span: Span
    default: bool = False


def compile(
    modules: Mapping[str, str],
    data: Any = None,
    version: Version | Literal["auto"] = "v1",
    *,
    coverage: bool = False,
    prints: bool = False,
    watch: Watch | None = None,
    rewrite: Callable[[list[ast.Module]], None] | None = None,
    cache: Cache | None = None,
    schemas: Mapping[tuple[str, ...], Any] | None = None,
) -> Program:
    """Compile Rego files (name -> text) to a Program.

    ``data`` are the base documents; ``version`` is the language of the files; ``auto``: v0 is what is not v1. With
    ``coverage``, evaluations can report the lines they reached; with ``prints``, what ``print`` printed.
    A profile or trace as ``watch`` records every evaluation; neither is for several threads at once.
    ``rewrite`` may change the modules once they are parsed. A ``cache`` keeps what was compiled; not with
    ``coverage`` or ``watch``. ``schemas`` are the JSON Schemas that annotations may name, by path: what
    ``schema["k8s"]["pod"]`` names is that of ``("k8s", "pod")``; that of ``()`` is about ``input``. Raises RegoError with every error found.
    """
    if cache is not None and not coverage and watch is None:
        return _cached(cache, modules, data, version, prints, rewrite, schemas)
    errors: list[Diagnostic] = []
    parsed: list[ast.Module] = []
    started = time.perf_counter_ns()
    for file, text in modules.items():
        try:
            parsed.append(
                parse_either(file, text) if version == "auto" else parse_module(file, text, version)
            )
        except RegoError as error:
            errors.extend(error.errors)
    refuse(errors, modules)
    if rewrite is not None:
        rewrite(parsed)
    query_version: Version = "v0" if version == "v0" else "v1"
    base = data if data is not None else {}
    begun = time.perf_counter_ns()
    program = Program(
        parsed,
        base,
        dict(modules),
        query_version,
        coverage=coverage,
        prints=prints,
        watch=watch,
        schemas=schemas,
    )
    program.parse_ns, program.compile_ns = begun - started, time.perf_counter_ns() - begun
    return program


def _cached(
    cache: Cache,
    modules: Mapping[str, str],
    data: Any,
    version: Version | Literal["auto"],
    prints: bool,
    rewrite: Callable[[list[ast.Module]], None] | None,
    schemas: Mapping[tuple[str, ...], Any] | None,
) -> Program:
    def again() -> Program:
        return compile(modules, data, version, prints=prints, rewrite=rewrite, schemas=schemas)

    started = time.perf_counter_ns()
    name = f"{rewrite.__module__}.{rewrite.__qualname__}" if rewrite is not None else ""
    key = identity(modules, version, prints, name, schemas)
    kept = cache.get(key)
    if kept is not None:
        query_version: Version = "v0" if version == "v0" else "v1"
        try:
            program = Program.restored(
                kept, {} if data is None else data, dict(modules), query_version, again
            )
            program.compile_ns = time.perf_counter_ns() - started
            return program
        except (ValueError, TypeError, KeyError, EOFError):
            pass  # damaged: made anew below
    program = again()
    frozen = freeze(program)
    if frozen is not None:
        cache.put(key, frozen)
    return program


def package_of(text: str, version: Version = "v1", file: str = "policy.rego") -> str:
    """The package of a module, as ``data.main``. Raises RegoError."""
    return ast.written(["data", *parse_module(file, text, version).package])


@dataclass(frozen=True, slots=True)
class Facts:
    """What can be asked about a program, besides its rules' values."""

    rules: list[RuleInfo]
    packages: list[str]
    annotations: list[Annotation]
    base_references: set[str]


class Program:
    """Compiled Rego. Evaluations share nothing, so a program may be used from many threads."""

    def __init__(
        self,
        modules: Sequence[ast.Module],
        data: Any,
        sources: dict[str, str],
        version: Version,
        *,
        coverage: bool,
        prints: bool,
        watch: Watch | None = None,
        schemas: Mapping[tuple[str, ...], Any] | None = None,
    ) -> None:
        errors: list[Diagnostic] = []
        self.data = data
        self.version = version
        self.sources = sources
        self._modules = modules
        self._coverage = coverage
        self._prints = prints
        self.watch = watch
        self.unused_imports: list[tuple[ast.Module, ast.Import]] = []
        self.parse_ns = self.compile_ns = 0
        self._facts: Facts | None = None
        self._again: Callable[[], Program] | None = None
        self._annotations = Annotations(modules, errors)
        self._root, self._groups = rules.build(modules, errors)
        self._names = rule_names(modules)
        self._by_name = {group.name: group for group in self._groups}
        self._functions = {group.name: group for group in self._groups if group.kind == "function"}
        refuse(errors, sources)
        definitions: dict[int, list[rules.Definition]] = {id(module): [] for module in modules}
        for group in self._groups:
            for definition in group.all:
                definitions[id(definition.module)].append(definition)
        for module in modules:
            self.resolve(module, definitions[id(module)], errors)
        refuse(errors, sources)
        edges = check_recursion(self._root, self._groups, errors)
        refuse(errors, sources)
        self._types = Checker(
            self._root, self._groups, edges, TABLE, errors, self._annotations, Schemas(schemas)
        )
        self._types.check()
        refuse(errors, sources)
        self._replaced: Replaced = replacements(d for g in self._groups for d in g.all)
        self._linked: dict[Replaced, Code] = {}
        self._queries: dict[tuple[str, str], Query] = {}
        self.code_for(self._replaced)

    @classmethod
    def restored(
        cls, kept: bytes, data: Any, sources: dict[str, str], version: Version, again: Callable[[], Program]
    ) -> Program:
        """A program from a cache; ``again`` compiles it, for what needs its syntax tree.

        Raises ValueError, TypeError, KeyError or EOFError where the bytes are no program.
        """
        program = cls.__new__(cls)
        program.data, program.sources, program.version, program.watch = data, sources, version, None
        program._groups, code, program._replaced, program._facts = thaw(kept, sources, data)
        program._by_name = {group.name: group for group in program._groups}
        program._linked, program._queries = {program._replaced: code}, {}
        program.parse_ns = program.compile_ns = 0
        program._again = again
        return program

    def complete(self) -> None:
        """Make sure that the syntax tree is there."""
        if self._again is not None:
            queries = self._queries
            self.__dict__.update(self._again().__dict__)
            self._queries = queries

    def resolve(
        self, module: ast.Module, definitions: Sequence[rules.Definition], errors: list[Diagnostic]
    ) -> None:
        resolver = Resolver(module, self._names, self._functions, TABLE, errors)
        before = len(errors)
        for definition in definitions:
            with enough_stack(module, definition.rule.head.at, self.sources):
                resolver.definition(definition)
        self.unused_imports += [(module, each) for each in resolver.unused_imports()]
        if len(errors) == before:
            sorter = Sorter(module, errors)
            for definition in definitions:
                with enough_stack(module, definition.rule.head.at, self.sources):
                    sorter.definition(definition)

    def compiler_for(self, unit: Unit, replaced: Replaced, sources: Mapping[str, str]) -> Compiler:
        return Compiler(
            unit, self._root, self._groups, self._functions, TABLE, replaced, sources, self._annotations,
            coverage=self._coverage, prints=self._prints, emitter=emitter_for(self.watch), watch=self.watch,
        )  # fmt: skip

    def code_for(self, replaced: Replaced) -> Code:
        """The compiled rules, with calls and references that ``with`` may change made changeable."""
        code = self._linked.get(replaced)
        if code is None:
            code = self._linked[replaced] = _generate(self, replaced)
        return code

    # --- what is in it

    @property
    def facts(self) -> Facts:
        if self._facts is None:
            self._facts = Facts(
                self._rules(),
                sorted({ast.written(["data", *module.package]) for module in self._modules}),
                self._annotations.all,
                self._base_references(),
            )
        return self._facts

    @property
    def rules(self) -> list[RuleInfo]:
        """Every definition of every rule, in order of file and place."""
        return self.facts.rules

    @property
    def packages(self) -> list[str]:
        return self.facts.packages

    @property
    def annotations(self) -> list[Annotation]:
        return self.facts.annotations

    @property
    def base_references(self) -> set[str]:
        """What the rules read of the base documents, as ``data.inventory.cluster``: the fixed names of each path."""
        return self.facts.base_references

    @property
    def groups(self) -> list[Group]:
        return self._groups

    @property
    def modules(self) -> Sequence[ast.Module]:
        return self._modules

    @property
    def definitions(self) -> list[tuple[Group, Definition]]:
        """Every definition of every rule with its names resolved, in order of file and place."""
        found = [(group, each) for group in self._groups for each in group.all]
        return sorted(found, key=lambda pair: (pair[1].module.file, pair[1].rule.head.at))

    @property
    def root(self) -> Node:
        """The tree of what the rules define."""
        return self._root

    @property
    def types(self) -> Checker:
        """What knows the types of rules."""
        return self._types

    @property
    def replaced(self) -> Replaced:
        """What `with` replaces in the rules."""
        return self._replaced

    @property
    def code(self) -> Code:
        return self.code_for(self._replaced)

    def _rules(self) -> list[RuleInfo]:
        found = []
        for group in self._groups:
            for definition in group.all:
                module, rule = definition.module, definition.rule
                package = ast.written(["data", *module.package])
                span = module.span(rule.head.at, len(rule.name))
                path = ast.written(["data", *group.path])
                found.append(RuleInfo(path, package, rule.name, group.kind, span, rule.default))
        return sorted(found, key=lambda r: (r.span.file, r.span.row, r.span.column))

    def _base_references(self) -> set[str]:
        found: set[str] = set()
        for group in self._groups:
            for definition in group.all:
                for term in terms_of(definition):
                    if (
                        isinstance(term, ast.Ref)
                        and isinstance(term.head, ast.Var)
                        and term.head.name == "data"
                    ):
                        path = ast.fixed_names(term.path)
                        if not rules.defines(self._root, path):
                            found.add(".".join(["data", *path]))
        return found

    @property
    def coverable(self) -> set[tuple[str, int]]:
        """(file, row) of every line that can be reached; needs ``coverage=True``."""
        return self.code_for(self._replaced).coverable

    def dump(self) -> str:
        """The generated Python, for people."""
        self.complete()
        code = self.code_for(self._replaced)
        return readable(code.text, code.constants, code.titles)

    # --- asking

    def observe(self, documents: Iterable[str], seen: Callable[[str, Value, Value], None]) -> None:
        """Have ``seen`` called with name, input and value whenever a query or a rule asks for one of the documents.

        To be said before the first query is prepared.
        """
        code = self.code

        def observed(function: Callable[..., Value], name: str) -> Callable[..., Value]:
            def run(state: State, *arguments: Any) -> Value:
                value = function(state, *arguments)
                seen(name, state.input, value)
                return value

            return run

        for name in documents:
            index = self._by_name[name].index
            function = observed(code.linked.functions[index], name)
            code.namespace[f"g{index}"] = code.linked.functions[index] = function

    def document(self, name: str) -> Group | None:
        """The rules that define a document by this name, such as ``data.main.deny``."""
        group = self._by_name.get(name)
        return None if group is None or group.kind == "function" else group

    def prepare(self, query: str, imports: Sequence[str] = ()) -> Query:
        """Compile a query, once. Raises RegoError."""
        held = self._queries.get((query, "\n".join(imports)))
        if held is None:
            held = self._queries[query, "\n".join(imports)] = Query(self, query, imports)
        return held

    def evaluate(self, query: str, input: Any = UNDEFINED, **settings: Any) -> Any:
        """The value of a query such as ``data.main.deny``, as JSON has it, or UNDEFINED.

        ``settings`` are those of :meth:`Query.evaluate`. Raises RegoError, BudgetExceeded.
        """
        return self.prepare(query).evaluate(input, **settings)

    def query(self, query: str, input: Any = UNDEFINED, **settings: Any) -> list[dict[str, Any]]:
        """The bindings of every way in which the query holds, as OPA's result sets."""
        return self.prepare(query).bindings(input, **settings)

    def expressions(self, query: str, input: Any = UNDEFINED, **settings: Any) -> list[dict[str, Any]]:
        """The result of ``opa eval``: for each solution, the value of each expression, and the bindings."""
        return self.prepare(query).results(input, **settings)


@dataclass(slots=True)
class Code:
    """Compiled rules and what they need at run time. What follows ``linked`` is for people and for the cache."""

    namespace: dict[str, Any]
    compiled: CodeType
    constants: dict[str, Any]
    origins: Sequence[Origin]  # of each line
    linked: Linked
    text: str = ""
    titles: dict[str, str] = field(default_factory=dict)
    coverable: set[tuple[str, int]] = field(default_factory=set)
    identities: dict[str, str] = field(default_factory=dict)
    tables: dict[str, Tables] = field(default_factory=dict)


def _generate(program: Program, replaced: Replaced) -> Code:
    unit = Unit("<rego>")
    compiler = program.compiler_for(unit, replaced, program.sources)
    for group in program._groups:
        first = group.all[0]
        with enough_stack(first.module, first.rule.head.at, program.sources):
            compiler.group(group)
    space = namespace()
    compiled = unit.load(space, framing(program.watch, compiler.frames))
    functions: list[Callable[..., Value]] = [space[f"g{g.index}"] for g in program._groups]
    linked = Linked(
        functions, program._groups, compiler.nodes, compiler.sites, program.sources, program.data, {}
    )
    if isinstance(program.watch, Trace):
        linked.trace = program.watch
    return Code(
        space, compiled, unit.constants, unit.origins, linked, unit.source, compiler.titles,
        compiler.coverable, unit.identities, unit.tables,
    )  # fmt: skip
