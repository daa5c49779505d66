"""Waivers added to, and renewed in, the text of their file: everything else stays as it is.

The new text is read again: it must say exactly what was wanted, or the change is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from solon.governance import yaml_text
from solon.governance.waivers.waiver import Renewal, Waiver
from solon.governance.yaml_text import Unclear, flow, line_end, newline_of, scalar
from solon.subjects.documents import looks_like_json
from solon.subjects.files import parsed
from solon.subjects.subject import Unreadable

_ORDER: Final = ("id", "policy", "scope", "owner", "reason", "ticket", "approved_by", "created", "expires")
_RENEWED: Final = ("reason", "ticket", "approved_by", "created", "expires")


class Refused(Exception):
    """The text cannot be changed safely. ``by_hand`` is what to write instead."""

    def __init__(self, reason: str, by_hand: str) -> None:
        super().__init__(reason)
        self.by_hand = by_hand


def block(waiver: Waiver) -> str:
    """The waiver as an entry of a file."""
    plain: dict[str, Any] = msgspec.to_builtins(waiver)
    lines = [f"{key}: {flow(plain[key])}" for key in _ORDER if plain.get(key)]
    return "- " + "\n  ".join(lines) + "\n"


def added(text: str, name: str, waiver: Waiver) -> str:
    """The text with one waiver more, at its end. Raises Refused."""
    said = block(waiver)
    if looks_like_json(text):
        raise Refused("it is JSON, which is edited by hand", said)
    wanted = [*_values(text, name).values(), waiver]
    newline = newline_of(text)
    before = text if not text or text.endswith("\n") else text + newline
    margin = _margin(text)
    for begin in ("", f"---{newline}"):
        lines = [f"{margin if not begin else ''}{line}{newline}" for line in said.splitlines()]
        found = before + begin + "".join(lines)
        if [*_values(found, name).values()] == wanted:
            return found
    raise Refused("its layout is not one that can be added to", said)


def _margin(text: str) -> str:
    """What stands before the dashes of a list."""
    first = next((line for line in text.splitlines() if line.lstrip().startswith("- ")), "")
    return " " * (len(first) - len(first.lstrip(" ")))


def renewal(old: Waiver, new: Waiver) -> Waiver:
    """``new``, with what ``old`` said in its history."""
    before = Renewal(old.created, old.expires, old.reason, old.approved_by, old.ticket)
    return msgspec.structs.replace(new, history=[*old.history, before])


def renewed(text: str, name: str, number: int, waiver: Waiver) -> str:
    """The text with the part of that number as ``waiver``. Raises Refused.

    ``waiver`` differs in what a renewal changes, and in one entry of its history.
    """
    values = _values(text, name)
    old = values[number]
    assert isinstance(old, Waiver)
    try:
        start, node = yaml_text.part(text, number)
        found = _Edit(text, start, node).renewed(old, waiver)
    except Unclear as unclear:
        raise Refused(str(unclear), block(waiver)) from None
    if _values(found, name) != {**values, number: waiver}:
        raise Refused(
            "its layout is not one that can be changed without changing what it says", block(waiver)
        )
    return found


def _values(text: str, name: str) -> dict[int, Waiver | str]:
    """What each part says, by its number; below zero, what is wrong with others, without its place."""
    said: dict[int, Waiver | str] = {}
    for found in parsed(text, name, Waiver, "waiver"):
        if isinstance(found, Unreadable):
            said[-1 - len(said)] = found.problem
        else:
            said[found.number] = found.value
    return said


class _Edit:
    """Changes to the text of one waiver."""

    def __init__(self, text: str, start: int, node: Any) -> None:
        self._text = text
        self._start = start
        self._node = node
        self._children = {key.value: value for key, value in node.value}
        self._json = bool(node.value) and node.value[0][0].style == '"'
        self._newline = newline_of(text)

    def renewed(self, old: Waiver, new: Waiver) -> str:
        edits: list[tuple[int, int, str]] = []
        missing: dict[str, Any] = {}
        for key in _RENEWED:
            said = getattr(new, key)
            if key in self._children:
                edits += [self._replaced(self._children[key], said)] if said != getattr(old, key) else []
            elif said:
                missing[key] = said
        entry = {key: said for key, said in msgspec.to_builtins(new.history[-1]).items() if said}
        if "history" in self._children:
            edits.append(self._appended(self._children["history"], entry))
            edits += [self._with_keys(missing)] if missing else []
        else:
            edits.append(self._with_keys({**missing, "history": [entry]}))
        text = self._text
        for begin, end, said in sorted(edits, reverse=True):
            text = text[:begin] + said + text[end:]
        return text

    def _replaced(self, node: Any, said: str) -> tuple[int, int, str]:
        begin, end = self._start + node.start_mark.index, self._start + node.end_mark.index
        quote = '"' if self._json else node.style
        return begin, begin + len(self._text[begin:end].rstrip()), scalar(said, quote)

    def _appended(self, history: Any, entry: dict[str, str]) -> tuple[int, int, str]:
        """One more item of a list."""
        if not isinstance(history.value, list):
            raise Unclear("its history is not a list")
        if history.flow_style or not history.value:
            end = self._start + (history.value[-1].end_mark if history.value else history.start_mark).index
            if not history.value:
                end += 1
            return end, end, (", " if history.value else "") + flow(entry, as_json=self._json)
        return self._lines(history, list(_dashed(entry, history.start_mark.column)))

    def _with_keys(self, keys: dict[str, Any]) -> tuple[int, int, str]:
        """More keys behind the last."""
        if self._node.flow_style:
            end = self._start + self._node.value[-1][1].end_mark.index
            said = flow(keys, as_json=self._json)[1:-1]
            return end, end, f", {said}"
        margin = self._node.start_mark.column
        lines = []
        for key, value in keys.items():
            if isinstance(value, str):
                lines.append(f"{' ' * margin}{key}: {scalar(value)}")
            else:
                lines.append(f"{' ' * margin}{key}:")
                lines += [line for entry in value for line in _dashed(entry, margin + 2)]
        return self._lines(self._node, lines)

    def _lines(self, node: Any, lines: list[str]) -> tuple[int, int, str]:
        """Lines behind the last one of a node."""
        end = len(self._text[: self._start + yaml_text.content_end(node)].rstrip())
        end = line_end(self._text, end)
        return end, end, "".join(self._newline + line for line in lines)


def _dashed(entry: dict[str, str], margin: int) -> Iterator[str]:
    for index, (key, value) in enumerate(entry.items()):
        yield f"{' ' * margin}{'  ' if index else '- '}{key}: {scalar(value)}"
