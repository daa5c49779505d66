"""Bad input is normal input: one line with its place, status 2, the rest judged all the same."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

POLICY = """package main

deny contains msg if {
	input.kind == "Deployment"
	msg := sprintf("%s is denied", [input.metadata.name])
}
"""
GOOD = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n"
POD = "apiVersion: v1\nkind: Pod\n"
LEVELS = 100_000


def bomb(line: str, names: str = "bcdefghij") -> str:
    """Each name stands for nine times the one before it."""
    text, before = "a: &a {x: [1, 2, 3, 4, 5, 6, 7, 8, 9]}\n", "a"
    for name in names:
        text += line.format(name=name, nine=", ".join([f"*{before}"] * 9))
        before = name
    return text


# content, place behind the file's name, what the problem says, what to do
TEXTS: dict[str, tuple[str | bytes, str, str, str]] = {
    "flow list that does not end": (
        "a: 1\nkind: [x\nb: c\n",
        ":3:2",
        "not YAML: did not find expected ','",
        "",
    ),
    "tabs": (
        "kind: Pod\nmetadata:\n\tname: a\n",
        ":3:1",
        "not YAML: found character that cannot start any token",
        "indent with spaces",
    ),
    "an alias of nothing": ("kind: *nope\n", ":1:7", "not YAML: found undefined alias", ""),
    "an alias of itself": ("a: &a\n  b: *a\n", ":1", "an alias stands for a document that contains it", ""),
    "an alias bomb": (
        bomb("{name}: &{name} [{nine}]\n"),
        ":1",
        "an alias bomb: its aliases stand for more than",
        "",
    ),
    "an alias bomb in a later document": (
        "a: 1\n---\n" + bomb("{name}: &{name} [{nine}]\n"),
        ":3",
        "an alias bomb: its aliases stand for more than",
        "",
    ),
    "an anchor twice": ("a: &x 1\nb: &x 2\n", ":2:4", "not YAML: found duplicate anchor", ""),
    "a Python object": (
        "kind: Pod\nx: !!python/object/apply:os.system [id]\n",
        ":2:4",
        "not YAML: could not",
        "",
    ),
    "a list as a key": ("? [a, b]\n: c\n", ":1:3", "not YAML: a key must be a scalar", ""),
    "a control character": (
        b"kind: Pod\nname: \x01\n",
        ":2",
        "not YAML: control characters are not allowed",
        "",
    ),
    "a YAML key twice": ("kind: Pod\nmetadata:\n  name: a\n  name: b\n", ":4:3", "duplicate key 'name'", ""),
    "a JSON key twice": ('{"kind": "Pod",\n "kind": "Pod"}', ":2:2", "duplicate key 'kind'", ""),
    "an escaped JSON key twice": ('{"kind": "Pod",\n "k\\u0069nd": "Pod"}', "", "duplicate key 'kind'", ""),
    "JSON that does not end": ('{"kind": "Pod"', ":1:15", "not JSON: Expecting ',' delimiter", ""),
    "JSON lines": (
        '{"a": 1}\n{"a": 2}\n',
        ":2:1",
        "not JSON: Extra data",
        "separate documents with a line of ---",
    ),
    "JSON with NaN": ('{"a":\n NaN}', ":2", "not JSON: invalid character", ""),
    "JSON with 1e999": ('{"a":\n 1e999}', ":2", "not JSON: number out of range", ""),
    "an integer of 5,000 digits in JSON": ('{"a":\n ' + "9" * 5000 + "}", ":2", "out of range", ""),
    "deep JSON": ('{"a":' * LEVELS + "1" + "}" * LEVELS, ":1:1", "nested too deeply", ""),
    "deep JSON arrays": ("[" * LEVELS + "]" * LEVELS, ":1:1", "nested too deeply", ""),
    "deep flow YAML": ("a:\n " + "[" * LEVELS + "]" * LEVELS, ":2", "nested too deeply", ""),
    "deep dashes": ("- " * LEVELS + "a", ":1", "nested too deeply", ""),
    "deep indentation": ("\n".join(" " * n + "a:" for n in range(1500)), ":801", "nested too deeply", ""),
    "Latin-1": (
        b"kind: Pod\nmetadata:\n  name: caf\xe9\n",
        ":3:12",
        "not UTF-8: byte 0xe9",
        "save it as UTF-8",
    ),
    "UTF-16": (GOOD.encode("utf-16"), ":1:1", "not UTF-8 but UTF-16", "save it as UTF-8"),
    "UTF-16 without a mark": (GOOD.encode("utf-16-le"), ":1", "it holds a NUL byte", "save it as UTF-8"),
    "a NUL byte": (b"kind: Pod\nname: a\0b\n", ":2", "it holds a NUL byte", "save it as UTF-8"),
    "a NUL byte far in": (
        b"# x\n" * 2000 + b"name: a\0b\n",
        ":2001",
        "control characters are not allowed",
        "",
    ),
    "nothing": ("", "", "no documents in this file", ""),
    "blanks": (" \n\n", "", "no documents in this file", ""),
    "comments": ("# nothing\n# here\n", "", "no documents in this file", ""),
    "one word": ("hello\n", ":1", "no Kubernetes object, Terraform plan or release: a single value", ""),
    "a zip archive": (
        b"PK\x03\x04rest",
        "",
        "a binary Terraform plan or another archive",
        "terraform show -json",
    ),
    "a plan of a future format": (
        '{\n"format_version": "7.0",\n"resource_changes": []}',
        ":2:1",
        "unknown plan format version '7.0'",
        "versions 0.x and 1.x are known",
    ),
    "a plan whose changes are no list": (
        '{"format_version": "1.2",\n "resource_changes": {"a": 1}}',
        ":2:2",
        "not a plan: resource_changes is not a list",
        "terraform show -json",
    ),
    "a plan with a change without address": (
        '{"format_version": "1.2", "resource_changes": [\n {"address": "a.b"},\n {"type": "a"}\n]}',
        ":3:2",
        "not a plan: resource_changes[1] has no address",
        "terraform show -json",
    ),
    "a state": (
        '{"format_version": "1.0", "terraform_version": "1.9.0", "values": {}}',
        ":1",
        "a Terraform state, not a plan",
        "terraform show -json",
    ),
}


def told(report: str) -> list[tuple[str, str, str]]:
    """What a table says of inputs that could not be read: place, problem, what to do."""
    _, _, rest = report.partition("Inputs that could not be read\n")
    found: list[tuple[str, str, str]] = []
    for line in rest.split("\n\n")[0].splitlines():
        if line.startswith("  ✗ "):
            found.append((line[4:], "", ""))
        elif line.startswith("    fix: "):
            found[-1] = (*found[-1][:2], line[9:])
        else:
            place, problem, fix = found[-1]
            found[-1] = (place, f"{problem} {line.strip()}".strip(), fix)
    return found


@pytest.fixture
def check(solon: Callable[..., Any], tmp_path: Path) -> Callable[..., Any]:
    """check(PATHS…) beside good.yaml, which is denied: no traceback whatever happens."""
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy" / "main.rego").write_text(POLICY)
    (tmp_path / "good.yaml").write_text(GOOD)

    def run(*arguments: str, **options: Any) -> Any:
        ran = solon("check", *arguments, **options)
        assert "Traceback" not in ran.out + ran.err
        assert "internal error" not in ran.err
        return ran

    return run


@pytest.mark.parametrize("name", TEXTS)
def test_a_file_that_cannot_be_read(check: Callable[..., Any], tmp_path: Path, name: str) -> None:
    content, place, problem, fix = TEXTS[name]
    (tmp_path / "bad.yaml").write_bytes(content if isinstance(content, bytes) else content.encode())
    ran = check("bad.yaml", "good.yaml")
    assert ran.status == 2
    assert "web is denied" in ran.out, "the other file is judged"
    ((where, what, todo),) = told(ran.out)
    assert where == "bad.yaml" + place or (place.count(":") == 1 and where.startswith(f"bad.yaml{place}:"))
    assert problem in what
    assert fix in todo
    assert bool(todo) == bool(fix)


@pytest.mark.parametrize("name", TEXTS)
def test_the_same_on_standard_input(check: Callable[..., Any], name: str) -> None:
    content, place, problem, _ = TEXTS[name]
    ran = check("-", stdin=content if isinstance(content, bytes) else content.encode())
    assert ran.status == 2
    ((where, what, _),) = told(ran.out)
    assert where.startswith("-" + place)
    assert problem in what


# what `make` puts at `bad.yaml`, and what is said of it
def directory(path: Path) -> None:
    path.mkdir()


def loop(path: Path) -> None:
    path.symlink_to(path.name)


def dangling(path: Path) -> None:
    path.symlink_to("nowhere")


def pipe(path: Path) -> None:
    os.mkfifo(path)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 30)


def missing(path: Path) -> None:
    assert not path.exists()


@pytest.mark.parametrize(
    ("make", "problem", "fix"),
    [
        (directory, "no YAML or JSON files in this directory", ""),
        (loop, "too many levels of symbolic links", ""),
        (dangling, "no such file or directory", ""),
        (pipe, "not a regular file", "send it to standard input, and name it -"),
        (device, "not a regular file", "send it to standard input, and name it -"),
        (huge, "1,024 MiB is larger than the limit of 512 MiB", "split it, or raise --max-size"),
        (missing, "no such file or directory", ""),
    ],
)
def test_what_is_no_readable_file(
    check: Callable[..., Any], tmp_path: Path, make: Callable[[Path], None], problem: str, fix: str
) -> None:
    make(tmp_path / "bad.yaml")
    ran = check("bad.yaml", "good.yaml")
    assert ran.status == 2
    assert "web is denied" in ran.out
    assert told(ran.out) == [("bad.yaml", problem, fix)]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission(check: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(GOOD)
    (tmp_path / "bad.yaml").chmod(0)
    assert told(check("bad.yaml", "good.yaml").out) == [("bad.yaml", "permission denied", "")]


def test_a_symbolic_link_that_leads_back(check: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "tree" / "inner").mkdir(parents=True)
    (tmp_path / "tree" / "inner" / "up").symlink_to("..")
    (tmp_path / "tree" / "good.yaml").write_text(GOOD)
    ran = check("tree")
    assert ran.status == 2
    assert "web is denied" in ran.out
    assert told(ran.out) == [("tree/inner/up", "a symbolic link leads back to a directory around it", "")]


@pytest.mark.parametrize(
    "text", ["\ufeff" + GOOD, GOOD.replace("\n", "\r\n"), "---\n" + GOOD + "---\n", "%YAML 1.1\n---\n" + GOOD]
)
def test_what_only_looks_bad(check: Callable[..., Any], tmp_path: Path, text: str) -> None:
    (tmp_path / "fine.yaml").write_bytes(text.encode())
    ran = check("fine.yaml")
    assert ran.status == 1
    assert "web is denied" in ran.out


def test_a_merge_key_bomb_stays_small(check: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "merge.yaml").write_text(bomb("{name}: &{name}\n  <<: [{nine}]\n", "bcdefghijklmnop"))
    assert check("merge.yaml").status == 0


@pytest.mark.parametrize(
    ("broken", "place"),
    [("kind: [x\n", ":8:1"), ("kind: Pod\nkind: Pod\n", ":8:1"), ("a: *b\n", ":7:4")],
)
def test_other_documents_of_a_broken_file(
    check: Callable[..., Any], tmp_path: Path, broken: str, place: str
) -> None:
    first, last = GOOD.replace("web", "first"), GOOD.replace("web", "last")
    (tmp_path / "bad.yaml").write_text(f"# from a chart\n{first}---\n{broken}---\n{last}")
    ran = check("bad.yaml")
    assert ran.status == 2
    assert "first is denied" in ran.out
    assert f"Deployment/last · kubernetes.object · bad.yaml:{8 + broken.count(chr(10))}" in ran.out
    assert [where for where, _, _ in told(ran.out)] == [f"bad.yaml{place}"]


def test_nothing_but_bad_input_is_no_pass(check: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("a: [")
    ran = check("bad.yaml")
    assert (ran.status, ran.out.splitlines()[-1].split(" · ")[0]) == (2, "0 subjects judged")


def test_machine_formats_tell_of_bad_input_too(check: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("kind: Pod\nkind: Pod\n")
    ran = check("bad.yaml", "good.yaml", "--format", "json")
    assert ran.status == 2
    (unreadable,) = json.loads(ran.out)["unreadable"]
    assert unreadable["location"] == {"file": "bad.yaml", "line": 2, "column": 1}


# --- policies


@pytest.mark.parametrize(
    ("files", "errors"),
    [
        (
            {"a.rego": "package main\n\ndeny contains msg if {\n\tmsg := nope(input)\n}\n"},
            ["p/a.rego:4:9: rego_type_error: undefined function nope"],
        ),
        (
            {"a.rego": "package main\n\ndeny contains if {\n", "b.rego": "package\n"},
            ["p/a.rego:3:15: rego_parse_error", "p/b.rego:2:1: rego_parse_error"],
        ),
        ({"a.rego": "package main\n\ndeny contains x if { y == 1 }\n"}, ["p/a.rego:3:15: rego_unsafe_var_error: var x is unsafe", "p/a.rego:3:22: rego_unsafe_var_error: var y is unsafe"]),
        ({"a.rego": b"package main\n# caf\xe9\n"}, ["p/a.rego:2:6: not UTF-8: byte 0xe9 (save it as UTF-8)"]),
        ({"t.yaml": "apiVersion: templates.gatekeeper.sh/v1\nkind: [\n"}, ["p/t.yaml:3:1: not YAML"]),
        ({"data.yaml": "a: 1\na: 2\n", "a.rego": POLICY}, ["p/data.yaml:2:1: duplicate key 'a'"]),
    ],
)  # fmt: skip
def test_policies_that_are_wrong(
    check: Callable[..., Any], tmp_path: Path, files: dict[str, str | bytes], errors: list[str]
) -> None:
    (tmp_path / "p").mkdir()
    for name, content in files.items():
        (tmp_path / "p" / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    ran = check("-p", "p", "-p", "policy", "good.yaml")
    assert (ran.status, ran.out) == (2, ""), "nothing is judged by half of the policies"
    for error in errors:
        assert error in ran.err
    assert ran.err.endswith("in policies; nothing was judged\n")


@pytest.mark.parametrize("make", [pipe, huge, device], ids=["pipe", "huge", "device"])
@pytest.mark.parametrize("name", ["x.rego", "x.yaml", "data.json"])
def test_no_file_among_policies_is_passed_over(
    check: Callable[..., Any], tmp_path: Path, make: Callable[[Path], None], name: str
) -> None:
    make(tmp_path / "policy" / name)
    ran = check("good.yaml")
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith(f"policy/{name}: ")


def test_a_policy_that_fails_on_one_subject(check: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "policy" / "main.rego").write_text("""package main

