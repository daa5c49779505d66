"""Run tasks: who may ask, what is fetched and sent, and the whole of it against the documented API."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fake_hcp import KEY, TOKEN, FakeHcp
from local_http import LocalServer, Response

from solon.report.run_task import document
from solon.server.run_task.app import Limits, RunTasks, Trust, Unjudged
from solon.server.run_task.request import Origins, Refused, Task, read
from solon.server.run_task.terraform import Clock, Terraform, Unreachable, client

ROOT = Path(__file__).parents[2]
PLAN = (ROOT / "examples/ml-platform/plan.json").read_bytes()
PASSES = json.dumps({"format_version": "1.2", "terraform_version": "1.9.0", "resource_changes": []}).encode()


@pytest.fixture
def hcp() -> Iterator[FakeHcp]:
    with LocalServer() as api, LocalServer() as archive:
        yield FakeHcp(PLAN, api, archive)


# --- the request


HCP = Origins.of(["app.terraform.io"])
SAID = {
    "payload_version": 1,
    "stage": "post_plan",
    "access_token": "t",
    "task_result_id": "r",
    "task_result_callback_url": "https://app.terraform.io/api/v2/task-results/1/callback",
    "plan_json_api_url": "https://app.terraform.io/api/v2/plans/1/json-output",
}


def signed(body: bytes, key: bytes = KEY.encode()) -> str:
    return hmac.new(key, body, hashlib.sha512).hexdigest()


def test_a_signed_task_is_read() -> None:
    body = json.dumps(SAID | {"vcs_branch": None, "what_comes_later": [1]}).encode()
    task = read(body, signed(body), KEY.encode(), HCP)
    assert (task.stage, task.task_result_id, task.shows_outcomes) == ("post_plan", "r", False)


@pytest.mark.parametrize(
    ("signature", "why"),
    [
        ("", "none"),
        ("0" * 128, "another"),
        ("ü" * 5, "not hexadecimal"),
        (signed(b"{}", b"x"), "another key"),
    ],
)
def test_a_signature_that_is_not_right_is_refused(signature: str, why: str) -> None:
    with pytest.raises(Refused, match="signature") as refused:
        read(json.dumps(SAID).encode(), signature, KEY.encode(), HCP)
    assert refused.value.status == 401, why


@pytest.mark.parametrize(
    ("changes", "status", "problem"),
    [
        ({"payload_version": 2}, 400, "payload version 2"),
        ({"stage": None}, 400, "stage"),
        ({"access_token": ""}, 400, "access_token"),
        ({"task_result_id": ""}, 400, "task_result_id"),
        ({"task_result_callback_url": "https://evil.example/callback"}, 403, "task_result_callback_url"),
        ({"plan_json_api_url": "https://evil.example/plan"}, 403, "plan_json_api_url"),
        ({"plan_json_api_url": "http://app.terraform.io/plan"}, 403, "plan_json_api_url"),
        ({"plan_json_api_url": "https://app.terraform.io@evil.example/"}, 403, "plan_json_api_url"),
        ({"plan_json_api_url": "https://x@app.terraform.io/"}, 403, "plan_json_api_url"),
        ({"plan_json_api_url": "https://app.terraform.io:8443/"}, 403, "plan_json_api_url"),
        ({"plan_json_api_url": "https://app.terraform.io.evil.example/"}, 403, "plan_json_api_url"),
        ({"plan_json_api_url": "https://app.terraform.io\\@evil.example/"}, 403, "plan_json_api_url"),
        ({"plan_json_api_url": "file:///etc/passwd"}, 403, "plan_json_api_url"),
        ({"plan_json_api_url": "https://app.terraform.io/" + "a" * 5_000}, 403, "plan_json_api_url"),
        ({"plan_json_api_url": "https://app.terraform.io:x/"}, 403, "plan_json_api_url"),
    ],
)
def test_what_is_no_task_of_ours_is_refused(changes: dict[str, Any], status: int, problem: str) -> None:
    with pytest.raises(Refused, match=problem) as refused:
        read(json.dumps(SAID | changes).encode(), "", b"", HCP)
    assert refused.value.status == status


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(Refused, match="no run task"):
        read(body, "", b"", HCP)


@pytest.mark.parametrize("said", ["https://a/b", "ftp://a", "https://u@a", "", "https://a?b", "a#b"])
def test_a_host_is_named_alone(said: str) -> None:
    with pytest.raises(ValueError, match="host"):
        Origins.of([said])


# --- what is asked of HCP Terraform


class Fast:
    """A clock that jumps instead of sleeping."""

    def __init__(self) -> None:
        self.at = 0.0

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += seconds

    @property
    def clock(self) -> Clock:
        return Clock(self.now, self.sleep)


@pytest.fixture
def asking() -> Iterator[httpx.Client]:
    with client(5.0, None, local=True) as made:
        yield made


@pytest.fixture
def terraform(asking: httpx.Client) -> Callable[..., Terraform]:
    def make(fast: Fast, max_bytes: int = 1 << 20) -> Terraform:
        return Terraform(asking, fast.clock, max_bytes)

    return make


def task_of(hcp: FakeHcp, **changes: Any) -> Task:
    return read(json.dumps(hcp.task(**changes)).encode(), "", b"", Origins.of([hcp.api.url]))


def test_the_plan_is_waited_for_and_the_token_goes_to_no_other_host(
    hcp: FakeHcp, terraform: Callable[..., Terraform]
) -> None:
    fast, hcp.not_ready = Fast(), 3
    assert terraform(fast).plan(task_of(hcp), 600.0) == PLAN
    assert fast.at == 1.0 + 2.0 + 4.0
    assert not hcp.problems
    assert [request.headers.get("authorization") for request in hcp.archive.requests] == [None]


def test_what_fails_for_a_while_is_tried_again(hcp: FakeHcp, terraform: Callable[..., Terraform]) -> None:
    fast = Fast()
    hcp.api.faults.extend([Response(503), Response(429, headers={"Retry-After": "17"}), Response(500)])
    terraform(fast).report(task_of(hcp), document("passed", "ok"), 600.0)
    assert fast.at == 1.0 + 17.0 + 4.0
    assert hcp.result()["status"] == "passed"


@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        (Response(401, {"errors": [{"title": f"bad {TOKEN}"}]}), r"answers 401: .*bad \*\*\*"),
        (Response(404), "answers 404"),
        (Response(307, headers={"Location": "https://127.0.0.1:1/x"}), "answers|refused|Connection"),
    ],
)
def test_what_will_not_change_is_not_asked_again(
    hcp: FakeHcp, terraform: Callable[..., Terraform], fault: Response, problem: str
) -> None:
    fast = Fast()
    hcp.api.faults.append(fault)
    with pytest.raises(Unreachable, match=problem) as raised:
        terraform(fast).plan(task_of(hcp), 0.5)
    assert TOKEN not in str(raised.value)


def test_a_plan_that_is_too_large_or_redirects_for_ever_is_given_up(
    hcp: FakeHcp, terraform: Callable[..., Terraform]
) -> None:
    with pytest.raises(Unreachable, match="larger than 0 MiB: raise --max-size"):
        terraform(Fast(), max_bytes=100).plan(task_of(hcp), 600.0)
    hcp.archive.application = lambda _request: Response(302, headers={"Location": "/again"})
    with pytest.raises(Unreachable, match="more than 3 redirects"):
        terraform(Fast()).plan(task_of(hcp), 600.0)


def test_there_is_an_end_to_trying(hcp: FakeHcp, terraform: Callable[..., Terraform]) -> None:
    fast, hcp.not_ready = Fast(), 10_000
    with pytest.raises(Unreachable, match="not ready"):
        terraform(fast).plan(task_of(hcp), 600.0)
    assert 570 < fast.at <= 600


# --- the application


class Asked:
    """The application in this process, with a judge of the test's."""

    def __init__(self, hcp: FakeHcp, judge: Callable[..., dict[str, Any]], **options: Any) -> None:
        self.said: list[str] = []
        self.hcp = hcp
        self.asking = client(5.0, None, local=True)
        self.tasks = RunTasks(
            Trust(KEY.encode(), Origins.of([hcp.api.url])),
            Terraform(self.asking, Clock(), 1 << 24),
            judge,
            clock=Clock(),
            say=self.said.append,
            **options,
        )

    def __call__(self, *payloads: dict[str, Any], path: str = "/", key: str = KEY) -> list[int]:
        async def ask() -> list[int]:
            app = self.tasks.application()
            transport = httpx.ASGITransport(app=app)
            async with (
                app.router.lifespan_context(app),
                httpx.AsyncClient(transport=transport, base_url="http://t") as asking,
            ):
                statuses = []
                for payload in payloads:
                    body = json.dumps(payload).encode()
                    headers = {"X-TFC-Task-Signature": signed(body, key.encode())}
                    statuses.append((await asking.post(path, content=body, headers=headers)).status_code)
                await asyncio.to_thread(self.hcp.ended.wait, 5.0 if 200 in statuses else 0.0)
                return statuses

        with self.asking:
            return asyncio.run(ask())


