"""opa.runtime and trace."""

from __future__ import annotations

from typing import Any

from solon.lang.rego.builtins.registry import Builtin, Context, string
from solon.lang.values import Value


def runtime(context: Context) -> dict[Any, Value]:
    return dict(context.runtime)


def trace(context: Context, note: Value) -> bool:
    context.note(string(note, 1))
    return True


BUILTINS = (
    Builtin("opa.runtime", "() -> object[string: any]", runtime, contextual=True),
    Builtin("trace", "(string) -> boolean", trace, contextual=True),
)
