"""Rule indexing leaves out rules that cannot hold, and nothing else."""

import pytest

from solon.lang import rego
from solon.lang.rego import UNDEFINED, RegoError

KINDS = ["Pod", "Job", "Secret", "Service", "Node", "Ingress", "CronJob", "Role"]


def program(*rules: str) -> rego.Program:
    return rego.compile({"p.rego": "\n\n".join(["package p", *rules])})


def is_indexed(compiled: rego.Program) -> bool:
    return "for rule in" in compiled.dump()


def test_rules_that_ask_for_a_constant_are_looked_up():
    found = program(*[f'deny contains "{kind}" if input.kind == "{kind}"' for kind in KINDS])
    assert is_indexed(found)
    for kind in KINDS:
        assert found.evaluate("data.p.deny", {"kind": kind}) == [kind]
    for document in ({"kind": "Other"}, {}, {"kind": None}, {"kind": ["Pod"]}, "text", 3):
        assert found.evaluate("data.p.deny", document) == []
    assert found.evaluate("data.p.deny") == []


def test_rules_that_do_not_ask_are_always_run():
    rules = [f'deny contains "{kind}" if "{kind}" == input.kind' for kind in KINDS]
    found = program(*rules, 'deny contains "any" if true', 'deny contains "named" if input.name')
    assert is_indexed(found)
    assert found.evaluate("data.p.deny", {"kind": "Job", "name": "a"}) == ["Job", "any", "named"]
    assert found.evaluate("data.p.deny", {"name": "a"}) == ["any", "named"]


def test_membership_of_constants():
    rules = [
        f'deny contains {n} if input.kind in ["{kind}", "{KINDS[n - 1]}"]' for n, kind in enumerate(KINDS)
    ]
    found = program(*rules)
    assert is_indexed(found)
    assert found.evaluate("data.p.deny", {"kind": "Job"}) == [1, 2]


def test_constants_of_every_type_are_told_apart():
    values = ["null", "true", "false", "0", "1", "2.5", '"1"', '"true"']
    found = program(*[f"deny contains {n} if input.x == {value}" for n, value in enumerate(values)])
    assert is_indexed(found)
    for n, value in enumerate([None, True, False, 0, 1, 2.5, "1", "true"]):
        assert found.evaluate("data.p.deny", {"x": value}) == [n]
    assert found.evaluate("data.p.deny", {"x": 1.0}) == [4]


def test_complete_rules_and_their_default():
    rules = [f'team := "{kind} team" if input.kind == "{kind}"' for kind in KINDS]
    found = program('default team := "nobody"', *rules)
    assert is_indexed(found)
    assert found.evaluate("data.p.team", {"kind": "Node"}) == "Node team"
    assert found.evaluate("data.p.team", {"kind": "Other"}) == "nobody"


def test_rules_of_one_value_end_with_the_first_that_holds():
    found = program(*[f'allow if {{ input.kind == "{kind}"; input.ok }}' for kind in KINDS])
    assert is_indexed(found)
    assert found.evaluate("data.p.allow", {"kind": "Role", "ok": True}) is True
    assert found.evaluate("data.p.allow", {"kind": "Role"}) is UNDEFINED


def test_else_is_tried_where_the_body_does_not_hold():
    rules = [
        f'size := {n} if input.kind == "{kind}" else := 99 if input.fallback' for n, kind in enumerate(KINDS)
    ]
    found = program(*rules[:1], *[rule.partition(" else")[0] for rule in rules[1:]])
    assert found.evaluate("data.p.size", {"kind": "Other", "fallback": True}) == 99


def test_a_conflict_names_the_rule():
    rules = [f'owner := "{kind}" if input.kind == "{kind}"' for kind in KINDS]
    found = program(*rules, 'owner := "me" if input.mine')
    assert is_indexed(found)
    with pytest.raises(RegoError, match="complete rules must not produce multiple outputs") as caught:
        found.evaluate("data.p.owner", {"kind": "Pod", "mine": True})
    assert caught.value.errors[0].span.row == 2 * len(KINDS) + 3


def test_functions_are_chosen_by_their_argument():
    rules = [f'port("{kind}", x) := x + {n} if x > 0' for n, kind in enumerate(KINDS)]
    found = program(*rules, "found := {kind: port(kind, 80) | some kind in input.kinds}")
    assert is_indexed(found)
    assert found.evaluate("data.p.found", {"kinds": ["Pod", "Node", "Other"]}) == {"Pod": 80, "Node": 84}


def test_an_error_before_the_comparison_is_not_skipped():
    rules = [
        f'deny contains {n} if {{ to_number(input.n) > 0; input.kind == "{kind}" }}'
        for n, kind in enumerate(KINDS)
    ]
    found = program(*rules)
    assert not is_indexed(found)
    with pytest.raises(RegoError, match="to_number"):
        found.evaluate("data.p.deny", {"n": "x", "kind": "Other"}, strict_builtin_errors=True)


def test_input_replaced_by_with_is_looked_at_anew():
    rules = [f'deny contains "{kind}" if input.kind == "{kind}"' for kind in KINDS]
    found = program(*rules, 'both := [deny, other] if other := deny with input.kind as "Role"')
    assert found.evaluate("data.p.both", {"kind": "Pod"}) == [["Pod"], ["Role"]]
