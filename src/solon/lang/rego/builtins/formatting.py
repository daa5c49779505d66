"""sprintf, with the verbs of Go's fmt, and how values are printed.

OPA hands a verb an int or a float where the operand is a number, its boolean, and for everything else the
text of the term; what does not fit a verb is shown as Go shows it: ``%!d(string=hi)``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, NamedTuple

from solon.lang.rego.builtins.registry import Builtin, array, string
from solon.lang.values import Set, Value, number_text, sorted_items, sorted_members


def format_value(value: Value) -> str:
    """How OPA prints a value: a string bare on its own, quoted inside others."""
    kind = type(value)
    if kind is str:
        return str(value)
    if kind is int:
        return str(value)
    return term_text(value)


def term_text(value: Value) -> str:
    """The value as Rego text."""
    kind = type(value)
    if kind is str:
        return quote(value)
    if value is None:
        return "null"
    if kind is bool:
        return "true" if value else "false"
    if kind is list:
        return "[" + ", ".join(map(term_text, value)) + "]"
    if kind is dict:
        return "{" + ", ".join(f"{term_text(k)}: {term_text(v)}" for k, v in sorted_items(value)) + "}"
    if kind is Set:
        return "{" + ", ".join(map(term_text, sorted_members(value))) + "}" if value else "set()"
    return _float_source(value) if kind is float else number_text(value)


def _float_source(value: float) -> str:
    # A float that came from text as 1.0 is printed so; arithmetic never leaves a whole float behind.
    return f"{value:.1f}" if value.is_integer() and abs(value) < 1e15 else number_text(value)


_ESCAPES: Final = {
    "\\": "\\\\", '"': '\\"', "\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t",
    "\v": "\\v",
}  # fmt: skip


def quote(text: str) -> str:
    """Go's strconv.Quote."""
    if text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    out = []
    for char in text:
        if char in _ESCAPES:
            out.append(_ESCAPES[char])
        elif char.isprintable():
            out.append(char)
        elif ord(char) < 0x80:
            out.append(f"\\x{ord(char):02x}")
        elif ord(char) < 0x10000:
            out.append(f"\\u{ord(char):04x}")
        else:
            out.append(f"\\U{ord(char):08x}")
    return '"' + "".join(out) + '"'


class _Verb(NamedTuple):
    flags: str
    width: str  # digits, "*" or ""
    precision: str | None
    operand: int | None  # explicit argument index, from 0
    verb: str


_VERB: Final = re.compile(
    r"%(?P<flags>[+\-# 0]*)(?:\[(?P<at>\d+)\])?(?P<width>\d+|\*)?(?:\.(?P<precision>\d+|\*)?)?"
    r"(?:\[(?P<index>\d+)\])?(?P<verb>.)?",
    re.DOTALL,
)

MAX_WIDTH: Final = 1_000_000


@lru_cache(maxsize=4096)
def _parsed(template: str) -> tuple[str | _Verb, ...]:
    parts: list[str | _Verb] = []
    at = 0
    while True:
        start = template.find("%", at)
        if start < 0:
            if template[at:]:
                parts.append(template[at:])
            return tuple(parts)
        if start > at:
            parts.append(template[at:start])
        found = _VERB.match(template, start)
        assert found is not None
        verb = found["verb"]
        if verb is None:
            parts.append("%!(NOVERB)")
        elif verb == "%":
            parts.append("%")
        else:
            index = found["index"] or found["at"]
            precision = found["precision"]
            has_dot = "." in found.group()[: -len(verb)]
            parts.append(
                _Verb(
                    found["flags"],
                    found["width"] or "",
                    (precision or "0") if has_dot else None,
                    int(index) - 1 if index else None,
                    verb,
                )  # fmt: skip
            )
        at = found.end()


def sprintf(template: Value, operands: Value) -> str:
    if type(template) is not str:
        string(template, 1)
    if type(operands) is not list:
        array(operands, 2)
    out: list[str] = []
    next_operand = 0
    reordered = False
    for part in _parsed(template):
        if type(part) is str:
            out.append(part)
            continue
        assert isinstance(part, _Verb)
        if part == _PLAIN.get(part.verb) and next_operand < len(operands):
            value = operands[next_operand]
            next_operand += 1
            out.append(value if type(value) is str and part.verb in "sv" else _format(part, value, "", None))
            continue
        width, precision = part.width, part.precision
        if part.operand is not None:
            reordered = True
            next_operand = part.operand
        if width == "*":
            width, next_operand = _star(operands, next_operand)
            if width is None:
                out.append("%!(BADWIDTH)")
                width = ""
        if precision == "*":
            precision, next_operand = _star(operands, next_operand)
            if precision is None:
                out.append("%!(BADPREC)")
        if part.operand is not None and not 0 <= part.operand < len(operands):
            out.append(f"%!{part.verb}(BADINDEX)")
            continue
        if next_operand >= len(operands):
            out.append(f"%!{part.verb}(MISSING)")
            continue
        out.append(_format(part, operands[next_operand], width, precision))
        next_operand += 1
    if next_operand < len(operands) and not reordered:
        extra = ", ".join(f"{_go_type(v)}={_go_text(v)}" for v in operands[next_operand:])
        out.append(f"%!(EXTRA {extra})")
    return "".join(out)


_PLAIN: Final = {verb: _Verb("", "", None, None, verb) for verb in "svd"}


