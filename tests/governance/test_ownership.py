"""Whose a subject is: the order of places to look, maps, accounts and CODEOWNERS."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from solon.governance import codeowners
from solon.governance.ownership import Around, Ownership, OwnershipSettings, account
from solon.subjects import kubernetes, terraform
from solon.subjects.documents import Document
from solon.subjects.positions import SourceFile
from solon.subjects.subject import Subject


def deployment(
    namespace: str = "", file: str = "x.yaml", kind: str = "Deployment", **metadata: Any
) -> Subject:
    document = {
        "apiVersion": "v1",
        "kind": kind,
        "metadata": {"name": "web", "namespace": namespace, **metadata},
    }
    (found,) = kubernetes.subjects(Document(document, 0, 1), SourceFile(file, lambda: ""))
    return found


def resource(**after: Any) -> Subject:
    change = {"address": "aws_instance.gpu", "change": {"actions": ["create"], "after": after}}
    plan = {"format_version": "1.0", "resource_changes": [change]}
    return list(terraform.subjects(Document(plan, 0, 1), SourceFile("plan.json", lambda: "")))[1]


def ownership(settings: dict[str, Any] | None = None, **around: Any) -> Ownership:
    return Ownership(msgspec.convert(settings or {}, OwnershipSettings), Around(**around))


@pytest.mark.parametrize(
    ("sources", "team"),
    [
        ([{"label": "team"}, {"annotation": "team"}], "from-label"),
        ([{"annotation": "team"}, {"label": "team"}], "from-annotation"),
        ([{"label": "nothing"}, {"annotation": "team"}], "from-annotation"),
        ([{"namespaces": {"pay": "from-map"}}, {"label": "team"}], "from-map"),
        ([{"namespaces": {"other": "from-map"}}, {"label": "team"}], "from-label"),
        ([{"value": "everybody"}, {"label": "team"}], "everybody"),
        ([{"tag": "team"}], ""),  # of cloud resources
        ([{"accounts": {"*": "x"}}], ""),
        ([{"namespace_label": "team"}], "from-namespace"),
        ([{"codeowners": True}, {"label": "team"}], "from-label"),
        ([], ""),
    ],
)
def test_the_first_that_says_something_counts(sources, team):
    subject = deployment("pay", labels={"team": "from-label"}, annotations={"team": "from-annotation"})
    namespaces = {"pay": {"metadata": {"labels": {"team": "from-namespace"}}}}
    assert ownership({"team": sources}, namespaces=namespaces).traits(subject).team == team


@pytest.mark.parametrize("value", [None, 7, True, ["a"], {"a": "b"}, ""])
def test_what_is_no_text_says_nothing(value):
    subject = deployment(labels={"team": value}, annotations={"team": value})
    assert ownership().traits(subject).team == ""


@pytest.mark.parametrize("metadata", [None, 7, "x", [], {"labels": 7, "annotations": "x"}])
def test_metadata_that_is_none(metadata):
    subject = deployment()
    subject.document["metadata"] = metadata
    assert ownership().traits(subject).team == ""


@pytest.mark.parametrize(
    ("given_", "environment"),
    [({}, "prod"), ({"environment": "staging"}, "staging")],
)
def test_what_was_given_for_the_run_counts_before_what_a_subject_says(given_, environment):
    traits = ownership(None, cluster="eu-1", **given_).traits(deployment(labels={"environment": "prod"}))
    assert (traits.environment, traits.cluster) == (environment, "eu-1")


def test_a_namespace_is_in_itself():
    subject = deployment(kind="Namespace")
    traits = ownership({"team": [{"namespaces": {"web": "pay"}}]}).traits(subject)
    assert (traits.namespace, traits.team) == ("web", "pay")


@pytest.mark.parametrize(
    ("table", "name", "team"),
    [
        ({"pay-*": "a", "pay-gateway": "b"}, "pay-gateway", "b"),  # the name itself counts before globs
        ({"pay-*": "a", "pay-gate*": "b"}, "pay-gateway", "a"),  # of globs the first
        ({"pay-gate*": "b", "pay-*": "a"}, "pay-gateway", "b"),
        ({"*way": "c", "pay-*": "a"}, "pay-gateway", "c"),
        ({"pay-*": "a", "*way": "c"}, "pay-gateway", "a"),
        ({"p?y-*": "d"}, "pay-gateway", "d"),
        ({"*": "rest"}, "pay-gateway", "rest"),
        ({"*": "rest"}, "", ""),
        ({"PAY-*": "a"}, "pay-gateway", ""),
        ({"pay-[a-z]*": "a"}, "pay-gateway", ""),  # brackets are themselves
        ({}, "pay-gateway", ""),
    ],
)
def test_a_map_of_namespaces(table, name, team):
    assert ownership({"team": [{"namespaces": table}]}).traits(deployment(name)).team == team


@given(
    st.dictionaries(st.text("ab*?", min_size=1, max_size=4), st.sampled_from("xyz"), max_size=8),
    st.text("ab", min_size=1, max_size=4),
)
def test_a_map_says_what_its_lines_say_one_by_one(table, name):
    expected = table.get(name) or next((said for glob, said in table.items() if fnmatchcase(name, glob)), "")
    assert ownership({"team": [{"namespaces": table}]}).traits(deployment(name)).team == expected


@pytest.mark.parametrize(
    ("change", "number"),
    [
        ({"change": {"after": {"account_id": "123456789012"}}}, "123456789012"),
        ({"change": {"after": {"arn": "arn:aws:iam::123456789012:role/x"}}}, "123456789012"),
        (
            {"change": {"after": {"arn": "arn:aws-us-gov:ec2:us-gov-1:123456789012:instance/i-1:2"}}},
            "123456789012",
        ),
        ({"change": {"after": {"arn": "arn:aws:s3:::bucket"}}}, ""),
        ({"change": {"after": {"arn": "not:an:arn"}}}, ""),
        ({"change": {"after": {"arn": 7, "project": "ml-prod"}}}, "ml-prod"),
        ({"change": {"after": {"subscription_id": "0000-1111"}}}, "0000-1111"),
        ({"change": {"after": None, "before": {"owner_id": "123456789012"}}}, "123456789012"),
        ({"change": {"after": {"account_id": ""}, "before": {"account_id": "1"}}}, "1"),
        ({"change": {"after": {"account_id": 123}}}, ""),
        ({"change": None}, ""),
        ({}, ""),
        (None, ""),
        ([], ""),
    ],
)
def test_the_account_of_a_resource(change, number):
    assert account(change) == number


def test_a_map_of_accounts():
    owned = ownership({"team": [{"accounts": {"1234*": "ml", "999999999999": "pay"}}, {"tag": "team"}]})
    assert owned.traits(resource(arn="arn:aws:iam::123456789012:role/x", tags={"team": "x"})).team == "ml"
    assert owned.traits(resource(account_id="999999999999")).team == "pay"
    assert owned.traits(resource(tags={"team": "x"})).team == "x"


def test_tags_of_a_resource_and_no_labels():
    assert ownership().traits(resource(tags={"Team": "ml", "owner": "jane"})).team == "ml"
    assert ownership({"team": [{"label": "team"}]}).traits(resource(tags={"team": "ml"})).team == ""


@pytest.mark.parametrize(
    ("file", "team", "owner"),
    [
        ("manifests/pay/web.yaml", "payments", "@acme/payments"),
        ("manifests/web.yaml", "jane", "@jane"),
        ("other/web.yaml", "", ""),
        ("../manifests/pay/web.yaml", "", ""),  # outside of the repository
        ("manifests/pay/../web.yaml", "jane", "@jane"),
    ],
)
def test_who_owns_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, team: str, owner: str):
    root = tmp_path / "repository"
    (root / "manifests" / "pay").mkdir(parents=True)
    monkeypatch.chdir(root)
    text = "/manifests/ @jane @joe\n/manifests/pay/ @acme/payments jane@acme.example\n"
    traits = ownership(None, codeowners=codeowners.parse(text), root=str(root)).traits(deployment(file=file))
    assert (traits.team, traits.owner) == (team, owner)


def test_labels_count_before_codeowners_by_default(tmp_path: Path):
    owned = ownership(None, codeowners=codeowners.parse("* @acme/platform"), root=str(tmp_path))
    file = str(tmp_path / "web.yaml")
    assert owned.traits(deployment(file=file, labels={"team": "pay"})).team == "pay"
    assert owned.traits(deployment(file=file)).team == "platform"
