"""Finding comparisons that can never hold, operands of the wrong type, and references to what cannot be there.

Rules are read in the order in which they depend on each other. Each body gives its variables types, from what
they are unified with and from the functions they are passed to; the rule's own type follows, for the rules that
refer to it. Of ``input`` and base documents nothing is known, so whatever is read from them may be anything.
(OPA, "Type checking". What the bodies of ``every`` and of ``not``, ``and`` and ``or`` in braces compare and
call is not checked there either, only what they refer to.)
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from solon.lang.rego import ast
from solon.lang.rego.annotations import Annotations
from solon.lang.rego.builtins.registry import Builtin
from solon.lang.rego.dependencies import reached
from solon.lang.rego.errors import TYPE_ERROR
from solon.lang.rego.matching import (
    ArrayPattern,
    ObjectPattern,
    Pattern,
    SetPattern,
    Typed,
    Variables,
)
from solon.lang.rego.resolve import BUILTIN, SPECIAL, prints
from solon.lang.rego.rules import Definition, Group
from solon.lang.rego.rules import Node as RuleNode
from solon.lang.rego.schemas import Schemas, UndefinedSchema
from solon.lang.rego.types import (
    ANY,
    BOOLEAN,
    STRING,
    Array,
    Function,
    Key,
    Object,
    Set,
    Type,
    Union,
    bounded,
    brief,
    is_empty,
    key_of,
    keys,
    of_signature,
    select,
    shown_key,
    unifies,
    union,
    unknown,
    values,
)
from solon.lang.rego.typetree import MISSING, Node, at
from solon.lang.source import Diagnostic, Span

_MOST_ERRORS: Final = 10
_ROUNDS: Final = 3  # so deep do functions call each other, mostly
_MOST_NAMES: Final = 20  # in one error
_UNKNOWN: Final = Typed(None)


@dataclass(frozen=True, slots=True)
class Missing:
    """A reference to a field that its object does not have. ``text`` is the reference up to that field."""

    span: Span
    text: str
    field: str
    of: Type
    known: tuple[str, ...]


class Checker:
    """Checks the rules of a program; ``edges`` are the groups that each group depends on."""

    def __init__(
        self,
        root: RuleNode,
        groups: Sequence[Group],
        edges: Mapping[int, Sequence[int]],
        builtins: Mapping[str, Builtin],
        errors: list[Diagnostic],
        annotations: Annotations,
        schemas: Schemas,
    ) -> None:
        self.annotations = annotations
        self.schemas = schemas
        self.root = root
        self.groups = groups
        self.edges = edges
        self.builtins = builtins
        self.findings = Findings(errors)
        self.documents = Node()
        if schemas.input is not None:
            self.documents.put([key_of("input")], schemas.input)
        self.given: Mapping[str, Sequence[Type | None]] = {}  # what functions are given, where that is known
        self.calls: dict[
            str, list[tuple[str, list[Type | None]]]
        ] = {}  # the calls of functions, with their file
        self.paths = {group.name: _keys(("data", *group.path)) for group in groups}
        self._relaxed: dict[tuple[Key, ...], Node | None] = {}
        self._dependents: dict[int, list[int]] | None = None

    def check(self) -> None:
        for index in _in_order(self.edges):
            group = self.groups[index]
            for definition in [*group.definitions, *([group.default] if group.default else [])]:
                try:
                    self.definition(group, definition)
                except RecursionError:  # nested too deeply to say
                    self.documents.put(self.paths[group.name], ANY)

    def missing(self, input: Type, skip: Collection[str] = ()) -> list[Missing]:
        """The references to fields that are not there, if input is of a type.

        What functions are given is known from all their calls; those in files of ``skip``, tests, do not count.
        """
        parts = _objects(input)
        given: dict[str, list[Type | None]] = {}
        for _ in range(_ROUNDS):
            again = Checker(
                self.root, self.groups, self.edges, self.builtins, [], self.annotations, self.schemas
            )
            again.documents.put([key_of("input")], input)
            again.given, again.calls = given, {}
            again.check()
            calls = {
                name: [(file, types) for file, types in found if file not in skip]
                for name, found in again.calls.items()
            }
            given = {
                name: [_of_all(column) for column in zip(*(types for _, types in found), strict=False)]
                for name, found in calls.items()
            }
        # Of an object that a policy makes itself, a function may well ask for what some others of its objects have.
        return [each for each in again.findings.missing if _members(each.of) <= parts]

    def query(self, module: ast.Module, body: Sequence[ast.Expr]) -> list[Diagnostic]:
        """What is wrong with a query to the program."""
        findings = Findings([])
        Scope(self, findings, module, {}, (self.documents,)).body(body)
        return findings.errors

    def definition(self, group: Group, definition: Definition) -> None:
        """Check a rule, and add its type to the tree."""
        path = list(self.paths[group.name])
        rest = list(definition.rest)
        while rest and isinstance(rest[0], ast.Scalar):
            path.append(key_of(rest[0].value))
            del rest[0]
        branches = [(definition.value, definition.body)]
        branches += [(branch.value, branch.body) for branch in definition.elses]
        for value, body in branches:
            before = self.findings.count
            known = {
                arg.name: of
                for arg, of in zip(definition.args, self.given.get(group.name, ()), strict=False)
                if isinstance(arg, ast.Var) and of is not None
            }
            scope = Scope(self, self.findings, definition.module, known, self.described(definition))
            scope.body(body)
            found: Type | None
            if group.kind == "function":
                found = scope.function(definition, value)
            else:
                found = scope.document(definition, value)
            for part in reversed(rest):
                found = Object((), (scope.of(scope.lower(part)), found))
            if self.findings.count > before:
                self.documents.put(path, ANY)
            elif found is not None and not (rest and unknown(found)):
                self.documents.insert(path, found)

    def described(self, definition: Definition) -> tuple[Node, ...]:
        """The trees that a rule sees, with the documents whose schemas its annotations name."""
        module, rule = definition.module, definition.rule
        tree = Node()
        for annotation in self.annotations.schemas(module, rule):
            try:
                self.schemas.put(tree, annotation)
            except UndefinedSchema as error:
                span = module.span(rule.head.at, len(rule.name))
                self.findings.add(Diagnostic(TYPE_ERROR, f"undefined schema: {error}", span))
        return (tree, self.documents) if tree.children else (self.documents,)

    def relaxed(self, path: tuple[Key, ...], function: bool) -> Node | None:
        """The rules that may have other types once ``with`` replaces the document or function at a path."""
        if path not in self._relaxed:
            terms = [ast.Scalar(value, 0) for _, value in path[1:]]
            start = reached(self.root, terms)
            found, waiting = set(start), list(start)
            while waiting:
                for index in self.dependents.get(waiting.pop(), ()):
                    if index not in found:
                        found.add(index)
                        waiting.append(index)
            tree = Node()
            for index in found - start if function else found:
                tree.put(self.paths[self.groups[index].name], ANY)
            self._relaxed[path] = tree if tree.children else None
        return self._relaxed[path]

    @property
    def dependents(self) -> dict[int, list[int]]:
        if self._dependents is None:
            self._dependents = {}
            for index, needed in self.edges.items():
                for other in needed:
                    self._dependents.setdefault(other, []).append(index)
        return self._dependents


class Findings:
    """The errors found. ``count`` is how often something was found wrong: the same error may be found twice."""

    def __init__(self, errors: list[Diagnostic]) -> None:
        self.errors = errors
        self.count = 0
        self.missing: list[Missing] = []

    def add(self, error: Diagnostic) -> None:
        self.count += 1
        if len(self.errors) < _MOST_ERRORS and error not in self.errors:
            self.errors.append(error)


class Scope(Variables):
    """One body: its variables, and the trees of documents that it sees, the nearest first."""

    def __init__(
        self,
        checker: Checker,
        findings: Findings,
        module: ast.Module,
        types: dict[str, Type],
        trees: tuple[Node, ...],
    ) -> None:
        super().__init__(types)
        self.checker = checker
        self.findings = findings
        self.module = module
        self.trees = trees
        self.references_only = False

    def error(self, message: str, place: int, hint: str = "") -> None:
        self.findings.add(Diagnostic(TYPE_ERROR, message, self.module.span(place), hint))

    # --- heads

    def function(self, definition: Definition, value: ast.Term | None) -> Function:
        result = Typed(BOOLEAN) if value is None else self.lower(value)
        args = [self.lower(arg) for arg in definition.args]
        for arg in args:
            self._any_if_unused(arg)
        if definition.args and self.checker.given:
            return Function((ANY,) * len(args), bounded(self.of(result)))
        return Function(tuple(bounded(self.of(arg)) for arg in args), bounded(self.of(result)))

    def _any_if_unused(self, arg: Pattern) -> None:
        match arg:
            case ast.Var():
                self.types.setdefault(arg.name, ANY)
            case ArrayPattern() | SetPattern():
                for item in arg.items:
                    self._any_if_unused(item)
            case ObjectPattern():
                for pair in arg.pairs:
                    for part in pair:
                        self._any_if_unused(part)

    def document(self, definition: Definition, value: ast.Term | None) -> Type | None:
        if definition.key is not None:
            member = bounded(self.of(self.lower(definition.key)))
            return None if member is None else Set(member)
        return BOOLEAN if value is None else bounded(self.of(self.lower(value)))

    # --- bodies

    def body(self, body: Sequence[ast.Expr]) -> None:
        for expr in body:
            if not expr.withs or prints(expr):
                self.statement(expr)
                continue
            trees = self.trees
            replaced = self.replaced(expr.withs)
            self.trees = trees if self.references_only else replaced
            self.statement(expr)
            self.trees = trees

    def statement(self, expr: ast.Expr) -> None:
        statement = expr.statement
        match statement:
            case ast.TermExpr(term=ast.Call(name="equal" | "eq", args=[left, right])):
                self.unify(left, right, expr.at)
            case ast.TermExpr(term=ast.Call() as call):
                self.call(call)
            case ast.TermExpr():
                self.lower(statement.term)
            case ast.Unify(operator="()", right=ast.Call() as call):
                self.call(call, self.lower(statement.left))
            case ast.Unify():
                self.unify(statement.left, statement.right, expr.at)
            case ast.SomeIn():
                self.some_in(statement, expr.at)
            case ast.Every():
                self.held(self.lower(statement.domain))
                self.only_references(statement.body)
            case ast.Logic():
                for operand in statement.operands:
                    self.only_references(operand)
            case ast.Some():
                pass

    def only_references(self, body: Sequence[ast.Expr]) -> None:
        before, self.references_only = self.references_only, True
        self.body(body)
        self.references_only = before

    def some_in(self, some: ast.SomeIn, place: int) -> None:
        key = some.key or ast.Var("_'", some.value.at)
        self.types.pop("_'", None)
        domain = some.domain
        if isinstance(domain, ast.Scalar):
            if not self.references_only:
                self.error("match error", place, f"{self.text(domain)} has no elements")
            return
        if isinstance(domain, ast.Ref):
            element = ast.Ref(domain.head, [*domain.path, key], domain.at)
        else:
            element = ast.Ref(domain, [key], domain.at)
        self.unify(some.value, element, place)

    def unify(self, left: ast.Term, right: ast.Term, place: int) -> None:
        before = self.findings.count
        first, second = self.lowered([left, right])
        if self.references_only:
            return
        have = self.of(first), self.of(second)
        if self.equate(first, second):
            return
        if self.findings.count == before or not any(map(unknown, have)):
            self.mismatch(have[0], have[1], place)

    def mismatch(self, left: Type | None, right: Type | None, place: int) -> None:
        self.error(
            "match error", place, f"left is {brief(left)}, right is {brief(right)}; they are never equal"
        )

    # --- with

    def replaced(self, modifiers: Sequence[ast.With]) -> tuple[Node, ...]:
        """The trees under which an expression with these modifiers is read."""
        outer = self.trees
        trees = outer
        tree = Node()
        for modifier in modifiers:
            head, path = modifier.target.head, modifier.target.path
            assert isinstance(head, ast.Var)
            wanted = self.named(modifier.target)
            value = self.named(modifier.value) if isinstance(modifier.value, ast.Ref) else None
            if not isinstance(value, Function):
                given = self.lower(modifier.value)
                value = self.of(given) if isinstance(given, ast.Var) else self.held(given)
            if isinstance(wanted, Function) and isinstance(value, Function) and not unifies(wanted, value):
                name = self.text(modifier.target)
                self.error(f"{name}: arity mismatch", modifier.at, f"{brief(value)} cannot stand for it")
            if head.name == BUILTIN:
                continue
            keys = tuple(key_of(part.value if isinstance(part, ast.Scalar) else "") for part in path)
            place = (key_of(head.name), *keys)
            if head.name == "data":
                relaxed = self.checker.relaxed(place, isinstance(wanted, Function))
                trees = trees if relaxed is None else (relaxed, *trees)
            if not isinstance(wanted, Function):
                known = wanted and value and not isinstance(value, Function)
                tree.put(place, (union([wanted, value]) if known else None) or ANY)
        return (tree, *trees) if tree.children else trees

    def named(self, ref: ast.Ref) -> Type | None:
        """The type of what a reference names: a function's own, not that of a call."""
        if not isinstance(ref.head, ast.Var):
            return None
        names = [key_of(part.value) if isinstance(part, ast.Scalar) else None for part in ref.path]
        if ref.head.name == BUILTIN:
            builtin = self.checker.builtins.get(".".join(str(name[1]) for name in names if name))
            return of_signature(builtin.signature) if builtin else None
        if ref.head.name in ("input", "data"):
            return self.known([key_of(ref.head.name), *names])
        return None

    # --- terms

    def lower(self, term: ast.Term) -> Pattern:
        """The term as a pattern; what is referred to or called in it is checked."""
        match term:
            case ast.Scalar() | ast.Var():
                return term
            case ast.Ref():
                found = self.reference(term)
                return _UNKNOWN if self.references_only else Typed(found)
            case ast.Call():
                return Typed(self.call(term))
            case ast.Array():
                return ArrayPattern(tuple(self.lowered(term.items)))
            case ast.SetTerm():
                return SetPattern(tuple(self.lowered(term.items)))
            case ast.Object():
                parts = self.lowered([part for pair in term.pairs for part in pair])
                return ObjectPattern(tuple(zip(parts[::2], parts[1::2], strict=True)))
            case ast.Comprehension():
                return Typed(self.comprehension(term))
            case ast.Template():
                for part in term.parts:
                    if not isinstance(part, str):
                        self.match(self.lower(part), ANY, widen=isinstance(part, ast.Var))
                return _UNKNOWN if self.references_only else Typed(STRING)

    def lowered(self, terms: Sequence[ast.Term]) -> list[Pattern]:
        """Several terms; calls among them first, as they run first."""
        calls = {at: self.lower(term) for at, term in enumerate(terms) if isinstance(term, ast.Call)}
        return [calls[at] if at in calls else self.lower(term) for at, term in enumerate(terms)]

    def inner(self) -> Scope:
        """A scope for a body in this one; what it finds out about variables stays in it."""
        return Scope(self.checker, self.findings, self.module, dict(self.types), self.trees)

    def comprehension(self, term: ast.Comprehension) -> Type | None:
        before = self.findings.count
        inner = self.inner()
        inner.body(term.body)
        key = None if term.key is None else inner.of(inner.lower(term.key))
        value = inner.of(inner.lower(term.value))
        if self.findings.count > before:
            return None
        match term.kind:
            case "array":
                return Array((), value)
            case "set":
                return Set(value)
            case "object":
                return Object((), (key, value))

    def held(self, term: Pattern) -> Type:
        """The type of a variable that holds a term; variables in it without a type then hold anything."""
        found = self.of(term)
        if unknown(found) and isinstance(term, ast.Var | ArrayPattern | ObjectPattern):
            found = self.opened(term)
        return ANY if self.references_only or found is None else found

    # --- calls

    def call(self, call: ast.Call, result: Pattern | None = None) -> Type | None:
        """Check a call's operands; the type of its result."""
        if call.name == "print":
            for operand in call.args:
                self.inner().lower(operand)
            return None
        args = self.lowered(call.args)
        if self.references_only or call.name in SPECIAL:
            return None
        if call.name in ("internal.member_2", "internal.member_3") and not self.member(args, call):
            return None
        builtin = self.checker.builtins.get(call.name)
        path = self.checker.paths.get(call.name)
        if path is not None and self.checker.calls is not None:
            self.checker.calls.setdefault(call.name, []).append((self.module.file, list(map(self.of, args))))
        function = of_signature(builtin.signature) if builtin and path is None else self.known(path or ())
        if not isinstance(function, Function):
            return None
        wanted = [*function.args, function.result]
        args += [] if result is None else [result]
        have = list(map(self.of, args))
        for arg, given, want in zip(args, have, wanted, strict=False):
            fits = want is None or unknown(given) or unifies(given, want)
            if not fits or not self.match(arg, want):
                given_types = ", ".join(map(brief, have[: len(function.args)]))
                wanted_types = ", ".join(map(brief, function.args))
                hint = f"have ({given_types}), want ({wanted_types})"
                self.error(f"{call.name}: invalid argument(s)", call.at, hint)
                return None
        return function.result

    def member(self, args: Sequence[Pattern], call: ast.Call) -> bool:
        """Check that what stands left of ``in`` can be in what stands right."""
        collection = self.of(args[-1])
        wanted = [keys(collection), values(collection)][-len(args) + 1 :]
        if values(collection) is None:
            return True
        for arg, want in zip(args, wanted, strict=False):
            have = self.of(arg)
            if want is None or unknown(want):
                continue
            if (not unknown(have) and not unifies(have, want)) or not self.match(arg, want):
                self.mismatch(have, want, call.at)
                return False
        return True

    # --- references

    def reference(self, ref: ast.Ref) -> Type | None:
        """Check a reference; its type."""
        head = ref.head
        path = [part if isinstance(part, ast.Scalar | ast.Var) else self.lower(part) for part in ref.path]
        names: list[Key | None] = [key_of(p.value) if isinstance(p, ast.Scalar) else None for p in path]
        if isinstance(head, ast.Var) and head.name in ("input", "data"):
            root = key_of(head.name)
            found = self.known([root, *names])
            if isinstance(found, Function):
                self.error(f"function {self.text(ref)} used as reference, not called", ref.at)
                return None
            return found if self.document_path(ref, root, path) else None
        if isinstance(head, ast.Var):
            if head.name == BUILTIN:
                return None
            base = self.types.setdefault(head.name, ANY)
        else:
            base = self.held(self.lower(head))
        return at(base, names) if self.path(ref, base, path, 0) else None

    def known(self, names: Sequence[Key | None]) -> Type | None:
        """The type of the document at a path."""
        for tree in self.trees:
            if names and names[0] in tree.children:
                found = tree.get(names)
                if found is not MISSING:
                    assert found is None or isinstance(found, Type)
                    return found
        return ANY

    def document_path(self, ref: ast.Ref, root: Key, path: Sequence[Pattern]) -> bool:
        """Check a reference below ``input`` or ``data``."""
        for tree in self.trees:
            node = tree.children.get(root)
            for depth, part in enumerate(path):
                if node is None:
                    break
                if node.type is not None:
                    return self.path(ref, node.type, path, depth)
                if isinstance(part, ast.Var) and not self.index(ref, part, node.keys(), depth, node):
                    return False
                node = node.children.get(key_of(part.value)) if isinstance(part, ast.Scalar) else None
            if node is not None:
                return True
        for part in path:
            if not isinstance(part, ast.Scalar):
                self.match(part, ANY)
        return True

    def path(self, ref: ast.Ref, of: Type | None, path: Sequence[Pattern], start: int) -> bool:
        """Check what follows in a reference, from ``start`` on, behind a value of a type."""
        for depth in range(start, len(path)):
            part = path[depth]
            if of is None:
                return True
            if of is ANY:
                if not isinstance(part, ast.Scalar):
                    self.match(part, ANY)
                continue
            wanted = keys(of)
            if is_empty(of) or wanted is None:
                if unknown(of) and not is_empty(of):
                    return True
                if not isinstance(of, Set | Array | Object):
                    self.unsupported(ref, of)
                    return False
                self.undefined(ref, depth, None, None, of)
                return False
            if not isinstance(part, ast.Scalar):
                if not self.index(ref, part, wanted, depth, of):
                    return False
                of = values(of)
                continue
            found = select(of, key_of(part.value))
            if found is None and not unknown(of):
                self.undefined(ref, depth, None, wanted, of)
                return False
            of = found
        return True

    def index(self, ref: ast.Ref, part: Pattern, wanted: Type | None, depth: int, place: Type | Node) -> bool:
        """Check a part of a reference that is not fixed."""
        have = self.of(part)
        if wanted is None or (isinstance(part, Typed) and have is None):
            return True
        if have is None or not isinstance(part, ast.Var | Typed):
            fits = self.match(part, wanted)
        else:
            fits = unifies(have, wanted)
        if not fits:
            self.undefined(ref, depth, have, wanted, place)
        return fits

    def unsupported(self, ref: ast.Ref, of: Type) -> None:
        if isinstance(of, Function):
            self.error(f"function {self.text(ref)} used as reference, not called", ref.at)
        else:
            self.error(
                f"undefined ref: {self.text(ref)}", ref.at, f"a value of type {brief(of)} has no parts"
            )

    def undefined(
        self, ref: ast.Ref, depth: int, have: Type | None, want: Type | None, place: Type | Node
    ) -> None:
        found = brief(have) if have else self.text(ref.path[depth])
        names = _names(place)
        part = ref.path[depth]
        if isinstance(part, ast.Scalar) and type(part.value) is str and not isinstance(place, Node):
            upto = self.text(ast.Ref(ref.head, ref.path[: depth + 1], ref.at))
            known = tuple(str(key[1]) for key in names)
            self.findings.missing.append(
                Missing(self.module.span(ref.at, len(upto)), upto, part.value, place, known)
            )
        if names:
            more = ", …" if len(names) > _MOST_NAMES else ""
            wanted = f"one of {', '.join(map(shown_key, names[:_MOST_NAMES]))}{more}"
        else:
            wanted = brief(want) if want else "nothing: it is empty"
        self.error(f"undefined ref: {self.text(ref)}", ref.at, f"have {found}, want {wanted}")

    def text(self, term: ast.Term) -> str:
        """A term as an error shows it."""
        match term:
            case ast.Scalar():
                return shown_key(key_of(term.value)) if type(term.value) is not str else f'"{term.value}"'
            case ast.Var():
                return term.shown
            case ast.Ref():
                written = self.text(term.head).replace(BUILTIN, "")
                for part in term.path:
                    name = (
                        isinstance(part, ast.Scalar) and type(part.value) is str and part.value.isidentifier()
                    )
                    written += f".{part.value}" if name else f"[{self.text(part)}]"  # type: ignore[union-attr]
                return written.removeprefix(".")
            case ast.Call():
                return f"{term.name}({', '.join(map(self.text, term.args))})"
            case ast.Array():
                return f"[{', '.join(map(self.text, term.items))}]"
            case ast.SetTerm():
                return f"{{{', '.join(map(self.text, term.items))}}}"
            case ast.Object():
                return f"{{{', '.join(f'{self.text(k)}: {self.text(v)}' for k, v in term.pairs)}}}"
            case ast.Comprehension():
                return {"array": "[…]"}.get(term.kind, "{…}")
            case ast.Template():
                return '$"…"'


