"""What to change in a policy that is slow: from a profile, and from what was compiled.

Advice is given where counting shows a cost, and where what is written explains it: a collection visited again
for each element of another, a condition that waits inside a loop, a pattern made anew for each element.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from solon.lang.profile import Cost, Profile, Site, place_of
from solon.lang.rego import ast
from solon.lang.rego.references import compared, path_from
from solon.lang.rego.resolve import walk_all
from solon.lang.rego.rewrites import (
    all_names,
    domain_of,
    element_of,
    passes,
    shower,
    text_of,
    unfolded,
    why_no_join,
)
from solon.lang.rego.show import term_text
from solon.lang.rego.trace import Expression, Loop

MANY: Final = 16  # evaluations of an expression, or elements of a collection, that are worth a word
MUCH: Final = 10_000  # steps: an evaluation that was stopped may have come to no more than the second turn
SEVERAL: Final = 3  # loops over the same collection
WORTH: Final = 0.02  # of all steps


@dataclass(frozen=True, slots=True)
class Advice:
    """``problem`` is what happens, ``because`` why, ``instead`` lines of a policy that would be quicker."""

    site: Site
    problem: str
    because: str
    instead: tuple[str, ...]
    cost: int  # what it is about, in steps or evaluations: to put the dearest first


def advise(profile: Profile) -> list[Advice]:
    """Advice, the dearest first."""
    costs = {cost.site: cost for cost in profile.costs}
    loops = {(n.site, n.how, id(n.statement)): n for n in profile.notes if isinstance(n, Loop)}
    expressions = {n.site: n for n in profile.notes if isinstance(n, Expression)}
    found: dict[tuple[str, int], Advice] = {}
    for advice in (
        *_of_loops(list(loops.values()), costs, profile.total_steps),
        *_of_waiting(list(loops.values()), costs),
        *_of_patterns(list(expressions.values()), costs),
    ):
        place = (advice.site.span.file, advice.site.span.row)
        if place not in found or advice.cost > found[place].cost:
            found[place] = advice
    return sorted(found.values(), key=lambda advice: (-advice.cost, place_of(advice.site)))


def behind_the_first(profile: Profile) -> frozenset[int]:
    """The numbers of expressions that are only reached where another one held."""
    return frozenset(
        profile.site(note.site)
        for note in profile.notes
        if isinstance(note, Expression) and note.before and note.site.rule
    )


def _count(number: float, noun: str) -> str:
    return "once" if noun == "times" and number == 1 else f"{number:,.0f} {noun}"


# --- collections that are visited again and again


def _of_loops(loops: Sequence[Loop], costs: dict[Site, Cost], total: int) -> Iterator[Advice]:
    domains = {loop.site: domain_of(loop) for loop in loops}
    over = Counter(term_text(domain) for domain in domains.values() if domain is not None)
    for loop in loops:
        cost = costs.get(loop.site)
        if cost is None or not cost.evaluations:
            continue
        visited = _visited(loop, cost, costs)
        each = visited / cost.evaluations
        domain = domain_of(loop)
        if each < MANY or visited < WORTH * total or domain is None:
            continue
        again = cost.most >= MANY or (cost.most > 1 and visited >= MUCH)
        if again and _is_fixed(domain, loop.before):
            yield _repeated(loop, domain, cost, visited)
        elif not loop.sought and cost.most < MANY:
            yield from _constant(loop, domain, cost, over[term_text(domain)])


def _visited(loop: Loop, cost: Cost, costs: dict[Site, Cost]) -> int:
    """The elements that a loop visited. A walk finds them as it goes: what follows is asked of each."""
    if loop.how == "walk" and loop.after:
        behind = costs.get(_site(loop, loop.after[0]))
        return behind.evaluations if behind is not None else 0
    return cost.steps


def _repeated(loop: Loop, domain: ast.Term, cost: Cost, visited: int) -> Advice:
    shown = term_text(domain, loop.module.package)
    times = cost.evaluations
    verb = "walks" if loop.how == "walk" else "visits"
    problem = (
        f"{verb} {shown} {_count(times, 'times')} over, {_count(visited / times, 'elements')} each time: "
        f"{_count(visited, 'steps')}"
    )
    why = why_no_join(loop, domain)
    old = ["# in Rego v0, with: import future.keywords"] if loop.module.version == "v0" else []
    return Advice(loop.site, problem, why.because, (*old, *why.instead), visited)


def _constant(loop: Loop, domain: ast.Term, cost: Cost, others: int) -> Iterator[Advice]:
    """A loop over everything, with a comparison with a constant that comes too late."""
    element = element_of(loop)
    if element is None or others < SEVERAL or loop.how not in ("values", "items"):
        return
    show, barrier = shower(loop), ""
    for expr in loop.after:
        for one, other in compared(expr.statement) if not expr.negated and not expr.withs else ():
            if path_from(element, one) and isinstance(other, ast.Scalar) and barrier:
                problem = (
                    f"visits all {_count(cost.steps / cost.evaluations, 'elements')} of {show(domain)}, "
                    f"as each of {others} loops over it does"
                )
                because = (
                    f"`{barrier}` stands between the loop and `{text_of(loop, expr)}`, and might fail for an "
                    "element that the comparison leaves out; with the comparison first, all loops that ask "
                    "for this field share an index"
                )
                first = f"some {element.shown} in {show(domain)}"
                instead = (first, f"{show(one)} == {show(other)}", barrier)
                yield Advice(loop.site, problem, because, instead, cost.steps)
                return
        if not barrier and not passes(expr):
            barrier = text_of(loop, expr)


# --- conditions that wait inside a loop


def _of_waiting(loops: Sequence[Loop], costs: dict[Site, Cost]) -> Iterator[Advice]:
    for loop in loops:
        for position, expr in enumerate(loop.after):
            if not _is_condition(expr) or not _known_before(expr, loop):
                continue
            cost = costs.get(_site(loop, expr))
            passed = _passed(loop, position, costs)
            if cost is None or cost.most < MANY or passed is None or passed > cost.evaluations / 2:
                continue
            begun = costs.get(loop.site)
            if begun is None or cost.evaluations < MANY * begun.evaluations:
                continue
            text, show = text_of(loop, expr), shower(loop)
            domain = domain_of(loop)
            over = f"the loop over {show(domain)}" if domain is not None else "the loop"
            yield Advice(
                cost.site,
                f"asks the same {_count(cost.evaluations, 'times')}, once for each element of {over} "
                f"in row {loop.site.span.row}",
                f"`{text}` does not depend on the element; above the loop it is asked once, and where it does "
                "not hold the loop is not begun",
                (text, loop.site.text),
                cost.evaluations,
            )
            break


def _passed(loop: Loop, position: int, costs: dict[Site, Cost]) -> int | None:
    """How often what follows an expression was reached; None where nothing follows that is counted."""
    for expr in loop.after[position + 1 :]:
        cost = costs.get(_site(loop, expr))
        if cost is not None:
            return cost.evaluations
    return None


def _is_condition(expr: ast.Expr) -> bool:
    match expr.statement:
        case ast.TermExpr():
            return True
        case ast.Unify(operator="=="):
            return True
        case _:
            return expr.negated


def _known_before(expr: ast.Expr, loop: Loop) -> bool:
    terms = [*ast.statement_terms(expr.statement), *(w.value for w in expr.withs)]
    found = list(walk_all(terms, ast.bodies(expr.statement)))
    if any(isinstance(t, ast.Comprehension) for t in found):
        return False
    used = {t.name for t in found if isinstance(t, ast.Var)} - {"input", "data"}
    return all(name in loop.known or name.startswith("$") for name in used)


# --- patterns


_PATTERNS: Final = {
    "regex.match": 0, "regex.find_n": 0, "regex.split": 0, "regex.find_all_string_submatch_n": 0,
    "regex.replace": 1, "regex.globs_match": 0, "glob.match": 0,
}  # fmt: skip


def _of_patterns(expressions: Sequence[Expression], costs: dict[Site, Cost]) -> Iterator[Advice]:
    for found in expressions:
        cost = costs.get(found.site)
        if cost is None or cost.most < MANY:
            continue
        terms = ast.statement_terms(found.expr.statement)
        for call in walk_all(terms, []):
            if not isinstance(call, ast.Call) or call.name not in _PATTERNS:
                continue
            pattern = call.args[_PATTERNS[call.name]]
            values = {
                e.statement.left.name: e.statement.right
                for e in found.before
                if isinstance(e.statement, ast.Unify) and isinstance(e.statement.left, ast.Var)
            }
            made = unfolded(pattern, values)
            if isinstance(made, ast.Scalar) or _is_fixed(made, found.before):
                continue
            shown = term_text(made, found.module.package)
            yield Advice(
                found.site,
                f"{call.name} takes a pattern that is made while it runs, {shown}: {_count(cost.evaluations, 'times')}",
                "a pattern written as a constant is compiled once; each other one is compiled when it is met, "
                "and each is tried on its own",
                _patterns_instead(call, made, found),
                cost.evaluations,
            )
            break


def _patterns_instead(call: ast.Call, made: ast.Term, found: Expression) -> tuple[str, ...]:
    package = found.module.package
    text = next(
        (term_text(a, package) for a in call.args if a is not call.args[_PATTERNS[call.name]]), "text"
    )
    if isinstance(made, ast.Call) and made.name in ("sprintf", "concat", "format_int"):
        return (
            "# for a fixed text, no pattern is needed:",
            f"startswith({text}, …)    # or endswith, contains, ==",
        )
    return (
        "# all patterns as one, in a rule that is evaluated once:",
        'any_pattern := concat("|", patterns)',
        f"regex.match(any_pattern, {text})",
    )


# --- places, and what is the same in every turn


def _site(loop: Loop, expr: ast.Expr) -> Site:
    return Site(loop.site.rule, loop.module.span(expr.at, expr.end - expr.at), text_of(loop, expr))


def _is_fixed(term: ast.Term, before: Sequence[ast.Expr]) -> bool:
    """Whether a term is the same in every turn of the loops around: it takes nothing from their elements."""
    fixed: set[str] = set()
    for expr in before:
        match expr.statement:
            case ast.Unify(left=ast.Var() as left, right=right) if _takes_from(right) <= fixed:
                fixed.add(left.name)
    return _takes_from(term) <= fixed


def _takes_from(term: ast.Term) -> set[str]:
    return all_names([term]) - {"input", "data"}
