"""The formatter of Sentinel. What is expected is what files show that HashiCorp's formatter laid out."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solon.lang.sentinel import SentinelError, parse
from solon.lang.sentinel.format import format_text
from solon.lang.sentinel.format.compare import same

# text, how it is laid out
CASES = [
    ("an empty file", "", ""),
    ("comments alone", "\n\n# a  \n//b", "# a\n//b\n"),
    ("a final line break", "main = true", "main = true\n"),
    ("one empty line at the most", "\n\na = 1\n\n\n\nb = 2\n\n\n", "a = 1\n\nb = 2\n"),
    ("windows' line breaks", "a = 1\r\n# b\r\nc = `d\r\ne`\r\n", "a = 1\n# b\nc = `d\ne`\n"),
    ("imports and parameters", 'import  "a/b"as  b\nparam x   default  [1 ,2]', 'import "a/b" as b\nparam x default [1, 2]\n'),
    ("spaces between words", "a=b  is   not c;d+=-e*( f - 1 )\ng = !h and not  i", "a = b is not c\nd += -e * (f - 1)\ng = !h and not i\n"),
    ("calls, indices and slices", "a (b ,c) [ 0 ] . d\nx = a[ 1:b ]" , "a(b, c)[0].d\nx = a[1:b]\n"),
    ("a slice keeps its spaces", "a = b[x : y+1]", "a = b[x : y + 1]\n"),
    ("no comma before a bracket on its line", "a = [1, 2, ]\nf(1,)", "a = [1, 2]\nf(1)\n"),
    ("empty brackets", "a = {\n}\nb = [\n]\nc( )", "a = {}\nb = []\nc()\n"),
    ("blocks are broken into lines", "if a { b() } else if c { d=1; e=2 } else { f() }", "if a {\n\tb()\n} else if c {\n\td = 1\n\te = 2\n} else {\n\tf()\n}\n"),
    ("a function on one line stays there", "f = func( a,b ){return a+b}\nfunc g(){return 1}", "f = func(a, b) { return a + b }\nfunc g() { return 1 }\n"),
    ("a function of two statements does not", "f = func() { a = 1; return a }", "f = func() {\n\ta = 1\n\treturn a\n}\n"),
    ("a rule on one line stays there", "main=rule{all xs as x{x is 1}}", "main = rule { all xs as x { x is 1 } }\n"),
    ("a rule over several lines", "main = rule when a {\nb\n}", "main = rule when a {\n\tb\n}\n"),
    ("loops", "for xs as k,v {\nfor v as x { print( x ) }\n}", "for xs as k, v {\n\tfor v as x {\n\t\tprint(x)\n\t}\n}\n"),
    ("empty lines at the ends of a block stay", "f = func() {\n\n  a = 1\n\n  return a\n\n}", "f = func() {\n\n\ta = 1\n\n\treturn a\n\n}\n"),
    ("case", "case a {\nwhen 1,2: return b\nelse:\n c = 1\n}", "case a {\n\twhen 1, 2:\n\t\treturn b\n\telse:\n\t\tc = 1\n}\n"),
    (
        "operators are continued one level deeper, and what is in parentheses one more",
        "xs = filter ys as _, y {\ny.a is 1 and\ny.b is 2 and\n(y.c contains 3 or\ny.c is 4)\n}",
        "xs = filter ys as _, y {\n\ty.a is 1 and\n\t\ty.b is 2 and\n\t\t(y.c contains 3 or\n\t\t\ty.c is 4)\n}\n",
    ),
    ("a continued assignment", "a = length(b) +\nlength(c) +\n  length(d)", "a = length(b) +\n\tlength(c) +\n\tlength(d)\n"),
    ("a continued condition", "if a or\n b {\nc()\n}", "if a or\n\tb {\n\tc()\n}\n"),
    ("an operator of two words", "a = b is\nnot\nc not\nin d", "a = b is not\n\tc not in d\n"),
    ("the parts of what a rule holds stand at one tab", "main = rule {\n\ta and\n\t\tb\n}", "main = rule {\n\ta and\n\tb\n}\n"),
    ("but not where they begin behind the brace", "main = rule { a and\nb }", "main = rule { a and\n\tb }\n"),
    (
        "nor within what they hold",
        "main = rule {\nany xs as x {\nx.a or\nx.b\n} or\n(c and\nd)\n}",
        "main = rule {\n\tany xs as x {\n\t\tx.a or\n\t\t\tx.b\n\t} or\n\t(c and\n\t\td)\n}\n",
    ),
    (
        "a quantifier in what is continued",
        'v = filter m as _, c {\nc.a is "" and\nnot any os as o {\nf(c, o)\n}\n}',
        'v = filter m as _, c {\n\tc.a is "" and\n\t\tnot any os as o {\n\t\t\tf(c, o)\n\t\t}\n}\n',
    ),
    ("arguments over several lines", "print(a,\nb, c,\nd)", "print(a,\n\tb, c,\n\td)\n"),
    ("arguments between brackets of their own", 'a = f(\n"b",\n).g("c")', 'a = f(\n\t"b",\n).g("c")\n'),
    ("a function as an argument", "a = sort(b, func(x, y) {\nreturn c(x, y)\n})", "a = sort(b, func(x, y) {\n\treturn c(x, y)\n})\n"),
    ("several elements on a line", 'a = [\n# b\n"c","d",\n\n"e",\n]', 'a = [\n\t# b\n\t"c", "d",\n\n\t"e",\n]\n'),
    ("selectors that continue", "a = b.\nc(1).\nd(2)", "a = b.\n\tc(1).\n\td(2)\n"),
    ("a map on one line", 'a = { "b" :1,"c":  2 }', 'a = {"b": 1, "c": 2}\n'),
    ("the values of a map stand in a column", 'a = {\n"b": 1,\n"long": 2,\n}', 'a = {\n\t"b":    1,\n\t"long": 2,\n}\n'),
    ("one pair has no column", 'a = {\n"b":    1,\n}', 'a = {\n\t"b": 1,\n}\n'),
    (
        "what takes several lines ends a column",
        'a = {\n"b": 1,\n"long": 2,\n"list": [\n1,\n],\n"longest": 3,\n"d": 4,\n}',
        'a = {\n\t"b":    1,\n\t"long": 2,\n\t"list": [\n\t\t1,\n\t],\n\t"longest": 3,\n\t"d":       4,\n}\n',
    ),
    ("so does an empty line", 'a = {\n"b": 1,\n\n"long": 2,\n"c": 3,\n}', 'a = {\n\t"b": 1,\n\n\t"long": 2,\n\t"c":    3,\n}\n'),
    ("and a comment line", 'a = {\n"b": 1,\n# x\n"long": 2,\n"c": 3,\n}', 'a = {\n\t"b": 1,\n\t# x\n\t"long": 2,\n\t"c":    3,\n}\n'),
    (
        "a key four times as short ends a column, if the other is longer than twenty characters",
        'a = {\n"customer_managed_key": 1,\n"id": 2,\n"identity": 3,\n"large_file_share_enabled": 4,\n"name": 5,\n}',
        ('a = {\n\t"customer_managed_key": 1,\n\t"id":                       2,\n\t"identity":                 3,\n'
        '\t"large_file_share_enabled": 4,\n\t"name": 5,\n}\n'),
    ),
    ("a column counts characters", 'a = {\n"日本": 1,\n"abcd": 2,\n}', 'a = {\n\t"日本":   1,\n\t"abcd": 2,\n}\n'),
    ("comments behind lines stand in a column", "a = 1 # b\nlonger = 2 // c", "a = 1      # b\nlonger = 2 // c\n"),
    ("one of them has one space", "a = 1       # b", "a = 1 # b\n"),
    (
        "comments behind the values of a map",
        'a = {\n"b": 1, # c\n"long": "d", # e\n}',
        'a = {\n\t"b":    1,   # c\n\t"long": "d", # e\n}\n',
    ),
    ("a line without ends the column of comments", "a = 1 # b\nc = 2\nlonger = 3 # d", "a = 1 # b\nc = 2\nlonger = 3 # d\n"),
    ("comments behind braces", "if a { # b\nc() # d\n} # e", "if a { # b\n\tc() # d\n} # e\n"),
    ("comments before a closing brace", "f = func() {\na()\n# b\n}", "f = func() {\n\ta()\n\t# b\n}\n"),
    ("comments between operands", "a = b and\n\n# c\nd", "a = b and\n\n\t# c\n\td\n"),
    (
        "comments before labels",
        "case a {\nwhen 1:\n\tb()\n\t# of the body\nwhen 2:\n\tc()\n# of the label\nelse:\n\td()\n}",
        "case a {\n\twhen 1:\n\t\tb()\n\t\t# of the body\n\twhen 2:\n\t\tc()\n\t# of the label\n\telse:\n\t\td()\n}\n",
    ),
    ("comments within a line", "a = /* b */ 1 /* c */ + 2 /* d */", "a = /* b */ 1 /* c */ + 2 /* d */\n"),
    ("a comment in the place of a line break", "a = 1 /* b\n  c */ d = 2", "a = 1 /* b\n  c */\nd = 2\n"),
    ("raw strings stay", 'a = {\n"b": `\n   c`,\n"dd": 1,\n}', 'a = {\n\t"b": `\n   c`,\n\t"dd": 1,\n}\n'),
    ("hyphens are what they are", 'a = tags.ML-Team else "none"', 'a = tags.ML - Team else "none"\n'),
]  # fmt: skip


@pytest.mark.parametrize(("text", "laid_out"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_layout(text: str, laid_out: str) -> None:
    assert format_text("a.sentinel", text) == laid_out
    assert format_text("a.sentinel", laid_out) == laid_out


MOCK = """\
terraform_version = "1.9.0"

