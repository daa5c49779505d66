"""solon waivers, through the real command, at a fixed time."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from local_http import LocalServer, Response

from solon.cli.waivers import command as waivers

Solon = Callable[..., Any]
NOW = datetime(2026, 11, 21, 11, 39, 11, 5, tzinfo=UTC)
POLICY = """\
package main

# METADATA
# title: No root
# custom:
#   severity: high
deny contains "root" if input.kind == "Pod"
"""
SETTINGS = """\
policies: [policy]
waivers:
  approvers:
    - {who: [security, ciso]}
"""
PAYMENTS = """\
# Waivers of payments.
- policy: main.deny
  scope: {namespace: payments-legacy}
  owner: team-payments
  reason: vendor image
  ticket: PAY-4821
  approved_by: security
  created: 2026-09-30
  expires: 2026-12-15   # end of the contract
"""


def entry(name: str, expires: str, namespace: str, owner: str = "team-ml", policy: str = "main.deny") -> str:
    return (
        f"- {{id: {name}, policy: {policy}, scope: {{namespace: {namespace}}}, owner: '{owner}', reason: because, "
        f"approved_by: ciso, created: 2026-10-25, expires: {expires}}}\n"
    )


# Of a module that apprise imports.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")


@pytest.fixture(autouse=True)
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(waivers, "now", lambda: NOW)
    for name, text in (
        ("policy/main.rego", POLICY),
        ("solon.yaml", SETTINGS),
        ("waivers/payments.yaml", PAYMENTS),
        (
            "waivers/ml.yaml",
            entry("later", "2027-01-20", "ml") + entry("old", "2026-11-20", "ml-old", "@Team-ML"),
        ),
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def add_file(repository: Path, text: str, name: str = "more.yaml") -> Path:
    path = repository / "waivers" / name
    path.write_text(text)
    return path


@pytest.mark.parametrize("word", ["check", "list", "show", "add", "renew", "remind", "metrics"])
def test_help_of_waivers_has_an_example_and_fits(solon: Solon, word: str) -> None:
    ran = solon("waivers", word, "--help")
    assert (ran.status, ran.err) == (0, "")
    assert f"Example: solon waivers {word}" in ran.out
    assert max(map(len, ran.out.splitlines())) <= 100


# --- check


def test_what_ci_is_told(solon: Solon, repository: Path) -> None:
    add_file(
        repository,
        entry("typo", "2027-01-10", "ml", policy="main.dney")
        + entry("twice", "2027-01-10", "ml-*")
        + "- {policy: main.deny, owner: a}\n",
    )
    ran = solon("waivers", "check")
    assert ran.status == 2
    assert ran.err == ""
    assert (
        ran.out
        == """\
Invalid: they cover nothing
  ✗ waivers/more.yaml:3:3
    expires is missing: an exemption without an end is not one
  ✗ waivers/more.yaml:3:3
    created is missing: say since when it holds
  ✗ waivers/more.yaml:3:3
    reason is missing: say why
  ✗ waivers/more.yaml:3:3
    approved_by is missing: somebody else must have agreed
  ✗ waivers/more.yaml:3:3
    scope is missing: name what is exempt; a waiver for everything is none

Expired: remove them, or renew them
  ✗ old · expired 2026-11-20, 1 day ago · @Team-ML
    main.deny for namespace ml-old
    waivers/ml.yaml:2:3

Expire within 30 days
  team-payments
    ! payments · 2026-12-15, in 23 days
      main.deny for namespace payments-legacy
      waivers/payments.yaml:2:3

For policies that there are not: they exempt nothing
  ! typo: no policy is called main.dney
    waivers/more.yaml:1:3

