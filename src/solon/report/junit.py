"""JUnit XML, for the test views of CI systems.

A suite is a file; a test case is a subject that is fine, or a policy on a subject that is not. What only
warns or is recorded passes, with its message as output, since the format has no word for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final
from xml.etree import ElementTree as ET

from solon.decisions.decision import Decision
from solon.decisions.record import rfc3339
from solon.frameworks.policy import Finding
from solon.report.check_report import CheckReport, Shown, shown, why
from solon.report.text import printable, printable_lines
from solon.subjects.subject import Location, Unreadable

# What is left of the characters XML 1.0 has no way to write, after the control characters.
_NOT_XML: Final = re.compile("[\ufffe\uffff]")


def render(report: CheckReport) -> str:
    unmatched = {id(decision) for decision in report.unmatched}
    files: dict[str, list[Decision]] = {}
    for decision in report.decisions:
        if decision.policies or decision.findings or id(decision) in unmatched:
            files.setdefault(decision.subject.location.file, []).append(decision)
    suites = [
        suite(file, [case for decision in decisions for case in _cases(decision)], report.started_ns)
        for file, decisions in files.items()
    ]
    for name, problems, tag in (
        ("programme", report.programme_problems, "error"),
        ("unreadable inputs", report.unreadable, "error"),
    ):
        if problems:
            suites.append(suite(name, [_problem(problem, tag) for problem in problems], report.started_ns))
    return document("solon check", suites, report.elapsed_ns)


def document(name: str, suites: Iterable[ET.Element], elapsed_ns: int) -> str:
    """The XML text of test suites, with their numbers added up."""
    root = ET.Element("testsuites", name=name)
    root.extend(suites)
    for count in ("tests", "failures", "errors", "skipped"):
        root.set(count, str(sum(int(child.get(count, "0")) for child in root)))
    root.set("time", seconds(elapsed_ns))
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def suite(name: str, cases: list[ET.Element], started_ns: int) -> ET.Element:
    element = ET.Element("testsuite", name=attribute(name))
    element.set("tests", str(len(cases)))
    for count, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        element.set(count, str(sum(case.find(tag) is not None for case in cases)))
    element.set("time", f"{sum(float(case.get('time', '0')) for case in cases):.3f}")
    element.set("timestamp", rfc3339(started_ns)[:19])
    element.extend(cases)
    return element


def case(name: str, classname: str, place: Location, elapsed_ns: int = 0) -> ET.Element:
    element = ET.Element("testcase", name=attribute(name), classname=attribute(classname))
    element.set("file", attribute(place.file))
    if place.line:
        element.set("line", str(place.line))
    element.set("time", seconds(elapsed_ns))
    return element


def add(parent: ET.Element, tag: str, message: str, body: str = "") -> None:
    """A failure, error or skipped element; its message is one line, the body what else there is to say."""
    child = ET.SubElement(parent, tag, message=attribute(message))
    if body:
        child.text = _xml(printable_lines(body))


def attribute(text: str) -> str:
    return _xml(printable(text))


def seconds(elapsed_ns: int) -> str:
    return f"{elapsed_ns / 1e9:.3f}"


def _cases(decision: Decision) -> list[ET.Element]:
    subject = decision.subject
    by_policy: dict[str, list[tuple[Shown, Finding]]] = {}
    for word, finding in shown(decision):
        by_policy.setdefault(finding.policy.id, []).append((word, finding))
    if not by_policy:
        element = case(subject.name, subject.uri, subject.location, decision.elapsed_ns)
        if decision.unmatched:
            add(element, "skipped", "no policy matched")
        return [element]
    cases = []
    for number, (policy, found) in enumerate(by_policy.items()):
        elapsed = decision.elapsed_ns if number == 0 else 0  # the time is the subject's, told once
        element = case(f"{subject.name}: {policy}", subject.uri, found[0][1].location, elapsed)
        _add_findings(element, found)
        cases.append(element)
    return cases


def _add_findings(element: ET.Element, found: list[tuple[Shown, Finding]]) -> None:
    """One element of the gravest kind: readers of the format expect no more than one."""
    gravest = found[0][0]
    body = "\n\n".join(_body(word, finding) for word, finding in found)
    tag = {Shown.ERROR: "error", Shown.DENY: "failure"}.get(gravest)
    if tag:
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        add(element, tag, found[0][1].message + more, body)
        element[-1].set("type", attribute(found[0][1].severity or gravest))
    elif all(finding.excepted or word is Shown.WAIVED for word, finding in found):
        add(element, "skipped", why(found[0][1]), body)
    else:
        ET.SubElement(element, "system-out").text = _xml(printable_lines(body))


def _body(word: Shown, finding: Finding) -> str:
    lines = [f"{word}: {finding.message}", f"at {printable(str(finding.location))}"]
    if why(finding):
        lines.append(f"why: {why(finding)}")
    if finding.remediation:
        lines.append(f"fix: {finding.remediation}")
    return "\n".join(lines)


def _problem(problem: Unreadable, tag: str) -> ET.Element:
    element = case(str(problem.location), "solon", problem.location)
    add(element, tag, problem.problem, str(problem))
    return element


def _xml(text: str) -> str:
    return _NOT_XML.sub(lambda match: f"\\u{ord(match.group()):04x}", text)
