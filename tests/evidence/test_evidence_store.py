"""What was judged is kept, by digest."""

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


def test_what_is_put_is_found_by_its_digest(store: Store, tmp_path: Path) -> None:
    first, second = evidence(tmp_path / "a"), evidence(tmp_path / "b", use="credit")
    for document in (first, second, first):
        assert store.put(document) == digests.of_bytes(document)
    found = [store.get(digests.of_bytes(document)) for document in (first, second)]
    assert [each.evidence.release.use for each in found if each is not None] == ["", "credit"]
    assert sorted(store.documents(), key=lambda each: each.evidence.release.use) == found
    assert store.get("sha256:" + "0" * 64) is None


def test_a_store_that_nothing_was_put_into_is_empty(store: Store) -> None:
    assert list(store.documents()) == []


def test_what_was_altered_is_not_believed(store: Store, tmp_path: Path) -> None:
    digest = store.put(evidence(tmp_path / "a"))
    (file,) = (tmp_path / "store/evidence").iterdir()
    file.write_bytes(file.read_bytes().replace(b"high", b"none"))
    with pytest.raises(NotStored, match="is not the evidence that was kept"):
        store.get(digest)
    with pytest.raises(NotStored, match="is not the evidence that was kept"):
        list(store.documents())
