"""What lint says of Sentinel: every rule at the edges of what it speaks of."""

from __future__ import annotations

import pytest

from solon.lang.sentinel import parse
from solon.lang.sentinel.lint import lint


def said(text: str) -> list[str]:
    """Code, row, column and message of each remark."""
    out = []
    for remark in lint(parse(text, "a.sentinel")):
        span = remark.diagnostic.span
        code = remark.diagnostic.code.removeprefix("sentinel/")
        out.append(f"{code} {span.row}:{span.column} {remark.diagnostic.message}")
    return out


def codes(text: str) -> list[str]:
    return [line.partition(" ")[0] for line in said(text)]


@pytest.mark.parametrize(
    ("expression", "name"),
    [
        ("a.tags.Cost-Center", "Cost-Center"),
        ("a.tags.MLflow-Run-ID", "MLflow-Run-ID"),
        ("(a.tags.Cost-Center else 1)", "Cost-Center"),
        ("a.Cost-Center.name", "Cost-Center.name"),
        ("Cost-Center", "Cost-Center"),
        ("a.tags.Cost - Center", ""),  # somebody means to subtract
        ("a.tags.Cost- Center", ""),
        ("a.count-b", ""),  # b is declared
        ("a.count-1", ""),
        ('a.tags["Cost-Center"]', ""),
        ("a.count-length(a)", ""),
        ("length(a)-Center", "length(a)-Center"),
    ],
)
def test_names_with_hyphens(expression: str, name: str) -> None:
    found = [
        line for line in said(f"b = 1\na = {{}}\nmain = rule {{ {expression} is b }}\n") if "hyphen" in line
    ]
    if not name:
        assert found == []
    elif name.startswith("length"):
        assert len(found) == 1
    else:
        assert len(found) == 1
        assert f" {name} is no name: this subtracts" in found[0]


def test_names_that_nothing_declares() -> None:
    text = 'import "strings"\nmain = rule { strings.has_prefix(nmae, "a") and a.tags.Cost-Center is length(1) }\na = {}'
    assert [line for line in said(text) if "undeclared" in line] == [
        "undeclared-name 2:34 nothing declares nmae"
    ]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("main = rule { true }", "main is never false"),
        ("main = rule { 1 < 2 }", "main is never false"),
        ('main = rule { "a" is not "b" }', "main is never false"),
        ("main = rule { 1 is 1.0 and not false }", "main is never false"),
        ("main = rule { not (true and false) }", "main is never false"),
        ("main = rule { x or true }", "main is never false"),
        ("param x\nmain = rule { x is 1 or 2 > 1 }", "main is never false"),
        ("limit = 3\nmain = rule { limit > 2 }", "main is never false"),
        ("main = rule when 1 > 2 { x }", "main is never false: its condition is never true"),
        (
            'import "tfplan/v2" as p\ng = filter p.r as _, r { false and r.x }\nmain = rule { all g as _, r { r.y } }',
            "main is never false: g is always empty",
        ),
        ('import "p"\ng = filter p.r as r { r.a.B-C is 1 else false and false }\nmain = rule { length(g) is 0 }',
         "main is never false: g is always empty"),
        ('import "p"\nmain = rule { all p.r as r { (r.tags.B-C else "none") is "none" } }',
         "main is never false: r.tags.B-C is a subtraction, and undefined"),
        ("g = []\nmain = rule { g is empty }", "main is never false: g is always empty"),
        ("main = rule { [] }", "main is never false"),
        ("a = rule { true }\nmain = rule { a }", "main is never false: a is always true"),
        ("main = rule { undefined is defined or true }", "main is never false"),
        ("main = rule { undefined else true }", "main is never false"),
    ],
)  # fmt: skip
def test_rules_that_are_never_false(text: str, why: str) -> None:
    assert any(line.startswith("vacuous-rule") and line.endswith(why) for line in said(text)), said(text)


