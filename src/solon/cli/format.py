"""solon fmt: Rego laid out as ``opa fmt`` lays it out, Sentinel as HashiCorp's formatter does."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from solon.cli.errors import UsageError
from solon.frameworks import rego_files
from solon.lang.rego import RegoError
from solon.lang.rego.ast import Version
from solon.lang.rego.format import format_text
from solon.lang.sentinel.errors import SentinelError
from solon.subjects.discover import read_bytes
from solon.subjects.documents import Problem, text_of

REGO: Final = ".rego"
SENTINEL: Final = ".sentinel"
STDIN: Final = "<stdin>"


@dataclass(frozen=True, slots=True)
class Options:
    paths: list[str]
    write: bool
    diff: bool
    list: bool
    fail: bool
    v0: bool
    rego_v1: bool
    sentinel: bool  # what is read from standard input


def run(options: Options) -> int:
    """The exit status. Raises UsageError."""
    if options.write and "-" in options.paths:
        raise UsageError("--write has nothing to write to when it reads standard input (-)")
    failed = changed = False
    files = 0
    for path in _files(options.paths):
        files += 1
        try:
            text = text_of(read_bytes(path, sys.stdin.buffer.read))
            laid_out = _format(STDIN if path == "-" else path, text, options)
            changes = laid_out != text
            _show(path, text, laid_out, options)
            if changes and options.write:
                with open(path, "w", encoding="utf-8", newline="") as file:
                    file.write(laid_out)
        except (RegoError, SentinelError) as error:
            print(error.render(), file=sys.stderr)
            failed = True
        except Problem as problem:
            print(problem.at(path), file=sys.stderr)
            failed = True
        except OSError as error:
            print(f"{path}: {(error.strerror or str(error)).lower()}", file=sys.stderr)
            failed = True
        else:
            changed = changed or changes
    if not files:
        raise UsageError(f"{', '.join(options.paths)}: no Rego or Sentinel files found")
    if failed:
        return 2
    return 1 if options.fail and changed else 0


def _files(paths: list[str]) -> Iterator[str]:
    for path in paths:
        if path == "-":
            yield path
        else:
            yield from rego_files.find(path, (REGO, SENTINEL))


def _format(name: str, text: str, options: Options) -> str:
    """Rego is read as v1, and as v0 where it is not v1; to become both, the other way round."""
    if name.endswith(SENTINEL) or (options.sentinel and name == STDIN):
        from solon.lang.sentinel.format import format_text as format_sentinel

        return format_sentinel(name, text)
    if options.v0:
        return format_text(name, text, "v0", rego_v1=options.rego_v1)
    versions: tuple[Version, Version] = ("v0", "v1") if options.rego_v1 else ("v1", "v0")
    problems: dict[Version, RegoError] = {}
    for version in versions:
        try:
            return format_text(name, text, version, rego_v1=options.rego_v1 and version == "v0")
        except RegoError as error:
            problems[version] = error
    raise problems["v1"]


def _show(path: str, text: str, laid_out: str, options: Options) -> None:
    out = sys.stdout.write
    if options.list:
        out(f"{path}\n" if laid_out != text else "")
    if options.diff:
        before, after = text.splitlines(keepends=True), laid_out.splitlines(keepends=True)
        for line in difflib.unified_diff(before, after, path, path):
            out(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n")
    if not (options.list or options.diff or options.write):
        out(laid_out)
