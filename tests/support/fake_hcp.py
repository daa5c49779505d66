"""HCP Terraform as far as the documented API of run tasks matters: what it gives, takes and refuses."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import httpx
from local_http import LocalServer, Request, Response

TOKEN = "t0ken.atlasv1.run-task"
KEY = "a very secret key"
_LEVELS = {"none", "info", "warning", "error"}


@dataclass
class FakeHcp:
    """One organization. ``archive`` is the other host, to which plans redirect, and which must get no token."""

    plan: bytes
    api: LocalServer
    archive: LocalServer
    not_ready: int = 0  # answers of 204 before the plan is there
    results: list[dict[str, Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.api.application = self._api
        self.archive.application = self._archive

    def task(self, **changes: Any) -> dict[str, Any]:
        """A payload as it is sent at post-plan."""
        return {
            "payload_version": 1,
            "stage": "post_plan",
            "access_token": TOKEN,
            "capabilities": {"outcomes": True},
            "configuration_version_download_url": f"{self.api.url}/api/v2/configuration-versions/cv-1/download",
            "configuration_version_id": "cv-1",
            "is_speculative": False,
            "organization_name": "acme",
            "plan_json_api_url": f"{self.api.url}/api/v2/plans/plan-6AFmRJW1PFJ7qbAh/json-output",
            "run_app_url": "https://app.terraform.io/app/acme/gpu-training/runs/run-i3Df5to9ELvibKpQ",
            "run_created_at": "2026-09-02T14:47:13.036Z",
            "run_created_by": "lena",
            "run_id": "run-i3Df5to9ELvibKpQ",
            "run_message": "Triggered via UI",
            "task_result_callback_url": f"{self.api.url}/api/v2/task-results/5ea8d46c/callback",
            "task_result_enforcement_level": "mandatory",
            "task_result_id": "taskrs-2nH5dncYoXaMVQmJ",
            "vcs_branch": None,
            "vcs_commit_url": None,
            "vcs_pull_request_url": None,
            "vcs_repo_url": None,
            "workspace_app_url": "https://app.terraform.io/app/acme/gpu-training",
            "workspace_id": "ws-ck4G5bb1Yei5szRh",
            "workspace_name": "gpu-training",
            "workspace_working_directory": None,
            **changes,
        }

    def ask(self, address: str, task: dict[str, Any] | None = None, key: str = KEY) -> httpx.Response:
        body = json.dumps(self.task() if task is None else task).encode()
        headers = {"Content-Type": "application/json"}
        if key:
            headers["X-TFC-Task-Signature"] = hmac.new(key.encode(), body, hashlib.sha512).hexdigest()
        return httpx.post(address, content=body, headers=headers, trust_env=False)

    def result(self, seconds: float = 30.0) -> dict[str, Any]:
        """The attributes of the result, and its outcomes under ``outcomes``."""
        assert self.ended.wait(seconds), f"no result; {self.problems}"
        assert not self.problems
        data = self.results[-1]["data"]
        outcomes = data.get("relationships", {}).get("outcomes", {}).get("data", [])
        return {**data["attributes"], "outcomes": [each["attributes"] for each in outcomes]}

    # --- what it answers

    def _api(self, request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return self._refused(401, "unauthorized")
        if request.method == "GET" and re.fullmatch(r"/api/v2/plans/[\w-]+/json-output", request.path):
            if self.not_ready:
                self.not_ready -= 1
                return Response(204)
            return Response(
                307, headers={"Location": f"{self.archive.url}/v1/object/signed?until={time.time()}"}
            )
        if request.method == "PATCH" and re.fullmatch(r"/api/v2/task-results/[\w-]+/callback", request.path):
            return self._callback(request)
        return self._refused(404, "not found")

    def _callback(self, request: Request) -> Response:
        problem = _problem(request)
        if problem:
            self.problems.append(problem)
            self.ended.set()
            return self._refused(422, problem)
        self.results.append(request.body)
        if request.body["data"]["attributes"]["status"] != "running":
            self.ended.set()
        return Response(200)

    def _archive(self, request: Request) -> Response:
        if "authorization" in request.headers:
            self.problems.append("the token was sent to another host")
        return Response(200, raw=self.plan)

    def _refused(self, status: int, title: str) -> Response:
        return Response(status, {"errors": [{"status": str(status), "title": title}]})


def _problem(request: Request) -> str:
    """What of the documented schema a callback breaks."""
    if request.headers.get("content-type") != "application/vnd.api+json":
        return "the content type"
    data = request.body["data"]
    attributes = data["attributes"]
    if data["type"] != "task-results" or attributes["status"] not in {"running", "passed", "failed"}:
        return "the type or the status"
    if len(attributes["message"]) > 1_000 or len(attributes.get("url", "")) > 500:
        return "a text that is too long"
    outcomes = data.get("relationships", {}).get("outcomes", {}).get("data")
    if outcomes is None:
        return ""
    if not 1 <= len(outcomes) <= 250:
        return "the number of outcomes"
    for each in outcomes:
        said = each["attributes"]
        if each["type"] != "task-result-outcomes" or not said["outcome-id"] or not said["description"]:
            return "an outcome"
        for labels in said["tags"].values():
            if any(
                set(label) - {"label", "level"} or label.get("level", "none") not in _LEVELS
                for label in labels
            ):
                return "a tag"
    return ""