5 waivers: 4 active (1 expires within 30 days), 1 expired; 5 problems
"""
    )


def test_two_that_overlap_are_told(solon: Solon, repository: Path) -> None:
    add_file(repository, entry("twice", "2027-01-10", "m*"))
    assert (
        "Overlapping: two that may exempt the same\n  ! twice and later\n    waivers/more.yaml:1:3 and waivers/ml.yaml:1:3\n"
        in solon("waivers", "check").out
    )


@pytest.mark.parametrize(
    "as_of, fail_on, status",
    [
        ("2026-11-19", "expired", 0),
        ("2026-11-19", "warn", 1),  # old is about to expire
        ("2026-11-19T23:59:59Z", "expired", 0),
        ("2026-11-20", "expired", 1),
        ("2026-10-15", "warn", 0),  # payments is in force, the others are to come
    ],
)
def test_the_status(solon: Solon, as_of: str, fail_on: str, status: int) -> None:
    assert solon("waivers", "check", "--as-of", as_of, "--fail-on", fail_on).status == status


def test_one_that_is_invalid_outweighs_one_that_has_expired(solon: Solon, repository: Path) -> None:
    add_file(repository, "- 3\n")
    assert solon("waivers", "check").status == 2


def test_a_repository_without_waivers_is_fine(solon: Solon, repository: Path) -> None:
    for path in (repository / "waivers").iterdir():
        path.unlink()
    (repository / "waivers").rmdir()
    ran = solon("waivers", "check")
    assert (ran.status, ran.out) == (0, "0 waivers\n")


def test_the_time_zone_of_the_repository(solon: Solon, repository: Path) -> None:
    (repository / "solon.yaml").write_text(SETTINGS + "timezone: Pacific/Auckland\n")
    assert solon("waivers", "check", "--as-of", "2026-11-19T10:59:59Z").status == 0
    assert solon("waivers", "check", "--as-of", "2026-11-19T11:00:00Z").status == 1


def test_annotations(solon: Solon, repository: Path) -> None:
    add_file(repository, "- 3\n")
    assert solon("waivers", "check", "--format", "github").out == (
        "::error file=waivers/more.yaml,line=1,col=3,title=waiver/invalid::a waiver must hold keys, and is 3\n"
        "::error file=waivers/ml.yaml,line=2,col=3,title=waiver/expired::old expired 2026-11-20, and covers nothing"
        "%0AFix: remove it; or, while it is needed, `solon waivers renew old`\n"
        "::warning file=waivers/payments.yaml,line=2,col=3,title=waiver/expiring::payments of team-payments expires "
        "2026-12-15%0AFix: put right what it exempts; or `solon waivers renew payments`\n"
        "2 files: 2 errors, 1 warning\n"
    )


def test_sarif(solon: Solon) -> None:
    (run,) = json.loads(solon("waivers", "check", "--format", "sarif").out)["runs"]
    assert [(each["ruleId"], each["level"]) for each in run["results"]] == [
        ("waiver/expired", "error"),
        ("waiver/expiring", "warning"),
    ]


def test_check_as_json(solon: Solon, repository: Path) -> None:
    add_file(repository, entry("typo", "2027-01-10", "m*", policy="[main.deny, main.dney]"))
    found = json.loads(solon("waivers", "check", "--format", "json").out)
    assert found["schema"] == "solon.waivers.check/v1"
    assert found["at"] == "2026-11-21T11:39:11.000005Z"
    assert [each["id"] for each in found["expired"]] == ["old"]
    assert {owner: [each["id"] for each in several] for owner, several in found["expiring"].items()} == {
        "team-payments": ["payments"]
    }
    assert found["unknown_policies"] == [
        {
            "id": "typo",
            "policy": "main.dney",
            "location": {"file": "waivers/more.yaml", "line": 1, "column": 3},
        }
    ]
    assert [each["ids"] for each in found["overlapping"]] == [["typo", "later"]]
    assert found["summary"]["expired"] == 1


def test_what_matched_nothing_is_read_from_the_history(solon: Solon, repository: Path) -> None:
    (repository / "solon.yaml").write_text(SETTINGS + "  unused_after: 20d\nhistory: history.jsonl\n")
    looks = [
        {
            "schema": "solon.observation/v1",
            "revisions": {},
            "subjects": 9,
            "unowned": 0,
            "rollouts": [],
            "time": f"2026-{month:02}-{day:02}T06:00:00Z",
            "waivers": {"payments": 1} if month == 10 else {"later": 3},
        }
        for month, days in ((10, range(15, 32)), (11, range(1, 22)))
        for day in days
    ]
    (repository / "history.jsonl").write_text("".join(json.dumps(each) + "\n" for each in looks) + "{\n")
    ran = solon("waivers", "check")
    assert (
        "Unused\n  ! payments · last matched something 2026-10-31 06:00 UTC · team-payments\n"
        "    main.deny for namespace payments-legacy\n    waivers/payments.yaml:2:3\n"
    ) in ran.out
    assert ran.err.startswith("history.jsonl:39: no observation, and left out")
    (unused,) = json.loads(solon("waivers", "check", "--format", "json").out)["unused"]
    assert (unused["id"], unused["last_matched"]) == ("payments", "2026-10-31T06:00:00Z")
    assert (
        "  unused       last matched something 2026-10-31 06:00 UTC\n"
        in solon("waivers", "show", "payments").out
    )


@pytest.mark.parametrize(
    "command", [("check",), ("list",), ("metrics",), ("show", "x"), ("remind", "--dry-run")]
)
def test_without_a_repository(solon: Solon, repository: Path, command: tuple[str, ...]) -> None:
    (repository / "solon.yaml").unlink()
    ran = solon("waivers", *command)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err == (
        "solon: no solon.yaml here or above: waivers are part of a policy repository (`solon init` begins one)\n"
    )


def test_lint_without_policies_that_compile_says_what_it_can(solon: Solon, repository: Path) -> None:
    """Which names there are is not known then: none is called unknown."""
    (repository / "policy/main.rego").write_text("package main\ndeny contains 1 if x\n")
    add_file(repository, entry("broken", "''", "ml").replace(", expires: ''", ""))
    ran = solon("lint")
    assert ran.status == 2
    assert "waivers/more.yaml:1:3: error waiver/invalid: expires is missing" in ran.out
    assert "waivers/ml.yaml:2:3: error waiver/expired: old expired 2026-11-20" in ran.out
    assert "waiver/unknown-policy" not in ran.out


# --- list, show, metrics


def ids(ran: Any) -> list[str]:
    return [each["id"] for each in json.loads(ran.out)["waivers"]]


@pytest.mark.parametrize(
    "options, found",
    [
        ((), ["old", "payments", "later"]),
        (("--owner", "team-ml"), ["old", "later"]),
        (("--owner", "@TEAM-PAYMENTS"), ["payments"]),
        (("--policy", "main.deny"), ["old", "payments", "later"]),
        (("--policy", "main.other"), []),
        (("--state", "expired"), ["old"]),
        (("--state", "active"), ["payments", "later"]),
        (("--expiring", "30d"), ["payments"]),
        (("--expiring", "9w", "--owner", "team-ml"), ["later"]),
        (("--state", "pending", "--as-of", "2026-10-01"), ["old", "later"]),
    ],
)
def test_some_are_listed(solon: Solon, options: tuple[str, ...], found: list[str]) -> None:
    assert ids(solon("waivers", "list", "--format", "json", *options)) == found


def test_the_list(solon: Solon) -> None:
    ran = solon("waivers", "list")
    assert (ran.status, ran.out) == (
        0,
        """\
