"""solon audit --models: live versions, judged again by the evidence that was kept of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from local_http import LocalServer, Response
from ml_releases import write_evidence, write_release

from solon.decisions.log import settings
from solon.decisions.log.note import SigningKey

# Of a module that apprise imports.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

Solon = Callable[..., Any]

POLICY = """# METADATA
# custom:
#   subject: ml.release
#   remediation: Lower the risk
package ml.risk

deny contains {"msg": sprintf("risk is %s", [input.release.risk])} if input.release.risk in {"high"}

deny contains {"msg": "the files were not compared"} if not input.model.verified

deny contains {"msg": "nobody vouches for the evidence"} if {
	input.release.labels.sure == "yes"
	not input.collected_by.verified
}
"""
STRICTER = POLICY.replace('{"high"}', '{"high", "limited"}')
SERVES = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: income
  namespace: credit
  labels: {team: serving}
  annotations: {ml-platform/registered-model: adult-income, ml-platform/model-version: "3"}
spec:
  template: {spec: {containers: [{name: main}]}}
"""
SETTINGS = """\
policies: [policy]
log: decisions
models: {collectors: [gate.pub.pem]}
notify: {channels: {"*": ["json://${HOOK}/rest"], credit: ["json://${HOOK}/credit"], serving: ["json://${HOOK}/serving"]}, per_minute: 600}
"""


@pytest.fixture
def server() -> Iterator[LocalServer]:
    with LocalServer() as running:
        running.application = lambda _request: Response(200)
        yield running