variables = {
	"zone": {
		"name":  "zone",
		"value": "eu-1",
	},
}

resource_changes = {
	"aws_instance.gpu[0]": {
		"address": "aws_instance.gpu[0]",
		"change": {
			"actions": [
				"create",
			],
			"after": {
				"ami": "ami-1",
				"associate_public_ip_address": null,
				"ebs_block_device": [
					{
						"device_name": "/dev/sda",
						"tags":        {},
					},
				],
				"instance_type": "p4d.24xlarge",
				"tags":          null,
			},
			"after_unknown": {},
			"before":        null,
		},
		"deposed":        "",
		"index":          0,
		"mode":           "managed",
		"module_address": "",
		"type":           "aws_instance",
	},
}
"""


def test_a_mock_as_it_is_generated_stays() -> None:
    assert format_text("mock.sentinel", MOCK) == MOCK
    flat = re.sub(r'(?m)^\t+|(?<=":) +', " ", MOCK)
    assert format_text("mock.sentinel", flat) == MOCK


def test_what_does_not_parse_is_said_where_it_stands() -> None:
    with pytest.raises(SentinelError) as raised:
        format_text("a.sentinel", "a = 1\nb = = 2\n")
    (error,) = raised.value.errors
    assert (error.span.file, error.span.row, error.span.column) == ("a.sentinel", 2, 5)


names = st.sampled_from(["a", "b", "tags", "long_name"])
literals = st.sampled_from(["1", "0x1F", ".5", '"s"', "`raw`", "`two\nlines`", '"é"', "true"])
breaks = st.sampled_from(["", " ", "\n", "\n\n ", " # c\n", "\n// d\n", " /* e */ "])
comments = st.sampled_from(["", "", " # x", " // long comment", "\n# own line", "\n\n\n", " /* y */"])


def joined(parts: list[str], separator: str, padding: list[str], last: bool) -> str:
    out = ""
    for number, part in enumerate(parts):
        out += padding[number % len(padding)] + part
        out += separator if number + 1 < len(parts) else ""
    # A bracket on a line of its own wants a comma before it.
    return out + (separator + "\n" if last and parts else "")


def lists(inner: st.SearchStrategy[str], opening: str, closing: str) -> st.SearchStrategy[str]:
    inside = st.builds(
        joined,
        st.lists(inner, max_size=3),
        st.just(","),
        st.lists(breaks, min_size=1, max_size=3),
        st.booleans(),
    )
    return inside.map(lambda text: f"{opening}{text}{closing}")


def larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.builds(
        lambda key, value: f"{key}:{value}", st.sampled_from(['"k"', '"longer key"', "1"]), inner
    )
    operators = st.sampled_from(
        ["+", "-", "*", " and ", " or ", " is ", " is not ", " not in ", " else ", "<"]
    )
    quantifiers = st.sampled_from(["all", "any", "filter", "map"])
    return st.one_of(
        lists(inner, "[", "]"),
        lists(pairs, "{", "}"),
        lists(inner, "f(", ")"),
        lists(inner, "a.b(", ")[0].rule"),
        st.builds(lambda one, by, pad, two: f"{one}{by}{pad}{two}", inner, operators, breaks, inner),
        inner.map(lambda text: f"({text})"),
        inner.map(lambda text: f"a[{text}]"),
        st.builds(lambda one, two: f"a[{one}:{two}]", inner, inner),
        inner.map(lambda text: f"-{text}"),
        inner.map(lambda text: f"not {text}"),
        inner.map(lambda text: f"{text} is not empty"),
        st.builds(
            lambda kind, xs, pad, body: f"{kind} {xs} as k, v {{{pad}{body}\n}}",
            quantifiers,
            inner,
            breaks,
            inner,
        ),
        inner.map(lambda text: f"func(x, y) {{ return {text} }}"),
    )


expressions = st.recursive(names | literals, larger, max_leaves=6)


def blocks(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(st.tuples(inner, comments), min_size=1, max_size=3).map(
        lambda statements: "{" + "".join(f"{text}{remark}\n" for text, remark in statements) + "}"
    )


def nesting(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds(lambda condition, body: f"if {condition} {body}", expressions, blocks(inner)),
        st.builds(
            lambda condition, body, other: f"if {condition} {body} else {other}",
            expressions,
            blocks(inner),
            blocks(inner),
        ),
        st.builds(lambda xs, body: f"for {xs} as x {body}", expressions, blocks(inner)),
        st.builds(
            lambda value, one, other: f"case a {{\nwhen {value}:\n{one}\n  # c\nelse: {other}; b = 1\n}}",
            expressions,
            inner,
            inner,
        ),
        st.builds(lambda name, body: f"{name} = func(x) {body}", names, blocks(inner)),
    )


simple = st.one_of(
    st.builds(lambda name, value: f"{name} = {value}", names, expressions),
    st.builds(lambda name, value: f"{name}[0] += {value}", names, expressions),
    st.builds(lambda value, body: f"r = rule when {value} {{ {body} }}", expressions, expressions),
    expressions.map(lambda value: f"print({value})"),
)
statements = st.recursive(simple, nesting, max_leaves=4)
programs = st.lists(
    st.tuples(statements, comments, st.sampled_from(["\n", "\n\n\n", "\r\n", ";"])), max_size=4
).map(lambda parts: "".join(f"{text}{remark}{end if not remark else chr(10)}" for text, remark, end in parts))


@given(programs)
@settings(max_examples=150)
def test_programs_mean_what_they_meant_and_settle(text: str) -> None:
    try:
        before = parse(text, "a.sentinel")
    except SentinelError:
        return  # comments took a bracket along: no program
    laid_out = format_text("a.sentinel", text)
    assert same(before, parse(laid_out, "a.sentinel"))
    assert format_text("a.sentinel", laid_out) == laid_out
    assert laid_out == "" or laid_out.endswith("\n")
    outside = re.sub(r"`[^`]*`|/\*.*?\*/", "x", laid_out, flags=re.DOTALL)
    assert not re.search(r"[ \t]\n|\n\n\n|\r|^\n", outside)


@given(programs, st.sampled_from(["", "  ", "\t", "\t\t\t "]))
@settings(max_examples=50)
def test_indentation_does_not_matter(text: str, margin: str) -> None:
    """Lines that begin elsewhere come to stand at the same place; comments before labels say what they belong to."""
    try:
        parse(text, "a.sentinel")
    except SentinelError:
        return
    if "`two" in text or "case" in text:
        return
    laid_out = format_text("a.sentinel", text)
    assert format_text("a.sentinel", re.sub(r"(?m)^[ \t]*(?=\S)", margin, laid_out)) == laid_out
