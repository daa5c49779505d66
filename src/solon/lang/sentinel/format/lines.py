"""Items to lines: the space between two of them, the cells of a line."""

from __future__ import annotations

from typing import Final

from solon.lang.sentinel.format.columns import Line
from solon.lang.sentinel.format.items import BLOCK, Items
from solon.lang.sentinel.format.layout import Marks

_CLOSING: Final = frozenset([")", "]", "}"])


def space(items: Items, marks: Marks, text: str, index: int) -> str:
    """What stands between an item and the one before it on the same line."""
    left, right = items.all[index - 1], items.all[index]
    if right.is_comment or left.kind == BLOCK:
        return "" if left.kind in {"(", "["} else " "
    if left.kind in {"(", "[", "."} or right.kind in {")", "]", ",", "."}:
        return ""
    if index in marks.brackets or index - 1 in marks.signs:
        return ""
    if index in marks.slices:
        return " " if text[right.at - 1] in " \t" and text[right.at + 1] in " \t" else ""
    if index - 1 in marks.slices:
        return " " if text[left.at - 1] in " \t" and text[left.at + 1] in " \t" else ""
    if right.kind == ":":
        return ""
    if (index in marks.maps and right.kind == "}") or (index - 1 in marks.maps and left.kind == "{"):
        return ""
    return "" if left.kind == "{" and right.kind == "}" else " "


def written(items: Items, marks: Marks, text: str, start: int, end: int) -> str:
    """The items on one line, the last one included."""
    parts = [items.all[start].text]
    for index in range(start + 1, end + 1):
        parts += (space(items, marks, text, index), items.all[index].text)
    return "".join(parts)


def lines(items: Items, marks: Marks, text: str) -> list[Line]:
    out: list[Line] = []
    level, follower = 0, 0
    for index, item in enumerate(items.all):
        if index == 0 or item.breaks:
            if follower <= index:
                follower = items.code(index)
            level = _level(items, marks, text, index, follower, level)
            section = index in marks.sections or item.is_comment
            out.append(Line(level, [item.text], section, bool(out) and item.breaks > 1))
            continue
        line = out[-1]
        trailing = item.is_comment and (index + 1 == len(items.all) or items.all[index + 1].breaks > 0)
        if (trailing or index in marks.cells) and not items.all[index - 1].is_comment:
            line.cells.append(item.text)
        else:
            line.cells[-1] += space(items, marks, text, index) + item.text
    return out


def _level(items: Items, marks: Marks, text: str, index: int, follower: int, before: int) -> int:
    """The tabs of a line that begins with this item.

    ``follower`` is the token there or behind it; ``before`` are the tabs of the line before it.
    """
    item = items.all[index]
    if not item.is_comment:
        return marks.levels.get(index, before + 1)
    if follower == len(items.all):
        return 0
    level = marks.levels.get(follower, before)
    if items.all[follower].kind in _CLOSING:
        return level + 1
    # A comment before a label belongs to the label if it stands where the label does.
    if follower in marks.labels and _column(text, item.at) != _column(text, items.all[follower].at):
        return level + 1
    return level


def _column(text: str, at: int) -> int:
    return at - text.rfind("\n", 0, at)
