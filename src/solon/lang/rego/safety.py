"""The order in which a body's expressions run, so that every variable has a value when it is needed.

An expression is ready when what it reads is bound. Some of its variables it binds itself: the index of
``xs[i]``, the variables of a pattern it unifies with a value. Expressions run in the order written, each as
soon as it is ready; one that never becomes ready has an unsafe variable.
(Policy language reference, "Safety" and "Negation".)
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from solon.lang.rego import ast
from solon.lang.rego.errors import COMPILE_ERROR, UNSAFE_VAR_ERROR
from solon.lang.rego.resolve import BUILTIN, prints, walk_all
from solon.lang.rego.rules import Definition
from solon.lang.source import Diagnostic
from solon.lang.values import equal

_ROOTS = frozenset(["input", "data", BUILTIN])


class Sorter:
    """Orders the bodies of one module in place; unsafe variables go to ``errors``."""

    def __init__(self, module: ast.Module, errors: list[Diagnostic]) -> None:
        self.module = module
        self.errors = errors
        self.fresh = 0

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

    def in_reading_order(self, expr: ast.Expr, bound: set[str]) -> list[ast.Expr]:
        """The expression; references that bind what it reads before them are taken out and stand first."""
        if expr.negated or _reads_in_order(expr.statement, bound):
            return [expr]

        def binds(term: ast.Term) -> bool:
            return isinstance(term, ast.Ref) and any(
                v.name not in bound for p in term.path for v in variables(p)
            )

        *taken, rest = self.apart(expr, binds)
        out: list[ast.Expr] = []
        known = set(bound)
        while taken:
            ready = next(
                (e for e in taken if _in_order(ast.statement_terms(e.statement)[1:], set(known))), taken[0]
            )
            taken.remove(ready)
            out.append(ready)
            known |= names(ast.statement_terms(ready.statement))
        return [*out, rest]

    def calls_apart(self, expr: ast.Expr) -> list[ast.Expr]:
        """The calls in an expression as expressions of their own, and the rest of it behind them."""
        if expr.negated or isinstance(expr.statement, ast.Logic):
            return [expr]
        top = expr.statement
        whole = (
            (top.term,)
            if isinstance(top, ast.TermExpr)
            else (top.right,)
            if isinstance(top, ast.Unify)
            else ()
        )
        keep = isinstance(top, ast.TermExpr) or (
            isinstance(top, ast.Unify) and (top.operator == "()" or isinstance(top.left, ast.Var))
        )
        places = [term.at for term in whole if keep]
        return self.apart(expr, lambda term: isinstance(term, ast.Call) and term.at not in places)

    def apart(self, expr: ast.Expr, takes: Callable[[ast.Term], bool]) -> list[ast.Expr]:
        """The expression behind those for the terms in it that are to be taken out."""
        taken: list[ast.Expr] = []

        def change(term: ast.Term) -> ast.Term:
            if not takes(term):
                return term
            self.fresh += 1
            var = ast.Var(f"{TAKEN}{self.fresh}", term.at)
            taken.append(ast.Expr(ast.Unify(var, term, ":="), expr.at, expr.end, False, expr.withs))
            return var

        statement = _rebuilt_statement(expr.statement, change)
        return [*taken, ast.Expr(statement, expr.at, expr.end, expr.negated, expr.withs)]

    def require(self, term: ast.Term, bound: set[str]) -> None:
        modes = Modes(bound, bound)
        modes.evaluate([term])
        self.unsafe(modes.missing)
        self.closures([term], bound | modes.binds, bound)

    def unsafe(self, variables: Iterable[ast.Var]) -> None:
        for var in sorted(variables, key=lambda v: v.at):
            span = self.module.span(var.at, len(var.shown))
            diagnostic = Diagnostic(UNSAFE_VAR_ERROR, f"var {var.shown} is unsafe", span, _HINT)
            if diagnostic not in self.errors:
                self.errors.append(diagnostic)

    def undeclared(self, variables: Iterable[ast.Var]) -> None:
        """What is only printed, or stands in a template, gets its value elsewhere."""
        for var in variables:
            span = self.module.span(var.at, len(var.shown))
            diagnostic = Diagnostic(COMPILE_ERROR, f"var {var.shown} is undeclared", span, _HINT)
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
                    ordered += self.in_reading_order(expr, bound)
                    bound |= modes.binds
            if len(stuck) == len(waiting):
                # Calls wait for themselves: what they stand in may give their operands values.
                apart = [part for expr in stuck for part in self.calls_apart(expr)]
                if len(apart) > len(stuck):
                    waiting = apart
                    continue
                missing: dict[str, ast.Var] = {}
                # What a stuck expression would bind is not at fault: `x := f(y)` lacks y.
                fault = [
                    var for expr in stuck for var in expr_modes(expr, bound, visible).missing if var.shown
                ]
                bindable = set().union(*(assigned(expr) for expr in stuck))
                for var in [v for v in fault if v.name not in bindable] or fault:
                    missing.setdefault(var.name, var)
                printed = {
                    var.name
                    for expr in stuck
                    if prints(expr)
                    for var in expr_modes(expr, bound, visible).missing
                }
                self.undeclared(var for var in missing.values() if var.name in printed)
                self.unsafe(var for var in missing.values() if var.name not in printed)
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
            elif isinstance(term, ast.Template):
                self.interpolated(term, bound)
                self.closures(ast.subterms(term), bound, visible)
            else:
                self.closures(ast.subterms(term), bound, visible)

    def interpolated(self, template: ast.Template, bound: set[str]) -> None:
        """The parts of a template are sets of what its expressions give: nothing iterates there."""
        for part in template.parts:
            if isinstance(part, ast.Comprehension):
                for expr in part.body:
                    statement = expr.statement
                    terms = (
                        [statement.right]
                        if isinstance(statement, ast.Unify)
                        else ast.statement_terms(statement)
                    )
                    self.undeclared(var for term in terms for var in variables(term) if var.name not in bound)


_HINT = "bind it to a value first: with :=, with some … in …, or by unifying it with something known"


class Modes:
    """What evaluating terms needs and binds, given what is bound already.

    Calls inside of terms run first, each on its own. What is left may use the variables in the paths of its
    references wherever they stand.
    """

    def __init__(self, bound: set[str], visible: set[str]) -> None:
        self.bound = bound
        self.visible = visible
        self.missing: list[ast.Var] = []
        self.binds: set[str] = set()

    def known(self, name: str) -> bool:
        return name in self.bound or name in self.binds

    def evaluate(self, terms: Sequence[ast.Term]) -> None:
        """The terms are evaluated."""
        self.calls(terms)
        self.settle([terms])

    def calls(self, terms: Iterable[ast.Term]) -> None:
        """The calls in the terms are evaluated."""
        self.settle([call.args for call in _calls(terms)])

    def settle(self, parts: Sequence[Sequence[ast.Term]]) -> None:
        """Each part is evaluated, as soon as what it needs is there."""
        waiting = list(parts)
        while waiting:
            stuck = [part for part in waiting if not self.take(part)]
            if len(stuck) == len(waiting):
                self.missing += [var for part in stuck for var in self.lacking(part, self.outputs(part))]
                return
            waiting = stuck

    def take(self, terms: Sequence[ast.Term]) -> bool:
        found = self.outputs(terms)
        if self.lacking(terms, found):
            return False
        self.binds |= found
        return True

    def outputs(self, terms: Iterable[ast.Term]) -> set[str]:
        """The variables in the paths of references whose heads are known."""
        found: set[str] = set()
        stack = list(terms)
        while stack:
            term = stack.pop()
            if isinstance(term, ast.Ref):
                heads = [v for v in variables(term.head) if not self.known(v.name)]
                if not heads:
                    found |= _path_names(term.path)
                    stack += [term.head, *term.path]
            elif not isinstance(term, ast.Call | ast.Template):
                stack += [] if isinstance(term, ast.Comprehension) else ast.subterms(term)
        return found

    def lacking(self, terms: Iterable[ast.Term], found: set[str]) -> list[ast.Var]:
        """The variables of terms that have no value, but for those of the calls inside."""
        out: list[ast.Var] = []
        stack = list(terms)
        while stack:
            term = stack.pop()
            if isinstance(term, ast.Var):
                if term.name not in _ROOTS and not self.known(term.name) and term.name not in found:
                    out.append(term)
            elif isinstance(term, ast.Comprehension):
                out += self.closed_over(walk_all([term], []))
            elif isinstance(term, ast.Template):
                out += [v for v in variables(term) if not self.known(v.name)]
                stack += [c for c in _all_subterms(term) if isinstance(c, ast.Comprehension)]
            elif not isinstance(term, ast.Call):
                stack += ast.subterms(term)
        return out

    def closed_over(self, terms: Iterable[ast.Term]) -> list[ast.Var]:
        """What a nested body shares with the bodies around it must be bound before."""
        shared = [t for t in terms if isinstance(t, ast.Var) and t.name in self.visible - _ROOTS]
        return [var for var in shared if not self.known(var.name)]

    def bind(self, pattern: ast.Term) -> None:
        """A value is matched with the pattern."""
        self.evaluate(_computed(pattern))
        self.binds |= _pattern_names(pattern)

    # --- unification

    def unify(self, left: ast.Term, right: ast.Term) -> None:
        self.calls([left, right])
        if self.missing:
            return
        given = self.outputs([left, right])
        found = set(given)
        before = -1
        while before != len(found):
            before = len(found)
            self.match(left, right, found, given)
        self.missing += self.lacking([left, right], found)
        self.binds |= found

    def match(self, left: ast.Term, right: ast.Term, found: set[str], given: set[str]) -> None:
        """Add to ``found`` what a value on one side gives the other; ``given``: by references' paths."""
        for one, other in ((left, right), (right, left)):
            if isinstance(one, ast.Var) and self.is_given(other, found, given):
                found.add(one.name)
            elif (
                isinstance(one, ast.Array | ast.Object)
                and isinstance(other, ast.Var | ast.Ref | ast.Call)
                and self.is_given(other, found, given)
            ):
                found |= _pattern_names(one)
        match left, right:
            case ast.Array(), ast.Comprehension():
                found |= _pattern_names(left)
            case (ast.Comprehension(kind="array"), ast.Array()) | (
                ast.Comprehension(kind="object"),
                ast.Object(),
            ):
                found |= _pattern_names(right)
        for one, other in _pairs(left, right):
            self.match(one, other, found, given)

    def is_given(self, term: ast.Term, found: set[str], given: set[str]) -> bool:
        """Whether a term has a value, so that it gives what it is unified with one."""
        match term:
            case ast.Var():
                return self.known(term.name) or term.name in found
            case ast.Ref():
                return all(self.known(v.name) or v.name in given for v in variables(term.head))
            case ast.Array() | ast.Object():
                return all(self.known(name) or name in found for name in _pattern_names(term))
            case _:
                return True


