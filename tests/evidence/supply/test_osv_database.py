"""Databases of vulnerabilities: every way in which records are published, and those that cannot be read."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest
from osv_records import GHSA_JINJA, PYSEC_JINJA, about, record
from supply_releases import written

from solon.evidence.collector import CannotCollect
from solon.evidence.supply import osv
from solon.evidence.supply.osv import Records

JINJA = {("PyPI", "jinja2")}
OTHER = record("PYSEC-2026-7", affected=[about("other", {"introduced": "0"})])


def ids(records: Records) -> list[str]:
    return sorted(each.id for of in records.about.values() for each, _ in of)


def zipped(path: Path, members: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def in_a_file(directory: Path) -> Path:
    path = directory / "all.json"
    path.write_text(json.dumps([PYSEC_JINJA, GHSA_JINJA, OTHER]))
    return path


def a_line_each(directory: Path) -> Path:
    path = directory / "all.jsonl"
    path.write_text("".join(json.dumps(each) + "\n\n" for each in (PYSEC_JINJA, GHSA_JINJA, OTHER)))
    return path


def in_a_zip(directory: Path) -> Path:
    members = {f"{each['id']}.json": json.dumps(each) for each in (PYSEC_JINJA, GHSA_JINJA, OTHER)}
    return zipped(directory / "all.zip", {"README.md": "not a record", **members})


def in_a_zip_by_another_name(directory: Path) -> Path:
    return in_a_zip(directory).rename(directory / "database")


def in_a_directory(directory: Path) -> Path:
    written(
        directory / "db",
        {
            "pypi/PYSEC-2019-217.json": json.dumps(PYSEC_JINJA),
            "pypi/more.ndjson": json.dumps(OTHER),
            "README.md": "# Records",
            ".git/config.json": "{",
        },
    )
    zipped(directory / "db/github.zip", {"GHSA-462w-v97r-4m45.json": json.dumps(GHSA_JINJA)})
    return directory / "db"


def in_yaml(directory: Path) -> Path:
    texts = {
        "vulns/jinja2/PYSEC-2019-217.yaml": json.dumps(PYSEC_JINJA, indent=1).replace("\t", " "),
        "vulns/more.yml": "id: GHSA-462w-v97r-4m45\nmodified: '2023-11-08T04:00:53Z'\naffected:\n"
        "- package: {ecosystem: PyPI, name: Jinja2}\n  ranges:\n"
        "  - {type: ECOSYSTEM, events: [{introduced: '0'}]}\n---\n" + json.dumps(OTHER),
    }
    return written(directory / "advisory-db", texts)


@pytest.mark.parametrize(
    "publish",
    [in_a_file, a_line_each, in_a_zip, in_a_zip_by_another_name, in_a_directory, in_yaml],
    ids=lambda each: each.__name__,
)
def test_records_are_read_however_they_are_published(tmp_path: Path, publish: Any) -> None:
    found = osv.read(str(publish(tmp_path)), JINJA)
    assert ids(found) == ["GHSA-462w-v97r-4m45", "PYSEC-2019-217"]
    assert found.database.records == 3
    assert found.database.newest == "2026-01-01T00:00:00Z"
    assert found.database.ecosystems == ["PyPI"]


def test_names_of_pypi_are_normalised(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(json.dumps(record(affected=[about("Scikit_Learn", {"introduced": "0"})])))
    assert ids(osv.read(str(path), {osv.name_of("PyPI", "scikit.learn")})) == ["PYSEC-2026-1"]


def test_the_digest_is_that_of_the_file_or_of_the_files(tmp_path: Path) -> None:
    path = in_a_file(tmp_path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert osv.read(str(path), JINJA).database.digest == f"sha256:{digest}"
    listed = hashlib.sha256(f"{digest}  all.json\n".encode()).hexdigest()
    assert osv.read(str(tmp_path), JINJA).database.digest == f"sha256:{listed}"


def test_what_was_withdrawn_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(json.dumps([{**PYSEC_JINJA, "withdrawn": "2024-01-01T00:00:00Z"}, GHSA_JINJA]))
    assert ids(osv.read(str(path), JINJA)) == ["GHSA-462w-v97r-4m45"]
    path.write_text(json.dumps({**PYSEC_JINJA, "withdrawn": "2024-01-01T00:00:00Z"}))
    assert osv.read(str(path), JINJA).database.ecosystems == []


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_records_with_one_id_the_later_holds(tmp_path: Path, order: int) -> None:
    later = {**PYSEC_JINJA, "modified": "2025-01-01T00:00:00Z", "withdrawn": "2025-01-01T00:00:00Z"}
    path = tmp_path / "x.json"
    path.write_text(json.dumps([PYSEC_JINJA, later][::order]))
    assert ids(osv.read(str(path), JINJA)) == []


def test_the_base_of_an_ecosystem_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(json.dumps(record(affected=[about("bash", ecosystem="Debian:12"), {"versions": ["1"]}])))
    assert osv.read(str(path), JINJA).database.ecosystems == ["Debian"]


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("x.json", "{", "x.json: no OSV record: Input data was truncated"),
        ("x.json", "[]", "x.json: holds no OSV records"),
        ("x.json", "{}", "x.json: no OSV record: Object missing required field `id`"),
        ("x.json", '{"id": "a"}', "x.json: no OSV record: Object missing required field `modified`"),
        ("x.json", '{"id": "a", "modified": "yesterday"}', "x.json: no OSV record: Invalid RFC3339 encoded datetime - at `$.modified`"),
        ("x.json", '{"id": "a", "modified": "2026-01-01T00:00:00"}', "x.json: no OSV record: Expected `datetime` with a timezone component - at `$.modified`"),
        ("x.json", json.dumps(record(affected=[{"versions": "1.0"}])), "x.json: no OSV record: Expected `array | null`, got `str` - at `$.affected[0].versions`"),
        ("x.json", '{"id": "a", "modified": "2026-01-01T00:00:00Z", "database_specific": ' + "[" * 100_000, "x.json: no OSV record: nested too deeply"),
        ("x.json", b"\xff", "x.json: no OSV record: JSON is malformed: invalid character (byte 0)"),
        ("x.jsonl", json.dumps(OTHER) + "\n{", "x.jsonl:2: no OSV record: Input data was truncated"),
        ("x.yaml", "id: [", "x.yaml:2: not YAML: did not find expected node content"),
        ("x.yaml", "id: a", "x.yaml: no OSV record: Object missing required field `modified`"),
        ("x.zip", b"PK\x03\x04 and no more", "x.zip: not a zip that can be read: File is not a zip file"),
        ("x.zip", b"PK\x05\x06" + bytes(18), "x.zip: holds no OSV records"),
    ],
)  # fmt: skip
def test_a_record_that_cannot_be_read_is_an_error(
    tmp_path: Path, name: str, content: str | bytes, problem: str
) -> None:
    written(tmp_path, {name: content})
    with pytest.raises(CannotCollect) as raised:
        osv.read(str(tmp_path / name), JINJA)
    assert str(raised.value) == f"{tmp_path}/{problem}"


def test_a_member_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = zipped(tmp_path / "all.zip", {"good.json": json.dumps(OTHER), "bad.json": "{"})
    with pytest.raises(CannotCollect, match=r"all\.zip!bad\.json: no OSV record: Input data was truncated$"):
        osv.read(str(path), JINJA)


def test_a_member_that_was_damaged_is_an_error(tmp_path: Path) -> None:
    path = zipped(tmp_path / "all.zip", {"a.json": json.dumps(PYSEC_JINJA)})
    data = bytearray(path.read_bytes())
    data[60] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(CannotCollect, match=r"all\.zip: not a zip that can be read: "):
        osv.read(str(path), JINJA)


def test_a_zip_bomb_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = zipped(tmp_path / "all.zip", {f"{n}.json": " " * 300_000 + json.dumps(OTHER) for n in range(9)})
    assert path.stat().st_size < 20_000
    monkeypatch.setattr(osv, "MAX_UNPACKED", 1 << 20)
    with pytest.raises(CannotCollect, match="its members are larger than"):
        osv.read(str(path), JINJA)


def test_a_member_is_not_unpacked_beyond_what_a_file_may_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = zipped(tmp_path / "all.zip", {"a.json": " " * 300_000, "b.jsonl": " " * 300_000})
    monkeypatch.setattr(osv, "MAX_FILE", 1 << 18)
    with pytest.raises(CannotCollect, match=r"all\.zip!a\.json: larger than"):
        osv.read(str(path), JINJA)


def test_a_line_is_not_read_beyond_what_a_record_may_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(osv, "MAX_RECORD", 1 << 10)
    written(tmp_path, {"x.jsonl": json.dumps(OTHER) + "\n" + " " * 5000})
    with pytest.raises(CannotCollect, match=r"x\.jsonl:2: larger than"):
        osv.read(str(tmp_path / "x.jsonl"), JINJA)


def test_no_database_and_an_empty_one_are_errors(tmp_path: Path) -> None:
    with pytest.raises(CannotCollect, match="no such file or directory"):
        osv.read(str(tmp_path / "nowhere"), JINJA)
    with pytest.raises(CannotCollect, match="holds no OSV records"):
        osv.read(str(tmp_path), JINJA)


def test_what_is_no_file_is_not_waited_for_and_not_left_out(tmp_path: Path) -> None:
    in_a_file(tmp_path)
    os.mkfifo(tmp_path / "more.json")
    with pytest.raises(CannotCollect, match=r"more\.json: not a file, and may have been one with records$"):
        osv.read(str(tmp_path), JINJA)


def test_long_reading_shows_progress(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text((json.dumps(OTHER) + "\n") * 4001)
    told: list[tuple[str, int, int]] = []
    osv.read(str(path), JINJA, lambda *said: told.append(said))
    assert told == [("reading x.jsonl", 0, 1)] * 2
