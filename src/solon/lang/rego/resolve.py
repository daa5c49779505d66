"""Names to what they mean: locals, arguments, imports, rules, built-ins.

Every rule is rewritten so that a :class:`~solon.lang.rego.ast.Var` is always a local with a name unique in
its rule, a document is always a Ref that starts at ``input`` or ``data``, and a call names a built-in or a
``data.`` path and has exactly as many arguments as that takes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from solon.lang.rego import ast
from solon.lang.rego.builtins.registry import Builtin
from solon.lang.rego.errors import COMPILE_ERROR, TYPE_ERROR
from solon.lang.rego.rules import Definition, Group
from solon.lang.source import Diagnostic
from solon.lang.values import key, type_name

# The head of a reference to a built-in as a value (`with f as count`); no variable can be called so.
BUILTIN: Final = "'builtin"

# Built-ins that the compiler itself gives a meaning.
SPECIAL: Final = {"print": 0, "rego.metadata.rule": 0, "rego.metadata.chain": 0}


@dataclass(slots=True)
class _Scope:
    declared: dict[str, str] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)


class Resolver:
    """Resolves the rules of one module."""

    def __init__(
        self,
        module: ast.Module,
        names: Mapping[tuple[str, ...], set[str]],
        functions: Mapping[str, Group],
        builtins: Mapping[str, Builtin],
        errors: list[Diagnostic],
    ) -> None:
        self.module = module
        self.functions = functions
        self.builtins = builtins
        self.errors = errors
        self.local_rules = names.get(tuple(module.package), set())
        self.aliases: dict[str, list[str]] = {}
        self.scopes: list[_Scope] = []
        self.fresh = 0
        self.unused_vars: dict[str, ast.Var] = {}
        self.used_aliases: set[str] = set()
        self._import()

    def _import(self) -> None:
        for imported in self.module.imports:
            if imported.path[0] not in ("data", "input"):
                continue
            alias = imported.alias or imported.path[-1]
            if alias in self.aliases and self.module.version == "v1":
                self.error(
                    COMPILE_ERROR, f"import must not shadow import {'.'.join(imported.path)}", imported.at, 6
                )
            self.aliases[alias] = imported.path

    def unused_imports(self) -> list[ast.Import]:
        """The imports that nothing resolved so far has named."""
        return [
            each
            for each in self.module.imports
            if each.path[0] in ("data", "input") and (each.alias or each.path[-1]) not in self.used_aliases
        ]

    def error(self, code: str, message: str, at: int, length: int = 1, hint: str = "") -> None:
        diagnostic = Diagnostic(code, message, self.module.span(at, length), hint)
        if diagnostic not in self.errors:
            self.errors.append(diagnostic)

    # --- rules

    def definition(self, definition: Definition) -> None:
        """Fill the definition's resolved terms."""
        rule = definition.rule
        head = rule.head
        if rule.name in ("input", "data") and self.module.version == "v1":
            hint = "(use a different rule name)"
            self.error(
                COMPILE_ERROR, f"rules must not shadow {rule.name} {hint}", rule.head.at, len(rule.name)
            )
        self.scopes = [_Scope()]
        self.unused_vars = {}
        for arg in head.args or []:
            self.declare_pattern(arg, "arg")
        args = [self.term(arg) for arg in head.args or []]
        outer = self.scopes[0]
        self.scopes.append(_Scope())
        definition.body = self.exprs(rule.body)
        definition.args = [self.parameter(arg, definition.body) for arg in args]
        definition.rest = [self.in_head(part, definition.body) for part in definition.rest]
        definition.key = None if head.key is None else self.in_head(head.key, definition.body)
        definition.value = None if head.value is None else self.in_head(head.value, definition.body)
        self.unused()
        for branch in rule.elses:
            self.scopes = [outer, _Scope()]
            body = self.exprs(branch.body)
            value = None if branch.value is None else self.in_head(branch.value, body)
            definition.elses.append(ast.Else(value, body, branch.at))
            self.unused()

    def parameter(self, arg: ast.Term, body: list[ast.Expr]) -> ast.Term:
        """An argument that is computed (``f(x + 1)``) is compared once the body has run."""
        if isinstance(arg, ast.Ref | ast.Call | ast.Comprehension | ast.Template):
            return self.of_body(arg, body)
        return arg

    def in_head(self, term: ast.Term, body: list[ast.Expr]) -> ast.Term:
        """A term of a head. What iterates there is part of the body: ``p := xs[i] if i > 0``."""
        term = self.term(term)
        return self.of_body(term, body) if _iterates(term) else term

    def of_body(self, term: ast.Term, body: list[ast.Expr]) -> ast.Term:
        self.fresh += 1
        var = ast.Var(f"_'{self.fresh}", term.at)
        body.append(ast.Expr(ast.Unify(var, term, "="), term.at, term.at))
        return var

    def unused(self) -> None:
        for var in self.unused_vars.values():
            self.error(COMPILE_ERROR, f"declared var {var.shown} unused", var.at, len(var.shown))
        self.unused_vars = {}

    # --- bodies

    def body(self, body: Sequence[ast.Expr]) -> list[ast.Expr]:
        """A body with a scope of its own."""
        self.scopes.append(_Scope())
        result = self.exprs(body)
        self.scopes.pop()
        return result

    def exprs(self, body: Sequence[ast.Expr]) -> list[ast.Expr]:
        out: list[ast.Expr] = []
        for expr in body:
            withs = [self.with_(modifier) for modifier in expr.withs]
            statement = self.statement(expr.statement)
            if statement is not None:
                out.append(ast.Expr(statement, expr.at, expr.end, expr.negated, withs))
        if not out and body:
            out.append(ast.Expr(ast.TermExpr(ast.Scalar(True, body[0].at)), body[0].at, body[0].end))
        return out

    def statement(self, statement: ast.Statement) -> ast.Statement | None:
        match statement:
            case ast.TermExpr(term=ast.Call() as call):
                return self.call_statement(call)
            case ast.TermExpr():
                return ast.TermExpr(self.term(statement.term))
            case ast.Unify(operator=":="):
                right = self.term(statement.right)
                other = _unassignable(statement.left)
                if other is not None:
                    what = _kind(other) if other is statement.left else _kind_of_part(other)
                    self.error(COMPILE_ERROR, f"cannot assign to {what}", other.at)
                    return ast.TermExpr(right)
                self.declare_pattern(statement.left, "assigned")
                return ast.Unify(self.term(statement.left), right, ":=")
            case ast.Unify():
                return ast.Unify(self.term(statement.left), self.term(statement.right), statement.operator)
            case ast.Some():
                for var in statement.names:
                    self.declare(var, "some")
                return None
            case ast.SomeIn():
                domain = self.term(statement.domain)
                self.some_in(statement)
                key = None if statement.key is None else self.term(statement.key)
                return ast.SomeIn(key, self.term(statement.value), domain)
            case ast.Every():
                domain = self.term(statement.domain)
                self.scopes.append(_Scope())
                if statement.key is not None:
                    self.declare(statement.key, "every")
                self.declare(statement.value, "every")
                key_var = None if statement.key is None else self.local(statement.key)
                value_var = self.local(statement.value)
                body = self.exprs(statement.body)
                self.scopes.pop()
                return ast.Every(key_var, value_var, domain, body)
            case ast.Logic():
                return self.logic(statement)

    def logic(self, logic: ast.Logic) -> ast.Logic:
        for operand, implicit in zip(logic.operands, logic.implicit, strict=True):
            for expr in operand if implicit else []:
                if isinstance(expr.statement, ast.Unify) and expr.statement.operator == ":=":
                    where = (
                        "negated expression"
                        if logic.operator == "not"
                        else f"implicit {logic.operator} operand"
                    )
                    self.error(
                        COMPILE_ERROR, f"cannot assign vars inside {where}", expr.at, expr.end - expr.at
                    )
        return ast.Logic(logic.operator, [self.body(operand) for operand in logic.operands], logic.implicit)

    def some_in(self, statement: ast.SomeIn) -> None:
        """Declare the variables of ``some … in``; one that stands in both patterns is one variable."""
        within = {var.name for var in _open_vars(statement.domain)}
        # What a comprehension there shares with the bodies around it is theirs.
        shared = {term.name for term in walk_all([statement.domain], []) if isinstance(term, ast.Var)}
        declared = {name for name in shared if self.is_variable(name)}
        for pattern in ast.present(statement.key, statement.value):
            for var in _pattern_vars(pattern):
                if var.name in within and var.name != "_":
                    self.error(COMPILE_ERROR, f"var {var.name} assigned before", var.at, len(var.name))
                elif var.name not in declared:
                    declared.add(var.name)
                    self.declare(var, "some in")

    def is_variable(self, name: str) -> bool:
        """Whether a name stands for no document here."""
        if any(name in scope.declared for scope in self.scopes):
            return True
        return name not in self.aliases and name not in self.local_rules and name not in ("input", "data")

    def declare_pattern(self, term: ast.Term, how: str) -> None:
        for var in _pattern_vars(term):
            self.declare(var, how)

    def declare(self, var: ast.Var, how: str) -> None:
        name = var.name
        if name == "_":
            return
        scope = self.scopes[-1]
        if name in ("input", "data") and (self.module.version == "v1" or how == "arg"):
            what = "args" if how == "arg" else "variables"
            self.error(
                COMPILE_ERROR,
                f"{what} must not shadow {name} (use a different variable name)",
                var.at,
                len(name),
            )
        if name in scope.declared:
            if how == "arg":
                return
            above = "declared" if scope.declared[name].endswith("~") else "assigned"
            self.error(COMPILE_ERROR, f"var {name} {above} above", var.at, len(name))
        elif len(self.scopes) == 2 and name in self.scopes[0].declared:
            self.error(COMPILE_ERROR, f"arg {name} redeclared", var.at, len(name))
        elif name in scope.seen:
            self.error(
                COMPILE_ERROR, f"var {name} referenced above", var.at, len(name),
                "move the declaration before the first use, or compare with ==",
            )  # fmt: skip
        self.fresh += 1
        # A variable that `some` declares keeps a mark, for the wording of errors.
        unique = f"{name}'{self.fresh}" + ("~" if how == "some" else "")
        scope.declared[name] = unique
        if how in ("some", "every"):
            self.unused_vars[unique] = var

    def local(self, var: ast.Var) -> ast.Var:
        """A variable that has just been declared; naming it here does not count as a use."""
        unique = self.scopes[-1].declared.get(var.name)
        if unique is not None:
            return ast.Var(unique, var.at)
        self.fresh += 1
        return ast.Var(f"_'{self.fresh}", var.at)

    # --- terms

    def term(self, term: ast.Term) -> ast.Term:
        match term:
            case ast.Scalar():
                return term
            case ast.Var():
                return self.name(term)
            case ast.Ref():
                return self.ref(term)
            case ast.Array():
                return ast.Array([self.term(item) for item in term.items], term.at)
            case ast.SetTerm():
                return ast.SetTerm([self.term(item) for item in term.items], term.at)
            case ast.Object():
                return ast.Object([(self.term(k), self.term(v)) for k, v in _last_pairs(term)], term.at)
            case ast.Template():
                return ast.Template(
                    [p if isinstance(p, str) else self.interpolated(p) for p in term.parts], term.at
                )
            case ast.Comprehension():
                self.scopes.append(_Scope())
                body = self.exprs(term.body)
                key = None if term.key is None else self.in_head(term.key, body)
                value = self.in_head(term.value, body)
                self.scopes.pop()
                return ast.Comprehension(term.kind, key, value, body, term.at)
            case ast.Call():
                if self.callee(term.name) == "print":
                    self.error(TYPE_ERROR, "print(…) used as value", term.at, len(term.name))
                return self.call(term)

    def interpolated(self, part: ast.Term) -> ast.Term:
        """A part of a template; what may be undefined becomes the set of its values."""
        term = self.term(part)
        if isinstance(term, ast.Ref):
            return self.all_of(term)
        return term

    def all_of(self, term: ast.Term) -> ast.Comprehension:
        self.fresh += 1
        value = ast.Var(f"_'{self.fresh}", term.at)
        body = [ast.Expr(ast.Unify(value, term, ":="), term.at, term.at)]
        return ast.Comprehension("set", None, value, body, term.at)

    def name(self, var: ast.Var) -> ast.Term:
        name = var.name
        if name == "_":
            self.fresh += 1
            return ast.Var(f"_'{self.fresh}", var.at)
        for scope in reversed(self.scopes):
            unique = scope.declared.get(name)
            if unique is not None:
                self.unused_vars.pop(unique, None)
                return ast.Var(unique, var.at)
        self.scopes[-1].seen.add(name)
        if name in ("input", "data"):
            return ast.Ref(ast.Var(name, var.at), [], var.at)
        path = self.aliases.get(name)
        if path is not None:
            self.used_aliases.add(name)
            return _path_ref(path, var.at)
        if name in self.local_rules:
            return _path_ref(["data", *self.module.package, name], var.at)
        return var

    def ref(self, ref: ast.Ref) -> ast.Term:
        head = self.term(ref.head)
        path = [self.term(part) for part in ref.path]
        if isinstance(head, ast.Ref):
            return ast.Ref(head.head, [*head.path, *path], ref.at)
        return ast.Ref(head, path, ref.at)

    # --- calls

    def callee(self, name: str) -> str:
        """The built-in's name or the ``data.`` path that a written name means."""
        first, _, others = name.partition(".")
        for scope in reversed(self.scopes):
            if first in scope.declared:
                return name
        tail = [others] if others else []
        if first in self.aliases:
            self.used_aliases.add(first)
            return ".".join([*self.aliases[first], *tail])
        if first in self.local_rules:
            return ".".join(["data", *self.module.package, name])
        return name

    def call_statement(self, call: ast.Call) -> ast.Statement | None:
        """A call on its own; with one argument too many, that is the result."""
        name = self.callee(call.name)
        if name in _EQUALITIES and len(call.args) == 2:
            return ast.Unify(self.term(call.args[0]), self.term(call.args[1]), _EQUALITIES[name])
        arity = self.arity(name)
        if name not in ("print", "eq") and arity is not None and len(call.args) == arity + 1:
            result = self.term(call.args[-1])
            inner = ast.Call(call.name, call.args[:-1], call.at, call.infix)
            return ast.Unify(result, self.call(inner), "()")
        return ast.TermExpr(self.call(call))

    def arity(self, name: str) -> int | None:
        if name in self.functions:
            return self.functions[name].arity
        if name in self.builtins:
            return self.builtins[name].arity
        return SPECIAL.get(name)

    def call(self, call: ast.Call) -> ast.Term:
        first = call.name.partition(".")[0]
        if not call.infix and any(first in scope.declared for scope in self.scopes):
            self.error(COMPILE_ERROR, f"called function {call.name} shadowed", call.at, len(call.name))
            return call
        name = self.callee(call.name)
        args = [self.term(arg) for arg in call.args]
        arity = self.arity(name)
        if arity is None:
            self.error(
                TYPE_ERROR, f"undefined function {call.name}", call.at, len(call.name),
                _similar(call.name, [*self.builtins, *self.functions]),
            )  # fmt: skip
        elif name != "print" and len(args) != arity:
            have = f"{len(args)} argument{'s' * (len(args) != 1)}"
            self.error(
                TYPE_ERROR, f"{call.name}: arity mismatch: have {have}, want {arity}", call.at, len(call.name)
            )
        builtin = self.builtins.get(name)
        if builtin is not None and builtin.deprecated and self.module.version == "v1":
            self.error(
                TYPE_ERROR, f"deprecated built-in function calls in expression: {name}", call.at, len(name)
            )
        return ast.Call(name, args, call.at, call.infix)

    # --- with

    def with_(self, modifier: ast.With) -> ast.With:
        target = modifier.target
        head = target.head
        if not isinstance(head, ast.Var) or not all(_is_field(part) for part in target.path):
            self.error(COMPILE_ERROR, "with keyword target must be a path of fixed names", modifier.at, 4)
            return modifier
        written = ".".join([head.name, *(str(p.value) for p in target.path if isinstance(p, ast.Scalar))])
        function = self.callee(written)
        if function not in self.functions and function in self.builtins:
            if function in _NOT_REPLACEABLE or function.startswith("internal."):
                self.error(COMPILE_ERROR, f"with keyword replacing built-in function: replacement of {function} is not allowed", modifier.at, 4)  # fmt: skip
            resolved: ast.Term = _path_ref([BUILTIN, function], target.at)
        else:
            resolved = self.ref(target)
        if (
            not isinstance(resolved, ast.Ref)
            or not isinstance(resolved.head, ast.Var)
            or resolved.head.name not in ("input", "data", BUILTIN)
        ):
            self.error(TYPE_ERROR, f"with keyword target must reference existing input, data, or a function: undefined {written}", modifier.at, 4)  # fmt: skip
            return modifier
        replacing = _dotted(modifier.value)
        arities = self.arity(function), None if replacing is None else self.arity(self.callee(replacing))
        if None not in arities and arities[0] != arities[1]:
            self.error(
                TYPE_ERROR, f"{written}: arity mismatch: {replacing} cannot stand for it", modifier.value.at
            )
        return ast.With(resolved, self.with_value(modifier.value), modifier.at)

    def with_value(self, value: ast.Term) -> ast.Term:
        written = _dotted(value)
        if written is not None:
            function = self.callee(written)
            if function not in self.functions and function in self.builtins:
                return _path_ref([BUILTIN, function], value.at)
        return self.term(value)


