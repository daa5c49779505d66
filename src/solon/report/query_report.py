"""Answers of the decision log: as a table for people, as JSON, and as CSV."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any, Final

from rich.cells import cell_len

from solon.report.text import UNSAFE, printable

_SAMPLE: Final = 1_000  # rows that the widths of columns are taken from
_NARROWEST: Final = 12
_GAP: Final = "  "


def render(name: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], *, width: int) -> Iterator[str]:
    """Pieces of text, as rows come. ``name`` is table, json, csv or events."""
    if name == "json":
        return _json(columns, rows)
    if name == "csv":
        return _csv(columns, rows)
    if name == "events":
        return (f"{_safe(str(row[0]))}\n" for row in rows)
    return _table(columns, rows, width)


def value(found: Any, column: str = "") -> Any:
    """A value of DuckDB's as JSON has it; times are RFC 3339."""
    if isinstance(found, datetime):
        return found.replace(tzinfo=None).isoformat() + "Z"
    if isinstance(found, date):
        return found.isoformat()
    if isinstance(found, (list, tuple)):
        return [value(each) for each in found]
    if isinstance(found, dict):
        return {str(name): value(each) for name, each in found.items()}
    if isinstance(found, float) and not math.isfinite(found):
        return None
    if column == "event" and isinstance(found, str):
        try:
            return json.loads(found)
        except (ValueError, RecursionError):
            return found
    return found if found is None or isinstance(found, (str, int, float, bool)) else str(found)


def _safe(text: str) -> str:
    return UNSAFE.sub(lambda match: f"\\u{ord(match.group()):04x}", text)


def _json(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    lead = "[\n"
    for row in rows:
        each = {name: value(found, name) for name, found in zip(columns, row, strict=True)}
        yield lead + "  " + _safe(json.dumps(each, ensure_ascii=False))
        lead = ",\n"
    yield "[]\n" if lead == "[\n" else "\n]\n"


def _csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([cell(found) for found in row])
        if out.tell() > 1 << 16:
            yield out.getvalue()
            out.seek(0)
            out.truncate()
    yield out.getvalue()


def cell(found: Any) -> Any:
    """Lists as JSON; a text that a spreadsheet would take for a formula, behind an apostrophe."""
    if found is None or type(found) is int:
        return found
    plain = found if isinstance(found, str) else value(found)
    if isinstance(plain, (list, dict)):
        return _safe(json.dumps(plain, ensure_ascii=False)) if plain else json.dumps(plain)
    if isinstance(plain, bool):
        return "true" if plain else "false"
    if isinstance(plain, str):
        text = _safe(plain)
        return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t"} else text
    return plain


def _table(columns: Sequence[str], rows: Iterable[Sequence[Any]], width: int) -> Iterator[str]:
    """Columns as wide as what is in them; where that is too wide, the widest are cut short."""
    source = iter(rows)
    sample = [[_text(found) for found in row] for row, _ in zip(source, range(_SAMPLE), strict=False)]
    titles = [name.upper().replace("_", " ") for name in columns]
    right = [all(_number(row[at]) for row in sample) and bool(sample) for at in range(len(columns))]
    widths = [max(cell_len(row[at]) for row in [titles, *sample]) for at in range(len(columns))]
    room = width - len(_GAP) * (len(columns) - 1)
    while sum(widths) > room and max(widths) > _NARROWEST:
        widest = widths.index(max(widths))
        next_widest = max([each for each in widths if each < widths[widest]] or [_NARROWEST])
        widths[widest] = max(next_widest, widths[widest] - (sum(widths) - room), _NARROWEST)
    yield _line(titles, widths, right)
    for row in sample:
        yield _line(row, widths, right)
    for found in source:
        yield _line([_text(each) for each in found], widths, right)


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    parts = []
    for cell, width, side in zip(cells, widths, right, strict=True):
        cut = _cut(cell, width)
        pad = " " * (width - cell_len(cut))
        parts.append(pad + cut if side else cut + pad)
    return _GAP.join(parts).rstrip() + "\n"


def _cut(text: str, width: int) -> str:
    if cell_len(text) <= width:
        return text
    kept = ""
    used = 1
    for char in text:
        used += cell_len(char)
        if used > width:
            break
        kept += char
    return kept + "…"


def _number(text: str) -> bool:
    return not text or text.replace(",", "").replace(".", "", 1).removeprefix("-").isdecimal()


def _text(found: Any) -> str:
    if found is None:
        return ""
    if isinstance(found, datetime):
        return f"{found:%Y-%m-%d %H:%M:%S}"
    if isinstance(found, bool):
        return "yes" if found else "no"
    if isinstance(found, int):
        return f"{found:,}"
    if isinstance(found, float):
        return f"{found:,.4g}"
    if isinstance(found, dict) and all(isinstance(each, str) for each in found.values()):
        return printable(", ".join(f"{name}@{each}" if each else name for name, each in found.items()))
    if isinstance(found, list) and all(isinstance(each, str) for each in found):
        return printable(", ".join(found))
    plain = value(found)
    return printable(plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False))