def _calls(terms: Iterable[ast.Term]) -> list[ast.Call]:
    """The calls in the terms, inner ones first; those of comprehensions left out."""
    out: list[ast.Call] = []
    stack = list(terms)
    while stack:
        term = stack.pop()
        if isinstance(term, ast.Call):
            out.append(term)
        if not isinstance(term, ast.Comprehension):
            stack += ast.subterms(term)
    return out[::-1]


def _path_names(path: Iterable[ast.Term]) -> set[str]:
    """The variables of a path, those of other references in it left out."""
    out: set[str] = set()
    stack = list(path)
    while stack:
        term = stack.pop()
        if isinstance(term, ast.Var):
            out.add(term.name)
        elif not isinstance(term, ast.Ref | ast.Comprehension | ast.Call | ast.Template):
            stack += ast.subterms(term)
    return out - _ROOTS


def _pattern_names(pattern: ast.Term) -> set[str]:
    """The variables that a value gives values when it is matched with the pattern."""
    match pattern:
        case ast.Var():
            return {pattern.name}
        case ast.Array():
            return set().union(*map(_pattern_names, pattern.items))
        case ast.Object():
            return set().union(*(_pattern_names(value) for _, value in pattern.pairs))
        case _:
            return set()


def _computed(pattern: ast.Term) -> list[ast.Term]:
    """What stands in a pattern to be compared, not to be bound."""
    match pattern:
        case ast.Var():
            return []
        case ast.Array():
            return [part for item in pattern.items for part in _computed(item)]
        case ast.Object():
            return [part for k, v in pattern.pairs for part in (k, *_computed(v))]
        case _:
            return [pattern]


