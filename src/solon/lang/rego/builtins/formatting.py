"""sprintf, with the verbs of Go's fmt, and how values are printed.

OPA hands Go an int or a float where the operand is a number, and for everything else the text of the term.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from solon.lang.budget import claim, spend
from solon.lang.rego.builtins.go_format import MAX_WIDTH, Operand, Verb, formatted, go_format, parsed, quote
from solon.lang.rego.builtins.registry import Builtin, array, string
from solon.lang.values import Set, Value, number_text, sorted_items, sorted_members

_LONG: Final = 1000  # characters
_FEW: Final = 32  # elements, on few levels: what need not be charged
_SHALLOW: Final = 2


def format_value(value: Value) -> str:
    """How OPA prints a value: a string bare on its own, quoted inside others."""
    kind = type(value)
    if kind is str:
        return str(value)
    if kind is int:
        return number_text(value)
    return term_text(value)


def term_text(value: Value, depth: int = 0) -> str:
    """The value as Rego text."""
    kind = type(value)
    if kind is str:
        if len(value) > _LONG:
            spend(len(value))
            claim(len(value))
        return quote(value)
    if value is None:
        return "null"
    if kind is bool:
        return "true" if value else "false"
    if kind is not list and kind is not dict and kind is not Set:
        return _float_source(value) if kind is float else number_text(value)
    if depth > _SHALLOW or len(value) > _FEW:
        spend(8 * len(value))
    parts = []
    if kind is dict:
        for k, v in sorted_items(value):
            name = term_text(k, depth + 1)
            parts.append(f"{name}: {term_text(v, depth + 1)}")
        return "{" + ", ".join(parts) + "}"
    for item in value if kind is list else sorted_members(value):
        parts.append(term_text(item, depth + 1))  # noqa: PERF401
    if kind is list:
        return "[" + ", ".join(parts) + "]"
    return "{" + ", ".join(parts) + "}" if parts else "set()"


def _float_source(value: float) -> str:
    # A float that came from text as 1.0 is printed so; arithmetic never leaves a whole float behind.
    return f"{value:.1f}" if value.is_integer() and abs(value) < 1e15 else number_text(value)


def _operand(value: Value) -> Operand:
    """What OPA hands to Go: numbers and strings as they are, of everything else the text."""
    kind = type(value)
    return value if kind is str or kind is int or kind is float else term_text(value)


def sprintf(template: Value, operands: Value) -> str:
    if type(template) is not str:
        string(template, 1)
    if type(operands) is not list:
        array(operands, 2)
    if len(operands) == 1 and template in _PLAIN:
        return shown_as(template[1])(operands[0])
    values = [_operand(value) for value in operands]
    size, most = len(template), 0
    for value in values:
        if type(value) is str:
            size += len(value)
            most = max(most, len(value))
    for part in parsed(template):
        if not isinstance(part, str) and (part.steps or part.width or part.precision):
            # An index may have one operand many times.
            size += _padding(part, values) + most
    if size > _LONG:
        spend(size // 8)
        claim(size)
    return go_format(template, values)


def _padding(verb: Verb, values: list[Operand]) -> int:
    """At least as many characters as a width or precision adds."""
    starred = max((abs(value) for value in values if type(value) is int), default=0) if verb.steps else 0
    return (verb.width or 0) + (verb.precision or 0) + min(starred, MAX_WIDTH)


_PLAIN: Final = frozenset(["%s", "%v", "%d"])


def verbs(template: str) -> list[tuple[str, bool]] | None:
    """The template as (text, False) and (verb, True); None where a verb is more than plain s, v or d."""
    out: list[tuple[str, bool]] = []
    for part in parsed(template):
        if isinstance(part, str):
            out.append((part, False))
        elif part.verb in "svd" and part == Verb(part.verb):
            out.append((part.verb, True))
        else:
            return None
    return out


def shown_as(verb: str) -> Callable[[Value], str]:
    """What a plain verb makes of a value."""
    plain = Verb(verb)

    def shown(value: Value) -> str:
        kind = type(value)
        if kind is int and verb != "s":
            return number_text(value)
        if verb == "d" or kind is int or kind is float:
            return formatted(plain, _operand(value))
        return format_value(value)

    return shown


BUILTINS = (Builtin("sprintf", "(string, array[any]) -> string", sprintf),)
