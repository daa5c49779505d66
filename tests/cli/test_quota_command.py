"""solon quota reserve, list, confirm and release."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from solon.cli import governed

LIBRARY = Path(__file__).parents[2] / "library"
NOON = int(datetime(2026, 11, 2, 12, tzinfo=UTC).timestamp()) * 10**9

Solon = Callable[..., Any]

JOB = """\
apiVersion: batch/v1
kind: Job
metadata: {name: train, namespace: fraud, labels: {team: fraud}}
spec:
  parallelism: 4
  template:
    spec:
      containers: [{name: main, resources: {limits: {nvidia.com/gpu: 3}}}]
"""
NOTHING = "apiVersion: v1\nkind: List\nitems: []\n"


class Clock:
    now = NOON

    def after(self, **time: int) -> None:
        self.now += int(timedelta(**time).total_seconds()) * 10**9


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(governed, "clock", lambda: found.now)
    return found


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A repository with the quota alone: team fraud may hold 16."""
    for name in ("kubernetes/gpu_quota.rego", "lib/kubernetes.rego", "data/gpu-quota.yaml"):
        target = tmp_path / "policy" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text((LIBRARY / name).read_text())
    (tmp_path / "solon.yaml").write_text("policies: [policy]\nquota: {ledger: quota.db}\n")
    (tmp_path / "job.yaml").write_text(JOB)
    (tmp_path / "running.yaml").write_text(NOTHING)
    return tmp_path


def reserve(solon: Solon, *more: str, job: str = "job.yaml") -> Any:
    return solon("quota", "reserve", job, "--inventory", "running.yaml", "--owner", "anna", *more)


def granted(solon: Solon, *more: str, job: str = "job.yaml") -> dict[str, Any]:
    ran = reserve(solon, "--format", "json", *more, job=job)
    assert ran.status == 0, ran.out + ran.err
    found = json.loads(ran.out)["reservation"]
    assert isinstance(found, dict)
    return found


def message(ran: Any) -> str:
    findings = json.loads(ran.out)["check"]["decisions"][0]["findings"]
    assert len(findings) == 1
    return str(findings[0]["message"])


@pytest.mark.usefixtures("here")
def test_what_is_reserved_counts(solon: Solon) -> None:
    ran = reserve(solon)
    id = ran.out.split(" as ")[1].split()[0]
    assert (ran.status, ran.err) == (0, "solon: quota.db: a new ledger of reservations\n")
    assert ran.out.split("\n\n")[1] == (
        f"Reserved 12 GPUs of team fraud as {id} for Job/train, until 2026-11-02 12:30 UTC.\n"
        f"Submit it with the label solon.dev/reservation: {id}\n"
    )
    again = reserve(solon, "--format", "json")
    assert (again.status, again.err) == (1, "")
    assert json.loads(again.out)["reservation"] is None
    assert message(again) == (
        f"asks for 12 GPUs; team fraud may hold 16 and holds 12 (Job/train reserved as {id}: 12), so this is 8 too many"
    )
    assert reserve(solon).out.endswith("\n\nNothing is reserved.\n")


@pytest.mark.usefixtures("here")
def test_it_is_free_when_released_or_over(solon: Solon, clock: Clock) -> None:
    first = granted(solon)
    ended = solon("quota", "release", first["id"])
    assert (ended.status, ended.out) == (0, f"{first['id']}: 12 GPUs of team fraud are free\n")
    granted(solon, "--for", "2h")
    clock.after(minutes=119)
    assert reserve(solon).status == 1
    clock.after(minutes=1)
    granted(solon)


def test_what_runs_with_its_label_counts_once(solon: Solon, here: Path) -> None:
    found = granted(solon, "--output", "labelled.json")
    labelled = json.loads((here / "labelled.json").read_text())
    assert labelled["metadata"]["labels"] == {"team": "fraud", "solon.dev/reservation": found["id"]}
    assert labelled["spec"] == yaml.safe_load(JOB)["spec"]
    (here / "running.yaml").write_text(json.dumps(labelled))
    (here / "four.yaml").write_text(
        JOB.replace("parallelism: 4", "parallelism: 1").replace("gpu: 3", "gpu: 5").replace("train", "other")
    )
    assert message(reserve(solon, "--format", "json", job="four.yaml")) == (
        "asks for 5 GPUs; team fraud may hold 16 and holds 12 (Job/train: 12), so this is 1 too many"
    )
    listed = solon("quota", "list", "--inventory", "running.yaml", "--format", "json")
    assert [each["state"] for each in json.loads(listed.out)["reservations"]] == ["running"]


