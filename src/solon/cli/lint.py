"""solon lint: what is wrong with policies that compile, and what they lack."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from solon.cli.errors import Failure, UsageError
from solon.frameworks import rego_files
from solon.frameworks.conftest import lint as conftest
from solon.frameworks.gatekeeper import lint as gatekeeper
from solon.frameworks.rego_files import Dialect
from solon.lang import rego
from solon.lang.rego import lint as language
from solon.lang.rego.lint import Remark
from solon.report.lint_report import LintReport, show
from solon.subjects import discover
from solon.subjects.documents import Problem, text_of
from solon.subjects.subject import Subject, Unreadable

CODES = {code: about for rules in (language.RULES, conftest.RULES) for code, (_, about) in rules.items()}


@dataclass(frozen=True, slots=True)
class Options:
    paths: list[str]
    format: str
    strict: bool
    ignore: list[str]
    data: list[str]
    dialect: Dialect


def run(options: Options) -> int:
    """The exit status. Raises UsageError, Failure."""
    for path in [*options.paths, *options.data]:
        if not os.path.exists(path):
            raise UsageError(f"{path or repr(path)}: no such file or directory")
    for code in options.ignore:
        if code not in CODES:
            raise UsageError(f"--ignore {code}: unknown; known are {', '.join(CODES)}")
    sources: dict[str, str] = {}
    broken: list[str] = []
    remarks: list[Remark] = []
    files = rego_files.read(options.paths, options.data, options.dialect, tests=True)
    broken += map(str, files.problems)
    if files.modules:
        sources.update(files.modules)
        try:
            program = rego.compile(files.modules, data=files.data, version=files.dialect)
            remarks += [*language.lint(program), *conftest.lint(program)]
        except rego.RegoError as error:
            broken.append(error.render())
    count = len(files.modules)
    for template in _templates(options.paths, broken, sources):
        count += 1
        try:
            remarks += gatekeeper.lint(template, sources[template.location.file])
        except gatekeeper.GatekeeperError as error:
            broken.append(str(Unreadable(template.locator.locate(()), f"{template.name}: {error}")))
    if not count and not broken:
        shown = ", ".join(options.paths)
        raise UsageError(
            f"{shown}: nothing to lint. Looked for Rego files and Gatekeeper ConstraintTemplates"
        )
    found = language.in_order(r for r in remarks if r.diagnostic.code not in options.ignore)
    if found or not broken:
        sys.stdout.write(show(LintReport(found, count, CODES, sources), options.format))
    if broken:
        raise Failure("\n".join(broken))
    return 1 if any(options.strict or remark.severity == "error" for remark in found) else 0


def _templates(paths: list[str], broken: list[str], sources: dict[str, str]) -> Iterator[Subject]:
    """The Gatekeeper templates in YAML and JSON files, whose texts go to ``sources``."""
    for path in paths:
        for source in (
            discover.find([path]) if os.path.isdir(path) or path.endswith(discover.EXTENSIONS) else []
        ):
            if isinstance(source, Unreadable):
                continue
            try:
                data = discover.read_bytes(source.path, lambda _size: b"")
                if b"templates.gatekeeper.sh/" not in data:
                    continue
                sources[source.path] = text_of(data)
            except Problem as problem:
                broken.append(str(problem.at(source.path)))
                continue
            for subject in discover.read(source, stdin=lambda _size: b""):
                if isinstance(subject, Unreadable):
                    broken.append(str(subject))
                elif gatekeeper.is_template(subject.document):
                    yield subject
