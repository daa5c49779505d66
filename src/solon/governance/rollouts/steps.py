"""Steps of a rollout, changed in the text of its file: comments, order and layout stay as they are.

The text is changed in as few places as can be, and then read again: what it says must be exactly what was wanted,
or the change is refused.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from solon.governance import yaml_text
from solon.governance.rollouts.rollout import Rollout, Step
from solon.governance.yaml_text import Unclear, scalar
from solon.subjects.documents import looks_like_json
from solon.subjects.files import Part, parsed
from solon.subjects.subject import Unreadable


class Refused(Exception):
    """The text cannot be changed safely. ``by_hand`` is what to write instead."""

    def __init__(self, reason: str, by_hand: str) -> None:
        super().__init__(reason)
        self.by_hand = by_hand


@dataclass(frozen=True, slots=True)
class Change:
    """In the part of a file with that number, and its scope: the steps from ``keep`` on give way to ``step``.

    ``comment`` goes above the step.
    """

    part: int
    scope: int
    keep: int
    step: Step
    comment: str = ""


def changed(text: str, name: str, change: Change) -> str:
    """The text with the change. Raises Refused."""
    wanted = _wanted(text, name, change)
    by_hand = f"- {flow(change.step)}"
    try:
        found = _changed(text, change)
    except Unclear as unclear:
        raise Refused(str(unclear), by_hand) from None
    after = list(parsed(found, name, Rollout, "rollout"))
    if [_value(part) for part in after] != wanted:
        raise Refused("its layout is not one that can be changed without changing what it says", by_hand)
    return found


def _wanted(text: str, name: str, change: Change) -> list[Rollout | str]:
    values = [_value(part) for part in parsed(text, name, Rollout, "rollout")]
    rollout = values[change.part]
    assert isinstance(rollout, Rollout)
    scopes = list(rollout.scopes)
    scope = scopes[change.scope]
    scopes[change.scope] = msgspec.structs.replace(scope, stages=[*scope.stages[: change.keep], change.step])
    values[change.part] = msgspec.structs.replace(rollout, scopes=scopes)
    return values


def _value(part: Part[Rollout] | Unreadable) -> Rollout | str:
    return part.problem if isinstance(part, Unreadable) else part.value


# --- the text of a step


def _pairs(step: Step) -> list[tuple[str, str]]:
    plain: dict[str, Any] = msgspec.to_builtins(step)
    return [(key, value) for key, value in plain.items() if isinstance(value, str)]


def flow(step: Step, quote: str = "") -> str:
    """``{stage: warn, from: 2026-11-02}``."""
    return "{" + ", ".join(f"{key}: {_said(key, value, quote)}" for key, value in _pairs(step)) + "}"


def _said(key: str, value: str, quote: str) -> str:
    return scalar(value, quote or None if key == "from" else None)


def _json(step: Step) -> str:
    return json.dumps(dict(_pairs(step)), ensure_ascii=False)


def _block(step: Step, quote: str, indent: str, newline: str) -> str:
    return (newline + indent).join(f"{key}: {_said(key, value, quote)}" for key, value in _pairs(step))


# --- where it goes


def _changed(text: str, change: Change) -> str:
    import yaml

    start, node = yaml_text.part(text, change.part)
    steps = _child(_child(_child(node, "scopes"), change.scope), "stages")
    if not isinstance(steps, yaml.SequenceNode) or not steps.value:
        raise Unclear("its steps are not a list")
    edit = _flow_edit if steps.flow_style else _block_edit
    return edit(text, start, steps, change, yaml_text.newline_of(text))


def _child(node: Any, key: str | int) -> Any:
    import yaml

    if isinstance(key, int):
        if isinstance(node, yaml.SequenceNode) and key < len(node.value):
            return node.value[key]
    elif isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            if name.value == key:
                return value
    raise Unclear(f"its {key} are not where they are looked for")


def _quote_of(item: Any) -> str:
    """How the step before writes its date."""
    for key, value in getattr(item, "value", ()):
        if getattr(key, "value", "") == "from":
            return getattr(value, "style", None) or ""
    return ""


def _line_start(text: str, at: int) -> int:
    return text.rfind("\n", 0, at) + 1


def _line_end(text: str, at: int) -> int:
    """Behind the line, its line feed included."""
    found = text.find("\n", at)
    return len(text) if found < 0 else found + 1


def _block_edit(text: str, start: int, steps: Any, change: Change, newline: str) -> str:
    """Steps a line or more each, behind dashes."""
    items = steps.value
    like = items[max(change.keep - 1, 0)]
    column = steps.start_mark.column
    margin = _before(text, start + steps.start_mark.index)
    last_end = _block_end(text, start + yaml_text.content_end(items[-1]), column)
    if change.keep < len(items):
        # The dash, not the value behind it; comments above it stay.
        dash = text.rfind("-", 0, start + items[change.keep].start_mark.index)
        begin, behind = _line_start(text, dash), last_end
        if change.keep == 0:
            begin = _line_start(text, start + steps.start_mark.index)
    else:
        begin = behind = last_end
    lead = text[text.rfind("-", 0, start + like.start_mark.index) : start + like.start_mark.index]
    if not re.fullmatch("- +", lead):
        lead = "- "
    quote = _quote_of(like)
    if getattr(like, "flow_style", False):
        said = _json(change.step) if _is_json(like) else flow(change.step, quote)
    else:
        said = _block(change.step, quote, " " * (column + len(lead)), newline)
    new = margin + lead + said
    if change.comment:
        new = f"{margin}# {change.comment}{newline}{new}"
    before = text[:begin]
    if before and not before.endswith("\n"):
        return before + newline + new + text[behind:]
    return before + new + (newline if text[behind:] or text[:behind].endswith("\n") else "") + text[behind:]


def _before(text: str, at: int) -> str:
    """What stands before a dash in its line; it must be blanks."""
    margin = text[_line_start(text, at) : at]
    if margin.strip(" "):
        raise Unclear("its steps begin in a line with something else")
    return margin


def _block_end(text: str, at: int, column: int) -> int:
    """Behind the last line of a step, and the comments below it that stand further in than its dash."""
    if at and text[at - 1] == "\n":
        end = at  # a block scalar, whose mark is behind its lines, blank ones too
        while end and not text[_line_start(text, end - 1) : end].strip():
            end = _line_start(text, end - 1)
    else:
        end = _line_end(text, at)
    while end < len(text):
        line = text[end : _line_end(text, end)]
        bare = line.lstrip(" ")
        if not bare.startswith("#") or len(line) - len(bare) <= column:
            break
        end += len(line)
    return end


_GAP: Final = re.compile(r"(?:\s|#[^\n]*)*")


def _flow_edit(text: str, start: int, steps: Any, change: Change, newline: str) -> str:
    """Steps between brackets."""
    items = steps.value
    like = items[max(change.keep - 1, 0)]
    said = _json(change.step) if _is_json(like) else flow(change.step, _quote_of(like))
    first, last = start + items[0].start_mark.index, start + items[-1].end_mark.index
    close = start + steps.end_mark.index - 1
    gap = _GAP.match(text, last)
    assert gap is not None
    trailing = text[gap.end()] == ","
    if change.keep == 0:
        found = text[:first] + said + text[last:]
    elif change.keep < len(items):
        # From behind the last step that stays to behind the last that goes; its comma serves the new one.
        at = start + items[change.keep].start_mark.index
        found = text[:at] + said + text[last:]
    elif _alone(text, start, items[-1]) and _line_end(text, gap.end() if trailing else last) <= close:
        # A line of its own, behind a comment that the last one may have; a comma first.
        margin = text[
            _line_start(text, start + items[-1].start_mark.index) : start + items[-1].start_mark.index
        ]
        line_end = _line_end(text, gap.end() if trailing else last)
        comma = "" if trailing else ","
        new = f"{margin}{said}{',' if trailing else ''}{newline}"
        found = text[:last] + comma + text[last:line_end] + new + text[line_end:]
    else:
        found = text[:last] + ", " + said + text[last:]
    if not change.comment or looks_like_json(text):
        return found
    line = _line_start(found, start + steps.start_mark.index)
    blanks = " " * (len(found) - line - len(found[line:].lstrip(" ")))
    return f"{found[:line]}{blanks}# {change.comment}{newline}{found[line:]}"


def _alone(text: str, start: int, item: Any) -> bool:
    """Whether a step begins its line."""
    at = start + item.start_mark.index
    return not text[_line_start(text, at) : at].strip()


def _is_json(item: Any) -> bool:
    """Whether a step is written with quoted names."""
    return bool(item.value) and getattr(item.value[0][0], "style", "") == '"'
