"""solon lint --base: the policies as they are beside those of another revision, and what both say of samples."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from solon.cli.git import Revision
from solon.cli.lint import sources as lint_sources
from solon.cli.lint.sources import Sources
from solon.cli.progress import track
from solon.frameworks import conftest, gatekeeper
from solon.frameworks.conftest.fingerprint import fingerprints
from solon.frameworks.conftest.load import Notes
from solon.frameworks.conftest.tested import Asked
from solon.frameworks.gatekeeper.load import is_gatekeeper
from solon.frameworks.gatekeeper.repository import kind_of, name_of
from solon.frameworks.gatekeeper.suite import is_suite
from solon.frameworks.policy import Context, Policy, PolicyFailure, PolicySet
from solon.frameworks.rego_files import Dialect, RegoFiles
from solon.governance import changes
from solon.governance.changes import Changes, Snapshot, Verdict
from solon.lang import rego
from solon.lang.budget import Budget
from solon.lang.values import json_text
from solon.subjects import discover
from solon.subjects.subject import Location, OnePlace, Subject, Unreadable

# Where a repository keeps things to judge, besides what stands beside its policies.
FOLDERS: Final = ("examples", "samples", "tests")
_MOST: Final = 5_000
_KINDS: Final = ("kubernetes.object", "terraform.plan", "terraform.resource")


@dataclass(frozen=True, slots=True)
class Wanted:
    """``directory`` holds folders of things to judge; ``samples`` are others that were named."""

    base: str
    paths: Sequence[str]
    data: Sequence[str]
    samples: Sequence[str]
    directory: str
    namespaces: Sequence[str]
    dialect: Dialect
    budget: Budget


@dataclass(slots=True)
class _Version:
    """The policies of one revision. ``problems`` say why some are not among them: those of which ``is_lost``."""

    sets: list[PolicySet] = field(default_factory=list)
    snapshots: dict[str, Snapshot] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    lost: set[str] = field(default_factory=set)
    lost_rego: bool = False

    def is_lost(self, snapshot: Snapshot) -> bool:
        policy = snapshot.policy
        return policy.id in self.lost or (self.lost_rego and policy.framework == "conftest")

    def forget(self, other: _Version) -> None:
        """Leave out the policies that the other version may have as well, or not: it cannot be told."""
        self.snapshots = {name: each for name, each in self.snapshots.items() if not other.is_lost(each)}


def compared(wanted: Wanted, sources: Sources, asked: Sequence[Asked]) -> Changes:
    """The changes since the base; ``asked`` are the inputs of the tests. Raises UsageError."""
    start = wanted.paths[0]
    revision = Revision.find(start if os.path.isdir(start) else os.path.dirname(start) or ".", wanted.base)
    after = _version(sources, wanted.namespaces)
    with tempfile.TemporaryDirectory(prefix="solon-base-") as place:
        moved = revision.write([*wanted.paths, *wanted.data], place)
        former = lint_sources.read(
            [moved[path] for path in wanted.paths if os.path.exists(moved[path])],
            [moved[path] for path in wanted.data if os.path.exists(moved[path])],
            wanted.dialect,
        )
        before = _version(former, wanted.namespaces)
        before.forget(after)
        after.forget(before)
        samples = _samples(wanted, sources)
        context = Context(now_ns=time.time_ns(), budget=wanted.budget)
        renamed = changes.renamed(before.snapshots, after.snapshots)
        judged = _judged(before, after, samples, asked, renamed, context)
        home = os.path.relpath(revision.root)

        def placed(text: str) -> str:
            return text.replace(f"{place}{os.sep}", "" if home == os.curdir else f"{home}{os.sep}")

        for name, snapshot in before.snapshots.items():
            source = replace(snapshot.policy.source, file=placed(snapshot.policy.source.file))
            before.snapshots[name] = replace(snapshot, policy=replace(snapshot.policy, source=source))
        problems = [placed(f"at {wanted.base}: {problem}") for problem in before.problems]
    shown = f"{wanted.base} ({revision.commit[:12]})"
    return changes.compare(
        shown,
        before.snapshots,
        after.snapshots,
        judged,
        len(samples) + len(asked),
        problems,
    )


# --- versions


def _version(sources: Sources, namespaces: Sequence[str]) -> _Version:
    found = _Version()
    found.problems += [problem.partition("\n")[0] for problem in sources.broken]
    found.lost_rego = bool(sources.rego.problems)
    try:
        _add_rego(found, sources.rego, namespaces)
    except rego.RegoError as error:
        found.problems.append(error.render().partition("\n")[0])
        found.lost_rego = True
    objects = [*sources.templates, *sources.constraints]
    if objects:
        policy_set, problems = gatekeeper.load("gatekeeper", objects)
        found.problems += [str(problem).partition("\n")[0] for problem in problems]
        found.sets.append(policy_set)
        about = {f"{each.document.get('kind')}/{name_of(each)}": each for each in sources.constraints}
        texts = {kind_of(each): _text(each) for each in sources.templates}
        if problems:
            found.lost = about.keys() - {policy.id for policy in policy_set.policies}
        for policy in policy_set.policies:
            constraint = about[policy.id]
            spec = constraint.document.get("spec")
            match = spec.get("match") if isinstance(spec, dict) else None
            placed = replace(policy, source=constraint.locator.locate(("spec", "enforcementAction")))
            found.snapshots[policy.id] = Snapshot(placed, texts[policy.id.partition("/")[0]], match)
    return found


def _add_rego(found: _Version, files: RegoFiles, namespaces: Sequence[str]) -> None:
    """Raises RegoError."""
    modules = {file: text for file, text in files.modules.items() if not file.endswith("_test.rego")}
    if not modules:
        return
    files = replace(files, modules=modules)
    policy_set = conftest.load("conftest", files, namespaces, every=not namespaces)
    program = rego.compile(modules, data=files.data, version=files.dialect)
    texts, notes = fingerprints(program), Notes(program)
    found.sets.append(policy_set)
    for policy in policy_set.policies:
        about = {"subject": sorted(notes.subjects(policy.id))}
        found.snapshots[policy.id] = Snapshot(policy, texts.get(policy.id, ""), about)


def _text(template: Subject) -> str:
    return json_text(template.document.get("spec"))


# --- samples


def _samples(wanted: Wanted, sources: Sources) -> list[Subject]:
    """What to judge: documents beside the policies, in folders for them, in suites, and those that were named."""
    data = {os.path.realpath(each.file) for each in sources.rego.data_files}
    folders = [os.path.join(wanted.directory, name) for name in FOLDERS]
    paths = [os.path.relpath(path) for path in folders if os.path.isdir(path)]
    found: dict[tuple[str, str], Subject] = {}
    for named, places in ((True, wanted.samples), (False, [*wanted.paths, *paths, *_cases(sources)])):
        for source in discover.find(
            [p for p in places if named or os.path.isdir(p) or p.endswith(discover.EXTENSIONS)]
        ):
            if isinstance(source, Unreadable) or os.path.realpath(source.path) in data:
                continue
            for subject in discover.read(source, stdin=lambda _size: b""):
                if (
                    isinstance(subject, Unreadable)
                    or is_gatekeeper(subject.document)
                    or is_suite(subject.document)
                ):
                    continue
                if named or subject.kind in _KINDS:
                    found.setdefault(
                        (os.path.realpath(source.path), f"{subject.location.line}{subject.uri}"), subject
                    )
    return list(found.values())[:_MOST]


def _cases(sources: Sources) -> Iterator[str]:
    """The objects of the cases of suites."""
    for suite in sources.suites:
        directory = os.path.dirname(suite.location.file)
        for test in _dicts(suite.document.get("tests")):
            for case in _dicts(test.get("cases")):
                path = os.path.join(directory, str(case.get("object", "")))
                if os.path.isfile(path):
                    yield os.path.normpath(path)


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


# --- what both versions say of them


def _judged(
    before: _Version,
    after: _Version,
    samples: Sequence[Subject],
    asked: Sequence[Asked],
    renamed: Mapping[str, str],
    context: Context,
) -> tuple[dict[str, list[Verdict]], dict[str, list[Verdict]]]:
    found: tuple[dict[str, list[Verdict]], dict[str, list[Verdict]]] = ({}, {})
    for subject in track(samples, len(samples), "judging samples"):
        for version, verdicts in zip((before, after), found, strict=True):
            for policy_set in version.sets:
                for policy in policy_set.candidates(subject):
                    verdict = _verdict(policy, subject, context, applies=policy.applies)
                    if verdict is not None:
                        verdicts.setdefault(policy.id, []).append(verdict)
    times: dict[tuple[str, str], int] = {}
    for each in asked:
        name = each.policy.removeprefix("data.")
        number = times[each.test.name, name] = times.get((each.test.name, name), 0) + 1
        subject = _of_test(each, number)
        for version, verdicts, known in (
            (before, found[0], renamed.get(name, name)),
            (after, found[1], name),
        ):
            snapshot = version.snapshots.get(known)
            if snapshot is not None:
                verdict = _verdict(snapshot.policy, subject, context)
                verdicts.setdefault(known, []).extend([verdict] if verdict else [])
    return found


def _of_test(asked: Asked, number: int) -> Subject:
    place, test = asked.test.location, asked.test.name.removeprefix("data.")
    name = f"the input of {test}" if number == 1 else f"input {number} of {test}"
    return Subject("document", f"test://{test}/{number}", name, asked.input, place, OnePlace(place))


def _verdict(
    policy: Policy,
    subject: Subject,
    context: Context,
    applies: Callable[[Subject, Context], bool] = lambda *_: True,
) -> Verdict | None:
    """What a policy says of a subject; None where it is not about it."""
    start = subject.locator.locate(())
    try:
        if not applies(subject, context):
            return None
        messages = [each.message for each in policy.judge(subject, context) if not each.excepted]
    except PolicyFailure as failure:
        messages = [f"it fails: {failure}"]
    return Verdict(subject.name, Location(start.file, start.line), messages[0] if messages else "")
