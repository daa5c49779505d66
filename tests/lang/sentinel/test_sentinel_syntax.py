"""The grammar of Sentinel: how operators bind, what statements are, and what is told of wrong text."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solon.lang.sentinel import SentinelError, ast, parse


def shape(node: object) -> str:
    """An expression with a bracket around everything that has operands."""
    match node:
        case ast.Constant():
            return repr(node.value)
        case ast.Name():
            return node.name
        case ast.Paren():
            return shape(node.inner)
        case ast.List():
            return f"[{', '.join(map(shape, node.items))}]"
        case ast.Map():
            return f"{{{', '.join(f'{shape(k)}: {shape(v)}' for k, v in node.pairs)}}}"
        case ast.Chain():
            text = shape(node.operands[0])
            for operator, operand in zip(node.operators, node.operands[1:], strict=True):
                text = f"({text} {operator.name} {shape(operand)})"
            return text
        case ast.Unary():
            return f"({node.operator} {shape(node.operand)})"
        case ast.Test():
            return f"({shape(node.operand)} is{' not' * node.negated} {node.what})"
        case ast.Path():
            return shape(node.head) + "".join(map(shape, node.steps))
        case ast.Select():
            return f".{node.name}"
        case ast.Index():
            return f"[{shape(node.index)}]"
        case ast.Slice():
            low, high = (shape(each) if each else "" for each in (node.low, node.high))
            return f"[{low}:{high}]"
        case ast.Call():
            return f"({', '.join(map(shape, node.arguments))})"
        case ast.Quantifier():
            first = f"{node.first.name}, " if node.first else ""
            return f"<{node.kind} {shape(node.collection)} as {first}{node.second.name}: {shape(node.body)}>"
        case ast.Rule():
            when = f" when {shape(node.condition)}" if node.condition else ""
            return f"<rule{when}: {shape(node.body)}>"
        case ast.Func():
            return f"<func({', '.join(p.name for p in node.parameters)})>"
    raise AssertionError(node)


def expression(text: str) -> str:
    (statement,) = parse(text, "x.sentinel").statements
    assert isinstance(statement, ast.ExprStmt)
    return shape(statement.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # 8: selectors, indexes, slices, calls
        ("-a.b[1](c)", "(- a.b[1](c))"),
        ("a[1:2][:3][4:][:]", "a[1:2][:3][4:][:]"),
        # 7: unary operators, and tests
        ("-a * b", "((- a) * b)"),
        ("not a contains b", "((not a) contains b)"),
        ("not a and b", "((not a) and b)"),
        ("!a or b", "((not a) or b)"),
        ("- - +a", "(- (- (+ a)))"),
        ("a + b is empty", "(a + (b is empty))"),
        ("x else [] is not empty", "(x else ([] is not empty))"),
        ("(x else []) is not empty", "((x else []) is not empty)"),
        ("not a is defined", "(not (a is defined))"),
        ("a.b is not defined and c", "((a.b is not defined) and c)"),
        # 6 and 5: arithmetic
        ("a + b * c - d / e % f", "((a + (b * c)) - ((d / e) % f))"),
        ("a - b - c", "((a - b) - c)"),
        ("tags.ML-Team", "(tags.ML - Team)"),
        # 4: else, above comparisons
        ("a.b else 0 < 10", "((a.b else 0) < 10)"),
        ("a else b is c", "((a else b) is c)".replace("is", "==")),
        ('foo else "bar" not in "baz"', "((foo else 'bar') not in 'baz')"),
        ("a else b + c", "(a else (b + c))"),
        ("a else b else c", "((a else b) else c)"),
        ("rc.change.after.tags.ML-Team else none", "((rc.change.after.tags.ML - Team) else none)"),
        # 3: comparisons
        ("a is not b", "(a != b)"),
        ("a is not not b", "(a != (not b))"),
        ("a not matches b", "(a not matches b)"),
        ("a < b < c", "((a < b) < c)"),
        ("a is b and c is not d", "((a == b) and (c != d))"),
        ("a + 1 in b", "((a + 1) in b)"),
        # 2 and 1: logic
        ("a or b and c", "(a or (b and c))"),
        ("a and b or c xor d", "(((a and b) or c) xor d)"),
        # collections
        ("[1, [a], {}]", "[1, [a], {}]"),
        ('{"a": 1, b: c,}', "{'a': 1, b: c}"),
        ("{} is {}", "({} == {})"),
        # quantifiers, rules and functions
        ("all a as b { c }", "<all a as b: c>"),
        ("any a.b else [] as k, v {\n k is v\n}", "<any (a.b else []) as k, v: (k == v)>"),
        ("all filter c as _, r { r } as _, r { r.x }", "<all <filter c as _, r: r> as _, r: r.x>"),
        ("map a as b { b } is c", "(<map a as b: b> == c)"),
        ("rule when a { b }", "<rule when a: b>"),
        ("func(a, b) { return a }", "<func(a, b)>"),
        ("f(func(x) { return x }, 1)", "f(<func(x)>, 1)"),
        ("a.rule.default.in.matches", "a.rule.default.in.matches"),
    ],
)
def test_operators_bind_as_documented(text: str, expected: str) -> None:
    assert expression(text) == expected


STATEMENTS = """# What this is about.

