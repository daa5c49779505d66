"""A ticket as a document of Atlassian's format (ADF), which Jira Cloud takes: text there is never markup."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from solon.governance.tickets.ticket import Code, Item, Text, Ticket

LIMIT: Final = 30_000  # characters of its JSON: Jira takes 32,767
Node = dict[str, Any]


def body(ticket: Ticket, limit: int = LIMIT) -> Node:
    content = [_paragraph(paragraph) for paragraph in ticket.opening]
    if ticket.fixes:
        content.append(_heading("How to fix"))
        content += [_block(fix.text) for fix in ticket.fixes]
    content.append(_heading("Subjects"))
    end = _paragraph((_END,))
    room = limit - 1000 - _size([*content, end])
    items: list[Node] = []
    for item in ticket.items:
        node = _item(item)
        room -= _size(node)
        if room < 0:
            break
        items.append(node)
    if ticket.total > len(items):
        more = f"and {ticket.total - len(items):,} more: solon check lists them all"
        items.append({"type": "listItem", "content": [_paragraph((more,))]})
    return document([*content, {"type": "bulletList", "content": items}, end])


_END: Final = (
    "Kept by Solon: this text is written anew when the findings change, comments stay. The ticket is closed by "
    "itself when nothing is left."
)


def document(content: list[Node]) -> Node:
    return {"type": "doc", "version": 1, "content": content}


def comment(text: str) -> Node:
    return document([_paragraph((text,))])


def text_in(node: Any) -> str:
    """All text of a document."""
    return "".join(_texts(node, 0))


def _texts(node: Any, depth: int) -> Iterator[str]:
    if not isinstance(node, dict) or depth > 20:
        return
    if isinstance(node.get("text"), str):
        yield node["text"]
    for child in node.get("content") or ():
        yield from _texts(child, depth + 1)


def _item(item: Item) -> Node:
    content = [_paragraph(item.text)]
    if item.lines:
        lines = [{"type": "listItem", "content": [_paragraph(line)]} for line in item.lines]
        content.append({"type": "bulletList", "content": lines})
    return {"type": "listItem", "content": content}


def _paragraph(text: Text) -> Node:
    return {"type": "paragraph", "content": [_leaf(part) for part in text if part not in ("", Code(""))]}


def _leaf(part: str | Code) -> Node:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    return {"type": "text", "text": " ".join(part.text.split()) or " ", "marks": [{"type": "code"}]}


def _heading(text: str) -> Node:
    return {"type": "heading", "attrs": {"level": 3}, "content": [{"type": "text", "text": text}]}


def _block(text: str) -> Node:
    return {"type": "codeBlock", "content": [{"type": "text", "text": text.strip("\n")}]}


def _size(node: Any) -> int:
    return len(json.dumps(node))