def test_confirmed_it_counts_as_what_runs_alone(solon: Solon, here: Path) -> None:
    found = granted(solon)
    (here / "running.yaml").write_text(JOB.replace("name: train", "name: renamed"))
    assert "holds 24" in message(reserve(solon, "--format", "json"))
    assert solon("quota", "confirm", found["id"]).out == (
        f"{found['id']}: 12 GPUs of team fraud count as what runs from now on\n"
    )
    assert "holds 12 (Job/renamed: 12)" in message(reserve(solon, "--format", "json"))


@pytest.mark.parametrize("reason", ["suspend", "pending", "queued by Kueue"])
def test_what_is_queued_counts(reason: str, solon: Solon, here: Path) -> None:
    job = yaml.safe_load(JOB.replace("train", "waiting"))
    if reason == "suspend":
        job["spec"]["suspend"] = True
        queued = [job]
    elif reason == "pending":
        pod = job["spec"]["template"]["spec"]
        pod["containers"] *= 4
        queued = [
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": job["metadata"],
                "spec": pod,
                "status": {"phase": "Pending"},
            }
        ]
    else:
        template = job["spec"]["template"]
        metadata = {
            "name": "trainjob-waiting-3f2a1",
            "namespace": "fraud",
            "ownerReferences": [
                {"apiVersion": "trainer.kubeflow.org/v1alpha1", "kind": "TrainJob", "name": "waiting"}
            ],
        }
        queued = [
            {
                "apiVersion": "kueue.x-k8s.io/v1beta1",
                "kind": "Workload",
                "metadata": metadata,
                "spec": {"active": True, "podSets": [{"name": "node", "count": 4, "template": template}]},
                "status": {"conditions": [{"type": "QuotaReserved", "status": "False", "reason": "Pending"}]},
            }
        ]
    (here / "running.yaml").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": queued}))
    assert "team fraud may hold 16 and holds 12 (" in message(reserve(solon, "--format", "json"))


@pytest.mark.usefixtures("here")
def test_list_is_for_people(solon: Solon) -> None:
    assert solon("quota", "list").out == "Nothing is reserved.\n"
    first = granted(solon)
    assert solon("quota", "list").out == (
        "RESERVATION  STATE     GPUS  TEAM   JOB        OWNER  UNTIL\n"
        f"{first['id']}   reserved  12    fraud  Job/train  anna   2026-11-02 12:30 UTC\n"
        "\n"
        "12 GPUs in 1 reservation that nothing runs for yet\n"
    )
    solon("quota", "release", first["id"])
    assert solon("quota", "list").out == "Nothing is reserved.\n"
    assert json.loads(solon("quota", "list", "--all", "--format", "json").out) == {
        "schema": "solon.quota/v1",
        "reservations": [
            {
                "id": first["id"],
                "state": "released",
                "team": "fraud",
                "owner": "anna",
                "job": "Job/train",
                "gpus": 12,
                "label": {"solon.dev/reservation": first["id"]},
                "made": "2026-11-02T12:00:00Z",
                "expires": "2026-11-02T12:30:00Z",
                "ended": "2026-11-02T12:00:00Z",
            }
        ],
    }


def test_a_team_is_given_to_a_job_that_names_none(solon: Solon, here: Path) -> None:
    (here / "job.yaml").write_text(JOB.replace(", labels: {team: fraud}", ""))
    assert message(reserve(solon, "--format", "json")) == (
        "asks for 12 GPUs, but has no team label that says whose quota they count against"
    )
    assert granted(solon, "--team", "fraud")["team"] == "fraud"


@pytest.mark.usefixtures("here")
def test_the_team_of_a_job_is_not_changed(solon: Solon) -> None:
    ran = reserve(solon, "--team", "search")
    assert (ran.status, ran.err) == (2, "solon: job.yaml:1: Job/train is of team fraud, and not of search\n")


def test_all_workloads_of_a_manifest_or_none(solon: Solon, here: Path) -> None:
    config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: fraud}\n"
    small = JOB.replace("parallelism: 4", "parallelism: 1")
    (here / "job.yaml").write_text("---\n".join([config, small, small.replace("train", "evaluate")]))
    found = granted(solon, "--output", "list.json")
    assert (found["gpus"], found["job"]) == (6, "Job/train")
    items = json.loads((here / "list.json").read_text())["items"]
    assert [each["metadata"]["labels"]["solon.dev/reservation"] for each in items] == [found["id"]] * 3
    (here / "job.yaml").write_text("---\n".join([small, JOB.replace("train", "evaluate")]))
    assert reserve(solon).status == 1


