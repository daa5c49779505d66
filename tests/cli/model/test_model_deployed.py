"""solon model deployed: which versions of models are live."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from local_http import LocalServer, Response

EXAMPLES = Path(__file__).parents[3] / "examples/ml-platform"
LIBRARY = Path(__file__).parents[3] / "library"
Solon = Callable[..., Any]


@pytest.fixture(autouse=True)
def _repository(solon: Solon, tmp_path: Path) -> None:  # noqa: ARG001 - it goes into its directory
    (tmp_path / "solon.yaml").write_text("policies: [library]\n")
    (tmp_path / "library").symlink_to(LIBRARY)
    (tmp_path / "platform").symlink_to(EXAMPLES)


def test_what_the_example_platform_serves(solon: Solon) -> None:
    ran = solon("model", "deployed", "platform/manifests", "platform/running")
    assert (ran.status, ran.err) == (0, "")
    assert ran.out == (
        "MODEL              VERSION  TRAFFIC  ENVIRONMENT  TEAM   WHERE\n"
        "fraud-scorer       7        100 %    production   fraud  InferenceService/fraud-scorer in fraud"
        "       platform/manifests/fraud-scorer.yaml:25:7\n"
        "merchant-embedder  3        100 %    production   fraud  InferenceService/merchant-embedder in fraud"
        "  platform/running/fraud.yaml:66:11\n"
        "?                  ?        100 %    production   fraud  InferenceService/chargeback-scorer in fraud"
        "  platform/manifests/chargeback-scorer.yaml:22:7\n"
        "  ! nothing says which registered model this is: s3://acme-fraud-scratch/anna/final_v2 is under no"
        " approved registry\n"
        "\n"
        "2 versions of 2 models are live, and in 1 place nobody knows which\n"
    )


def test_for_machines(solon: Solon) -> None:
    ran = solon("model", "deployed", "platform/running", "--format", "json", "--cluster", "west")
    assert json.loads(ran.out) == {
        "schema": "solon.deployed/v1",
        "models": [
            {
                "name": "merchant-embedder",
                "version": "3",
                "uri": "s3://acme-model-registry/merchant-embedder/3",
                "where": "k8s://west/fraud/InferenceService/merchant-embedder",
                "serves": "InferenceService/merchant-embedder",
                "source": "kserve",
                "namespace": "fraud",
                "environment": "production",
                "team": "fraud",
                "traffic": 100.0,
                "location": {"file": "platform/running/fraud.yaml", "line": 66, "column": 11},
            }
        ],
    }


def test_whose_it_is_the_repository_says(solon: Solon, tmp_path: Path) -> None:
    (tmp_path / "solon.yaml").write_text(
        "policies: [library]\nownership: {team: [{namespaces: {fraud: risk}}], environment: [{value: live}]}\n"
    )
    (model,) = json.loads(solon("model", "deployed", "platform/running", "--format", "json").out)["models"]
    assert (model["team"], model["environment"]) == ("risk", "live")


def test_what_approves_a_registry_is_data(solon: Solon, tmp_path: Path) -> None:
    (tmp_path / "solon.yaml").write_text("policies: [policy]\n")
    data = tmp_path / "policy/data/registry.yaml"
    data.parent.mkdir(parents=True)
    text = (EXAMPLES / "manifests/chargeback-scorer.yaml").read_text().replace("anna/final_v2", "anna/2")
    (tmp_path / "live.yaml").write_text(text)
    data.write_text("model_registry: {approved: [s3://acme-fraud-scratch/]}\n")
    (model,) = json.loads(solon("model", "deployed", "live.yaml", "--format", "json").out)["models"]
    assert (model["name"], model["version"]) == ("anna", "2")
    data.write_text("model_registry: {approved: s3}\n")
    ran = solon("model", "deployed", "live.yaml")
    assert (ran.status, ran.out) == (2, "")
    assert ran.err == (
        "solon: policy/data/registry.yaml: model_registry: Expected `array`, got `str` - at `$.approved`\n"
    )


def test_a_server_and_files_together(solon: Solon, tmp_path: Path) -> None:
    (tmp_path / "live.json").write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": "p", "namespace": "n"},
                "spec": {
                    "containers": [
                        {"name": "c", "env": [{"name": "MODEL_URI", "value": "models:/a@champion"}]}
                    ]
                },
            }
        )
    )
    with LocalServer() as server:
        aliases = [{"alias": "champion", "version": "4"}]
        registered = {"name": "a", "aliases": aliases, "latest_versions": [{"version": "4"}]}
        server.application = lambda _request: Response(200, {"registered_models": [registered]})
        ran = solon("model", "deployed", "live.json", "--mlflow", server.url, "--environment", "production")
    assert [line.split()[:3] for line in ran.out.splitlines()[1:3]] == [["a", "4", "production"]] * 2
    assert ran.out.endswith("\n1 version of 1 model is live\n")


@pytest.mark.parametrize(
    "arguments, problem",
    [
        ([], "solon: nothing to look at: name files, or a server with --mlflow\n"),
        (["none.yaml"], "none.yaml: no such file or directory\n"),
        (["--mlflow", "sqlite:///mlflow.db"], "solon: sqlite:///mlflow.db: must be http:// or https://"),
    ],
)
def test_what_is_asked_wrongly(arguments: list[str], problem: str, solon: Solon) -> None:
    ran = solon("model", "deployed", *arguments)
    assert ran.status == 2
    assert ran.err.startswith(problem)


def test_where_nothing_is_live(solon: Solon, tmp_path: Path) -> None:
    for text in ("apiVersion: v1\nkind: List\nitems: []\n", "{}"):
        (tmp_path / "empty.yaml").write_text(text)
        ran = solon("model", "deployed", "empty.yaml")
        assert (ran.status, ran.out, ran.err) == (0, "No model is live in what was given.\n", "")


def test_a_file_of_something_else_is_not_taken_for_nothing(solon: Solon, tmp_path: Path) -> None:
    (tmp_path / "given").mkdir()
    (tmp_path / "given/endpoints.json").write_text('{"Endpoints": [{"EndpointName": "fraud"}]}')
    ran = solon("model", "deployed", "given/endpoints.json")
    assert ran.status == 2
    assert ran.err == (
        "given/endpoints.json:1: neither an object of Kubernetes, nor what `aws sagemaker describe-…` or MLflow's "
        "registry answers\n"
    )
    assert solon("model", "deployed", "given").status == 0


@pytest.mark.parametrize(
    "settings, options, serves",
    [
        ("", [], ["alias challenger", "alias champion"]),
        ("mlflow: {aliases: [champion]}\n", [], ["alias champion"]),
        ("mlflow: {names: [a]}\n", [], ["alias challenger", "alias champion", "stage Staging"]),
        ("mlflow: {aliases: [champion]}\n", ["--alias", "chall*"], ["alias challenger"]),
        ("mlflow: {aliases: [champion]}\n", ["--stage", "staging"], ["stage Staging"]),
        ("mlflow: {app: basic-auth}\n", [], ["alias challenger", "alias champion"]),
    ],
)
def test_what_counts_as_live_in_mlflow(
    settings: str, options: list[str], serves: list[str], solon: Solon, tmp_path: Path
) -> None:
    (tmp_path / "solon.yaml").write_text(f"policies: [library]\n{settings}")
    model = {
        "name": "a",
        "aliases": [{"alias": "champion", "version": "1"}, {"alias": "challenger", "version": "2"}],
        "latest_versions": [{"version": "3", "current_stage": "Staging"}],
    }
    (tmp_path / "registry.json").write_text(json.dumps({"registered_models": [model]}))
    ran = solon("model", "deployed", "registry.json", "--format", "json", *options)
    assert sorted(each["serves"] for each in json.loads(ran.out)["models"]) == serves
