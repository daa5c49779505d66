"""Issues of a project of Jira Cloud, through its REST API (version 3)."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from solon.governance.pace import Clock, Pace
from solon.governance.tickets import adf
from solon.governance.tickets.http import Connection, secret
from solon.governance.tickets.plan import Existing, Note, State
from solon.governance.tickets.settings import JiraSettings
from solon.governance.tickets.ticket import Ticket
from solon.governance.tickets.tracker import TrackerError, TrackerUnavailable

_PAGE: Final = 100
_PAGES: Final = 200
_PROPERTY: Final = "solon"  # an issue property holds the state: it is seen through the API alone
_COMMENTS: Final = 50
_ID: Final = re.compile(r"[0-9]{1,18}")
_BLOCKS: Final = re.compile(r"now|\d{4}-\d\d-\d\d|")
# Where a closed ticket goes when it is open again: the category of a status, the best first.
_OPEN: Final = ("new", "indeterminate")


class Jira:
    """The tickets that carry our label. The label with the key says which one it is."""

    def __init__(
        self, settings: JiraSettings, label: str, environ: Mapping[str, str], *, clock: Clock, pace: Pace
    ) -> None:
        token = secret(environ, settings.token_env)
        user = secret(environ, settings.user_env) if settings.user_env else ""
        self.name = f"Jira {settings.project}"
        self._settings = settings
        self._label = label
        self._me = ""
        self._connection = Connection(
            settings.url,
            {"Accept": "application/json"} | ({} if user else {"Authorization": f"Bearer {token}"}),
            auth=(user, token) if user else None,
            clock=clock,
            pace=pace,
            secrets=(token, b64encode(f"{user}:{token}".encode()).decode()),
        )

    def close_connection(self) -> None:
        self._connection.close()

    def existing(self) -> list[Existing]:
        question: dict[str, Any] = {
            "jql": f'project = "{self._settings.project}" AND labels = "{self._label}" ORDER BY created ASC',
            "fields": ["summary", "labels", "status"],
            "properties": [_PROPERTY],
            "maxResults": _PAGE,
        }
        found: list[Existing] = []
        for _ in range(_PAGES):
            value = self._connection.send("POST", "/rest/api/3/search/jql", question, repeatable=True).value
            found += self._read(_object(value).get("issues"))
            token = _object(value).get("nextPageToken")
            if not isinstance(token, str) or not token or _object(value).get("isLast") is True:
                return found
            question["nextPageToken"] = token
        raise TrackerUnavailable(
            f"{self.name}: more than {_PAGES * _PAGE:,} issues have the label {self._label}"
        )

    def create(self, ticket: Ticket) -> Existing:
        fields = self._fields(ticket) | {
            "project": {"key": self._settings.project},
            "issuetype": {"name": self._settings.issue_type},
            "labels": list(
                dict.fromkeys([self._label, f"{self._label}-{ticket.key}", *self._settings.labels])
            ),
        }
        made = _object(
            self._connection.send(
                "POST", "/rest/api/3/issue", {"fields": fields, "properties": _properties(_state(ticket))}
            ).value
        )
        key = str(made.get("key") or "")
        return Existing(
            id=str(made.get("id") or ""),
            reference=key,
            url=self._url(key),
            age=0,
            key=ticket.key,
            title=ticket.title,
            open=True,
            state=_state(ticket),
        )

    def update(self, existing: Existing, ticket: Ticket) -> None:
        self._connection.send(
            "PUT",
            self._issue(existing),
            {"fields": self._fields(ticket), "properties": _properties(_state(ticket))},
        )

    def reopen(self, existing: Existing, ticket: Ticket) -> None:
        # The state is written last: an interrupted run finds the ticket open, but not up to date. That it was
        # settled is written with the move, so that such a run has nothing to add to what was said.
        self._move(existing, _OPEN, _settled(existing.state))
        self.update(existing, ticket)

    def close(self, existing: Existing, *, duplicate: bool) -> None:
        settled = _settled(existing.state)
        if settled and not duplicate:
            self._connection.send(
                "PUT", f"{self._issue(existing)}/properties/{_PROPERTY}", settled[0]["value"]
            )
        self._move(existing, ("done",))

    def said(self, existing: Existing, note: Note) -> bool:
        """Whether the note is the last thing that we said."""
        if not self._me:
            self._me = str(_object(self._connection.get("/rest/api/3/myself").value).get("accountId") or "")
        answer = self._connection.get(
            f"{self._issue(existing)}/comment", orderBy="-created", maxResults=_COMMENTS
        )
        for comment in _objects(_object(answer.value).get("comments")):
            if _object(comment.get("author")).get("accountId") == self._me:
                return adf.text_in(comment.get("body")) == note.text
        return False

    def comment(self, existing: Existing, note: Note) -> None:
        self._connection.send("POST", f"{self._issue(existing)}/comment", {"body": adf.comment(note.text)})

    def _move(
        self, existing: Existing, categories: tuple[str, ...], properties: Sequence[dict[str, Any]] = ()
    ) -> None:
        """Take the first transition that leads to a status of one of these categories, and asks for nothing."""
        path = f"{self._issue(existing)}/transitions"
        answer = self._connection.get(path, expand="transitions.fields")
        transitions = [t for t in _objects(_object(answer.value).get("transitions")) if not _asks(t)]
        for category in categories:
            for transition in transitions:
                if _category(transition.get("to")) == category:
                    move: dict[str, Any] = {"transition": {"id": str(transition.get("id"))}}
                    if properties:
                        move["properties"] = list(properties)
                    self._connection.send("POST", path, move)
                    return
        raise TrackerError(
            f"{existing.reference}: no transition to a status of category {' or '.join(categories)} that asks for no "
            "field and is allowed to us; change the workflow of the project"
        )

    def _fields(self, ticket: Ticket) -> dict[str, Any]:
        return {"summary": ticket.title, "description": adf.body(ticket)}

    def _issue(self, existing: Existing) -> str:
        return f"/rest/api/3/issue/{existing.id}"

    def _url(self, key: str) -> str:
        return f"{self._settings.url.rstrip('/')}/browse/{key}"

    def _read(self, value: Any) -> Iterator[Existing]:
        prefix = f"{self._label}-"
        for item in _objects(value):
            fields = _object(item.get("fields"))
            labels = [str(label) for label in fields.get("labels") or ()]
            key = next((name.removeprefix(prefix) for name in labels if name.startswith(prefix)), "")
            number = str(item.get("id") or "")
            if not key or not _ID.fullmatch(number):
                continue
            reference = str(item.get("key") or "")
            yield Existing(
                id=number,
                reference=reference,
                url=self._url(reference),
                age=int(number),
                key=key,
                title=str(fields.get("summary") or ""),
                open=_category(fields.get("status")) != "done",
                state=_read_state(_object(item.get("properties")).get(_PROPERTY)),
            )


def _state(ticket: Ticket) -> State:
    return State(ticket.digest, ticket.total, ticket.blocks)


def _properties(state: State) -> list[dict[str, Any]]:
    value = {
        "digest": state.digest,
        "subjects": state.total,
        "blocks": state.blocks,
        "settled": state.settled,
    }
    return [{"key": _PROPERTY, "value": value}]


def _settled(state: State | None) -> list[dict[str, Any]]:
    return [] if state is None else _properties(replace(state, settled=True))


def _read_state(value: Any) -> State | None:
    found = _object(value)
    digest, total, blocks = found.get("digest"), found.get("subjects"), found.get("blocks")
    if not isinstance(digest, str) or not isinstance(total, int) or not isinstance(blocks, str):
        return None
    if not _BLOCKS.fullmatch(blocks):
        return None
    return State(digest, total, blocks, found.get("settled") is True)


def _category(status: Any) -> str:
    return str(_object(_object(status).get("statusCategory")).get("key") or "")


def _asks(transition: Mapping[str, Any]) -> bool:
    fields = _object(transition.get("fields"))
    return any(f.get("required") and not f.get("hasDefaultValue") for f in map(_object, fields.values()))


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _objects(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
