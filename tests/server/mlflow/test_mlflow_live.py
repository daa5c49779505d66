"""A real MLflow server with the plugin: what was let pass goes live, and nothing else does."""

from __future__ import annotations

import gzip
import http.client
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

pytestmark = [pytest.mark.xdist_group("mlflow"), pytest.mark.filterwarnings("ignore")]
mlflow = pytest.importorskip("mlflow")
from mlflow.exceptions import MlflowException, RestException  # noqa: E402

Solon = Callable[..., Any]


def refused(change: Callable[[], Any]) -> str:
    with pytest.raises(MlflowException) as caught:
        change()
    text = str(caught.value)
    assert "Solon refuses" in text, text
    return text


# --- block


def test_what_was_let_pass_gets_the_alias(site, at_site: Solon) -> None:
    name = site.name()
    version = site.version(name)
    ran = at_site("model", "gate", f"models:/{name}/{version}")
    assert ran.status == 0, ran.out + ran.err
    assert f"✓ {name} {version} · ml.release" in ran.out
    site.client.set_registered_model_alias(name, "champion", version)
    assert site.aliases(name) == {"champion": version}
    site.client.transition_model_version_stage(name, version, "Production")
    tags = site.client.get_model_version(name, version).tags
    assert tags["solon.decision"] == "allow"
    assert len(tags["solon.decision_id"]) == 36


def test_what_was_denied_is_refused_with_what_denied_it(site, at_site: Solon) -> None:
    name = site.name()
    version = site.version(name, risk="high")
    assert at_site("model", "gate", f"models:/{name}/{version}").status == 1
    with pytest.raises(RestException) as caught:
        site.client.set_registered_model_alias(name, "champion", version)
    told = str(caught.value)
    decision = site.client.get_model_version(name, version).tags["solon.decision_id"]
    assert told.startswith(
        f"PERMISSION_DENIED: Solon refuses to set the alias champion of {name} to version {version}"
    )
    assert "ml.risk.deny: risk is high (fix: State the risk, and lower it)" in told
    assert f"decision {decision}" in told
    assert f"solon model gate 'models:/{name}/{version}'" in told
    assert site.aliases(name) == {}
    refused(lambda: site.client.transition_model_version_stage(name, version, "production"))
    assert site.client.get_model_version(name, version).current_stage == "None"
    site.client.set_registered_model_alias(name, "challenger", version)  # nobody governs that


def test_tags_are_not_believed(site) -> None:
    name = site.name()
    version = site.version(name)
    site.client.set_model_version_tag(name, version, "solon.decision", "allow")
    assert "never gated" in refused(lambda: site.client.set_registered_model_alias(name, "champion", version))


def test_a_decision_on_one_version_is_none_on_another(site, at_site: Solon) -> None:
    name = site.name()
    first, second = site.version(name), site.version(name, text="other weights")
    at_site("model", "gate", f"models:/{name}/{first}")
    site.client.set_registered_model_alias(name, "champion", first)
    refused(lambda: site.client.set_registered_model_alias(name, "champion", second))
    assert site.aliases(name) == {"champion": first}


def test_copies_go_where_the_decision_says(site, at_site: Solon) -> None:
    name, target = site.name(), f"prod.{site.name()}"
    version = site.version(name)
    source = f"models:/{name}/{version}"
    at_site("model", "gate", source)
    told = refused(lambda: site.client.copy_model_version(source, target))
    assert f"solon model gate '{source}' --for '{target}'" in told
    assert at_site("model", "gate", source, "--for", target).status == 0
    copied = site.client.copy_model_version(source, target)
    site.client.set_registered_model_alias(target, "anything", copied.version)
    site.client.set_registered_model_alias(name, "challenger", version)
    assert site.client.copy_model_version(f"models:/{name}@challenger", target).version == "2"
    other = site.version(name, text="other weights")
    site.client.set_registered_model_alias(name, "challenger", other)
    refused(lambda: site.client.copy_model_version(f"models:/{name}@challenger", target))
    refused(lambda: site.version(target))


