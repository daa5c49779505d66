"""decimal: the documentation's examples, a hundred digits, and numbers that are too large for anything."""

from __future__ import annotations

import decimal
import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sentinel_imports import MISSING, call, opened

from solon.lang.sentinel.values import Failure, Undefined, equals

NOWHERE = Undefined("no key")


def number(value: object) -> Any:
    return call(opened("decimal"), "new", value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.5, "1.5"),
        ("1.1", "1.1"),
        (2.2, "2.2"),
        (3, "3"),
        (3.0, "3"),
        (1000.0, "1000"),
        ("1.1234E+400", "1.1234E+400"),
        ("1e999999", "1E+999999"),
        ("1e99999999999", "Infinity"),
        ("-1e-99999999999", "-0E-2147483746"),
        ("Infinity", "Infinity"),
        ("-inf", "-Infinity"),
        ("NaN", "NaN"),
        (math.inf, "Infinity"),
        (-9223372036854775808, "-9223372036854775808"),
        (".5", "0.5"),
        ("5.", "5"),
        ("0.10", "0.10"),
        ("9" * 101, "1.000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000E+101"),
        ("0." + "3" * 100 + "5", "0." + "3" * 99 + "4"),
    ],
)  # fmt: skip
def test_new_and_string(value: object, text: str) -> None:
    assert number(value).get("string", MISSING) == text


@pytest.mark.parametrize(
    ("value", "name", "result"),
    [
        (1.5, "sign", 1),
        (-1.5, "sign", -1),
        (0, "sign", 0),
        (1.5, "coefficient", 15),
        (1.5, "exponent", -1),
        (-1.5, "coefficient", 15),
        (1.5, "float", 1.5),
        ("1e999999", "float", math.inf),
        ("-1e-999999", "float", 0.0),
        (1.5, "int", 1),
        (-1.5, "int", -1),
        ("0.999", "int", 0),
        ("9223372036854775807.9", "int", 9223372036854775807),
        ("1e-999999", "int", 0),
    ],
)
def test_components(value: object, name: str, result: object) -> None:
    found = number(value).get(name, MISSING)
    assert (type(found), found) == (type(result), result)


@pytest.mark.parametrize(
    ("value", "name", "why"),
    [
        ("1e999999", "int", "decimal: the int needs more than 64 bits"),
        ("9223372036854775808", "int", "decimal: the int needs more than 64 bits"),
        ("NaN", "int", "decimal: NaN is no int"),
        ("Infinity", "coefficient", "decimal: Infinity has no coefficient"),
        ("Infinity", "exponent", "decimal: Infinity has no exponent"),
        ("1" * 20, "coefficient", "decimal: the coefficient needs more than 64 bits"),
    ],
)
def test_components_that_no_int_holds_are_undefined(value: object, name: str, why: str) -> None:
    found = number(value).get(name, MISSING)
    assert type(found) is Undefined
    assert found.why == why


SQRT = "1.224744871391589049098642037352945695982973740328335064216346283625480188728657513269929716552320117"
CALLS = [
    (1.5, "add", (1,), "2.5"),
    (1.5, "subtract", (1,), "0.5"),
    (1.5, "sub", ("1",), "0.5"),
    (1.5, "multiply", (2,), "3.0"),
    (1.5, "mul", (2,), "3.0"),
    (3.0, "divide", (1.5,), "2"),
    (1, "div", (3,), "0." + "3" * 100),
    (2, "div", (3,), "0." + "6" * 99 + "7"),
    (1.5, "modulo", (1,), "0.5"),
    (-1.5, "mod", (1,), "-0.5"),
    (7, "remainder", (4,), "3"),
    (7, "rem", (4,), "3"),
    ("1e999999", "mod", (7,), "NaN"),
    (1.5, "power", (2,), "2.25"),
    (2, "pow", (-1,), "0.5"),
    (2, "pow", (0.5,), "1.414213562373095048801688724209698078569671875376948073176679737990732478462107038850387534327641573"),
    ("1e999999", "pow", ("1e999999",), "Infinity"),
    (1.5, "exp", (), "4.481689070338064822602055460119275819005749868369667056772650082785936674466713772981053831382453391"),
    ("1e999999", "exp", (), "Infinity"),
    (1.5, "loge", (), "0.4054651081081643819780131154643491365719904234624941976140143241441006712489142512677524278173134012"),
    (1.5, "ln", (), "0.4054651081081643819780131154643491365719904234624941976140143241441006712489142512677524278173134012"),
    (1.5, "log10", (), "0.1760912590556812420812890085306222824319389827285873235194381791781209635092366135560411035294301295"),
    (1000, "log", (), "3"),
    (-1, "ln", (), "NaN"),
    (1.5, "square_root", (), SQRT),
    (1.5, "sqrt", (), SQRT),
    (-1, "sqrt", (), "NaN"),
    (1.5, "ceiling", (), "2"),
    (-1.5, "ceil", (), "-1"),
    (1.5, "floor", (), "1"),
    (-1.5, "floor", (), "-2"),
    (-1.5, "absolute", (), "1.5"),
    (1.5, "abs", (), "1.5"),
    (1.5, "negate", (), "-1.5"),
    (-1.5, "neg", (), "1.5"),
    (1, "div", (0,), "Infinity"),
    (-1, "div", (0,), "-Infinity"),
    (0, "div", (0,), "NaN"),
    (0, "mul", ("Infinity",), "NaN"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "name", "arguments", "text"), CALLS)
