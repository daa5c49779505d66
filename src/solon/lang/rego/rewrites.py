"""Why a loop over a collection is not a join, and what to write in its place.

What makes a join is in :mod:`solon.lang.rego.references`; each reason here is something that it does not follow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from solon.lang.rego import ast
from solon.lang.rego.references import compared, may_fail, path_from
from solon.lang.rego.resolve import walk_all
from solon.lang.rego.safety import names
from solon.lang.rego.show import term_text
from solon.lang.rego.trace import Loop


@dataclass(frozen=True, slots=True)
class Why:
    """Why a loop is not a join, and lines to write in its place."""

    because: str
    instead: list[str]


def why_no_join(loop: Loop, domain: ast.Term) -> Why:
    show = shower(loop)
    collection = show(domain)
    if loop.how == "walk":
        return Why(
            "what is walked is the same each time",
            [
                _BESIDE,
                "found contains value if {",
                f"\twalk({collection}, [_, value])",
                "\t# and what is asked of the value alone",
                "}",
                _HERE,
                "some value in found",
            ],
        )
    if loop.how == "every":
        return _why_every(loop, collection)
    element = element_of(loop)
    if element is None:
        return Why(
            "it is not a join: no `==` compares a field of the element with a value known before",
            ["some element in " + collection, "element.field == value"],
        )
    use = next(_uses(loop, element), None)
    if use is not None:
        return use
    return Why(
        f"it is not a join: nothing behind it asks for a field of {element.shown} to be equal to something "
        "known before, so that every pair has to be looked at",
        [
            f"# first: conditions that need no {element.shown}, above this loop",
            f"# then, if a field of {element.shown} must equal a value:",
            f"some {element.shown} in {collection}",
            f"{element.shown}.field == value",
        ],
    )


def _why_every(loop: Loop, collection: str) -> Why:
    statement = loop.statement
    assert isinstance(statement, ast.Every)
    show, name = shower(loop), statement.value.name
    for expr in statement.body:
        match expr.statement:
            case ast.TermExpr(term=ast.Call(name="neq", args=[one, other])):
                mine, theirs = (one, other) if name in all_names([one]) else (other, one)
                if name in all_names([mine]) and name not in all_names([theirs]):
                    plural = f"all_{_field(mine)}"
                    return Why(
                        "`every` with `!=` looks at all elements to say that none is equal",
                        [
                            _BESIDE,
                            f"{plural} := {{{show(mine)} | some {statement.value.shown} in {collection}}}",
                            _HERE,
                            f"not {show(theirs)} in {plural}",
                        ],
                    )
    return Why(
        "`every` looks at all elements each time, and they are the same each time",
        [f"# in a rule of its own, evaluated once: what `every` asks of {collection} alone"],
    )


def _uses(loop: Loop, element: ast.Var) -> Iterator[Why]:
    """Comparisons behind a loop that would make it a join if they were written otherwise."""
    show, collection = shower(loop), shower(loop)(domain_of(loop) or element)
    some = f"some {element.shown} in"
    mine, known = {element.name}, set(loop.known)  # variables of the element, and those from before it
    values: dict[str, ast.Term] = {}  # what a variable was assigned
    barrier = ""
    for expr in loop.after:
        text = text_of(loop, expr)
        if not expr.negated and not expr.withs:
            for side, against in compared(expr.statement):
                one, other = unfolded(side, values), unfolded(against, values)
                if not (mine & all_names([one])) or mine & all_names([other]):
                    continue
                if isinstance(other, ast.Var) and other.name not in known and other.name not in values:
                    continue  # an assignment
                path = path_from(element, one)
                if path in loop.sought:
                    continue
                if path is None:
                    index = f"by_{_field(one)}"
                    rule = [*_indexing(index, element, collection), f"\tkey := {show(one)}", "}"]
                    yield Why(
                        f"it is not a join: `{text}` computes {show(one)} anew for each {element.shown}; "
                        "a join needs a plain field",
                        [*rule, _HERE, f"{some} {index}[{show(other)}]"],
                    )
                elif barrier:
                    yield Why(
                        f"it is not a join: `{barrier}` stands between the loop and `{text}`, and might fail "
                        "for an element that the comparison leaves out",
                        [f"{some} {collection}", f"{show(one)} == {show(other)}", barrier],
                    )
                elif not isinstance(other, ast.Scalar | ast.Var):
                    yield Why(
                        f"it is not a join: `{text}` reads {show(other)} behind the loop; "
                        "a join needs a variable that has its value before",
                        [f"wanted := {show(other)}", f"{some} {collection}", f"{show(one)} == wanted"],
                    )
            yield from _memberships(expr, element, mine, show, collection)
            yield from _in_functions(loop, expr, element, mine, known)
        if not barrier and not passes(expr):
            barrier = text
        match expr.statement:
            case ast.Unify(left=ast.Var() as left, right=right, operator=":=" | "="):
                if mine & all_names([right]):
                    mine.add(left.name)
                values[left.name] = unfolded(right, values)


_BESIDE: Final = "# a rule of its own, evaluated once:"
_HERE: Final = "# and here, in place of the loop:"


def _indexing(index: str, element: ast.Var, collection: str) -> list[str]:
    return [
        _BESIDE,
        f"{index}[key] contains {element.shown} if {{",
        f"\tsome {element.shown} in {collection}",
    ]


def _memberships(
    expr: ast.Expr, element: ast.Var, mine: set[str], show: Callable[[ast.Term], str], collection: str
) -> Iterator[Why]:
    some = f"some {element.shown} in"
    match expr.statement:
        case ast.TermExpr(term=ast.Call(name="internal.member_2", args=[item, where])):
            if mine & all_names([where]) and not mine & all_names([item]):
                index = f"by_{_field(where)}"
                rule = [*_indexing(index, element, collection), f"\tsome key in {show(where)}", "}"]
                yield Why(
                    f"it is not a join: `{show(item)} in {show(where)}` looks through every {element.shown}",
                    [*rule, _HERE, f"{some} {index}[{show(item)}]"],
                )
            elif (
                mine & all_names([item])
                and not mine & all_names([where])
                and not isinstance(where, ast.Array | ast.SetTerm)
            ):
                yield Why(
                    f"it is not a join: `{show(item)} in {show(where)}` is asked of every {element.shown}; "
                    "a join needs `==`",
                    [f"some wanted in {show(where)}", f"{some} {collection}", f"{show(item)} == wanted"],
                )


def _in_functions(
    loop: Loop, expr: ast.Expr, element: ast.Var, mine: set[str], known: set[str]
) -> Iterator[Why]:
    """A function of the policy that is given the element and something from before it."""
    match expr.statement:
        case ast.TermExpr(term=ast.Call(name=name, args=args)) if name.startswith("data."):
            theirs = [arg for arg in args if known & all_names([arg]) and not mine & all_names([arg])]
            if not theirs or not mine & all_names(args):
                return
            show, text, short = shower(loop), text_of(loop, expr), name.rpartition(".")[2]
            asked = _asked_inside(loop, element, short, args)
            equalities = asked or [f"{element.shown}.field == {show(theirs[0])}.field"]
            said = [] if asked else [f"# before the call, what {short} asks to be equal:"]
            yield Why(
                f"it is not a join: what is compared is inside `{text}`, which is called for every pair",
                [*said, loop.site.text, *equalities, text],
            )


def _given(side: ast.Term, given: Mapping[str, ast.Term]) -> ast.Ref | None:
    """A path from a parameter, as one from what it is given."""
    if isinstance(side, ast.Ref) and isinstance(side.head, ast.Var) and side.head.name in given:
        return ast.Ref(given[side.head.name], side.path, side.at)
    return None


def _asked_inside(loop: Loop, element: ast.Var, function: str, args: Sequence[ast.Term]) -> list[str]:
    """What a function of the same file asks of a field of the element and of another thing it is given."""
    show, found = shower(loop), []
    for rule in loop.module.rules:
        if rule.name != function or rule.head.args is None:
            continue
        given = {
            parameter.name: arg
            for parameter, arg in zip(rule.head.args, args, strict=False)
            if isinstance(parameter, ast.Var) and isinstance(arg, ast.Var)
        }
        for expr in rule.body:
            for one, other in compared(expr.statement) if not expr.negated else ():
                mine, theirs = _given(one, given), _given(other, given)
                if mine and theirs and path_from(element, mine) and not path_from(element, theirs):
                    found.append(f"{show(mine)} == {show(theirs)}")
        break
    return found


# --- what is written


def shower(loop: Loop) -> Callable[[ast.Term], str]:
    return lambda term: term_text(term, loop.module.package)


def text_of(loop: Loop, expr: ast.Expr) -> str:
    return " ".join(loop.module.text[expr.at : expr.end].split())


def element_of(loop: Loop) -> ast.Var | None:
    """The variable that takes the elements."""
    match loop.statement:
        case ast.SomeIn(value=ast.Var() as var):
            return var
        case ast.Unify(left=ast.Var() as var, right=ast.Ref()):
            return var
        case _:
            return None


def domain_of(loop: Loop) -> ast.Term | None:
    """The collection that is visited."""
    match loop.statement:
        case ast.SomeIn(domain=domain) | ast.Every(domain=domain):
            return domain
        case statement:
            for term in walk_all(ast.statement_terms(statement), []):
                if loop.how == "walk" and isinstance(term, ast.Call) and term.name == "walk":
                    return term.args[0]
                if isinstance(term, ast.Ref):
                    for position, part in enumerate(term.path):
                        if isinstance(part, ast.Var) and part.name not in loop.known:
                            return ast.Ref(term.head, term.path[:position], term.at)
            return None


def all_names(terms: Iterable[ast.Term]) -> set[str]:
    return {t.name for t in walk_all(list(terms), []) if isinstance(t, ast.Var)} | names(terms)


def unfolded(term: ast.Term, values: dict[str, ast.Term]) -> ast.Term:
    """A variable that was assigned something computed, as what was computed."""
    if isinstance(term, ast.Var) and isinstance(values.get(term.name), ast.Call):
        return values[term.name]
    return term


def passes(expr: ast.Expr) -> bool:
    """Whether a join may look beyond an expression."""
    return not (expr.negated or expr.withs or may_fail(expr))


def _field(term: ast.Term) -> str:
    """A name for what a term gives: the last field that it reads."""
    for found in walk_all([term], []):
        if isinstance(found, ast.Ref):
            for part in reversed(found.path):
                if isinstance(part, ast.Scalar) and isinstance(part.value, str) and part.value.isidentifier():
                    return part.value
    for found in walk_all([term], []):
        if isinstance(found, ast.Var) and not found.name.startswith("_"):
            return found.shown
    return "key"
