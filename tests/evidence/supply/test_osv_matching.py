"""Which records a package matches: the examples of the OSV schema, and what must never pass as unaffected."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from osv_records import GHSA_JINJA, PYSEC_JINJA, about, record
from packaging.specifiers import SpecifierSet

from solon.evidence.supply import matching, osv, versions
from solon.evidence.supply.affected import Criteria
from solon.evidence.supply.osv import Affected, Record, Records
from solon.evidence.supply.result import Database, Package, Vulnerability


def records(*raw: dict[str, Any]) -> Records:
    found: dict[Any, list[tuple[Record, Affected]]] = {}
    ecosystems = set()
    for each in raw:
        made = msgspec.convert(each, Record)
        for affected in made.affected or ():
            assert affected.package is not None
            ecosystems.add(affected.package.ecosystem)
            name = osv.name_of(affected.package.ecosystem, affected.package.name)
            found.setdefault(name, []).append((made, affected))
    return Records(found, Database("sha256:0", len(raw), "2026-01-01T00:00:00Z", sorted(ecosystems)))


def judged(version: str, affected: dict[str, Any]) -> bool | None:
    return Criteria(msgspec.convert(affected, Affected), versions.order("PyPI")).judge(version).affected


def found(name: str, version: str, *raw: dict[str, Any], ecosystem: str = "PyPI") -> list[Vulnerability]:
    return matching.matched([Package(name, version, ecosystem)], records(*raw))[1]


def unknown(name: str, version: str, *raw: dict[str, Any], ecosystem: str = "PyPI") -> str:
    return matching.matched([Package(name, version, ecosystem)], records(*raw))[0][0].unknown


def test_records_of_one_vulnerability_are_one_with_the_severity_that_is_known() -> None:
    assert found("Jinja2", "2.10", PYSEC_JINJA, GHSA_JINJA) == [
        Vulnerability(
            id="GHSA-462w-v97r-4m45",
            package="Jinja2",
            version="2.10",
            severity="high",
            score=8.6,
            summary="Jinja2 sandbox escape via string formatting",
            aliases=["CVE-2019-10906", "PYSEC-2019-217"],
            fixed=["2.10.1"],
        )
    ]
    assert found("Jinja2", "2.10.1", PYSEC_JINJA, GHSA_JINJA) == []
    assert unknown("Jinja2", "2.10.1", PYSEC_JINJA, GHSA_JINJA) == ""


def test_a_record_without_a_severity_has_one_that_is_unknown() -> None:
    (only,) = found("jinja2", "2.10", PYSEC_JINJA)
    assert (only.id, only.severity, only.score) == ("PYSEC-2019-217", "unknown", None)
    assert only.summary == "In Pallets Jinja before 2.10.1, str.format_map allows a sandbox escape."


INTRODUCED, FIXED = {"introduced": "0"}, {"fixed": "1.0.2"}
TWICE = [{"introduced": "1.0.0"}, FIXED, {"introduced": "3.0.0"}, {"fixed": "3.2.5"}]


@pytest.mark.parametrize("type", ["ECOSYSTEM", "SEMVER"])
@pytest.mark.parametrize(
    ("events", "affected", "unaffected"),
    [
        ([INTRODUCED], ["0.0.1.dev1", "0", "999"], []),
        ([INTRODUCED, FIXED], ["0.1", "1.0.1", "1.0.2rc1"], ["1.0.2", "1.0.2.post1", "2"]),
        (TWICE, ["1.0.0", "1.0.1", "3.0.0", "3.2.4"], ["0.9", "1.0.2", "2.9", "3.2.5", "4"]),
        (list(reversed(TWICE)), ["1.0.0", "1.0.1", "3.0.0", "3.2.4"], ["0.9", "1.0.2", "2.9", "3.2.5", "4"]),
        ([INTRODUCED, {"last_affected": "2.1.214"}], ["1", "2.1.214", "2.1.214.0"], ["2.1.215", "3"]),
        ([INTRODUCED, {"limit": "1.5"}], ["1.4"], ["1.5", "2"]),
        ([INTRODUCED, {"limit": "*"}], ["1.4", "99"], []),
        ([{"introduced": "1!1.0"}], ["1!1.0"], ["9.0"]),
        ([{"introduced": "2.0"}, {"fixed": "2.0"}], [], ["1.9", "2.0", "2.1"]),
    ],
)
def test_ranges_are_evaluated_as_the_schema_says(
    type: str, events: Sequence[dict[str, str]], affected: list[str], unaffected: list[str]
) -> None:
    within = about("x", *events, type=type)
    assert [judged(version, within) for version in affected] == [True] * len(affected)
    assert [judged(version, within) for version in unaffected] == [False] * len(unaffected)


NUMBERS = st.integers(0, 6).map(str)


@given(st.lists(NUMBERS, min_size=1, max_size=6, unique=True), NUMBERS)
@settings(max_examples=100)
def test_a_range_is_what_its_specifiers_are(bounds: list[str], version: str) -> None:
    bounds = sorted(bounds, key=int)
    events = [{("introduced", "fixed")[n % 2]: bound} for n, bound in enumerate(bounds)]
    spans = [
        SpecifierSet(f">={low}") & SpecifierSet(f"<{high}")
        for low, high in zip(bounds[::2], bounds[1::2], strict=False)
    ]
    if len(bounds) % 2:
        spans.append(SpecifierSet(f">={bounds[-1]}"))
    assert judged(version, about("x", *events)) == any(version in span for span in spans)


@pytest.mark.parametrize("version", ["2.10", "2.10.0", "v2.10", "2.10+cu118"])
def test_a_listed_version_is_affected_however_it_is_written(version: str) -> None:
    assert judged(version, about("x", versions=["2.9", "2.10"]))
    assert not judged("2.11", about("x", versions=["2.9", "2.10"]))


@pytest.mark.parametrize(("version", "affected"), [("2.1.0+cu118", True), ("2.1.1+cu118", False)])
def test_a_build_of_ones_own_is_as_affected_as_its_release(version: str, affected: bool) -> None:
    assert judged(version, about("torch", INTRODUCED, {"last_affected": "2.1.0"})) is affected


def test_a_version_outside_of_the_ranges_may_still_be_listed() -> None:
    assert judged("5.0", about("x", INTRODUCED, FIXED, versions=["5.0"]))


@pytest.mark.parametrize(
    "affected",
    [
        about("x"),
        about("x", versions=[]),
        about("x", {"introduced": "0"}, {"fixed": "4345"}, type="GIT"),
        about("x", {"fixed": "2.0"}),
        about("x", {"introduced": "0"}, {"fixed": "the next"}),
        about("x", {"introduced": "0"}, {"fixed": "the next"}, versions=["0.5"]),
    ],
    ids=["nothing", "no versions", "commits alone", "no beginning", "no version", "no version in a range"],
)
def test_what_cannot_be_compared_is_unknown(affected: dict[str, Any]) -> None:
    assert judged("1.0", affected) is None
    assert found("x", "1.0", record(affected=[affected])) == []
    assert unknown("x", "1.0", record(affected=[affected])) == (
        "whether PYSEC-2026-1 affects it cannot be told"
    )


def test_commits_beside_versions_are_left_out() -> None:
    git = {"type": "GIT", "events": [{"introduced": "0"}, {"fixed": "3f38f7"}]}
    assert judged("1.0", about("x", versions=["0.9"], ranges=[git])) is False


def test_a_version_that_is_none_is_unknown_and_may_still_be_listed() -> None:
    listed = record(affected=[about("pytz", versions=["2004d"])])
    assert unknown("pytz", "2004x", listed) == (
        "'2004x' is no version that can be compared; whether PYSEC-2026-1 affects it cannot be told"
    )
    assert [each.id for each in found("pytz", "2004d", listed)] == ["PYSEC-2026-1"]
    assert unknown("other", "2004d", listed) == "'2004d' is no version that can be compared"


def test_a_package_without_a_version_stays_unknown() -> None:
    packages, found = matching.matched(
        [Package("jinja2", "", unknown="no exact version: >=2")], records(PYSEC_JINJA)
    )
    assert (packages[0].unknown, found) == ("no exact version: >=2", [])


def test_an_ecosystem_that_the_database_has_not_is_unknown() -> None:
    assert unknown("numpy", "1.26", PYSEC_JINJA, ecosystem="conda") == "the database has no records of conda"
    assert (
        unknown("thing", "1.26", PYSEC_JINJA, ecosystem="") == "the database has no records of its ecosystem"
    )


def test_where_the_order_of_versions_is_not_known_only_what_is_listed_is_told() -> None:
    ranged = record(affected=[about("bash", INTRODUCED, {"fixed": "5.2-2"}, ecosystem="Debian:12")])
    listed = record(affected=[about("bash", versions=["5.2-1"], ecosystem="Debian:12")])
    order = "how versions of Debian are ordered is not known here"
    assert unknown("bash", "5.2-1", ranged, ecosystem="Debian:12") == (
        f"{order}; whether PYSEC-2026-1 affects it cannot be told"
    )
    assert [each.id for each in found("bash", "5.2-1", listed, ecosystem="Debian:12")] == ["PYSEC-2026-1"]
    # A bill of materials names bash, and not the release; the database names sources, and not what is built of them.
    assert [each.id for each in found("bash", "5.2-1", listed, ecosystem="Debian")] == ["PYSEC-2026-1"]
    assert unknown("bash", "5.2-3", listed, ecosystem="Debian") == order
    assert unknown("libbash", "5.2-3", listed, ecosystem="Debian") == order


def test_npm_packages_are_ordered_by_semver_and_told_apart_from_those_of_pypi() -> None:
    raw = record(affected=[about("elliptic", INTRODUCED, {"fixed": "6.5.4"}, ecosystem="npm", type="SEMVER")])
    assert [each.fixed for each in found("elliptic", "6.5.4-beta.1", raw, ecosystem="npm")] == [["6.5.4"]]
    assert found("elliptic", "6.5.4", raw, ecosystem="npm") == []
    assert found("elliptic", "6.5.3", raw, PYSEC_JINJA) == []


def test_the_next_fixes_are_named() -> None:
    raw = record(affected=[about("x", *TWICE), about("x", {"introduced": "1.0.1"}, {"fixed": "2.5"})])
    assert found("x", "1.0.1", raw)[0].fixed == ["1.0.2", "2.5"]


@pytest.mark.parametrize(
    ("fields", "severity", "score"),
    [
        ({"severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N"}]}, "medium", 6.1),
        ({"severity": [{"type": "CVSS_V3", "score": "nonsense"}]}, "unknown", None),
        ({"severity": [{"type": "CVSS_V2", "score": "AV:N/AC:L/Au:N/C:P/I:P/A:P"}]}, "unknown", None),
        ({"database_specific": {"severity": "MODERATE"}}, "medium", None),
        ({"database_specific": {"severity": ["HIGH"]}}, "unknown", None),
        ({"database_specific": "HIGH"}, "unknown", None),
        ({"severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N"}],
          "database_specific": {"severity": "CRITICAL"}}, "critical", 6.1),
        ({"id": "MAL-2026-12"}, "critical", None),
    ],
)  # fmt: skip
def test_the_severity_is_the_highest_that_the_record_has(
    fields: dict[str, Any], severity: str, score: float | None
) -> None:
    (only,) = found("x", "1", {**record(affected=[about("x", INTRODUCED)]), **fields})
    assert (only.severity, only.score) == (severity, score)


def test_a_severity_may_be_that_of_one_package() -> None:
    vector = [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]
    raw = record(
        affected=[
            about("x", INTRODUCED, severity=vector),
            about("y", INTRODUCED, ecosystem_specific={"severity": "LOW"}),
        ]
    )
    assert [each.severity for each in found("x", "1", raw)] == ["critical"]
    assert [each.severity for each in found("y", "1", raw)] == ["low"]


def test_records_are_one_by_way_of_others() -> None:
    everything = [about("x", INTRODUCED)]
    raw = [
        record("PYSEC-2026-1", aliases=["CVE-2026-1"], affected=everything),
        record("PYSEC-2026-2", aliases=["GHSA-2"], affected=everything),
        record("GHSA-1", aliases=["CVE-2026-1", "GHSA-2"], affected=everything),
        record("PYSEC-2026-9", affected=everything),
    ]
    assert [(each.id, each.aliases) for each in found("x", "1", *raw)] == [
        ("GHSA-1", ["CVE-2026-1", "GHSA-2", "PYSEC-2026-1", "PYSEC-2026-2"]),
        ("PYSEC-2026-9", []),
    ]


def test_many_records_that_cannot_be_compared_are_counted() -> None:
    raw = [record(f"PYSEC-2026-{n}", affected=[about("x")]) for n in range(5)]
    assert unknown("x", "1", *raw) == (
        "whether PYSEC-2026-0, PYSEC-2026-1, PYSEC-2026-2 and 2 more affects it cannot be told"
    )


def test_the_severest_come_first_and_a_summary_is_one_short_line() -> None:
    everything = [about("x", INTRODUCED)]
    raw = [
        record("PYSEC-1", affected=everything, summary="a\nb\t c"),
        record("PYSEC-2", affected=everything, database_specific={"severity": "LOW"}, summary="z" * 500),
        record("PYSEC-3", affected=everything, database_specific={"severity": "CRITICAL"}),
    ]
    third, second, first = found("x", "1", *raw)
    assert [third.id, second.id, first.id] == ["PYSEC-3", "PYSEC-2", "PYSEC-1"]
    assert (first.summary, second.summary) == ("a b c", "z" * 197 + "...")
