"""What was judged is kept, by digest, and the newest of each release is found."""

from __future__ import annotations

from pathlib import Path

import pytest
from ml_releases import write_evidence, write_release

from solon.evidence import digests
from solon.evidence.store import NotStored, Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path / "store"))


def evidence(directory: Path, **declared: str) -> bytes:
    write_evidence(write_release(directory, **declared))
    return (directory / "evidence.json").read_bytes()


def test_what_is_put_is_found_by_digest_and_by_name(store: Store, tmp_path: Path) -> None:
    document = evidence(tmp_path / "a")
    digest = store.put(document)
    assert digest == digests.of_bytes(document)
    found = store.newest("local", "adult-income", "3")
    assert found is not None
    assert found.digest == digest
    assert store.get(digest) == found
    assert list(store.releases()) == [found]
    assert store.newest("local", "adult-income", "4") is None
    assert store.get("sha256:" + "0" * 64) is None


def test_the_newest_is_the_last_that_was_put(store: Store, tmp_path: Path) -> None:
    first, second = evidence(tmp_path / "a"), evidence(tmp_path / "b", use="credit")
    store.put(first)
    store.put(second)
    found = store.newest("local", "adult-income", "3")
    assert found is not None
    assert found.digest == digests.of_bytes(second)
    assert store.get(digests.of_bytes(first)) is not None


@pytest.mark.parametrize("name", ["..", ".", "a/b", "../../x", "%2E", "ä", " ", ".hidden", "a.b"])
def test_a_name_is_one_part_of_a_path(store: Store, tmp_path: Path, name: str) -> None:
    store.put(evidence(tmp_path / "a", name=name, version=name, registry=name))
    assert store.newest(name, name, name) is not None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "store"]
    assert len(list(store.releases())) == 1


def test_what_was_altered_is_not_believed(store: Store, tmp_path: Path) -> None:
    digest = store.put(evidence(tmp_path / "a"))
    (file,) = (tmp_path / "store/evidence").iterdir()
    file.write_bytes(file.read_bytes().replace(b"high", b"none"))
    with pytest.raises(NotStored, match="is not the evidence that was kept"):
        store.get(digest)
    with pytest.raises(NotStored, match="is not the evidence that was kept"):
        store.newest("local", "adult-income", "3")
    file.unlink()
    with pytest.raises(NotStored, match="the evidence that it names is not here"):
        store.newest("local", "adult-income", "3")
