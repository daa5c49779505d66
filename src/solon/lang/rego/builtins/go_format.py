"""Go's fmt.Sprintf for ints, floats and strings.

What does not fit a verb is shown as Go shows it: ``%!d(string=hi)``, ``%!d(MISSING)``, ``%!(EXTRA int64=1)``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from solon.lang.rego.builtins.registry import remembered
from solon.lang.values import number_text

Operand = int | float | str

MAX_WIDTH: Final = 1_000_000  # of widths and precisions; Go has the same

_ESCAPES: Final = {
    "\\": "\\\\", "\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v",
}  # fmt: skip


def quote(text: str, mark: str = '"', *, ascii_only: bool = False) -> str:
    """Go's strconv.Quote; with a single quote as the mark, its QuoteRune."""
    if not ascii_only and text.isprintable() and mark not in text and "\\" not in text:
        return f"{mark}{text}{mark}"
    return mark + "".join(_escaped(char, mark, ascii_only) for char in text) + mark


def _escaped(char: str, mark: str, ascii_only: bool) -> str:
    code = ord(char)
    if char == mark:
        return f"\\{mark}"
    if char in _ESCAPES:
        return _ESCAPES[char]
    if char.isprintable() and (code < 0x80 or not ascii_only):
        return char
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb of a template. ``star`` parts and explicit indexes are resolved when operands are known."""

    verb: str
    flags: str = ""
    width: int | None = None
    precision: int | None = None
    steps: tuple[str, ...] = ()  # what takes operands, in order: "[3]", "width", "precision"
    valid: bool = True  # whether every index is well placed

    def has(self, flag: str) -> bool:
        return flag in self.flags

    @property
    def zero(self) -> bool:
        """Whether it pads with zeros."""
        return "0" in self.flags and "-" not in self.flags


_INDEX: Final = re.compile(r"\[([^\]]*)\]|\[")
_DIGITS: Final = re.compile(r"\d*", re.ASCII)


class _Scanner:
    def __init__(self, template: str, at: int) -> None:
        self.template = template
        self.at = at
        self.steps: list[str] = []
        self.valid = True

    def index(self) -> bool:
        """Whether an argument index stands here."""
        found = _INDEX.match(self.template, self.at)
        if found is None:
            return False
        self.at = found.end()
        self.steps.append(f"[{found[1] if (found[1] or '').isdecimal() else 0}]")
        return bool((found[1] or "").isdecimal())

    def number(self) -> int | None:
        found = _DIGITS.match(self.template, self.at)
        assert found is not None
        self.at = found.end()
        if len(found[0]) > 7 or int(found[0] or 0) > MAX_WIDTH:
            self.at = len(self.template)
            return None
        return int(found[0]) if found[0] else None

    def take(self, char: str) -> bool:
        if self.template[self.at : self.at + 1] == char:
            self.at += 1
            return True
        return False

    def verb(self) -> Verb | None:
        start = self.at
        while self.template[self.at : self.at + 1] in tuple("#0+- "):
            self.at += 1
        flags = self.template[start : self.at]
        width = precision = None
        after = self.index()
        if self.take("*"):
            self.steps.append("width")
            after = False
        else:
            width = self.number()
            if after and width is not None:
                self.valid = False
        if self.take("."):
            if after:
                self.valid = False
            after = self.index()
            if self.take("*"):
                self.steps.append("precision")
                after = False
            else:
                precision = self.number() or 0
        if not after:
            self.index()
        if self.at >= len(self.template):
            return None
        self.at += 1
        return Verb(self.template[self.at - 1], flags, width, precision, tuple(self.steps), self.valid)


@remembered(4096)
def parsed(template: str) -> tuple[str | Verb, ...]:
    """The template as texts and verbs."""
    parts: list[str | Verb] = []
    at = 0
    while True:
        start = template.find("%", at)
        if start < 0:
            if template[at:]:
                parts.append(template[at:])
            return tuple(parts)
        if start > at:
            parts.append(template[at:start])
        scanner = _Scanner(template, start + 1)
        verb = scanner.verb()
        if verb is None:
            parts.append("%!(NOVERB)")
        elif verb.verb == "%":
            parts.append("%")
        else:
            parts.append(verb)
        at = scanner.at


def go_format(template: str, operands: Sequence[Operand]) -> str:
    out: list[str] = []
    at = 0
    reordered = False
    for part in parsed(template):
        if isinstance(part, str):
            out.append(part)
            continue
        verb, valid = part, part.valid
        for step in part.steps:
            if step[0] == "[":
                reordered = True
                position = int(step[1:-1]) - 1 if len(step) < 12 else -1
                valid = valid and 0 <= position < len(operands)
                at = position if valid else at
                continue
            verb, problem = _starred(verb, step, operands[at] if at < len(operands) else None)
            out.append(problem)
            at += at < len(operands)
        if not valid:
            out.append(f"%!{part.verb}(BADINDEX)")
        elif at >= len(operands):
            out.append(f"%!{part.verb}(MISSING)")
        else:
            out.append(formatted(verb, operands[at]))
            at += 1
    if at < len(operands) and not reordered:
        plain = Verb("v")
        extra = ", ".join(f"{_go_type(value)}={formatted(plain, value)}" for value in operands[at:])
        out.append(f"%!(EXTRA {extra})")
    return "".join(out)


def _starred(verb: Verb, step: str, value: Operand | None) -> tuple[Verb, str]:
    """The verb with a width or precision from an operand, and what is printed if that does not do."""
    if type(value) is not int or abs(value) > MAX_WIDTH:
        return verb, "%!(BADWIDTH)" if step == "width" else "%!(BADPREC)"
    if step == "precision":
        return (replace(verb, precision=value), "") if value >= 0 else (verb, "%!(BADPREC)")
    return replace(verb, width=abs(value), flags=verb.flags + ("-" if value < 0 else "")), ""


def _go_type(value: Operand) -> str:
    if type(value) is int:
        return "int64" if -(2**63) <= value < 2**63 else "*big.Int"
    return "float64" if type(value) is float else "string"


def formatted(verb: Verb, value: Operand) -> str:
    """One operand as its verb has it."""
    if verb.verb == "T":
        return _padded(verb, _truncated(verb, _go_type(value)))
    plain = verb
    if verb.verb == "v":  # + and # mean other things than for numbers
        plain = replace(verb, flags=verb.flags.replace("+", "").replace("#", ""))
    if isinstance(value, int):
        if -(2**63) <= value < 2**63:
            text = _integer(plain, value)
        elif verb.verb in "bodvsxXO":
            text = _integer(replace(verb, verb="d") if verb.verb in "vs" else verb, value, big=True)
        else:
            return f"%!{verb.verb}(big.Int={value})"
    elif isinstance(value, float):
        text = _floating(plain, value)
    else:
        text = _string(replace(plain, verb="q") if verb.verb == "v" and verb.has("#") else plain, value)
    if text is None:
        shown = "d" if isinstance(value, int) else "g" if isinstance(value, float) else "s"
        return f"%!{verb.verb}({_go_type(value)}={formatted(replace(plain, verb=shown), value)})"
    return text


_BASES: Final = {"d": "d", "v": "d", "b": "b", "o": "o", "O": "o", "x": "x", "X": "X"}
_PREFIXES: Final = {"b": "0b", "x": "0x", "X": "0X"}


def _integer(verb: Verb, value: int, *, big: bool = False) -> str | None:
    kind = verb.verb
    if kind in "cq":
        char = chr(value) if 0 <= value < 0x110000 and not 0xD800 <= value < 0xE000 else "\ufffd"
        return _padded(verb, char if kind == "c" else quote(char, "'", ascii_only=verb.has("+")))
    if kind == "U":
        return _code_point(verb, value)
    if kind not in _BASES:
        return None
    sign = "-" if value < 0 else "+" if verb.has("+") else " " if verb.has(" ") else ""
    digits = number_text(abs(value)) if _BASES[kind] == "d" else format(abs(value), _BASES[kind])
    if verb.precision == 0 and value == 0 and not big:
        return " " * (verb.width or 0)
    if verb.precision is not None:
        digits = digits.zfill(verb.precision)
    prefix = "0o" if kind == "O" else ""
    if verb.has("#"):
        prefix += "0" * (digits[0] != "0") if kind in "oO" else _PREFIXES.get(kind, "")
    if verb.precision is None and verb.zero and verb.width:
        # Go counts the sign against the width, and the prefix only for big numbers.
        digits = digits.zfill(verb.width - len(sign) - (len(prefix) if big else 0))
    return _padded(replace(verb, flags=verb.flags.replace("0", "")), sign + prefix + digits)


def _code_point(verb: Verb, value: int) -> str:
    body = f"U+{value % 2**64:0{max(4, verb.precision or 0)}X}"
    if verb.has("#") and 0 <= value < 0x110000 and chr(value).isprintable():
        body += f" '{chr(value)}'"
    return _padded(replace(verb, flags=verb.flags.replace("0", "")), body)


def _floating(verb: Verb, value: float) -> str | None:
    kind = "g" if verb.verb == "v" else "f" if verb.verb == "F" else verb.verb
    size, precision = abs(value), verb.precision
    if kind in "feE":
        body = f"{size:.{6 if precision is None else precision}{kind}}"
    elif kind in "gG":
        body = general(size) if precision is None else f"{size:.{max(1, precision)}g}"
        body = body.upper() if kind == "G" else body
    elif kind in "xX":
        body = _hexadecimal(size)
        body = body.upper() if kind == "X" else body
    elif kind == "b":
        fraction, exponent = math.frexp(size)
        body = f"{int(fraction * 2**53)}p{exponent - 53:+d}"
    else:
        return None
    if verb.has("#") and kind in "feEgG":
        body = _with_point(body, (6 if precision is None else precision) if kind in "gG" else 0)
    negative = math.copysign(1, value) < 0
    sign = "-" if negative else "+" if verb.has("+") else " " if verb.has(" ") else ""
    if verb.zero and verb.width and sign:
        return sign + body.zfill(verb.width - 1)
    return _padded(verb, sign + body)


def general(value: float) -> str:
    """Go's %v of a float64: the shortest digits, with an exponent below 1e-4 and from 1e6 on."""
    exponent = Decimal(repr(value)).adjusted() if value else 0
    if exponent < -4 or exponent >= 6:
        mantissa, _, power = f"{Decimal(repr(value)).normalize():e}".partition("e")
        sign = "-" if power.startswith("-") else "+"
        return f"{mantissa.removesuffix('.0')}e{sign}{power.lstrip('+-').zfill(2)}"
    return number_text(value)