_EQUALITIES: Final[dict[str, Literal["=", "=="]]] = {"eq": "=", "equal": "=="}
_NOT_REPLACEABLE: Final = frozenset(["walk", "eq", "print", "rego.metadata.rule", "rego.metadata.chain"])


def _unassignable(term: ast.Term) -> ast.Term | None:
    """The first part of the left side of ``:=`` that is not a variable."""
    match term:
        case ast.Var():
            return None
        case ast.Array():
            parts = term.items
        case ast.Object():
            parts = [value for _, value in term.pairs]
        case _:
            return term
    return next((other for other in map(_unassignable, parts) if other is not None), None)


def _kind_of_part(term: ast.Term) -> str:
    if isinstance(term, ast.Scalar):
        return type_name(term.value)
    return f"{term.kind}comprehension" if isinstance(term, ast.Comprehension) else _kind(term)


def _kind(term: ast.Term) -> str:
    return {ast.Scalar: "scalar", ast.Ref: "ref", ast.Call: "call", ast.SetTerm: "set"}.get(
        type(term), type(term).__name__.lower()
    )


def _iterates(term: ast.Term) -> bool:
    """Whether a reference in the term has variables in its path; those of comprehensions do not count."""
    if isinstance(term, ast.Comprehension):
        return False
    if isinstance(term, ast.Ref) and not all(isinstance(part, ast.Scalar) for part in term.path):
        return True
    return any(map(_iterates, ast.subterms(term)))


