"""solon breakglass, through the real command in a git repository."""

from __future__ import annotations

import errno
import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from local_http import LocalServer, Response

from solon.governance.breakglass import ledger, rules
from solon.governance.breakglass.cases import Used
from solon.governance.breakglass.settings import BreakglassSettings
from solon.governance.breakglass.token import issue
from solon.governance.scope import Scope
from solon.signing import keys

Solon = Callable[..., Any]
ASKED = ("--reason", "the gateway is down", "--ticket", "PAY-4821", "--scope", "team=payments")


def git(*arguments: str, at: Path) -> None:
    subprocess.run(["git", "-C", str(at), *arguments], check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, solon: Solon) -> Path:
    """A policy repository with a key pair, and ana@example.com at the keyboard."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("XDG_CONFIG_HOME", "SOLON_BREAKGLASS_KEY", "SOLON_BREAKGLASS", "GIT_DIR"):
        monkeypatch.delenv(name, raising=False)
    place = tmp_path / "repository"
    place.mkdir()
    monkeypatch.chdir(place)
    git("init", "--quiet", at=place)
    git("config", "user.email", "ana@example.com", at=place)
    git("config", "user.name", "Ana", at=place)
    (place / "solon.yaml").write_text("policies: [policy]\n")
    assert solon("breakglass", "keygen").status == 0
    return place


def opened(solon: Solon, *arguments: str, minutes: int = 30) -> tuple[str, str]:
    """The identifier and the token."""
    ran = solon("breakglass", "open", *ASKED, "--minutes", str(minutes), *arguments)
    assert ran.status == 0, ran.err
    found = re.search(r"bg-[0-9a-f]{12}", ran.err)
    assert found
    return found[0], ran.out.strip()


def past(repository: Path, ago: timedelta, id: str, *, used: bool = False, team: str = "payments") -> str:
    """A token that was opened some time ago, in the ledger of the repository."""
    at = datetime.now(UTC).replace(microsecond=0) - ago
    request = rules.Request("ana@example.com", "down", "PAY-1", Scope(team=team), ["*"], 30)
    claims = rules.opening(request, {}, BreakglassSettings(), at, id)
    key = keys.private_key((repository.parent / "home/.config/solon/breakglass.pem").read_bytes())
    token = issue(claims, key)
    path = str(repository / "breakglass.jsonl")
    ledger.record(path, lambda _book: rules.opened(claims, token))
    if used:
        ledger.record(path, lambda _book: use_of(id, at))
    return token


def use_of(id: str, at: datetime) -> Used:
    return Used(
        at=at, id=id, by="ci", policies=["main.deny"], findings=2, subjects=1, uris=["k8s://c/pay-a/Pod/x"]
    )


# --- keys


def test_keygen_writes_a_pair_that_only_its_owner_can_read(repository: Path, tmp_path: Path) -> None:
    private, public = tmp_path / "home/.config/solon/breakglass.pem", repository / "breakglass.pub.pem"
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert private.read_text().startswith("-----BEGIN PRIVATE KEY-----\n")
    assert public.read_text().startswith("-----BEGIN PUBLIC KEY-----\n")


@pytest.mark.usefixtures("repository")
def test_keygen_overwrites_nothing(solon: Solon, tmp_path: Path) -> None:
    before = [path.read_bytes() for path in (tmp_path / "home/.config/solon/breakglass.pem", Path("breakglass.pub.pem"))]  # fmt: skip
    ran = solon("breakglass", "keygen")
    assert (ran.status, ran.out) == (2, "")
    assert "exists already, and is left as it is" in ran.err
    ran = solon("breakglass", "keygen", "--private", "new.pem")
    assert (ran.status, Path("new.pem").exists()) == (2, False)
    assert before == [path.read_bytes() for path in (tmp_path / "home/.config/solon/breakglass.pem", Path("breakglass.pub.pem"))]  # fmt: skip


@pytest.mark.usefixtures("repository")
def test_keygen_says_where_the_key_must_be_looked_for(solon: Solon, tmp_path: Path) -> None:
    ran = solon("breakglass", "keygen", "--private", "k/new.pem", "--public", "k/new.pub.pem")
    assert ran.status == 0
    assert f"SOLON_BREAKGLASS_KEY={tmp_path}/repository/k/new.pem" in ran.out


@pytest.mark.usefixtures("repository")
def test_keygen_leaves_no_half_of_a_pair(solon: Solon) -> None:
    Path("file").touch()
    ran = solon("breakglass", "keygen", "--private", "new.pem", "--public", "file/new.pub.pem")
    assert (ran.status, Path("new.pem").exists()) == (2, False)


def test_a_key_that_others_may_read_is_not_used(repository: Path, solon: Solon, tmp_path: Path) -> None:
    (tmp_path / "home/.config/solon/breakglass.pem").chmod(0o640)
    ran = solon("breakglass", "open", *ASKED, "--minutes", "30")
    assert (ran.status, ran.out) == (2, "")
    assert "a private key that others may read (chmod 600 " in ran.err
    assert not (repository / "breakglass.jsonl").exists()


def test_another_key_than_the_repository_has(
    repository: Path, solon: Solon, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert solon("breakglass", "keygen", "--private", "a.pem", "--public", "a.pub.pem").status == 0
    monkeypatch.setenv("SOLON_BREAKGLASS_KEY", "a.pem")
    ran = solon("breakglass", "open", *ASKED, "--minutes", "30")
    assert (ran.status, ran.out) == (2, "")
    assert "the private key is not the one that breakglass.pub.pem belongs to" in ran.err
    assert not (repository / "breakglass.jsonl").exists()


@pytest.mark.parametrize(
    ("prepare", "said"),
    [
        (lambda: Path("breakglass.pub.pem").unlink(), "breakglass.pub.pem: no such key"),
        (
            lambda: Path("breakglass.pub.pem").write_text("x"),
            "breakglass.pub.pem: is not a public key in PEM",
        ),
        (lambda: Path("solon.yaml").unlink(), "no solon.yaml here or above"),
        (lambda: Path("solon.yaml").write_text("breakglass: {maximum: 3d}"), "must be 24h or less"),
        (
            lambda: Path("solon.yaml").write_text("breakglass: {max: 3d}"),
            "solon.yaml:1:14: unknown key breakglass.max: known are public_key",
        ),
        (lambda: Path("breakglass.jsonl").mkdir(), "breakglass.jsonl: is a directory"),
        (
            lambda: Path("breakglass.jsonl").write_text("x\n"),
            "breakglass.jsonl:1: this is no line of a ledger",
        ),
        (lambda: git("config", "--unset", "user.email", at=Path()), "who are you?"),
    ],
)
@pytest.mark.usefixtures("repository")
def test_what_stands_in_the_way_of_opening(prepare: Callable[[], Any], said: str, solon: Solon) -> None:
    prepare()
    ran = solon("breakglass", "open", *ASKED, "--minutes", "30")
    assert (ran.status, ran.out) == (2, "")
    assert said in ran.err
    assert len(ran.err.splitlines()) == 1


# --- open


def test_open_prints_the_token_alone(repository: Path, solon: Solon) -> None:
    ran = solon("breakglass", "open", *ASKED, "--scope", "namespace=pay-*", "--scope", "namespace=checkout", "--scope", "labels.tier=gold", "--policy", "main.*", "--minutes", "30")  # fmt: skip
    assert ran.status == 0
    assert re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+\n", ran.out)
    assert "for namespace pay-* or checkout, team payments, label tier=gold; policies main.*." in ran.err
    [line] = (repository / "breakglass.jsonl").read_text().splitlines()
    event = json.loads(line)["event"]
    assert (event["by"], event["ticket"], event["policies"]) == ("ana@example.com", "PAY-4821", ["main.*"])
    assert event["scope"] == {
        "team": "payments",
        "namespace": ["pay-*", "checkout"],
        "labels": {"tier": "gold"},
    }
    assert ran.out.strip() not in line, "who reads the ledger has no token"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--minutes", "61"], "minutes must be 1 to 60"),
        (["--minutes", "0"], "minutes must be 1 to 60"),
        (["--minutes", "-1"], "minutes must be 1 to 60"),
        (["--minutes", "99999999999999"], "minutes must be 1 to 60"),
        (["--minutes", "5", "--scope", "team"], "--scope team: write KEY=GLOB"),
        (["--minutes", "5", "--scope", "team="], "--scope team=: write KEY=GLOB"),
        (["--minutes", "5", "--scope", "teams=x"], "unknown key 'teams': known are team, namespace"),
        (["--minutes", "5", "--scope", "labels=x"], "unknown key 'labels'"),
        (["--minutes", "5", "--scope", "selector=x"], "unknown key 'selector'"),
        (["--minutes", "5", "--scope", "labels.=x"], "unknown key 'labels.'"),
        (["--minutes", "5", "--reason", " "], "reason is empty"),
        (["--minutes", "5", "--policy", ""], "a policy is empty"),
        (["--minutes", "5", "--by", "\x1b[1m"], "characters that cannot be shown"),
    ],
)
def test_what_is_not_opened(repository: Path, solon: Solon, arguments: list[str], said: str) -> None:
    ran = solon("breakglass", "open", *ASKED, *arguments)
    assert (ran.status, ran.out) == (2, "")
    assert said in ran.err
    assert (
        not (repository / "breakglass.jsonl").exists() or not (repository / "breakglass.jsonl").read_bytes()
    )


def test_only_openers_open(repository: Path, solon: Solon) -> None:
    (repository / "solon.yaml").write_text("breakglass:\n  openers: ['*@sre.example.com']\n")
    ran = solon("breakglass", "open", *ASKED, "--minutes", "5")
    assert (ran.status, ran.out) == (2, "")
    assert "ana@example.com may not open one: `openers` in solon.yaml has *@sre.example.com" in ran.err
    assert opened(solon, "--by", "cleo@sre.example.com")


@pytest.mark.usefixtures("repository")
def test_the_fourth_in_a_month_is_no_emergency(solon: Solon) -> None:
    for _ in range(3):
        opened(solon)
    ran = solon("breakglass", "open", *ASKED, "--minutes", "5")
    assert (ran.status, ran.out) == (2, "")
    assert "file a waiver (`solon waivers add`)" in ran.err
    elsewhere = ("--reason", "r", "--ticket", "T-1", "--scope", "team=fraud", "--minutes", "5")
    assert solon("breakglass", "open", *elsewhere).status == 0


def test_processes_at_once_do_not_open_more_than_are_allowed(repository: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-m", "solon", "breakglass", "open", *ASKED, "--minutes", "5"]
    runs = [
        subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(5)
    ]
    assert sorted(run.wait() for run in runs) == [0, 0, 0, 2, 2]
    assert len(ledger.read(str(repository / "breakglass.jsonl")).cases) == 3


# --- verify


@pytest.mark.usefixtures("repository")
def test_verify(solon: Solon) -> None:
    id, token = opened(solon)
    Path("token").write_text(token + "\n")
    for ran in (
        solon("breakglass", "verify", token),
        solon("breakglass", "verify", "@token"),
        solon("breakglass", "verify", "-", stdin=token.encode()),
    ):
        assert (ran.status, ran.err) == (0, "")
        assert f"✓ {id} can be used until " in ran.out
        assert "PAY-4821: the gateway is down" in ran.out
    said = json.loads(solon("breakglass", "verify", token, "--format", "json").out)
    assert (said["usable"], said["problem"], said["claims"]["jti"]) == (True, "", id)


def test_verify_says_why_a_token_cannot_be_used(repository: Path, solon: Solon) -> None:
    ran = solon("breakglass", "verify", past(repository, timedelta(hours=1), "bg-000000000001"))
    assert ran.status == 1
    assert re.match(r"✗ bg-000000000001: expired \S+ \S+ UTC; it cannot be renewed\n", ran.out)
    ran = solon("breakglass", "verify", "x.y.z", "--format", "json")
    assert ran.status == 1
    assert json.loads(ran.out)["claims"] is None
    for arguments, said in (
        (["-"], "-: there is no break-glass token"),
        (["@none"], "none: no such file"),
        (["a b"], "one token"),
    ):
        ran = solon("breakglass", "verify", *arguments)
        assert (ran.status, ran.out) == (2, "")
        assert said in ran.err


# --- list, show, check, close


def test_the_story_of_a_review(repository: Path, solon: Solon) -> None:
    assert solon("breakglass", "check").out == "Nothing to review · 0 tokens\n"
    id, token = opened(solon)
    ran = solon("breakglass", "check")
    assert (ran.status, ran.out) == (0, "Nothing to review · 1 token: 1 active\n")

    ledger.record(str(repository / "breakglass.jsonl"), lambda _book: use_of(id, datetime.now(UTC).replace(microsecond=0)))  # fmt: skip
    ran = solon("breakglass", "check")
    assert ran.status == 1
    assert ran.out.startswith(f"✗ {id}  open     PAY-4821: the gateway is down\n")
    assert "used once" in ran.out
    assert "2 findings on 1 subject let through" in ran.out
    assert "to be reviewed by somebody else than ana@example.com until " in ran.out
    assert ran.out.endswith("1 token: 1 to review\n")

    ran = solon("breakglass", "close", id, "--outcome", "all fine")
    assert (ran.status, ran.out) == (2, "")
    assert "was opened by ana@example.com: somebody else must review it" in ran.err
    assert solon("breakglass", "check").status == 1

    ran = solon("breakglass", "close", id, "--outcome", "rolled back; PAY-4830", "--by", "ben@example.com")
    assert (ran.status, ran.err) == (0, "")
    assert solon("breakglass", "check").status == 0
    ran = solon("breakglass", "verify", token)
    assert ran.status == 1
    assert "by ben@example.com: rolled back; PAY-4830" in ran.out
    ran = solon("breakglass", "close", id, "--outcome", "again", "--by", "ben@example.com")
    assert (ran.status, "was closed before" in ran.err) == (2, True)

    said = json.loads(solon("breakglass", "list", "--format", "json").out)
    [case] = said["tokens"]
    assert (case["id"], case["status"], case["by"]) == (id, "closed", "ana@example.com")
    assert case["review"]["closed"]["outcome"] == "rolled back; PAY-4830"
    assert case["uses"][0]["uris"] == ["k8s://c/pay-a/Pod/x"]


def test_reviews_that_are_overdue(repository: Path, solon: Solon) -> None:
    past(repository, timedelta(days=10), "bg-000000000001", used=True)
    past(repository, timedelta(days=5), "bg-000000000002")
    past(repository, timedelta(hours=2), "bg-000000000003")
    past(repository, timedelta(minutes=1), "bg-000000000004")
    ran = solon("breakglass", "check")
    assert ran.status == 1
    assert ran.out.endswith("\n4 tokens: 2 overdue, 1 to review, 1 active\n")
    assert re.search(r"its review was due \S+( \S+ UTC)?, 7 days ago\n", ran.out)
    assert re.search(r"its review was due \S+( \S+ UTC)?, 1 day ago; no use is in this ledger\n", ran.out)
    assert "bg-000000000004" not in ran.out
    said = json.loads(solon("breakglass", "check", "--format", "json").out)
    assert (said["ok"], [case["id"][-1] for case in said["tokens"]]) == (False, ["1", "2", "3"])
    assert solon("breakglass", "list").out.count("\n\n") == 4
    assert solon("breakglass", "list").status == 0


def test_show(repository: Path, solon: Solon) -> None:
    past(repository, timedelta(hours=2), "bg-000000000001", used=True)
    ran = solon("breakglass", "show", "bg-000000000001")
    assert ran.status == 0
    for said in ("reason:   down", "scope:    team payments", "by ci: 2 findings on 1 subject; main.deny", "k8s://c/pay-a/Pod/x"):  # fmt: skip
        assert said in ran.out
    assert json.loads(solon("breakglass", "show", "bg-000000000001", "-o", "json").out)["tokens"][0]["status"] == "open"  # fmt: skip
    ran = solon("breakglass", "show", "bg-1")
    assert (ran.status, ran.out) == (2, "")
    assert ran.err == "solon: 'bg-1' is not in the ledger (`solon breakglass list` shows what is)\n"


# --- the ledger


@pytest.mark.parametrize("command", [["list"], ["check"], ["show", "bg-000000000001"], ["close", "bg-000000000001", "--outcome", "x", "--by", "ben"]])  # fmt: skip
def test_a_ledger_that_was_tampered_with_is_named(repository: Path, solon: Solon, command: list[str]) -> None:
    for n in (1, 2, 3):
        past(repository, timedelta(hours=2), f"bg-00000000000{n}")
    path = repository / "breakglass.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text(lines[0] + lines[2])
    ran = solon("breakglass", *command)
    assert (ran.status, ran.out) == (2, "")
    assert "breakglass.jsonl:2: line 2 is missing before this one" in ran.err


def test_a_torn_line_is_said(repository: Path, solon: Solon) -> None:
    past(repository, timedelta(minutes=2), "bg-000000000001")
    path = repository / "breakglass.jsonl"
    path.write_bytes(path.read_bytes() + b'{"line":2,"prev')
    ran = solon("breakglass", "check")
    assert ran.status == 0
    assert "breakglass.jsonl:2: was not written to its end" in ran.err
    ran = solon("breakglass", "close", "bg-000000000001", "--outcome", "fine", "--by", "ben")
    assert ran.status == 0
    assert "was not written to its end" in ran.err
    assert solon("breakglass", "check").err == ""


def test_lines_that_git_knows_must_be_there(repository: Path, solon: Solon) -> None:
    git("add", ".", at=repository)
    git("commit", "--quiet", "--message", "before", at=repository)
    assert solon("breakglass", "check", "--base", "HEAD").status == 0
    for n in (1, 2):
        past(repository, timedelta(minutes=2), f"bg-00000000000{n}", team=f"t{n}")
    git("add", ".", at=repository)
    git("commit", "--quiet", "--message", "two", at=repository)
    past(repository, timedelta(minutes=2), "bg-000000000003", team="t3")
    assert solon("breakglass", "check", "--base", "HEAD").status == 0
    path = repository / "breakglass.jsonl"
    path.write_text(path.read_text().splitlines(keepends=True)[0])
    assert solon("breakglass", "check").status == 0, "the chain cannot show that its end is missing"
    ran = solon("breakglass", "check", "--base", "HEAD")
    assert (ran.status, ran.out) == (2, "")
    assert "breakglass.jsonl:2: the line that stood here at HEAD is missing or changed" in ran.err
    path.unlink()
    assert solon("breakglass", "check", "--base", "HEAD").status == 2
    for revision in ("none", "--help", "-x", ""):
        ran = solon("breakglass", "check", f"--base={revision}")
        assert (ran.status, "no such revision" in ran.err) == (2, True), revision


# --- solon check --break-glass

POLICY = """# METADATA
# title: Runs more than once
package main

