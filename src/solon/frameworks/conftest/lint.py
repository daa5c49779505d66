"""What Conftest's policies lack: tests, and what tells people what a policy is about."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from solon.frameworks.conftest.load import POLICY_RULE, Notes
from solon.lang import rego
from solon.lang.rego import ast
from solon.lang.rego.lint import Remark, Severity
from solon.lang.rego.resolve import body_terms, static_prefix, walk_all
from solon.lang.rego.rules import Definition, Group
from solon.lang.source import Diagnostic

RULES: Final[dict[str, tuple[Severity, str]]] = {
    "conftest/untested-policy": ("warning", "a deny, warn or violation rule that no test reads"),
    "conftest/missing-metadata": ("warning", "a policy without title, severity or remediation"),
}


def lint(program: rego.Program) -> Iterator[Remark]:
    tests = {module.file for module in program.modules if _is_test(module)}
    read = {path for _, each in program.definitions if each.module.file in tests for path in _read(each)}
    notes = Notes(program)
    policies: dict[str, list[Definition]] = {}
    groups: dict[str, Group] = {}
    for group, definition in program.definitions:
        name = definition.rule.name
        if group.kind != "function" and POLICY_RULE.match(name) and definition.module.file not in tests:
            policies.setdefault(group.name, []).append(definition)
            groups[group.name] = group
    for name, definitions in policies.items():
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
        missing = _missing(notes, ast.written(["data", *path]), definitions)
        if missing:
            yield _remark(
                Diagnostic(
                    "conftest/missing-metadata",
                    f"{policy} has no {' and no '.join(missing)}",
                    span,
                    "say it in a METADATA comment above the rule: title, and severity and remediation under custom",
                )
            )


def _remark(diagnostic: Diagnostic) -> Remark:
    return Remark(RULES[diagnostic.code][0], diagnostic)


def _is_test(module: ast.Module) -> bool:
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
            yield static_prefix(term)


def _missing(notes: Notes, path: str, definitions: list[Definition]) -> list[str]:
    """Of title, severity and remediation, what neither the metadata nor every result says."""
    said = notes.of(path)
    has = {name for name in ("severity", "remediation") if said["custom"].get(name)}
    has |= {"title"} & said.keys()
    results = [set(_fields(definition)) for definition in definitions]
    has |= set.intersection(*results)
    return [name for name in ("title", "severity", "remediation") if name not in has]


def _fields(definition: Definition) -> Iterator[str]:
    """The fixed keys of the result that a rule gives."""
    if isinstance(definition.key, ast.Object):
        for key, _ in definition.key.pairs:
            if isinstance(key, ast.Scalar) and isinstance(key.value, str):
                yield key.value
