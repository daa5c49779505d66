"""Packages of bills of materials, and of what pip-audit reports."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solon.evidence.supply import sbom
from solon.evidence.supply.result import Package, Vulnerability
from solon.subjects.documents import Problem


def read(document: Any) -> list[Package]:
    return list(sbom.packages(document))


@pytest.mark.parametrize(
    ("purl", "found"),
    [
        ("pkg:pypi/jinja2@2.10", ("PyPI", "jinja2", "2.10")),
        ("pkg:PyPI/Jinja2@2.10?file_name=x.whl#src", ("PyPI", "Jinja2", "2.10")),
        ("pkg:pypi/torch@2.1.0%2Bcu118", ("PyPI", "torch", "2.1.0+cu118")),
        ("pkg:pypi/jinja2", ("PyPI", "jinja2", "")),
        ("pkg://pypi/jinja2@1", ("PyPI", "jinja2", "1")),
        ("pkg:npm/%40angular/core@16.0.0", ("npm", "@angular/core", "16.0.0")),
        ("pkg:npm/@angular/core", ("npm", "@angular/core", "")),
        ("pkg:golang/github.com/gorilla/mux@v1.8.0", ("Go", "github.com/gorilla/mux", "v1.8.0")),
        ("pkg:maven/org.apache.spark/spark-core_2.12@3.5.0", ("Maven", "org.apache.spark:spark-core_2.12", "3.5.0")),
        ("pkg:deb/debian/bash@5.2-1?arch=amd64", ("Debian", "bash", "5.2-1")),
        ("pkg:cargo/tokenizers@0.15.0", ("crates.io", "tokenizers", "0.15.0")),
        ("pkg:conda/numpy@1.26.4?build=py311", ("conda", "numpy", "1.26.4")),
        ("pkg:pypi/", None),
        ("pkg:pypi//@1", None),
        ("jinja2@2.10", None),
        ("", None),
    ],
)  # fmt: skip
def test_package_urls(purl: str, found: Any) -> None:
    assert sbom.of_purl(purl) == found


@given(
    st.from_regex(r"[a-z0-9_. %+@]{1,12}", fullmatch=True),
    st.from_regex(r"[0-9a-z.+! -]{1,10}", fullmatch=True),
)
@settings(max_examples=100)
def test_package_urls_are_read_as_their_own_library_writes_them(name: str, version: str) -> None:
    from packageurl import PackageURL

    if not name.strip() or not version.strip():
        return
    written = PackageURL("npm", None, name.strip(), version.strip())
    assert sbom.of_purl(written.to_string()) == ("npm", written.name, written.version)


NO_ECOSYSTEM = "no package URL says which ecosystem it is of"


def test_cyclonedx() -> None:
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "metadata": {"component": {"type": "application", "name": "credit", "version": "3"}},
        "components": [
            {"type": "library", "name": "jinja2", "version": "2.10", "purl": "pkg:pypi/jinja2@2.10"},
            {
                "type": "framework",
                "name": "outer",
                "components": [{"type": "library", "name": "inner", "purl": "pkg:pypi/inner@1"}],
            },
            {"type": "library", "name": "numpy", "version": "1.26.4", "purl": "pkg:pypi/numpy"},
            {"type": "library", "name": "scipy", "purl": "pkg:pypi/scipy"},
            {"type": "file", "name": "weights.bin"},
            {"type": "machine-learning-model", "name": "base", "purl": "pkg:huggingface/x/base@00"},
        ],
    }
    assert read(document) == [
        Package("jinja2", "2.10"),
        Package("outer", "", "", NO_ECOSYSTEM),
        Package("numpy", "1.26.4"),
        Package("scipy", "", unknown="no exact version: it names none"),
        Package("inner", "1"),
    ]


def test_what_cyclonedx_py_writes_is_read() -> None:
    from cyclonedx.model.bom import Bom
    from cyclonedx.model.component import Component
    from cyclonedx.output.json import JsonV1Dot6
    from packageurl import PackageURL

    bom = Bom(
        components=[Component(name="jinja2", version="2.10", purl=PackageURL("pypi", None, "jinja2", "2.10"))]
    )
    assert read(json.loads(JsonV1Dot6(bom).output_as_string())) == [Package("jinja2", "2.10")]


def spdx_package(name: str, version: str | None, *references: tuple[str, str]) -> dict[str, Any]:
    made: dict[str, Any] = {"SPDXID": f"SPDXRef-{name}", "name": name}
    if version:
        made["versionInfo"] = version
    made["externalRefs"] = [
        {"referenceCategory": "X", "referenceType": kind, "referenceLocator": locator}
        for kind, locator in references
    ]
    return made


@pytest.mark.parametrize(
    "described",
    [
        {"documentDescribes": ["SPDXRef-credit"]},
        {"relationships": [
            {"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": "SPDXRef-credit"}
        ]},
    ],
    ids=["documentDescribes", "relationship"],
)  # fmt: skip
def test_spdx_2(described: dict[str, Any]) -> None:
    document = {
        "spdxVersion": "SPDX-2.3",
        "packages": [
            spdx_package("credit", "3"),
            spdx_package("jinja2", "2.10", ("cpe23Type", "cpe:2.3:a:x"), ("purl", "pkg:pypi/jinja2@2.10")),
            spdx_package("mystery", None),
        ],
        **described,
    }
    assert read(document) == [Package("jinja2", "2.10"), Package("mystery", "", "", NO_ECOSYSTEM)]


def test_spdx_3() -> None:
    graph = [
        {"type": "software_Sbom", "spdxId": "urn:sbom", "rootElement": ["urn:credit"]},
        {"type": "software_Package", "spdxId": "urn:credit", "name": "credit"},
        {
            "type": "software_Package",
            "spdxId": "urn:jinja2",
            "name": "jinja2",
            "software_packageVersion": "2.10",
            "software_packageUrl": "pkg:pypi/jinja2@2.10",
        },
        {"type": "software_File", "spdxId": "urn:f", "name": "f"},
    ]
    assert read({"@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld", "@graph": graph}) == [
        Package("jinja2", "2.10")
    ]


# What pip-audit 2.10 wrote where its index has no advisories: and then said "No known vulnerabilities found".
SKIPPED = "Dependency not found on PyPI and could not be audited: jinja2 (2.10)"
AUDIT = {
    "dependencies": [
        {"name": "jinja2", "skip_reason": SKIPPED},
        {"name": "markupsafe", "version": "3.0.2", "vulns": []},
        {
            "name": "pillow",
            "version": "9.0.0",
            "vulns": [
                {
                    "id": "PYSEC-2022-168",
                    "fix_versions": ["9.0.1"],
                    "aliases": ["CVE-2022-24303"],
                    "description": "Removes files\nwith spaces in the path.",
                }
            ],
        },
    ],
    "fixes": [],
}


def test_what_pip_audit_skipped_is_unknown() -> None:
    assert read(AUDIT) == [
        Package("jinja2", "", unknown=f"skipped by pip-audit: {SKIPPED}"),
        Package("markupsafe", "3.0.2"),
        Package("pillow", "9.0.0"),
    ]


def test_what_pip_audit_found_is_reported() -> None:
    assert list(sbom.reported(AUDIT)) == [
        Vulnerability(
            id="PYSEC-2022-168",
            package="pillow",
            version="9.0.0",
            severity="unknown",
            summary="Removes files with spaces in the path.",
            aliases=["CVE-2022-24303"],
            fixed=["9.0.1"],
        )
    ]


def test_what_a_bill_of_materials_says_was_found_is_reported() -> None:
    document = {
        "bomFormat": "CycloneDX",
        "components": [{"bom-ref": "r1", "name": "jinja2", "purl": "pkg:pypi/jinja2@2.10"}],
        "vulnerabilities": [
            {
                "id": "GHSA-462w-v97r-4m45",
                "references": [{"id": "CVE-2019-10906", "source": {"name": "NVD"}}],
                "ratings": [{"severity": "medium"}, {"severity": "high"}, {"score": 7}],
                "description": "Sandbox escape",
                "analysis": {"state": "not_affected"},
                "affects": [{"ref": "r1"}, {"ref": "elsewhere"}],
            },
            {"id": "CVE-2030-1", "affects": [{"ref": "r1"}]},
            {"id": "CVE-2030-2"},
        ],
    }
    escape = {"severity": "high", "summary": "Sandbox escape", "aliases": ["CVE-2019-10906"]}
    assert list(sbom.reported(document)) == [
        Vulnerability("GHSA-462w-v97r-4m45", "jinja2", "2.10", **escape),
        Vulnerability("GHSA-462w-v97r-4m45", "elsewhere", "", **escape),
        Vulnerability("CVE-2030-1", "jinja2", "2.10", "unknown"),
        Vulnerability("CVE-2030-2", "an unnamed package", "", "unknown"),
    ]


UNKNOWN = "no bill of materials that is known: CycloneDX, SPDX, and what `pip-audit -f json` writes are"
LIST = "not as its format has it: a list of objects was expected"


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        (None, UNKNOWN),
        ([], UNKNOWN),
        ({}, UNKNOWN),
        ({"bomFormat": "Other"}, UNKNOWN),
        ({"dependencies": {}}, UNKNOWN),
        ({"bomFormat": "CycloneDX", "components": {}}, LIST),
        ({"bomFormat": "CycloneDX", "components": ["jinja2"]}, LIST),
        ({"bomFormat": "CycloneDX", "components": [{"name": 7}]}, "not as its format has it: `name` must be a text"),
        ({"spdxVersion": "SPDX-2.3", "packages": [{"name": "a", "externalRefs": "x"}]}, LIST),
        ({"@graph": ["x"]}, LIST),
        ({"dependencies": [{"name": "a", "skip_reason": True}]}, "not as its format has it: `skip_reason` must be a text"),
    ],
)  # fmt: skip
def test_what_is_no_bill_of_materials_is_an_error(document: Any, problem: str) -> None:
    with pytest.raises(Problem) as raised:
        read(document)
    assert raised.value.message == problem


def test_components_may_be_nested_without_end() -> None:
    component: dict[str, Any] = {"name": "a", "purl": "pkg:pypi/a@1"}
    for _ in range(100_000):
        component = {"type": "file", "components": [component]}
    assert read({"bomFormat": "CycloneDX", "components": [component]}) == [Package("a", "1")]
    while component.get("components"):  # taken apart by hand, for Python does it by recursion
        component = component.pop("components")[0]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "name",
                    "version",
                    "purl",
                    "components",
                    "packages",
                    "vulns",
                    "ref",
                    "bom-ref",
                    "ratings",
                    "affects",
                    "skip_reason",
                    "externalRefs",
                    "aliases",
                    "fix_versions",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON, st.sampled_from([{"bomFormat": "CycloneDX"}, {"spdxVersion": "SPDX-2.3"}, {}]), JSON)
@settings(max_examples=100, deadline=None)
def test_no_document_is_too_odd(inner: Any, outer: dict[str, Any], more: Any) -> None:
    document = {
        **outer,
        "components": inner,
        "packages": inner,
        "dependencies": inner,
        "relationships": more,
        "vulnerabilities": more,
    }
    try:
        found = read(document)
        list(sbom.reported(document))
    except Problem:
        return
    assert all(package.version or package.unknown for package in found)
