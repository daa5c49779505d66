"""Data that nobody defines, and data that is written into policies as well."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from solon.frameworks import rego_files, repeated_data, unknown_data
from solon.lang import rego

LIB = "package lib.names\n\nallowed := {1}\n\nf(x) := x\n"
DATA: dict[str, Any] = {"regions": {"allowed": ["a"], "free": {}}}


def said(body: str, *, complete: bool = False, test: str = "", data: Any = DATA) -> list[str]:
    modules = {"a.rego": f"package a\n\ndeny contains 1 if {{\n\t{body}\n}}\n", "lib.rego": LIB}
    if test:
        modules["a_test.rego"] = f"package a_test\n\ntest_a if {test}\n"
    program = rego.compile(modules, data=data)
    return [
        f"{r.diagnostic.message} ({r.diagnostic.hint})"
        for r in unknown_data.lint(program, complete=complete, skip=["a_test.rego"])
    ]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("data.regions.alowed[_]", "neither rules nor data define data.regions.alowed (did you mean allowed?)"),
        ("data.regions.denied[_]", "neither rules nor data define data.regions.denied (data.regions has allowed, free)"),
        ("data.region.allowed", None),
        ("data.reginos.allowed", "neither rules nor data define data.reginos (did you mean regions?)"),
        ("data.lib.names.alowed", "neither rules nor data define data.lib.names.alowed (did you mean allowed?)"),
        ("data.lib.names.other", "neither rules nor data define data.lib.names.other (data.lib.names has allowed, f)"),
        ("data.lib.other.x", None),
        ("data.elsewhere.x", None),
        ("data.regions.free.x", "neither rules nor data define data.regions.free.x (name the data with --data, or under `data:` in solon.yaml)"),
        ("data.regions.allowed.x", None),
        ("data.regions[input.x]", None),
        ("data.inventory.x", None),
        ("not data.regions.denied", None),
        ("x := [1 | data.regions.denied]\n\tcount(x) > 0", "neither rules nor data define data.regions.denied (data.regions has allowed, free)"),
        ("x := [1 | not data.regions.denied]\n\tcount(x) > 0", None),
    ],
)  # fmt: skip
def test_part_of_a_repository(body: str, found: str | None) -> None:
    assert said(body) == ([found] if found else [])


def test_a_whole_repository() -> None:
    assert said("data.elsewhere.x", complete=True) == [
        "neither rules nor data define data.elsewhere (data has a, lib, regions)"
    ]
    assert said("data.conftest.file.name", complete=True) == []
    assert said("not data.elsewhere.x", complete=True) == []


def test_what_tests_put_there() -> None:
    test = "count(data.a.deny) == 0 with data.elsewhere.x as 1"
    assert said("data.elsewhere.x.y", complete=True, test=test) == []


VALUES = {
    "teams": {"gpu": {"names": ["a", "b", "c", "d"], "sizes": [1, 2]}},
    "by_team": {"x": 1, "y": 2, "z": 3},
}


@pytest.mark.parametrize(
    ("literal", "message"),
    [
        ('{"a", "b", "c"}', "a, b, c stand in data.teams.gpu.names as well (d.json)"),
        ('["c", "a", "q", "b"]', "a, b, c stand in data.teams.gpu.names as well (d.json)"),
        ('["x", "y", "z"]', "x, y, z stand in data.by_team as well (d.json)"),
        ("[2, 1]", "1, 2 stand in data.teams.gpu.sizes as well (d.json)"),
        ('["a", "b"]', None),
        ('["a", "b", input.c]', None),
        ("[1]", None),
        ("[true, false]", None),
        ('["q", "r", "s"]', None),
    ],
)
def test_values_that_data_has(literal: str, message: str | None) -> None:
    program = rego.compile({"a.rego": f"package a\n\ndeny contains 1 if input.x in {literal}\n"})
    found = repeated_data.lint(program, [rego_files.DataFile("d.json", (), VALUES)])
    assert [r.diagnostic.message for r in found] == ([message] if message else [])
    skipped = repeated_data.lint(program, [rego_files.DataFile("d.json", (), VALUES)], skip=["a.rego"])
    assert list(skipped) == []


def test_files_say_where_their_data_goes(tmp_path: Path) -> None:
    (tmp_path / "data/teams").mkdir(parents=True)
    (tmp_path / "data/teams/a.yaml").write_text("names: [a, b]\n")
    (tmp_path / "data/teams/b.yaml").write_text("sizes: [1]\n")
    files = rego_files.read([str(tmp_path)])
    assert [(Path(f.file).name, f.place, f.value) for f in files.data_files] == [
        ("a.yaml", ("teams",), {"names": ["a", "b"]}),
        ("b.yaml", ("teams",), {"sizes": [1]}),
    ]