✗ old · expired 2026-11-20, 1 day ago · @Team-ML
  main.deny for namespace ml-old
! payments · active until 2026-12-15, in 23 days · team-payments
  main.deny for namespace payments-legacy
✓ later · active until 2027-01-20, in 59 days · team-ml
  main.deny for namespace ml

3 waivers: 2 active (1 expires within 30 days), 1 expired
""",
    )
    assert solon("waivers", "list", "--state", "pending").out == (
        "0 of 3 waivers: 2 active (1 expires within 30 days), 1 expired\n"
    )


@pytest.mark.parametrize("width", [80, 120])
def test_long_lines_are_broken(
    solon: Solon, repository: Path, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    namespaces = ", ".join(f"team-{n}-with-a-long-name" for n in range(9))
    add_file(repository, entry("wide", "2026-12-01", f"[{namespaces}]"))
    monkeypatch.setattr(waivers, "width", lambda: width)
    for command in (("list",), ("show", "wide"), ("check",)):
        out = solon("waivers", *command).out
        assert max(map(len, out.splitlines())) <= min(width, 110)
        assert "team-8-with-a-long-name" in out


def test_the_list_as_csv(solon: Solon) -> None:
    rows = list(csv.DictReader(io.StringIO(solon("waivers", "list", "--format", "csv").out)))
    assert [row["id"] for row in rows] == ["old", "payments", "later"]
    assert rows[0]["owner"] == "'@Team-ML"  # else a spreadsheet takes it for a formula
    assert rows[1] == {
        "id": "payments",
        "state": "active",
        "policies": "main.deny",
        "scope": "namespace payments-legacy",
        "owner": "team-payments",
        "reason": "vendor image",
        "ticket": "PAY-4821",
        "approved_by": "security",
        "created": "2026-09-30T00:00:00Z",
        "expires": "2026-12-15T00:00:00Z",
        "since": "2026-09-30T00:00:00Z",
        "renewals": "0",
        "file": "waivers/payments.yaml",
        "line": "2",
    }


@pytest.mark.parametrize("command", [("list",), ("metrics",)])
def test_what_is_invalid_is_told_beside(solon: Solon, repository: Path, command: tuple[str, ...]) -> None:
    add_file(repository, "- 3\n")
    ran = solon("waivers", *command)
    assert (ran.status, ran.err) == (2, "waivers/more.yaml:1:3: a waiver must hold keys, and is 3\n")
    assert ran.out


def test_all_of_one_waiver(solon: Solon, repository: Path) -> None:
    (repository / "waivers/payments.yaml").write_text(
        PAYMENTS.replace("main.deny", "[main.*, other]")
        + "  history:\n    - {created: 2026-07-01, expires: 2026-09-29, reason: at first, approved_by: ciso, ticket: PAY-1}\n"
    )
    assert (
        solon("waivers", "show", "payments").out
        == """\
