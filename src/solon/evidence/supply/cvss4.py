"""The base score of CVSS version 4.0 (specification, section 8: CVSS v4.0 scoring).

Vectors fall into sets that experts ranked, and a score lies between that of its set and the next lower ones, by how far the
vector is from the worst of its set. Threat and environment are taken for the worst, so that of the 270 ranked sets 60 are left:
five pairs of EQ3 and EQ6, two of EQ4, and EQ1 and EQ2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import floor
from typing import Final

# By EQ3, EQ6 and EQ4, the scores in tenths by EQ1 and EQ2: 00, 01, 10, 11, 20, 21.
_RANKED: Final[Mapping[tuple[int, int, int], Sequence[int]]] = {
    (0, 0, 1): (100, 95, 94, 90, 86, 73),
    (0, 0, 2): (93, 92, 87, 77, 70, 54),
    (0, 1, 1): (96, 91, 89, 77, 74, 55),
    (0, 1, 2): (90, 81, 75, 66, 54, 43),
    (1, 0, 1): (93, 92, 86, 74, 72, 61),
    (1, 0, 2): (88, 84, 72, 61, 53, 46),
    (1, 1, 1): (92, 82, 76, 59, 57, 51),
    (1, 1, 2): (80, 70, 57, 52, 36, 18),
    (2, 1, 1): (79, 71, 65, 58, 47, 24),
    (2, 1, 2): (69, 63, 53, 23, 24, 10),
}
# What a metric may be, the worst first.
_METRICS: Final[Mapping[str, Sequence[str]]] = {
    "AV": ("N", "A", "L", "P"),
    "PR": ("N", "L", "H"),
    "UI": ("N", "P", "A"),
    "AC": ("L", "H"),
    "AT": ("N", "P"),
    **dict.fromkeys(("VC", "VI", "VA", "SC", "SI", "SA"), ("H", "L", "N")),
}
# The metrics that each set is of, the worst vectors in it by its level, and how many steps below them it reaches.
_EQ1: Final = ("AV", "PR", "UI"), (("NNN",), ("ANN", "NLN", "NNP"), ("PNN", "ALP")), (1, 4, 5)
_EQ2: Final = ("AC", "AT"), (("LN",), ("HN", "LP")), (1, 2)
_EQ3: Final = ("VC", "VI", "VA"), (("HHH",), ("LHH", "HLH"), ("LLL",)), (7, 8, 10)
_EQ4: Final = ("SC", "SI", "SA"), ((), ("HHH",), ("LLL",)), (0, 5, 4)


def base_score(metrics: Mapping[str, str]) -> float:
    """Raises KeyError where a metric is missing, and ValueError where it has no such value."""
    at = {name: values.index(metrics[name]) for name, values in _METRICS.items()}
    lost = [metrics[name] for name in ("VC", "VI", "VA", "SC", "SI", "SA")]
    if set(lost) == {"N"}:
        return 0.0
    exposed = [metrics[name] == "N" for name in ("AV", "PR", "UI")]
    eq1 = 0 if all(exposed) else 1 if any(exposed) and metrics["AV"] != "P" else 2
    eq2 = 0 if (metrics["AC"], metrics["AT"]) == ("L", "N") else 1
    eq3 = 0 if lost[:2] == ["H", "H"] else 1 if "H" in lost[:3] else 2
    eq4 = 1 if "H" in lost[3:] else 2
    eq6 = 0 if "H" in lost[:3] else 1
    score = _ranked(eq1, eq2, eq3, eq4, eq6)
    assert score is not None
    lower = [
        (_ranked(eq1 + 1, eq2, eq3, eq4, eq6), _depth(at, _EQ1, eq1)),
        (_ranked(eq1, eq2 + 1, eq3, eq4, eq6), _depth(at, _EQ2, eq2)),
        (_below(eq1, eq2, eq3, eq4, eq6), _depth(at, _EQ3, eq3)),
        (_ranked(eq1, eq2, eq3, eq4 + 1, eq6), _depth(at, _EQ4, eq4)),
        (
            score,
            Fraction(0),
        ),  # EQ5 is the exploit: there are sets below, and the vector is at the top of its own
    ]
    there = [(score - next_lower) * depth for next_lower, depth in lower if next_lower is not None]
    exact = score - sum(there, Fraction(0)) / len(there)
    return floor(min(max(exact, Fraction(0)), Fraction(100)) + Fraction(1, 2)) / 10


def _ranked(eq1: int, eq2: int, eq3: int, eq4: int, eq6: int) -> int | None:
    """Nothing where there is no such set."""
    if eq1 > 2 or eq2 > 1:
        return None
    row = _RANKED.get((eq3, eq6, eq4))
    return row[2 * eq1 + eq2] if row is not None else None


def _below(eq1: int, eq2: int, eq3: int, eq4: int, eq6: int) -> int | None:
    """EQ3 and EQ6 are of the same metrics, and go down together: of two ways down the higher counts."""
    ways = [(eq3 + 1, eq6), (eq3, eq6 + 1)]
    scores = [_ranked(eq1, eq2, one, eq4, other) for one, other in ways]
    return max((score for score in scores if score is not None), default=None)


def _depth(
    at: Mapping[str, int],
    of: tuple[Sequence[str], Sequence[Sequence[str]], Sequence[int]],
    level: int,
) -> Fraction:
    """How far down in its set a vector is, from a worst vector that it is nowhere worse than."""
    names, worst, depths = of
    for vector in worst[level]:
        steps = [at[name] - _METRICS[name].index(value) for name, value in zip(names, vector, strict=True)]
        if min(steps) >= 0:
            return Fraction(sum(steps), depths[level])
    raise AssertionError(f"no worst vector of {names} at {level}")
