"""Compiling Rego and asking the compiled program."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from threading import get_ident
from types import CodeType
from typing import Any, Literal

from solon.lang.budget import Budget, BudgetExceeded, running
from solon.lang.emit import Origin, Tables, Unit, readable
from solon.lang.rego import ast, rules
from solon.lang.rego.annotations import Annotation, Annotations
from solon.lang.rego.ast import Version
from solon.lang.rego.builtins import TABLE
from solon.lang.rego.compile import Compiler, namespace
from solon.lang.rego.errors import COMPILE_ERROR, EVAL_CANCEL_ERROR, EVAL_INTERNAL_ERROR, EvalError, RegoError
from solon.lang.rego.parser import parse_either, parse_module, parse_query
from solon.lang.rego.resolve import (
    BUILTIN,
    Resolver,
    check_recursion,
    modifiers,
    rule_names,
    static_prefix,
    walk_all,
)
from solon.lang.rego.rules import Definition, Group, Node
from solon.lang.rego.runtime import Linked, Options, Run, State
from solon.lang.rego.safety import TAKEN, Sorter, variables
from solon.lang.rego.schemas import Schemas
from solon.lang.rego.stored import Cache, freeze, identity, thaw
from solon.lang.rego.trace import Watch, emitter_for, framing
from solon.lang.rego.typecheck import Checker
from solon.lang.source import Diagnostic, Span
from solon.lang.trace import Trace
from solon.lang.values import UNDEFINED, Value, to_json

_DEFAULT = Options()

# A document may nest as deeply as parsers allow (about a thousand levels), and walking it takes up to three frames
# of Python a level; rules may build on each other as far.
sys.setrecursionlimit(max(sys.getrecursionlimit(), 4_000))
Replaced = frozenset[tuple[str, ...]]


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
    _refuse(errors, modules)
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


def _refuse(errors: list[Diagnostic], sources: Mapping[str, str]) -> None:
    if errors:
        errors.sort(key=lambda e: (e.span.file, e.span.row, e.span.column))
        raise RegoError(errors, sources)


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
        _refuse(errors, sources)
        definitions: dict[int, list[rules.Definition]] = {id(module): [] for module in modules}
        for group in self._groups:
            for definition in _definitions(group):
                definitions[id(definition.module)].append(definition)
        for module in modules:
            self._resolve(module, definitions[id(module)], errors)
        _refuse(errors, sources)
        edges = check_recursion(self._root, self._groups, errors)
        _refuse(errors, sources)
        self._types = Checker(
            self._root, self._groups, edges, TABLE, errors, self._annotations, Schemas(schemas)
        )
        self._types.check()
        _refuse(errors, sources)
        self._replaced: Replaced = _replaced(d for g in self._groups for d in _definitions(g))
        self._linked: dict[Replaced, Code] = {}
        self._queries: dict[tuple[str, str], Query] = {}
        self._code(self._replaced)

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

    def _resolve(
        self, module: ast.Module, definitions: Sequence[rules.Definition], errors: list[Diagnostic]
    ) -> None:
        resolver = Resolver(module, self._names, self._functions, TABLE, errors)
        before = len(errors)
        for definition in definitions:
            with _stack(module, definition.rule.head.at, self.sources):
                resolver.definition(definition)
        self.unused_imports += [(module, each) for each in resolver.unused_imports()]
        if len(errors) == before:
            sorter = Sorter(module, errors)
            for definition in definitions:
                with _stack(module, definition.rule.head.at, self.sources):
                    sorter.definition(definition)

    def _compiler(self, unit: Unit, replaced: Replaced, sources: Mapping[str, str]) -> Compiler:
        return Compiler(
            unit, self._root, self._groups, self._functions, TABLE, replaced, sources, self._annotations,
            coverage=self._coverage, prints=self._prints, emitter=emitter_for(self.watch), watch=self.watch,
        )  # fmt: skip

    def _code(self, replaced: Replaced) -> Code:
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
        found = [(group, each) for group in self._groups for each in _definitions(group)]
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
        return self._code(self._replaced)

    def _rules(self) -> list[RuleInfo]:
        found = []
        for group in self._groups:
            for definition in _definitions(group):
                module, rule = definition.module, definition.rule
                package = ast.written(["data", *module.package])
                span = module.span(rule.head.at, len(rule.name))
                path = ast.written(["data", *group.path])
                found.append(RuleInfo(path, package, rule.name, group.kind, span, rule.default))
        return sorted(found, key=lambda r: (r.span.file, r.span.row, r.span.column))

    def _base_references(self) -> set[str]:
        found: set[str] = set()
        for group in self._groups:
            for definition in _definitions(group):
                for term in _terms(definition):
                    if (
                        isinstance(term, ast.Ref)
                        and isinstance(term.head, ast.Var)
                        and term.head.name == "data"
                    ):
                        path = static_prefix(term)
                        if not rules.defines(self._root, path):
                            found.add(".".join(["data", *path]))
        return found

    @property
    def coverable(self) -> set[tuple[str, int]]:
        """(file, row) of every line that can be reached; needs ``coverage=True``."""
        return self._code(self._replaced).coverable

    def dump(self) -> str:
        """The generated Python, for people."""
        self.complete()
        code = self._code(self._replaced)
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


@contextmanager
def _stack(module: ast.Module, at: int, sources: Mapping[str, str]) -> Iterator[None]:
    """What nests so deeply that compiling it needs more stack than there is, is an error of that rule."""
    try:
        yield
    except RecursionError:
        error = Diagnostic(COMPILE_ERROR, "nested too deeply", module.span(at))
        raise RegoError([error], sources) from None


def _definitions(group: rules.Group) -> list[rules.Definition]:
    return [*group.definitions, *([group.default] if group.default else [])]


def _first_place(program: Program, name: str) -> Span:
    program.complete()
    definition = _definitions(program._by_name[name])[0]
    return definition.module.span(definition.rule.head.at)


def _bodies(definition: rules.Definition) -> list[list[ast.Expr]]:
    return [definition.body, *(branch.body for branch in definition.elses)]


def _terms(definition: rules.Definition) -> Iterable[ast.Term]:
    """Every term of a definition, closures included."""
    terms = [*definition.args, *definition.rest, *ast.present(definition.key, definition.value)]
    terms += [branch.value for branch in definition.elses if branch.value is not None]
    return walk_all(terms, _bodies(definition))


def _replaced(definitions: Iterable[rules.Definition]) -> Replaced:
    """What ``with`` replaces in the definitions' bodies: ("data", …), ("function", name)."""
    found: set[tuple[str, ...]] = set()
    for definition in definitions:
        bodies = [
            *_bodies(definition),
            *(t.body for t in _terms(definition) if isinstance(t, ast.Comprehension)),
        ]
        for modifier in (m for body in bodies for m in modifiers(body)):
            head = modifier.target.head
            path = tuple(str(p.value) for p in modifier.target.path if isinstance(p, ast.Scalar))
            if isinstance(head, ast.Var) and head.name == BUILTIN:
                found.add(("function", *path))
            elif isinstance(head, ast.Var) and head.name == "data":
                found.add(("data", *path))
                found.add(("function", ".".join(["data", *path])))
    return frozenset(found)


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
    compiler = program._compiler(unit, replaced, program.sources)
    for group in program._groups:
        first = _definitions(group)[0]
        with _stack(first.module, first.rule.head.at, program.sources):
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
        space, compiled, unit.constants, unit.origins, linked, unit.text(), compiler.titles,
        compiler.coverable, unit.identities, unit.tables,
    )  # fmt: skip