def _objects(of: Type) -> set[Type]:
    """The types of arrays and objects in a type."""
    found: set[Type] = set()
    waiting: list[Type | None] = [of]
    while waiting:
        part = waiting.pop()
        if isinstance(part, Union):
            waiting += part.of
        elif isinstance(part, Object | Array) and part not in found:
            found.add(part)
            waiting += (
                [*(value for _, value in part.fields), *(part.rest or ())]
                if isinstance(part, Object)
                else [*part.items, part.rest]
            )
    return found


def _members(of: Type) -> frozenset[Type]:
    return of.of if isinstance(of, Union) else frozenset([of])


def _of_all(types: Sequence[Type | None]) -> Type | None:
    """The type of what is of one of the types; None where one of them is not known."""
    found = union(types)
    return None if found == ANY or any(map(unknown, types)) else found


def _names(place: Type | Node) -> list[Key]:
    """The keys that objects of a type, or what is at a place, are known to have."""
    match place:
        case Node():
            return sorted(place.children)
        case Object():
            return [key for key, _ in place.fields]
        case Union():
            return sorted({key for member in place.of for key in _names(member)})
        case _:
            return []


def _keys(path: Sequence[str]) -> tuple[Key, ...]:
    return tuple(map(key_of, path))


def _in_order(edges: Mapping[int, Sequence[int]]) -> list[int]:
    """The groups, each behind those it depends on."""
    ordered: list[int] = []
    seen: set[int] = set()
    for start in edges:
        waiting = [(start, False)]
        while waiting:
            index, ready = waiting.pop()
            if ready:
                ordered.append(index)
            elif index not in seen:
                seen.add(index)
                waiting.append((index, True))
                waiting += [(needed, False) for needed in reversed(edges[index])]
    return ordered
