"""A ticket as GitHub's Markdown, and what it says of itself in a comment that nobody sees."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from solon.governance.tickets.plan import Note, State
from solon.governance.tickets.ticket import Code, Item, Text, Ticket

LIMIT: Final = 60_000  # GitHub takes 65,536 characters
_STATE: Final = re.compile(
    r"<!-- solon:ticket key=([0-9a-f]{16}) digest=([0-9a-f]{16}) subjects=(\d{1,9}) "
    r"blocks=(now|none|\d{4}-\d\d-\d\d) settled=(yes|no) -->"
)
_NOTE: Final = re.compile(r"<!-- solon:note ([a-z]+(?: [0-9a-f]{16})?) -->")
_BACKTICKS: Final = re.compile("`+")


def body(ticket: Ticket, limit: int = LIMIT) -> str:
    """The text of the issue, with its state at the end."""
    lines = [part for paragraph in ticket.opening for part in (_inline(paragraph), "")]
    if ticket.fixes:
        lines.append("### How to fix")
        lines += [part for fix in ticket.fixes for part in ("", *_fenced(fix.text))]
        lines.append("")
    lines += ["### Subjects", ""]
    end = "\n" + _END + state_line(ticket.key, State(ticket.digest, ticket.total, ticket.blocks))
    room = limit - len(end) - 100 - sum(len(line) + 1 for line in lines)
    shown = 0
    for item in ticket.items:
        said = list(_item(item))
        room -= sum(len(line) + 1 for line in said)
        if room < 0:
            break
        lines += said
        shown += 1
    if ticket.total > shown:
        lines.append(f"- and {ticket.total - shown:,} more: `solon check` lists them all")
    return "\n".join(lines) + "\n" + end


_END: Final = (
    "---\nKept by Solon: this text is written anew when the findings change, comments stay. The issue is closed "
    "by itself when nothing is left.\n"
)


def _item(item: Item) -> Iterator[str]:
    yield f"- {_inline(item.text)}"
    for line in item.lines:
        yield f"  - {_inline(line)}"


def _inline(text: Text) -> str:
    return "".join(_span(part.text) if isinstance(part, Code) else part for part in text)


def _span(text: str) -> str:
    """A span of code in one line: within it nothing is markup but a run of backticks of the same length."""
    line = " ".join(text.split()) or " "
    ticks = "`" * (_longest_run(line) + 1)
    space = " " if line[0] == "`" or line[-1] == "`" else ""
    return f"{ticks}{space}{line}{space}{ticks}"


def _fenced(text: str) -> list[str]:
    fence = "`" * max(3, _longest_run(text) + 1)
    return [fence + "text", *text.strip("\n").split("\n"), fence]


def _longest_run(text: str) -> int:
    return max(map(len, _BACKTICKS.findall(text)), default=0)


def comment(note: Note) -> str:
    return f"{note.text}\n\n<!-- solon:note {note.id} -->"


def note_in(text: str) -> str | None:
    """The id of the note that a comment holds."""
    found = _NOTE.search(text)
    return found[1] if found else None


# --- state


def state_line(key: str, state: State) -> str:
    return (
        f"<!-- solon:ticket key={key} digest={state.digest} subjects={state.total} "
        f"blocks={state.blocks or 'none'} settled={'yes' if state.settled else 'no'} -->"
    )


def state_in(text: str, key: str) -> State | None:
    """The state that a body holds for the ticket of that key: the last, since texts of others come before it."""
    found = list(_STATE.finditer(text))
    if not found or found[-1][1] != key:
        return None
    _, digest, total, blocks, settled = found[-1].groups()
    return State(digest, int(total), "" if blocks == "none" else blocks, settled == "yes")


def settled(text: str, key: str, state: State) -> str:
    """The body of a ticket that Solon closes: what it said last, and that it is settled."""
    line = state_line(key, State(state.digest, state.total, state.blocks, settled=True))
    found = list(_STATE.finditer(text))[-1]
    return text[: found.start()] + line + text[found.end() :]
