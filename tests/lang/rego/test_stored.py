"""A program from the cache gives what the program that was compiled gives."""

from pathlib import Path

import pytest

from solon.lang import rego
from solon.lang.rego import RegoError
from solon.lang.rego.stored import freeze, identity

MODULE = """# METADATA
# title: Everything that is kept in some way of its own
package p

import rego.v1

levels("low") := 1
levels("mid") := 2
levels("high") := {"set": {1, true, "x", [1]}}

kinds contains 1 if input.kind == "a"
kinds contains 2 if input.kind == "b"
kinds contains 3 if input.kind == "c"
kinds contains 4 if input.kind == "d"
kinds contains 5 if input.kind == true
kinds contains 6 if input.kind in ["f", "a"]

keys := {true: "yes", [1, 2]: "array", null: "null", 1.5: "number"}

double(x) := x * 2

pair(x) := [x, x]

mocked contains x if x := count("abc") with count as pair
mocked contains x if x := double(4) with double as 7

joined contains [a.id, b.id] if {
	some a in input.all
	some b in input.all
	a.k == b.k
}

own := rego.metadata.chain()[0].path

# METADATA
# title: This one
titled := rego.metadata.rule().title

text := sprintf("%v of %d", [levels("high"), count(data.base)])

nested[x].y contains z if {
	some x in ["a", "b"]
	z := upper(x)
}

walked contains path if walk(input.tree, [path, 1])

broken if 1 / input.zero > 0

clash := 1
clash := 2 if input.clash
"""
INPUT = {
    "kind": "a",
    "all": [{"id": n, "k": n % 7} for n in range(20)],
    "tree": {"a": [1, {"b": 1}]},
    "zero": 0,
}
DATA = {"base": [1, 2, 3], "p": {"from_data": True}}


class Kept(dict):
    """A cache in memory."""

    def put(self, key, stored):
        self[key] = stored


def twice(modules, **settings):
    cache = Kept()
    first = rego.compile(modules, cache=cache, **settings)
    assert len(cache) == 1
    return first, rego.compile(modules, cache=cache, **settings)


DOCUMENTS = [
    f"data.p.{n}"
    for n in [
        "kinds",
        "keys",
        "mocked",
        "joined",
        "own",
        "titled",
        "text",
        "nested",
        "walked",
        "broken",
        "clash",
    ]
]


def test_documents_are_the_same():
    first, second = twice({"p.rego": MODULE, "empty.rego": "package p.empty"}, data=DATA)
    for document in DOCUMENTS:
        assert second.evaluate(document, INPUT) == first.evaluate(document, INPUT), document
    assert second.evaluate("data.p.kinds", {"kind": True}) == [5]


def test_queries_of_any_kind_are_answered():
    first, second = twice({"p.rego": MODULE, "empty.rego": "package p.empty"}, data=DATA)
    for query in (
        "data.p",
        "data",
        'x := data.p.levels("mid")',
        "data.p.kinds[x]",
        'data.p.kinds with input.kind as "c"',
    ):
        assert second.query(query, INPUT) == first.query(query, INPUT), query


def test_what_is_known_of_the_rules_is_kept():
    first, second = twice({"p.rego": MODULE}, data=DATA)
    assert second.rules == first.rules
    assert second.packages == first.packages
    assert second.annotations == first.annotations
    assert second.base_references == first.base_references
    assert second.dump() == first.dump()


@pytest.mark.parametrize("document, given", [("data.p.broken", INPUT), ("data.p.clash", {"clash": 1})])
def test_errors_have_their_places(document, given):
    raised = []
    for program in twice({"p.rego": MODULE}, data=DATA):
        with pytest.raises(RegoError) as caught:
            program.evaluate(document, given, strict_builtin_errors=True)
        raised.append(caught.value.render())
    assert raised[0] == raised[1]


def test_the_starter_library_can_be_kept():
    files = sorted((Path(__file__).parents[3] / "library").rglob("*.rego"))
    first, second = twice({str(file): file.read_text() for file in files})
    assert [rule.path for rule in second.rules] == [rule.path for rule in first.rules]


def test_a_damaged_program_is_compiled_anew():
    cache = Kept()
    rego.compile({"p.rego": MODULE}, cache=cache)
    (key,) = cache
    for damaged in (b"", b"N", b"i\x01\x00\x00\x00", b"{0"):
        cache[key] = damaged
        assert rego.compile({"p.rego": MODULE}, cache=cache).evaluate("data.p.titled") == "This one"
        assert len(cache[key]) > 100


def test_errors_of_compiling_are_not_kept():
    cache = Kept()
    with pytest.raises(RegoError):
        rego.compile({"p.rego": "package p\nx := y"}, cache=cache)
    assert not cache


def test_coverage_and_the_like_are_not_kept():
    cache = Kept()
    rego.compile({"p.rego": MODULE}, cache=cache, coverage=True)
    assert not cache


def test_all_that_compiling_depends_on_is_in_the_identity():
    names = [
        identity({"a": "1", "b": "2"}, "v1", False),
        identity({"a": "12", "b": ""}, "v1", False),
        identity({"a": "1"}, "v1", False),
        identity({"b": "2", "a": "1"}, "v1", False),
        identity({"a": "1", "b": "2"}, "v0", False),
        identity({"a": "1", "b": "2"}, "v1", True),
    ]
    assert len(set(names)) == len(names)
    assert identity({"a": "1", "b": "2"}, "v1", False) == names[0]


def test_constants_that_cannot_be_kept_are_an_answer():
    program = rego.compile({"p.rego": "package p\nx := 1"})
    program.code.constants["K0"] = object()
    assert freeze(program) is None
