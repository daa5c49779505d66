"""Traces and profiles of Rego. Sequences of steps are those of `opa eval --explain full`, for what a policy writes."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from solon.lang import rego
from solon.lang.profile import Profile, by_line
from solon.lang.rego import program as compiled
from solon.lang.source import Span
from solon.lang.trace import MOST_EVENTS, Trace

POLICY = """package a

deny contains name if {
	some c in input.containers
	c.image == "nginx"
	name := c.name
}

allow if {
	input.user == "root"
}

allow if {
	input.roles[_] == "admin"
}

double(x) := y if {
	x > 0
	y := x * 2
}

big if {
	double(input.n) > 5
}

quiet if {
	not input.loud
}

every_ok if {
	every c in input.containers {
		c.image == "nginx"
	}
}
"""
INPUT = {
    "containers": [{"name": "x", "image": "nginx"}, {"name": "y", "image": "busy"}],
    "user": "bob",
    "roles": ["dev", "admin"],
    "n": 2,
    "loud": True,
}


def traced(mode: Any, query: str, text: str = POLICY, document: Any = INPUT) -> Trace:
    trace = Trace(mode)
    rego.compile({"a.rego": text}, watch=trace).evaluate(query, document)
    return trace


# --- full


@pytest.mark.parametrize(
    ("query", "steps"),
    [
        (
            "data.a.deny",
            "3 Enter, 4 Eval, 5 Eval, 6 Eval, 3 Exit, 6 Redo, 5 Redo, 4 Redo, 5 Eval, 5 Fail, 4 Redo",
        ),
        # OPA's rule index spares it the first rule; Solon has tables and joins in its place, and traces none of them.
        ("data.a.allow", "9 Enter, 10 Eval, 10 Fail, 13 Enter, 14 Eval, 13 Exit, 14 Redo"),
        (
            "data.a.big",
            "22 Enter, 23 Eval, 17 Enter, 18 Eval, 19 Eval, 17 Exit, 19 Redo, 18 Redo, 23 Fail",
        ),
        ("data.a.quiet", "26 Enter, 27 Eval, 27 Fail"),
    ],
)
def test_steps_in_their_order(query: str, steps: str) -> None:
    events = [event for event in traced("full", query).events if event.span.file == "a.rego"]
    assert ", ".join(f"{event.span.row} {event.op}" for event in events) == steps


def test_the_body_of_every_is_deeper_than_the_rule() -> None:
    events = traced("full", "data.a.every_ok").events
    depths = {(event.span.row, str(event.op)): event.depth for event in events}
    assert depths[31, "Eval"] < depths[32, "Eval"]
    assert depths[32, "Fail"] == depths[32, "Eval"]


def test_debug_tells_what_every_part_was() -> None:
    events = traced("debug", "data.a.big").events
    found = [(e.text, e.readings[0].values) for e in events if e.op == "Unify" and e.span.file == "a.rego"]
    assert found == [
        ("input.n", (2,)),
        ("x", (2,)),
        ("x", (2,)),
        ("x * 2", (4,)),
        ("y", (4,)),
        ("double(input.n)", (4,)),
    ]


def test_a_long_trace_is_cut_and_says_so() -> None:
    trace = traced(
        "full", "data.a.p", "package a\n\np if {\n\tsome x in numbers.range(1, 60000)\n\tx < 0\n}\n"
    )
    assert len(trace.events) == MOST_EVENTS
    assert trace.left_out > 0


def test_an_evaluation_that_stops_leaves_a_trace_that_can_go_on() -> None:
    trace = Trace("full")
    text = (
        'package a\n\np if {\n\tq == 1\n}\n\nq := 1 if input.x\n\nq := 2 if input.x\n\nr if input.x == "y"\n'
    )
    program = rego.compile({"a.rego": text}, watch=trace)
    with pytest.raises(rego.EvalError):
        program.evaluate("data.a.p", {"x": True})
    trace.events.clear()
    program.evaluate("data.a.r", {"x": 1})
    rows = [(event.span.row, str(event.op)) for event in trace.events if event.span.file == "a.rego"]
    assert rows == [(11, "Enter"), (11, "Eval"), (11, "Fail")]
    assert trace.events[0].depth == 0


def test_rules_that_an_index_would_leave_out_are_seen_to_fail() -> None:
    rules = "".join(f'p contains {n} if {{\n\tinput.kind == "k{n}"\n}}\n\n' for n in range(10))
    trace = traced("fails", "data.a.p", f"package a\n\n{rules}", {"kind": "k3"})
    assert sorted(row for _, row, *_ in failures(trace)) == [4 + 4 * n for n in range(10) if n != 3]


# --- notes


def test_notes_name_their_rule_and_line() -> None:
    text = (
        'package a\n\np if {\n\tsome r in input.roles\n\ttrace(sprintf("role %v", [r]))\n\tr == "admin"\n}\n'
    )
    notes = traced("notes", "data.a.p", text).events
    assert [(n.rule, str(n.span), n.text) for n in notes] == [
        ("data.a.p", "a.rego:5:2", "role dev"),
        ("data.a.p", "a.rego:5:2", "role admin"),
    ]


# --- fails


def failures(trace: Trace) -> list[Any]:
    """(rule, row, text, times, of evaluations, {part: values} of the first example)."""
    found = []
    for rule in trace.rules.values():
        for number, failure in rule.failures.items():
            parts = {reading.text: reading.values for reading in failure.examples[0]}
            of = rule.evaluations[number]
            found.append((rule.name, failure.site.span.row, failure.site.text, failure.times, of, parts))
    return [each for each in found if each[0]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (
            "data.a.deny",
            ("data.a.deny", 5, 'c.image == "nginx"', 1, 2, {"c.image": ("busy",), "c": (INPUT["containers"][1],)}),  # type: ignore[index]
        ),
        ("data.a.allow", ("data.a.allow", 10, 'input.user == "root"', 1, 1, {"input.user": ("bob",)})),
        (
            "data.a.big",
            ("data.a.big", 23, "double(input.n) > 5", 1, 1, {"double(input.n)": (4,), "input.n": (2,)}),
        ),
        ("data.a.quiet", ("data.a.quiet", 27, "not input.loud", 1, 1, {"input.loud": (True,)})),
    ],
)  # fmt: skip
def test_a_failure_names_rule_row_expression_and_values(query: str, expected: Any) -> None:
    assert failures(traced("fails", query)) == [expected]


def test_a_search_that_finds_nothing_tells_what_it_looked_at() -> None:
    text = 'package a\n\np if {\n\tinput.roles[_] == "root"\n}\n'
    ((*_, parts),) = failures(traced("fails", "data.a.p", text))
    assert parts == {"input.roles[_]": ("dev", "admin")}


@pytest.mark.parametrize(
    ("body", "document", "part", "why"),
    [
        ("input.a.b.c == 1", {"a": {}}, "input.a.b.c", "input.a has no field 'b'"),
        ("input.a.b.c == 1", {"a": 1}, "input.a.b.c", "input.a is not an object"),
        ("input.a == 1", rego.UNDEFINED, "input.a", "there is no input"),
        ("x := input.a; x.b == 1", {"a": {}}, "x.b", "x has no field 'b'"),
        ("count(input.a) > 1", {}, "input.a", "input has no field 'a'"),
        ("input.a == input.b", {"a": 1}, "input.b", "input has no field 'b'"),
        ("to_number(input.a) > 1", {"a": "x"}, "to_number(input.a)", ""),
        ("data.a.q == 1", {}, "q", ""),
    ],
)
def test_what_is_undefined_comes_first_and_says_why(body: str, document: Any, part: str, why: str) -> None:
    text = f"package a\n\np if {{\n\t{body}\n}}\n\nq := 1 if false\n"
    trace = traced("fails", "data.a.p", text, document)
    rule = next(rule for rule in trace.rules.values() if rule.name == "data.a.p")
    (failure,) = rule.failures.values()
    first = failure.examples[0][0]
    assert (first.text, first.values, first.why) == (part, (), why)


def test_an_element_that_a_join_would_leave_out_is_seen_to_fail() -> None:
    text = "package a\n\np contains a if {\n\tsome a in input.xs\n\tsome b in input.xs\n\tb.k == a.v\n}\n"
    document = {"xs": [{"k": n, "v": n + 20} for n in range(20)]}
    ((_, row, _, times, of, _),) = failures(traced("fails", "data.a.p", text, document))
    assert (row, times, of) == (6, 400, 400)


def test_what_a_loop_reads_next_is_not_told_of_what_failed_behind_it() -> None:
    text = "package a\n\np if {\n\tx := input.xs[_]\n\tx > 5\n}\n"
    trace = traced("fails", "data.a.p", text, {"xs": [1, 2, 3]})
    rule = next(rule for rule in trace.rules.values() if rule.name)
    (failure,) = rule.failures.values()
    parts = [[(r.text, r.values) for r in example] for example in failure.examples]
    assert parts == [[("x", (1,))], [("x", (2,))], [("x", (3,))]]


def test_a_head_that_is_undefined_is_a_failure_of_its_rule() -> None:
    trace = traced("fails", "data.a.p", "package a\n\np := input.missing\n")
    assert failures(trace) == [("data.a.p", 3, "input.missing", 1, 1, {"input.missing": ()})]


def test_rules_count_tries_and_results() -> None:
    trace = traced("fails", "data.a")
    assert {(r.name, r.span.row): (r.tried, r.results) for r in trace.rules.values() if r.name} == {
        ("data.a.deny", 3): (1, 1),
        ("data.a.allow", 9): (1, 0),
        ("data.a.allow", 13): (1, 1),
        ("data.a.double", 17): (1, 1),
        ("data.a.big", 22): (1, 0),
        ("data.a.quiet", 26): (1, 0),
        ("data.a.every_ok", 30): (1, 0),
    }


# --- profile


def profiled(query: str, text: str, document: Any) -> Profile:
    ticks = count()
    profile = Profile(clock=lambda: next(ticks))
    rego.compile({"a.rego": text}, watch=profile).evaluate(query, document)
    return profile


def test_each_line_has_its_evaluations_and_steps() -> None:
    text = "package a\n\np contains b if {\n\tsome a in input.xs\n\tsome b in input.xs\n\tb > a + 1\n}\n"
    lines = {
        line.row: line for line in by_line(profiled("data.a.p", text, {"xs": [1, 2, 3]}).costs)
        if line.file == "a.rego"
    }  # fmt: skip
    assert {row: (line.evaluations, line.steps) for row, line in lines.items()} == {
        4: (1, 3),
        5: (3, 9),
        6: (9, 0),
    }


def test_a_join_takes_fewer_steps_than_the_loops_it_stands_for() -> None:
    text = "package a\n\np contains b if {{\n\tsome a in input.xs\n\tsome b in input.xs\n\t{0}\n}}\n"
    document = {"xs": [{"k": n, "v": n + 1} for n in range(100)]}
    joined = profiled("data.a.p", text.format("b.k == a.v"), document).total_steps
    looped = profiled("data.a.p", text.format("b.k + 0 == a.v"), document).total_steps
    assert joined < 5 * len(document["xs"])
    assert looped == 100 + 100 * 100


def test_what_follows_a_call_is_the_callers() -> None:
    """The clock ticks once a reading: a caller's time goes on when the rule it calls has ended."""
    text = "package a\n\np if {\n\tf(1) == 1\n}\n\nf(x) := y if {\n\ty := x\n}\n"
    costs = {cost.site.span.row: cost.time_ns for cost in profiled("data.a.p", text, {}).costs}
    assert costs[4] == 2  # before the call, and behind it
    assert costs[8] == 1