def test_the_decision_is_recorded_with_the_job_as_submitted(solon: Solon, here: Path) -> None:
    first = granted(solon, "--log", "decisions.jsonl")
    reserve(solon, "--log", "decisions.jsonl")
    lines = [json.loads(line) for line in (here / "decisions.jsonl").read_text().splitlines()]
    assert [line["solon"]["outcome"] for line in lines] == ["allow", "deny"]
    assert lines[0]["input"]["metadata"]["labels"]["solon.dev/reservation"] == first["id"]


@pytest.mark.usefixtures("here")
def test_what_cannot_be_recorded_is_not_reserved(solon: Solon) -> None:
    assert reserve(solon, "--log", "nowhere/decisions.jsonl").status == 2
    assert solon("quota", "list").out == "Nothing is reserved.\n"


def test_a_policy_that_fails_reserves_nothing(solon: Solon, here: Path) -> None:
    (here / "policy/fails.rego").write_text(
        "package kubernetes.fails\n\ndeny contains 1 if {\n\tdata.inventory\n\tfirst(1)\n}\n\n"
        'first(x) := "a" if x > 0\n\nfirst(x) := "b" if x > 0\n'
    )
    assert reserve(solon).status == 2
    assert solon("quota", "list").out == "Nothing is reserved.\n"


def test_a_job_without_gpus_needs_none(solon: Solon, here: Path) -> None:
    (here / "job.yaml").write_text(JOB.replace("{nvidia.com/gpu: 3}", "{cpu: 3}"))
    ran = reserve(solon)
    assert (ran.status, ran.out.split("\n\n")[1]) == (0, "It asks for no GPUs: nothing has to be reserved.\n")


@pytest.mark.parametrize(
    "file, text, problem",
    [
        (
            "solon.yaml",
            "policies: [policy]\n",
            "solon: no ledger: name a file that all who submit jobs share",
        ),
        ("job.yaml", "kind: Job\n", "job.yaml:1: no Kubernetes object (it has no apiVersion and kind)\n"),
        ("job.yaml", "", "job.yaml: no documents in this file\n"),
        ("job.yaml", "{", "job.yaml:1:2: "),
        (
            "job.yaml",
            JOB.replace("kind: Job", "kind: DaemonSet"),
            "solon: job.yaml:1: DaemonSet/train mentions GPUs where they are not counted: a DaemonSet is no workload",
        ),
        (
            "job.yaml",
            JOB + "---\n" + JOB.replace("fraud}}", "search}}"),
            "solon: job.yaml: its workloads are of several teams (fraud, search): reserve for one at a time\n",
        ),
        ("running.yaml", "a: [", "running.yaml:2:1: "),
        (
            "policy/kubernetes/gpu_quota.rego",
            "package kubernetes.x\n\ndeny contains 1 if false\n",
            "solon: no policy that judges this job reads data.inventory, so nothing counts what runs",
        ),
    ],
)
def test_what_is_wrong_is_said_in_a_line(
    file: str, text: str, problem: str, solon: Solon, here: Path
) -> None:
    (here / file).write_text(text)
    ran = reserve(solon)
    assert ran.status == 2
    assert ran.err.replace("solon: quota.db: a new ledger of reservations\n", "").startswith(problem)
    assert not (here / "quota.db").exists() or "Nothing" in solon("quota", "list", "--ledger", "quota.db").out


@pytest.mark.parametrize(
    "arguments, problem",
    [
        (["reserve", "job.yaml"], "what runs is not known: give it with --inventory"),
        (["reserve", "none.yaml", "--inventory", "running.yaml"], "none.yaml: no such file or directory"),
        (
            ["reserve", "job.yaml", "--inventory", "running.yaml", "--for", "soon"],
            "--for: 'soon' is no duration",
        ),
        (
            ["reserve", "job.yaml", "--inventory", "running.yaml", "--for", "9w"],
            "--for 9w: must be more than nothing",
        ),
        (["release", "r-1"], "r-1: no such reservation in quota.db"),
        (["confirm", "r-1", "--ledger", "job.yaml"], "job.yaml: file is not a database"),
    ],
)
@pytest.mark.usefixtures("here")
def test_what_is_asked_wrongly(arguments: list[str], problem: str, solon: Solon) -> None:
    ran = solon("quota", *arguments)
    assert ran.status == 2
    assert problem in ran.err


# --- jobs of MLflow

