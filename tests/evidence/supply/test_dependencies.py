"""What a model needs, matched against a database: what was not looked at is never clean."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from osv_records import GHSA_JINJA, PYSEC_JINJA, about, record
from supply_releases import given, written

from solon.evidence.collector import CannotCollect, Operator
from solon.evidence.supply import dependencies
from solon.evidence.supply.result import Dependencies, Package

AUDIT = {
    "dependencies": [
        {
            "name": "jinja2",
            "skip_reason": "Dependency not found on PyPI and could not be audited: jinja2 (2.10)",
        }
    ],
    "fixes": [],
}


@pytest.fixture
def database(tmp_path: Path) -> str:
    path = tmp_path / "osv.json"
    path.write_text(json.dumps([PYSEC_JINJA, GHSA_JINJA]))
    return str(path)


def release(tmp_path: Path, **files: str | dict[str, Any]) -> Path:
    named = {"lock": "requirements.txt", "sbom": "bom.json"}
    texts = {
        named[what]: content if isinstance(content, str) else json.dumps(content)
        for what, content in files.items()
    }
    return written(tmp_path / "release", {"model/weights.bin": "x", **texts})


def collect(tmp_path: Path, database: str = "", **files: str | dict[str, Any]) -> Dependencies:
    root = release(tmp_path, **files)
    named = {"lock": "requirements.txt", "sbom": "bom.json"}
    supply = {what: named[what] for what in files}
    found = dependencies.collect(given(root, ["model"], Operator(vulnerabilities=database), **supply))
    assert found is not None
    assert isinstance(found.result, Dependencies)
    return found.result


def test_a_release_that_declares_no_dependencies_has_no_evidence_of_them(tmp_path: Path) -> None:
    root = release(tmp_path)
    assert dependencies.collect(given(root, ["model"])) is None
    assert dependencies.collect(given(root, ["model"], signature="model.sig")) is None


def test_a_lock_file_is_matched(tmp_path: Path, database: str) -> None:
    found = collect(tmp_path, database, lock="Jinja2==2.10\nmarkupsafe==3.0.2\n")
    assert found.sources == ["requirements.txt"]
    assert found.packages == [Package("Jinja2", "2.10"), Package("markupsafe", "3.0.2")]
    assert [(each.id, each.severity, each.fixed) for each in found.vulnerabilities] == [
        ("GHSA-462w-v97r-4m45", "high", ["2.10.1"])
    ]
    assert found.database is not None
    assert (found.database.records, found.database.newest) == (2, "2023-11-08T04:00:53Z")


def test_the_files_are_measured(tmp_path: Path, database: str) -> None:
    root = release(tmp_path, lock="jinja2==3.1.6", sbom=AUDIT)
    made = given(
        root, ["model"], Operator(vulnerabilities=database), lock="requirements.txt", sbom="bom.json"
    )
    found = dependencies.collect(made)
    assert found is not None
    assert [(each.what, each.path) for each in found.measured] == [
        ("lock", "requirements.txt"),
        ("sbom", "bom.json"),
    ]
    assert found.source == "requirements.txt, bom.json"


def test_without_a_database_nothing_is_known(tmp_path: Path) -> None:
    found = collect(tmp_path, lock="jinja2==2.10\nnumpy>1")
    assert (found.database, found.vulnerabilities) == (None, [])
    assert [package.unknown for package in found.packages] == ["", "no exact version: >1"]


def test_a_skipped_audit_is_not_clean(tmp_path: Path, database: str) -> None:
    skipped = "skipped by pip-audit: Dependency not found on PyPI and could not be audited: jinja2 (2.10)"
    for known in ("", database):
        found = collect(tmp_path, known, sbom=AUDIT)
        assert found.packages == [Package("jinja2", "", unknown=skipped)]


@pytest.mark.parametrize(
    "files",
    [{"lock": ""}, {"lock": "# none\n"}, {"sbom": {"dependencies": [], "fixes": []}}, {"sbom": {"bomFormat": "CycloneDX"}}],
    ids=["empty lock", "comments", "empty audit", "empty SBOM"],
)  # fmt: skip
def test_a_file_that_names_nothing_is_not_clean(tmp_path: Path, database: str, files: dict[str, Any]) -> None:
    with pytest.raises(CannotCollect, match=r": names no packages: what the model needs is not known by it$"):
        collect(tmp_path, database, **files)


def test_a_package_of_both_files_is_there_once(tmp_path: Path, database: str) -> None:
    bom = {
        "bomFormat": "CycloneDX",
        "components": [
            {"name": "jinja2", "purl": "pkg:pypi/jinja2@2.10"},
            {"name": "b", "purl": "pkg:pypi/b@1"},
        ],
    }
    found = collect(tmp_path, database, lock="Jinja2==2.10\n", sbom=bom)
    assert [(package.name, package.version) for package in found.packages] == [("jinja2", "2.10"), ("b", "1")]
    assert len(found.vulnerabilities) == 1


def test_what_pip_audit_found_is_kept_where_the_database_does_not_have_it(
    tmp_path: Path, database: str
) -> None:
    vulns = [{"id": "PYSEC-2019-217", "fix_versions": ["2.10.1"]}, {"id": "PYSEC-2030-1", "fix_versions": []}]
    audit = {"dependencies": [{"name": "jinja2", "version": "2.10", "vulns": vulns}]}
    assert [each.id for each in collect(tmp_path, database, sbom=audit).vulnerabilities] == [
        "GHSA-462w-v97r-4m45",
        "PYSEC-2030-1",
    ]
    assert [each.id for each in collect(tmp_path, sbom=audit).vulnerabilities] == [
        "PYSEC-2019-217",
        "PYSEC-2030-1",
    ]


def test_more_packages_than_a_model_has_are_an_error_and_not_left_out(
    tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dependencies, "MAX_PACKAGES", 3)
    with pytest.raises(CannotCollect, match=r"^requirements\.txt: names more than 3 packages$"):
        collect(tmp_path, database, lock="a==1\n" * 3 + "jinja2==2.10\n")


def test_more_versions_of_a_package_than_can_be_needed_are_an_error(tmp_path: Path) -> None:
    lock = "".join(f"tensorflow==2.{minor}\n" for minor in range(51))
    with pytest.raises(CannotCollect, match=r"^requirements\.txt: names 51 versions of tensorflow$"):
        collect(tmp_path, lock=lock)


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({"lock": "a==1\n=="}, "requirements.txt:2: not a requirement: "),
        ({"sbom": "{"}, "bom.json:1: not JSON: "),
        ({"sbom": "[" * 200_000}, "bom.json:1: nested too deeply"),
        ({"sbom": '{"bomFormat": "CycloneDX", "components": [], "components": []}'}, "bom.json:1: duplicate key 'components'"),
        ({"sbom": {"dependencies": [{"version": "1"}]}}, "bom.json: has a package without a name"),
        ({"sbom": {}}, "bom.json: no bill of materials that is known: "),
        ({"lock": "a" * (17 << 20)}, "requirements.txt: larger than 16 MiB"),
    ],
    ids=["requirement", "JSON", "deep", "duplicate", "no name", "other", "huge"],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path, files: dict[str, Any], problem: str) -> None:
    with pytest.raises(CannotCollect) as raised:
        collect(tmp_path, **files)
    assert str(raised.value).startswith(problem)


def test_a_file_or_database_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    root = release(tmp_path)
    with pytest.raises(CannotCollect, match=r"^requirements\.txt: no such file in the release$"):
        dependencies.collect(given(root, ["model"], lock="requirements.txt"))
    with pytest.raises(CannotCollect, match=r"^/nowhere/osv: no such file or directory$"):
        collect(tmp_path, "/nowhere/osv", lock="a==1")


def test_packages_can_be_matched_by_themselves(database: str) -> None:
    packages, found, known = dependencies.match(
        [Package("jinja2", "2.10"), Package("x", "1", "npm")], database
    )
    assert [package.unknown for package in packages] == ["", "the database has no records of npm"]
    assert [each.id for each in found] == ["GHSA-462w-v97r-4m45"]
    assert known.records == 2


def test_the_same_name_in_another_ecosystem_is_another_package(tmp_path: Path) -> None:
    path = tmp_path / "osv.json"
    path.write_text(json.dumps(record(affected=[about("jinja2", {"introduced": "0"}, ecosystem="npm")])))
    packages, found, _ = dependencies.match([Package("jinja2", "2.10")], str(path))
    assert (packages[0].unknown, found) == ("the database has no records of PyPI", [])