def test_a_rename_makes_nothing_live(site, at_site: Solon) -> None:
    name, target = site.name(), f"prod.{site.name()}"
    version = site.version(name)
    at_site("model", "gate", f"models:/{name}/{version}")
    site.client.set_registered_model_alias(name, "champion", version)
    refused(lambda: site.client.rename_registered_model(name, target))
    refused(lambda: site.client.rename_registered_model(name, site.name()))
    plain = site.name()
    site.version(plain)
    site.client.rename_registered_model(plain, f"{plain}-renamed")


def test_a_model_that_is_tagged_as_a_prompt_is_a_model_all_the_same(site) -> None:
    name = site.name()
    version = site.version(name)
    raw = site.client._get_registry_client()
    raw.set_registered_model_tag(name, "mlflow.prompt.is_prompt", "true")
    raw.set_model_version_tag(name, version, "mlflow.prompt.is_prompt", "true")
    refused(lambda: raw.set_registered_model_alias(name, "champion", version))


def test_prompts_are_not_governed(site) -> None:
    name = site.name()
    site.client.register_prompt(name, "Dear {{name}}")
    site.client.set_prompt_alias(name, "champion", 1)
    assert site.client.get_prompt_version_by_alias(name, "champion").version == 1


def test_a_file_in_the_store_that_cannot_be_believed_stops_its_model_alone(site, at_site: Solon) -> None:
    one, other = site.name(), site.name()
    for name in (one, other):
        at_site("model", "gate", f"models:/{name}/{site.version(name)}")
    (site.directory / "decisions" / one / "20990101.dsse.json").write_text("{}")
    told = refused(lambda: site.client.set_registered_model_alias(one, "champion", "1"))
    assert "whether it may cannot be told" in told
    site.client.set_registered_model_alias(other, "champion", "1")


# --- ways around

ALIAS = "/api/2.0/mlflow/registered-models/alias"
JSON = {"Content-Type": "application/json"}


