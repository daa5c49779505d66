"""solon breakglass, through the real command in a git repository."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from solon.cli import breakglass_tokens
from solon.cli.errors import UsageError
from solon.governance.breakglass import keys, ledger, rules
from solon.governance.breakglass.cases import Used
from solon.governance.breakglass.settings import BreakglassSettings
from solon.governance.breakglass.token import issue
from solon.governance.scope import Scope, Traits

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
    for arguments, said in ((["-"], "is empty"), (["@none"], "none: no such file"), (["a b"], "one token")):
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


# --- what a check needs


def finding(uri: str, token: str) -> Any:
    return SimpleNamespace(
        subject=SimpleNamespace(uri=uri),
        policy=SimpleNamespace(id="main.deny"),
        ruling=SimpleNamespace(breakglass=token),
    )


def decision(*, overridden: Any = (), enforced: Any = ()) -> Any:
    return SimpleNamespace(overridden=overridden, enforced=enforced)


def test_tokens_of_a_check(repository: Path, tmp_path: Path) -> None:
    good = past(repository, timedelta(minutes=1), "bg-000000000001")
    at = breakglass_tokens.repository()
    [grant] = breakglass_tokens.grants([good], at, datetime.now(UTC))
    assert grant.covers("any", Traits(team="payments"))
    assert breakglass_tokens.grants([], at, datetime.now(UTC)) == []
    old = past(repository, timedelta(hours=1), "bg-000000000002")
    with pytest.raises(
        UsageError, match=r"break-glass token bg-000000000002: expired .*; break-glass token: is not"
    ):
        breakglass_tokens.grants([good, old, "x"], at, datetime.now(UTC))
    (tmp_path / "two").write_text(f"{good}\n{old}\n")
    assert breakglass_tokens.given_tokens([f"@{tmp_path}/two", "x"], lambda _: b"") == [good, old, "x"]
    for bad in (b"\xff", b"x" * 1_000_000):
        with pytest.raises(UsageError, match="standard input: "):
            breakglass_tokens.given_tokens(["-"], lambda size, bad=bad: bad[:size])


def test_what_a_check_lets_through(
    repository: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTOR", "deploy-bot")
    tokens = [past(repository, timedelta(minutes=1), f"bg-00000000000{n}", team=f"t{n}") for n in (1, 2)]
    at = breakglass_tokens.repository()
    grants = breakglass_tokens.grants(tokens, at, datetime.now(UTC))
    told: list[tuple[str, str, str]] = []
    decisions = [decision(overridden=[finding("u1", "bg-000000000001")]), decision()]
    assert breakglass_tokens.settle(at, grants, decisions, lambda *said: told.append(said)) == []
    first, second = ledger.read(at.ledger).cases.values()
    assert ([use.by for use in first.uses], second.uses) == (["deploy-bot"], ())
    assert [said[0] for said in told] == [
        "Break-glass bg-000000000001 used by deploy-bot: 1 finding let through"
    ]
    assert capsys.readouterr().err.startswith("ALARM  Break-glass bg-000000000001 used by deploy-bot")

    denied = [*decisions, decision(enforced=[finding("u2", "")])]
    assert breakglass_tokens.settle(at, grants, denied) == [
        "break-glass token bg-000000000002: covers nothing of what is denied; it is for team t2, and policies *"
    ]


def test_what_cannot_be_written_down_does_not_go_through(repository: Path) -> None:
    token = past(repository, timedelta(minutes=1), "bg-000000000001")
    at = breakglass_tokens.repository()
    grants = breakglass_tokens.grants([token], at, datetime.now(UTC))
    ledger.record(at.ledger, lambda book: rules.closing("bg-000000000001", "ben", "stop", book.cases, datetime.now(UTC)))  # fmt: skip
    with pytest.raises(UsageError, match="was closed, or taken out of the ledger"):
        breakglass_tokens.settle(at, grants, [decision(overridden=[finding("u", "bg-000000000001")])])
    Path(at.ledger).unlink()
    Path(at.ledger).mkdir()
    with pytest.raises(UsageError, match=r"breakglass\.jsonl: is a directory"):
        breakglass_tokens.settle(at, grants, [decision(overridden=[finding("u", "bg-000000000001")])])
