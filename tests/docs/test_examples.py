"""What the documentation shows is what happens: sessions run, Rego compiles, YAML and JSON parse, links lead somewhere.

A block is a file when the line above its fence is ``<!-- file: policy/main.rego -->``. A ``console`` block is a
session: lines that start with ``$ `` are run, the others are what they print; ``...`` stands for anything. The sessions
of a document run in order, in a directory with the files that it shows, the library and the examples.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from object_store import ENVIRONMENT, ObjectStore

from solon.frameworks.sentinel import hcl
from solon.lang import rego, sentinel

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "library/**/*.md", "examples/**/*.md")
    for path in ROOT.glob(pattern)
)

_FENCE = re.compile(
    r"^(?P<indent> *)```(?P<info>[^\n`]*)\n(?P<body>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL
)
_FILE = re.compile(r"<!-- file: (\S+) -->\n\Z")


@dataclass(frozen=True)
class Block:
    """``language`` is the first word behind the fence, ``flavour`` the rest; ``file`` the path it is written to."""

    document: Path
    line: int
    language: str
    flavour: str
    body: str
    file: str = ""

    def __str__(self) -> str:
        return f"{name_of(self.document)}:{self.line}"


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def blocks(document: Path) -> Iterator[Block]:
    text = document.read_text(encoding="utf-8")
    for match in _FENCE.finditer(text):
        language, _, flavour = match["info"].strip().partition(" ")
        before = text[: match.start()]
        file = _FILE.search(before)
        body = re.sub(f"^{match['indent']}", "", match["body"], flags=re.MULTILINE)
        yield Block(document, before.count("\n") + 1, language, flavour, body, file[1] if file else "")


@dataclass(frozen=True)
class Command:
    text: str
    printed: str


def commands(block: Block) -> Iterator[Command]:
    """The commands of a session, each with what it prints."""
    for part in re.split(r"^\$ ", block.body, flags=re.MULTILINE)[1:]:
        text, _, printed = part.partition("\n")
        while text.endswith("\\"):
            more, _, printed = printed.partition("\n")
            text = text.removesuffix("\\") + more.strip()
        yield Command(text, printed)


ALL = [block for document in DOCUMENTS for block in blocks(document)]
LANGUAGES = {
    "",
    "console",
    "hcl",
    "json",
    "markdown",
    "python",
    "rego",
    "sentinel",
    "sh",
    "text",
    "xml",
    "yaml",
}


def of(language: str) -> list[Block]:
    return [block for block in ALL if block.language == language]


def test_there_is_something_to_test() -> None:
    assert len(DOCUMENTS) > 15
    assert of("console")
    assert of("rego")


def test_blocks_say_what_they_are() -> None:
    assert {block.language for block in ALL} <= LANGUAGES


# A time is another one every time; the digits of a decision's identifier, too.
VARIES = (
    (re.compile(r"\b\d+(\.\d+)? (ms|s)\b"), "<time>"),
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z"), "<timestamp>"),
)


def settled(text: str) -> str:
    for pattern, name in VARIES:
        text = pattern.sub(name, text)
    return "\n".join(line.rstrip() for line in text.strip("\n").splitlines())


def matches(expected: str, actual: str) -> bool:
    pattern = ".*".join(re.escape(part) for part in settled(expected).split("..."))
    return re.fullmatch(pattern, settled(actual), re.DOTALL) is not None


@pytest.fixture
def solon(tmp_path: Path) -> dict[str, str]:
    """An environment in which ``solon`` is the one of this tree, and ``python`` what runs it."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, command in (("solon", f"'{sys.executable}' -m solon"), ("python", f"'{sys.executable}'")):
        (programs / name).write_text(f'#!/bin/sh\nexec {command} "$@"\n')
        (programs / name).chmod(0o755)
    return {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT / "src"),
        "HOME": str(tmp_path),
        "LC_ALL": "C.UTF-8",
    }


@pytest.fixture
def store() -> Iterator[dict[str, str]]:
    """An environment with a store that has the bucket of the documentation."""
    with ObjectStore() as found:
        found.client().create_bucket(Bucket="audit-logs", ObjectLockEnabledForBucket=True)
        yield {**ENVIRONMENT, "AWS_ENDPOINT_URL": found.url, "AWS_ALLOW_HTTP": "true"}


@pytest.mark.parametrize(
    "document", [d for d in DOCUMENTS if any(b.language == "console" for b in blocks(d))], ids=name_of
)
def test_sessions(
    document: Path, tmp_path: Path, solon: dict[str, str], request: pytest.FixtureRequest
) -> None:
    if any("s3://" in block.body for block in blocks(document)):
        solon = {**solon, **request.getfixturevalue("store")}
    place = tmp_path / "work"
    place.mkdir()
    for name in ("library", "examples"):
        (place / name).symlink_to(ROOT / name)
    status = 0
    for block in blocks(document):
        if block.file:
            (place / block.file).parent.mkdir(parents=True, exist_ok=True)
            (place / block.file).write_text(block.body)
        if block.language != "console":
            continue
        for command in commands(block):
            script = f"(exit {status}); {command.text}\nstatus=$?\npwd -P >'{tmp_path}/pwd'\nexit $status"
            run = subprocess.run(
                ["bash", "-c", script],
                cwd=place,
                env=solon,
                capture_output=True,
                text=True,
                stdin=subprocess.DEVNULL,
                check=False,
            )
            status, printed = run.returncode, run.stdout + run.stderr
            assert matches(command.printed, printed), f"{block}: $ {command.text}\n{printed}"
            place = Path((tmp_path / "pwd").read_text().strip())


@pytest.mark.parametrize("block", of("rego"), ids=str)
def test_rego_compiles(block: Block) -> None:
    version = "v0" if block.flavour == "v0" else "v1"
    text = (
        block.body
        if re.search(r"^package ", block.body, re.MULTILINE)
        else f"package example\n\n{block.body}"
    )
    rego.compile({str(block): text}, version=version)


@pytest.mark.parametrize("block", of("hcl"), ids=str)
def test_hcl_parses(block: Block) -> None:
    assert hcl.parse(block.body, str(block))[1] == []


@pytest.mark.parametrize("block", of("sentinel"), ids=str)
def test_sentinel_parses(block: Block) -> None:
    sentinel.parse(block.body, str(block))


@pytest.mark.parametrize("block", of("yaml"), ids=str)
def test_yaml_parses(block: Block) -> None:
    assert list(yaml.safe_load_all(block.body))


@pytest.mark.parametrize("block", of("json"), ids=str)
def test_json_parses(block: Block) -> None:
    """A document, or some fields of one."""
    text = block.body if block.body.lstrip().startswith(("{", "[")) else f"{{{block.body}}}"
    assert json.loads(text) is not None


@pytest.mark.parametrize("block", [block for block in of("python") if not block.file], ids=str)
def test_python_runs(block: Block) -> None:
    exec(compile(block.body, str(block), "exec"), {})


TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_make_targets_exist(document: Path) -> None:
    assert set(re.findall(r"(?:^|`)make ([a-z]+)", document.read_text(), re.MULTILINE)) <= TARGETS


def anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_links_lead_somewhere(document: Path) -> None:
    prose = re.sub(r"^ *```.*?^ *```$|`[^`\n]*`", "", document.read_text(), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        leads = (document.parent / path).resolve() if path else document
        assert leads.exists(), f"{name_of(document)}: {target}"
        assert not anchor or anchor in anchors(leads), f"{name_of(document)}: {target}"
