"""Queries to a compiled program, and sessions in which documents share what they work out."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from threading import get_ident
from typing import TYPE_CHECKING, Any

from solon.lang.budget import Budget, BudgetExceeded, running
from solon.lang.emit import Unit
from solon.lang.rego import ast, rules
from solon.lang.rego.compile import Compiler
from solon.lang.rego.dependencies import replacements
from solon.lang.rego.errors import (
    EVAL_CANCEL_ERROR,
    EVAL_INTERNAL_ERROR,
    EvalError,
    RegoError,
    enough_stack,
    refuse,
)
from solon.lang.rego.parser import parse_module, parse_query
from solon.lang.rego.runtime import Options, Run, State
from solon.lang.rego.safety import TAKEN, variables
from solon.lang.rego.trace import framing
from solon.lang.source import Diagnostic, Span
from solon.lang.values import UNDEFINED, Value, to_json

if TYPE_CHECKING:
    from solon.lang.rego.program import Program

_DEFAULT = Options()

# A document may nest as deeply as parsers allow (about a thousand levels), and walking it takes up to three frames
# of Python a level; rules may build on each other as far.
sys.setrecursionlimit(max(sys.getrecursionlimit(), 4_000))


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
        code = program.code
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
        program.resolve(module, [definition], errors)
        refuse(errors, sources)
        refuse(program.types.query(module, definition.body), sources)
        changed = program.replaced | replacements([definition])
        code = program.code_for(changed)
        unit = Unit("<query>")
        compiler = program.compiler_for(unit, changed, sources)
        compiler.sites = list(code.linked.sites)
        compiler.nodes = list(code.linked.nodes)
        with enough_stack(module, 0, sources):
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


def _first_place(program: Program, name: str) -> Span:
    program.complete()
    group = program.document(name)
    assert group is not None
    return group.all[0].module.span(group.all[0].rule.head.at)