payments
  state        active until 2026-12-15, in 23 days
  policy       main.deny (high: 90 days at most; security, ciso may approve)
               other: no policy is called so
  scope        namespace payments-legacy
  owner        team-payments
  reason       vendor image
  ticket       PAY-4821
  approved by  security
  created      2026-09-30, 52 days ago
  renewed      once; first granted 2026-07-01
  file         waivers/payments.yaml:2:3

Before
  2026-07-01 to 2026-09-29, approved by ciso, PAY-1
    at first
"""
    )
    found = json.loads(solon("waivers", "show", "payments", "--format", "json").out)
    assert (found["schema"], found["renewals"], found["since"]) == (
        "solon.waiver/v1",
        1,
        "2026-07-01T00:00:00Z",
    )
    assert found["limits"] == [
        {
            "policy": "main.deny",
            "severity": "high",
            "longest_seconds": 90 * 86_400,
            "approvers": ["security", "ciso"],
        }
    ]


@pytest.mark.parametrize(
    "name, problem",
    [
        (
            "paymnts",
            "solon: no waiver is called 'paymnts' (is it 'payments'?); `solon waivers list` names them\n",
        ),
        ("zzz", "solon: no waiver is called 'zzz'; `solon waivers list` names them\n"),
        ("broken", "waivers/more.yaml:1:3: expires is missing: an exemption without an end is not one\n"),
    ],
)
def test_one_that_cannot_be_shown(solon: Solon, repository: Path, name: str, problem: str) -> None:
    add_file(repository, entry("broken", "''", "ml").replace(", expires: ''", ""))
    for command in (
        ("show", name),
        ("renew", name, "--reason", "r", "--expires", "9d", "--approved-by", "ciso"),
    ):
        ran = solon("waivers", *command)
        if command[0] == "show" or name != "broken":
            assert (ran.status, ran.out, ran.err) == (2, "", problem)


def test_metrics(solon: Solon) -> None:
    ran = solon("waivers", "metrics")
    assert ran.status == 0
    samples = dict(line.rsplit(" ", 1) for line in ran.out.splitlines() if not line.startswith("#"))
    assert samples == {
        'solon_waivers{state="active"}': "2",
        'solon_waivers{state="pending"}': "0",
        'solon_waivers{state="expired"}': "1",
        "solon_waivers_expiring": "1",
        "solon_waivers_renewed": "0",
        "solon_waivers_problems": "0",
        "solon_waivers_age_median_seconds": str((27 + 52) * 43_200 + 41_951),
        "solon_waivers_age_oldest_seconds": str(52 * 86_400 + 41_951),
        'solon_waivers_by_owner{owner="team-ml"}': "1",
        'solon_waivers_by_owner{owner="team-payments"}': "1",
    }
    typed = [line.split()[2] for line in ran.out.splitlines() if line.startswith("# TYPE")]
    assert typed == list(dict.fromkeys(name.partition("{")[0] for name in samples))
    found = json.loads(solon("waivers", "metrics", "--format", "json").out)
    assert (found["active"], found["by_owner"]) == (2, {"team-ml": 1, "team-payments": 1})


def test_labels_are_quoted(solon: Solon, repository: Path) -> None:
    add_file(repository, entry("x", "2027-01-10", "x", owner='a"b\\c'))
    assert 'solon_waivers_by_owner{owner="a\\"b\\\\c"} 1\n' in solon("waivers", "metrics").out


# --- add

ADD = {
    "--policy": "main.deny",
    "--scope": "namespace=gpu-jobs",
    "--owner": "@acme/team-gpu",
    "--reason": "driver: needs root",
    "--approved-by": "ciso",
    "--expires": "30d",
}


def added(solon: Solon, changes: dict[str, str] | None = None, *more: str) -> Any:
    return solon("waivers", "add", *(x for pair in {**ADD, **(changes or {})}.items() for x in pair), *more)


def test_a_waiver_is_added(solon: Solon, repository: Path) -> None:
    block = """\
