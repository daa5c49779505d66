"""Where sources lead: to files here, and to none that a policy set has no business with."""

import pytest

from solon.frameworks.sentinel.sources import Refused, Sources, root_of


@pytest.fixture
def repository(tmp_path, monkeypatch):
    (tmp_path / "repo" / ".git").mkdir(parents=True)
    (tmp_path / "repo" / "set").mkdir()
    (tmp_path / "repo" / "common").mkdir()
    (tmp_path / "repo" / "common" / "m.sentinel").write_text("a = 1\n")
    (tmp_path / "repo" / "data.json").write_text('{"a": [1]}')
    (tmp_path / "secret.json").write_text('{"key": "s3cret"}')
    monkeypatch.chdir(tmp_path)
    return tmp_path / "repo"


@pytest.mark.parametrize(
    "source",
    [
        "https://example.com/p.sentinel",
        "git::https://example.com/p.git//p.sentinel",
        "git@github.com:a/b.git",
        "github.com/a/b//p.sentinel",
        "s3::https://s3.amazonaws.com/b/p.sentinel",
        "s3-eu-west-1.amazonaws.com/b/p.sentinel",
        "file:///etc/passwd",
    ],
)
def test_nothing_is_fetched(source):
    with pytest.raises(Refused, match=r"remote sources are not fetched.*put a copy beside the policies"):
        Sources().path(source, "set")


@pytest.mark.parametrize(
    "source, path",
    [
        ("https://x.example/main/a/m.sentinel", "vendor/x/a/m.sentinel"),
        ("https://x.example/main/m.sentinel?checksum=sha256:1", "vendor/x/m.sentinel"),
        ("https://x.example/main/new/m.sentinel", "vendor/new/m.sentinel"),  # the longest beginning counts
        ("git::https://x.example/p.git//m.sentinel", "vendor/p/m.sentinel"),
    ],
)
def test_copies_of_remote_sources(source, path):
    copies = {
        "https://x.example/main/": "vendor/x",
        "https://x.example/main/new": "vendor/new",
        "git::https://x.example/p.git": "vendor/p/",
    }
    assert Sources(copies).path(source, "set") == path


@pytest.mark.parametrize(
    "source", ["https://x.example/main/../../etc/m.sentinel", "https://x.example/main/a/../../b"]
)
def test_a_copy_is_inside_of_its_directory(source):
    with pytest.raises(Refused, match=r"leads out of vendor/x"):
        Sources({"https://x.example/main/": "vendor/x"}).path(source, "set")


def test_a_source_is_relative_to_the_file_that_names_it():
    assert Sources().path("../common/m.sentinel", "repo/set") == "repo/common/m.sentinel"
    assert Sources().path("./p.sentinel", "repo/set") == "repo/set/p.sentinel"


@pytest.mark.usefixtures("repository")
def test_sentinel_text_may_be_anywhere():
    assert Sources().text("repo/common/m.sentinel") == "a = 1\n"


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize("name", ["secret.json", "repo/data.json"])
def test_other_text_is_no_policy(name):
    with pytest.raises(Refused, match=rf"{name} is not a .sentinel file"):
        Sources().text(name)


def test_a_link_to_something_else_is_no_policy(repository):
    (repository / "set" / "p.sentinel").symlink_to(repository.parent / "secret.json")
    with pytest.raises(Refused, match=r"is not a .sentinel file"):
        Sources().text("repo/set/p.sentinel")


def test_data_is_read_from_the_repository(repository):
    root = root_of("repo/set")
    assert root == str(repository)
    assert Sources().value("repo/data.json", root) == {"a": [1]}


@pytest.mark.parametrize("link", [False, True])
def test_data_from_elsewhere_is_refused(repository, link):
    name = "secret.json"
    if link:
        (repository / "link.json").symlink_to(repository.parent / "secret.json")
        name = "repo/link.json"
    with pytest.raises(Refused, match=r"outside of .*data is read from the repository alone"):
        Sources().value(name, root_of("repo/set"))


def test_without_a_repository_the_root_is_where_the_command_runs(tmp_path, monkeypatch):
    (tmp_path / "a" / "set").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "a")
    assert root_of("set") == str(tmp_path / "a")
    (tmp_path / "b").mkdir()
    assert root_of("../b") == str(tmp_path / "b")


@pytest.mark.parametrize(
    "name, problem", [("none.sentinel", "no such file"), ("dir.sentinel", "not a regular file")]
)
def test_what_cannot_be_read(repository, name, problem):
    (repository.parent / "dir.sentinel").mkdir()
    with pytest.raises(Refused, match=problem):
        Sources().text(name)


def test_broken_data(repository):
    (repository / "data.json").write_text("{")
    with pytest.raises(Refused, match=r"repo/data.json:1:2: not JSON"):
        Sources().value("repo/data.json", root_of("repo"))
