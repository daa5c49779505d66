"""Compiled code that says what it does: variants of the emitter, for a profile and for a trace.

They are chosen when a program is compiled; code that is compiled without them has nothing of theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from solon.lang.profile import Profile, Site
from solon.lang.rego import ast
from solon.lang.rego.body import BodyEmitter
from solon.lang.rego.emitter import Sought
from solon.lang.rego.show import term_text
from solon.lang.source import Span
from solon.lang.trace import Part, Trace

Watch = Profile | Trace

NAME: Final = "W"  # what compiled code calls its profile or trace


def emitter_for(watch: Watch | None) -> type[BodyEmitter]:
    if watch is None:
        return BodyEmitter
    return TracingEmitter if isinstance(watch, Trace) else ProfilingEmitter


def framing(
    watch: Watch | None, frames: Mapping[str, tuple[str, Span, bool]]
) -> Callable[[dict[str, Any]], None] | None:
    """What lets the functions of a unit say when they begin and end."""
    if watch is None:
        return None

    def frame(namespace: dict[str, Any]) -> None:
        namespace[NAME] = watch
        for name, (rule, span, is_rule) in frames.items():
            function = namespace[name]
            if isinstance(watch, Trace):
                framed = watch.framed(function, rule, span, is_rule=is_rule)
            else:
                framed = watch.framed(function)
            framed.__name__ = name
            namespace[name] = framed

    return frame


def is_written(expr: ast.Expr) -> bool:
    """Whether an expression is there in the text: a rule without a body gets one."""
    return expr.end > expr.at


class _Watching(BodyEmitter):
    """What both variants need: the rule at hand, the text of an expression, the frames."""

    def begin_rule(self, at: int) -> None:
        self.compiler.frames[self.function.name] = (self.compiler.rule, self.module.span(at), True)

    def lift(
        self, prefix: str, used: Iterable[ast.Term], failure: str, domain: str = ""
    ) -> tuple[BodyEmitter, str]:
        inner, call = super().lift(prefix, used, failure, domain)
        origin = self.function.origin
        span = origin() if origin is not None else self.module.span(0)
        self.compiler.frames[inner.function.name] = (self.compiler.rule, span, False)
        return inner, call

    def written(self, expr: ast.Expr) -> Site:
        text = " ".join(self.module.text[expr.at : expr.end].split())
        return Site(self.compiler.rule, self.module.span(expr.at, expr.end - expr.at), text)

    def head(self, at: int, terms: Sequence[ast.Term]) -> Site:
        text = ", ".join(term_text(term, self.module.package) for term in terms)
        return Site(self.compiler.rule, self.module.span(at), text or self.compiler.rule)


# --- profile


@dataclass(frozen=True, slots=True, eq=False)
class Loop:
    """A loop over a collection, and what stood around it when it was compiled.

    ``before`` are the expressions before it, those of the bodies around it first; ``after`` those behind it
    in its own body. ``sought`` are the paths by which only some elements are visited: a join. ``how`` is what
    opens it: ``values``, ``items``, ``walk`` or ``every``.
    """

    how: str
    site: Site
    module: ast.Module
    statement: ast.Statement
    before: tuple[ast.Expr, ...]
    after: tuple[ast.Expr, ...]
    sought: tuple[tuple[str, ...], ...]
    known: frozenset[str]


@dataclass(frozen=True, slots=True, eq=False)
class Expression:
    """An expression that was compiled, with the one before it in its body."""

    site: Site
    module: ast.Module
    expr: ast.Expr
    before: tuple[ast.Expr, ...]


class ProfilingEmitter(_Watching):
    """Says of each expression that it begins; notes loops, for advice."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.around: tuple[ast.Expr, ...] = ()  # the expressions before this body, in those around it
        self.before: list[ast.Expr] = []
        self.current: ast.Expr | None = None

    def _begin(self, site: Site) -> None:
        number = self.compiler.profile.site(site)
        self.function.add(f"{NAME}.begin(s.run, {number})")

    def expr(self, expr: ast.Expr) -> None:
        self.at(expr.at, expr.end - expr.at)
        if is_written(expr):
            self._expression(expr)
        super().expr(expr)
        self.before.append(expr)

    def answer(self, expr: ast.Expr, term: ast.Term, *, may_be_false: bool) -> str:
        self.at(expr.at, expr.end - expr.at)
        self._expression(expr)
        held = super().answer(expr, term, may_be_false=may_be_false)
        self.before.append(expr)
        return held

    def _expression(self, expr: ast.Expr) -> None:
        site = self.written(expr)
        self._begin(site)
        self.current = expr
        found = Expression(site, self.module, expr, (*self.around, *self.before))
        self.compiler.profile.notes.append(found)

    def begin_head(self, at: int, terms: Sequence[ast.Term]) -> None:
        self.current = None
        if any(not isinstance(term, ast.Scalar | ast.Var) for term in terms):
            self._begin(self.head(at, terms))

    def lift(
        self, prefix: str, used: Iterable[ast.Term], failure: str, domain: str = ""
    ) -> tuple[BodyEmitter, str]:
        inner, call = super().lift(prefix, used, failure, domain)
        assert isinstance(inner, ProfilingEmitter)
        inner.around = (*self.around, *self.before)
        inner.current = self.current
        return inner, call

    def elements(self, how: str, base: str, sought: Sought | None) -> str:
        self._loop(how, sought)
        return super().elements(how, base, sought)

    def walk_loop(self, call: ast.Call) -> tuple[str, str]:
        self._loop("walk", None)
        return super().walk_loop(call)

    def every(self, statement: ast.Every) -> None:
        self._loop("every", None)
        super().every(statement)

    def _loop(self, how: str, sought: Sought | None) -> None:
        if self.current is None:
            return
        loop = Loop(
            how,
            self.written(self.current),
            self.module,
            self.current.statement,
            (*self.around, *self.before),
            tuple(self.rest),
            sought.paths if sought is not None else (),
            frozenset(self.environment),
        )
        self.compiler.profile.notes.append(loop)