def attempts(said: dict[str, str]) -> Iterator[tuple[str, str, dict[str, str], bytes]]:
    """Requests that try to set an alias: method, target, headers, body."""
    body = json.dumps(said).encode()
    query = "&".join(f"{key}={value}" for key, value in said.items())
    for target in (
        ALIAS, f"/ajax-api{ALIAS[4:]}", f"/api/3.0{ALIAS[8:]}", f"/api/1.0{ALIAS[8:]}", f"/preview{ALIAS}",
        f"/api/2.0/preview{ALIAS[8:]}", f"/ajax-api/3.0{ALIAS[8:]}", f"{ALIAS}/", f"{ALIAS}//", f"/{ALIAS}", f"//x{ALIAS}",
        ALIAS.replace("/mlflow", "//mlflow"), ALIAS.upper(), ALIAS.replace("alias", "Alias"),
        ALIAS.replace("-", "%2D"), ALIAS.replace("alias", "%61lias"), ALIAS.replace("/alias", "%2Falias"),
        ALIAS.replace("alias", "%2561lias"), f"/api/../api{ALIAS[4:]}", f"/api/.{ALIAS[4:]}", f"{ALIAS};a=b", f"{ALIAS}?{query}",
        f"{ALIAS}?x=1", f"{ALIAS}%00", f"{ALIAS}%20", f"{ALIAS}.json", f"http://localhost{ALIAS}", f"{ALIAS}#x",
        "/registered-models/alias", "/mlflow/registered-models/alias", "/graphql",
    ):  # fmt: skip
        yield "POST", target, JSON, body
    for method in ("PUT", "PATCH", "GET", "OPTIONS", "HEAD", "post", "POST\t", "QUERY"):
        yield method, ALIAS, JSON, body
        yield method, f"{ALIAS}?{query}", {}, b""
    yield "GET", ALIAS, {**JSON, "X-HTTP-Method-Override": "POST", "X-HTTP-Method": "POST"}, body
    yield "POST", ALIAS, {**JSON, "X-HTTP-Method-Override": "GET"}, body
    yield (
        "POST",
        ALIAS,
        {**JSON, "X-Original-URL": "/health", "X-Rewrite-URL": "/health", "X-Forwarded-Prefix": "/x"},
        body,
    )
    for kind in ("", "text/plain", "application/json; charset=utf-16", "application/x-protobuf", "application/grpc",
                 "application/json;charset=cp037", "multipart/form-data", "APPLICATION/JSON", "application/vnd.api+json"):  # fmt: skip
        yield "POST", ALIAS, {"Content-Type": kind}, body
    yield "POST", ALIAS, {"Content-Type": "application/x-www-form-urlencoded"}, query.encode()
    yield "POST", f"{ALIAS}?{query}", {"Content-Type": "application/x-www-form-urlencoded"}, b""
    yield "POST", ALIAS, JSON, json.dumps(json.dumps(said)).encode()  # encoded twice, as old clients do
    yield "POST", ALIAS, JSON, json.dumps(json.dumps(json.dumps(said))).encode()
    name, alias, version = said["name"], said["alias"], said["version"]
    for text in (
        f'{{"name":"{name}","alias":"challenger","alias":"{alias}","version":"{version}"}}',
        f'{{"name":"{name}","alias":"{alias}","alias":"challenger","version":"{version}"}}',
        f'{{"name":"other","name":"{name}","alias":"{alias}","version":"{version}"}}',
        f'{{"name":"{name}","alias":"\\u0063hampion","version":"{version}"}}',
        f'{{"n\\u0061me":"{name}","\\u0061lias":"{alias}","version":"{version}"}}',
        f'{{"name":"{name}","alias":"{alias}","version":{version}}}',
        f'{{"name":"{name}","alias":"{alias}","version":" {version}"}}',
        f'{{"name":"{name}","alias":"{alias}","version":"0{version}"}}',
        f'{{"name":"{name}","alias":"{alias}","version":{version}.0}}',
        f'{{"name":["{name}"],"alias":["{alias}"],"version":"{version}"}}',
        f'{{"Name":"{name}","Alias":"{alias}","Version":"{version}"}}',
        f'[{{"name":"{name}","alias":"{alias}","version":"{version}"}}]',
        f'{{"name":"{name}","alias":"{alias}","version":"{version}","unknown":{{"alias":"x"}}}}',
        f'\ufeff{{"name":"{name}","alias":"{alias}","version":"{version}"}}',
        f'  \n{{"name":"{name}","alias":"{alias}","version":"{version}"}}  \n',
        f'{{"name":"{name}","alias":"{alias}","version":"{version}"}} trailing',
    ):
        yield "POST", ALIAS, JSON, text.encode()
    for encoding in ("utf-16", "utf-32", "utf-16-le"):
        yield "POST", ALIAS, JSON, json.dumps(said).encode(encoding)
    yield "POST", ALIAS, {**JSON, "Content-Encoding": "gzip"}, gzip.compress(body)
    yield (
        "POST",
        ALIAS,
        {**JSON, "Transfer-Encoding": "chunked"},
        b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body),
    )
    field = lambda number, text: bytes([number << 3 | 2, len(text)]) + text.encode()  # noqa: E731
    proto = field(1, name) + field(2, alias) + field(3, version)
    yield "POST", ALIAS, {"Content-Type": "application/x-protobuf"}, proto
    mutation = f'mutation {{ setRegisteredModelAlias(input: {{name: "{name}", alias: "{alias}", version: "{version}"}}) {{ __typename }} }}'
    yield "POST", "/graphql", JSON, json.dumps({"query": mutation}).encode()