- id: team-gpu-20261121
  policy: main.deny
  scope: {namespace: gpu-jobs}
  owner: "@acme/team-gpu"
  reason: "driver: needs root"
  approved_by: ciso
  created: 2026-11-21
  expires: 2026-12-21
"""
    ran = added(solon)
    assert (ran.status, ran.err) == (0, "")
    assert ran.out == "waivers/team-gpu.yaml:1:3\n" + block
    assert (repository / "waivers/team-gpu.yaml").read_text() == block
    again = added(solon, {"--scope": "namespace=other"})
    assert again.out.startswith("waivers/team-gpu.yaml:9:3\n- id: team-gpu-20261121-2\n")
    assert (repository / "waivers/team-gpu.yaml").read_text().startswith(block)
    assert solon("waivers", "check", "--as-of", "2026-11-19").status == 0


def test_every_part_of_a_scope(solon: Solon) -> None:
    ran = added(
        solon,
        None,
        *("--scope", "namespace=b-*", "--scope", "labels.app.kubernetes.io/name=web", "--scope", "team=gpu"),
        *(
            "--scope",
            'selector={"matchLabels": {"tier": "back"}}',
            "--ticket",
            "GPU-1",
            "--id",
            "gpu",
            "--policy",
            "main.*",
        ),
    )
    assert ran.status == 0
    assert (
        ran.out
        == """\
waivers/team-gpu.yaml:1:3
- id: gpu
  policy: [main.deny, "main.*"]
  scope: {team: gpu, namespace: [gpu-jobs, "b-*"], labels: {app.kubernetes.io/name: web}, selector: {matchLabels: {tier: back}}}
  owner: "@acme/team-gpu"
  reason: "driver: needs root"
  ticket: GPU-1
  approved_by: ciso
  created: 2026-11-21
  expires: 2026-12-21
