"""Built-ins that compile to a Python expression instead of a call.

What Python's own C functions do is used where it is what the built-in does for operands of its types. Other
operands make the C function raise TypeError; the built-in itself then says what is wrong with them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from solon.lang.budget import STEP_BYTES, spend
from solon.lang.rego.builtins.formatting import shown_as, verbs
from solon.lang.values import Set


@dataclass(frozen=True, slots=True)
class Inline:
    """``text`` has {0}, {1}, … for the operands' names; ``kind`` is the value's type, where it is known."""

    text: str
    kind: type
    may_refuse: bool = True  # operands of other types raise TypeError
    operands: type | None = None  # the only type of operand that it takes


def _test(condition: str) -> Inline:
    return Inline(f"({condition})", bool, may_refuse=False)


LONG: Final = 4_000  # characters; what C does with fewer need not be charged


def _long_contains(text: str, part: str) -> bool:
    spend(len(text) // STEP_BYTES)
    return str.__contains__(text, part)


TABLE: Final = {
    "contains": Inline(
        f"str_contains({{0}}, {{1}}) if len({{0}}) < {LONG} else long_contains({{0}}, {{1}})",
        bool,
        operands=str,
    ),
    "count": Inline("len({0})", int),
    "endswith": Inline("str_endswith({0}, {1})", bool, operands=str),
    "is_array": _test("type({0}) is list"),
    "is_boolean": _test("type({0}) is bool"),
    "is_null": _test("{0} is None"),
    "is_number": _test("type({0}) in NUMBERS"),
    "is_object": _test("type({0}) is dict"),
    "is_set": _test("type({0}) is Set"),
    "is_string": _test("type({0}) is str"),
    "startswith": Inline("str_startswith({0}, {1})", bool, operands=str),
}

# Not "mul": products are limited in size.
_ARITHMETIC: Final = {"minus": "-", "plus": "+"}
_SIZED: Final = frozenset([str, list, dict, Set])


class Shortcut(NamedTuple):
    text: str
    condition: str  # that the operands are the usual ones; "" where that is certain
    kind: type | None


def shortcut(name: str, args: Sequence[str], kinds: Mapping[str, type]) -> Shortcut | None:
    """What a built-in does for its usual operands, where that is shorter than to call it."""
    if name in _ARITHMETIC:
        unsure = [arg for arg in args if kinds.get(arg) is not int]
        condition = " and ".join(f"type({arg}) is int" for arg in unsure)
        return Shortcut(f"{args[0]} {_ARITHMETIC[name]} {args[1]}", condition, int)
    if name == "object.get" and kinds.get(args[1]) is str:
        condition = "" if kinds.get(args[0]) is dict else f"type({args[0]}) is dict"
        return Shortcut(f"{args[0]}.get({args[1]}, {args[2]})", condition, None)
    if name == "count" and kinds.get(args[0]) in _SIZED:
        return Shortcut(f"len({args[0]})", "", int)
    return None


NAMES: Final[dict[str, Any]] = {
    "NUMBERS": frozenset([int, float]),
    "TypeError": TypeError,
    "bool": bool,
    "long_contains": _long_contains,
    "show_d": shown_as("d"),
    "show_s": shown_as("s"),
    "show_v": shown_as("v"),
    "str_contains": str.__contains__,
    "str_endswith": str.endswith,
    "str_startswith": str.startswith,
}

_PLAIN_KIND: Final[dict[str, type]] = {"s": str, "v": str, "d": int}


Parts = Sequence[tuple[str, bool]]

_MOST_OPERANDS: Final = 16  # the text is charged once it is made, and may be so many times as long as another


def template(value: Any, operands: int) -> Parts | None:
    """The (text, False) and (verb, True) of a template of sprintf; None where it needs sprintf itself."""
    parts = verbs(value) if type(value) is str and operands <= _MOST_OPERANDS else None
    return parts if parts is not None and sum(verb for _, verb in parts) == operands else None


def sprintf(
    parts: Parts, operands: Sequence[str], kinds: Mapping[str, type], constant: Callable[[str], str]
) -> str:
    """An f-string that gives what sprintf gives."""
    rest = iter(operands)
    out = []
    for text, is_verb in parts:
        if is_verb:
            name = next(rest)
            plain = _PLAIN_KIND[text]
            if kinds.get(name) is plain:
                out.append(f"{{{name}}}")
            else:
                out.append(f"{{{name} if type({name}) is {plain.__name__} else show_{text}({name})}}")
        else:
            out.append(f"{{{constant(text)}}}")
    return f'f"{"".join(out)}"'