def passing(_task: Task, _plan: bytes, _over: Callable[[], bool]) -> dict[str, Any]:
    return document("passed", "fine")


def test_a_task_that_comes_twice_is_judged_once(hcp: FakeHcp) -> None:
    judged: list[bytes] = []

    def judge(_task: Task, plan: bytes, _over: Callable[[], bool]) -> dict[str, Any]:
        judged.append(plan)
        return document("passed", "fine")

    assert Asked(hcp, judge)(hcp.task(), hcp.task(), path="/a/path/of/ones/own") == [200, 200]
    assert judged == [PLAN]
    assert [each["data"]["attributes"]["status"] for each in hcp.results] == ["passed"]


def test_what_is_sent_when_a_task_is_set_up_is_answered_and_not_worked_on(hcp: FakeHcp) -> None:
    asked = Asked(hcp, passing)
    hcp.ended.set()
    assert asked(hcp.task(access_token="test-token", stage="test")) == [200]
    assert not hcp.api.requests


def test_another_key_is_refused_and_said(hcp: FakeHcp) -> None:
    asked = Asked(hcp, passing)
    assert asked(hcp.task(), key="another") == [401]
    assert not hcp.api.requests
    assert "refused" in asked.said[0]


def broken(_task: Task, _plan: bytes, _over: Callable[[], bool]) -> dict[str, Any]:
    raise RuntimeError("boom")


