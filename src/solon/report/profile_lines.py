"""What lines cost, as ``opa eval --profile`` shows it, with the steps of Solon's budget."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from solon.lang.profile import Cost, Line, by_line

# name -> what to sort by; costs come the dearest first.
SORTS: Final[dict[str, Callable[[Line], Any]]] = {
    "total_time_ns": lambda line: -line.time_ns,
    "num_eval": lambda line: -line.evaluations,
    "num_steps": lambda line: -line.steps,
    "num_gen_expr": lambda line: -line.expressions,
    "file": lambda line: line.file,
    "line": lambda line: line.row,
}


def lines(costs: Sequence[Cost], sorts: Sequence[str], limit: int) -> list[Line]:
    """The lines in the order wanted, dearest first otherwise; ``limit`` 0 is all of them."""
    found = sorted(
        by_line(costs), key=lambda line: ([SORTS[name](line) for name in sorts], -line.time_ns, line.row)
    )
    return found[:limit] if limit else found


def render(found: Sequence[Line]) -> str:
    rows = [("TIME", "NUM EVAL", "NUM STEPS", "NUM GEN EXPR", "LOCATION")]
    rows += [
        (
            short(line.time_ns),
            f"{line.evaluations:,}",
            f"{line.steps:,}",
            f"{line.expressions:,}",
            f"{line.file}:{line.row}",
        )
        for line in found
    ]
    return table(rows, "rrrrl")


def as_json(found: Sequence[Line]) -> list[dict[str, Any]]:
    return [
        {
            "total_time_ns": line.time_ns,
            "num_eval": line.evaluations,
            "num_steps": line.steps,
            "num_gen_expr": line.expressions,
            "location": {"file": line.file, "row": line.row, "col": line.column},
        }
        for line in found
    ]


def short(ns: float) -> str:
    """A duration in the unit that suits it: ``850 ns``, ``12.3 us``, ``4.56 ms``, ``1.23 s``."""
    for unit, size in (("s", 1e9), ("ms", 1e6), ("us", 1e3)):
        if ns >= size:
            return f"{ns / size:.3g} {unit}" if ns < 1000 * size else f"{ns / size:,.0f} {unit}"
    return f"{ns:.0f} ns"


def table(rows: Sequence[Sequence[str]], alignment: str) -> str:
    """Rows in a frame, the first of them as the header; ``alignment`` has l or r for each column."""
    widths = [max(len(row[n]) for row in rows) for n in range(len(alignment))]
    rule = "+" + "+".join("-" * (width + 2) for width in widths) + "+"
    out = [rule]
    for number, row in enumerate(rows):
        cells = [
            f"{cell:<{width}}" if side == "l" or not number else f"{cell:>{width}}"
            for cell, width, side in zip(row, widths, alignment, strict=True)
        ]
        out.append("| " + " | ".join(cells) + " |")
        if not number:
            out.append(rule)
    return "\n".join([*out, rule]) + "\n"