"""
    )


@pytest.mark.parametrize(
    "expires, written",
    [
        ("2w", "  created: 2026-11-21\n  expires: 2026-12-05\n"),
        ("36h", "  created: 2026-11-21T11:39:11Z\n  expires: 2026-11-22T23:39:11Z\n"),
        ("2026-12-24", "  created: 2026-11-21\n  expires: 2026-12-24\n"),
        ("2026-12-24T18:00:00+01:00", '  created: 2026-11-21\n  expires: "2026-12-24T18:00:00+01:00"\n'),
    ],
)
def test_when_it_expires(solon: Solon, expires: str, written: str) -> None:
    assert added(solon, {"--expires": expires}).out.endswith(written)


def test_today_is_that_of_the_repository(solon: Solon, repository: Path) -> None:
    (repository / "solon.yaml").write_text(SETTINGS + "timezone: Pacific/Auckland\n")  # 13 hours ahead
    assert added(solon).out.endswith("  created: 2026-11-22\n  expires: 2026-12-22\n")


@pytest.mark.parametrize(
    "changes, problem",
    [
        ({"--reason": " "}, "not added: reason is missing: say why"),
        (
            {"--expires": "91d"},
            "not added: it lasts 91 days; 90 days is the most for a waiver of main.deny, whose severity is high (expi",
        ),
        (
            {"--expires": "soon"},
            "not added: expires: 'soon' is no date: write 2026-12-01, or 2026-12-01T09:00:00Z",
        ),
        ({"--expires": "2026-11-21"}, "not added: it expires on 2026-11-21, when it is created"),
        (
            {"--expires": "99999w"},
            "not added: it lasts 699,993 days; 90 days is the most for a waiver of main.deny",
        ),
        ({"--approved-by": "Team-GPU"}, "not added: Team-GPU owns the waiver and cannot approve it"),
        (
            {"--approved-by": "jo"},
            "not added: jo may not approve waivers of main.deny (high): security, ciso may",
        ),
        ({"--policy": "main.dney"}, "not added: no policy is called 'main.dney' (is it 'main.deny'?)"),
        (
            {"--scope": "namespace=*"},
            "not added: scope is namespace *, and so names nothing: a waiver for everything is none",
        ),
        ({"--scope": "namespace="}, "not added: namespace is empty, and matches nothing"),
        ({"--scope": "namespace"}, "--scope namespace: write KEY=VALUE, such as namespace=payments-legacy"),
        ({"--scope": "tem=a"}, "--scope: unknown key tem: known are team, namespace, environment, cluster, "),
        (
            {"--scope": "selector={"},
            '--scope selector: write JSON, such as selector={"matchLabels": {"app": "web"}}',
        ),
        ({"--id": "old"}, "not added: a waiver is called 'old' already: name another with --id"),
        ({"--id": "a b"}, "not added: id may have letters, digits and - _ . / alone"),
        ({"--file": "else/x.yaml"}, "--file else/x.yaml: waivers are read from YAML files in waivers"),
        (
            {"--file": "waivers/../x.yaml"},
            "--file waivers/../x.yaml: waivers are read from YAML files in waivers",
        ),
        ({"--file": "waivers/x.txt"}, "--file waivers/x.txt: waivers are read from YAML files in waivers"),
        ({"--reason": "\ud800"}, "waivers/team-gpu.yaml: "),
    ],
)
def test_what_would_be_rejected_is_not_written(
    solon: Solon, repository: Path, changes: dict[str, str], problem: str
) -> None:
    before = sorted((repository / "waivers").iterdir())
    ran = added(solon, changes)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith(f"solon: {problem}")
    assert sorted((repository / "waivers").iterdir()) == before
    assert not (repository / "x.yaml").exists()


def test_all_that_is_wrong_is_said_at_once(solon: Solon) -> None:
    ran = added(solon, {"--reason": "", "--expires": "91d", "--approved-by": "jo"})
    assert len(ran.err.splitlines()) == 3


def test_the_first_waiver_of_a_repository(solon: Solon, repository: Path) -> None:
    for path in (repository / "waivers").iterdir():
        path.unlink()
    (repository / "waivers").rmdir()
    assert added(solon).status == 0
    assert ids(solon("waivers", "list", "--format", "json")) == ["team-gpu-20261121"]


def test_a_file_of_ones_own(solon: Solon, repository: Path) -> None:
    ran = added(solon, {"--file": "waivers/payments.yaml"})
    assert ran.out.startswith("waivers/payments.yaml:10:3\n- id: payments-20261121\n")
    assert (repository / "waivers/payments.yaml").read_text().startswith(PAYMENTS)


def test_a_file_that_cannot_be_added_to(solon: Solon, repository: Path) -> None:
    path = add_file(repository, '[{"policy": "x"}]', "team-gpu.yaml")
    ran = added(solon)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith(
        "solon: waivers/team-gpu.yaml: it is JSON, which is edited by hand; nothing was changed. Write it yourself:\n"
        "- id: team-gpu-20261121\n"
    )
    assert path.read_text() == '[{"policy": "x"}]'


def test_marks_modes_and_links_of_a_file_stay(solon: Solon, repository: Path) -> None:
    real = repository / "real.yaml"
    real.write_bytes(b"\xef\xbb\xbf- policy: x\r\n")
    real.chmod(0o640)
    (repository / "waivers/team-gpu.yaml").symlink_to(real)
    assert added(solon).status == 0
    assert (repository / "waivers/team-gpu.yaml").is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    assert real.read_bytes().startswith(b"\xef\xbb\xbf- policy: x\r\n- id: team-gpu-20261121\r\n")


def test_who_adds_what_is_exempt_already_is_told(solon: Solon) -> None:
    ran = added(solon, {"--scope": "namespace=payments-*"})
    assert (ran.status, ran.err) == (0, "solon: it may exempt what payments exempts already\n")


def test_what_was_added_as_json(solon: Solon) -> None:
    found = json.loads(added(solon, None, "--format", "json").out)
    assert (found["id"], found["state"]) == ("team-gpu-20261121", "active")
    assert found["location"] == {"file": "waivers/team-gpu.yaml", "line": 1, "column": 3}


# --- renew

RENEW = {"--reason": "vendor ships in March", "--approved-by": "ciso", "--expires": "60d"}


def renewed(solon: Solon, name: str, changes: dict[str, str] | None = None) -> Any:
    return solon(
        "waivers", "renew", name, *(x for pair in {**RENEW, **(changes or {})}.items() for x in pair)
    )


def test_a_waiver_is_renewed(solon: Solon, repository: Path) -> None:
    ran = renewed(solon, "payments", {"--ticket": "PAY-5000"})
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.startswith("waivers/payments.yaml:2:3\n- policy: main.deny\n")
    assert ran.out.endswith("  expires: 2027-01-20\nRenewed once; first granted 2026-09-30\n")
    assert (
        (repository / "waivers/payments.yaml").read_text()
        == """\