def _last_pairs(term: ast.Object) -> Iterable[tuple[ast.Term, ast.Term]]:
    """The pairs of an object; of those with the same name written twice, the last."""
    named: dict[Any, tuple[ast.Term, ast.Term]] = {}
    for place, pair in enumerate(term.pairs):
        match pair[0]:
            case ast.Scalar(value=value):
                same: Any = "constant", key(value)
            case ast.Var(name=name) if name != "_":
                same = "variable", name
            case _:
                same = place
        named[same] = named.get(same, pair)[0], pair[1]
    return named.values()


def _open_vars(term: ast.Term) -> Iterable[ast.Var]:
    """The variables of a term, those of comprehensions left out."""
    if isinstance(term, ast.Var):
        yield term
    elif not isinstance(term, ast.Comprehension):
        for part in ast.subterms(term):
            yield from _open_vars(part)


def _pattern_vars(term: ast.Term) -> Iterable[ast.Var]:
    """The variables that a pattern declares."""
    match term:
        case ast.Var():
            yield term
        case ast.Array() | ast.SetTerm():
            for item in term.items:
                yield from _pattern_vars(item)
        case ast.Object():
            for _, value in term.pairs:
                yield from _pattern_vars(value)
        case _:
            return


def _is_field(term: ast.Term) -> bool:
    return isinstance(term, ast.Scalar) and type(term.value) is str


