"""solon eval: one Rego query, answered as ``opa eval`` answers it."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from solon.cli import cache, schemas
from solon.cli.errors import Failure, UsageError
from solon.cli.recording import Recording, Wanted
from solon.frameworks import rego_files
from solon.lang import rego
from solon.lang.budget import Budget
from solon.lang.rego.ast import Version
from solon.subjects.discover import read_bytes
from solon.subjects.documents import Problem, decode, text_of


@dataclass(frozen=True, slots=True)
class Options:
    query: str
    data: list[str]
    input: str | None
    stdin_input: bool
    format: str
    imports: list[str]
    strict: bool
    version: Version
    fail: bool
    fail_defined: bool
    dump: bool
    allowed_hosts: frozenset[str]
    timeout: float
    recording: Wanted
    schema: str | None = None


def run(options: Options) -> int:
    """The exit status. Raises UsageError."""
    printed: list[str] = []
    recording = Recording(options.recording)
    try:
        program = _compile(options, recording)
        if options.dump:
            sys.stdout.write(program.dump())
            return 0
        query = program.prepare(options.query, options.imports)
        recording.prepared(query)
        document = _input(options)
        with recording.timed("query_eval"):
            results = query.results(
                document,
                strict_builtin_errors=options.strict,
                budget=Budget(seconds=options.timeout),
                allowed_hosts=options.allowed_hosts,
                prints=printed,
                covered=recording.covered,
            )
    except rego.RegoError as error:
        return _errors(error, options, recording)
    finally:
        for line in printed:
            print(line, file=sys.stderr)
    _write(results, options, recording)
    defined = bool(results)
    return 1 if (options.fail and not defined) or (options.fail_defined and defined) else 0


def _compile(options: Options, recording: Recording) -> rego.Program:
    with recording.timed("load_files"):
        modules, documents = _read(options)
    program = rego.compile(
        modules,
        data=documents,
        version=options.version,
        coverage=recording.covered is not None,
        prints=True,
        watch=recording.watch,
        cache=cache.of_user(),
        schemas=schemas.read(options.schema),
    )
    recording.compiled(program)
    return program


def _read(options: Options) -> tuple[dict[str, str], dict[str, Any]]:
    """The Rego modules by file, and the data."""
    policies: list[str] = []
    data: list[str] = []
    placed: list[tuple[str, str]] = []
    for path in options.data:
        prefix, colon, rest = path.partition(":")
        if colon and not os.path.exists(path):
            placed.append((prefix, rest))
        elif not os.path.exists(path):
            raise UsageError(f"{path}: no such file or directory")
        elif os.path.isdir(path):
            policies.append(path)
            data.append(path)
        else:
            (policies if path.endswith(".rego") else data).append(path)
    files = rego_files.read(policies, data, options.version, tests=True)
    if files.problems:
        raise Failure("\n".join(map(str, files.problems)))
    documents: dict[str, Any] = files.data
    for prefix, path in placed:
        at = documents
        *above, last = prefix.split(".")
        for name in above:
            at = at.setdefault(name, {})
        at[last] = _document(path)
    return files.modules, documents


def _document(path: str) -> Any:
    try:
        documents = list(decode(text_of(read_bytes(path, sys.stdin.buffer.read))))
    except Problem as problem:
        raise UsageError(str(problem.at(path))) from None
    if len(documents) != 1:
        raise UsageError(f"{path}: must hold exactly one document, has {len(documents)}")
    only = documents[0]
    if isinstance(only, Problem):
        raise UsageError(str(only.at(path)))
    return only.value


def _input(options: Options) -> Any:
    if options.stdin_input:
        return _document("-")
    return rego.UNDEFINED if options.input is None else _document(options.input)


def _errors(error: rego.RegoError, options: Options, recording: Recording) -> int:
    if options.format in ("pretty", "raw"):
        if recording.program is not None:
            _tell(recording.before(_width()) + recording.behind(), options)
        raise Failure(error.render())
    found = [
        {
            "message": each.message,
            "code": each.code,
            "location": {"file": each.span.file, "row": each.span.row, "col": each.span.column},
        }
        for each in error.errors
    ]
    told = recording.as_json() if recording.program is not None else {}
    print(json.dumps({"errors": found, **told}, indent=2, ensure_ascii=False))
    return 2


def _width() -> int:
    """Columns of the terminal; what is read by something else is not cut to any."""
    return shutil.get_terminal_size((100, 24)).columns if sys.stdout.isatty() else 1000


def _tell(text: str, options: Options) -> None:
    """What people read: beside a result in their format, or on standard error beside one for machines."""
    (sys.stdout if options.format == "pretty" else sys.stderr).write(text)


def _write(results: Sequence[Mapping[str, Any]], options: Options, recording: Recording) -> None:
    out = sys.stdout.write
    if options.format != "json":
        _tell(recording.before(_width()), options)
    results = [
        {
            "expressions": [{**each, "value": _sorted(each["value"])} for each in result["expressions"]],
            "bindings": {name: _sorted(value) for name, value in result["bindings"].items()},
        }
        for result in results
    ]
    match options.format:
        case "json":
            shown = [{k: v for k, v in result.items() if k != "bindings" or v} for result in results]
            out(_json({**({"result": shown} if shown else {}), **recording.as_json()}) + "\n")
        case "values":
            for result in results:
                out(_json([expression["value"] for expression in result["expressions"]]) + "\n")
        case "bindings":
            for result in results:
                out(_json(result["bindings"]) + "\n")
        case "raw":
            for result in results:
                values = [expression["value"] for expression in result["expressions"]]
                out(" ".join(v if isinstance(v, str) else _compact(v) for v in values) + "\n")
        case _:
            out(_pretty(results))
    if options.format != "json":
        _tell(recording.behind(), options)


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _sorted(value: Any) -> Any:
    """The value with the keys of its objects in order: what is printed must not depend on how it was read."""
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value


def _pretty(results: Sequence[Mapping[str, Any]]) -> str:
    if not results:
        return "undefined\n"
    first = results[0]
    if len(results) == 1 and not first["bindings"] and len(first["expressions"]) == 1:
        return _json(first["expressions"][0]["value"]) + "\n"
    names = list(first["bindings"])
    asked = [e["text"] for e in first["expressions"] if e["value"] is not True]
    rows = [[*asked, *names]]
    for result in results:
        shown = [e["value"] for e in result["expressions"] if e["text"] in asked]
        rows.append([_compact(v) for v in [*shown, *result["bindings"].values()]])
    if not rows[0]:
        return "true\n"
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    line = "+" + "+".join("-" * (width + 2) for width in widths) + "+"
    out = [line]
    for number, row in enumerate(rows):
        out.append(
            "|" + "|".join(f" {cell:<{width}} " for cell, width in zip(row, widths, strict=True)) + "|"
        )
        if number == 0:
            out.append(line)
    return "\n".join([*out, line]) + "\n"
