"""solon lint: what is wrong with policies that compile, and what they lack."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from solon.cli.errors import Failure, UsageError
from solon.cli.lint import base as lint_base
from solon.cli.lint import owners as lint_owners
from solon.cli.lint import rollouts as lint_rollouts
from solon.cli.lint import sources as lint_sources
from solon.cli.lint import stages as lint_stages
from solon.cli.lint import waivers as lint_waivers
from solon.cli.lint.settings import Settings, directory_of, settings
from solon.cli.lint.sources import Sources
from solon.cli.progress import track
from solon.frameworks import fields, lint_comments, repeated_data, unknown_data
from solon.frameworks import lint as shared
from solon.frameworks.conftest import lint as conftest
from solon.frameworks.conftest import tested
from solon.frameworks.gatekeeper import lint as gatekeeper
from solon.frameworks.gatekeeper import repository
from solon.frameworks.gatekeeper.suite import SuiteRunner
from solon.frameworks.policy import Context
from solon.frameworks.rego_files import Dialect
from solon.governance.changes import Changes
from solon.governance.rollouts import lint as rollout_lint
from solon.governance.waivers import lint as waiver_lint
from solon.lang import rego
from solon.lang.budget import Budget
from solon.lang.rego import lint as language
from solon.lang.rego.types import Type
from solon.lang.remark import Remark, in_order
from solon.lang.sentinel import lint as sentinel
from solon.report.lint_report import LintReport, show
from solon.subjects import discover, ml_release
from solon.subjects.subject import Subject, Unreadable

_TABLES: Final = (
    *(language.RULES, sentinel.RULES, conftest.RULES, repository.RULES, shared.RULES),
    *(rollout_lint.RULES, waiver_lint.RULES, lint_comments.RULES),
)
CODES = {code: about for rules in _TABLES for code, (_, about) in rules.items()}
_TESTED: Final = ("policy/no-denying-test", "policy/no-allowing-test")


@dataclass(frozen=True, slots=True)
class Options:
    paths: list[str]
    format: str
    strict: bool
    ignore: list[str]
    data: list[str]
    dialect: Dialect
    base: str | None = None
    samples: list[str] = field(default_factory=list)
    timeout: float = 10.0


def run(options: Options) -> int:
    """The exit status. Raises UsageError, Failure."""
    asked = settings(options.paths, options.ignore, options.data, CODES)
    budget = Budget(seconds=options.timeout)
    for path in [*options.paths, *asked.data, *options.samples]:
        if not os.path.exists(path):
            raise UsageError(f"{path or repr(path)}: no such file or directory")
    sources = lint_sources.read(options.paths, asked.data, options.dialect)
    inputs: list[tested.Asked] = []
    remarks = [*_rego(sources, asked, budget, inputs), *_gatekeeper(sources, asked, budget)]
    remarks += [each for file in sources.sentinel.values() for each in sentinel.lint(file)]
    if not sources.count and not sources.broken:
        shown = ", ".join(options.paths)
        raise UsageError(
            f"{shown}: nothing to lint. Looked for Rego and Sentinel files and Gatekeeper ConstraintTemplates"
        )
    owned = [*sources.texts, *asked.programme]
    remarks += lint_owners.remarks(owned, directory_of(options.paths[0]), asked.config, asked.codeowners)
    remarks += lint_rollouts.remarks(directory_of(options.paths[0]), options.base)
    remarks += lint_waivers.remarks(directory_of(options.paths[0]))
    changes = _changes(options, asked, budget, sources, inputs) if options.base is not None else None
    if changes is not None and not asked.staged:
        remarks += lint_stages.remarks(changes, governed=bool(asked.config))
    unasked = asked.ignored | (set() if changes is not None else set(lint_stages.CODES))
    if sources.broken:
        unasked |= CODES.keys()
    found = in_order(
        r
        for r in lint_comments.apply(remarks, list(_ignores(sources)), CODES, unasked)
        if r.diagnostic.code not in asked.ignored
    )
    if found or changes is not None or not sources.broken:
        sys.stdout.write(
            show(LintReport(found, sources.count, CODES, sources.texts, changes), options.format)
        )
    if sources.broken:
        raise Failure("\n".join(sources.broken))
    return 1 if any(options.strict or remark.severity == "error" for remark in found) else 0


def _changes(
    options: Options, asked: Settings, budget: Budget, sources: Sources, inputs: Sequence[tested.Asked]
) -> Changes:
    assert options.base is not None
    wanted = lint_base.Wanted(
        base=options.base,
        paths=options.paths,
        data=asked.data,
        samples=options.samples,
        directory=asked.directory,
        namespaces=asked.namespaces,
        dialect=options.dialect,
        budget=budget,
    )
    return lint_base.compared(wanted, sources, inputs)


def _rego(sources: Sources, asked: Settings, budget: Budget, inputs: list[tested.Asked]) -> Iterator[Remark]:
    """``inputs`` is filled with what tests have policies judge."""
    files = sources.rego
    if not files.modules:
        return
    try:
        program = rego.compile(files.modules, data=files.data, version=files.dialect)
    except rego.RegoError as error:
        sources.broken.append(error.render())
        return
    yield from language.lint(program)
    yield from conftest.lint(program, asked.required_of_rego, _judged())
    tests = {module.file for module in program.modules if conftest.is_test(module)}
    yield from unknown_data.lint(program, complete=asked.whole, skip=tests)
    yield from repeated_data.lint(program, files.data_files, skip=tests)
    if not asked.ignored.issuperset(_TESTED):
        try:
            seen = tested.run_tests(files, program, budget)
            inputs += seen.asked
            yield from tested.lint(program, seen)
        except rego.RegoError as error:
            sources.broken.append(error.render())


def _judged() -> Mapping[str, Type]:
    """What policies are given, by the kind of the subject: that of a model as the evidence about it has it."""
    from solon.evidence import admission

    return {**fields.INPUTS, ml_release.KIND: fields.of_json_schema(admission.schema())}


def _gatekeeper(sources: Sources, asked: Settings, budget: Budget) -> Iterator[Remark]:
    templates: list[Subject] = []
    for template in sources.templates:
        try:
            yield from gatekeeper.lint(template, sources.texts[template.location.file])
            templates.append(template)
        except gatekeeper.GatekeeperError as error:
            problem = Unreadable(template.locator.locate(()), f"{template.name}: {error}")
            sources.broken.append(str(problem))
    suites = None
    if templates and not asked.ignored.issuperset([*_TESTED, "gatekeeper/untested-template"]):
        suites = repository.Suites()
        context = Context(now_ns=time.time_ns(), budget=budget)
        runner = SuiteRunner(_read_file, context, time.perf_counter, suites.seen)
        for suite in track(sources.suites, len(sources.suites), "running suites"):
            for _ in runner.run(suite.location.file, suite.document):
                pass
    yield from repository.lint(templates, sources.constraints, suites, asked.required_of_templates)


def _read_file(path: str) -> bytes:
    return discover.read_bytes(path, lambda _size: b"")


def _ignores(sources: Sources) -> Iterator[lint_comments.Ignore]:
    for name, text in sources.texts.items():
        if name in sources.rego.modules:
            yield from lint_comments.in_rego(name, text)
        elif name in sources.sentinel:
            yield from lint_comments.in_sentinel(sources.sentinel[name])
        else:
            yield from lint_comments.in_yaml(name, text)
