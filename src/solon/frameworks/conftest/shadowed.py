"""Metadata that says nothing: a policy with several rules has one title, one severity, one owner."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from solon.frameworks.conftest.load import Notes
from solon.frameworks.lint import FIELDS
from solon.lang import rego
from solon.lang.rego import ast
from solon.lang.rego.annotations import Annotation
from solon.lang.rego.resolve import walk_all
from solon.lang.rego.rules import Definition
from solon.lang.source import Diagnostic


def shadowed(
    program: rego.Program, notes: Notes, path: Sequence[str], definitions: Sequence[Definition]
) -> Iterator[Diagnostic]:
    """What the metadata of a rule says, and that of another rule of the same policy says otherwise."""
    if any(_reads_metadata(definition) for definition in definitions):
        return  # each rule puts its own into its results
    name = ast.written(["data", *path])
    merged = notes.of(name)
    own = [note for note in program.annotations if note.scope == "rule" and note.path == name]
    for note in own:
        hidden = [
            field for field in (*FIELDS, "subject") if _said(note, field) not in (None, _of(merged, field))
        ]
        if not hidden:
            continue
        winner = next(other for other in reversed(own) if _said(other, hidden[0]) == _of(merged, hidden[0]))
        policy = name.removeprefix("data.")
        yield Diagnostic(
            "conftest/shadowed-metadata",
            f"{policy} is one policy: {_joined(hidden)} given here {'is' if len(hidden) == 1 else 'are'} "
            f"hidden by what stands at {winner.span.file}:{winner.span.row}",
            note.span,
            "give the rules names of their own, such as deny_…, or packages of their own",
        )


def _said(note: Annotation, field: str) -> Any:
    return _of(note.values, field)


def _of(values: dict[str, Any], field: str) -> Any:
    custom = values.get("custom")
    return (
        values.get(field)
        if field in ("title", "description")
        else (custom.get(field) if isinstance(custom, dict) else None)
    )


def _joined(names: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _reads_metadata(definition: Definition) -> bool:
    terms = [*definition.args, *definition.rest, *ast.present(definition.key, definition.value)]
    found = walk_all(terms, [definition.body, *(branch.body for branch in definition.elses)])
    return any(isinstance(term, ast.Call) and term.name.startswith("rego.metadata.") for term in found)