def _dotted(term: ast.Term) -> str | None:
    if isinstance(term, ast.Var):
        return term.name
    if isinstance(term, ast.Ref) and isinstance(term.head, ast.Var) and all(map(_is_field, term.path)):
        return ".".join([term.head.name, *(str(p.value) for p in term.path if isinstance(p, ast.Scalar))])
    return None


def _path_ref(path: Sequence[str], at: int) -> ast.Ref:
    return ast.Ref(ast.Var(path[0], at), [ast.Scalar(name, at) for name in path[1:]], at)


def _similar(name: str, known: Iterable[str]) -> str:
    import difflib

    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.75)
    return f"did you mean {close[0]}?" if close else ""


def rule_names(modules: Sequence[ast.Module]) -> dict[tuple[str, ...], set[str]]:
    """Package -> the first names of its rules."""
    names: dict[tuple[str, ...], set[str]] = {}
    for module in modules:
        names.setdefault(tuple(module.package), set()).update(rule.name for rule in module.rules)
    return names


def modifiers(body: Sequence[ast.Expr]) -> Iterable[ast.With]:
    """Every ``with`` in a body, closures included."""
    bodies = [body, *(t.body for t in walk_all([], [body]) if isinstance(t, ast.Comprehension))]
    while bodies:
        for expr in bodies.pop():
            yield from expr.withs
            bodies += ast.bodies(expr.statement)


