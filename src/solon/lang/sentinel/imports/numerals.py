"""Floats as Go writes them: the shortest text that gives the same number."""

from __future__ import annotations

import math
from decimal import Decimal

LARGE = 1e21  # from here on with an exponent


def shortest(number: float, least: float = 1e-4) -> str:
    """``1.01``, ``3``, ``1e+21``; with an exponent below ``least``."""
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "+Inf" if number > 0 else "-Inf"
    if number == 0:
        return "-0" if math.copysign(1, number) < 0 else "0"
    digits = Decimal(repr(number)).normalize()
    if least <= abs(number) < LARGE:
        return f"{digits:f}"
    mantissa, exponent = f"{digits:e}".split("e")
    return f"{mantissa}e{exponent[0]}{exponent[1:]:0>2}"
