"""``decimal``: numbers of up to a hundred digits. Their arithmetic is the General Decimal Arithmetic."""

from __future__ import annotations

import decimal
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from solon.lang.budget import spend
from solon.lang.sentinel.imports.declare import Method, Namespace, function, kind, method, named
from solon.lang.sentinel.imports.numerals import shortest
from solon.lang.sentinel.imports.unsettled import ROUNDING
from solon.lang.sentinel.values import Failure, Surroundings, Undefined, Value, wrapped

DIGITS: Final = 100
_EXPONENT: Final = 1 << 31
_STEPS: Final = {
    "exp": 200,
    "log10": 200,
    "loge": 200,
    "power": 2000,
    "square_root": 50,
}  # some microseconds each
_CONTEXT: Final = decimal.Context(
    prec=DIGITS, rounding=ROUNDING, Emin=1 - _EXPONENT, Emax=_EXPONENT - 1, clamp=0, traps=[]
)
_FORM: Final = re.compile(
    r"[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?|inf(?:inity)?|nan)", re.ASCII | re.IGNORECASE
)


def _quiet() -> decimal.Context:
    """The context without the flags that earlier calculations raised (in any thread)."""
    return _CONTEXT.copy()


@dataclass(frozen=True, slots=True)
class Number:
    value: Decimal

    @property
    def type_name(self) -> str:
        return "map"

    @property
    def shown(self) -> str:
        return str(self)

    def get(self, name: str, default: Value) -> Value:
        component = _COMPONENTS.get(name)
        if component is not None:
            return component(self.value)
        found = _METHODS.get(name)
        return default if found is None else found.of(self)

    def __str__(self) -> str:
        return str(self.value)


NUMBER: Final = kind("a decimal, a number or a string", Number, int, float, str)


def _decimal(value: Value) -> Decimal:
    """What any of the types that represent a number stands for. Raises Failure."""
    if type(value) is Number:
        return value.value
    if type(value) is int:
        return Decimal(value)
    if type(value) is float:
        return _CONTEXT.create_decimal(shortest(value))
    spend(len(value))
    if not _FORM.fullmatch(value):
        raise Failure(f"decimal: this is not a number: {value[:60]!r}")
    return _quiet().create_decimal(value)


def _integer(what: str, number: int) -> Value:
    return number if wrapped(number) == number else Undefined(f"decimal: the {what} needs more than 64 bits")


def _int(value: Decimal) -> Value:
    if not value.is_finite():
        return Undefined(f"decimal: {value} is no int")
    if value.adjusted() > 18:
        return Undefined("decimal: the int needs more than 64 bits")
    return 0 if value.adjusted() < 0 else _integer("int", int(value))


def _coefficient(value: Decimal) -> Value:
    if not value.is_finite():
        return Undefined(f"decimal: {value} has no coefficient")
    return _integer("coefficient", int("".join(map(str, value.as_tuple().digits))))


def _exponent(value: Decimal) -> Value:
    exponent = value.as_tuple().exponent
    return exponent if type(exponent) is int else Undefined(f"decimal: {value} has no exponent")


def _sign(value: Decimal) -> Value:
    return 0 if value.is_nan() or not value else -1 if value.is_signed() else 1


def _floated(value: Decimal) -> Value:
    return float(value)


_COMPONENTS: Final[dict[str, Callable[[Decimal], Value]]] = {
    "coefficient": _coefficient,
    "exponent": _exponent,
    "float": _floated,
    "int": _int,
    "sign": _sign,
    "string": str,
}


def _comparison(name: str, test: Callable[[Decimal, Decimal], bool], *, unordered: bool = False) -> Method:
    def run(one: Number, other: Value) -> bool:
        left, right = one.value, _decimal(other)
        return unordered if left.is_nan() or right.is_nan() else test(left, right)

    return method(f"decimal.{name}", run, NUMBER)


def _of_two(name: str, operation: Callable[[decimal.Context, Decimal, Decimal], Decimal]) -> Method:
    def run(one: Number, other: Value) -> Number:
        spend(_STEPS.get(name, 4))
        return Number(operation(_quiet(), one.value, _decimal(other)))

    return method(f"decimal.{name}", run, NUMBER)


def _of_one(name: str, operation: Callable[[decimal.Context, Decimal], Decimal]) -> Method:
    def run(one: Number) -> Number:
        spend(_STEPS.get(name, 4))
        return Number(operation(_quiet(), one.value))

    return method(f"decimal.{name}", run)


def _rounded(rounding: str) -> Callable[[decimal.Context, Decimal], Decimal]:
    def operation(context: decimal.Context, value: Decimal) -> Decimal:
        return value.to_integral_value(rounding=rounding, context=context)

    return operation


_METHODS: Final[dict[str, Method]] = named(
    "decimal",
    _comparison("is", lambda a, b: a == b),
    _comparison("is_not", lambda a, b: a != b, unordered=True),
    _comparison("less_than", lambda a, b: a < b),
    _comparison("less_than_or_equals", lambda a, b: a <= b),
    _comparison("greater_than", lambda a, b: a > b),
    _comparison("greater_than_or_equals", lambda a, b: a >= b),
    _of_two("add", decimal.Context.add),
    _of_two("subtract", decimal.Context.subtract),
    _of_two("multiply", decimal.Context.multiply),
    _of_two("divide", decimal.Context.divide),
    _of_two("modulo", decimal.Context.remainder),
    _of_two("power", decimal.Context.power),
    _of_one("exp", decimal.Context.exp),
    _of_one("loge", decimal.Context.ln),
    _of_one("log10", decimal.Context.log10),
    _of_one("square_root", decimal.Context.sqrt),
    _of_one("ceiling", _rounded(decimal.ROUND_CEILING)),
    _of_one("floor", _rounded(decimal.ROUND_FLOOR)),
    _of_one("absolute", decimal.Context.abs),
    _of_one("negate", decimal.Context.minus),
    lt="less_than",
    lte="less_than_or_equals",
    gt="greater_than",
    gte="greater_than_or_equals",
    sub="subtract",
    mul="multiply",
    div="divide",
    mod="modulo",
    remainder="modulo",
    rem="modulo",
    pow="power",
    ln="loge",
    log="log10",
    sqrt="square_root",
    ceil="ceiling",
    abs="absolute",
    neg="negate",
)


def _infinity(sign: Value) -> Number:
    return Number(Decimal("-Infinity" if _decimal(sign) < 0 else "Infinity"))


_NAMESPACE: Final = Namespace(
    named(
        "decimal",
        function("decimal.new", lambda value: Number(_decimal(value)), NUMBER),
        function("decimal.infinity", _infinity, NUMBER),
        function("decimal.is_infinite", lambda value: _decimal(value).is_infinite(), NUMBER),
        function("decimal.is_nan", lambda value: _decimal(value).is_nan(), NUMBER),
        inf="infinity",
        is_inf="is_infinite",
        isinf="is_infinite",
        isinfinite="is_infinite",
        isnan="is_nan",
    )
    | {"nan": Number(Decimal("NaN"))}
)


def opened(_surroundings: Surroundings, _config: Mapping[str, Value]) -> Namespace:
    return _NAMESPACE