def walk_all(
    terms: Iterable[ast.Term], bodies: Iterable[Sequence[ast.Expr]], *, targets: bool = False
) -> Iterable[ast.Term]:
    """Every term in the terms and bodies, closures included, and what `with` replaces where wanted."""
    stack = list(terms)
    for body in bodies:
        stack.extend(body_terms(body, targets))
    while stack:
        term = stack.pop()
        yield term
        stack.extend(ast.subterms(term))
        if isinstance(term, ast.Comprehension):
            stack.extend(body_terms(term.body, targets))


def prints(expr: ast.Expr) -> bool:
    """Whether an expression prints; ``with`` means nothing to it."""
    match expr.statement:
        case ast.TermExpr(term=ast.Call(name="print")):
            return True
        case _:
            return False


def body_terms(body: Sequence[ast.Expr], targets: bool = False) -> list[ast.Term]:
    """The terms of a body's expressions, those of the bodies inside them and of `with` included."""
    out: list[ast.Term] = []
    for expr in body:
        out.extend(ast.statement_terms(expr.statement))
        out.extend(modifier.value for modifier in expr.withs)
        if targets and not prints(expr):
            out.extend(modifier.target for modifier in expr.withs)
        for inner in ast.bodies(expr.statement):
            out.extend(body_terms(inner, targets))
    return out
