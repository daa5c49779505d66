"""What policies written for OPA rely on, each reduced from a repository where it did not work."""

from typing import Any

import pytest

from solon.lang import rego


def value(source: str, document: Any = rego.UNDEFINED) -> Any:
    return rego.compile({"p.rego": source}).evaluate("data.p.r", document)


@pytest.mark.parametrize(
    ("head", "call", "expected"),
    [
        ('f("test.rego")', 'f("test.rego")', True),
        ('f("test.rego")', 'f("other.rego")', rego.UNDEFINED),
        ('f(["a", _], _)', 'f(["a", 1], 2)', True),
    ],
)
def test_a_function_without_body_and_value_is_true_for_its_arguments(
    head: str, call: str, expected: object
) -> None:
    assert value(f"package p\n{head}\nr := {call}") == expected


@pytest.mark.parametrize(
    ("head", "problem"),
    [
        ("a.b", "`contains` keyword is required for partial set rules"),
        ("a[x]", "`contains` keyword is required for partial set rules"),
        ("a.b.c", "rule must have value assignment and/or body declaration"),
        ("a", "var cannot be used for rule name"),
    ],
)
def test_any_other_head_needs_more(head: str, problem: str) -> None:
    with pytest.raises(rego.RegoError, match=problem):
        rego.compile({"p.rego": f"package p\n{head}\n"})


def test_an_array_may_follow_a_declaration_of_variables() -> None:
    source = """package p
    r := [a, b] if {
        some a, b
        [1, a, b] = [1, 2, 3]
    }
    """
    assert value(source) == [2, 3]


def test_packages_with_names_that_are_not_identifiers_are_quoted_in_paths() -> None:
    source = 'package policies["no-root"]\n\n# METADATA\n# title: Nobody is root\ndeny contains "x"'
    program = rego.compile({"p.rego": source})
    (rule,) = program.rules
    assert (rule.path, rule.package) == ('data.policies["no-root"].deny', 'data.policies["no-root"]')
    assert program.packages == ['data.policies["no-root"]']
    assert program.annotations[0].path == rule.path
    assert program.evaluate(rule.path) == ["x"]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("[x | some x in {3, 1, 2}]", [1, 2, 3]),
        ("[x | some x in members]", [1, 2, 3]),
        ("[x | members[x]]", [1, 2, 3]),
        ("[x | x := members[_]]", [1, 2, 3]),
        ('[k | some k, _ in {"b": 1, "a": 2}]', ["a", "b"]),
        ('[v | some v in {"b": 1, "a": 2}]', [2, 1]),
        ("[k | some k, _ in input]", ["a", "b", "z"]),
        ("[[k, x] | grouped[k][x]]", [["a", 1], ["a", 2], ["b", 1], ["b", 2]]),
        ("[k | some k; data.q[k]]", ["first", "second"]),
        ('[at | walk({"b": 1, "a": {"c": 1}}, [at, _])]', [[], ["a"], ["a", "c"], ["b"]]),
        (
            '[x | some x in {[2, 1], [1, 2], {"a": 1}, "s", null, true, 1.5, 1}]',
            [None, True, 1, 1.5, "s", [1, 2], [2, 1], {"a": 1}],
        ),
        (
            '[x | some x in {{"b": 1}, {"a": 2}, {"a": 1, "b": 2}, {"a": 1}}]',
            [{"a": 1}, {"a": 1, "b": 2}, {"a": 2}, {"b": 1}],
        ),
        ("[x | some x in {{2, 3}, {1, 4}, {1}}]", [[1], [1, 4], [2, 3]]),
        ('concat(", ", [upper(x) | some x in {"b", "a"}])', "A, B"),
    ],
)
def test_arrays_are_built_in_the_order_of_keys_and_members(expression: str, expected: object) -> None:
    source = f"""package p
    members contains x if some x in [3, 1, 2]
    grouped[k] contains x if {{
        some k in ["b", "a"]
        some x in [2, 1]
    }}
    r := {expression}
    """
    program = rego.compile({"p.rego": source, "q.rego": "package q\nsecond := 2\nfirst := 1"})
    assert program.evaluate("data.p.r", {"z": 1, "b": 2, "a": 3}) == expected


def test_the_solutions_of_a_query_come_in_order() -> None:
    program = rego.compile({})
    assert [found["x"] for found in program.query('x := {"b", "c", "a"}[_]')] == ["a", "b", "c"]