def sent(site, method: str, target: str, headers: dict[str, str], body: bytes) -> int:
    """The status of the answer; 0 where there was none."""
    connection = http.client.HTTPConnection("127.0.0.1", site.server.port, timeout=30)
    connection._validate_method = lambda _method: None
    try:
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", f"127.0.0.1:{site.server.port}")
        for name, value in headers.items():
            connection.putheader(name, value)
        if "Transfer-Encoding" not in headers:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        return connection.getresponse().status
    except (http.client.HTTPException, OSError):
        return 0
    finally:
        connection.close()


def test_no_way_of_asking_gets_around(site, at_site: Solon) -> None:
    name = site.name()
    version = site.version(name, risk="high")
    said = {"name": name, "alias": "champion", "version": version}
    answers = []
    for method, target, headers, body in attempts(said):
        answers.append(sent(site, method, target, headers, body))
        live = {alias for alias in site.aliases(name) if alias != "challenger"}
        assert not live, (method, target, headers, body)
    assert answers[:2] == [403, 403]
    assert answers.count(403) > 15, "the others do not reach the registry"
    # The same requests work for what was let pass: it is the decision that stops them.
    good = site.name()
    at_site("model", "gate", f"models:/{good}/{site.version(good)}")
    assert sent(site, "POST", ALIAS, JSON, json.dumps({**said, "name": good, "version": "1"}).encode()) == 200
    assert site.aliases(good) == {"champion": "1"}


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (
            "model-versions/transition-stage",
            {"version": "1", "stage": "production", "archive_existing_versions": False},
        ),
        (
            "model-versions/transition-stage",
            {"version": "1", "stage": "PRODUCTION", "archive_existing_versions": True},
        ),
        ("registered-models/rename", {"new_name": "prod.renamed"}),
        ("registered-models/alias", {"version": "1", "alias": "Champion"}),
        ("registered-models/alias", {"version": "1", "alias": "champion\n"}),
    ],
)
def test_other_changes_are_refused_at_both_addresses(site, target: str, said: dict[str, Any]) -> None:
    name = site.name()
    site.version(name)
    body = json.dumps({"name": name, **said}).encode()
    for prefix in ("/api/2.0/mlflow/", "/ajax-api/2.0/mlflow/"):
        assert sent(site, "POST", prefix + target, JSON, body) == 403
    assert site.client.get_model_version(name, "1").current_stage == "None"
    assert site.aliases(name) == {}


# --- files


def test_the_files_of_what_was_let_pass_stay_as_they_are(site, at_site: Solon, tmp_path: Path) -> None:
    name = site.name()
    version = site.version(name)
    run = site.client.get_model_version(name, version).run_id
    site.client.log_text(run, "other weights, before it is judged", "model/weights.txt")
    at_site("model", "gate", f"models:/{name}/{version}")
    for change in (
        lambda: site.client.log_text(run, "poison", "model/weights.txt"),
        lambda: site.client.log_text(run, "poison", "model/more.txt"),
        lambda: site.client.log_text(run, "poison", "model/deep/more.txt"),
    ):
        with pytest.raises(Exception, match=r"403|Solon refuses to change"):
            change()
    path = f"/mlflow-artifacts/artifacts/0/{run}/artifacts/model/weights.txt"
    ajax = f"/ajax-api/2.0/mlflow/upload-artifact?run_uuid={run}&path=model"
    for method, target in (
        ("PUT", f"/api/2.0{path}"),
        ("PUT", f"/ajax-api/2.0{path}"),
        ("PUT", f"/api/2.0{path.replace('model', '%6Dodel')}"),
        ("PUT", f"/api/2.0{path.replace('/model', '//model')}"),
        ("PUT", f"/api/2.0{path.replace('/model', '/./model')}"),
        ("PUT", f"/api/2.0{path.replace('/model', '/x/../model')}"),
        ("PUT", f"/api/2.0{path.replace('/model', '/x/%2e%2e/model')}"),
        ("PUT", f"/api/2.0{path.replace('weights', 'WEIGHTS')}"),
        ("POST", f"{ajax}/weights.txt"),
        ("POST", f"{ajax}/./weights.txt"),
        ("POST", f"{ajax}%2Fweights.txt"),
        ("DELETE", f"/api/2.0{path}"),
        ("DELETE", f"/ajax-api/2.0{path.rpartition('/')[0]}"),
        ("DELETE", f"/api/2.0{path.rpartition('/model')[0]}"),
        ("DELETE", "/api/2.0/mlflow-artifacts/artifacts/0"),
    ):
        assert sent(site, method, target, {}, b"poison") in (400, 403, 404), (method, target)
        at_site("model", "fetch", f"models:/{name}/{version}", f"{tmp_path}/fetched")
        assert [path.name for path in (tmp_path / "fetched/model").rglob("*")] == ["weights.txt"]
        assert (tmp_path / "fetched/model/weights.txt").read_text() == "other weights, before it is judged"
        shutil.rmtree(tmp_path / "fetched")
    site.client.log_text(run, "nobody minds", "notes.txt")
    for location in (
        f"mlflow-artifacts:/0/{run}/artifacts/model",
        f"{site.server.directory}/artifacts/0/{run}/artifacts/model",
        f"file://{site.server.directory}/artifacts/0/{run}/artifacts/model",
    ):
        with suppress(MlflowException):  # MLflow may refuse it by itself
            experiment = site.client.create_experiment(site.name(), artifact_location=location)
            other = site.client.create_run(experiment).info.run_id
            target = f"/ajax-api/2.0/mlflow/upload-artifact?run_uuid={other}&path=more.txt"
            sent(site, "POST", target, {}, b"poison")
    at_site("model", "fetch", f"models:/{name}/{version}", f"{tmp_path}/fetched")
    assert [path.name for path in (tmp_path / "fetched/model").rglob("*")] == ["weights.txt"]