import "tfplan/v2" as tfplan
import "strings"

param limit default -5
param names

# Counts them.
# All of them.
count = func(xs) {
	n = 0
	for xs as _, x {
		if x is 1 { continue } else if x is 2 { break } else { n += 1 }
	}
	case n {
	when 1, 2:
		n = 0
	else:
		xs["a"][0] -= 1
	}
	return n
}

func twice(x) { return x * 2 }

/* The main rule.
 * It holds. */
main = rule { true }
"""


def test_a_file_is_imports_params_and_statements() -> None:
    file = parse(STATEMENTS, "x.sentinel")
    assert [(each.path, each.name) for each in file.imports] == [
        ("tfplan/v2", "tfplan"),
        ("strings", "strings"),
    ]
    assert [(each.name.name, each.default is None) for each in file.params] == [
        ("limit", False),
        ("names", True),
    ]
    assert [type(each).__name__ for each in file.statements] == ["Assign", "Declare", "Assign"]
    kinds = [type(each).__name__ for each in ast.walk(file.statements[0]) if isinstance(each, ast.Stmt)]
    assert kinds == [
        "Assign",
        "Assign",
        "For",
        "If",
        "Jump",
        "Jump",
        "Assign",
        "Case",
        "Assign",
        "Assign",
        "Return",
    ]


def test_a_file_and_its_rules_have_descriptions() -> None:
    file = parse(STATEMENTS, "x.sentinel")
    assert file.description == "What this is about."
    assert file.comment_before(STATEMENTS.index("count =")) == "Counts them.\nAll of them."
    assert file.comment_before(STATEMENTS.index("rule { true }")) == "The main rule.\nIt holds."
    assert file.comment_before(STATEMENTS.index("func twice")) == ""


@pytest.mark.parametrize(
    ("text", "description"),
    [
        ("# A\n# B\n\nmain = true", "A\nB"),
        ("# A\nmain = true", ""),
        ("main = true", ""),
        ("# A\n\n# B\nmain = true", "A"),
        ("\n\n// A\n\nmain = true", "A"),
        ("# A", "A"),
    ],
)
def test_the_description_is_the_comment_at_the_top_with_an_empty_line_behind(
    text: str, description: str
) -> None:
    assert parse(text, "x.sentinel").description == description


def test_every_node_knows_its_text() -> None:
    text = 'x = all a.b["c"] as k, v { not v.d is empty or f(k)[1:] in [1, {"e": -2}] }\n'
    file = parse(text, "x.sentinel")
    sources = {file.source(node) for node in ast.walk(file.statements[0])}
    assert sources >= {
        'all a.b["c"] as k, v { not v.d is empty or f(k)[1:] in [1, {"e": -2}] }',
        'a.b["c"]', '["c"]', "not v.d is empty", "v.d is empty", "v.d", "f(k)[1:]", "[1:]", '[1, {"e": -2}]', "-2",
        'not v.d is empty or f(k)[1:] in [1, {"e": -2}]',
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("x = ", "1:5", "expected an expression, found the end of the file"),
        ("x = (1", "1:7", "expected ')' at the end of the parenthesis, found the end of the file"),
        ("x = [1\n]", "1:7", "expected ']' or ',' in the list, found the end of the line"),
        ('x = {"a": 1\n}', "1:12", "expected '}' or ',' in the map, found the end of the line"),
        ('x = {"a"}', "1:9", "expected ':' behind the key of a map, found '}'"),
        ("x = a\n+ b\n)", "3:1", "expected an expression, found ')'"),
        ("x = 1 2", "1:7", "expected ';' or a line break behind the statement, found '2'"),
        ("x = 1 = 2", "1:7", "expected ';' or a line break behind the statement, found '='"),
        ("a.b = 1", "1:1", "this cannot be assigned to"),
        ("f() = 1", "1:1", "this cannot be assigned to"),
        ("if a { }\nelse { }", "2:1", "expected an expression, found 'else'"),
        ("main = rule { a\nb }", "2:1", "expected '}' at the end of `rule`, found 'b'"),
        ("all a { b }", "1:7", "expected 'as' behind the collection, found '{'"),
        ("for a as 1 { }", "1:10", "expected a name behind `as`, found '1'"),
        ('x = 1\nimport "a"', "2:1", "an import below other statements"),
        ("x = 1\nparam a", "2:1", "a param below other statements"),
        ("if a { param b }", "1:8", "`param` inside a block"),
        ("f = func() { func g() { return 1 } }", "1:14", "a function is declared inside another"),
        ("f = func() { return }", "1:21", "expected a value behind `return`, found '}'"),
        ("import strings", "1:8", "expected a string behind `import`, found 'strings'"),
        ("case 1 { x = 2 }", "1:10", "expected 'when' or `else` in `case`, found 'x'"),
        ("case 1 { else: x = 2\n else: y = 3 }", "2:2", "a second `else` in one `case`"),
        ("x = a.1", "1:6", "expected ';' or a line break behind the statement, found '.1'"),
        ("x = a.-b", "1:7", "expected a name behind the dot, found '-'"),
        ("f = func(a { return 1 }", "1:12", "expected ')' or ',' in the parameters, found '{'"),
    ],
)
def test_wrong_text_is_told_with_its_place(text: str, place: str, message: str) -> None:
    with pytest.raises(SentinelError) as raised:
        parse(text, "x.sentinel")
    error = raised.value.errors[0]
    assert (str(error.span), error.message) == (f"x.sentinel:{place}", message)


def test_several_errors_are_told_at_once() -> None:
    with pytest.raises(SentinelError) as raised:
        parse("x = )\ny = [1\n]\nz = 3\nw = 1 2\n", "x.sentinel")
    assert [str(error.span) for error in raised.value.errors] == [
        "x.sentinel:1:5",
        "x.sentinel:2:7",
        "x.sentinel:5:7",
    ]


def test_an_error_shows_the_line_and_what_to_do() -> None:
    with pytest.raises(SentinelError) as raised:
        parse("x = [1\n]", "x.sentinel")
    assert raised.value.render() == (
        "x.sentinel:1:7: sentinel_parse_error: expected ']' or ',' in the list, found the end of the line\n"
        "  1 | x = [1\n"
        "    |       ^\n"
        "  help: put a comma at the end of the line, or `]` on it"
    )


@pytest.mark.parametrize(
    "text",
    [
        "x = " + "(" * 5_000,
        "x = " + "[" * 5_000,
        "x = " + '{"a":' * 5_000,
        "x = " + "not " * 5_000 + "a",
        "x = " + "-" * 5_000 + "1",
        "x = " + "f(" * 5_000,
        "x = " + "a[" * 5_000,
        "x = " + "func() { return " * 5_000,
        "x = " + "rule { " * 5_000,
        "x = " + "all " * 5_000,
        "x = a" + " is empty" * 5_000,
        "if a {" * 5_000,
        "for a as b {" * 5_000,
        "case {when a: " * 5_000,
    ],
)
def test_what_nests_too_deeply_is_refused(text: str) -> None:
    with pytest.raises(SentinelError) as raised:
        parse(text, "x.sentinel")
    assert raised.value.errors[0].message == "nested more than 100 levels deep"


@pytest.mark.parametrize(
    "text",
    [
        "x = a" + " + a" * 20_000,
        "x = a" + " and a" * 20_000,
        "x = a" + ".b" * 20_000,
        "x = a" + "[0]" * 20_000,
        "x = a" + "()" * 20_000,
        "x = [" + "1, " * 20_000 + "]",
        "if a { } " + "else if a { } " * 20_000,
        "x = a" + "\n" * 20_000 + ".b",
        "x = 1\n" * 20_000,
        "# c\n" * 20_000 + "x = 1",
        "x = a\n" + "# c\n" * 20_000 + "  .b",
    ],
)
def test_what_is_long_is_no_problem(text: str) -> None:
    assert parse(text, "x.sentinel").statements


_WORDS = [
    "a", "b", "main", "1", "0x", "1.5", '"s"', "`r`", "(", ")", "[", "]", "{", "}", ",", ";", ":", ".", "\n", "=", "+=",
    "==", "!=", "<", "<=", "+", "-", "*", "/", "%", "!", "not", "is", "in", "and", "or", "xor", "else", "if", "for", "as",
    "case", "when", "func", "rule", "import", "param", "default", "return", "break", "all", "any", "filter", "map",
    "empty", "defined", "contains", "matches", "# c\n", '"',
]  # fmt: skip


def parses(text: str) -> ast.File | None:
    """The file, or None where the text is refused. Anything else is a failure of the test."""
    try:
        return parse(text, "x.sentinel")
    except SentinelError:
        return None


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(_WORDS), max_size=60).map(" ".join))
def test_words_in_any_order_parse_or_are_refused(text: str) -> None:
    file = parses(text)
    for statement in file.statements if file else []:
        for node in ast.walk(statement):
            if not isinstance(node, ast.Branch):
                assert 0 <= node.at <= node.end <= len(text)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=80))
def test_any_text_parses_or_is_refused(text: str) -> None:
    parses(text)