def _hexadecimal(value: float) -> str:
    mantissa, _, exponent = value.hex().partition("p")
    mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    return f"{'0x0' if mantissa == '0x' else mantissa}p{exponent[0]}{exponent[1:].zfill(2)}"


def _with_point(body: str, digits: int) -> str:
    """Always a decimal point, and at least so many significant digits."""
    mantissa, mark, exponent = body.partition("e") if "e" in body else body.partition("E")
    significant = mantissa.replace(".", "").lstrip("0")
    missing = digits - len(significant) - (mantissa == "0")
    mantissa += "" if "." in mantissa else "."
    return mantissa + "0" * missing + mark + exponent


def _truncated(verb: Verb, text: str) -> str:
    return text if verb.precision is None else text[: verb.precision]


def _string(verb: Verb, text: str) -> str | None:
    if verb.verb in "sv":
        return _padded(verb, _truncated(verb, text))
    if verb.verb == "q":
        text = _truncated(verb, text)
        if verb.has("#") and "`" not in text and all(c == "\t" or c >= " " for c in text):
            return _padded(verb, f"`{text}`")
        return _padded(verb, quote(text, ascii_only=verb.has("+")))
    if verb.verb in "xX":
        data = text.encode()[: verb.precision]
        prefix = "0x" if verb.has("#") and data else ""
        body = prefix + (f" {prefix}" if verb.has(" ") else "").join(f"{byte:02x}" for byte in data)
        return _padded(verb, body.upper() if verb.verb == "X" else body)
    return None


def _padded(verb: Verb, body: str) -> str:
    if not verb.width:
        return body
    if verb.has("-"):
        return body.ljust(verb.width)
    return body.rjust(verb.width, "0" if verb.zero else " ")