deny contains "runs once" if input.spec.replicas == 1

deny contains "has no owner" if not input.metadata.annotations.owner

warn contains "is old" if input.metadata.labels.age == "old"
"""


def deployment(name: str, team: str) -> str:
    return (
        "apiVersion: apps/v1\nkind: Deployment\n"
        f"metadata: {{name: {name}, namespace: pay-{name}, labels: {{team: {team}}}}}\nspec: {{replicas: 1}}\n"
    )


@pytest.fixture
def judged(repository: Path) -> Path:
    """The repository with a policy that denies what stands in web.yaml."""
    (repository / "policy").mkdir()
    (repository / "policy/main.rego").write_text(POLICY)
    (repository / "web.yaml").write_text(deployment("web", "payments"))
    return repository


def uses(repository: Path, id: str) -> list[Used]:
    return list(ledger.read(str(repository / "breakglass.jsonl")).cases[id].uses)


def test_a_token_lets_a_change_through_and_raises_the_alarm(
    judged: Path, solon: Solon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTOR", "deploy-bot")
    assert solon("check", "web.yaml").status == 1
    id, token = opened(solon)
    assert solon("check", "web.yaml").status == 1, "a token that is open and not used changes nothing"
    ran = solon("check", "web.yaml", "--break-glass", token, "--log", "decisions.jsonl")
    assert ran.status == 0
    assert f"ALARM: Break-glass {id} used by deploy-bot: 2 findings let through" in ran.err
    assert token not in ran.out + ran.err
    assert f"let through by break-glass {id}" in ran.out
    [used] = uses(judged, id)
    assert (used.by, used.policies, used.findings, used.subjects) == ("deploy-bot", ["main.deny"], 2, 1)
    assert used.uris[0].endswith("pay-web/Deployment/web")
    assert id in (judged / "decisions.jsonl").read_text()
    assert token not in (judged / "decisions.jsonl").read_text()
    assert solon("breakglass", "check").status == 1


@pytest.mark.filterwarnings(
    "ignore:'imghdr' is deprecated:DeprecationWarning"
)  # of a module that apprise imports
def test_the_alarm_goes_to_the_channels_of_the_repository(judged: Path, solon: Solon) -> None:
    with LocalServer() as server:
        server.application = lambda _request: Response(200)
        channel = server.url.replace("http", "json")
        (judged / "solon.yaml").write_text(
            f"policies: [policy]\nbreakglass: {{alarm: on-call}}\n"
            f"notify: {{channels: {{on-call: ['{channel}/on-call'], '*': ['{channel}/all']}}}}\n"
        )
        id, token = opened(solon)
        assert server.requests == []
        assert solon("check", "web.yaml", "--break-glass", token).status == 0
        [told] = server.requests
        assert told.path == "/on-call"
        assert told.body["type"] == "failure"
        assert f"Break-glass {id} used by" in told.body["title"]
        assert "PAY-4821: the gateway is down" in told.body["message"]
        assert token not in json.dumps(told.body)

        server.application = lambda _request: Response(500)
        ran = solon("check", "web.yaml", "--break-glass", token)
        assert ran.status == 0, "an emergency does not wait for a chat that is down"
        assert "ALARM: Break-glass" in ran.err
        assert "solon: the alarm was not sent: solon.yaml:3:" in ran.err
        assert len(uses(judged, id)) == 2


@pytest.mark.parametrize("how", ["argument", "file", "stdin", "environment", "file of the environment"])
def test_where_a_token_may_come_from(
    judged: Path, solon: Solon, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    id, token = opened(solon)
    (judged / "token").write_text(token + "\n")
    arguments = {"argument": ["--break-glass", token], "file": ["--break-glass", "@token"], "stdin": ["--break-glass", "-"]}  # fmt: skip
    if "environment" in how:
        monkeypatch.setenv("SOLON_BREAKGLASS", token if how == "environment" else "@token")
    ran = solon("check", "web.yaml", *arguments.get(how, []), stdin=token.encode())
    assert (ran.status, len(uses(judged, id))) == (0, 1)


def test_only_what_the_token_covers_goes_through(judged: Path, solon: Solon) -> None:
    (judged / "fraud.yaml").write_text(deployment("fraud", "fraud"))
    id, token = opened(solon)
    ran = solon("check", "web.yaml", "fraud.yaml", "--break-glass", token, "--format", "json")
    assert ran.status == 1
    outcomes = {each["subject"]["name"]: each["outcome"] for each in json.loads(ran.out)["decisions"]}
    assert outcomes == {"Deployment/web": "warn", "Deployment/fraud": "deny"}
    assert [use.subjects for use in uses(judged, id)] == [1]


def test_a_token_for_something_else_changes_nothing_and_says_so(judged: Path, solon: Solon) -> None:
    (judged / "fraud.yaml").write_text(deployment("fraud", "fraud"))
    id, token = opened(solon)
    ran = solon("check", "fraud.yaml", "--break-glass", token)
    assert ran.status != 0
    assert f"break-glass token {id}: covers nothing of what is denied" in ran.out + ran.err
    assert uses(judged, id) == []
    assert "ALARM" not in ran.err


def test_a_token_that_is_not_needed_is_not_used(judged: Path, solon: Solon) -> None:
    (judged / "web.yaml").write_text(
        "kind: ConfigMap\napiVersion: v1\nmetadata: {name: x, annotations: {owner: a}}\n"
    )
    id, token = opened(solon)
    ran = solon("check", "web.yaml", "--break-glass", token)
    assert (ran.status, ran.err, uses(judged, id)) == (0, "", [])


BAD: list[tuple[str, str]] = [
    ("expired", "bg-000000000001: expired "),
    ("closed", "bg-000000000001: was closed "),
    ("changed", "has a signature that the public key does not verify"),
    ("another key", "has a signature that the public key does not verify"),
    ("not in the ledger", "bg-000000000001: is not in the ledger"),
    ("too long", "bg-000000000001: lasts 30 minutes, and 10 minutes are allowed"),
    ("opener", "bg-000000000001: ana@example.com may not open one"),
    ("garbage", "break-glass token: is not a token"),
    ("empty", "-: there is no break-glass token"),
    ("no file", "no such file"),
    ("no key", "breakglass.pub.pem: no such key"),
    ("tampered ledger", "breakglass.jsonl:1: this line was changed after it was written"),
    ("policies by hand", "--break-glass needs the solon.yaml"),
]


@pytest.mark.parametrize(("how", "said"), BAD)
def test_a_token_that_cannot_be_used_stops_the_check(judged: Path, solon: Solon, how: str, said: str) -> None:
    token = past(judged, timedelta(hours=1) if how == "expired" else timedelta(minutes=1), "bg-000000000001")
    ledger_path = judged / "breakglass.jsonl"
    arguments = ["--break-glass", token]
    if how == "closed":
        assert solon("breakglass", "close", "bg-000000000001", "--outcome", "x", "--by", "ben").status == 0
    elif how == "changed":
        head, claims, signature = token.split(".")
        arguments[1] = f"{head}.{claims[:-1]}{'A' if claims[-1] != 'A' else 'B'}.{signature}"
    elif how == "another key":
        (judged / "breakglass.pub.pem").unlink()
        assert solon("breakglass", "keygen", "--private", "other.pem").status == 0
    elif how == "not in the ledger":
        ledger_path.unlink()
    elif how == "too long":
        (judged / "solon.yaml").write_text("policies: [policy]\nbreakglass: {maximum: 10m}\n")
    elif how == "opener":
        (judged / "solon.yaml").write_text("policies: [policy]\nbreakglass: {openers: [ben]}\n")
    elif how == "garbage":
        arguments[1] = "garbage"
    elif how == "empty":
        arguments[1] = "-"
    elif how == "no file":
        arguments[1] = "@none"
    elif how == "no key":
        (judged / "breakglass.pub.pem").unlink()
    elif how == "tampered ledger":
        ledger_path.write_text(ledger_path.read_text().replace("payments", "everyone"))
    elif how == "policies by hand":
        arguments += ["-p", "policy"]
    before = ledger_path.read_bytes() if ledger_path.exists() else b""
    ran = solon("check", "web.yaml", *arguments)
    assert (ran.status, ran.out) == (2, "")
    assert said in ran.err
    assert token not in ran.err
    assert (ledger_path.read_bytes() if ledger_path.exists() else b"") == before


@pytest.mark.usefixtures("judged")
def test_a_use_that_cannot_be_written_down_stops_the_check(
    solon: Solon, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, token = opened(solon)

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(ledger, "_write", full)
    ran = solon("check", "web.yaml", "--break-glass", token)
    assert (ran.status, ran.out) == (2, "")
    assert "breakglass.jsonl: the use could not be written down: no space left on device" in ran.err
    assert "ALARM" not in ran.err


def test_a_user_without_a_name_can_check(judged: Path, solon: Solon, monkeypatch: pytest.MonkeyPatch) -> None:
    """A container runs as a number that no user has."""
    for name in (
        "LOGNAME",
        "USER",
        "LNAME",
        "USERNAME",
        "GITHUB_ACTOR",
        "GITLAB_USER_LOGIN",
        "BUILD_USER_ID",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 65_533)
    ran = solon("check", "web.yaml")
    assert (ran.status, ran.err) == (1, "")
    id, token = opened(solon)
    git("config", "--unset", "user.email", at=judged)
    assert solon("check", "web.yaml", "--break-glass", token).status == 0
    assert [use.by for use in uses(judged, id)] == ["user 65533"]


def test_a_torn_ledger_is_said_by_a_check(judged: Path, solon: Solon) -> None:
    id, token = opened(solon)
    path = judged / "breakglass.jsonl"
    path.write_bytes(path.read_bytes() + b'{"line":2')
    ran = solon("check", "web.yaml", "--break-glass", token)
    assert ran.status == 0
    assert "breakglass.jsonl:2: was not written to its end" in ran.err
    assert len(uses(judged, id)) == 1


def test_a_policy_that_fails_can_be_an_emergency_as_well(judged: Path, solon: Solon) -> None:
    (judged / "policy/main.rego").write_text(
        'package main\n\nlimit := 1 if input.kind\n\nlimit := 2 if input.kind\n\ndeny contains "no" if limit == 1\n'
    )
    assert solon("check", "web.yaml").status == 2
    id, token = opened(solon)
    ran = solon("check", "web.yaml", "--break-glass", token)
    assert ran.status == 0, ran.out + ran.err
    assert uses(judged, id)[0].findings == 1
