"""How severe a vulnerability is, of its CVSS vector."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from solon.evidence.supply import cvss4
from solon.evidence.supply.result import Severity

_LEVELS: Final[tuple[tuple[float, Severity], ...]] = (
    (9.0, "critical"),
    (7.0, "high"),
    (4.0, "medium"),
    (0.0, "low"),
)

# CVSS v3.1 specification, section 7.4; those of v3.0 are the same.
_ATTACK_VECTOR: Final = {"N": 0.85, "A": 0.62, "L": 0.55, "P": 0.2}
_COMPLEXITY: Final = {"L": 0.77, "H": 0.44}
_PRIVILEGES: Final = {"N": 0.85, "L": 0.62, "H": 0.27}
_PRIVILEGES_CHANGED: Final = {"N": 0.85, "L": 0.68, "H": 0.5}
_INTERACTION: Final = {"N": 0.85, "R": 0.62}
_IMPACT: Final = {"H": 0.56, "L": 0.22, "N": 0.0}


def base_score(vector: str) -> float | None:
    """Of a vector of version 3.0, 3.1 or 4.0; None where it is none."""
    version, *parts = vector.strip().split("/")
    metrics = dict(part.partition(":")[::2] for part in parts)
    score = _SCORES.get(version)
    if score is None or len(metrics) != len(parts):
        return None
    try:
        return score(metrics)
    except (KeyError, ValueError):
        return None


def _base_score_3(metrics: Mapping[str, str]) -> float:
    """(CVSS v3.1 specification, section 7.1.) Raises KeyError."""
    changed = {"C": True, "U": False}[metrics["S"]]
    lost = 1.0
    for each in ("C", "I", "A"):
        lost *= 1 - _IMPACT[metrics[each]]
    subscore = 1 - lost
    impact = 7.52 * (subscore - 0.029) - 3.25 * (subscore - 0.02) ** 15 if changed else 6.42 * subscore
    exploitability = (
        8.22
        * _ATTACK_VECTOR[metrics["AV"]]
        * _COMPLEXITY[metrics["AC"]]
        * (_PRIVILEGES_CHANGED if changed else _PRIVILEGES)[metrics["PR"]]
        * _INTERACTION[metrics["UI"]]
    )
    if impact <= 0:
        return 0.0
    return _rounded_up(min((1.08 if changed else 1.0) * (impact + exploitability), 10))


def _rounded_up(value: float) -> float:
    """To one decimal, by integers (appendix A: 8.6 must not become 8.7 for what floats make of it)."""
    whole = round(value * 100_000)
    return whole / 100_000 if whole % 10_000 == 0 else (whole // 10_000 + 1) / 10


_SCORES: Final[Mapping[str, Callable[[Mapping[str, str]], float]]] = {
    "CVSS:3.0": _base_score_3,
    "CVSS:3.1": _base_score_3,
    "CVSS:4.0": cvss4.base_score,
}


def level(score: float) -> Severity:
    """(CVSS v3.1 specification, section 5; v4.0, section 6.) What scores none is low: somebody recorded it."""
    return next(name for least, name in _LEVELS if score >= least)
