"""How decisions are shown: one module a format, each a pure function from a report to text."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from solon.report.check_report import CheckReport

# name -> what it is for, in the order of `--help`; the module has the name of the format, and is only
# imported when it is used.
FORMATS: Final = {
    "table": "for people, in the terminal",
    "json": "everything, for machines (schema solon.check/v1)",
    "sarif": "SARIF 2.1.0, for code scanning",
    "junit": "JUnit XML, for CI systems",
    "github": "workflow commands: annotations in GitHub Actions",
    "markdown": "a pull request comment",
}


def render(
    name: str, report: CheckReport, *, width: int = 80, color: bool = False, verbose: bool = False
) -> str:
    """The report in the format of that name, one of FORMATS. The options are for the table alone."""
    module = import_module(f"solon.report.{name}")
    options = {"width": width, "color": color, "verbose": verbose} if name == "table" else {}
    text: str = module.render(report, **options)
    return text