def unjudged(_task: Task, _plan: bytes, _over: Callable[[], bool]) -> dict[str, Any]:
    raise Unjudged("policy/a.rego:1:1: rego_parse_error")


@pytest.mark.parametrize("is_open", [False, True])
@pytest.mark.parametrize(
    ("judge", "changes", "message"),
    [
        (unjudged, {}, "Not judged: policy/a.rego:1:1: rego_parse_error"),
        (broken, {}, "Not judged: an error inside Solon; its output has more"),
        (passing, {"stage": "pre_plan", "plan_json_api_url": None}, "attach this task to post-plan"),
    ],
)
def test_what_is_not_judged_fails_unless_somebody_chose_otherwise(
    hcp: FakeHcp, judge: Callable[..., dict[str, Any]], changes: dict[str, Any], message: str, is_open: bool
) -> None:
    assert Asked(hcp, judge, is_open=is_open)(hcp.task(**changes)) == [200]
    result = hcp.result()
    assert result["status"] == ("passed" if is_open else "failed")
    assert message in result["message"]


def test_a_plan_that_cannot_be_had_fails(hcp: FakeHcp) -> None:
    hcp.api.faults.append(Response(404))
    Asked(hcp, passing)(hcp.task())
    assert hcp.result()["status"] == "failed"
    assert "could not be fetched: the plan: 127.0.0.1 answers 404" in hcp.result()["message"]


