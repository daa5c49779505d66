"""Line coverage of policies: as a table, and as OPA's JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from solon.frameworks.rego_tests import FileCoverage

Coverage = Mapping[str, FileCoverage]


def render(coverage: Coverage) -> str:
    lines = ["", "Coverage"]
    for file, found in coverage.items():
        missed = ", ".join(
            f"{first}-{last}" if first != last else str(first) for first, last in _runs(found.not_covered)
        )
        lines.append(f"  {found.percent:5.1f}%  {file}" + (f"  (not reached: {missed})" if missed else ""))
    return "\n".join([*lines, f"  {percent(coverage):5.1f}%  in all", ""])


def as_json(coverage: Coverage) -> dict[str, Any]:
    files = {
        file: {
            "covered": _spans(found.covered),
            "not_covered": _spans(found.not_covered),
            **_counts(len(found.covered), len(found.not_covered), found.percent),
        }
        for file, found in coverage.items()
    }
    covered = sum(len(file.covered) for file in coverage.values())
    missed = sum(len(file.not_covered) for file in coverage.values())
    return {"files": files, **_counts(covered, missed, percent(coverage))}


def _counts(covered: int, missed: int, share: float) -> dict[str, Any]:
    return {"covered_lines": covered, "not_covered_lines": missed, "coverage": round(share, 2)}


def _spans(rows: Sequence[int]) -> list[dict[str, dict[str, int]]]:
    return [{"start": {"row": first}, "end": {"row": last}} for first, last in _runs(rows)]


def _runs(rows: Sequence[int]) -> list[tuple[int, int]]:
    """First and last of rows that follow each other."""
    out: list[tuple[int, int]] = []
    for row in rows:
        if out and row == out[-1][1] + 1:
            out[-1] = (out[-1][0], row)
        else:
            out.append((row, row))
    return out


def percent(coverage: Coverage) -> float:
    covered = sum(len(file.covered) for file in coverage.values())
    total = covered + sum(len(file.not_covered) for file in coverage.values())
    return 100.0 * covered / total if total else 100.0