@pytest.mark.parametrize(
    "text",
    [
        "main = rule { false }",
        "param x\nmain = rule { x }",
        "param x\nmain = rule { x is 1 or 2 < 1 }",
        "param x\nmain = rule { x and true }",
        "param x\nmain = rule when x { false }",
        'import "p"\nmain = rule { all p.r as r { r.ok } }',
        "g = []\nappend(g, 1)\nmain = rule { g is empty }",  # it is filled
        "g = []\nfor [1] as x { append(g, x) }\nmain = rule { length(g) is 0 }",
        'g = {}\ng["a"] = 1\nmain = rule { g is empty }',
        "g = []\ng = [1]\nmain = rule { g is empty }",
        "f = func() { g = [1]\nreturn true }\ng = []\nmain = rule { g is empty }",
        "main = rule { undefined }",  # that fails
        "main = rule { undefined is undefined }",
        "main = rule { a }\na = rule { main }",  # each asks the other
        "t = true\nmain = rule { all [1] as t { t } }",  # another t
        "f = func(t) { return t }\nt = true\nmain = rule { f(false) }",
    ],
)
def test_rules_that_can_be_false(text: str) -> None:
    assert "vacuous-rule" not in codes(text)


def test_deep_expressions_are_looked_at_without_end() -> None:
    text = (
        "".join(f"a{n} = rule {{ a{n + 1} }}\n" for n in range(1_000))
        + "a1000 = rule { true }\nmain = rule { a0 }"
    )
    assert set(codes(text)) == {"vacuous-rule"}


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ('a.actions contains "replace"', 'no plan has the action "replace"'),
        ('a.change.actions not contains "destroy"', 'no plan has the action "destroy"'),
        ('"recreate" in a.actions', 'no plan has the action "recreate"'),
        ('a.actions is ["replace"]', 'no plan has the action "replace"'),
        ('["replace"] is not a.actions', 'no plan has the action "replace"'),
        ('a["actions"] is "create"', "actions are a list, and never equal to this"),
        ('a.actions is ["create", "update"]', "no plan has these actions together"),
        ("a.actions is []", "no plan has these actions together"),
        ('a.actions in [["create"], ["updated"]]', 'no plan has the action "updated"'),
        ('a.actions contains "create"', ""),
        ('a.actions is ["delete", "create"]', ""),
        ('a.actions is ["no-op"]', ""),
        ('a.actions in [["create"], ["update"]]', ""),
        ('a.kinds contains "replace"', ""),
        ("a.actions contains b", ""),
        ("a.actions is [b]", ""),
    ],
)
def test_actions(expression: str, message: str) -> None:
    found = [
        line for line in said(f'param a\nb = "x"\nmain = rule {{ {expression} }}') if "unknown-action" in line
    ]
    assert [line.split(" ", 2)[2] for line in found] == ([message] if message else [])


@pytest.mark.parametrize(
    ("expression", "is_said"),
    [
        ("a.b is true else false", True),
        ('a.b is "x" else false', True),
        ("a.b > 3 else 0", True),
        ("a.b in [1] else false", True),
        ("a.b is a.c else false", True),
        ("a.b is a.c else 0", False),
        ("(a.b is true) else false", False),
        ("a.b else 0 > 3", False),
        ("a.b is (a.c else false)", False),
    ],
)
def test_what_else_belongs_to(expression: str, is_said: bool) -> None:
    assert ("else-precedence" in codes(f"param a\nmain = rule {{ {expression} }}")) is is_said