mode := "a" if input.kind

mode := "b" if input.metadata.name == "web"

deny_mode contains "always" if mode == "a"

deny_other contains "other policies go on" if input.kind

deny_shape contains {"text": "no msg"} if input.metadata.name == "shape"
""")
    (tmp_path / "more.yaml").write_text(GOOD.replace("web", "fine") + "---\n" + GOOD.replace("web", "shape"))
    ran = check("good.yaml", "more.yaml", "--format", "json")
    assert ran.status == 2
    found = {
        (
            d["subject"]["name"],
            f["policy"]["id"] if isinstance(f["policy"], dict) else f["policy"],
            f["outcome"],
        )
        for d in json.loads(ran.out)["decisions"]
        for f in d["findings"]
    }
    assert found == {
        ("Deployment/web", "main.deny_mode", "error"),
        ("Deployment/web", "main.deny_other", "deny"),
        ("Deployment/fine", "main.deny_mode", "deny"),
        ("Deployment/fine", "main.deny_other", "deny"),
        ("Deployment/shape", "main.deny_mode", "deny"),
        ("Deployment/shape", "main.deny_other", "deny"),
        ("Deployment/shape", "main.deny_shape", "error"),
    }


def test_the_error_of_a_policy_has_its_place(check: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "policy" / "main.rego").write_text(
        "package main\n\ndeny contains x if {\n\tsome y in numbers.range(1, 9000)\n\tsome x in numbers.range(1, y)\n\tx < 0\n}\n"
    )
    ran = check("good.yaml", "--timeout", "0.2")
    assert ran.status == 2
    assert "policy/main.rego:5:2:" in ran.out
    # What is left of the time decides which: it is up, or the next range would not fit in it.
    assert re.search(r"evaluation (took|would take) longer than 0\.2 s", ran.out)


# --- options, and solon.yaml


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-p", "nope", "good.yaml"], "solon: nope: no such file or directory"),
        (["-p", "", "good.yaml"], "solon: ''"),
        (["-p", "empty", "good.yaml"], "solon: empty: no policies found. Looked for Rego rules named deny"),
        (["-n", "other", "good.yaml"], "solon: policy: no policies in package other. Name another with --namespace"),
        (["-d", "nope.json", "good.yaml"], "solon: nope.json: no such file or directory"),
        (["-d", "twice.json", "good.yaml"], "twice.json:2:2: duplicate key 'a'"),
        (["-d", "list.json", "good.yaml"], "list.json: a data file must hold an object"),
        (["-d", "pipe", "good.yaml"], "pipe: not a regular file"),
        (["--log", "no/such/dir.jsonl", "good.yaml"], "solon: no/such/dir.jsonl: the decisions could not be written: no such file or directory"),
        (["--log", "empty", "good.yaml"], "solon: the decisions could not be written: empty: is no log"),
        (["--output", "no/such/report", "good.yaml"], "solon: no/such/report: no such file or directory"),
        (["--timeout", "0", "good.yaml"], "Invalid value for '--timeout'"),
        (["--timeout", "soon", "good.yaml"], "Invalid value for '--timeout'"),
        (["--max-size", "0", "good.yaml"], "Invalid value for '--max-size'"),
    ],
)  # fmt: skip
def test_options_that_are_wrong(
    check: Callable[..., Any], tmp_path: Path, arguments: list[str], message: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "twice.json").write_text('{"a": 1,\n "a": 2}')
    (tmp_path / "list.json").write_text("[1]")
    os.mkfifo(tmp_path / "pipe")
    ran = check(*arguments)
    assert (ran.status, ran.out) == (2, "")
    assert message in ran.err


def test_a_path_that_is_empty_is_shown(check: Callable[..., Any]) -> None:
    assert told(check("", "good.yaml").out) == [("''", "no such file or directory", "")]


def test_what_cannot_be_recorded_is_not_judged(check: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "policy" / "main.rego").write_text(
        'package main\n\ndeny contains "x" if {\n\tsome x in numbers.range(1, 100000000)\n\tx < 0\n}\n'
    )
    ran = check("good.yaml", "--log", "no/such/dir", "--timeout", "60")
    assert ran.status == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("policis: [policy]\n", "solon.yaml:1:1: unknown key 'policis': known are policies, data, inventory"),
        ("policies: [policy]\nlogg: x\n", "solon.yaml:2:1: unknown key 'logg'"),
        ("policies: policy\n", "solon.yaml:1:1: policies must be a list, such as [policy], and is 'policy'"),
        ("policies:\n  - policy\n  - 7\n", "solon.yaml:3:5: policies[1] must be a text, and is 7"),
        ("policies:\n", "solon.yaml:1:1: policies must be a list"),
        ("policies: [policy]\nlog: no\n", "solon.yaml:2:1: log must be a text"),
        ("policies: [policy]\nformat: jsn\n", "solon.yaml:2:1: unknown format 'jsn': known are table, json"),
        ("policies: [policy\n", "solon.yaml:2:1: not YAML"),
        ("policies: [a]\npolicies: [b]\n", "solon.yaml:2:1: duplicate key 'policies'"),
        ("- policy\n", "solon.yaml:1:1: must hold keys, such as `policies: [policy]`"),
        ("", "solon.yaml: must hold one document, such as `policies: [policy]`; has 0"),
        ("policies: [nope]\n", "nope: no such file or directory"),
        ("log: no/such/log\n", "no/such/log: the decisions could not be written: no such file or directory"),
    ],
)
def test_a_solon_yaml_that_is_wrong(
    check: Callable[..., Any], tmp_path: Path, text: str, message: str
) -> None:
    (tmp_path / "solon.yaml").write_text(text)
    ran = check("good.yaml")
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith(f"solon: {message}")
    assert ran.err.count("\n") == 1


# --- tests and queries


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["test", "nope"], "solon: nope: no such file or directory"),
        (["test", "empty"], "solon: empty: no tests found. Looked for test_ rules"),
        (["test", "policy", "--run", "("], "solon: --run '(' is not a regular expression"),
        (["eval", "-d", "nope", "1"], "solon: nope: no such file or directory"),
        (["eval", "-i", "nope", "1"], "solon: nope: no such file or directory"),
        (["eval", "-i", "twice.json", "1"], "twice.json:2:2: duplicate key 'a'"),
        (["eval", "-i", "empty", "1"], "empty: not a regular file"),
        (["eval", "--format", "pretty", "x"], "1:1: rego_unsafe_var_error: var x is unsafe"),
        (["init", "policy/main.rego"], "policy/main.rego"),
    ],
)
@pytest.mark.usefixtures("check")
def test_other_commands(
    solon: Callable[..., Any], tmp_path: Path, arguments: list[str], message: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "twice.json").write_text('{"a": 1,\n "a": 2}')
    ran = solon(*arguments)
    assert (ran.status, ran.out) == (2, "")
    assert message in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize("make", [pipe, huge, device], ids=["pipe", "huge", "device"])
def test_solon_test_passes_by_what_is_no_test(
    solon: Callable[..., Any], tmp_path: Path, make: Callable[[Path], None]
) -> None:
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy" / "a_test.rego").write_text("package a_test\n\ntest_one if true\n")
    make(tmp_path / "policy" / "x.yaml")
    assert solon("test", "policy").status == 0


def test_a_suite_that_is_broken_is_an_error(solon: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "suite.yaml").write_text("kind: Suite\napiVersion: test.gatekeeper.sh/v1alpha1\ntests: [\n")
    ran = solon("test")
    assert ran.status == 2
    assert "suite.yaml:4:1: not YAML" in ran.out


# --- the process as it is: a limit of memory, and no way out through an exception


@pytest.mark.skipif(sys.platform != "linux", reason="limits memory as Linux does")
@pytest.mark.parametrize("name", ["an alias bomb", "deep JSON", "deep dashes"])
def test_memory_is_bounded(tmp_path: Path, name: str) -> None:
    (tmp_path / "main.rego").write_text(POLICY)
    (tmp_path / "bad.yaml").write_text(str(TEXTS[name][0]))
    limited = (
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30));"
        "from solon.cli.main import run; run()"
    )
    ran = subprocess.run(
        [sys.executable, "-c", limited, "check", "-p", "main.rego", "bad.yaml"],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (ran.returncode, ran.stderr) == (2, "")
    assert TEXTS[name][2] in ran.stdout
