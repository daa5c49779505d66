"""Live models of MLflow's registry, from a file and over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from deployed_models import live, subjects
from local_http import LocalServer, Request, Response

from solon.evidence.deployed import mlflow
from solon.evidence.deployed.mlflow import RegistryError, Wanted

# As GET /api/2.0/mlflow/registered-models/search answers (MLflow 3).
SCORER = {
    "name": "fraud scorer",
    "creation_timestamp": 1762000000000,
    "last_updated_timestamp": 1762000300000,
    "description": "",
    "latest_versions": [
        {
            "name": "fraud scorer",
            "version": "9",
            "creation_timestamp": 1762000300000,
            "last_updated_timestamp": 1762000300000,
            "current_stage": "Production",
            "source": "models:/m-8d2f0c",
            "run_id": "5f0c7a9e",
            "status": "READY",
            "tags": [{"key": "owner", "value": "anna"}],
        },
        {"name": "fraud scorer", "version": "10", "current_stage": "None", "source": "models:/m-9"},
        {"name": "fraud scorer", "version": "3", "current_stage": "Archived", "source": "models:/m-3"},
    ],
    "tags": [{"key": "team", "value": "fraud"}, {"key": "environment", "value": "production"}],
    "aliases": [{"alias": "champion", "version": "9"}, {"alias": "challenger", "version": "10"}],
}
ANSWER = {"registered_models": [SCORER]}


def told(found: Any) -> list[tuple[str, str, str]]:
    return [(each.name, each.version, each.serves) for each in found]


def test_aliases_and_the_production_stage_are_live() -> None:
    found = live(ANSWER)
    assert told(found) == [
        ("fraud scorer", "9", "alias champion"),
        ("fraud scorer", "10", "alias challenger"),
        ("fraud scorer", "9", "stage Production"),
    ]
    champion = found[0]
    assert (champion.where, champion.uri) == ("mlflow://-/fraud%20scorer@champion", "models:/m-8d2f0c")
    assert (champion.team, champion.owner, champion.environment) == ("fraud", "anna", "production")
    assert (champion.source, champion.traffic) == ("mlflow", None)
    assert champion.location.file == "file-0"
    assert champion.location.line > 1


@pytest.mark.parametrize(
    "wanted, serves",
    [
        (Wanted(("champion",), ()), ["alias champion"]),
        (Wanted(("ch*",), ()), ["alias champion", "alias challenger"]),
        (Wanted((), ("*",)), ["stage Production", "stage Archived"]),
        (Wanted(("CHAMPION",), ("production",)), ["alias champion", "stage Production"]),
        (
            Wanted((), (), ("fraud*",)),
            ["alias champion", "alias challenger", "stage Production", "stage Archived"],
        ),
        (Wanted((), ()), []),
    ],
)
def test_whoever_asks_says_what_is_live(wanted: Wanted, serves: list[str]) -> None:
    assert [each.serves for each in live(ANSWER, wanted=wanted)] == serves


def test_other_answers_of_the_api() -> None:
    assert told(live({"registered_model": SCORER})) == told(live(ANSWER))
    versions = {
        "model_versions": [
            {
                "name": "a",
                "version": "2",
                "current_stage": "None",
                "aliases": ["champion"],
                "source": "s3://x",
            },
            {"name": "a", "version": "1", "current_stage": "Production"},
        ]
    }
    assert told(live(versions)) == [("a", "2", "alias champion"), ("a", "1", "stage Production")]


@pytest.mark.parametrize(
    "answer",
    [
        {"registered_models": [{}]},
        {"registered_models": ["x", {"name": 1, "aliases": [{"alias": None, "version": {}}]}]},
        {"registered_models": [{"name": "a", "aliases": "champion", "tags": [1], "latest_versions": [None]}]},
        {"model_versions": [{"aliases": [1], "current_stage": 3}]},
    ],
)
def test_what_is_malformed_has_no_version(answer: dict[str, Any]) -> None:
    assert all(each.problem == "the registry names no version" for each in live(answer))


# --- over HTTP


@pytest.fixture
def server() -> Iterator[LocalServer]:
    with LocalServer() as running:
        yield running


def asked(url: str, **environment: str) -> list[tuple[str, str, str]]:
    return told(mlflow.live(mlflow.ask(url, environment), mlflow.server(url)))


def pages(request: Request) -> Response:
    assert request.method == "GET"
    if request.path == "/api/2.0/mlflow/model-versions/get":
        assert request.query == {"name": "b", "version": "4"}
        tags = [{"key": "owner", "value": "bob"}]
        return Response(
            200, {"model_version": {"name": "b", "version": "4", "source": "s3://x/4", "tags": tags}}
        )
    assert request.path == "/api/2.0/mlflow/registered-models/search"
    assert request.query["max_results"] == "100"
    if request.query.get("page_token") == "next+/=":
        return Response(
            200, {"registered_models": [{"name": "b", "aliases": [{"alias": "x", "version": 4}]}]}
        )
    return Response(200, {**ANSWER, "next_page_token": "next+/="})


def test_a_server_is_asked_page_by_page(server: LocalServer) -> None:
    server.application = pages
    found = list(mlflow.live(mlflow.ask(server.url, {}), mlflow.server(server.url)))
    (other,) = [each for each in found if each.name == "b"]
    assert (other.version, other.serves, other.uri, other.owner) == ("4", "alias x", "s3://x/4", "bob")
    assert len(found) == 5
    host = server.url.removeprefix("http://")
    assert found[0].where == f"mlflow://{host}/fraud%20scorer@champion"
    assert found[0].location.file == f"{server.url}/api/2.0/mlflow/registered-models/search"
    assert "authorization" not in server.requests[0].headers


def test_credentials_are_those_of_mlflow(server: LocalServer) -> None:
    server.application = pages
    asked(server.url + "/", MLFLOW_TRACKING_TOKEN="secret", MLFLOW_TRACKING_USERNAME="u")
    asked(server.url, MLFLOW_TRACKING_USERNAME="anna", MLFLOW_TRACKING_PASSWORD="pass")
    sent = [request.headers["authorization"] for request in server.requests]
    assert sent == ["Bearer secret"] * 3 + ["Basic YW5uYTpwYXNz"] * 3


def test_an_empty_registry(server: LocalServer) -> None:
    server.application = lambda _request: Response(200, {})
    assert asked(server.url) == []


@pytest.mark.parametrize(
    "response, problem",
    [
        (Response(401), r"search: answers 401 \(set MLFLOW_TRACKING_TOKEN"),
        (Response(500, {"error_code": "INTERNAL"}), "search: answers 500$"),
        (Response(302, headers={"Location": "http://169.254.169.254/"}), "search: answers 302$"),
        (Response(200, raw=b"<html>"), "search: does not answer as MLflow does$"),
        (Response(200, [1]), "search: does not answer as MLflow does$"),
        (Response(200, {"error": "x"}), "search: does not answer as MLflow does$"),
        (Response(200, {**ANSWER, "next_page_token": "again"}), "its list of models does not end$"),
    ],
)
def test_a_server_that_answers_otherwise(response: Response, problem: str, server: LocalServer) -> None:
    server.application = lambda _request: response
    with pytest.raises(RegistryError, match=problem):
        asked(server.url)


@pytest.mark.parametrize(
    "url", ["mlflow", "file:///tmp", "http://", "http://user:pass@host", "http://host:port", "http://[::1"]
)
def test_what_is_no_server(url: str) -> None:
    with pytest.raises(RegistryError):
        mlflow.server(url)


def test_a_server_that_is_not_there() -> None:
    with pytest.raises(RegistryError, match=r"^http://127\.0\.0\.1:1: "):
        asked("http://127.0.0.1:1")


def test_an_answer_without_end_is_not_read(server: LocalServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mlflow, "_BYTES", 1000)
    server.application = lambda _request: Response(200, raw=json.dumps(ANSWER).encode() + b" " * 1000)
    with pytest.raises(RegistryError, match="answers with more than"):
        asked(server.url)


def test_an_answer_in_a_file_is_no_kubernetes_object() -> None:
    (found,) = subjects(ANSWER)
    assert mlflow.is_answer(found.document)
    assert found.kind == "document"