def test_signs_of_life_while_it_takes_long(hcp: FakeHcp) -> None:
    def slow(_task: Task, _plan: bytes, _over: Callable[[], bool]) -> dict[str, Any]:
        while not any(each["data"]["attributes"]["status"] == "running" for each in hcp.results):
            time.sleep(0.01)
        return document("passed", "fine")

    Asked(hcp, slow, limits=Limits(heartbeat=0.01))(hcp.task())
    statuses = [each["data"]["attributes"]["status"] for each in hcp.results]
    assert set(statuses[:-1]) == {"running"}
    assert statuses[-1] == "passed"


def test_the_time_is_up(hcp: FakeHcp) -> None:
    def endless(_task: Task, _plan: bytes, over: Callable[[], bool]) -> dict[str, Any]:
        while not over():
            time.sleep(0.005)
        raise Unjudged("the time was up")

    Asked(hcp, endless, limits=Limits(total=5.3, reporting=5.0))(hcp.task())
    assert hcp.result() == {"status": "failed", "message": "Not judged: the time was up", "outcomes": []}


def test_too_many_at_once_are_sent_again_later(hcp: FakeHcp) -> None:
    asked = Asked(hcp, passing, limits=Limits(waiting=1))
    statuses = asked(*(hcp.task(task_result_id=f"r{number}") for number in range(3)))
    assert statuses[0] == 200
    assert 503 in statuses


# --- the command


class Serving:
    def __init__(self, hcp: FakeHcp, *arguments: str, cwd: Path = ROOT) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "solon", "serve", "--run-task", "--listen", "127.0.0.1:0", "--host", hcp.api.url,
             *arguments],
            env={**os.environ, "SOLON_RUN_TASK_KEY": KEY},
            stderr=subprocess.PIPE,
            text=True,
            cwd=cwd,
        )  # fmt: skip
        assert self.process.stderr is not None
        first = self.process.stderr.readline()
        found = re.search(r"run tasks at (http://\S+), from", first)
        assert found, first + self.process.stderr.read()
        self.url = found[1]

    def end(self) -> str:
        self.process.send_signal(signal.SIGTERM)
        return self.process.communicate(timeout=30)[1]


@pytest.fixture
def serving(hcp: FakeHcp) -> Iterator[Callable[..., Serving]]:
    started: list[Serving] = []

    def start(*arguments: str, cwd: Path = ROOT) -> Serving:
        started.append(Serving(hcp, *arguments, cwd=cwd))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.process.kill()
            each.process.communicate()


def test_a_plan_is_judged_and_the_result_has_an_outcome_for_each_policy(
    hcp: FakeHcp, serving: Callable[..., Serving], tmp_path: Path
) -> None:
    log = tmp_path / "decisions.jsonl"
    server = serving("-p", "library", "--log", str(log))
    assert hcp.ask(server.url).status_code == 200
    result = hcp.result()
    assert result["status"] == "failed"
    assert result["message"].startswith("7 subjects: 3 denied")
    outcomes = {each["outcome-id"]: each for each in result["outcomes"]}
    types = outcomes["terraform.instance_types.deny"]
    assert types["tags"]["Status"] == [{"label": "Failed", "level": "error"}]
    assert "p3.8xlarge is not an allowed instance type" in types["description"]
    assert "<b>Fix:</b> Use g5.12xlarge" in types["body"]
    passed = [each for each in result["outcomes"] if each["tags"]["Status"][0]["label"] == "Passed"]
    assert len(passed) >= 1
    said = server.end()
    assert "acme/gpu-training run-i3Df5to9ELvibKpQ: failed: 7 subjects" in said
    assert "Traceback" not in said
    events = [json.loads(line) for line in log.read_text().splitlines()]
    assert {event["path"] for event in events} == {"solon/run-task"}
    assert events[0]["labels"]["run_id"] == "run-i3Df5to9ELvibKpQ"
    assert "tf://gpu-training/aws_instance.gpu_workstation" in [e["solon"]["subject"]["uri"] for e in events]


