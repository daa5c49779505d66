"""The policies on models read fields that the evidence has, and point at such: what is misspelt is undefined, and passes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from solon.evidence import admission
from solon.frameworks import rego_files
from solon.frameworks.conftest.lint import is_test, lint
from solon.frameworks.fields import INPUTS, of_json_schema
from solon.lang import rego
from solon.lang.rego import ast

LIBRARY = Path(__file__).parents[2] / "library"
FILES = [*sorted((LIBRARY / "ml").glob("*.rego")), LIBRARY / "lib" / "ml.rego"]
POLICIES = [path for path in FILES if not path.name.endswith("_test.rego")]
SCHEMA = admission.schema()
MODEL = of_json_schema(SCHEMA)


def remarks(body: str) -> list[str]:
    text = (
        f"# METADATA\n# custom:\n#   subject: ml.release\npackage a\n\ndeny contains 1 if {{\n\t{body}\n}}\n"
    )
    found = lint(rego.compile({"a.rego": text}), inputs={**INPUTS, "ml.release": MODEL})
    return [r.diagnostic.message for r in found if r.diagnostic.code == "policy/unknown-field"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("input.realese.name", "input has no field realese"),
        ("input.release.trained", "input.release has no field trained"),
        ("input.model.digset", "input.model has no field digset"),
        ("input.evidence.fairnes", "input.evidence has no field fairnes"),
        ("input.evidence.fairness.results", "input.evidence.fairness has no field results"),
        ("input.evidence.performance.result.metric", "input.evidence.performance.result has no field metric"),
        (
            "some name, found in input.evidence.performance.result.metrics\n\tfound.vaule < 1",
            "found has no field vaule",
        ),
        (
            'input.evidence.performance.result.metrics["f1"].interval.lo',
            "input.evidence.performance.result.metrics.f1.interval has no field lo",
        ),
        (
            "some each in input.evidence.artifacts.result.artifacts\n\teach.reason",
            "each has no field reason",
        ),
        ("input.model.verified", None),
        ("input.collected_by.verified", None),
        ("input.release.labels.anything", None),
        ("some each in input.evidence.artifacts.result.artifacts\n\teach.header.anything", None),
        ("input.evidence.latency.result.slower.interval.low > 1", None),
    ],
)
def test_a_misspelt_field_is_told(body: str, said: str | None) -> None:
    assert remarks(body) == ([said] if said else [])


def test_every_field_that_the_library_reads_is_there() -> None:
    files = rego_files.read([str(LIBRARY)], tests=True)
    program = rego.compile(files.modules, data=files.data)
    tests = {module.file for module in program.modules if is_test(module)}
    missing = [each for each in program.types.missing(MODEL, tests) if Path(each.span.file) in POLICIES]
    assert [(each.span.file, each.span.row, each.text) for each in missing] == []


def fits(schema: Any, path: list[str]) -> bool:
    """Whether the schema has such a place; ``*`` stands for any name or index."""
    if "$ref" in schema:
        return fits(SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]], path)
    if "anyOf" in schema:
        return any(fits(each, path) for each in schema["anyOf"])
    if not path:
        return True
    if "properties" in schema:
        below = schema["properties"]
        names = list(below) if path[0] == "*" else [path[0]]
        return any(name in below and fits(below[name], path[1:]) for name in names)
    if schema.get("type") == "object":
        return fits(schema.get("additionalProperties", {}), path[1:])
    return schema.get("type") == "array" and path[0] == "*" and fits(schema["items"], path[1:])


def steps(text: str) -> list[str]:
    return [part[1:-1] if part.startswith('"') else "*" for part in re.split(r",\s*", text)]


# Whole paths of findings: ["evidence", "performance", "result", "slices", i]
PATHS = [
    (path.name, found)
    for path in POLICIES
    for found in re.findall(r'\[("(?:evidence|release|model|collected_by)"[^][]*)\]', path.read_text())
]


@pytest.mark.parametrize(("file", "path"), PATHS)
def test_findings_point_at_fields_that_there_are(file: str, path: str) -> None:
    assert fits(SCHEMA, steps(path)), f"{file}: {path}"


def test_there_are_such_paths() -> None:
    assert len({file for file, _ in PATHS}) == len(POLICIES)
    assert not fits(SCHEMA, steps('"evidence", "performance", "result", "slice", i'))
    assert not fits(SCHEMA, steps('"release", "nothing"'))


# Fields that are read with a default, which no type shows: object.get(_result, "rows", 0)
READ = [
    (path.name, source, name)
    for path in POLICIES
    for source, one, several in re.findall(
        r'object\.get\(([\w.\[\]"]+), (?:"(\w+)"|\[((?:"\w+"(?:, )?)+)\]),', path.read_text()
    )
    for name in ([one] if one else re.findall(r"\w+", several))
    if not source.startswith(("_settings", "data.", "demands", "exception", "limit", "use"))
]


def names(schema: Any) -> set[str]:
    found = set(schema.get("properties", ()))
    for definition in schema.get("$defs", {}).values():
        found |= names(definition)
    return found


@pytest.mark.parametrize(("file", "source", "name"), READ)
def test_fields_with_a_default_are_there(file: str, source: str, name: str) -> None:
    assert name in names(SCHEMA), f"{file}: object.get({source}, {name!r}, …)"


def negated(text: str, file: str) -> list[tuple[int, str]]:
    """Fields that are looked up in what a ``not`` negates: where one is not there, `not field < 1` does not hold, either.

    Those of settings are known to be there, and so is the release itself; ``==`` is no function.
    """
    program = rego.compile({file: text, **LIBRARIES})
    (module,) = (each for each in program.modules if each.file == file)
    found = []
    for rule in module.rules:
        bodies = [rule.body, *(branch.body for branch in rule.elses)]
        while bodies:
            for expr in bodies.pop():
                bodies += ast.bodies(expr.statement)
                if expr.negated and isinstance(expr.statement, ast.TermExpr):
                    found += [(expr.at, name) for name in looked_up(expr.statement.term)]
    return [(text.count("\n", 0, at) + 1, name) for at, name in found]


def looked_up(term: ast.Term) -> list[str]:
    if not isinstance(term, ast.Call):
        return []
    arguments = term.args[:1] if term.name == "object.get" else term.args
    refs = [
        each
        for each in arguments
        if isinstance(each, ast.Ref) and isinstance(each.head, ast.Var) and each.path
    ]
    names = [
        name
        for name in (ast.written([each.head.name, *ast.fixed_names(each.path)]) for each in refs)
        if not name.startswith(("data.", "_settings.", "ml.")) and name != "input.release"
    ]
    return names + [name for each in term.args for name in looked_up(each)]


LIBRARIES = {str(path): path.read_text() for path in (LIBRARY / "lib").glob("*.rego")}


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ("not input.evidence.data.result.rows >= 500", 1),
        ('not startswith(input.release.name, "x")', 1),
        ("not input.release.use in data.ml_risk.uses", 1),
        ("some column in input.evidence.data.result.columns\n\tnot is_number(column.missing)", 1),
        ("not is_number(abs(input.evidence.data.result.rows))", 1),
        ("not input.model.verified == true", 0),
        ("not input.model.verified", 0),
        ('not object.get(input, "x", 1) < 2', 0),
        ("not input.release.name", 0),
    ],
)
def test_a_field_behind_not_is_found(body: str, count: int) -> None:
    assert len(negated(f"package a\n\ndeny contains 1 if {{\n\t{body}\n}}\n", "a.rego")) == count


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.name)
def test_no_policy_asks_for_a_field_behind_not(path: Path) -> None:
    assert negated(path.read_text(), str(path)) == []
