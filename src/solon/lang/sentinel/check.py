"""What is wrong with a file whatever it is evaluated with."""

from __future__ import annotations

from collections.abc import Collection

from solon.lang.sentinel import ast
from solon.lang.sentinel.errors import CHECK_ERROR, SentinelError
from solon.lang.source import Diagnostic


def check(file: ast.File, known: Collection[str] | None = None) -> None:
    """Raise SentinelError where there are errors. ``known`` are the imports there are, None: anything may be."""
    errors = diagnose(file, known)
    if errors:
        errors.sort(key=lambda e: (e.span.row, e.span.column))
        raise SentinelError(errors, {file.name: file.text})


def diagnose(file: ast.File, known: Collection[str] | None = None) -> list[Diagnostic]:
    """Every error of a file that parses."""
    return _Checker(file, known).errors


class _Checker:
    def __init__(self, file: ast.File, known: Collection[str] | None) -> None:
        self.file = file
        self.errors: list[Diagnostic] = []
        self.known = known

    def error(self, message: str, at: int, end: int, hint: str = "") -> None:
        self.errors.append(Diagnostic(CHECK_ERROR, message, self.file.span(at, end), hint))
