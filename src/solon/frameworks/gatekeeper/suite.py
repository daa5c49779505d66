"""Suites of tests for templates and constraints, in the format of ``gator verify``.

A suite lists tests (a template and a constraint), each with cases (an object and what the constraint should
say of it). (Gatekeeper documentation, "The gator CLI".)
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from solon.frameworks.gatekeeper.constraint import Constraint, is_constraint, make_constraint
from solon.frameworks.gatekeeper.errors import GatekeeperError, SchemaError
from solon.frameworks.gatekeeper.inventory import inventory_of, namespaces_of
from solon.frameworks.gatekeeper.load import GATOR
from solon.frameworks.gatekeeper.match import group_of
from solon.frameworks.gatekeeper.review import review_of
from solon.frameworks.gatekeeper.template import Template, compile_template, is_template
from solon.frameworks.policy import Context, Violation
from solon.frameworks.testing import Status, TestResult
from solon.lang.rego import RegoError
from solon.subjects.documents import Problem, decode, text_of
from solon.subjects.kubernetes import is_object
from solon.subjects.subject import Location

GROUP: Final = "test.gatekeeper.sh"

ReadFile = Callable[[str], bytes]


class SuiteError(Exception):
    """A test or case that cannot be run as it is written."""


def is_suite(document: Any) -> bool:
    return isinstance(document, dict) and document.get("kind") == "Suite" and group_of(document) == GROUP


@dataclass(frozen=True, slots=True)
class Filter:
    """``--run``: ``re`` matches a test or a case, ``test//case`` both."""

    test: re.Pattern[str] | None = None
    case: re.Pattern[str] | None = None
    both: bool = False

    @classmethod
    def parse(cls, text: str) -> Filter:
        """Raises re.error."""
        if not text:
            return cls()
        first, slashes, second = text.partition("//")
        if slashes:
            return cls(re.compile(first), re.compile(second), both=True)
        return cls(re.compile(first), re.compile(first))

    def selects(self, test: str, case: str) -> bool:
        if self.test is None or self.case is None:
            return True
        by_test, by_case = self.test.search(test) is not None, self.case.search(case) is not None
        return by_test and by_case if self.both else by_test or by_case


