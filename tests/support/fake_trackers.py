"""GitHub and Jira as far as their documented APIs matter to tickets: what they accept, refuse and answer."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from typing import Any

from local_http import Request, Response

TOKEN = "s3cr3t-t0k3n"
USER = "bot@example.com"


def gone(message: str = "Not Found", status: int = 404) -> Response:
    return Response(status, {"message": message})


@dataclass
class FakeGitHub:
    """One repository. ``push`` is whether the token may write to it: without, labels are dropped silently."""

    repository: str = "org/policies"
    push: bool = True
    issues: list[dict[str, Any]] = field(default_factory=list)
    comments: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    url: str = ""

    def __call__(self, request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return gone("Bad credentials", 401)
        if request.headers.get("x-github-api-version") != "2022-11-28":
            return gone("unknown version", 400)
        prefix = f"/repos/{self.repository}/issues"
        if request.path == prefix:
            return self._list(request) if request.method == "GET" else self._create(request.body)
        found = re.fullmatch(re.escape(prefix) + r"/(\d+)(/comments)?", request.path)
        if not found or not 1 <= int(found[1]) <= len(self.issues):
            return gone()
        number = int(found[1])
        if not found[2]:
            return self._patch(self.issues[number - 1], request.body) if request.method == "PATCH" else gone()
        if request.method == "GET":
            return self._page(self.comments.get(number, []), request)
        return self._comment(number, request.body)

    def _page(self, items: list[Any], request: Request) -> Response:
        size = min(int(request.query.get("per_page", 30)), 100)
        page = int(request.query.get("page", 1))
        last = max((len(items) + size - 1) // size, 1)
        links = [("next", page + 1), ("last", last)] if page < last else []
        query = "&".join(f"{k}={v}" for k, v in request.query.items() if k != "page")
        link = ", ".join(f'<{self.url}{request.path}?{query}&page={n}>; rel="{rel}"' for rel, n in links)
        return Response(200, items[(page - 1) * size : page * size], {"Link": link} if link else {})

    def _list(self, request: Request) -> Response:
        wanted = {name.lower() for name in request.query.get("labels", "").split(",") if name}
        state = request.query.get("state", "open")
        items = [
            issue
            for issue in self.issues
            if wanted <= {label["name"].lower() for label in issue["labels"]}
            and state in ("all", issue["state"])
        ]
        if request.query.get("direction", "desc") == "desc":
            items.reverse()
        return self._page(items, request)

    def _create(self, body: dict[str, Any]) -> Response:
        problem = self._problem(body)
        if problem or not body.get("title"):
            return self._invalid(problem or "title")
        number = len(self.issues) + 1
        issue = {
            "number": number,
            "html_url": f"https://github.example/{self.repository}/issues/{number}",
            "state": "open",
            "state_reason": None,
            "title": body["title"],
            "body": body.get("body"),
            "labels": [{"name": name} for name in body.get("labels", []) if self.push],
        }
        self.issues.append(issue)
        return Response(201, issue)

    def _patch(self, issue: dict[str, Any], body: dict[str, Any]) -> Response:
        problem = self._problem(body)
        if problem:
            return self._invalid(problem)
        issue.update(
            {name: body[name] for name in ("title", "body", "state", "state_reason") if name in body}
        )
        return Response(200, issue)

    def _comment(self, number: int, body: dict[str, Any]) -> Response:
        if not body.get("body") or len(body["body"]) > 65536:
            return self._invalid("body")
        self.comments.setdefault(number, []).append({"body": body["body"], "user": {"login": "bot"}})
        return Response(201, self.comments[number][-1])

    @staticmethod
    def _problem(body: dict[str, Any]) -> str:
        if len(body.get("title", "")) > 256:
            return "title"
        if len(body.get("body") or "") > 65536:
            return "body"
        if body.get("state") not in (None, "open", "closed"):
            return "state"
        if body.get("state_reason") not in (None, "completed", "not_planned", "duplicate", "reopened"):
            return "state_reason"
        return "labels" if any(not name or len(name) > 50 for name in body.get("labels", [])) else ""

    @staticmethod
    def _invalid(name: str) -> Response:
        errors = [{"resource": "Issue", "field": name, "code": "invalid"}]
        return Response(422, {"message": "Validation Failed", "errors": errors})


STATUSES = {"To Do": "new", "In Progress": "indeterminate", "Done": "done"}
# status -> (id of the transition, where it leads, the fields of its screen)
WORKFLOW: dict[str, list[tuple[str, str, dict[str, Any]]]] = {
    "To Do": [
        ("5", "Done", {"resolution": {"required": True, "hasDefaultValue": False}}),
        ("11", "In Progress", {}),
        ("31", "Done", {"comment": {"required": False, "hasDefaultValue": False}}),
    ],
    "In Progress": [("31", "Done", {}), ("21", "To Do", {})],
    "Done": [("11", "In Progress", {}), ("21", "To Do", {})],
}


@dataclass
class FakeJira:
    """One project."""

    project: str = "GOV"
    issues: list[dict[str, Any]] = field(default_factory=list)
    workflow: dict[str, list[tuple[str, str, dict[str, Any]]]] = field(default_factory=lambda: WORKFLOW)
    page: int = 100

    def __call__(self, request: Request) -> Response:
        basic = base64.b64encode(f"{USER}:{TOKEN}".encode()).decode()
        if request.headers.get("authorization") not in (f"Basic {basic}", f"Bearer {TOKEN}"):
            return Response(401, {"errorMessages": ["Client must be authenticated to access this resource."]})
        path = request.path.removeprefix("/rest/api/3")
        if path == "/myself":
            return Response(200, {"accountId": "bot-account"})
        if path == "/search/jql" and request.method == "POST":
            return self._search(request.body)
        if path == "/issue" and request.method == "POST":
            return self._create(request.body)
        found = re.fullmatch(r"/issue/(\d+)(/[a-z/]+)?", path)
        issue = next((i for i in self.issues if found and i["id"] == found[1]), None)
        if issue is None or found is None:
            return self._wrong("Issue does not exist or you do not have permission to see it.", status=404)
        match request.method, found[2]:
            case "PUT", None:
                return self._edit(issue, request.body)
            case "PUT", "/properties/solon":
                issue["properties"]["solon"] = request.body
                return Response(200)
            case "GET", "/transitions":
                return Response(200, {"transitions": self._transitions(issue, request.query)})
            case "POST", "/transitions":
                return self._transition(issue, request.body)
            case "GET", "/comment":
                comments = issue["comments"]
                if request.query.get("orderBy") == "-created":
                    comments = comments[::-1]
                return Response(200, {"comments": comments[: int(request.query.get("maxResults", 5000))]})
            case "POST", "/comment":
                return self._comment(issue, request.body)
        return self._wrong("no such thing", status=405)

    @staticmethod
    def _wrong(*messages: str, status: int = 400, **errors: str) -> Response:
        return Response(status, {"errorMessages": list(messages), "errors": errors})

    def _search(self, body: dict[str, Any]) -> Response:
        jql = re.fullmatch(r'project = "(\w+)" AND labels = "([\w.-]+)" ORDER BY created ASC', body["jql"])
        if not jql:
            return self._wrong("Unbounded JQL queries are not allowed here.")
        found = [i for i in self.issues if jql[1] == self.project and jql[2] in i["fields"]["labels"]]
        start = int(body.get("nextPageToken", "0"))
        end = start + min(body.get("maxResults", 50), self.page)
        issues = [
            {
                "id": issue["id"],
                "key": issue["key"],
                "fields": {name: issue["fields"].get(name) for name in body.get("fields", [])},
                "properties": {
                    n: issue["properties"][n] for n in body.get("properties", []) if n in issue["properties"]
                },
            }
            for issue in found[start:end]
        ]
        more = end < len(found)
        return Response(
            200, {"issues": issues, "isLast": not more} | ({"nextPageToken": str(end)} if more else {})
        )

    def _create(self, body: dict[str, Any]) -> Response:
        fields = body["fields"]
        if fields.get("project") != {"key": self.project} or fields.get("issuetype") != {"name": "Task"}:
            return self._wrong(issuetype="Specify a valid issue type")
        problem = self._problem(fields)
        if problem:
            return problem
        number = 10000 + len(self.issues)
        issue = {
            "id": str(number),
            "key": f"{self.project}-{len(self.issues) + 1}",
            "fields": {**fields, "status": self._status("To Do")},
            "properties": {p["key"]: p["value"] for p in body.get("properties", [])},
            "comments": [],
        }
        self.issues.append(issue)
        return Response(201, {"id": issue["id"], "key": issue["key"], "self": "…"})

    def _edit(self, issue: dict[str, Any], body: dict[str, Any]) -> Response:
        problem = self._problem({**issue["fields"], **body.get("fields", {})})
        if problem:
            return problem
        issue["fields"].update(body.get("fields", {}))
        issue["properties"].update({p["key"]: p["value"] for p in body.get("properties", [])})
        return Response(204)

    def _problem(self, fields: dict[str, Any]) -> Response | None:
        summary = fields.get("summary", "")
        if not summary or "\n" in summary or len(summary) > 255:
            return self._wrong(summary="Summary must be one line of at most 255 characters.")
        if any(re.search(r"\s", label) for label in fields.get("labels", [])):
            return self._wrong(labels="The label contains spaces which is invalid.")
        if not is_document(fields.get("description")) or len(json.dumps(fields["description"])) > 32767:
            return self._wrong(description="Operation value must be an Atlassian Document")
        return None

    @staticmethod
    def _status(name: str) -> dict[str, Any]:
        return {"name": name, "statusCategory": {"key": STATUSES[name]}}

    def set_status(self, issue: dict[str, Any], name: str) -> None:
        issue["fields"]["status"] = self._status(name)

    def _transitions(self, issue: dict[str, Any], query: dict[str, str]) -> list[dict[str, Any]]:
        shown = query.get("expand") == "transitions.fields"
        return [
            {"id": id_, "name": to, "to": self._status(to)} | ({"fields": fields} if shown else {})
            for id_, to, fields in self.workflow[issue["fields"]["status"]["name"]]
        ]

    def _transition(self, issue: dict[str, Any], body: dict[str, Any]) -> Response:
        for id_, to, fields in self.workflow[issue["fields"]["status"]["name"]]:
            if id_ == body["transition"]["id"]:
                if any(f["required"] for f in fields.values()):
                    return self._wrong(resolution="Resolution is required.")
                self.set_status(issue, to)
                for each in body.get("properties", ()):
                    issue["properties"][each["key"]] = each["value"]
                return Response(204)
        return self._wrong("It seems that you have tried to perform a workflow operation that is not valid.")

    def _comment(self, issue: dict[str, Any], body: dict[str, Any]) -> Response:
        if not is_document(body.get("body")):
            return self._wrong("Comment body is not valid!")
        issue["comments"].append({"author": {"accountId": "bot-account"}, "body": body["body"]})
        return Response(201, issue["comments"][-1])


# The part of Atlassian's document format that tickets are written in: type -> what may be in it.
_CHILDREN = {
    "doc": {"paragraph", "heading", "bulletList", "codeBlock"},
    "paragraph": {"text"},
    "heading": {"text"},
    "codeBlock": {"text"},
    "bulletList": {"listItem"},
    "listItem": {"paragraph", "bulletList", "codeBlock"},
}


def is_document(node: Any) -> bool:
    return (
        isinstance(node, dict) and node.get("type") == "doc" and node.get("version") == 1 and _is_node(node)
    )


def _is_node(node: dict[str, Any]) -> bool:
    if node["type"] == "text":
        return bool(node["text"]) and all(mark == {"type": "code"} for mark in node.get("marks", []))
    content = node.get("content", [])
    if node["type"] in ("bulletList", "listItem") and not content:
        return False
    return all(child["type"] in _CHILDREN[node["type"]] and _is_node(child) for child in content)
