"""What lint has to say about the Rego in a ConstraintTemplate, at its places in the YAML file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from solon.frameworks import fields, unknown_data
from solon.frameworks.gatekeeper.errors import GatekeeperError
from solon.frameworks.gatekeeper.template import check_modules, is_template, parameters_of, source_of
from solon.lang import rego
from solon.lang.rego.lint import lint as lint_rego
from solon.lang.remark import Remark
from solon.lang.source import Diagnostic, Span
from solon.subjects.subject import Subject

__all__ = ["GatekeeperError", "is_template", "lint"]

Path = tuple[str | int, ...]


def lint(template: Subject, text: str) -> list[Remark]:
    """``text`` is that of the file. Raises GatekeeperError where the template's Rego does not compile."""
    modules: dict[str, str] = {}
    paths: dict[str, Path] = {}
    targets = _get(template.document, "spec", "targets")
    target = targets[0] if isinstance(targets, list) and targets else None
    if not isinstance(target, dict):
        raise GatekeeperError("spec.targets must have exactly one target")
    main, libs, version = source_of(target)
    kind = _get(template.document, "spec", "crd", "spec", "names", "kind")
    for number, (source, path) in enumerate(zip([main, *libs], _paths(target), strict=False)):
        name = f"{kind}.rego" if not number else f"{kind}.lib{number - 1}.rego"
        modules[name] = source
        paths[name] = path
    try:
        program = rego.compile(modules, version=version, rewrite=check_modules)
    except rego.RegoError as error:
        raise GatekeeperError(error.render()) from None
    lines = text.splitlines()
    return [
        replace(remark, diagnostic=_placed(remark.diagnostic, template, modules, paths, lines))
        for remark in [
            *lint_rego(program),
            *_unknown_fields(program, template, f"{kind}.rego"),
            *unknown_data.lint(program, complete=True),
        ]
    ]


def _unknown_fields(program: rego.Program, template: Subject, main: str) -> Iterator[Remark]:
    """References to fields that a review does not have, and to parameters that the schema does not have."""
    schema, keeps_unknown = parameters_of(template.document)
    parameters = fields.of_schema(schema, keeps_unknown=keeps_unknown)
    for is_main in (True, False):
        missing = program.types.missing(fields.template_input(parameters, main=is_main))
        yield from fields.remarks(each for each in missing if (each.span.file == main) is is_main)


def _paths(target: dict[str, Any]) -> Iterator[Path]:
    """Where the module and its libs stand in the template."""
    start: Path = ("spec", "targets", 0)
    code = target.get("code")
    if isinstance(code, list) and not target.get("rego"):
        index = next(
            n for n, entry in enumerate(code) if isinstance(entry, dict) and entry.get("engine") == "Rego"
        )
        start = (*start, "code", index, "source")
    yield (*start, "rego")
    number = 0
    while True:
        yield (*start, "libs", number)
        number += 1


def _placed(
    diagnostic: Diagnostic,
    template: Subject,
    modules: dict[str, str],
    paths: dict[str, Path],
    lines: list[str],
) -> Diagnostic:
    """The diagnostic at its line of the file, if the text stands there as a block; at the field otherwise."""
    span = diagnostic.span
    field = template.locator.locate(paths[span.file])
    row = field.line + span.row
    written = modules[span.file].splitlines()[span.row - 1]
    line = lines[row - 1] if row <= len(lines) else ""
    if written.strip() and line.endswith(written):
        column = span.column + len(line) - len(written)
        return replace(diagnostic, span=Span(field.file, row, column, span.length))
    return replace(diagnostic, span=Span(field.file, field.line, max(1, field.column)))


def _get(document: Any, *path: str) -> Any:
    for name in path:
        document = document.get(name) if isinstance(document, dict) else None
    return document