# --- trace


class TracingEmitter(_Watching):
    """Says of each expression when it begins and holds, and what its parts are.

    Nothing is left out: no join, no table of constants. What is traced is the policy as it is written.
    """

    detailed = True

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.number = -1  # of the expression, or head, that is being written

    def expr(self, expr: ast.Expr) -> None:
        if not is_written(expr):
            super().expr(expr)
            return
        self.at(expr.at, expr.end - expr.at)
        number = self._begin(self.written(expr))
        super().expr(expr)
        self.function.add(f"{NAME}.held({number})")

    def answer(self, expr: ast.Expr, term: ast.Term, *, may_be_false: bool) -> str:
        self.at(expr.at, expr.end - expr.at)
        number = self._begin(self.written(expr))
        held = super().answer(expr, term, may_be_false=may_be_false)
        self.function.add(f"{NAME}.held({number})")
        return held

    def _begin(self, site: Site) -> int:
        number = self.number = self.compiler.trace.site(site)
        self.function.add(f"{NAME}.begin({number})")
        return number

    def begin_head(self, at: int, terms: Sequence[ast.Term]) -> None:
        self.number = self.compiler.trace.site(self.head(at, terms), head=True)
        self.function.add(f"{NAME}.begin({self.number})")

    def end_head(self) -> None:
        self.function.add(f"{NAME}.held({self.number})")

    def lift(
        self, prefix: str, used: Iterable[ast.Term], failure: str, domain: str = ""
    ) -> tuple[BodyEmitter, str]:
        inner, call = super().lift(prefix, used, failure, domain)
        assert isinstance(inner, TracingEmitter)
        inner.number = self.number
        return inner, call

    # --- parts of an expression

    def value(self, term: ast.Term) -> str:
        match term:
            case ast.Var():
                held = super().value(term)
                if not term.name.endswith("'t") and term.name != "input":
                    self._seen(self._part(Part(term.shown)), held)
                return held
            case ast.Ref() | ast.Call() | ast.Comprehension():
                part = self._asked(term)
                held = super().value(term)
                self._seen(part, held)
                return held
            case _:
                return super().value(term)

    def read(self, ref: ast.Ref) -> str:
        part = self._asked(ref)
        held = super().read(ref)
        self._seen(part, held)
        return held

    def _asked(self, term: ast.Term) -> int:
        text = term_text(term, self.module.package)
        if not isinstance(term, ast.Ref) or not isinstance(term.head, ast.Var):
            part = self._part(Part(text))
            self.function.add(f"{NAME}.asked({self.number}, {part})")
            return part
        names = []
        for each in term.path:
            if not isinstance(each, ast.Scalar) or type(each.value) is not str:
                break
            names.append(each.value)
        head = term.head
        if head.name == "input":
            part, root = self._part(Part(text, "input", tuple(names))), f"{self.state}.input"
        elif head.name in self.environment:
            part, root = self._part(Part(text, head.shown, tuple(names))), self.environment[head.name]
        else:
            part, root = self._part(Part(text)), "U"
        self.function.add(f"{NAME}.asked({self.number}, {part}, {root})")
        return part

    def _part(self, part: Part) -> int:
        return self.compiler.trace.part(part)

    def _seen(self, part: int, held: str) -> None:
        self.function.add(f"{NAME}.seen({self.number}, {part}, {held})")

    # --- nothing is left out

    def seek(self, var: ast.Term) -> None:
        pass

    def sought_in(self, term: ast.Term, _value: str) -> str:
        return self.value(term)