def test_contains_may_be_a_variable() -> None:
    source = """package p
    has(xs, x) := contains if contains := x in xs
    r := [has([1], 1), [contains | some contains in ["a"]]]
    """
    assert value(source) == [True, ["a"]]


def test_annotations_read_yaml_as_opa_does() -> None:
    source = """package p
    # METADATA
    # custom:
    #   effective_on: 2026-05-10T00:00:00Z
    #   since: 2026-05-10
    #   zoned: 2026-05-10 10:00:00.50+02:00
    #   answer: yes
    #   time: 12:30
    #   exponent: 1e3
    r := rego.metadata.rule().custom
    """
    assert value(source) == {
        "effective_on": "2026-05-10T00:00:00Z",
        "since": "2026-05-10T00:00:00Z",
        "zoned": "2026-05-10T10:00:00.5+02:00",
        "answer": "yes",
        "time": "12:30",
        "exponent": 1000,
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: on", {"a": "on"}),
        ("a: 1e3", {"a": 1000}),
        ("a: 017", {"a": 15}),
        ("a: 0x_1F", {"a": 31}),
        ("a: 08", {"a": 8}),
        ("a: 0o9", {"a": "0o9"}),
        ("a: 1_000.5", {"a": 1000.5}),
        ("a: 12:30", {"a": "12:30"}),
        ("a: =", {"a": "="}),
        ("a: 1e400", {"a": "1e400"}),
        ("a: .inf", rego.UNDEFINED),
        ("a: 2026-05-10", {"a": "2026-05-10"}),
        ("a: 1\n---\nb: 2", {"a": 1}),
    ],
)
def test_yaml_unmarshal_reads_what_opa_reads(text: str, expected: object) -> None:
    assert value("package p\nr := yaml.unmarshal(input)", text) == expected


@pytest.mark.parametrize(
    ("schema", "document", "expected"),
    [
        ({"required": ["a", "b"]}, {}, ["(Root): a is required", "(Root): b is required"]),
        ({"minItems": 1}, "[]", ["(Root): Array must have at least 1 items"]),
        ({"uniqueItems": True}, "[1, 2, 1, 2]", ["(Root): array items[0,2] must be unique", "(Root): array items[1,3] must be unique"]),
        ({"items": {"type": "string"}}, "[1.5]", ["0: Invalid type. Expected: string, given: number"]),
        ({"items": {"type": ["string", "null"]}}, "[1]", ["0: Invalid type. Expected: [string,null], given: integer"]),
        ({"properties": {"a": {"enum": ["b", None, {"x": 1}]}}}, {"a": 1}, ['a: a must be one of the following: "b", null, {"x":1}']),
        ({"properties": {"a": {"const": "y"}}}, {"a": 1}, ['a: a does not match: "y"']),
        ({"properties": {"a": {}}, "additionalProperties": False}, {"c": 1, "b": 1}, ["(Root): Additional property b is not allowed", "(Root): Additional property c is not allowed"]),
        ({"properties": {"a": {"pattern": "^y$"}}}, {"a": "x"}, ["a: Does not match pattern '^y$'"]),
        ({"properties": {"a": {"format": "date-time"}}}, {"a": "x"}, ["a: Does not match format 'date-time'"]),
        ({"properties": {"a": {"minimum": 6}}}, {"a": 5}, ["a: Must be greater than or equal to 6"]),
        ({"dependencies": {"a": ["b"]}}, {"a": 5}, ["(Root): Has a dependency on b"]),
        ({"properties": {"a": {"anyOf": [{"type": "string"}, {"minimum": 7}]}}}, {"a": 5}, ["a: Must validate at least one schema (anyOf)", "a: Must be greater than or equal to 7"]),
    ],
)  # fmt: skip
def test_schema_errors_are_worded_as_opa_words_them(
    schema: object, document: object, expected: list[str]
) -> None:
    source = "package p\nr := [e.error | some e in json.match_schema(input.document, input.schema)[1]]"
    assert value(source, {"schema": schema, "document": document}) == expected


def test_a_document_that_is_no_json_fits_no_schema() -> None:
    program = rego.compile({})
    with pytest.raises(rego.RegoError, match="invalid JSON string"):
        program.evaluate('json.match_schema("nope", {})', strict_builtin_errors=True)