def _emit(
    compiler: Compiler, unit: Unit, module: ast.Module, body: Sequence[ast.Expr]
) -> tuple[list[ast.Expr], list[str]]:
    """Write the query's function ``q``.

    It appends a tuple for each solution, with the value of each expression in the order written and then of each variable. Returns the expressions and the variables.
    """
    function = unit.function("q", ["s", "out"])
    emit = compiler.emitter_type(compiler, module, function, {}, "return out")
    compiler.frames["q"] = ("", module.span(0), False)
    emit.ordered = True
    held: dict[int, str] = {}
    for expr in body:
        statement = expr.statement
        if _is_taken(statement):
            emit.expr(expr)
            continue
        if isinstance(statement, ast.Unify) and statement.operator == "==":
            statement = ast.TermExpr(ast.Call("equal", [statement.left, statement.right], expr.at))
        if isinstance(statement, ast.TermExpr) and not expr.negated:
            # Of a single value, `false` is an answer; of a search it means that this did not hold.
            single = len(body) == 1 and not variables(statement.term)
            held[expr.at] = emit.answer(expr, statement.term, may_be_false=single)
        else:
            emit.expr(expr)
            held[expr.at] = "True"
    written = sorted((e for e in body if not _is_taken(e.statement)), key=lambda expr: expr.at)
    names: dict[str, str] = {}
    for expr in written:
        for term in ast.statement_terms(expr.statement):
            for var in variables(term):
                if (
                    not var.name.startswith(("_'", TAKEN))
                    and var.name in emit.environment
                    and not isinstance(expr.statement, ast.Every)
                ):
                    names.setdefault(var.shown, emit.environment[var.name])
    parts = [*(held[expr.at] for expr in written), *names.values()]
    function.add(f"out.append(({''.join(part + ', ' for part in parts)}))")
    function.depth = 1
    function.add("return out")
    return written, list(names)


