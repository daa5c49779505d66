"""Issues of a GitHub repository, through its REST API (version 2022-11-28)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from solon.governance.pace import Clock, Pace
from solon.governance.tickets import markdown
from solon.governance.tickets.http import Connection, secret
from solon.governance.tickets.plan import Existing, Note
from solon.governance.tickets.settings import GitHubSettings
from solon.governance.tickets.ticket import Ticket
from solon.governance.tickets.tracker import TrackerError, TrackerUnavailable

_PAGE: Final = 50
_PAGES: Final = 400


class GitHub:
    """The tickets that carry our label. The label with the key says which one it is."""

    def __init__(
        self, settings: GitHubSettings, label: str, environ: Mapping[str, str], *, clock: Clock, pace: Pace
    ) -> None:
        token = secret(environ, settings.token_env)
        self.name = f"GitHub {settings.repository}"
        self._label = label
        self._labels = settings.labels
        self._issues = f"/repos/{settings.repository}/issues"
        self._connection = Connection(
            settings.api,
            {
                "Accept": "application/vnd.github+json",
                "X-GitHub-Api-Version": "2022-11-28",
                "Authorization": f"Bearer {token}",
            },
            clock=clock,
            pace=pace,
            secrets=(token,),
        )

    def close_connection(self) -> None:
        self._connection.close()

    def existing(self) -> list[Existing]:
        answer = self._connection.get(
            self._issues, labels=self._label, state="all", sort="created", direction="asc", per_page=_PAGE
        )
        found = list(self._read(answer.value))
        for _ in range(_PAGES):
            if not answer.next:
                return found
            answer = self._connection.get(answer.next)
            found += self._read(answer.value)
        raise TrackerUnavailable(
            f"{self.name}: more than {_PAGES * _PAGE:,} issues have the label {self._label}"
        )

    def create(self, ticket: Ticket) -> Existing:
        made = self._connection.send(
            "POST", self._issues, self._fields(ticket) | {"labels": self._wanted(ticket)}
        )
        found = next(self._read([made.value]), None)
        if found is not None and found.key == ticket.key:
            return found
        # Labels of those who may not write to the repository are dropped without a word; without its label the
        # ticket would not be found again, and be made anew by every run.
        number = made.value.get("number") if isinstance(made.value, dict) else None
        if isinstance(number, int):
            self._connection.send(
                "PATCH", f"{self._issues}/{number}", {"state": "closed", "state_reason": "not_planned"}
            )
        raise TrackerUnavailable(
            f"{self.name}: the token may not set labels; it needs write access to the repository (issues: write)"
        )

    def update(self, existing: Existing, ticket: Ticket) -> None:
        self._patch(existing, self._fields(ticket))

    def reopen(self, existing: Existing, ticket: Ticket) -> None:
        self._patch(existing, self._fields(ticket) | {"state": "open", "state_reason": "reopened"})

    def close(self, existing: Existing, *, duplicate: bool) -> None:
        fields = {"state": "closed", "state_reason": "not_planned" if duplicate else "completed"}
        if existing.state is not None and not duplicate:
            fields["body"] = markdown.settled(existing.body, existing.key, existing.state)
        self._patch(existing, fields)

    def said(self, existing: Existing, note: Note) -> bool:
        """Whether the note is the last thing that we said."""
        comments = f"{self._issues}/{existing.id}/comments"
        answer = self._connection.get(comments, per_page=100)
        for _ in range(_PAGES):
            if not answer.next:
                break
            answer = self._connection.get(answer.next)
        texts = [str(item.get("body") or "") for item in _objects(answer.value)]
        notes = [found for text in texts if (found := markdown.note_in(text)) is not None]
        return notes[-1:] == [note.id]

    def comment(self, existing: Existing, note: Note) -> None:
        self._connection.send(
            "POST", f"{self._issues}/{existing.id}/comments", {"body": markdown.comment(note)}
        )

    def _patch(self, existing: Existing, fields: Mapping[str, str]) -> None:
        self._connection.send("PATCH", f"{self._issues}/{existing.id}", fields)

    def _fields(self, ticket: Ticket) -> dict[str, Any]:
        return {"title": ticket.title, "body": markdown.body(ticket)}

    def _wanted(self, ticket: Ticket) -> list[str]:
        return list(dict.fromkeys([self._label, f"{self._label}-{ticket.key}", *self._labels]))

    def _read(self, value: Any) -> Iterator[Existing]:
        ours = self._label.lower()  # GitHub keeps the case in which a label was made first
        prefix = f"{ours}-"
        for item in _objects(value):
            names = [str(label.get("name") or "").lower() for label in _objects(item.get("labels"))]
            key = next((name.removeprefix(prefix) for name in names if name.startswith(prefix)), "")
            number = item.get("number")
            if "pull_request" in item or not key or ours not in names or not isinstance(number, int):
                continue
            body = str(item.get("body") or "")
            yield Existing(
                id=str(number),
                reference=f"#{number}",
                url=str(item.get("html_url") or ""),
                age=number,
                key=key,
                title=str(item.get("title") or ""),
                open=item.get("state") == "open",
                state=markdown.state_in(body, key),
                body=body,
            )


def _objects(value: Any) -> list[dict[str, Any]]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise TrackerError("GitHub answers with something else than a list")
    return [item for item in value if isinstance(item, dict)]