def test_most_counts_one_evaluation_of_the_query() -> None:
    profile = Profile()
    program = rego.compile({"a.rego": "package a\n\np if {\n\tsome x in input\n\tx > 9\n}\n"}, watch=profile)
    for document in ([1], [1, 2, 3], [1, 2]):
        program.evaluate("data.a.p", document)
    cost = next(cost for cost in profile.costs if cost.site.span.row == 5)
    assert (cost.evaluations, cost.most) == (6, 3)


def test_a_stopped_evaluation_is_in_the_profile() -> None:
    from solon.lang.budget import Budget

    profile = Profile()
    text = "package a\n\np if {\n\tsome x in input\n\tsome y in input\n\tx + y > 99999\n}\n"
    program = rego.compile({"a.rego": text}, watch=profile)
    with pytest.raises(rego.EvalError, match="took more than"):
        program.evaluate("data.a.p", list(range(1000)), budget=Budget(steps=20_000))
    costs = {cost.site.span.row: cost.steps for cost in profile.costs}
    assert costs[5] > 10_000


def test_rules_run_from_an_index_are_in_the_profile() -> None:
    rules = "".join(f'p := {n} if {{\n\tinput.kind == "k{n}"\n}}\n\n' for n in range(10))
    profile = profiled("data.a.p", f"package a\n\n{rules}", {"kind": "k3"})
    assert [c.site.span.row for c in profile.costs if c.evaluations and c.site.rule] == [16]


