"""Compiling Sentinel and asking the compiled program."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from threading import get_ident
from types import TracebackType
from typing import Any, Final

from solon.lang.budget import Budget, BudgetExceeded, running
from solon.lang.emit import readable
from solon.lang.sentinel import ast, choices, tracking
from solon.lang.sentinel.body import Body
from solon.lang.sentinel.check import check
from solon.lang.sentinel.compile import NAMESPACE, Compiler
from solon.lang.sentinel.errors import CHECK_ERROR, SentinelError
from solon.lang.sentinel.operators import shown_type
from solon.lang.sentinel.parser import parse, parse_fast
from solon.lang.sentinel.reasons import MOST, Reasons, distinct, forced, whole
from solon.lang.sentinel.result import Call, Element, Outcome, Result, RuleValue
from solon.lang.sentinel.runtime import UNSET, Globals, Rule, Run, copied, force
from solon.lang.sentinel.scopes import Scopes
from solon.lang.sentinel.stack import room
from solon.lang.sentinel.values import Failure, Opening, Undefined, Value
from solon.lang.source import Diagnostic, Span

_STOPS: Final = (
    Failure,
    BudgetExceeded,
    RecursionError,
    MemoryError,
    OverflowError,
)  # what ends an evaluation
_MOST_CALLS: Final = 100  # of a failure that are told


@dataclass(frozen=True, slots=True)
class Source:
    """The text of a policy or module, and the name of its file."""

    text: str
    file: str


def compile(source: Source, *, imports: Collection[str] | None = None) -> Program:
    """Compile a policy or module. Raises SentinelError with every error found.

    ``imports`` are the imports there are; another one is then an error. None: they are not known yet.
    """
    try:
        file = parse_fast(source.text, source.file)
        check(file, imports)
        program = Program(file)
        return program if not program.code.hides_words else Program(parse(source.text, source.file))
    except RecursionError:  # who calls is nested deeply, too
        hint = "make parts of it functions or rules of their own"
        error = Diagnostic(CHECK_ERROR, "nested too deeply", Span(source.file, 1, 1), hint)
        raise SentinelError([error], {source.file: source.text}) from None


class Code:
    """The Python of a file."""

    def __init__(self, file: ast.File, body: type[Body] = Body, names: Mapping[str, Any] = NAMESPACE) -> None:
        scopes = Scopes(file)
        compiler = Compiler(file, scopes, body)
        compiler.compile()
        self.unit = compiler.unit
        self.titles = compiler.titles
        self.blank = compiler.blank
        self.exports: Mapping[str, int] = compiler.exports
        self.companions: Mapping[str, int] = compiler.companions
        self.changes, self.changes_foreign = scopes.changes, scopes.changes_foreign
        self.changes_kept = scopes.changes_kept
        self.hides_words = scopes.hides_words
        self.is_recursive = bool(compiler.loops)
        self.is_data = not scopes.scopes  # nothing but assignments of values
        namespace: dict[str, Any] = {**names, "ORIGINS": (), "TITLES": compiler.titles}
        compiler.unit.load(namespace)
        namespace["ORIGINS"] = compiler.unit.origins
        self.run: Callable[[Globals], None] = namespace["f0"]


class Program:
    """A compiled policy or module. Evaluations share nothing, so it may be used from many threads."""

    def __init__(self, file: ast.File) -> None:
        self.file = file
        self.name = file.name
        self.code = Code(file)
        self.exports = self.code.exports

    @cached_property
    def tracked(self) -> Code:
        """Code that keeps the reasons of what it computes. Raises SentinelError where it nests too deeply."""
        if self.code.is_data:
            return self.code
        try:
            return Code(self.file, tracking.Tracking, {**NAMESPACE, **tracking.NAMESPACE})
        except SyntaxError:  # Python nests no more than 20 blocks, and this takes two for each loop
            raise SentinelError([]) from None

    @property
    def description(self) -> str:
        return self.file.description

    @property
    def rules(self) -> tuple[str, ...]:
        """The names of the rules of the file."""
        found = (each for each in self.file.statements if isinstance(each, ast.Assign))
        return tuple(dict.fromkeys(each.value.name for each in found if isinstance(each.value, ast.Rule)))

    @property
    def params(self) -> Mapping[str, ast.Param]:
        return {param.name.name: param for param in self.file.params}

    def dump(self) -> str:
        """The generated Python, for people."""
        unit = self.code.unit
        return readable(unit.source, unit.constants, self.code.titles)

    # --- evaluating

    def instance(self, run: Run) -> Globals:
        """Evaluate as a module of an evaluation; gives its variables."""
        if self.file.params:
            raise Failure(f"a module has no params: {self.file.params[0].name.name}")
        code = self.code if run.reasons is None else self.tracked
        g = code.blank.copy()
        g[0] = run
        code.run(g)
        return g

    def evaluate(
        self,
        *,
        imports: Mapping[str, Opening | Program | Value] | None = None,
        configs: Mapping[str, Mapping[str, Value]] | None = None,
        params: Mapping[str, Value] | None = None,
        globals: Mapping[str, Value] | None = None,
        allowed_hosts: frozenset[str] = frozenset(),
        budget: Budget | None = None,
        now_ns: int = 0,
        explain: bool = True,
    ) -> Result:
        """Evaluate the policy.

        ``imports`` gives for each path what it stands for: an Opening (called with its configuration of
        ``configs``), a Program (a module, or a mock), or a value (static data). Of a path that is not there, such as
        ``people/names``, the first part may be static data that is gone into.

        With ``explain``, a policy that does not pass is evaluated once more, to tell which elements made it fail.
        """
        imports = imports or {}
        given = {name: value for name, value in (params or {}).items() if name in self.params}
        values = {**(globals or {}), **given}

        def new_run() -> Run:
            return Run(budget or Budget(), imports, configs or {}, allowed_hosts, now_ns)

        run = new_run()
        g = self._globals(run, self.code, values)
        try:
            with _running(run):
                self.code.run(g)
                main = self._main(g, self.code)
        except _STOPS as error:
            return self._failed(error, g)
        outcome = _outcome(main)
        if outcome == "error":
            failure = Failure(f"main must not be {shown_type(main)}", self._span_of_main())
            return Result("error", main, self._rules(g), tuple(run.output), failure=failure)
        undefined = main if type(main) is Undefined else None
        failed: tuple[Element, ...] = ()
        if explain and outcome != "pass" and "http" not in run.opened:
            failed, told = self._explained(new_run(), values, outcome)
            if undefined is not None and undefined.at is None and type(told) is Undefined:
                undefined = told
        return Result(outcome, main, self._rules(g), tuple(run.output), undefined, failed=failed)

    def _globals(self, run: Run, code: Code, values: Mapping[str, Value]) -> Globals:
        """The variables of an evaluation that is about to begin."""
        for program in (self, *(each for each in run.imports.values() if isinstance(each, Program))):
            run.changing = run.changing or program.code.changes
            run.owning = run.owning or program.code.changes_foreign
            run.recursive = run.recursive or program.code.is_recursive
        g = code.blank.copy()
        g[0] = run
        for name, value in values.items():
            if name in code.exports:
                g[code.exports[name]] = copied(value) if run.changing else value
        return g

    def _explained(
        self, run: Run, values: Mapping[str, Value], outcome: Outcome
    ) -> tuple[tuple[Element, ...], Value]:
        """The elements that made ``main`` what it is, none where that cannot be told; and ``main``."""
        reasons = run.reasons = Reasons()
        try:
            code = self.tracked
            g = self._globals(run, code, values)
            with _running(run):
                code.run(g)
                main = g[code.exports["main"]]
                if type(main) is Rule:
                    main, why = forced(reasons, main)
                else:
                    why = g[code.companions["main"]] if "main" in code.companions else ()
                if _outcome(main) != outcome:
                    return (), None
                return tuple(islice(distinct(whole(reasons, main, why)), MOST)), main
        except (*_STOPS, SentinelError):
            return (), None

    def _main(self, g: Globals, code: Code) -> Value:
        value = g[code.exports["main"]] if "main" in code.exports else UNSET
        if value is UNSET:
            if choices.MAIN_MISSING == "error":
                raise Failure("the policy has no main", Span(self.name, 1, 1))
            return Undefined("the policy has no main", Span(self.name, 1, 1))
        return force(value) if type(value) is Rule else value

    def _span_of_main(self) -> Span | None:
        for each in self.file.statements:
            if (
                isinstance(each, ast.Assign)
                and isinstance(each.target, ast.Name)
                and each.target.name == "main"
            ):
                return self.file.span(each.at, each.end)
        return None

    def _rules(self, g: Globals) -> dict[str, RuleValue]:
        """The rules of the file that were evaluated, and main."""
        found: dict[str, RuleValue] = {}
        for rule in g[0].forced:
            if rule.g is g:
                name, span, at = rule.about
                found[name] = RuleValue(name, rule.value, span, self.file.comment_before(at))
        return found

    def _failed(self, error: BaseException, g: Globals) -> Result:
        span, calls = _where(error.__traceback__)
        if isinstance(error, Failure):
            failure = error if error.at is not None else Failure(error.message, span)
        elif isinstance(error, BudgetExceeded):
            failure = Failure(str(error), span)
        elif isinstance(error, RecursionError):
            failure = Failure(f"more than {choices.MOST_CALLS} functions or values in one another", span)
        elif isinstance(error, OverflowError):
            failure = Failure("a number is too large", span)
        else:
            failure = Failure("out of memory", span)
        return Result("error", None, self._rules(g), tuple(g[0].output), failure=failure, calls=calls)


@contextmanager
def _running(run: Run) -> Iterator[None]:
    """What walks values charges this evaluation."""
    thread = get_ident()
    around = running.get(thread)
    running[thread] = run
    try:
        with room() if run.recursive else nullcontext():
            yield
    finally:
        if around is None:
            del running[thread]
        else:
            running[thread] = around


def _outcome(main: Value) -> Outcome:
    kind = type(main)
    if kind is Undefined:
        return "undefined"
    if kind is bool:
        return "pass" if main else "fail"
    if kind in (str, int, float, list, dict):
        return "fail" if main else "pass"
    return "error"


def _where(traceback: TracebackType | None) -> tuple[Span | None, tuple[Call, ...]]:
    """The place of an error, and the functions it happened in, the innermost first."""
    places: list[tuple[str, Span]] = []
    while traceback is not None:
        origins = traceback.tb_frame.f_globals.get("ORIGINS")
        if origins is not None:
            origin = origins[traceback.tb_lineno - 1]
            if origin is not None:
                titles = traceback.tb_frame.f_globals["TITLES"]
                places.append((titles.get(traceback.tb_frame.f_code.co_name, ""), origin()))
        traceback = traceback.tb_next
    if not places:
        return None, ()
    calls = [Call(places[n][0], places[n - 1][1]) for n in range(len(places) - 1, 0, -1) if places[n][0]]
    return places[-1][1], tuple(calls[:_MOST_CALLS])