def _pairs(left: ast.Term, right: ast.Term) -> list[tuple[ast.Term, ast.Term]]:
    """The parts of two arrays or objects that are matched with one another."""
    if isinstance(left, ast.Array) and isinstance(right, ast.Array) and len(left.items) == len(right.items):
        return list(zip(left.items, right.items, strict=True))
    if isinstance(left, ast.Object) and isinstance(right, ast.Object) and len(left.pairs) == len(right.pairs):
        return [(a, b) for k, a in left.pairs for other, b in right.pairs if _same_key(k, other)]
    return []


def _same_key(one: ast.Term, other: ast.Term) -> bool:
    if isinstance(one, ast.Scalar) and isinstance(other, ast.Scalar):
        return equal(one.value, other.value)
    return isinstance(one, ast.Var) and isinstance(other, ast.Var) and one.name == other.name


def matching_parts(left: ast.Term, right: ast.Term) -> list[tuple[ast.Term, ast.Term]] | None:
    """The pairs to unify one by one when both sides are written out alike, otherwise None."""
    if isinstance(left, ast.Array) and isinstance(right, ast.Array) and len(left.items) == len(right.items):
        return list(zip(left.items, right.items, strict=True))
    if isinstance(left, ast.Object) and isinstance(right, ast.Object):
        left_keys, right_keys = _literal_keys(left), _literal_keys(right)
        if left_keys is not None and right_keys is not None and left_keys.keys() == right_keys.keys():
            return [(value, right_keys[name]) for name, value in left_keys.items()]
    return None


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
    statement = expr.statement
    modes.evaluate([modifier.value for modifier in expr.withs])
    if expr.negated:
        # Nothing leaves a negation, and nothing may be bound by it but by what surrounds it; but calls
        # that its operands consist of stand before it.
        terms = ast.statement_terms(statement)
        if isinstance(statement, ast.TermExpr) and isinstance(statement.term, ast.Call):
            terms = statement.term.args
        modes.calls(terms)
        modes.missing += modes.lacking(terms, set())
        return modes
    match statement:
        case ast.TermExpr(term=ast.Call() as call):
            modes.evaluate(call.args)
        case ast.TermExpr():
            modes.evaluate([statement.term])
        case ast.Unify(operator="=="):
            # A comparison gives nothing a value, unlike `=` and `:=`; but `xs[i] == i` has one for i.
            modes.evaluate([statement.left, statement.right])
        case ast.Unify(operator="()", right=ast.Call() as call):
            modes.evaluate(call.args)
            modes.bind(statement.left)
        case ast.Unify(operator=":="):
            modes.evaluate([statement.right])
            modes.bind(statement.left)
        case ast.Unify():
            modes.unify(statement.left, statement.right)
        case ast.SomeIn():
            modes.evaluate([statement.domain])
            for pattern in ast.present(statement.key, statement.value):
                modes.bind(pattern)
        case ast.Every():
            own = {var.name for var in (statement.key, statement.value) if var is not None}
            modes.evaluate([statement.domain])
            modes.missing += Modes(bound | own | modes.binds, visible).closed_over(
                walk_all([], [statement.body])
            )
        case ast.Logic():
            for operand, implicit in zip(statement.operands, statement.implicit, strict=True):
                modes.missing += modes.closed_over(walk_all([], [operand]))
                for only in operand if implicit else []:
                    # One expression has no variables of its own.
                    binds = expr_modes(only, bound, visible).binds - bound
                    used = (v for t in ast.statement_terms(only.statement) for v in variables(t))
                    modes.missing += [var for var in used if var.name in binds]
        case ast.Some():
            pass
    return modes