def test_a_conflict_among_rules_of_an_index_names_its_place() -> None:
    rules = "".join(f'p := {n} if {{\n\tinput.kind == "k{n % 5}"\n}}\n\n' for n in range(10))
    program = rego.compile({"a.rego": f"package a\n\n{rules}"}, watch=Profile())
    with pytest.raises(rego.EvalError, match=r"a\.rego:35:1"):
        program.evaluate("data.a.p", {"kind": "k3"})


# --- off


def test_nothing_of_it_is_in_code_that_is_not_watched() -> None:
    program = rego.compile({"a.rego": POLICY})
    watched = rego.compile({"a.rego": POLICY}, watch=Profile())
    assert "W." not in program.dump()
    assert "W." in watched.dump()
    assert "W" not in program.code.namespace


@pytest.mark.parametrize("watch", [lambda: Trace("full"), lambda: Trace("fails"), Profile], ids=["full", "fails", "profile"])  # fmt: skip
def test_results_are_the_same_watched_or_not(watch: Any) -> None:
    text = POLICY + '\ntable("a") := 1\n\ntable("b") := 2\n\ntable("c") := 3\n\nthird := table(input.key)\n'
    document = {**INPUT, "key": "b"}
    expected = rego.compile({"a.rego": text}).evaluate("data.a", document)
    assert expected["third"] == 2
    assert rego.compile({"a.rego": text}, watch=watch()).evaluate("data.a", document) == expected


def test_a_watched_program_compiled_by_hand_needs_no_file() -> None:
    trace = Trace("fails")
    assert compiled.compile({}, watch=trace).evaluate("x := input.n; x > 2", {"n": 1}) is rego.UNDEFINED
    (rule,) = trace.rules.values()
    (failure,) = rule.failures.values()
    assert (rule.name, failure.site.text, failure.site.span) == ("", "x > 2", Span("query", 1, 15, 5))