class SuiteRunner:
    """Runs suites. Files are read through ``read_file``; templates used by several tests are compiled once."""

    def __init__(
        self,
        read_file: ReadFile,
        context: Context,
        clock: Callable[[], float],
        seen: Callable[[Constraint, list[str]], None] = lambda constraint, messages: None,
    ) -> None:
        """``seen`` is told what constraints said of objects that they are about."""
        self._read_file = read_file
        self._seen = seen
        self._context = context
        self._clock = clock
        self._templates: dict[str, Template | GatekeeperError] = {}

    def run(self, file: str, suite: dict[str, Any], wanted: Filter = Filter()) -> Iterator[TestResult]:
        """The results of a suite's cases, in order."""
        place = Location(file)
        tests = suite.get("tests") or []
        if not isinstance(tests, list) or not all(isinstance(test, dict) for test in tests):
            yield TestResult(file, "suite", Status.ERROR, 0.0, place, "tests must be a list of objects")
            return
        for test in tests:
            yield from self._test(file, suite, test, wanted)

    def _test(
        self, file: str, suite: dict[str, Any], test: dict[str, Any], wanted: Filter
    ) -> Iterator[TestResult]:
        name = str(test.get("name", ""))
        place = Location(file)
        cases = [case for case in test.get("cases") or [] if isinstance(case, dict)]
        if suite.get("skip") or test.get("skip"):
            yield TestResult(file, name, Status.SKIPPED, 0.0, place, "skip: true")
            return
        selected = [case for case in cases if wanted.selects(name, str(case.get("name", "")))]
        if not selected and not wanted.selects(name, ""):
            return
        directory = os.path.dirname(file)
        started = self._clock()
        try:
            constraint = self._constraint(directory, test)
        except SchemaError as error:
            invalid = test.get("invalid") is True
            status = Status.PASSED if invalid else Status.ERROR
            yield TestResult(
                file, name, status, self._clock() - started, place, "" if invalid else str(error)
            )
            return
        except (GatekeeperError, SuiteError) as error:
            yield TestResult(file, name, Status.ERROR, self._clock() - started, place, str(error))
            return
        if test.get("invalid") is True:
            message = "the constraint was expected to be invalid, but its parameters fit the schema"
            yield TestResult(file, name, Status.FAILED, self._clock() - started, place, message)
            return
        if not cases:
            yield TestResult(file, name, Status.SKIPPED, 0.0, place, "no cases")
        for case in selected:
            yield self._case(file, directory, name, case, constraint)

    def _constraint(self, directory: str, test: dict[str, Any]) -> Constraint:
        for field in ("template", "constraint"):
            if not isinstance(test.get(field), str) or not test[field]:
                raise SuiteError(f"missing {field}")
        if test.get("expansion"):
            raise SuiteError("expansion is not supported")
        path = os.path.join(directory, test["template"])
        template = self._template(path)
        document, place = self._one(os.path.join(directory, test["constraint"]))
        if not is_constraint(document):
            raise SuiteError(f"{place}: not a constraint")
        if document["kind"] != template.kind:
            raise SuiteError(f"{place}: {document['kind']} is not the template's kind {template.kind}")
        try:
            return make_constraint(document, template, place, GATOR)
        except GatekeeperError as error:
            raise type(error)(f"{place}: {error}") from None

    def _template(self, path: str) -> Template:
        held = self._templates.get(path)
        if held is None:
            document, place = self._one(path)
            if not is_template(document):
                raise SuiteError(f"{place}: not a ConstraintTemplate")
            try:
                held = compile_template(document, place)
            except GatekeeperError as error:
                held = GatekeeperError(f"{place}: {error}")
            self._templates[path] = held
        if isinstance(held, GatekeeperError):
            raise held
        return held

    def _objects(self, path: str) -> list[Any]:
        try:
            documents = list(decode(text_of(self._read_file(path))))
        except OSError as error:
            raise SuiteError(f"{path}: {(error.strerror or str(error)).lower()}") from None
        except Problem as problem:
            raise SuiteError(str(problem.at(path))) from None
        for document in documents:
            if isinstance(document, Problem):
                raise SuiteError(str(document.at(path)))
        values = [document.value for document in documents if not isinstance(document, Problem)]
        if not values:
            raise SuiteError(f"{path}: defines no objects")
        return values

    def _one(self, path: str) -> tuple[Any, Location]:
        values = self._objects(path)
        if len(values) != 1:
            raise SuiteError(f"{path}: defines {len(values)} objects, must be exactly one")
        return values[0], Location(path)

    def _case(
        self, file: str, directory: str, test: str, case: dict[str, Any], constraint: Constraint
    ) -> TestResult:
        name = f"{test}/{case.get('name', '')}"
        place = Location(file)
        if case.get("skip"):
            return TestResult(file, name, Status.SKIPPED, 0.0, place, "skip: true")
        started = self._clock()
        try:
            messages = self.messages(directory, case, constraint)
            failure = _check(case.get("assertions"), messages)
        except (SuiteError, GatekeeperError) as error:
            return TestResult(file, name, Status.ERROR, self._clock() - started, place, str(error))
        status = Status.FAILED if failure else Status.PASSED
        return TestResult(file, name, status, self._clock() - started, place, failure)

    def messages(self, directory: str, case: dict[str, Any], constraint: Constraint) -> list[str]:
        """What the constraint says of a case's object. Raises SuiteError, GatekeeperError."""
        if not isinstance(case.get("object"), str) or not case["object"]:
            raise SuiteError("must define object")
        if not case.get("assertions"):
            raise SuiteError("assertions must be non-empty")
        document, _ = self._one(os.path.join(directory, case["object"]))
        if not isinstance(document, dict):
            raise SuiteError(f"{case['object']}: not an object")
        inventory = [
            obj
            for path in case.get("inventory") or []
            for obj in self._objects(os.path.join(directory, str(path)))
        ]
        for obj in inventory:
            if not is_object(obj):
                raise SuiteError("inventory: an object needs apiVersion and kind")
        context = Context(
            now_ns=self._context.now_ns,
            inventory=inventory_of(inventory),
            namespaces=namespaces_of(inventory),
            budget=self._context.budget,
            allowed_hosts=self._context.allowed_hosts,
        )
        if constraint.stage is None:
            return []
        review = review_of(document, context.namespaces)
        if not constraint.concerns(review):
            return []
        try:
            found = constraint.violations(review, context)
        except RegoError as error:
            found = [Violation(str(error))]  # upstream too shows it as a violation
        messages = [violation.message for violation in found]
        self._seen(constraint, messages)
        return messages


def _check(assertions: Any, messages: list[str]) -> str:
    """Why the assertions do not hold, or nothing. Raises SuiteError where one is malformed."""
    if not isinstance(assertions, list):
        raise SuiteError("assertions must be a list")
    for assertion in assertions:
        if not isinstance(assertion, dict):
            raise SuiteError("an assertion must be an object")
        wanted = assertion.get("violations")
        wanted = "yes" if wanted is None else wanted
        pattern = assertion.get("message") or ""
        matching = [message for message in messages if _matches(pattern, message)]
        about = f" matching {pattern!r}" if pattern else ""
        if wanted in ("yes", True) and type(wanted) is not int:
            holds, expected = bool(matching), "at least one violation"
        elif wanted in ("no", False) and type(wanted) is not int:
            holds, expected = not matching, "no violations"
        elif type(wanted) is int and wanted >= 0:
            holds, expected = len(matching) == wanted, f"{wanted} violation{'s' * (wanted != 1)}"
        else:
            raise SuiteError(f"assertion violations must be yes, no or a count, not {wanted!r}")
        if not holds:
            got = "".join(f"\n    - {message}" for message in messages) or " none"
            return (
                f"expected {expected}{about}, got {len(matching)} of{got}"
                if messages
                else f"expected {expected}{about}, got none"
            )
    return ""


def _matches(pattern: str, message: str) -> bool:
    from solon.lang.rego.builtins.regex import compiled
    from solon.lang.rego.errors import BuiltinError

    try:
        return compiled(str(pattern)).search(message) is not None
    except BuiltinError as error:
        raise SuiteError(f"assertion message: {error}") from None
