"""Rego files to a policy set: each deny, warn or violation rule of a namespace is a policy.

Metadata annotations give a policy what Rego has no words for:

    # METADATA
    # title: Training jobs stay within the team's GPU quota
    # custom:
    #   severity: high
    #   controls: [EU-AI-Act:Art.11]
    #   remediation: Ask for fewer GPUs, or have the quota raised
    #   subject: kubernetes.object
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Mapping, Sequence
from typing import Any, Final

from solon.frameworks.conftest.surroundings import surroundings
from solon.frameworks.field_path import field_path
from solon.frameworks.policy import Context, Policy, PolicyFailure, PolicySet, Stage, Violation
from solon.frameworks.rego_files import RegoFiles
from solon.lang import rego
from solon.subjects.subject import Location, Subject

POLICY_RULE: Final = re.compile(r"(deny|violation|warn)(_[a-zA-Z0-9]+)*$")

# What Conftest gives its policies: each document, and a plan as a whole.
DEFAULT_SUBJECTS: Final = frozenset(["kubernetes.object", "document", "terraform.plan", "combined"])

_SEVERITIES: Final = ("low", "medium", "high", "critical")
# Keys of a result that say something of their own; the others are its details.
_OWN_KEYS: Final = frozenset(["msg", "severity", "remediation", "path", "field"])


def load(
    name: str,
    files: RegoFiles,
    namespaces: Sequence[str] = (),
    *,
    every: bool = False,
    cache: rego.Cache | None = None,
    watch: rego.Watch | None = None,
    schemas: Mapping[tuple[str, ...], Any] | None = None,
) -> PolicySet:
    """Compile the files; policies come from the namespaces given, or from ``every`` one.

    Where none is given they come from ``main``, or from every one if ``main`` has none. What they cost, or a trace, is
    recorded in ``watch``. Raises RegoError with all errors.
    """
    program = rego.compile(
        files.modules, data=files.data, version=files.dialect, cache=cache, watch=watch, schemas=schemas
    )
    notes = Notes(program)
    found: dict[str, rego.RuleInfo] = {}
    for rule in program.rules:
        if POLICY_RULE.match(rule.name) and rule.kind != "function":
            found.setdefault(rule.path, rule)
    wanted = {f"data.{name}" for name in namespaces or ["main"]}
    definitions = {path: rule for path, rule in found.items() if every or rule.package in wanted}
    if not definitions and not namespaces:
        definitions = found
    sessions = _Sessions(program)
    policies = [_policy(program, rule, notes, sessions) for rule in definitions.values()]
    by_kind: dict[str, list[Policy]] = {}

    def candidates(subject: Subject) -> Sequence[Policy]:
        if subject.kind not in by_kind:
            by_kind[subject.kind] = [p for p in policies if subject.kind in notes.subjects(p.id)]
        return by_kind[subject.kind]

    def around() -> Mapping[str, frozenset[str]]:
        return surroundings(program, [policy.id for policy in policies])

    return PolicySet(name, files.revision, policies, candidates, files.texts, around)


class Notes:
    """What annotations say of a rule, its own before its document's, its package's and those around it."""

    def __init__(self, program: rego.Program) -> None:
        self._all = program.annotations

    def of(self, path: str) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        custom: dict[str, Any] = {}
        for scope in ("subpackages", "package", "document", "rule"):
            for note in self._all:
                if note.scope != scope or not (
                    note.path == path or path.startswith((f"{note.path}.", f"{note.path}["))
                ):
                    continue
                if scope in ("rule", "document") and note.path != path:
                    continue
                merged.update(note.values)
                own = note.values.get("custom")
                custom.update(own if isinstance(own, dict) else {})
        return {**merged, "custom": custom}

    def subjects(self, policy_id: str) -> frozenset[str]:
        wanted = self.of(f"data.{policy_id}")["custom"].get("subject")
        if isinstance(wanted, str):
            return frozenset([wanted])
        return frozenset(map(str, wanted)) if isinstance(wanted, list) and wanted else DEFAULT_SUBJECTS


class _Sessions:
    """The evaluation of the subject at hand, which its policies share."""

    def __init__(self, program: rego.Program) -> None:
        self._program = program
        self._held = threading.local()

    def of(self, subject: Subject, context: Context) -> rego.Session:
        held = getattr(self._held, "session", None)
        if held is not None and held[0] is subject and held[1] is context:
            session: rego.Session = held[2]
            return session
        data = {**self._program.data, "inventory": context.inventory or {}, "conftest": _file_info(subject)}
        if subject.parent is not None:
            data["plan"] = subject.parent
        session = rego.Session(
            self._program,
            subject.document,
            data,
            budget=context.budget,
            now_ns=context.now_ns,
            allowed_hosts=context.allowed_hosts,
        )
        self._held.session = (subject, context, session)
        return session


def _policy(program: rego.Program, rule: rego.RuleInfo, notes: Notes, sessions: _Sessions) -> Policy:
    said = notes.of(rule.path)
    custom = said["custom"]
    exceptions = _Exceptions(program, rule)

    def judge(subject: Subject, context: Context) -> list[Violation]:
        document = subject.document
        try:
            session = sessions.of(subject, context)
            value = session.evaluate(rule.path)
            if value is rego.UNDEFINED or value is False or value in ([], {}):
                return []
            excepted = exceptions.applying(session)
        except rego.RegoError as error:
            raise PolicyFailure(str(error)) from None
        # Conftest takes anything but a set for a pass. Here a rule that is true, or one result, is a violation.
        results = value if isinstance(value, list) else [_sentence(rule, said) if value is True else value]
        return [_violation(result, document, excepted) for result in results]

    controls = custom.get("controls", [])
    severity = custom.get("severity")
    return Policy(
        id=rule.path.removeprefix("data."),
        language="rego",
        framework="conftest",
        source=Location(rule.span.file, rule.span.row, rule.span.column),
        stage=Stage.WARN if rule.name.startswith("warn") else Stage.ENFORCE,
        applies=lambda subject, context: True,
        judge=judge,
        title=str(said.get("title", "")),
        description=str(said.get("description", "")),
        severity=severity if severity in _SEVERITIES else "medium",
        owner=str(custom.get("owner", "")),
        controls=tuple(map(str, controls if isinstance(controls, list) else [controls])),
        remediation=str(custom.get("remediation", "")),
    )


def _file_info(subject: Subject) -> dict[str, Any]:
    """``data.conftest``: where the subject stood, for policies that say so in their results."""
    directory, name = os.path.split(os.path.abspath(subject.location.file))
    return {"file": {"name": name, "dir": directory}}


def _sentence(rule: rego.RuleInfo, said: dict[str, Any]) -> str:
    """The message for a rule that is just true."""
    return str(said.get("title") or f"{rule.name} is true")


class _Exceptions:
    """``exception contains ["gpu"]``: names, without their deny_ or violation_, that are excepted now."""

    def __init__(self, program: rego.Program, rule: rego.RuleInfo) -> None:
        self._name = rule.name.partition("_")[2]
        path = f"{rule.package}.exception"
        self._path = path.removeprefix("data.")
        self._document = path if program.document(path) is not None else ""

    def applying(self, session: rego.Session) -> str:
        """The rule that excepts the policy for this document, or nothing. Raises RegoError."""
        if not self._document:
            return ""
        value = session.evaluate(self._document)
        for names in value if isinstance(value, list) else []:
            if self._name in (
                names.values() if isinstance(names, dict) else names if isinstance(names, list) else ()
            ):
                return self._path
        return ""


def _violation(result: Any, document: Any, excepted: str) -> Violation:
    if isinstance(result, str):
        return Violation(result, None, field_path(result, None, document), excepted=excepted)
    if not isinstance(result, dict) or not isinstance(result.get("msg"), str):
        return Violation("a result must be a string, or an object with a string msg", result, error=True)
    details = {k: v for k, v in result.items() if k not in _OWN_KEYS}
    severity = result.get("severity")
    return Violation(
        message=result["msg"],
        details=details or None,
        path=field_path(result["msg"], result, document) or _resource(result, document),
        severity=severity if severity in _SEVERITIES else "",
        remediation=str(result.get("remediation", "")),
        excepted=excepted,
    )


def _resource(result: dict[str, Any], document: Any) -> tuple[str | int, ...] | None:
    """The place in a plan of the resource that a result names."""
    address = result.get("address") or result.get("resource")
    changes = document.get("resource_changes") if isinstance(document, dict) else None
    for index, change in enumerate(changes if isinstance(changes, list) else []):
        if isinstance(change, dict) and change.get("address") == address:
            return ("resource_changes", index)
    return None


def combined(subjects: Sequence[Subject]) -> Subject:
    """One subject over all files: its document is ``[{"path": …, "contents": …}]`` (``--combine``)."""
    first = subjects[0]
    contents = [{"path": s.location.file, "contents": s.document} for s in subjects]
    return Subject(
        "combined",
        "file://combined",
        f"{len(subjects)} documents combined",
        contents,
        first.location,
        first.locator,
    )
