import os
from pathlib import Path

import pytest

from solon.cli import cache

ANSWER = b"a program"
NAME = "ab" * 32


@pytest.fixture
def kept(tmp_path):
    held = cache.of_user({"SOLON_CACHE": str(tmp_path / "cache")})
    assert held is not None
    return held


def test_what_was_put_is_there(kept):
    assert kept.get(NAME) is None
    kept.put(NAME, ANSWER)
    assert kept.get(NAME) == ANSWER
    kept.put(NAME, b"another")
    assert kept.get(NAME) == b"another"
    assert [entry.name for entry in os.scandir(kept.directory)] == [NAME]


def test_the_owner_alone_can_read_and_write(kept):
    kept.put(NAME, ANSWER)
    assert kept.directory.stat().st_mode & 0o777 == 0o700
    assert (kept.directory / NAME).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("mode", [0o640, 0o620, 0o604, 0o602])
def test_a_file_that_others_reach_is_not_read(kept, mode):
    kept.put(NAME, ANSWER)
    (kept.directory / NAME).chmod(mode)
    assert kept.get(NAME) is None


def test_a_link_is_not_followed(kept, tmp_path):
    kept.put(NAME, ANSWER)
    (kept.directory / NAME).rename(tmp_path / "elsewhere")
    (kept.directory / NAME).symlink_to(tmp_path / "elsewhere")
    assert kept.get(NAME) is None


def test_a_damaged_file_is_not_used(kept):
    kept.put(NAME, ANSWER)
    path = kept.directory / NAME
    whole = path.read_bytes()
    for damaged in (b"", whole[:-1], whole + b"x", whole[:10], b"\0" + whole[1:]):
        path.write_bytes(damaged)
        assert kept.get(NAME) is None


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o777])
def test_a_directory_that_others_reach_is_not_used(tmp_path, capsys, mode):
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache").chmod(mode)
    assert cache.of_user({"SOLON_CACHE": str(tmp_path / "cache")}) is None
    assert f"chmod 700 {tmp_path / 'cache'}" in capsys.readouterr().err


def test_where_it_is(tmp_path):
    found = cache.of_user({"XDG_CACHE_HOME": str(tmp_path)})
    assert found is not None
    assert found.directory == tmp_path / "solon"
    assert cache.of_user({"SOLON_CACHE": "off", "XDG_CACHE_HOME": str(tmp_path)}) is None
    assert cache.of_user({"SOLON_CACHE": "relative"}) is None


def test_a_cache_that_cannot_be_made_is_none(tmp_path):
    (tmp_path / "file").write_text("")
    assert cache.of_user({"SOLON_CACHE": str(tmp_path / "file" / "cache")}) is None
    assert cache.of_user({"SOLON_CACHE": str(tmp_path / "file")}) is None


def test_the_oldest_are_forgotten(kept, monkeypatch):
    monkeypatch.setattr(cache, "MOST_FILES", 3)
    for number in range(5):
        kept.put(f"{number:064}", ANSWER)
        os.utime(kept.directory / f"{number:064}", (number, number))
    assert sorted(int(entry.name) for entry in os.scandir(kept.directory)) == [2, 3, 4]


def test_a_program_too_large_is_not_kept(kept, monkeypatch):
    monkeypatch.setattr(cache, "MOST_BYTES", 40)
    kept.put(NAME, ANSWER)
    assert kept.get(NAME) is None


def test_a_directory_that_vanished_is_no_error(kept):
    Path(kept.directory).rmdir()
    kept.put(NAME, ANSWER)
    assert kept.get(NAME) is None


def test_commands_use_it(solon, tmp_path, monkeypatch):
    monkeypatch.setenv("SOLON_CACHE", str(tmp_path / "cache"))
    (tmp_path / "policy.rego").write_text('package main\n\ndeny contains "no" if input.bad\n')
    (tmp_path / "in.json").write_text('{"bad": true}')
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        ran = solon("check", "-p", "policy.rego", "in.json")
        assert (ran.status, "no" in ran.out) == (1, True)
        assert len(os.listdir(tmp_path / "cache")) == 1