def test_arithmetic(value: object, name: str, arguments: tuple[object, ...], text: str) -> None:
    assert call(number(value), name, *arguments).get("string", MISSING) == text


@pytest.mark.parametrize(
    ("value", "name", "other", "result"),
    [
        (1.5, "is", 1, False),
        (1.5, "is", "1.50", True),
        (1.5, "is_not", 1, True),
        (1.5, "less_than", 1, False),
        (1.5, "lt", 2, True),
        (1.5, "less_than_or_equals", 1, False),
        (1.5, "lte", 1.5, True),
        (1.5, "greater_than", 1, True),
        (1.5, "gt", 1.5, False),
        (1.5, "greater_than_or_equals", 1, True),
        (1.5, "gte", "1.5", True),
        ("-Infinity", "lt", "-1e999999", True),
        ("NaN", "is", "NaN", False),
        ("NaN", "is_not", "NaN", True),
        ("NaN", "lt", 1, False),
        ("NaN", "gte", 1, False),
    ],
)
def test_comparison(value: object, name: str, other: object, result: bool) -> None:
    assert call(number(value), name, other) is result
    assert call(number(value), name, number(other)) is result


@pytest.mark.parametrize(
    ("name", "argument", "result"),
    [
        ("is_infinite", 100, False),
        ("is_infinite", "Infinity", True),
        ("is_inf", "-Infinity", True),
        ("isinf", 1, False),
        ("isinfinite", math.inf, True),
        ("is_nan", "NaN", True),
        ("isnan", 1.5, False),
    ],
)
def test_questions(name: str, argument: object, result: bool) -> None:
    assert call(opened("decimal"), name, argument) is result
    assert call(opened("decimal"), name, number(argument)) is result


def test_constants() -> None:
    members = opened("decimal")
    assert members.get("nan", MISSING).get("string", MISSING) == "NaN"
    assert call(members.get("nan", MISSING), "is", members.get("nan", MISSING)) is False
    assert [call(members, name, 1).get("string", None) for name in ("inf", "infinity")] == ["Infinity"] * 2
    assert call(members, "infinity", -1).get("string", None) == "-Infinity"


def test_the_language_s_equality_is_that_of_the_numbers() -> None:
    assert equals(number(1), number("1.0"))
    assert not equals(number(1), number(2))
    assert not equals(number(1), 1)


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("abc", "decimal: this is not a number: 'abc'"),
        ("", "decimal: this is not a number: ''"),
        (" 1", "decimal: this is not a number: ' 1'"),
        ("1_000", "decimal: this is not a number: '1_000'"),
        ("٣", "decimal: this is not a number: '٣'"),
        ("sNaN", "decimal: this is not a number: 'sNaN'"),
        (None, "decimal.new: the argument must be a decimal, a number or a string, not null"),
        (True, "decimal.new: the argument must be a decimal, a number or a string, not bool"),
    ],
)
def test_what_is_no_number(argument: object, message: str) -> None:
    with pytest.raises(Failure) as raised:
        number(argument)
    assert raised.value.message == message


def test_undefined_and_counts() -> None:
    assert number(NOWHERE) is NOWHERE
    assert call(number(1), "add", NOWHERE) is NOWHERE
    assert number(1).get("nothing", MISSING) is MISSING
    with pytest.raises(Failure, match=r"^decimal\.add takes 1 argument, not 2$"):
        call(number(1), "add", 1, 2)
    with pytest.raises(
        Failure, match=r"^decimal\.add: the argument must be a decimal, a number or a string, not list$"
    ):
        call(number(1), "add", [])


def test_a_huge_text_is_one_number() -> None:
    assert number("1" * 1_000_000).get("string", MISSING) == "1." + "1" * 99 + "E+999999"


finite = st.decimals(allow_nan=False, allow_infinity=False, places=None).filter(
    lambda value: abs(value.adjusted()) < 500 and len(value.as_tuple().digits) <= 40
)


@given(finite, finite)
def test_exact_results_are_exact(one: Decimal, other: Decimal) -> None:
    """Against a context of far more digits: what has at most a hundred is not rounded."""
    wide = decimal.Context(prec=3000, Emin=-999_999, Emax=999_999, traps=[])
    left, right = number(str(one)), number(str(other))
    product = call(left, "mul", right).get("string", MISSING)
    assert Decimal(product) == wide.multiply(one, other)
    total = wide.add(one, other)
    if len(total.normalize(wide).as_tuple().digits) <= 100:
        assert Decimal(call(left, "add", right).get("string", MISSING)) == total
    assert call(left, "lt", right) is (one < other)
    if one:
        quotient = Decimal(call(right, "div", left).get("string", MISSING))
        assert abs(wide.subtract(wide.multiply(quotient, one), other)) <= wide.multiply(
            abs(other), Decimal("1e-99")
        )