# --- what is read before it is bound

TAKEN = "'t"  # begins the names of variables for references that were taken out of an expression


def _reads_in_order(statement: ast.Statement, bound: set[str]) -> bool:
    """Whether every variable has a value where it is read, from left to right."""
    if isinstance(statement, ast.Unify) and statement.operator != "()":
        terms = [statement.left, statement.right]
        occurring = [v.name for term in terms for v in variables(term)]
        modes = Modes(bound, set())
        given = {
            name for part in (terms, *(call.args for call in _calls(terms))) for name in modes.outputs(part)
        }
        return all(occurring.count(name) == 1 for name in given - bound)
    terms = (
        [statement.domain]
        if isinstance(statement, ast.SomeIn | ast.Every)
        else ast.statement_terms(statement)
    )
    if isinstance(statement, ast.Unify):
        terms = [statement.right]
    return _in_order(terms, set(bound))


def is_readable(term: ast.Term, known: Collection[str], pending: Collection[str]) -> bool:
    """Whether a term can be read when the ``known`` variables have values and the ``pending`` ones will get theirs."""
    closures = [part for part in _all_subterms(term) if isinstance(part, ast.Comprehension)]
    waits = any(isinstance(t, ast.Var) and t.name in pending for t in walk_all(closures, []))
    return not waits and _in_order([term], set(known))


