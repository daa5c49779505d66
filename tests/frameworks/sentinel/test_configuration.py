"""sentinel.hcl and test cases: what they say, in HCL, JSON and the legacy form of JSON."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solon.frameworks.sentinel.configuration import Level, convert, overridden, read


def configuration(text, file="sentinel.hcl"):
    body, problems = read(text, file)
    found, more = convert(body)
    assert not [*problems, *more], list(map(str, [*problems, *more]))
    return found


def problems(text, file="sentinel.hcl"):
    body, wrong = read(text, file)
    return [str(problem) for problem in [*wrong, *convert(body)[1]]]


def test_policies():
    found = configuration(
        """
        policy "cost" {
          source            = "./limits/cost.sentinel"
          enforcement_level = "soft-mandatory"
          params = { limit = 100 }
        }
        policy "tags" {}
        """
    )
    cost, tags = found.policies
    assert (cost.name, cost.source, cost.level, cost.params) == (
        "cost",
        "./limits/cost.sentinel",
        Level.SOFT,
        {"limit": 100},
    )
    assert (tags.source, tags.level, tags.params) == ("./tags.sentinel", Level.ADVISORY, {})
    assert str(cost.at) == "sentinel.hcl:2:9"


def test_imports_of_both_forms():
    found = configuration(
        """
        import "module" "a" { source = "a.sentinel" }
        module "b" { source = "b.sentinel" }
        import "static" "people" {
          source = "people.json"
          format = "json"
        }
        import "plugin" "tfplan/v2" { config = { "plan_path" = "plan.json" } }
        """
    )
    assert [(i.kind, i.name, i.source) for i in found.imports] == [
        ("module", "a", "a.sentinel"),
        ("module", "b", "b.sentinel"),
        ("static", "people", "people.json"),
        ("plugin", "tfplan/v2", ""),
    ]
    assert found.imports[3].config == {"plan_path": "plan.json"}


CASE = """
mock "tfplan/v2" {
  module {
    source = "mock.sentinel"
  }
}
mock "time" {
  data = { now = { hour = 9 } }
}
param "limit" { value = 3 }
global "g" { value = [1] }
test {
  rules = { main = false, others = 2 }
}
"""
CASE_JSON = """{
  "mock": {"tfplan/v2": {"module": {"source": "mock.sentinel"}}, "time": {"data": {"now": {"hour": 9}}}},
  "param": {"limit": {"value": 3}},
  "global": [{"g": {"value": [1]}}],
  "test": {"rules": {"main": false, "others": 2}}
}"""
CASE_LEGACY = """{
  "mock": {"tfplan/v2": "mock.sentinel", "time": {"now": {"hour": 9}}},
  "param": {"limit": 3},
  "global": {"g": [1]},
  "test": {"main": false, "others": 2}
}"""


@pytest.mark.parametrize(
    "text, file",
    [(CASE, "c.hcl"), (CASE_JSON, "c.json"), (CASE_LEGACY, "c.json")],
    ids=["hcl", "json", "legacy"],
)
def test_a_case_says_the_same_in_each_form(text, file):
    found = configuration(text, file)
    assert [(m.name, m.source, m.data) for m in found.mocks] == [
        ("tfplan/v2", "mock.sentinel", None),
        ("time", "", {"now": {"hour": 9}}),
    ]
    assert found.params == {"limit": 3}
    assert found.globals == {"g": [1]}
    assert found.rules == {"main": False, "others": 2}


def test_modules_of_a_legacy_case():
    found = configuration(
        '{"modules": {"m": {"path": "m.sentinel"}}, "param": {"p": {"value": 1}}}', "c.json"
    )
    assert [(i.kind, i.name, i.source) for i in found.imports] == [("module", "m", "m.sentinel")]
    assert found.params == {"p": {"value": 1}}  # what this form has for a value is the value


@pytest.mark.parametrize(
    "text, mocks, params",
    [
        ('{"mock": {"tfplan": {"resources": {}}}}', {"tfplan": {"resources": {}}}, {}),
        ('{"mock": {"tfplan": {"data": {"k": 1}}}}', {"tfplan": {"k": 1}}, {}),
        ('{"mock": {"tfplan": [{"data": {"k": 1}}]}}', {"tfplan": {"k": 1}}, {}),
        (
            '{"mock": {"tfplan": {"data": {"k": 1}, "path": []}}}',
            {"tfplan": {"data": {"k": 1}, "path": []}},
            {},
        ),
        ('{"param": {"p": 3}}', {}, {"p": 3}),
        ('{"param": {"p": {"value": 3}}}', {}, {"p": 3}),
        ('{"param": {"p": {"value": 3, "k": 1}}}', {}, {"p": {"value": 3, "k": 1}}),
    ],
)
def test_the_form_is_told_by_what_there_is(text, mocks, params):
    found = configuration(text, "c.json")
    assert {mock.name: mock.data for mock in found.mocks} == mocks
    assert found.params == params


def test_without_a_test_block_nothing_is_said_of_rules():
    assert configuration('mock "m" { module { source = "m.sentinel" } }', "c.hcl").rules is None
    assert configuration("{}", "c.json").rules is None


@pytest.mark.parametrize(
    "text, expected",
    [
        ('plicy "x" {}', "sentinel.hcl:1:1: unknown block 'plicy': known are sentinel, policy, import,"),
        ("x = 1", "sentinel.hcl:1:1: unknown attribute 'x'"),
        ('policy "x" { description = "d" }', "sentinel.hcl:1:14: unknown attribute 'description' of policy"),
        (
            'policy "x" { enforcement_level = "hard" }',
            "sentinel.hcl:1:14: unknown enforcement level 'hard': known are",
        ),
        ('policy "x" { source = 3 }', "sentinel.hcl:1:14: source must be text in quotes"),
        ('policy "x" { params = [] }', "sentinel.hcl:1:14: params must be a map"),
        ("policy {}", "sentinel.hcl:1:1: policy takes one name, not 0"),
        ('import "m" { source = "x" }', "sentinel.hcl:1:1: import takes two names, not 1"),
        ('import "remote" "m" { source = "x" }', "sentinel.hcl:1:1: unknown kind of import 'remote'"),
        ('import "static" "m" {}', "sentinel.hcl:1:1: import 'static' 'm' has no source"),
        (
            'import "static" "m" {\n source = "x"\n format = "yaml"\n}',
            "sentinel.hcl:3:2: unknown format 'yaml'",
        ),
        ('module "m" {}', "sentinel.hcl:1:1: module 'm' has no source"),
        ('mock "m" {}', "sentinel.hcl:1:1: mock 'm' needs"),
        ('mock "m" { module = {} }', "sentinel.hcl:1:12: module is a block: write `module {`, with no ="),
        ('mock "m" { module {} }', "sentinel.hcl:1:12: the module of mock 'm' has no source"),
        ('param "p" {}', "sentinel.hcl:1:1: param 'p' has no value"),
        ("test { rules = [] }", "sentinel.hcl:1:8: rules must be a map"),
        (
            'param "p" { value = 1 }\nparam "p" { value = 2 }',
            "sentinel.hcl:2:1: param p is there twice; first at",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text, expected):
    (problem,) = problems(text)
    assert problem.startswith(expected)


@pytest.mark.parametrize(
    "text, expected",
    [
        ("[1]", "c.json:1:1: must be an object"),
        ('{"policy": {"x": 3}}', "c.json:1:13: policy must be an object"),
        ('{\n "test": {"main": true},\n "mock": "x"\n}', "c.json:3:2: mock must be an object"),
        ('{"test": {"rules": 3}, "x": 1}', "c.json:1:24: x must be an object"),
        ('{"param": {"p": {}}}', "c.json:1:12: param 'p' has no value"),
        ("{", "c.json:1:2: not JSON: Expecting property name enclosed in double quotes"),
    ],
)
def test_what_is_wrong_with_json(text, expected):
    (problem,) = problems(text, "c.json")
    assert problem == expected


def test_all_problems_are_told():
    assert len(problems('policy "a" { source = 1 }\nnothing {}\nparam "p" {}')) == 3


def test_an_override_replaces_what_it_names():
    base, _ = read(
        'policy "a" {\n source = "a.sentinel"\n enforcement_level = "advisory"\n}\n'
        'mock "m" { module { source = "m.sentinel" } }\nparam "p" { value = 1 }',
        "sentinel.hcl",
    )
    override, _ = read(
        'policy "a" { enforcement_level = "hard-mandatory" }\nmock "m" { data = { k = 1 } }\nparam "q" { value = 2 }',
        "override.hcl",
    )
    found, wrong = convert(overridden(base, override))
    assert not wrong
    assert [(p.source, p.level) for p in found.policies] == [("a.sentinel", Level.HARD)]
    assert [(m.source, m.data) for m in found.mocks] == [("", {"k": 1})]
    assert found.params == {"p": 1, "q": 2}


_NAMES = st.sampled_from(
    ["mock", "param", "test", "rules", "module", "modules", "value", "data", "policy", "source", "x"]
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_NAMES, inner, max_size=3),
    max_leaves=12,
)


@settings(max_examples=200)
@given(st.dictionaries(_NAMES, _JSON, max_size=4))
def test_any_json_is_read_or_refused(value):
    body, wrong = read(json.dumps(value), "c.json")
    found, more = convert(body)
    assert all(problem.location.line >= 1 for problem in [*wrong, *more])
    assert all(isinstance(mock.name, str) for mock in found.mocks)


@settings(max_examples=100)
@given(
    st.lists(
        st.sampled_from(
            ['policy "a" ', "mock ", '"m" ', "module ", "{ ", "} ", 'source = "x" ', "data = 3 ", "\n"]
        )
    )
)
def test_any_blocks_are_converted_or_refused(words):
    body, wrong = read("".join(words), "c.hcl")
    _, more = convert(body)
    assert all(problem.location.line >= 1 for problem in [*wrong, *more])
