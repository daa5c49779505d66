"""The release store: which decision counts for a version, and when nobody can tell."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mlflow_decisions import KEY, OTHER_KEY, envelope, registered

from solon.decisions.releases import CannotTell, Registered, ReleaseStore, _quoted
from solon.signing.dsse import NotVerified

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
HERE = "mlflow-artifacts:/0/a"


@pytest.fixture
def store(tmp_path: Path) -> ReleaseStore:
    (tmp_path / "decisions").mkdir()
    return ReleaseStore(str(tmp_path / "decisions"), [KEY.public_key()])


def test_what_was_let_pass_may_go_live(store: ReleaseStore) -> None:
    store.keep(envelope(registered()))
    assert store.answer("adult", HERE, NOW).passed


def test_nothing_else_may(store: ReleaseStore) -> None:
    store.keep(envelope(registered()))
    for name, location in (
        ("adult", "mlflow-artifacts:/0/b"),
        ("prod.adult", HERE),
        ("ADULT", HERE),
        ("", HERE),
    ):
        answer = store.answer(name, location, NOW)
        assert not answer.passed
        assert "never gated" in answer.because


def test_a_decision_holds_for_each_name_it_was_made_for(store: ReleaseStore) -> None:
    store.keep(envelope(registered("adult", HERE, "prod.adult")))
    assert store.answer("prod.adult", HERE, NOW).passed
    assert store.answer("adult", HERE, NOW).passed
    assert not store.answer("prod.other", HERE, NOW).passed


def test_the_newest_decision_counts(store: ReleaseStore) -> None:
    store.keep(envelope(registered(), "allow", "2026-11-20T10:00:00.000000000Z"))
    store.keep(envelope(registered(), "deny", "2026-11-20T10:00:00.000000001Z", message="the gap is 0.2"))
    answer = store.answer("adult", HERE, NOW)
    assert not answer.passed
    assert "denied" in answer.because
    assert "ml.fairness.deny: the gap is 0.2 (fix: Balance the data)" in answer.because
    store.keep(envelope(registered(), "warn", "2026-11-20T10:00:00.000000002Z"))
    assert store.answer("adult", HERE, NOW).passed


def test_of_two_at_one_moment_the_denial_counts(store: ReleaseStore) -> None:
    at = "2026-11-20T10:00:00.000000000Z"
    for outcome in ("allow", "deny", "warn"):
        store.keep(envelope(registered(), outcome, at))
    assert not store.answer("adult", HERE, NOW).passed


def test_an_error_lets_nothing_pass(store: ReleaseStore) -> None:
    store.keep(envelope(registered(), "error"))
    assert "could not be judged" in store.answer("adult", HERE, NOW).because


@pytest.mark.parametrize(
    ("expires", "passes"), [("2026-11-21T12:00:01Z", True), ("2026-11-21T12:00:00Z", False)]
)
def test_a_decision_ends_on_the_second(store: ReleaseStore, expires: str, passes: bool) -> None:
    store.keep(envelope(registered(), expires=expires))
    assert store.answer("adult", HERE, NOW).passed is passes


def test_a_decision_of_another_registry_is_none(store: ReleaseStore) -> None:
    other = Registered("elsewhere", "adult", "1", HERE, ("adult",))
    store.keep(envelope(other))
    assert not store.answer("adult", HERE, NOW).passed


def test_a_decision_that_was_put_under_another_name_is_none(store: ReleaseStore) -> None:
    paths = store.keep(envelope(registered("spam")))
    target = Path(store.directory) / "credit"
    target.mkdir()
    (target / "x.dsse.json").write_bytes(Path(paths[0]).read_bytes())
    assert not store.answer("credit", HERE, NOW).passed


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda _data: b"", "no DSSE envelope"),
        (lambda data: data[: len(data) // 2], "no DSSE envelope"),
        (lambda data: data.replace(b'"sig":"A', b'"sig":"B').replace(b'"sig":"1', b'"sig":"2'), "adult"),
        (lambda _data: envelope(registered(), "deny", key=OTHER_KEY), "none of the trusted keys"),
    ],
)
def test_a_file_that_cannot_be_believed_is_no_answer(store: ReleaseStore, spoil, why: str) -> None:
    # It might be a denial.
    store.keep(envelope(registered()))
    (later,) = store.keep(envelope(registered(), "deny", "2026-11-21T10:00:00.000000000Z"))
    data = spoil(Path(later).read_bytes())
    changed = data != Path(later).read_bytes()
    Path(later).write_bytes(data)
    if changed:
        with pytest.raises(CannotTell, match=why):
            store.answer("adult", HERE, NOW)
    assert not store.answer("other", HERE, NOW).passed, "other models are not concerned"


def test_without_the_directory_nobody_can_tell(tmp_path: Path) -> None:
    with pytest.raises(CannotTell, match="no such directory"):
        ReleaseStore(str(tmp_path / "nowhere"), [KEY.public_key()]).answer("adult", HERE, NOW)


def test_what_the_store_would_not_believe_is_not_kept(store: ReleaseStore) -> None:
    with pytest.raises(NotVerified):
        store.keep(envelope(registered(), key=OTHER_KEY))


def test_a_change_of_a_file_is_seen(store: ReleaseStore) -> None:
    (path,) = store.keep(envelope(registered()))
    assert store.answer("adult", HERE, NOW).passed
    Path(path).unlink()
    assert not store.answer("adult", HERE, NOW).passed


def test_the_locations_of_what_was_let_pass(store: ReleaseStore) -> None:
    store.keep(envelope(registered("one", "mlflow-artifacts:/1")))
    store.keep(envelope(registered("two", "mlflow-artifacts:/2")))
    store.keep(envelope(registered("two", "mlflow-artifacts:/2"), "deny", "2026-11-21T00:00:00Z"))
    store.keep(envelope(registered("three", "mlflow-artifacts:/3"), "deny"))
    store.keep(envelope(registered("four", "mlflow-artifacts:/4")))
    (Path(store.directory) / "four/spoilt.dsse.json").write_text("")
    assert sorted(store.passed()) == ["mlflow-artifacts:/1", "mlflow-artifacts:/4"]


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("2026-11-20T10:00:00Z", "2026-11-20T10:00:00.5Z"),
        ("2026-11-20T10:00:00.9Z", "2026-11-20T10:00:01Z"),
        ("2026-11-20T10:00:00.000000001Z", "2026-11-20T10:00:00.000000002Z"),
        ("2026-11-20T11:00:00+02:00", "2026-11-20T10:00:00Z"),
    ],
)
def test_time_is_compared_however_it_is_written(store: ReleaseStore, earlier: str, later: str) -> None:
    store.keep(envelope(registered(), "deny", earlier))
    store.keep(envelope(registered(), "allow", later))
    assert store.answer("adult", HERE, NOW).passed


@given(st.text(min_size=1), st.text(min_size=1))
def test_names_become_directories_one_to_one(one: str, other: str) -> None:
    try:
        one.encode(), other.encode()
    except UnicodeEncodeError:
        return
    assert (_quoted(one) == _quoted(other)) == (one == other)
    assert "/" not in _quoted(one)
    assert not _quoted(one).startswith(".")
    assert len(_quoted(one)) <= 250


@pytest.mark.parametrize("name", ["..", ".", "../../etc", "a/b", "a b", "ü" * 300, "%2E"])
def test_odd_names_stay_inside_the_store(store: ReleaseStore, name: str) -> None:
    (path,) = store.keep(envelope(registered(name)))
    assert Path(path).resolve().parent.parent == Path(store.directory).resolve()
    assert store.answer(name, HERE, NOW).passed
