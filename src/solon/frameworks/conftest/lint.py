"""What Conftest's policies lack: tests, and what tells people what a policy is about."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Final

from solon.frameworks import fields
from solon.frameworks.conftest.load import POLICY_RULE, Notes
from solon.frameworks.conftest.shadowed import shadowed
from solon.frameworks.lint import FIELDS, lacking
from solon.lang import rego
from solon.lang.rego import ast
from solon.lang.rego.resolve import body_terms, walk_all
from solon.lang.rego.rules import Definition
from solon.lang.rego.types import Type
from solon.lang.remark import Remark, Severity
from solon.lang.source import Diagnostic

RULES: Final[dict[str, tuple[Severity, str]]] = {
    "conftest/untested-policy": ("warning", "a deny, warn or violation rule that no test reads"),
    "conftest/missing-metadata": ("warning", "a policy that does not say what it has to say of itself"),
    "conftest/shadowed-metadata": ("warning", "metadata of a rule that other metadata of its policy hides"),
}
TOP_LEVEL: Final = ("title", "description")  # of METADATA; the other fields stand under custom
_IN_RESULTS: Final = {"severity", "remediation"}
# What has to be said where nobody has decided about it.
REQUIRED: Final = ("title", "severity", "remediation")


def lint(
    program: rego.Program,
    required: Collection[str] = REQUIRED,
    inputs: Mapping[str, Type] = fields.INPUTS,
) -> Iterator[Remark]:
    """``required`` are the fields that a policy must have, ``inputs`` the types of what is judged, by its kind."""
    tests = {module.file for module in program.modules if is_test(module)}
    read = {path for _, each in program.definitions if each.module.file in tests for path in _read(each)}
    notes = Notes(program)
    groups = {group.name: group for group in program.groups}
    for name, definitions in policies_of(program).items():
        first = definitions[0]
        span = first.module.span(first.rule.head.at, len(first.rule.name))
        policy = name.removeprefix("data.")
        path = groups[name].path
        if not any(path[: len(each)] == each or each[: len(path)] == path for each in read):
            yield _remark(
                Diagnostic(
                    "conftest/untested-policy",
                    f"no test reads {policy}",
                    span,
                    "write a rule test_… that catches the bad, and one that passes the good, in a file _test.rego",
                )
            )
        missing = _missing(notes, ast.written(["data", *path]), definitions, required)
        if missing:
            yield _remark(
                Diagnostic(
                    "conftest/missing-metadata",
                    f"{policy} has {lacking(missing)}",
                    span,
                    f"say it in a METADATA comment above the rule: {_where(missing)}",
                )
            )
        for diagnostic in shadowed(program, notes, path, definitions):
            yield _remark(diagnostic)
    yield from _unknown_fields(program, inputs)


def _unknown_fields(program: rego.Program, inputs: Mapping[str, Type]) -> Iterator[Remark]:
    """References to fields that the subjects of policies do not have."""
    notes = Notes(program)
    tests = {module.file for module in program.modules if is_test(module)}
    about: dict[str, set[str]] = {
        module.file: set() for module in program.modules if module.file not in tests
    }
    for name, definitions in policies_of(program).items():
        wanted = notes.of(name)["custom"].get("subject", "")
        for definition in definitions:
            about[definition.module.file].add(wanted if isinstance(wanted, str) else "")
    asked: dict[str, set[str]] = {}
    for file, kinds in about.items():
        only = next(iter(kinds)) if len(kinds) == 1 else ""
        asked.setdefault(only if only in inputs else "", set()).add(file)
    for kind, files in asked.items():
        missing = program.types.missing(inputs[kind], tests)
        yield from fields.remarks(each for each in missing if each.span.file in files)


def _remark(diagnostic: Diagnostic) -> Remark:
    return Remark(RULES[diagnostic.code][0], diagnostic)


def policies_of(program: rego.Program) -> dict[str, list[Definition]]:
    """The rules of each policy, by the name of its document."""
    policies: dict[str, list[Definition]] = {}
    for group, definition in program.definitions:
        if group.kind != "function" and is_policy(definition.module, definition.rule):
            policies.setdefault(group.name, []).append(definition)
    return policies


def is_policy(module: ast.Module, rule: ast.Rule) -> bool:
    return POLICY_RULE.match(rule.name) is not None and not is_test(module)


def is_test(module: ast.Module) -> bool:
    return module.file.endswith("_test.rego") or any(r.name.startswith("test_") for r in module.rules)


def _read(definition: Definition) -> Iterator[tuple[str, ...]]:
    """The paths below data that a rule reads."""
    branches = definition.elses
    terms = [*definition.args, *definition.rest, *ast.present(definition.key, definition.value)]
    terms += [*ast.present(*(branch.value for branch in branches))]
    for body in (definition.body, *(branch.body for branch in branches)):
        terms += body_terms(body)
    for term in walk_all(terms, []):
        if isinstance(term, ast.Ref) and isinstance(term.head, ast.Var) and term.head.name == "data":
            yield ast.fixed_names(term.path)


def _missing(notes: Notes, path: str, definitions: list[Definition], required: Collection[str]) -> list[str]:
    """Of the fields that are required, what neither the metadata nor every result says."""
    said = notes.of(path)
    has = {name for name in FIELDS if (said if name in TOP_LEVEL else said["custom"]).get(name)}
    results = [set(_fields(definition)) & _IN_RESULTS for definition in definitions]
    has |= set.intersection(*results)
    return [name for name in FIELDS if name in required and name not in has]


def _where(missing: list[str]) -> str:
    """Where in METADATA the fields belong."""
    top = [name for name in missing if name in TOP_LEVEL]
    custom = [name for name in missing if name not in TOP_LEVEL]
    parts = [", ".join(top), f"{' and '.join(custom)} under custom" if custom else ""]
    return ", and ".join(filter(None, parts))


def _fields(definition: Definition) -> Iterator[str]:
    """The fixed keys of the result that a rule gives."""
    if isinstance(definition.key, ast.Object):
        for key, _ in definition.key.pairs:
            if isinstance(key, ast.Scalar) and isinstance(key.value, str):
                yield key.value