@pytest.fixture
def here(solon: Solon, server: LocalServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A version that was let pass with a limited risk, and a deployment that serves it."""
    monkeypatch.setenv("HOOK", server.url.removeprefix("http://"))
    monkeypatch.setenv("SOLON_GATE_KEY", str(tmp_path / "keys/gate.pem"))
    (tmp_path / "solon.yaml").write_text(SETTINGS)
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy/risk.rego").write_text(POLICY)
    settings.create("decisions", SigningKey("example.com/x", bytes(32)))
    assert solon("model", "keygen").status == 0
    gated(solon, tmp_path / "release")
    (tmp_path / "live.yaml").write_text(SERVES)
    return tmp_path


def gated(solon: Solon, directory: Path, status: int = 0, **declared: Any) -> str:
    """The digest of its model."""
    evidence = write_evidence(write_release(directory, **{"risk": "limited", **declared}))
    assert solon("model", "gate", str(directory)).status == status
    return evidence.model.digest


def found(ran: Any) -> dict[str, list[str]]:
    """The messages of each subject."""
    return {
        subject["subject"]: [each["message"] for each in subject["violations"]]
        for owner in json.loads(ran.out)["owners"]
        for subject in owner["subjects"]
    }


def audit(solon: Solon, *more: str) -> Any:
    return solon("audit", "--models", "live.yaml", "--format", "json", *more)


def told(server: LocalServer) -> list[tuple[str, str]]:
    sent = sorted((request.path, request.body["message"]) for request in server.requests)
    server.requests.clear()
    return sent


@pytest.mark.usefixtures("here")
def test_while_nothing_changes_what_was_let_pass_complies(solon: Solon, server: LocalServer) -> None:
    ran = solon("audit", "--models", "live.yaml", "--notify")
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.startswith("1 deployed subject: all comply\n")
    assert told(server) == []


def test_when_policies_change_the_owner_is_told_once(solon: Solon, here: Path, server: LocalServer) -> None:
    (here / "policy/risk.rego").write_text(STRICTER)
    ran = solon("audit", "--models", "live.yaml", "--notify")
    assert (ran.status, ran.err) == (1, "")
    assert "credit · told on notify.channels.credit[0] (json)\n  ✗ adult-income 3\n" in ran.out
    (sent,) = told(server)
    assert sent == (
        "/credit",
        "adult-income 3\n  would be denied: ml.risk.deny: risk is limited\n  fix: Lower the risk",
    )
    again = solon("audit", "--models", "live.yaml", "--notify")
    assert again.status == 1
    assert again.out.startswith("1 deployed subject: 1 does not comply, as owners know")
    assert told(server) == []


def test_when_data_change_all_are_judged_again(solon: Solon, here: Path) -> None:
    (here / "policy/data").mkdir()
    (here / "policy/data/risks.yaml").write_text("risks: [high]\n")
    (here / "policy/risk.rego").write_text(POLICY.replace('{"high"}', "data.risks"))
    assert audit(solon).status == 0
    (here / "policy/data/risks.yaml").write_text("risks: [high, limited]\n")
    assert found(audit(solon)) == {"model://local/adult-income/3": ["risk is limited"]}


def test_what_nothing_is_known_of(solon: Solon, here: Path, server: LocalServer) -> None:
    (here / "live.yaml").write_text(SERVES.replace('"3"', '"4"'))
    ran = audit(solon, "--notify")
    assert ran.status == 1
    assert found(ran) == {
        "model://unknown/adult-income/4": [
            "live, and nothing is known of it: no evidence is kept of adult-income 4"
        ]
    }
    (sent,) = told(server)
    assert sent[0] == "/serving"  # the team of what serves it
    assert "fix: Gather its evidence and gate it" in sent[1]
    assert audit(solon, "--notify").status == 1
    assert told(server) == []


def test_to_look_at_the_log_in_between_tells_nobody_twice(
    solon: Solon, here: Path, server: LocalServer
) -> None:
    """That a version is live is asked with --models alone; what an owner knows of it stays known."""
    other = "sha256:" + "0" * 64
    text = SERVES.replace('model-version: "3"', f'model-version: "3", solon.dev/model-digest: "{other}"')
    (here / "live.yaml").write_text(text)
    (here / "policy/risk.rego").write_text(STRICTER)
    heard = []
    for _ in range(3):
        audit(solon, "--notify")
        by_log = solon("audit", "--notify", "--format", "json")
        assert found(by_log) == {"model://local/adult-income/3": ["risk is limited"]}
        heard.append([message.splitlines()[1].split(":")[1].strip() for _, message in told(server)])
    assert heard == [["ml.risk.deny", "solon.live_model"], [], []]
    entries = solon("log", "query", "--path", "solon/audit", "-o", "json")
    assert len(json.loads(entries.out)) == 2


def test_what_nobody_can_name(solon: Solon, here: Path) -> None:
    (here / "live.yaml").write_text(SERVES.replace(', ml-platform/model-version: "3"', ""))
    assert found(audit(solon)) == {
        "model://unknown/k8s%3A%2F%2Fmanifests%2Fcredit%2FDeployment%2Fincome/-": [
            "live, and nothing is known of it: it names no version"
        ]
    }


def test_evidence_about_other_files_is_refused(solon: Solon, here: Path) -> None:
    other = "sha256:" + "0" * 64
    text = SERVES.replace('model-version: "3"', f'model-version: "3", solon.dev/model-digest: "{other}"')
    (here / "live.yaml").write_text(text)
    ran = audit(solon)
    assert ran.status == 1
    ((refused,),) = found(ran).values()
    assert refused.startswith("live, and its evidence is refused: it is about other files (sha256:")
    assert refused.endswith(f"than those that are live ({other})")


def test_of_several_the_evidence_about_the_live_files_counts(solon: Solon, here: Path) -> None:
    """The same version, released once more with other files: which of them is live, the deployment says."""
    (here / "again").mkdir()
    first = json.loads((here / "release/evidence.json").read_text())["model"]["digest"]
    evidence = write_release(here / "again/release", risk="limited", labels={"sure": "yes"})
    (evidence / "model/config.json").write_text('{"layers": 3}\n')
    write_evidence(evidence)
    assert solon("model", "gate", "again/release").status == 1  # nobody signed the evidence
    second = json.loads((evidence / "evidence.json").read_text())["model"]["digest"]
    assert first != second
    assert audit(solon).status == 0  # where nobody says, what was let pass is live
    annotation = 'model-version: "3", solon.dev/model-digest: "'
    (here / "live.yaml").write_text(SERVES.replace('model-version: "3', f"{annotation}{first}"))
    assert audit(solon).status == 0
    (here / "live.yaml").write_text(SERVES.replace('model-version: "3', f"{annotation}{second}"))
    (messages,) = found(audit(solon)).values()
    assert "live, and the log has no decision that let these files pass" in messages


def test_what_no_gate_let_pass(solon: Solon, here: Path) -> None:
    gated(solon, here / "denied", status=1, version="5", risk="high")
    (here / "live.yaml").write_text(SERVES.replace('"3"', '"5"'))
    ran = audit(solon)
    assert found(ran)["model://local/adult-income/5"] == [
        "risk is high",
        "live, and the log has no decision that let these files pass",
    ]


def test_what_no_gate_has_seen(solon: Solon, here: Path) -> None:
    write_evidence(write_release(here / "release-5", version="5"))
    from solon.evidence.store import Store

    Store(".solon/releases").put((here / "release-5/evidence.json").read_bytes())
    (here / "live.yaml").write_text(SERVES.replace('"3"', '"5"'))
    assert found(audit(solon)) == {
        "model://local/adult-income/5": ["live, and the log has no decision that let these files pass"]
    }


def test_evidence_that_does_not_fit_itself_is_refused(solon: Solon, here: Path) -> None:
    (kept,) = (here / ".solon/releases/evidence").iterdir()
    document = json.loads(kept.read_text())
    document["evidence"]["artifacts"]["measured"][0]["digest"] = "sha256:" + "1" * 64
    from solon.evidence.store import Store

    document["collected_at"] = "2027-01-01T00:00:00Z"
    Store(".solon/releases").put(json.dumps(document).encode())
    (messages,) = found(audit(solon)).values()
    assert messages == [
        "live, and its evidence is refused: artifacts: measured of another model than the files that lie here now"
    ]


def test_a_signature_that_the_gate_verified_counts_while_its_key_is_trusted(solon: Solon, here: Path) -> None:
    directory = write_release(here / "signed", version="6", risk="minimal", labels={"sure": "yes"})
    solon("model", "collect", "signed", "--key", "keys/gate.pem")
    assert (directory / "evidence.dsse.json").exists()
    assert solon("model", "gate", "signed").status == 0
    (here / "live.yaml").write_text(SERVES.replace('"3"', '"6"'))
    assert found(audit(solon)) == {}
    (here / "solon.yaml").write_text(SETTINGS.replace("{collectors: [gate.pub.pem]}", "{}"))
    assert found(audit(solon)) == {"model://local/adult-income/6": ["nobody vouches for the evidence"]}


WAIVER = """\
- id: replaced
  policy: {policy}
  scope: {team: serving}
  owner: anna
  reason: it is replaced this week
  approved_by: bob
  created: 2026-11-01
  expires: 2099-01-01
"""


@pytest.mark.parametrize("policy", ["solon.live_model", "solon.*"])
def test_waivers_apply(policy: str, solon: Solon, here: Path) -> None:
    (here / "live.yaml").write_text(SERVES.replace('"3"', '"4"'))
    assert audit(solon).status == 1
    (here / "waivers").mkdir()
    (here / "waivers/live.yaml").write_text(WAIVER.replace("{policy}", f'"{policy}"'))
    with (here / "solon.yaml").open("a") as file:
        file.write("waivers: {paths: [waivers], longest: {high: 99999d}}\n")
    ran = audit(solon)
    assert (ran.status, ran.err) == (0, "")
    assert found(ran) == {}
    assert "no policy is called so" not in solon("waivers", "check").out


def test_a_rollout_of_other_policies_silences_nothing(solon: Solon, here: Path) -> None:
    (here / "rollouts").mkdir()
    (here / "rollouts/risk.yaml").write_text(
        "policy: ml.risk.deny\nscopes: [{name: all, stages: [{stage: warn, from: 2026-01-01}]}]\n"
    )
    (here / "policy/risk.rego").write_text(STRICTER)
    (here / "live.yaml").write_text(SERVES + "---\n" + SERVES.replace('"3"', '"4"'))
    ran = audit(solon)
    assert ran.err == ""
    outcomes = {
        subject["subject"]: [each["outcome"] for each in subject["violations"]]
        for owner in json.loads(ran.out)["owners"]
        for subject in owner["subjects"]
    }
    assert outcomes == {"model://local/adult-income/3": ["warn"], "model://unknown/adult-income/4": ["deny"]}


def test_what_mlflow_has_live(solon: Solon, here: Path, server: LocalServer) -> None:
    aliases = [{"alias": "champion", "version": "3"}]
    registered = {"name": "adult-income", "aliases": aliases, "latest_versions": [{"version": "3"}]}
    server.application = lambda _request: Response(200, {"registered_models": [registered]})
    (here / "policy/risk.rego").write_text(STRICTER)
    ran = solon("audit", "--mlflow", server.url, "--format", "json")
    assert found(ran) == {"model://local/adult-income/3": ["risk is limited"]}
    assert solon("audit", "--mlflow", server.url, "--alias", "other").status == 0


def test_what_cannot_be_read_is_not_passed_over(solon: Solon, here: Path) -> None:
    (here / "live.yaml").write_text("a: [")
    ran = audit(solon)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.endswith("solon: nothing was audited: put this right first\n")
    (kept,) = (here / ".solon/releases/evidence").iterdir()
    kept.write_text("{}")
    (here / "live.yaml").write_text(SERVES)
    ran = audit(solon)
    assert ran.status == 2
    assert "is not the evidence that was kept under this name" in ran.err


def test_without_any_policy_what_is_live_must_be_known(solon: Solon, here: Path) -> None:
    (here / "policy/risk.rego").unlink()
    (here / "policy/other.rego").write_text("package other\n\nx := 1\n")
    assert audit(solon).status == 0
    (here / "live.yaml").write_text(SERVES.replace('"3"', '"4"'))
    assert audit(solon).status == 1