def test_sentinel_knows_the_run(hcp: FakeHcp, serving: Callable[..., Serving], tmp_path: Path) -> None:
    policies = tmp_path / "policies"
    policies.mkdir()
    (policies / "sentinel.hcl").write_text(
        'policy "by-machines" {\n  source = "./a.sentinel"\n  enforcement_level = "hard-mandatory"\n}\n'
    )
    (policies / "a.sentinel").write_text(
        'import "tfrun"\n\nmain = rule {\n\ttfrun.workspace.name is "gpu-training" and'
        ' tfrun.organization.name is "acme" and\n\ttfrun.created_by is not "lena"\n}\n'
    )
    server = serving("-p", str(policies))
    hcp.ask(server.url)
    assert hcp.result()["status"] == "failed"
    hcp.ended.clear()
    hcp.ask(server.url, hcp.task(task_result_id="2", run_created_by="ci"))
    assert hcp.result()["status"] == "passed"


def test_policies_are_those_of_the_moment(
    hcp: FakeHcp, serving: Callable[..., Serving], tmp_path: Path
) -> None:
    hcp.plan = PASSES
    policy = tmp_path / "policy" / "a.rego"
    policy.parent.mkdir()
    policy.write_text('package main\n\ndeny contains "no" if input.terraform_version == "0.1"\n')
    server = serving("-p", "policy", cwd=tmp_path)
    hcp.ask(server.url)
    assert hcp.result()["status"] == "passed"
    for text, status in (
        ('package main\n\ndeny contains "no" if input.terraform_version == "1.9.0"\n', "failed"),
        ("package main\n\ndeny contains {{{\n", "failed"),
    ):
        policy.write_text(text)
        hcp.ended.clear()
        hcp.ask(server.url, hcp.task(task_result_id=text))
        result = hcp.result()
        assert result["status"] == status
    assert "Not judged: policy/a.rego:4:1: rego_parse_error" in result["message"]
    assert result["outcomes"] == []


@pytest.mark.parametrize(
    "plan", [b"", b"{", b"[1, 2]", b"PK\x03\x04zip", b'{"format_version": "9.0", "x": 1}']
)
def test_what_is_no_plan_fails(hcp: FakeHcp, serving: Callable[..., Serving], plan: bytes) -> None:
    hcp.plan = plan
    server = serving("-p", "library")
    hcp.ask(server.url)
    result = hcp.result()
    assert result["status"] == "failed"
    assert result["message"].startswith("Not everything could be judged, and so it fails: gpu-training.json")
    assert not [each for each in result["outcomes"] if each["tags"]["Status"][0]["label"] == "Passed"]


def test_what_was_accepted_is_answered_before_it_ends(hcp: FakeHcp, serving: Callable[..., Serving]) -> None:
    hcp.not_ready = 10_000
    server = serving("-p", "library")
    hcp.ask(server.url)
    server.process.send_signal(signal.SIGTERM)
    said = server.process.communicate(timeout=60)[1]
    result = hcp.result()
    assert result["status"] == "failed"
    assert "stopped before it had judged the plan" in result["message"]
    assert server.process.returncode == 0, said


@pytest.mark.parametrize(
    ("arguments", "key", "said"),
    [
        (["serve"], KEY, "nothing to serve: say --run-task"),
        (["serve", "--run-task"], "", "SOLON_RUN_TASK_KEY is not set"),
        (["serve", "--run-task", "--host", "https://a/b"], KEY, "--host https://a/b: name the host alone"),
        (["serve", "--run-task", "--listen", "nowhere"], KEY, "--listen nowhere"),
        (["serve", "--run-task", "--break-glass", "-"], KEY, "reads no tokens from standard input"),
        (["serve", "--run-task", "-p", "missing"], KEY, "missing: no such file or directory"),
        (["serve", "--run-task", "--ca", "missing.pem"], KEY, "--ca missing.pem: no such file"),
    ],
)
def test_what_is_wrong_is_said_at_the_start(arguments: list[str], key: str, said: str) -> None:
    given = arguments if "-p" in arguments or arguments == ["serve"] else [*arguments, "-p", "library"]
    done = subprocess.run(
        [sys.executable, "-m", "solon", *given],
        env={**os.environ, "SOLON_RUN_TASK_KEY": key},
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr
