"""The order in which a body's expressions run, so that every variable has a value when it is needed.

An expression is ready when what it reads is bound. Some of its variables it binds itself: the index of
``xs[i]``, the variables of a pattern it unifies with a value. Expressions run in the order written, each as
soon as it is ready; one that never becomes ready has an unsafe variable.
(Policy language reference, "Safety" and "Negation".)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from solon.lang.rego import ast
from solon.lang.rego.errors import UNSAFE_VAR_ERROR
from solon.lang.rego.resolve import BUILTIN, walk_all
from solon.lang.rego.rules import Definition
from solon.lang.source import Diagnostic

_ROOTS = frozenset(["input", "data", BUILTIN])


class Sorter:
    """Orders the bodies of one module in place; unsafe variables go to ``errors``."""

    def __init__(self, module: ast.Module, errors: list[Diagnostic]) -> None:
        self.module = module
        self.errors = errors

    def definition(self, definition: Definition) -> None:
        args = set(names(definition.args))
        bound = set(args)
        head = [*definition.rest, *ast.present(definition.key, definition.value)]
        bound = self.body(definition.body, bound, set())
        for term in head:
            # `p[x]` without a body: x must come from somewhere.
            self.require(term, bound)
        for branch in definition.elses:
            after = self.body(branch.body, set(args), set())
            if branch.value is not None:
                self.require(branch.value, after)

    def require(self, term: ast.Term, bound: set[str]) -> None:
        modes = Modes(bound, bound)
        modes.read(term)
        self.unsafe(modes.missing)
        self.closures([term], bound | modes.binds, bound)

    def unsafe(self, variables: Iterable[ast.Var]) -> None:
        for var in sorted(variables, key=lambda v: v.at):
            span = self.module.span(var.at, len(var.shown))
            diagnostic = Diagnostic(UNSAFE_VAR_ERROR, f"var {var.shown} is unsafe", span, _HINT)
            if diagnostic not in self.errors:
                self.errors.append(diagnostic)

    def body(self, body: list[ast.Expr], bound: set[str], outer: set[str]) -> set[str]:
        """Order ``body`` in place; returns what is bound behind it. ``outer``: names of enclosing bodies."""
        visible = outer | bound | direct_names(body)
        waiting = list(body)
        ordered: list[ast.Expr] = []
        bound = set(bound)
        while waiting:
            stuck: list[ast.Expr] = []
            for expr in waiting:
                modes = expr_modes(expr, bound, visible)
                if modes.missing:
                    stuck.append(expr)
                else:
                    self.expr_closures(expr, bound | modes.binds, visible)
                    bound |= modes.binds
                    ordered.append(expr)
            if len(stuck) == len(waiting):
                missing: dict[str, ast.Var] = {}
                # What a stuck expression would bind is not at fault: `x := f(y)` lacks y.
                fault = [var for expr in stuck for var in expr_modes(expr, bound, visible).missing]
                bindable = set().union(*(assigned(expr) for expr in stuck))
                for var in [v for v in fault if v.name not in bindable] or fault:
                    missing.setdefault(var.name, var)
                self.unsafe(missing.values())
                return bound | visible
            waiting = stuck
        body[:] = ordered
        return bound

    def expr_closures(self, expr: ast.Expr, bound: set[str], visible: set[str]) -> None:
        terms = [*ast.statement_terms(expr.statement), *(modifier.value for modifier in expr.withs)]
        self.closures(terms, bound, visible)
        if isinstance(expr.statement, ast.Every):
            every = expr.statement
            inner = bound | {var.name for var in (every.key, every.value) if var is not None}
            self.body(every.body, inner, visible)
        elif isinstance(expr.statement, ast.Logic):
            for operand in expr.statement.operands:
                self.body(operand, bound, visible)

    def closures(self, terms: Iterable[ast.Term], bound: set[str], visible: set[str]) -> None:
        for term in terms:
            if isinstance(term, ast.Comprehension):
                head = {n for part in (term.key, term.value) if part is not None for n in names([part])}
                inner = self.body(term.body, bound, visible | head)
                for part in ast.present(term.key, term.value):
                    self.require(part, inner)
            else:
                self.closures(ast.subterms(term), bound, visible)


_HINT = "bind it to a value first: with :=, with some … in …, or by unifying it with something known"


class Modes:
    """What reading terms needs and binds, given what is bound already."""

    def __init__(self, bound: set[str], visible: set[str]) -> None:
        self.bound = bound
        self.visible = visible
        self.missing: list[ast.Var] = []
        self.binds: set[str] = set()

    def known(self, name: str) -> bool:
        return name in self.bound or name in self.binds

    def read(self, term: ast.Term) -> None:
        """The term is evaluated."""
        match term:
            case ast.Scalar():
                return
            case ast.Var():
                if not self.known(term.name):
                    self.missing.append(term)
            case ast.Ref():
                if not (isinstance(term.head, ast.Var) and term.head.name in _ROOTS):
                    self.read(term.head)
                for part in term.path:
                    if isinstance(part, ast.Var | ast.Array | ast.Object):
                        self.bind(part)
                    else:
                        self.read(part)
            case ast.Comprehension():
                self.closure(walk_all([term], []))
            case _:
                for part in ast.subterms(term):
                    self.read(part)

    def closure(self, terms: Iterable[ast.Term]) -> None:
        """What a nested body shares with the bodies around it must be bound before."""
        for term in terms:
            shared = isinstance(term, ast.Var) and term.name in self.visible - _ROOTS
            if shared and isinstance(term, ast.Var) and not self.known(term.name):
                self.missing.append(term)

    def bind(self, term: ast.Term) -> None:
        """The term is a pattern that a value is matched with."""
        match term:
            case ast.Var():
                self.binds.add(term.name)
            case ast.Array():
                for item in term.items:
                    self.bind(item)
            case ast.Object():
                for k, v in term.pairs:
                    self.read(k)
                    self.bind(v)
            case _:
                self.read(term)

    def fork(self) -> Modes:
        other = Modes(self.bound, self.visible)
        other.binds = set(self.binds)
        return other

    def unify(self, left: ast.Term, right: ast.Term) -> bool:
        """Whether the two can be unified now; binds what that binds."""
        pairs = matching_parts(left, right)
        if pairs is not None:
            return self.unify_all(pairs)
        for value, pattern in ((right, left), (left, right)):
            trial = self.fork()
            trial.read(value)
            if not trial.missing:
                trial.bind(pattern)
                if not trial.missing and (trial.binds == self.binds or _may_match(pattern, value)):
                    self.binds = trial.binds
                    return True
        return False

    def unify_all(self, pairs: Sequence[tuple[ast.Term, ast.Term]]) -> bool:
        waiting = list(pairs)
        while waiting:
            stuck = [pair for pair in waiting if not self.unify(*pair)]
            if len(stuck) == len(waiting):
                return False
            waiting = stuck
        return True


def matching_parts(left: ast.Term, right: ast.Term) -> list[tuple[ast.Term, ast.Term]] | None:
    """The pairs to unify one by one when both sides are written out alike, otherwise None."""
    if isinstance(left, ast.Array) and isinstance(right, ast.Array) and len(left.items) == len(right.items):
        return list(zip(left.items, right.items, strict=True))
    if isinstance(left, ast.Object) and isinstance(right, ast.Object):
        left_keys, right_keys = _literal_keys(left), _literal_keys(right)
        if left_keys is not None and right_keys is not None and left_keys.keys() == right_keys.keys():
            return [(value, right_keys[name]) for name, value in left_keys.items()]
    return None


def _may_match(pattern: ast.Term, value: ast.Term) -> bool:
    """Whether a value of this form can give the variables of a pattern values; :func:`matching_parts` cannot."""
    match pattern, value:
        case ((ast.Array() | ast.Object()), (ast.Scalar() | ast.SetTerm())):
            return False
        case ast.Array(), (ast.Array() | ast.Object()):
            return False
        case ast.Object(), ast.Array():
            return False
        case ast.Object(), ast.Object():
            literal = _literal_keys(pattern) is not None and _literal_keys(value) is not None
            return len(pattern.pairs) == len(value.pairs) and not literal
        case _:
            return True


def _literal_keys(term: ast.Object) -> dict[str, ast.Term] | None:
    out: dict[str, ast.Term] = {}
    for key, value in term.pairs:
        if not isinstance(key, ast.Scalar) or type(key.value) is not str or key.value in out:
            return None
        out[key.value] = value
    return out


def expr_modes(expr: ast.Expr, bound: set[str], visible: set[str]) -> Modes:
    """What an expression needs and binds."""
    modes = Modes(bound, visible)
    for modifier in expr.withs:
        modes.read(modifier.value)
    statement = expr.statement
    match statement:
        case ast.TermExpr():
            modes.read(statement.term)
        case ast.Unify(operator="=="):
            # A comparison gives nothing a value, unlike `=` and `:=`; but `xs[i] == i` has one for i.
            first = modes.fork()
            first.read(statement.left)
            swap = bool(first.missing)
            for term in (statement.right, statement.left) if swap else (statement.left, statement.right):
                modes.read(term)
        case ast.Unify():
            if not modes.unify(statement.left, statement.right):
                trial = modes.fork()
                trial.read(statement.left)
                trial.read(statement.right)
                modes.missing = trial.missing or [
                    v for t in (statement.left, statement.right) for v in variables(t)
                ]
        case ast.SomeIn():
            modes.read(statement.domain)
            for pattern in ast.present(statement.key, statement.value):
                modes.bind(pattern)
        case ast.Every():
            modes.read(statement.domain)
            own = {var.name for var in (statement.key, statement.value) if var is not None}
            inner = Modes(bound | modes.binds | own, visible)
            inner.closure(walk_all([], [statement.body]))
            modes.missing += inner.missing
        case ast.Logic():
            for operand, implicit in zip(statement.operands, statement.implicit, strict=True):
                modes.closure(walk_all([], [operand]))
                for only in operand if implicit else []:
                    # One expression has no variables of its own.
                    binds = expr_modes(only, bound, visible).binds - bound
                    found = (v for t in ast.statement_terms(only.statement) for v in variables(t))
                    modes.missing += [var for var in found if var.name in binds]
        case ast.Some():
            pass
    if expr.negated:
        # Nothing leaves a negation, and nothing may be bound by it but by what surrounds it; but calls
        # that its operands consist of stand before it.
        before = Modes(bound, visible)
        for term in _operands(statement):
            if isinstance(term, ast.Call):
                before.read(term)
        modes.missing += [
            var for term in ast.statement_terms(statement) for var in variables(term)
            if var.name in modes.binds and var.name not in bound | before.binds
        ]  # fmt: skip
        modes.binds = before.binds
    return modes


def _operands(statement: ast.Statement) -> list[ast.Term]:
    if isinstance(statement, ast.TermExpr) and isinstance(statement.term, ast.Call):
        return statement.term.args
    return ast.statement_terms(statement) if isinstance(statement, ast.Unify) else []


def assigned(expr: ast.Expr) -> set[str]:
    """The variables that an assignment or an iteration declares."""
    match expr.statement:
        case ast.Unify(operator=":=", left=left):
            return names([left])
        case ast.SomeIn() as some:
            return names(ast.present(some.key, some.value))
        case _:
            return set()


def variables(term: ast.Term) -> list[ast.Var]:
    """The variables directly in a term, those of comprehensions left out."""
    out: list[ast.Var] = []
    stack = [term]
    while stack:
        at = stack.pop()
        if isinstance(at, ast.Var):
            if at.name not in _ROOTS:
                out.append(at)
        elif not isinstance(at, ast.Comprehension):
            stack.extend(ast.subterms(at))
    return out


def names(terms: Iterable[ast.Term]) -> set[str]:
    return {var.name for term in terms for var in variables(term)}


def direct_names(body: Sequence[ast.Expr]) -> set[str]:
    """Names of a body's own variables; those inside closures left out."""
    out: set[str] = set()
    for expr in body:
        terms = [*ast.statement_terms(expr.statement), *(modifier.value for modifier in expr.withs)]
        if isinstance(expr.statement, ast.Every):
            terms = [expr.statement.domain]
        out |= names(terms)
    return out
