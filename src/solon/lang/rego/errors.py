"""What can go wrong with Rego, named as OPA names it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from solon.lang.source import Diagnostic, Span, render

if TYPE_CHECKING:
    from solon.lang.rego import ast

PARSE_ERROR = "rego_parse_error"
COMPILE_ERROR = "rego_compile_error"
TYPE_ERROR = "rego_type_error"
UNSAFE_VAR_ERROR = "rego_unsafe_var_error"
RECURSION_ERROR = "rego_recursion_error"

EVAL_CONFLICT_ERROR = "eval_conflict_error"
EVAL_TYPE_ERROR = "eval_type_error"
EVAL_BUILTIN_ERROR = "eval_builtin_error"
EVAL_INTERNAL_ERROR = "eval_internal_error"
EVAL_CANCEL_ERROR = "eval_cancel_error"


class RegoError(Exception):
    """Policies that do not parse or compile, or an evaluation that cannot go on.

    ``errors`` holds every diagnostic, in order of file and place.
    """

    def __init__(self, errors: Sequence[Diagnostic], sources: Mapping[str, str] | None = None) -> None:
        self.errors = list(errors)
        self.sources = dict(sources or {})
        super().__init__("\n".join(map(str, self.errors)))

    @property
    def code(self) -> str:
        return self.errors[0].code

    def render(self) -> str:
        """All errors with their source lines."""
        return "\n".join(render(error, self.sources.get(error.span.file)) for error in self.errors)


class EvalError(RegoError):
    """An evaluation that stopped: a conflict, a built-in's error in strict mode, a budget."""

    def __init__(self, code: str, message: str, span: Span, sources: Mapping[str, str] | None = None) -> None:
        super().__init__([Diagnostic(code, message, span)], sources)


class BuiltinError(Exception):
    """A built-in function cannot give a value. The caller adds the function's name to the message.

    The call is undefined, unless errors of built-ins are strict.
    """

    code = EVAL_BUILTIN_ERROR


class OperandError(BuiltinError):
    """An operand has the wrong type or value: ``OperandError(1, "must be string but got number")``."""

    code = EVAL_TYPE_ERROR

    def __init__(self, position: int, problem: str) -> None:
        super().__init__(f"operand {position} {problem}")


class HaltError(BuiltinError):
    """An error of a built-in that stops the evaluation even where errors are not strict."""


def refuse(errors: list[Diagnostic], sources: Mapping[str, str]) -> None:
    """Raise RegoError where there are errors, with the first in the text as the first."""
    if errors:
        errors.sort(key=lambda e: (e.span.file, e.span.row, e.span.column))
        raise RegoError(errors, sources)


@contextmanager
def enough_stack(module: ast.Module, at: int, sources: Mapping[str, str]) -> Iterator[None]:
    """What nests so deeply that compiling it needs more stack than there is, is an error of that rule."""
    try:
        yield
    except RecursionError:
        error = Diagnostic(COMPILE_ERROR, "nested too deeply", module.span(at))
        raise RegoError([error], sources) from None
