"""units.parse (``10Ki``, ``200m``) and units.parse_bytes (``1GB``, ``1GiB``)."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Final

from solon.lang.budget import spend
from solon.lang.rego.builtins.registry import Builtin, string
from solon.lang.rego.errors import BuiltinError
from solon.lang.values import Value

_BINARY: Final = {"ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40, "pi": 2**50, "ei": 2**60}
_DECIMAL: Final = {"k": 10**3, "g": 10**9, "t": 10**12, "p": 10**15, "e": 10**18}
_BYTES: Final = {"": 1, **_BINARY, **_DECIMAL, "m": 10**6}


def _split(text: str) -> tuple[str, str]:
    """The amount and the unit behind it; quotes around the whole are dropped."""
    text = text.replace('"', "")
    spend(4 * len(text))
    at = 0
    while at < len(text):
        if not (text[at].isdigit() or text[at] in ".+-") and not _exponent(text, at):
            break
        at += 1
    return text[:at], text[at:]


def _exponent(text: str, at: int) -> bool:
    """Whether an ``e`` here begins an exponent rather than the unit E."""
    if text[at] not in "eE" or at == 0:
        return False
    after = text[at + 1 : at + 3]
    return bool(after) and (after[0].isdigit() or (after[0] in "+-" and after[1:].isdigit()))


def _amount(digits: str, what: str) -> Decimal:
    if not digits:
        raise BuiltinError(f"no {what} provided")
    try:
        value = Decimal(digits)
    except InvalidOperation:
        raise BuiltinError(f"could not parse {what} to a number") from None
    if abs(value.adjusted()) > 1000:
        raise BuiltinError(f"could not parse {what} to a number")
    return value


def parse(value: Value) -> int | float:
    text = string(value, 1)
    if " " in text:
        raise BuiltinError("spaces not allowed in resource strings")
    digits, unit = _split(text)
    amount = _amount(digits, "amount")
    # Milli and mega differ by case alone.
    factor: Decimal | None
    if unit == "m":
        factor = Decimal("0.001")
    elif unit == "M":
        factor = Decimal(10**6)
    else:
        found = {"": 1, **_BINARY, **_DECIMAL}.get(unit.lower())
        factor = None if found is None else Decimal(found)
    if factor is None:
        raise BuiltinError(f"unit {unit} not recognized")
    product = amount * factor
    return int(product) if product == product.to_integral_value() else float(product)


def parse_bytes(value: Value) -> int:
    text = string(value, 1)
    if " " in text:
        raise BuiltinError("spaces not allowed in resource strings")
    digits, unit = _split(text)
    amount = _amount(digits, "byte amount")
    unit = unit.lower()
    factor = None if unit == "b" else _BYTES.get(unit.removesuffix("b"))
    if factor is None:
        raise BuiltinError(f"byte unit {unit} not recognized")
    return int(amount * factor)


BUILTINS = (
    Builtin("units.parse", "(string) -> number", parse),
    Builtin("units.parse_bytes", "(string) -> number", parse_bytes),
)