# Waivers of payments.
- policy: main.deny
  scope: {namespace: payments-legacy}
  owner: team-payments
  reason: vendor ships in March
  ticket: PAY-5000
  approved_by: ciso
  created: 2026-11-21
  expires: 2027-01-20   # end of the contract
  history:
    - created: 2026-09-30
      expires: 2026-12-15
      reason: vendor image
      approved_by: security
      ticket: PAY-4821
"""
    )
    again = renewed(solon, "payments", {"--reason": "vendor ships in April", "--expires": "2027-02-01"})
    assert again.out.endswith("Renewed twice; first granted 2026-09-30\n")
    assert ids(solon("waivers", "list", "--format", "json", "--owner", "team-payments")) == ["payments"]


def test_one_that_has_expired_can_be_renewed(solon: Solon) -> None:
    assert renewed(solon, "old").status == 0
    assert solon("waivers", "check").status == 0


@pytest.mark.parametrize(
    "changes, problem",
    [
        ({"--reason": "Vendor  Image"}, "it was renewed for the reason it had before: say what is new"),
        ({"--reason": ""}, "reason is missing: say why"),
        ({"--approved-by": "team_payments"}, "team_payments owns the waiver and cannot approve it"),
        ({"--approved-by": "jo"}, "jo may not approve waivers of main.deny (high): security, ciso may"),
        ({"--expires": "91d"}, "it lasts 91 days; 90 days is the most for a waiver of main.deny"),
        ({"--expires": "2026-11-20"}, "it expires on 2026-11-20, before it is created"),
    ],
)
def test_what_would_be_rejected_is_not_renewed(
    solon: Solon, repository: Path, changes: dict[str, str], problem: str
) -> None:
    ran = renewed(solon, "payments", changes)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith(f"solon: not renewed: {problem}")
    assert (repository / "waivers/payments.yaml").read_text() == PAYMENTS


def test_what_cannot_be_renewed_in_its_text_is_left(solon: Solon, repository: Path) -> None:
    text = "- &a {id: a, policy: main.deny, scope: &s {namespace: ml-1}, owner: o, reason: &r r, approved_by: ciso, "
    text += (
        "created: 2026-11-01, expires: 2026-12-01}\n- {policy: main.deny, scope: *s, owner: p, reason: *r}\n"
    )
    path = add_file(repository, text)
    ran = renewed(solon, "a")
    assert ran.status == 2
    assert (
        "its layout is not one that can be changed without changing what it says; nothing was changed"
        in ran.err
    )
    assert path.read_text() == text


def test_files_of_one_name_in_two_directories(solon: Solon, repository: Path) -> None:
    """The second is payments/2, wherever it stands."""
    (repository / "waivers/sub").mkdir()
    (repository / "waivers/sub/payments.yaml").write_text(PAYMENTS.replace("payments-legacy", "sub"))
    ran = renewed(solon, "payments/2")
    assert ran.status == 0
    assert ran.out.startswith("waivers/sub/payments.yaml:2:3\n")


# --- remind


@pytest.fixture
def server(repository: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalServer]:
    with LocalServer() as running:
        running.application = lambda _request: Response(200)
        monkeypatch.setenv("HOOK", running.url.removeprefix("http://"))
        (repository / "solon.yaml").write_text(
            SETTINGS
            + 'notify:\n  channels:\n    team-payments: ["json://${HOOK}/pay"]\n    "*": ["json://${HOOK}/all"]\n'
        )
        yield running


def test_owners_are_reminded_once_each(solon: Solon, repository: Path, server: LocalServer) -> None:
    add_file(repository, entry("soon", "2026-12-01", "ml-x", "team-ml"))
    ran = solon("waivers", "remind")
    assert (ran.status, ran.err) == (0, "")
    assert ran.out == (
        "@Team-ML told on notify.channels.*[0] (json): 1 waiver has expired, 1 expires in 9 days\n"
        "team-payments told on notify.channels.team-payments[0] (json): 1 waiver expires in 23 days\n"
    )
    assert [(each.path, each.body["type"]) for each in server.requests] == [
        ("/all", "failure"),
        ("/pay", "warning"),
    ]
    body = server.requests[1].body["message"]
    assert body.splitlines() == [
        "payments expires 2026-12-15, in 23 days",
        "main.deny for namespace payments-legacy",
        "Reason: vendor image (PAY-4821)",
        "Put right what it exempts, or: solon waivers renew payments",
    ]


def test_a_dry_run_sends_nothing(solon: Solon, server: LocalServer) -> None:
    ran = solon("waivers", "remind", "--dry-run")
    assert ran.status == 0
    assert (
        "team-payments would be told on notify.channels.team-payments[0] (json): 1 waiver expires in 23 days\n"
        in ran.out
    )
    assert "    Reason: vendor image (PAY-4821)\n" in ran.out
    assert not server.requests


def test_reminders_as_json(solon: Solon, server: LocalServer) -> None:
    found = json.loads(solon("waivers", "remind", "--format", "json").out)
    assert [(each["owner"], each["waivers"]) for each in found["reminders"]] == [
        ("@Team-ML", ["old"]),
        ("team-payments", ["payments"]),
    ]
    assert len(server.requests) == 2


def test_nobody_to_remind(solon: Solon, server: LocalServer) -> None:
    ran = solon("waivers", "remind", "--as-of", "2026-10-10")
    assert (ran.status, ran.out) == (0, "No waiver has expired or is about to.\n")
    assert not server.requests


def test_an_owner_who_cannot_be_reached(solon: Solon, server: LocalServer) -> None:
    server.application = lambda _request: Response(500)
    ran = solon("waivers", "remind")
    assert ran.status == 2
    assert "team-payments not told: 1 waiver expires in 23 days\n" in ran.out
    assert "notify.channels.team-payments[0] (json): not delivered" in ran.err


def test_without_channels(solon: Solon) -> None:
    ran = solon("waivers", "remind")
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith("solon: no channels: write them in solon.yaml")
    assert solon("waivers", "remind", "--dry-run").status == 0


def test_many_waivers_of_one_owner_fit_into_a_message(
    solon: Solon, repository: Path, server: LocalServer
) -> None:
    add_file(repository, "".join(entry(f"w{n}", "2026-12-01", f"n{n}", "team-x") for n in range(40)))
    assert solon("waivers", "remind").status == 0
    body = next(each.body["message"] for each in server.requests if "40 waivers expire" in each.body["title"])
    assert body.endswith("And 28 more: solon waivers list --owner team-x")
