"""solon log query, compact, metrics and solon explain, as a person calls them."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import duckdb
import pytest
from decision_events import event, finding, log_of
from typer.testing import CliRunner

from solon.cli.main import assembled

RULING = {
    "rollout": "labels", "scope": "fleet", "enforced_from": "2026-02-01T00:00:00Z", "waiver": "w-7",
    "waiver_expires": "2026-04-01T00:00:00Z", "waiver_location": "waivers/pay.yaml:3", "because": "waived by w-7",
}  # fmt: skip
EVENTS = [
    event(0, "2026-03-01T08:00:00Z"),
    event(
        1,
        "2026-03-01T09:00:00Z",
        "deny",
        findings=[finding("labels.required", remediation="Add a label.", path="/metadata")],
    ),
    event(
        2,
        "2026-03-02T08:00:00Z",
        namespace="search",
        findings=[finding("labels.required", "waived", ruling=RULING)],
    ),
]


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    log_of(tmp_path / "log", EVENTS)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "solon.yaml").write_text("log: log\n")
    return str(tmp_path / "log")


def run(*arguments: str, status: int = 0) -> Any:
    from solon.cli.errors import UsageError

    try:
        found = CliRunner().invoke(assembled(), arguments, catch_exceptions=False)
    except UsageError as error:
        assert status == 2
        return str(error)
    assert found.exit_code == status, found.output
    return found.stdout


@pytest.mark.usefixtures("log")
def test_a_table() -> None:
    lines = run("log", "query", "--decision", "deny").splitlines()
    assert [line.split() for line in lines] == [
        ["TIME", "OUTCOME", "SUBJECT", "TEAM", "POLICIES", "DECISION", "ID"],
        [
            "2026-03-01",
            "09:00:00",
            "deny",
            "k8s:///payments/Deployment/web",
            "payments",
            "labels.required",
            "d-1",
        ],
    ]


def test_json_csv_events_and_parquet(log: str, tmp_path: Path) -> None:
    rows = json.loads(run("log", "query", "-o", "json", "--order", "time"))
    assert [row["decision_id"] for row in rows] == ["d-0", "d-1", "d-2"]
    assert rows[1]["time"] == "2026-03-01T09:00:00Z"
    assert rows[1]["bundles"] == {"base": "r1"}
    assert "event" not in rows[1]
    ((row),) = json.loads(run("log", "query", "-o", "json", "--waived", "--columns", "event"))
    assert row["event"] == EVENTS[2]
    assert json.loads(run("log", "query", "-o", "json", "--team", "nobody")) == []
    table = list(
        csv.reader(io.StringIO(run("log", "query", "-o", "csv", "--columns", "decision_id,policies,allow")))
    )
    assert table == [
        ["decision_id", "policies", "allow"],
        ["d-2", '["labels.required"]', "true"],
        ["d-1", '["labels.required"]', "false"],
        ["d-0", "[]", "true"],
    ]
    lines = run("log", "query", "-o", "events", "--order", "time").splitlines()
    assert [json.loads(line) for line in lines] == EVENTS
    out = tmp_path / "x.parquet"
    run("log", "query", "--log", log, "-o", "parquet", "--output", str(out), "--columns", "all")
    assert duckdb.execute(
        "SELECT decision_id, event FROM read_parquet($1) ORDER BY time", [str(out)]
    ).fetchall() == [(each["decision_id"], json.dumps(each, separators=(",", ":"))) for each in EVENTS]
    run("log", "query", "-o", "csv", "--columns", "decision_id", "--output", "x.csv")
    assert Path("x.csv").read_text() == "decision_id\nd-2\nd-1\nd-0\n"
    assert {path.name for path in tmp_path.iterdir()} == {"log", "solon.yaml", "x.parquet", "x.csv"}


@pytest.mark.usefixtures("log")
@pytest.mark.parametrize(
    ("arguments", "ids"),
    [
        (["--since", "2026-03-02"], ["d-2"]),
        (["--until", "2026-03-01T09:00:00Z"], ["d-0"]),
        (["--since", "1m"], []),
        (["--since", "99999w"], ["d-2", "d-1", "d-0"]),
        (["--limit", "1"], ["d-2"]),
        (["--limit", "0", "--order", "time"], ["d-0", "d-1", "d-2"]),
    ],
)
def test_when_and_how_many(arguments: list[str], ids: list[str]) -> None:
    rows = json.loads(run("log", "query", "-o", "json", "--columns", "decision_id", *arguments))
    assert [row["decision_id"] for row in rows] == ids


@pytest.mark.usefixtures("log")
def test_sql() -> None:
    text = run(
        "log", "query", "--sql", "SELECT namespace, count(*) AS n FROM decisions GROUP BY ALL ORDER BY n DESC"
    )
    assert [line.split() for line in text.splitlines()] == [
        ["NAMESPACE", "N"],
        ["payments", "2"],
        ["search", "1"],
    ]
    rows = json.loads(
        run(
            "log",
            "query",
            "-o",
            "json",
            "--since",
            "2026-03-02",
            "--sql",
            "SELECT count(*) AS n FROM decisions",
        )
    )
    assert rows == [{"n": 1}]


@pytest.mark.usefixtures("log")
@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--since", "yesterday"], "--since yesterday: write how long ago, such as 90d or 12h, or a date"),
        (
            ["--since", "2026-03-02", "--until", "2026-03-01"],
            "--since 2026-03-02 is not before --until 2026-03-01",
        ),
        (["--columns", "nope"], "there is no column 'nope'"),
        (["--decision", "no"], "--decision no: unknown"),
        (["--sql", "SELECT 1", "--team", "x"], "--sql asks by itself"),
        (
            ["--sql", "DROP VIEW decisions"],
            "--sql only reads: it takes a SELECT over decisions, and this is DROP",
        ),
        (["--sql", "SELECT * FROM read_text('/etc/passwd')"], 'cannot access file "/etc/passwd"'),
        (["-o", "parquet"], "--format parquet needs a file: --output FILE"),
        (["--log", "nowhere"], "nowhere: is no log"),
        (["--output", "no/such/dir/x"], "no such file or directory"),
    ],
)
def test_what_cannot_be_asked(arguments: list[str], problem: str) -> None:
    said = run("log", "query", *arguments, status=2)
    assert problem in said
    assert "\n" not in said


def test_controls_in_an_event_do_not_reach_the_terminal(tmp_path: Path) -> None:
    odd = event(
        0, "2026-03-01T08:00:00Z", "deny", name="x\x1b[31m\u202ey", findings=[finding("p\x1b]0;t\x07")]
    )
    log = str(tmp_path / "log")
    log_of(tmp_path / "log", [odd])
    for arguments in (
        ("log", "query"),
        ("log", "query", "-o", "json"),
        ("log", "query", "-o", "csv"),
        ("log", "query", "-o", "events"),
        ("log", "metrics"),
        ("log", "metrics", "-o", "prometheus"),
        ("explain", "d-0"),
        ("explain", "d-0", "-o", "json"),
    ):
        text = run(*arguments, "--log", log)
        assert not {"\x1b", "\x07", "\u202e"} & set(text), arguments


def test_a_formula_is_none_in_csv(tmp_path: Path) -> None:
    log_of(tmp_path / "log", [event(0, "2026-03-01T08:00:00Z", requested_by="=HYPERLINK(1)")])
    text = run("log", "query", "--log", str(tmp_path / "log"), "-o", "csv", "--columns", "requested_by")
    assert text == "requested_by\n'=HYPERLINK(1)\n"


@pytest.mark.usefixtures("log")
def test_compact() -> None:
    assert (
        run("log", "compact")
        == "compacted 0 entries; 3 entries are in a segment that is not sealed yet (--all)\n"
    )
    assert run("log", "compact", "--all") == "compacted 3 entries\n"
    assert run("log", "compact", "--all", "--rebuild") == "compacted 3 entries\n"
    assert json.loads(run("log", "query", "-o", "json", "--columns", "decision_id", "--limit", "1")) == [
        {"decision_id": "d-2"}
    ]


def test_erasing_reaches_the_parquet_files(log: str) -> None:
    run("log", "compact", "--all")
    run("log", "erase", "d-1", "--reason", "asked for")
    for path in Path(log).rglob("cold/rows/**/*.parquet"):
        assert duckdb.execute(
            "SELECT count(*) FROM read_parquet($1) WHERE decision_id = 'd-1'", [str(path)]
        ).fetchone() == (0,)
    assert "was erased" in run("explain", "d-1", status=2)


@pytest.mark.usefixtures("log")
def test_explain_a_denial() -> None:
    assert run("explain", "d-1") == (
        "deny · Deployment/web · kubernetes.object in payments · m.yaml:1\n"
        "  Denied: 1 finding of enforced policies.\n"
        "\n"
        "  decision  d-1\n"
        "  time      2026-03-01T09:00:00Z, in 1 ms\n"
        "  by        solon 0.1.0 (solon/check)\n"
        "  subject   k8s:///payments/Deployment/web\n"
        "  team      payments, ann, prod\n"
        "  policies  base@r1; 3 applied\n"
        "  posture   closed\n"
        "  log       entry 1 of shard 0001, in no checkpoint yet\n"
        "  in force  not known: the decision does not say under what it was taken\n"
        "\n"
        "  ✗ labels.required  high  denies it\n"
        "    labels.required says no\n"
        "    at m.yaml:7 /metadata\n"
        "    stage: enforce\n"
        "    fix: Add a label.\n"
    )


@pytest.mark.usefixtures("log")
def test_explain_a_waiver() -> None:
    text = run("explain", "d-2")
    assert "  Allowed: no policy that applies denies it (1 waived).\n" in text
    assert "    stage: enforce by rollout labels, scope fleet; enforced from 2026-02-01T00:00:00Z\n" in text
    assert "    waiver: w-7, until 2026-04-01T00:00:00Z (waivers/pay.yaml:3)\n" in text
    assert "    why: waived by w-7\n" in text


@pytest.mark.usefixtures("log")
def test_explain_as_json() -> None:
    found = json.loads(run("explain", "d-1", "-o", "json"))
    assert found["schema"] == "solon.explain/v1"
    assert (found["decision_id"], found["outcome"], found["allow"]) == ("d-1", "deny", False)
    assert found["revisions"] == {"base": "r1"}
    assert found["findings"][0]["remediation"] == "Add a label."
    assert found["log"]["index"] == 1


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"outcome": "error", "findings": [finding("a", "error")]}, "1 policy failed, and the posture is closed, so it was stopped."),
        ({"outcome": "warn", "findings": [finding("a", "warn")] * 2}, "Allowed, with 2 warnings: nothing that was violated is enforced here."),
        ({"outcome": "warn", "findings": [finding("a", "overridden", ruling={"breakglass": "bg-1"})]}, "Let pass by break-glass, in spite of 1 finding."),
        ({"outcome": "allow"}, "Allowed: no policy that applies denies it."),
    ],
)  # fmt: skip
def test_the_outcome_in_a_sentence(tmp_path: Path, more: dict[str, Any], says: str) -> None:
    log_of(tmp_path / "log", [event(0, "2026-03-01T08:00:00Z", **more)])
    assert says in run("explain", "d-0", "--log", str(tmp_path / "log"))


def test_explain_an_event_of_opa(tmp_path: Path) -> None:
    opa = {"decision_id": "o-1", "timestamp": "2026-03-01T08:00:00Z", "path": "app/allow", "result": False,
           "labels": {"id": "opa"}, "solon": None, "bundles": {"authz": {}}}  # fmt: skip
    log_of(tmp_path / "log", [opa])
    text = run("explain", "o-1", "--log", str(tmp_path / "log"))
    assert text.startswith("deny · app/allow\n  It is an event of OPA's, which says what was asked")
    assert "  policies  authz\n" in text


@pytest.mark.usefixtures("log")
def test_an_id_that_is_not_there() -> None:
    assert "no decision of that id" in run("explain", "nothing", status=2)


@pytest.mark.usefixtures("log")
def test_metrics() -> None:
    text = run("log", "metrics")
    assert text.startswith("3 decisions: 2 allow, 1 deny · 2026-03-01 to 2026-03-02\n")
    assert "labels.required  payments  deny" in text
    assert "solon_decisions_total" in run("log", "metrics", "-o", "prometheus")
    assert json.loads(run("log", "metrics", "-o", "json"))["decisions"] == {"allow": 2, "deny": 1}
    assert "covers the whole log" in run("log", "metrics", "-o", "prometheus", "--since", "1d", status=2)