@pytest.mark.parametrize(
    ("expression", "is_said"),
    [
        ("tfrun.cost_estimate.proposed_monthly_cost < 10", True),
        ("tfrun.cost_estimate.delta_monthly_cost else 0 < limit", True),
        ('tfrun["cost_estimate"]["prior_monthly_cost"] >= 10', True),
        ('"10" < limit', True),
        ('"a" < "b"', False),
        ('tfrun.cost_estimate.proposed_monthly_cost is "10"', False),
        ("float(tfrun.cost_estimate.proposed_monthly_cost) < 10", False),
        ("tfrun.cost_estimate.proposed_monthly_cost < tfrun.cost_estimate.prior_monthly_cost", False),
        ("proposed_monthly_cost < 10", False),
    ],
)
def test_orders_between_strings_and_numbers(expression: str, is_said: bool) -> None:
    text = f'import "tfrun"\nlimit = 5\nproposed_monthly_cost = 3\nmain = rule {{ {expression} }}'
    assert ("mismatched-types" in codes(text)) is is_said


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("g = filter [1] as x { x > 1 }\nmain = rule { false }", "nothing reads g"),
        ("f = func() { g = filter [1] as x { x > 1 }\nreturn 1 }", "nothing reads g"),
        ("filter [1] as x { x > 1 }\nmain = rule { false }", "nothing uses what this filter gives"),
        ("all [1] as x { x > 1 }\nmain = rule { false }", "nothing uses what this all gives"),
        ("g = filter [1] as x { x > 1 }", ""),  # a module's
        ("g = filter [1] as x { x > 1 }\nmain = rule { length(g) is 0 }", ""),
        ("g = map [1] as x { x }\nmain = rule { false }", ""),
    ],
)
def test_filters_that_nothing_uses(text: str, message: str) -> None:
    found = [line.split(" ", 2)[2] for line in said(text) if line.startswith("unused-filter")]
    assert found == ([message] if message else [])


@pytest.mark.parametrize(
    ("condition", "body", "is_said"),
    [
        ("r.change.after.acl is not 1", "append(v, r)", True),
        ("r.change.after.acl is 1 and r.type is 2", "ok = false", True),
        ("not r.change.after.acl", "append(v, r)", True),
        ("r.values.a.b > 1", "append(v, r)", True),
        ('r["change"]["after"]["acl"] is empty', "append(v, r)", True),
        ("(r.change.after.acl else 0) is not 1", "append(v, r)", False),
        ("r.change.after.acl is defined and r.change.after.acl is 1", "append(v, r)", False),
        ("r.change.after is 1", "append(v, r)", False),
        ("length(r.change.after.acl) > 1", "append(v, r)", False),
        ("r.type is 1", "append(v, r)", False),
        ("r.change.after.acl is 1", "print(r)", False),
    ],
)
def test_what_is_absent_passes(condition: str, body: str, is_said: bool) -> None:
    text = f"param r\nv = []\nok = true\nif {condition} {{\n\t{body}\n}}\nmain = rule {{ v is empty and ok }}"
    assert ("undefined-passes" in codes(text)) is is_said
    assert "undefined-passes" not in codes(text.replace("\n}\n", "\n} else {\n\tappend(v, 2)\n}\n"))


@pytest.mark.parametrize(
    ("expression", "is_said"),
    [
        ("tfrun.cost_estimate.proposed_monthly_cost else 0 < limit", True),
        ('decimal.new(tfrun.cost_estimate.delta_monthly_cost else "0").less_than(limit)', True),
        ("(float(tfrun.cost_estimate.proposed_monthly_cost) else 0.0) < limit", True),
        ("tfrun.cost_estimate.proposed_monthly_cost else 99999 < limit", False),
        ("print(tfrun.cost_estimate.proposed_monthly_cost else 0)", False),
        ("tfrun.workspace.cost else 0 < limit", False),
        ("limit else 0 < 3", False),
        ("tfrun.cost_estimate.proposed_monthly_cost < limit", False),
    ],
)
def test_what_has_no_cost_estimate(expression: str, is_said: bool) -> None:
    text = f'import "tfrun"\nimport "decimal"\nlimit = 5\nmain = rule {{ {expression} }}'
    assert ("undefined-passes" in codes(text)) is is_said


def test_the_policies_that_governance_repositories_copy() -> None:
    """The traps of a policy that was made to protect model deployments, and never denies anything."""
    text = """import "tfplan/v2" as tfplan

deployments = filter tfplan.resource_changes as _, rc {
	rc.change.after.tags.Model-Kind else "none" is not "none" and
	rc.change.actions contains "replace"
}

tracked = rule {
	all deployments as _, d { d.change.after.tags.Experiment else "" is not "" }
}

main = rule { tracked }
"""
    assert said(text) == [
        "hyphenated-name 4:23 Model-Kind is no name: this subtracts Kind, and is undefined",
        'unknown-action 5:29 no plan has the action "replace"',
        "vacuous-rule 8:11 tracked is never false: deployments is always empty",
        "vacuous-rule 12:8 main is never false: tracked is always true",
    ]
