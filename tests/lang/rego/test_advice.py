"""Advice: a policy that is slow, what is said of it, and that what is said makes it fast, in steps."""

from __future__ import annotations

from typing import Any

import pytest

from solon.lang import rego
from solon.lang.profile import Profile
from solon.lang.rego.advice import Advice, advise

SIZE = 100
DOCUMENT: dict[str, Any] = {
    "xs": [
        {"id": f"x{n}", "next": f"X{n + 1}", "needs": [f"x{n + 1}", f"x{n + 2}"], "kind": "even" if n % 2 == 0 else "odd"}
        for n in range(SIZE)
    ],
    "wanted": {"kind": "none"},
}  # fmt: skip


def profiled(body: str, beside: str = "", document: Any = DOCUMENT) -> tuple[Any, Profile]:
    profile = Profile()
    lines = "\n".join(f"\t{line}" for line in body.strip().splitlines())
    text = f"package p\n\npairs contains [a.id, b.id] if {{\n{lines}\n}}\n\n{beside}\n"
    program = rego.compile({"p.rego": text}, data={"limits": {"kind": "even"}}, watch=profile)
    return program.evaluate("data.p.pairs", document), profile


def only(profile: Profile) -> Advice:
    (advice,) = advise(profile)
    return advice


def split(instead: tuple[str, ...]) -> tuple[str, str]:
    """The rule to write beside the one, and the lines to put in the loop's place."""
    marks = [n for n, line in enumerate(instead) if line.startswith("# ")]
    if len(marks) < 2:
        return "", "\n".join(line for line in instead if not line.startswith("#"))
    first, second = marks
    return "\n".join(instead[first + 1 : second]), "\n".join(instead[second + 1 :])


FUNCTION = (
    "follows(one, other) if {\n\tone.id == other.needs[0]\n\tone.kind != other.kind\n\tother.up == one.id\n}"
)

