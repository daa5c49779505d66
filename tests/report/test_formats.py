"""What holds for every format, and how each looks."""

import subprocess
import sys
from pathlib import Path

import pytest

from solon.report import FORMATS, render

SUFFIX = {
    "table": "txt",
    "json": "json",
    "sarif": "sarif",
    "junit": "xml",
    "github": "github.txt",
    "markdown": "md",
}


@pytest.mark.parametrize("name", FORMATS)
def test_golden(name, sample_report, golden):
    golden(f"check.{SUFFIX[name]}", render(name, sample_report))


@pytest.mark.parametrize("name", FORMATS)
def test_nothing_to_judge(name, build):
    assert render(name, build.report()).endswith("\n")


@pytest.mark.parametrize("name", FORMATS)
def test_untrusted_text_drives_no_terminal_and_breaks_no_stream(name, nasty_report):
    text = render(name, nasty_report)
    assert text.encode().decode() == text  # a lone surrogate would fail here
    assert not {c for c in text if c != "\n" and (ord(c) < 0x20 or c == "\x7f")}
    assert not set(text) & set("\x9b\u202e\u2066")


@pytest.mark.parametrize("name", FORMATS)
def test_every_finding_is_told(name, many_report):
    told = render(name, many_report).count("lacks labels")
    expected = {"json": 3000, "sarif": 3000, "junit": 6000, "table": 3000, "github": 3000}
    assert told == expected.get(name, told) > 0


@pytest.mark.parametrize("name", FORMATS)
def test_rendering_twice_gives_the_same(name, sample_report):
    assert render(name, sample_report) == render(name, sample_report)


def test_no_format_is_loaded_before_it_is_asked_for():
    code = "import solon.report, sys; print(*(m for m in sys.modules if m.startswith(('solon.', 'rich', 'xml'))))"
    source = Path(__file__).parents[2] / "src"
    run = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(source)},
    )
    assert run.stdout.split() == ["solon.report"]
