"""What the tests have policies say: which rules found something, and which policies let something pass.

This is seen by running the tests, and not by reading them: a test can ask in many ways.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from solon.frameworks import rego_cases
from solon.frameworks.conftest.lint import is_policy, policies_of
from solon.frameworks.lint import remark
from solon.frameworks.rego_files import RegoFiles
from solon.frameworks.rego_tests import RegoTests
from solon.frameworks.testing import TestResult
from solon.lang import rego
from solon.lang.budget import Budget
from solon.lang.rego import ast
from solon.lang.remark import Remark
from solon.lang.values import UNDEFINED, Value, json_text, to_json

_HELD: Final = "\0held"
_MOST_INPUTS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Asked:
    """An input that a test had a policy judge."""

    policy: str  # the name of its document
    test: TestResult
    input: Any


@dataclass(slots=True)
class Tested:
    """``held`` are the rules (file, offset) that found something; ``denied`` and ``allowed`` name documents."""

    held: set[tuple[str, int]] = field(default_factory=set)
    denied: set[str] = field(default_factory=set)
    allowed: set[str] = field(default_factory=set)
    asked: list[Asked] = field(default_factory=list)


def run_tests(files: RegoFiles, program: rego.Program, budget: Budget) -> Tested:
    """Run the tests of the files, and see what they have the policies say. Raises RegoError."""
    tests = RegoTests(files, rewrite=_marked)
    seen = Tested()
    pending: list[tuple[str, Any]] = []

    def observe(name: str, document: Value, value: Value) -> None:
        empty = value is UNDEFINED or value is False or (isinstance(value, list | dict) and not value)
        (seen.allowed if empty else seen.denied).add(name)
        if document is not UNDEFINED and len(pending) + len(seen.asked) < _MOST_INPUTS:
            pending.append((name, to_json(document)))

    tests.observe(policies_of(program), observe)
    for result in tests.run(time.perf_counter, budget=budget):
        asked = {(name, json_text(document)): document for name, document in pending}
        seen.asked += [Asked(name, result, document) for (name, _), document in asked.items()]
        pending.clear()
        for line in result.printed:
            mark, _, rule = line.partition(" ")
            if mark == _HELD:
                file, _, at = rule.rpartition(" ")
                seen.held.add((file, int(at)))
    return seen


def _marked(modules: list[ast.Module]) -> None:
    """Have every rule of a policy say when its body holds."""
    for module in modules:
        for rule in module.rules:
            if rule.default or rule.head.args is not None or not is_policy(module, rule):
                continue
            for body in (rule.body, *(branch.body for branch in rule.elses)):
                at = rule.head.at
                names = [ast.Scalar(_HELD, at), ast.Scalar(module.file, at), ast.Scalar(at, at)]
                body.append(ast.Expr(ast.TermExpr(ast.Call("print", [*names], at)), at, at))
    rego_cases.rewrite(modules)


def lint(program: rego.Program, tested: Tested) -> Iterator[Remark]:
    """What no test shows of the policies that tests ask about."""
    for name, definitions in policies_of(program).items():
        if name not in tested.denied | tested.allowed:
            continue  # conftest/untested-policy says so
        policy = name.removeprefix("data.")
        silent = [d for d in definitions if (d.module.file, d.rule.head.at) not in tested.held]
        if name not in tested.denied:
            silent = silent[:1]
        silent = [d for d in silent if not d.rule.default]
        for definition in silent:
            rule = definition.rule
            which = policy if name not in tested.denied else f"this rule of {policy}"
            yield remark(
                "policy/no-denying-test",
                f"no test has {which} find anything",
                definition.module.span(rule.head.at, len(rule.name)),
                "write a test with an input that is bad, such as `count(deny) == 1 with input as {…}`",
            )
        if name not in tested.allowed:
            first = definitions[0]
            yield remark(
                "policy/no-allowing-test",
                f"no test has {policy} let anything pass",
                first.module.span(first.rule.head.at, len(first.rule.name)),
                "write a test with an input that is good, such as `count(deny) == 0 with input as {…}`",
            )
