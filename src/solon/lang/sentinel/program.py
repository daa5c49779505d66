"""Compiling Sentinel and asking the compiled program."""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from threading import get_ident
from types import TracebackType
from typing import Any, Final

from solon.lang.budget import Budget, BudgetExceeded, running
from solon.lang.emit import readable
from solon.lang.sentinel import ast, choices
from solon.lang.sentinel.check import check
from solon.lang.sentinel.compile import NAMESPACE, Compiler
from solon.lang.sentinel.operators import shown_type
from solon.lang.sentinel.parser import parse
from solon.lang.sentinel.result import Call, Outcome, Result, RuleValue
from solon.lang.sentinel.runtime import UNSET, Globals, Rule, Run, copied, force
from solon.lang.sentinel.scopes import Scopes
from solon.lang.sentinel.values import Failure, Opening, Undefined, Value
from solon.lang.source import Span

_STACK: Final = 6_000  # frames of Python that functions calling themselves may need
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
    file = parse(source.text, source.file)
    check(file, imports)
    return Program(file)


class Program:
    """A compiled policy or module. Evaluations share nothing, so it may be used from many threads."""

    def __init__(self, file: ast.File) -> None:
        self.file = file
        self.name = file.name
        scopes = Scopes(file)
        compiler = Compiler(file, scopes)
        compiler.compile()
        self.changes, self.changes_foreign = scopes.changes, scopes.changes_foreign
        self.exports: Mapping[str, int] = compiler.exports
        self._compiler = compiler
        self._blank = compiler.blank
        self._namespace: dict[str, Any] = {**NAMESPACE}
        compiler.unit.load(self._namespace)
        self._namespace["ORIGINS"] = compiler.unit.origins
        self._namespace["TITLES"] = compiler.titles

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
        unit = self._compiler.unit
        return readable(unit.source, unit.constants, self._compiler.titles)

    # --- evaluating

    def instance(self, run: Run) -> Globals:
        """Evaluate as a module of an evaluation; gives its variables."""
        if self.file.params:
            raise Failure(f"a module has no params: {self.file.params[0].name.name}")
        g = self._blank.copy()
        g[0] = run
        self._namespace["f0"](g)
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
    ) -> Result:
        """Evaluate the policy.

        ``imports`` gives for each path what it stands for: an Opening (called with its configuration of
        ``configs``), a Program (a module, or a mock), or a value (static data). Of a path that is not there, such as
        ``people/names``, the first part may be static data that is gone into.
        """
        imports = imports or {}
        run = Run(budget or Budget(), imports, configs or {}, allowed_hosts, now_ns)
        for program in (self, *(each for each in imports.values() if isinstance(each, Program))):
            run.changing = run.changing or program.changes
            run.owning = run.owning or program.changes_foreign
        g = self._blank.copy()
        g[0] = run
        given = {name: value for name, value in (params or {}).items() if name in self.params}
        for name, value in {**(globals or {}), **given}.items():
            if name in self.exports:
                g[self.exports[name]] = copied(value) if run.changing else value
        if sys.getrecursionlimit() < _STACK and self._compiler.loops:
            sys.setrecursionlimit(_STACK)
        thread = get_ident()
        around = running.get(thread)
        running[thread] = run
        try:
            self._namespace["f0"](g)
            main = self._main(g)
        except (Failure, BudgetExceeded, RecursionError, MemoryError) as error:
            return self._failed(error, g)
        finally:
            if around is None:
                del running[thread]
            else:
                running[thread] = around
        outcome = _outcome(main)
        if outcome == "error":
            failure = Failure(f"main must not be {shown_type(main)}", self._span_of_main())
            return Result("error", main, self._rules(g), tuple(run.output), failure=failure)
        undefined = main if type(main) is Undefined else None
        return Result(outcome, main, self._rules(g), tuple(run.output), undefined)

    def _main(self, g: Globals) -> Value:
        value = g[self.exports["main"]] if "main" in self.exports else UNSET
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
        else:
            failure = Failure("out of memory", span)
        return Result("error", None, self._rules(g), tuple(g[0].output), failure=failure, calls=calls)


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