def _is_taken(statement: ast.Statement) -> bool:
    """Whether the safety check has put the expression before the one that it was written in."""
    left = statement.left if isinstance(statement, ast.Unify) and statement.operator == ":=" else None
    return isinstance(left, ast.Var) and left.name.startswith(TAKEN)


class Query:
    """A compiled query against a program."""

    def __init__(self, program: Program, text: str, imports: Sequence[str] = ()) -> None:
        self.program = program
        # What an evaluation gives is made JSON under its budget as well.
        self._run: Callable[[State, list[Any]], list[Any]]
        self._start: Callable[[], Span]  # where to point if nothing more precise is known
        self.parse_ns = self.compile_ns = 0
        group = None if imports or program.watch else program.document(text)
        if group is None:
            self._compile(text, imports)
            return
        # A rule's document and nothing else, as most queries are: there is nothing to compile.
        code = program._code(program._replaced)
        index = group.index

        document = code.linked.functions[index]

        def run(state: State, out: list[Any]) -> list[Any]:
            value = document(state)
            if value is not UNDEFINED:
                out.append((to_json(value),))
            return out

        self._run = run
        self._linked = code.linked
        self._origins = {"<rego>": code.origins}
        self._names: list[str] = []
        self._places = [(text, Span("query", 1, 1, len(text)))]
        self._last = 0
        self._sources = program.sources
        self._start = lambda: _first_place(program, text)

    def _compile(self, text: str, imports: Sequence[str]) -> None:
        program = self.program
        program.complete()
        started = time.perf_counter_ns()
        module = parse_query(text, program.version)
        self.parse_ns = time.perf_counter_ns() - started
        for line in imports:
            module.imports.extend(
                parse_module("imports", f"package q\nimport {line}", program.version).imports
            )
        sources = {**program.sources, module.file: text}
        definition = rules.Definition(module, module.rules[0], [])
        errors: list[Diagnostic] = []
        program._resolve(module, [definition], errors)
        _refuse(errors, sources)
        _refuse(program._types.query(module, definition.body), sources)
        replaced = program._replaced | _replaced([definition])
        code = program._code(replaced)
        unit = Unit("<query>")
        compiler = program._compiler(unit, replaced, sources)
        compiler.sites = list(code.linked.sites)
        compiler.nodes = list(code.linked.nodes)
        with _stack(module, 0, sources):
            values, variables = _emit(compiler, unit, module, definition.body)
        space = dict(code.namespace)
        unit.load(space, framing(program.watch, compiler.frames))
        solve = space["q"]
        self._run = lambda state, out: [tuple(map(to_json, solution)) for solution in solve(state, out)]
        self._linked = replace(code.linked, nodes=compiler.nodes, sites=compiler.sites, sources=sources)
        self._origins = {"<rego>": code.origins, "<query>": unit.origins}
        self._names = variables
        self._places = [(text[expr.at : expr.end], module.span(expr.at)) for expr in values]
        self._last = len(values) - 1
        self._sources = sources
        self._start = lambda: Span("query", 1, 1)
        self.compile_ns = time.perf_counter_ns() - started - self.parse_ns

    def _solutions(
        self,
        input: Any = UNDEFINED,
        data: Any = None,
        strict_builtin_errors: bool = False,
        budget: Budget = Budget(),
        now_ns: int | None = None,
        allowed_hosts: frozenset[str] = frozenset(),
        runtime: Mapping[str, Any] | None = None,
        prints: list[str] | None = None,
        notes: list[str] | None = None,
        covered: set[Any] | None = None,
    ) -> list[tuple[Any, ...]]:
        options = _DEFAULT
        listens = prints is not None or notes is not None or covered is not None
        if strict_builtin_errors or allowed_hosts or runtime or listens:
            options = Options(allowed_hosts, runtime or {}, strict_builtin_errors, prints, notes, covered)
        run = Run(budget, options, time.time_ns() if now_ns is None else now_ns)
        return self.solve(State(self._linked, run, input, self.program.data if data is None else data))

    def solve(self, state: State) -> list[tuple[Value, ...]]:
        """Every solution in a state, as JSON has it. Raises RegoError."""
        run = state.run
        thread = get_ident()
        running[thread] = run
        try:
            return self._run(state, [])
        except RegoError as error:
            raise self._with_sources(error) from None
        except BudgetExceeded as error:
            raise self._stopped(EVAL_CANCEL_ERROR, str(error)) from None
        except RecursionError:
            problem = "the document or the policy is nested too deeply"
            raise self._stopped(EVAL_INTERNAL_ERROR, problem) from None
        except MemoryError:
            exceeded = BudgetExceeded("ran out of memory", run.steps, run.seconds)
            raise self._stopped(EVAL_CANCEL_ERROR, str(exceeded)) from None
        except (ArithmeticError, LookupError, TypeError, ValueError, AttributeError) as error:
            problem = f"{type(error).__name__}: {error}"
            if isinstance(error, OverflowError) or "integer string conversion" in problem:
                problem = "a number is too large"
            raise self._stopped(EVAL_INTERNAL_ERROR, problem) from error
        finally:
            del running[thread]

    def _stopped(self, code: str, problem: str) -> EvalError:
        return EvalError(code, problem, self._where(), self._sources)

    def _with_sources(self, error: RegoError) -> RegoError:
        error.sources = {**self._sources, **error.sources}
        return error

    def _where(self) -> Span:
        """The place in the policy that the exception being handled comes from."""
        span = self._start()
        trace = sys.exc_info()[2]
        while trace is not None:
            origins = self._origins.get(trace.tb_frame.f_code.co_filename)
            if origins is not None and trace.tb_lineno <= len(origins):
                origin = origins[trace.tb_lineno - 1]
                span = origin() if origin is not None else span
            trace = trace.tb_next
        return span

    def evaluate(
        self,
        input: Any = UNDEFINED,
        data: Any = None,
        strict_builtin_errors: bool = False,
        budget: Budget = Budget(),
        now_ns: int | None = None,
        allowed_hosts: frozenset[str] = frozenset(),
        runtime: Mapping[str, Any] | None = None,
        prints: list[str] | None = None,
        notes: list[str] | None = None,
        covered: set[Any] | None = None,
    ) -> Any:
        """The value of the query's last expression in its first solution, as JSON, or UNDEFINED.

        - ``data``: base documents for this evaluation, in place of the program's
        - ``strict_builtin_errors``: errors of built-ins end the evaluation
        - ``budget``, ``now_ns``, ``allowed_hosts``, ``runtime``: see Budget and the built-ins' Context
        - ``prints``, ``notes``, ``covered``: filled with what ``print`` and ``trace`` said, and (file, row)
          of the lines reached

        Raises RegoError (its code says what happened; ``eval_cancel_error``: the budget was exceeded).
        """
        solutions = self._solutions(
            input, data, strict_builtin_errors, budget, now_ns, allowed_hosts, runtime, prints, notes, covered
        )
        return solutions[0][self._last] if solutions else UNDEFINED

    def bindings(self, input: Any = UNDEFINED, **settings: Any) -> list[dict[str, Any]]:
        """For every solution, name -> value of the query's variables."""
        return [result["bindings"] for result in self.results(input, **settings)]

    def results(self, input: Any = UNDEFINED, **settings: Any) -> list[dict[str, Any]]:
        """For every solution, ``{"expressions": [{value, text, location}], "bindings": {…}}``."""
        out: list[dict[str, Any]] = []
        for values in self._solutions(input, **settings):
            count = len(self._places)
            out.append(
                {
                    "expressions": [
                        {"value": value, "text": text, "location": {"row": span.row, "col": span.column}}
                        for value, (text, span) in zip(values[:count], self._places, strict=True)
                    ],
                    "bindings": dict(zip(self._names, values[count:], strict=True)),
                }
            )
        return out


class Session:
    """Documents of a program for one input. What rules work out for one of them, the others share.

    ``budget`` is that of each document; not for several threads at once.
    """

    def __init__(
        self,
        program: Program,
        input: Any,
        data: Any,
        *,
        budget: Budget = Budget(),
        now_ns: int | None = None,
        allowed_hosts: frozenset[str] = frozenset(),
    ) -> None:
        self._program = program
        self._budget = budget
        self._options = Options(allowed_hosts) if allowed_hosts else _DEFAULT
        run = Run(budget, self._options, time.time_ns() if now_ns is None else now_ns)
        self._state = State(program.code.linked, run, input, data)

    def evaluate(self, document: str) -> Any:
        """The value of a document that rules define, such as ``data.main.deny``, as JSON has it, or UNDEFINED.

        Raises RegoError, and KeyError where no rule defines it.
        """
        if self._program.document(document) is None:
            raise KeyError(document)
        before = self._state.run
        self._state.run = Run(self._budget, self._options, before.now_ns)
        self._state.run.cache = before.cache
        solutions = self._program.prepare(document).solve(self._state)
        return solutions[0][0] if solutions else UNDEFINED