TEMPLATE = """\
apiVersion: batch/v1
kind: Job
metadata:
  name: "{replaced with MLflow Project name}"
  namespace: fraud
  labels: {team: fraud}
spec:
  ttlSecondsAfterFinished: 100
  backoffLimit: 0
  template:
    spec:
      containers:
        - name: "{replaced with MLflow Project name}"
          image: "{replaced with URI of Docker image created during Project execution}"
          command: ["{replaced with MLflow Project entry point command}"]
          env: [{name: MODE, value: full}]
          resources: {limits: {nvidia.com/gpu: 12}}
      restartPolicy: Never
"""
BACKEND = {
    "kube-context": "gke",
    "repository-uri": "registry.acme.example/training/fraud",
    "kube-job-template-path": "template.yaml",
}


@pytest.fixture
def project(here: Path) -> Path:
    (here / "backend_config.json").write_text(json.dumps(BACKEND))
    (here / "template.yaml").write_text(TEMPLATE)
    return here


def test_a_template_of_mlflow_is_judged_as_it_is_submitted(solon: Solon, project: Path) -> None:
    found = granted(solon, "--log", "log.jsonl", job="backend_config.json")
    assert found["gpus"] == 12
    submitted = json.loads((project / "log.jsonl").read_text())["input"]
    assert "name" not in submitted["metadata"]
    container = submitted["spec"]["template"]["spec"]["containers"][0]
    assert container["image"] == "registry.acme.example/training/fraud"
    assert "command" not in container
    assert container["resources"] == {"limits": {"nvidia.com/gpu": 12}}
    # Its name is another each time: nothing that runs is taken for the same job.
    running = TEMPLATE.replace("nvidia.com/gpu: 12", "nvidia.com/gpu: 16")
    (project / "running.yaml").write_text(running)
    assert "holds 28" in message(reserve(solon, "--format", "json", job="backend_config.json"))


def test_mlflow_keeps_what_its_template_is_judged_for(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What mlflow.projects makes of a template, against what Solon reads from it."""
    from solon.cli.quota import job

    for name in ("docker", "kubernetes", "kubernetes.config", "kubernetes.config.config_exception"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setattr(
        sys.modules["kubernetes.config.config_exception"], "ConfigException", OSError, raising=False
    )
    monkeypatch.delitem(sys.modules, "mlflow.projects.kubernetes", raising=False)
    from mlflow.projects import kubernetes as mlflow_kubernetes

    monkeypatch.chdir(project)
    read = job.read("backend_config.json", max_bytes=1 << 20, cluster="").of("r-1", "")
    (project / "out").mkdir()
    backend = json.loads(Path(read.save(str(project / "out"))).read_text())
    assert {**backend, "kube-job-template-path": "template.yaml"} == BACKEND
    template = yaml.safe_load(Path(backend["kube-job-template-path"]).read_text())
    made = mlflow_kubernetes._get_kubernetes_job_definition(
        "fraud", "registry.acme.example/training/fraud:1a2b3c4", "sha256:0", ["python train.py"], {}, template
    )
    judged = read.subjects[0].document
    assert made["metadata"]["labels"] == judged["metadata"]["labels"]
    name = made["metadata"].pop("name")
    assert name.startswith("fraud-2")
    judged["metadata"].pop("generateName")
    ours, theirs = (each["spec"]["template"]["spec"]["containers"][0] for each in (judged, made))
    assert theirs.pop("image").startswith(ours.pop("image"))
    assert theirs.pop("command")
    del ours["name"], theirs["name"]
    assert made == judged


@pytest.mark.parametrize(
    "file, text, problem",
    [
        (
            "backend_config.json",
            '{"kube-job-template-path": "template.yaml"}',
            "repository-uri must be a text",
        ),
        (
            "backend_config.json",
            '{"kube-job-template-path": 1, "repository-uri": "x"}',
            "kube-job-template-path must",
        ),
        ("template.yaml", TEMPLATE.replace("kind: Job", "kind: Pod"), "must hold one object of kind Job"),
        (
            "template.yaml",
            TEMPLATE.replace("namespace", "space"),
            "template.yaml:1: must have metadata.namespace",
        ),
        ("template.yaml", TEMPLATE.replace("containers", "contain"), "containers must have a container"),
    ],
)
def test_what_mlflow_would_not_submit(
    file: str, text: str, problem: str, solon: Solon, project: Path
) -> None:
    (project / file).write_text(text)
    ran = reserve(solon, job="backend_config.json")
    assert ran.status == 2
    assert problem in ran.err


def test_a_template_that_is_not_there(solon: Solon, project: Path) -> None:
    (project / "template.yaml").unlink()
    ran = reserve(solon, job="backend_config.json")
    assert (ran.status, ran.err) == (
        2,
        "template.yaml: no such file or directory\nsolon: nothing was reserved\n",
    )