# --- restart


def test_a_restart_changes_nothing(site, at_site: Solon) -> None:
    good, bad = site.name(), site.name()
    for name, risk in ((good, "minimal"), (bad, "high")):
        site.version(name, risk=risk)
        at_site("model", "gate", f"models:/{name}/1")
    site.server.restart()
    site.client.set_registered_model_alias(good, "champion", "1")
    assert "risk is high" in refused(lambda: site.client.set_registered_model_alias(bad, "champion", "1"))


# --- advise: what the gate sees


def test_what_the_registry_knows_is_in_the_release(site, at_site: Solon, tmp_path: Path) -> None:
    name = site.name()
    version = site.version(name)
    run = site.client.get_model_version(name, version).run_id
    site.client.log_metric(run, "auc", 0.91)
    site.client.log_param(run, "depth", 4)
    assert at_site("model", "fetch", f"models:/{name}/{version}", f"{tmp_path}/release").status == 0
    said = yaml.safe_load((tmp_path / "release/release.yaml").read_text())
    assert (said["name"], said["version"], said["registry"], said["model"]) == (
        name,
        version,
        "mlflow",
        ["model"],
    )
    assert said["labels"]["mlflow.metric.auc"] == "0.91"
    assert said["labels"]["mlflow.param.depth"] == "4"
    assert said["labels"]["mlflow.run"] == run
    assert (tmp_path / "release/model/weights.txt").read_text() == "weights"
    assert at_site("model", "fetch", f"models:/{name}/{version}", f"{tmp_path}/release").status == 2


def test_logged_files_do_not_take_the_place_of_the_registrys(site, at_site: Solon, tmp_path: Path) -> None:
    name = site.name()
    version = site.version(name)
    run = site.client.get_model_version(name, version).run_id
    site.client.log_text(run, "harmless", "solon/model/weights.txt")
    site.client.log_text(run, "{}", "solon/decision.dsse.json")
    at_site("model", "fetch", f"models:/{name}/{version}", f"{tmp_path}/release")
    assert (tmp_path / "release/model/weights.txt").read_text() == "weights"
    assert [path.name for path in (tmp_path / "release/model").iterdir()] == ["weights.txt"]