def _all_subterms(term: ast.Term) -> Iterable[ast.Term]:
    yield term
    for part in ast.subterms(term):
        yield from () if isinstance(term, ast.Comprehension) else _all_subterms(part)


def _in_order(terms: Iterable[ast.Term], known: set[str]) -> bool:
    """Whether every variable has a value where it is read; ``known`` is what has one before, and then, behind."""
    for term in terms:
        match term:
            case ast.Var():
                if term.name not in known and term.name not in _ROOTS:
                    return False
            case ast.Ref():
                if not _in_order([term.head], known):
                    return False
                for part in term.path:
                    if isinstance(part, ast.Var | ast.Array | ast.Object):
                        if not _in_order(_computed(part), known):
                            return False
                        known |= _pattern_names(part)
                    elif not _in_order([part], known):
                        return False
            case ast.Comprehension():
                pass
            case _:
                if not _in_order(ast.subterms(term), known):
                    return False
    return True


def _rebuilt_statement(statement: ast.Statement, change: Callable[[ast.Term], ast.Term]) -> ast.Statement:
    match statement:
        case ast.TermExpr():
            return ast.TermExpr(_rebuilt(statement.term, change))
        case ast.Unify():
            return ast.Unify(
                _rebuilt(statement.left, change), _rebuilt(statement.right, change), statement.operator
            )
        case ast.SomeIn():
            return ast.SomeIn(statement.key, statement.value, _rebuilt(statement.domain, change))
        case ast.Every():
            return ast.Every(
                statement.key, statement.value, _rebuilt(statement.domain, change), statement.body
            )
        case _:
            return statement


def _rebuilt(term: ast.Term, change: Callable[[ast.Term], ast.Term]) -> ast.Term:
    """The term with each term in it changed, inner ones first; comprehensions stay as they are."""

    def all_of(terms: Iterable[ast.Term]) -> list[ast.Term]:
        return [_rebuilt(part, change) for part in terms]

    match term:
        case ast.Ref():
            return change(ast.Ref(_rebuilt(term.head, change), all_of(term.path), term.at))
        case ast.Array():
            return change(ast.Array(all_of(term.items), term.at))
        case ast.SetTerm():
            return change(ast.SetTerm(all_of(term.items), term.at))
        case ast.Object():
            return change(
                ast.Object([(_rebuilt(k, change), _rebuilt(v, change)) for k, v in term.pairs], term.at)
            )
        case ast.Call():
            return change(ast.Call(term.name, all_of(term.args), term.at, term.infix))
        case _:
            return change(term)


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
