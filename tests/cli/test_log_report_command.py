"""solon log report: the documents, the pack, and that what it says can be verified."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from decision_events import event, finding, log_of

Solon = Callable[..., Any]
HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=y>\"'&{{ 7*7 }}{% raw %}\u202e\x1b[31m|`](javascript:x)"
)
POLICY = """# METADATA
# title: What serves <b>customers</b> runs more than once
# custom:
#   severity: high
#   owner: platform
#   controls: ["EU-AI-Act:Art.12", "SOC2:CC8.1"]
package main

deny contains "no" if input.never
"""
SETS = {"conftest:policy": "r1"}
QUARTER = ("--from", "2026-07-01", "--to", "2026-10-01")


def at(number: int, when: str, *findings: dict[str, Any], **more: Any) -> dict[str, Any]:
    words = {each["outcome"] for each in findings}
    outcome = next((word for word in ("deny", "error") if word in words), "allow")
    more.setdefault("bundles", SETS)
    return event(number, f"{when}T09:00:00Z", outcome, findings=findings, **more)


DENIED = finding("main.deny", message=HOSTILE)
WAIVED = finding(
    "main.deny",
    "waived",
    ruling={"waiver": f"w-{HOSTILE}", "waiver_expires": "2026-12-15T00:00:00Z", "because": HOSTILE},
)
TOKEN = finding("main.deny", "overridden", ruling={"breakglass": "bg-1", "because": "outage"})
EVENTS = [
    at(1, "2026-07-01", DENIED),
    at(2, "2026-07-02", name=f"Job/{HOSTILE}", team=HOSTILE, requested_by=HOSTILE),
    at(3, "2026-07-03", WAIVED),
    at(4, "2026-07-06", TOKEN),
    at(5, "2026-07-07", finding("main.deny", "error", message=HOSTILE)),
    at(6, "2026-10-01", DENIED),
]


@pytest.fixture(autouse=True)
def _repository(tmp_path: Path) -> None:
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy" / "main.rego").write_text(POLICY)
    (tmp_path / "solon.yaml").write_text("policies: [policy]\nlog: log\n")
    log = log_of(tmp_path / "log", EVENTS)
    log.integrate()
    log.close()


class Page(HTMLParser):
    """The elements of a page, and all its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in {"meta", "wbr"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_page_that_needs_nothing_beside_it(solon: Solon) -> None:
    ran = solon("log", "report", *QUARTER, "--format", "html")
    assert ran.status == 0
    page = Page(ran.out)
    assert page.open == []
    names = {tag for tag, _ in page.tags}
    assert names <= {
        "html", "head", "meta", "title", "style", "body", "a", "header", "div", "p", "h1", "h2", "h3", "strong", "span", "dl",
        "dt", "dd", "main", "ul", "li", "b", "table", "caption", "thead", "tbody", "tr", "th", "td", "section", "figure",
        "figcaption", "svg", "text", "rect", "wbr", "pre", "footer",
    }  # fmt: skip
    for _, attributes in page.tags:
        assert not {
            name for name in attributes if name.startswith("on") or name in {"src", "srcset", "style"}
        }
        assert (attributes.get("href") or "#").startswith("#")
    assert "url(" not in ran.out
    assert "@import" not in ran.out
    (policy,) = [
        a for tag, a in page.tags if tag == "meta" and a.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy["content"] == "default-src 'none'; style-src 'unsafe-inline'"


def test_links_of_the_page_lead_somewhere(solon: Solon) -> None:
    page = Page(solon("log", "report", *QUARTER, "--format", "html").out)
    targets = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    links = {(attributes.get("href") or "")[1:] for tag, attributes in page.tags if tag == "a"}
    assert links <= targets
    assert len(links) > 8


def test_what_others_wrote_is_shown_and_nothing_else(solon: Solon) -> None:
    ran = solon("log", "report", *QUARTER, "--format", "html")
    page = Page(ran.out)
    assert page.text.count("<script>alert(1)</script><img src=x onerror=y>\"'&{{ 7*7 }}{% raw %}") >= 4
    for bad in ("\u202e", "\x1b"):
        assert bad not in ran.out
    assert "<b>customers" not in ran.out


def test_hostile_texts_in_markdown(solon: Solon) -> None:
    out = solon("log", "report", *QUARTER, "--format", "markdown").out
    for bad in ("<script", "<img", "\u202e", "\x1b", "](javascript"):
        assert bad not in out
    rows = [line for line in out.splitlines() if line.startswith("| ")]
    assert rows
    for row in rows:
        assert row.endswith(" |")


def test_the_evidence_of_a_control(solon: Solon) -> None:
    ran = solon("log", "report", "--control", "SOC2:*", *QUARTER, "--format", "json")
    said = json.loads(ran.out)
    assert said["schema"] == "solon.audit/v1"
    assert (said["start"], said["end"]) == ("2026-07-01T00:00:00Z", "2026-10-01T00:00:00Z")
    (control,) = said["controls"]
    assert (control["name"], control["policies"], control["decisions"]) == ("SOC2:CC8.1", ["main.deny"], 5)
    assert control["outcomes"] == {"deny": 1, "waived": 1, "overridden": 1, "error": 1}
    assert control["whole"] is False
    assert control["shortcomings"] == [
        "85 days without a decision, where decisions are usual: 2026-07-08 to 2026-09-30.",
        "A policy that carries it failed in 1 decision.",
    ]
    assert said["policies_from"] == "repository"
    assert said["log"]["verified"] is True
    assert any(each.startswith("That these policies carried the control") for each in said["not_proven"])


def test_oscal_is_what_others_read(solon: Solon, tmp_path: Path) -> None:
    pytest.importorskip("trestle", reason="compliance-trestle is not installed")
    assert solon("log", "report", *QUARTER, "--format", "oscal", "--output", "a.json").status == 0
    program = (
        "import sys; from trestle.oscal.assessment_results import Model\n"
        "found = Model.model_validate_json(sys.stdin.read()).assessment_results\n"
        "print(found.results[0].findings[0].target.status.state.value, len(found.results[0].observations))"
    )
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        input=(tmp_path / "a.json").read_text(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stdout) == (0, "not-satisfied 11\n"), run.stderr


def test_oscal_names_controls_as_tokens(solon: Solon) -> None:
    said = json.loads(solon("log", "report", *QUARTER, "--format", "oscal").out)["assessment-results"]
    assert said["metadata"]["oscal-version"] == "1.1.3"
    (result,) = said["results"]
    (selected,) = result["reviewed-controls"]["control-selections"]
    assert [each["control-id"] for each in selected["include-controls"]] == ["EU-AI-Act_Art.12", "SOC2_CC8.1"]
    labels = [p["value"] for each in result["findings"] for p in each["props"] if p["name"] == "label"]
    assert labels == ["EU-AI-Act:Art.12", "SOC2:CC8.1"]
    known = {each["uuid"] for each in result["observations"]}
    used = {
        each["observation-uuid"] for finding in result["findings"] for each in finding["related-observations"]
    }
    assert used <= known
    resources = {f"#{each['uuid']}" for each in said["back-matter"]["resources"]}
    assert said["import-ap"]["href"] in resources
    evidence = {each["href"] for o in result["observations"] for each in o["relevant-evidence"]}
    assert evidence <= resources


# --- the pack


def test_a_pack_is_verified_by_its_own_commands(solon: Solon, tmp_path: Path) -> None:
    marked = solon("incident", "add", "d-1", "--kind", "wrong", "--reason", HOSTILE).out.split(":")[0]
    ran = solon("log", "report", *QUARTER, "--output", "pack")
    assert ran.status == 0, ran.err
    assert ran.out == "pack: 2 controls, 5 decisions: the evidence of 2 is not whole\n"
    pack = tmp_path / "pack"
    files = {str(path.relative_to(pack)) for path in pack.rglob("*") if path.is_file()}
    assert files == {
        "README.md", "SHA256SUMS", "assessment-results.json", "checkpoints/0001.txt", "checkpoints/meta.txt", "decisions.csv",
        "decisions.parquet", "log.pub", "proofs/breakglass.tlog-proof", "proofs/denials.tlog-proof",
        "proofs/errors.tlog-proof", "proofs/incidents.tlog-proof", "proofs/sample.tlog-proof", "proofs/waived.tlog-proof",
        "report.html", "report.json", "verification.json",
    }  # fmt: skip
    sums = dict(reversed(line.split("  ", 1)) for line in (pack / "SHA256SUMS").read_text().splitlines())
    assert set(sums) == files - {"SHA256SUMS"}
    for name, digest in sums.items():
        assert hashlib.sha256((pack / name).read_bytes()).hexdigest() == digest
    for name in sorted(files):
        if name.startswith("proofs/"):
            ran = solon("log", "verify", "--proof", f"pack/{name}", "--key", "pack/log.pub")
            assert ran.status == 0
            assert ran.out.startswith(f"✓ pack/{name}: ")
    assert (
        marked
        in solon("log", "verify", "--proof", "pack/proofs/incidents.tlog-proof", "--key", "pack/log.pub").out
    )
    ran = solon(
        "log", "verify", "--log", "log", "--key", "pack/log.pub", "--checkpoint", "pack/checkpoints/meta.txt"
    )
    assert (ran.status, "Continues 1 checkpoint" in ran.out) == (0, True)
    rows = list(csv.DictReader(io.StringIO((pack / "decisions.csv").read_text())))
    assert [row["decision_id"] for row in rows] == ["d-1", "d-2", "d-3", "d-4", "d-5"]
    assert json.loads((pack / "verification.json").read_text())["valid"] is True
    commands = re.search(r"```sh\n(.*?)```", (pack / "README.md").read_text(), re.DOTALL)
    assert commands
    assert "solon log report --log LOG --from 2026-07-01 --to 2026-10-01 --output again" in commands[1]


def test_a_pack_has_a_name_of_its_own(solon: Solon, tmp_path: Path) -> None:
    arguments = ("log", "report", "--control", "EU-AI-Act:*", "--control", "SOC2:CC8.1", *QUARTER)
    name = "audit-EU-AI-Act_-SOC2_CC8.1-2026-07-01-2026-10-01"
    assert solon(*arguments).out.startswith(f"{name}: 2 controls, ")
    assert (tmp_path / name / "report.html").exists()
    before = sorted(os.listdir(tmp_path))
    ran = solon(*arguments)
    assert (ran.status, ran.err) == (
        2,
        f"solon: {name}: is there already: a pack goes into a new directory, --output DIR\n",
    )
    assert sorted(os.listdir(tmp_path)) == before


def test_proofs_can_do_without_events(solon: Solon, tmp_path: Path) -> None:
    assert solon("log", "report", *QUARTER, "--output", "pack", "--no-events", "--proofs", "1").status == 0
    for path in (tmp_path / "pack" / "proofs").iterdir():
        assert path.read_text().count("c2sp.org/tlog-proof@v1") == 1
        assert (
            "its event"
            not in solon("log", "verify", "--proof", str(path), "--key", "pack/log.pub").out.splitlines()[0]
        )
    text = (tmp_path / "pack" / "README.md").read_text()
    assert "without their events, which were left out" in text


def test_a_pack_of_a_log_that_was_changed_says_so(solon: Solon, tmp_path: Path) -> None:
    (segment,) = (tmp_path / "log" / "shards" / "0001" / "segments").glob("*.seg")
    segment.write_bytes(segment.read_bytes().replace(b"main.deny", b"main.denx", 1))
    ran = solon("log", "report", *QUARTER, "--output", "pack")
    assert ran.status == 1
    assert ran.out.endswith("the log does not verify\n")
    said = json.loads((tmp_path / "pack" / "report.json").read_text())
    assert said["sound"] is False
    assert "entry 0 (d-1)" in " ".join(said["log"]["problems"])
    assert "The log does not verify" in (tmp_path / "pack" / "README.md").read_text()


def test_a_log_that_does_not_verify_is_said_first(solon: Solon, tmp_path: Path) -> None:
    for tile in (tmp_path / "log" / "shards" / "0001" / "tile" / "0").rglob("*"):
        if tile.is_file():
            tile.write_bytes(bytes([tile.read_bytes()[0] ^ 1]) + tile.read_bytes()[1:])
    ran = solon("log", "report", *QUARTER, "--format", "html")
    assert ran.status == 1
    assert "The log does not verify" in ran.out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--control", "X"], "--control X: no policy carries it; there are EU-AI-Act:Art.12, SOC2:CC8.1"),
        (["--from", "2026-10-01", "--to", "2026-07-01"], "--from 2026-10-01 is not before --to 2026-07-01"),
        (
            ["--from", "soon"],
            "--from soon: write how long ago, such as 90d or 12h, or a date, such as 2026-09-01",
        ),
        (["--output", "policy"], "policy: is there already: a pack goes into a new directory, --output DIR"),
        (["--output", "no/where"], "no such file or directory"),
        (["--log", "nowhere"], "nowhere: is no log"),
        (["--checkpoint", "nothing"], "nothing: no such file or directory"),
    ],
)
def test_what_cannot_be_reported(solon: Solon, arguments: list[str], says: str) -> None:
    ran = solon("log", "report", *arguments)
    assert (ran.status, ran.out) == (2, "")
    assert says in ran.err
    assert ran.err.count("\n") == 1