def verbs(template: str) -> list[tuple[str, bool]] | None:
    """The template as (text, False) and (verb, True); None where a verb is more than plain s, v or d."""
    out: list[tuple[str, bool]] = []
    for part in _parsed(template):
        if type(part) is str:
            out.append((part, False))
        elif isinstance(part, _Verb) and part == _PLAIN.get(part.verb):
            out.append((part.verb, True))
        else:
            return None
    return out


def shown_as(verb: str) -> Callable[[Value], str]:
    """What a plain verb makes of a value."""
    plain = _PLAIN[verb]

    def shown(value: Value) -> str:
        if type(value) in (list, dict, Set) and verb != "d":
            return term_text(value)
        return _format(plain, value, "", None)

    return shown


def _star(operands: list[Value], at: int) -> tuple[Any, int]:
    if at < len(operands) and type(operands[at]) is int and abs(operands[at]) <= MAX_WIDTH:
        return str(operands[at]), at + 1
    return None, at + 1


def _go_type(value: Value) -> str:
    # OPA passes ints and floats as they are (big ones as pointers); all other terms as text.
    if type(value) is int:
        return "int64" if -(2**63) <= value < 2**63 else "*big.Int"
    return "float64" if type(value) is float else "string"


def _go_text(value: Value) -> str:
    if type(value) is float:
        return _general(value)
    return format_value(value)


def _general(value: float) -> str:
    """Go's %v of a float64: the shortest digits, with an exponent below 1e-4 and from 1e6 on."""
    exponent = Decimal(repr(value)).adjusted() if value else 0
    if exponent < -4 or exponent >= 6:
        mantissa, _, power = f"{Decimal(repr(value)).normalize():e}".partition("e")
        sign = "-" if power.startswith("-") else "+"
        return f"{mantissa.removesuffix('.0')}e{sign}{power.lstrip('+-').zfill(2)}"
    return number_text(value)


def _format(verb: _Verb, value: Value, width: str, precision: str | None) -> str:
    if len(width) > 7 or (precision is not None and len(precision) > 7):
        return "%!(BADWIDTH)"
    kind = type(value)
    if verb.verb == "T":
        return _pad(verb, _go_type(value), width)
    if verb.verb == "v":
        text = _go_text(value)
        if kind in (int, float) and "+" in verb.flags and not text.startswith("-"):
            text = "+" + text
        return _pad(verb, text, width, numeric=kind in (int, float))
    if kind is int:
        body = _integer(verb, value, precision)
    elif kind is float:
        body = _floating(verb, value, precision)
    else:
        body = _text(verb, format_value(value), precision)
    if body is None:
        return f"%!{verb.verb}({_go_type(value)}={_go_text(value)})"
    return _pad(verb, body, width, numeric=kind in (int, float))


def _integer(verb: _Verb, value: int, precision: str | None) -> str | None:
    if verb.verb == "s" and not -(2**63) <= value < 2**63:
        return str(value)
    digits = {"d": "d", "b": "b", "o": "o", "x": "x", "X": "X"}.get(verb.verb)
    if digits:
        body = format(abs(value), digits)
        if precision is not None:
            body = body.zfill(int(precision))
        if "#" in verb.flags:
            body = {"x": "0x", "X": "0X", "o": "0", "b": "0b"}.get(digits, "") + body
        return _signed(verb, value < 0, body)
    if verb.verb == "O":
        return _signed(verb, value < 0, "0o" + format(abs(value), "o"))
    if verb.verb == "c":
        return chr(value) if 0 <= value < 0x110000 and not 0xD800 <= value < 0xE000 else "\ufffd"
    if verb.verb == "q":
        return "'" + (chr(value) if 0 <= value < 0x110000 else "\ufffd") + "'"
    if verb.verb == "U":
        return f"U+{value:04X}"
    return None


def _floating(verb: _Verb, value: float, precision: str | None) -> str | None:
    kind = verb.verb
    if kind in "fF":
        body = f"{abs(value):.{int(precision) if precision is not None else 6}f}"
    elif kind in "eE":
        body = f"{abs(value):.{int(precision) if precision is not None else 6}{kind}}"
    elif kind in "gG":
        body = _general(abs(value)) if precision is None else f"{abs(value):.{max(1, int(precision))}{kind}}"
    else:
        return None
    return _signed(verb, value < 0, body)


def _signed(verb: _Verb, negative: bool, body: str) -> str:
    sign = "-" if negative else "+" if "+" in verb.flags else " " if " " in verb.flags else ""
    return sign + body


def _text(verb: _Verb, text: str, precision: str | None) -> str | None:
    if precision is not None:
        text = text[: int(precision)]
    if verb.verb == "s":
        return text
    if verb.verb == "q":
        return f"`{text}`" if "#" in verb.flags and "`" not in text else quote(text)
    if verb.verb in "xX":
        separator = " " if " " in verb.flags else ""
        shown = text.encode().hex(separator) if separator else text.encode().hex()
        return shown.upper() if verb.verb == "X" else shown
    return None


def _pad(verb: _Verb, body: str, width: str, *, numeric: bool = False) -> str:
    if not width:
        return body
    wanted = int(width)
    if wanted < 0 or "-" in verb.flags:
        return body.ljust(abs(wanted))
    if "0" in verb.flags:
        if numeric and body[:1] in "+-":
            return body[0] + body[1:].zfill(wanted - 1)
        return body.rjust(wanted, "0")
    return body.rjust(wanted)


BUILTINS = (Builtin("sprintf", "(string, array[any]) -> string", sprintf),)