# name: (lines before the loop, the loop, lines behind it, what is said of why it is no join)
LOOPS = {
    "a computed field": (
        "", "some b in input.xs", "lower(b.next) == a.id",
        "`lower(b.next) == a.id` computes lower(b.next) anew for each b; a join needs a plain field",
    ),
    "a computed field, in a variable": (
        "", "some b in input.xs", "key := lower(b.next)\nkey == a.id",
        "`key == a.id` computes lower(b.next) anew for each b; a join needs a plain field",
    ),
    "a call in between": (
        "", "some b in input.xs", 'startswith(b.next, "X")\nb.id == a.needs[0]',
        '`startswith(b.next, "X")` stands between the loop and `b.id == a.needs[0]`',
    ),
    "a negation in between": (
        "", "some b in input.xs", "not b.hidden\nb.id == a.needs[0]",
        "`not b.hidden` stands between the loop and `b.id == a.needs[0]`",
    ),
    "compared with a call": (
        "", "some b in input.xs", "b.id == lower(a.next)",
        "`b.id == lower(a.next)` reads lower(a.next) behind the loop",
    ),
    "one of the element's": (
        "", "some b in input.xs", "a.id in b.needs",
        "`a.id in b.needs` looks through every b",
    ),
    "one of what is known": (
        "", "some b in input.xs", "b.id in a.needs",
        "`b.id in a.needs` is asked of every b; a join needs `==`",
    ),
    "as Rego v0 iterates": (
        "", "b := input.xs[_]", "lower(b.next) == a.id",
        "`lower(b.next) == a.id` computes lower(b.next) anew",
    ),
    "a collection in a variable": (
        "", "some b in xs", "lower(b.next) == a.id",
        "`lower(b.next) == a.id` computes lower(b.next) anew",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("before", "loop", "behind", "because"), LOOPS.values(), ids=LOOPS)
def test_a_loop_that_is_no_join(before: str, loop: str, behind: str, because: str) -> None:
    """The advice names the loop and why; the policy written so gives the same in linear time."""
    start = "xs := input.xs\nsome a in xs" if "in xs" in loop else "some a in input.xs"
    slow, profile = profiled(f"{start}\n{before}\n{loop}\n{behind}")
    advice = only(profile)
    assert profile.total_steps > SIZE * SIZE
    assert (advice.site.text, advice.site.rule, advice.site.span.file) == (loop, "data.p.pairs", "p.rego")
    assert f"{SIZE} times over, {SIZE} elements each time: {SIZE * SIZE:,} steps" in advice.problem
    assert because in advice.because
    beside, here = split(advice.instead)
    rest = "" if beside else behind
    fast, again = profiled(f"{start}\n{here}\n{rest}", beside.replace(" xs\n", " input.xs\n"))
    assert fast == slow
    assert len(slow) > SIZE / 2
    assert again.total_steps < 16 * SIZE
    assert advise(again) == []


def test_a_function_that_compares() -> None:
    _, profile = profiled("some a in input.xs\nsome b in input.xs\nfollows(a, b)", FUNCTION)
    advice = only(profile)
    assert "what is compared is inside `follows(a, b)`, which is called for every pair" in advice.because
    assert advice.instead == ("some b in input.xs", "b.up == a.id", "follows(a, b)")


def test_every_that_says_none_is_equal() -> None:
    slow, profile = profiled("some a in input.xs\nevery c in input.xs { lower(c.next) != a.id }\nb := a")
    advice = only(profile)
    assert slow == [["x0", "x0"]]
    assert advice.site.span.row == 5
    beside, here = split(advice.instead)
    assert beside == "all_next := {lower(c.next) | some c in input.xs}"
    assert here == "not a.id in all_next"
    fast, again = profiled(f"some a in input.xs\n{here}\nb := a", beside)
    assert fast == slow
    assert again.total_steps < 3 * SIZE


def test_a_walk_again_for_each_element() -> None:
    _, profile = profiled("some a in input.xs\nwalk(input.xs, [_, b])\nb.id == a.needs[0]")
    advice = only(profile)
    assert advice.problem == "walks input.xs 100 times over, 701 elements each time: 70,100 steps"
    assert "what is walked is the same each time" in advice.because


def test_no_equality_at_all() -> None:
    _, profile = profiled("some a in input.xs\nsome b in input.xs\na.id < b.id")
    assert (
        "nothing behind it asks for a field of b to be equal to something known before"
        in only(profile).because
    )


def test_a_condition_that_waits_in_the_loop() -> None:
    slow, profile = profiled(
        'some a in input.xs\nsome b in input.xs\na.kind == "odd"\na.id == "x1"\nb.id == a.needs[0]'
    )
    found = {advice.site.text: advice for advice in advise(profile)}
    assert 'a.kind == "odd"' not in found  # the loop is a join and has few turns
    # A comparison is made before the loop by itself; a call is not, as it may be an error.
    asked = 'startswith(a.id, "x1")'
    slow, profile = profiled(f"some a in input.xs\nsome b in input.xs\n{asked}\na.id < b.id")
    waiting = next(advice for advice in advise(profile) if advice.site.text == asked)
    assert waiting.site.span.row == 6
    assert waiting.problem == (
        "asks the same 10,000 times, once for each element of the loop over input.xs in row 5"
    )
    assert waiting.instead == (asked, "some b in input.xs")
    fast, again = profiled(f"some a in input.xs\n{asked}\nsome b in input.xs\na.id < b.id")
    assert fast == slow
    assert again.total_steps < profile.total_steps / 4


def test_a_comparison_that_waits_in_the_loop_is_made_before_it() -> None:
    _, late = profiled('some a in input.xs\nsome b in input.xs\na.id == "x1"\na.id < b.id')
    _, early = profiled('some a in input.xs\na.id == "x1"\nsome b in input.xs\na.id < b.id')
    assert late.total_steps == early.total_steps < 3 * SIZE
    assert advise(late) == advise(early) == []


def test_many_rules_that_ask_a_constant_too_late() -> None:
    rules = "\n".join(
        f'p contains "{n}" if {{\n\tsome r in input.xs\n\tcount(r.needs) > 1\n\tr.kind == "k{n}"\n}}\n' for n in range(5)
    )  # fmt: skip
    profile = Profile()
    rego.compile({"p.rego": f"package p\n\n{rules}"}, watch=profile).evaluate("data.p.p", DOCUMENT)
    found = advise(profile)
    assert [advice.site.span.row for advice in found] == [4, 10, 16, 22, 28]
    assert found[0].problem == "visits all 100 elements of input.xs, as each of 5 loops over it does"
    assert found[0].instead == ("some r in input.xs", 'r.kind == "k0"', "count(r.needs) > 1")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('regex.match(sprintf("^%s$", [a.id]), a.next)', 'sprintf("^%s$", [a.id])'),
        ('regex.match(concat("", [a.id, ".*"]), a.next)', 'concat("", [a.id, ".*"])'),
        ("glob.match(a.id, [], a.next)", "a.id"),
    ],
)
def test_a_pattern_made_while_it_runs(line: str, said: str) -> None:
    _, profile = profiled(f"some a in input.xs\n{line}\nb := a")
    assert only(profile).problem.endswith(f"takes a pattern that is made while it runs, {said}: 100 times")


@pytest.mark.parametrize(
    "body",
    [
        "some a in input.xs\nsome b in input.xs\nb.id == a.needs[0]",
        "some a in input.xs\nsome need in a.needs\nb := a",
        'some a in input.xs\nregex.match("^x[0-9]+$", a.id)\nb := a',
        "some a in input.xs\nregex.match(input.pattern, a.id)\nb := a",
        'some a in input.xs\na.kind == "odd"\nb := a',
    ],
)
def test_nothing_is_said_of_what_is_in_proportion(body: str) -> None:
    _, profile = profiled(body, document={**DOCUMENT, "pattern": "^x"})
    assert advise(profile) == []


def test_nothing_is_said_of_a_small_document() -> None:
    _, profile = profiled(
        "some a in input.xs\nsome b in input.xs\na.id < b.id", document={"xs": DOCUMENT["xs"][:5]}
    )
    assert advise(profile) == []


def test_many_evaluations_of_one_loop_are_not_a_loop_in_a_loop() -> None:
    profile = Profile()
    text = 'package p\n\nq contains x.id if {\n\tsome x in input.xs\n\tstartswith(x.id, "y")\n}\n'
    program = rego.compile({"p.rego": text}, watch=profile)
    for _ in range(100):
        program.evaluate("data.p.q", DOCUMENT)
    assert advise(profile) == []