def test_a_pack_that_fails_leaves_nothing(solon: Solon, tmp_path: Path) -> None:
    before = sorted(os.listdir(tmp_path))
    assert solon("log", "report", "--control", "X", "--output", "pack").status == 2
    assert sorted(os.listdir(tmp_path)) == before


def test_without_a_repository_everything_is_looked_at(solon: Solon, tmp_path: Path) -> None:
    (tmp_path / "solon.yaml").write_text("log: log\n")
    ran = solon("log", "report", *QUARTER, "--format", "markdown")
    assert ran.status == 0
    assert "No policies are known." in ran.out
    ran = solon("log", "report", "--control", "SOC2:CC8.1")
    assert "no policy names a control" in ran.err


def test_without_a_beginning_what_was_in_force_first_is_in_the_period(solon: Solon, tmp_path: Path) -> None:
    (tmp_path / "pod.yaml").write_text("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n")
    solon("log", "init", "new", "--name", "x/y")
    assert solon("check", "--log", "new", "pod.yaml").status == 0
    said = json.loads(solon("log", "report", "--log", "new", "--format", "json").out)
    assert "policy set" in {each["kind"] for each in said["changes"]}
    assert not [each for each in said["not_proven"] if each.startswith("What was in force before")]
    assert said["controls"][0]["decisions"] == 1
    assert said["whole"] is True


def test_what_was_in_force_is_read_from_the_log(solon: Solon, tmp_path: Path) -> None:
    (tmp_path / "pod.yaml").write_text("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n")
    assert solon("check", "--log", "log", "pod.yaml").status == 0
    (tmp_path / "policy" / "main.rego").write_text(POLICY.replace('"SOC2:CC8.1"', '"SOC2:CC9"'))
    said = json.loads(solon("log", "report", "--format", "json").out)
    assert said["policies_from"] == "log"
    assert [each["name"] for each in said["controls"]] == ["EU-AI-Act:Art.12", "SOC2:CC8.1"]
    assert {each["kind"] for each in said["changes"]} >= {"policy set"}
    assert any(each.startswith("What was in force before") for each in said["not_proven"])