def test_logged_evidence_counts_only_when_a_trusted_collector_signed_it(
    site, at_site: Solon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = site.name()
    version = f"models:/{name}/{site.version(name)}"
    release = f"{tmp_path}/release"
    at_site("model", "fetch", version, release)
    with monkeypatch.context() as without:
        without.delenv("SOLON_GATE_KEY")
        at_site("model", "collect", release)
    assert at_site("model", "submit", release, version).status == 0
    ran = at_site("model", "gate", version)
    assert "is not believed, and gathered anew: nobody signed the evidence" in ran.err
    at_site("model", "collect", release, "--key", "gate.pem")
    at_site("model", "submit", release, version)
    ran = at_site("model", "gate", version)
    assert (
        "is not believed, and gathered anew: evidence.dsse.json is signed by none of the trusted" in ran.err
    )
    at_site("model", "collect", release, "--key", "collector.pem")
    at_site("model", "submit", release, version)
    ran = at_site("model", "gate", version)
    assert "signed by a trusted collector: it is judged as it is" in ran.err
    assert ran.status == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["models:/nothing-here/1"], "not found"),
        (["models:/"], "is no version of a registered model"),
        (["models:/a/b/c"], "is no version of a registered model"),
        (["models:/a/latest"], "is no version of a registered model"),
        (["models:/x/1", "--tracking-uri", "http://127.0.0.1:9"], "MLflow does not answer"),
        (["release", "--for", "prod.x"], "are for models:/NAME/VERSION"),
    ],
)
def test_what_cannot_be_gated_is_said_in_a_line(at_site: Solon, arguments: list[str], told: str) -> None:
    ran = at_site("model", "gate", *arguments)
    assert (ran.status, ran.out) == (2, "")
    assert told in ran.err
    assert ran.err.count("\n") == 1


def test_without_a_key_the_registry_does_not_know(
    site, at_site: Solon, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = site.name()
    site.version(name)
    monkeypatch.delenv("SOLON_GATE_KEY")
    ran = at_site("model", "gate", f"models:/{name}/1")
    assert ran.status == 0
    assert "is not signed (--key), so the registry will not know of it" in ran.err
    refused(lambda: site.client.set_registered_model_alias(name, "champion", "1"))


def test_a_trained_model_from_the_script_to_the_alias(site, at_site: Solon, tmp_path: Path) -> None:
    import mlflow.sklearn
    from sklearn.datasets import load_iris
    from sklearn.linear_model import LogisticRegression

    import solon.ml

    name = site.name()
    release = tmp_path / "release"
    release.mkdir()
    (release / "release.yaml").write_text(
        f"kind: solon.release/v1\nname: {name}\nversion: next\nmodel: [model]\nrisk: limited\n"
        "documentation: {model_card: card.md}\n"
    )
    (release / "card.md").write_text("# Iris\n")
    features, labels = load_iris(return_X_y=True)
    with mlflow.start_run():
        trained = LogisticRegression(max_iter=500).fit(features, labels)
        mlflow.sklearn.log_model(
            trained, name="model", registered_model_name=name, pip_requirements=["scikit-learn==1.9.1"]
        )
        assert solon.ml.log_release(str(release)) == ["card.md", "release.yaml"]
    refused(lambda: site.client.set_registered_model_alias(name, "champion", "1"))
    at_site("model", "fetch", f"models:/{name}/1", f"{tmp_path}/fetched")
    said = yaml.safe_load((tmp_path / "fetched/release.yaml").read_text())
    assert said["labels"]["mlflow.format.sklearn"] == "skops"
    assert said["supply"] == {"lock": "model/requirements.txt"}
    assert (tmp_path / "fetched/model/model.skops").stat().st_size > 0
    assert (tmp_path / "fetched/card.md").read_text() == "# Iris\n"
    assert at_site("model", "gate", f"models:/{name}/1").status == 0
    site.client.set_registered_model_alias(name, "champion", "1")
    loaded = mlflow.artifacts.list_artifacts(f"models:/{name}@champion")
    assert "model.skops" in {each.path for each in loaded}
