"""solon demo: a governed ML platform in small."""

from __future__ import annotations

import os
import shutil
import sys
import time
import uuid
from datetime import datetime
from pathlib import Path

from solon.cli import policies
from solon.cli.errors import UsageError
from solon.decisions.decision import decide
from solon.evidence.admission import admitted
from solon.frameworks.gatekeeper.inventory import inventory_of, namespaces_of
from solon.frameworks.policy import Context, evaluate
from solon.report import render
from solon.report.check_report import CheckReport
from solon.report.model.view import View, view
from solon.report.table import wrap
from solon.subjects import discover, ml_release
from solon.subjects.subject import Subject


def _share(name: str) -> str:
    """A folder that stands beside the package: in the tree of a checkout, or inside an installed wheel."""
    package = Path(__file__).resolve().parent.parent
    for place in (package / "_share" / name, package.parent.parent / name):
        if place.is_dir():
            return os.path.relpath(place) if place.is_relative_to(Path.cwd()) else str(place)
    raise UsageError(f"the demo's files ({name}) are not installed with Solon")


def run() -> int:
    """0 when the demo ran: what it denies is its point."""
    library = _share("library")
    width = min(110, shutil.get_terminal_size((100, 24)).columns)
    _pull_request(library, width)
    _releases(library, width)
    print("Try next:")
    for command, what in (
        (f"solon test {library}", "the library's own tests"),
        ("solon init my-policies", "a policy repository to start from"),
        ("solon check --help", "your own plans, manifests and policies"),
        ("solon model collect --help", "evidence about a model of your own"),
    ):
        print(f"  {command:<28}  # {what}")
    return 0


def _pull_request(library: str, width: int) -> None:
    platform = _share("examples/ml-platform")
    plan, manifests, running = (
        os.path.join(platform, name) for name in ("plan.json", "manifests", "running")
    )
    print("A team's pull request: a Terraform plan and three workloads, judged with the starter library.\n")
    print(f"  $ solon check -p {library} --inventory {running} {plan} {manifests}\n")
    report = _judged(library, _subjects([plan, manifests]), _subjects([running]), time.time_ns())
    print(_shown(report, width))
    _close(report, width)


def _releases(library: str, width: int) -> None:
    """Two versions of a model, judged on the day that their evidence is of."""
    example = _share("examples/ml-release")
    print(
        "Two versions of a model ask to go to production. Solon has measured, scanned and read what they come with; the"
    )
    print("same library says whether they may go.\n")
    print(f"  $ solon model gate {example}/credit-scoring-8\n")
    releases = [
        found
        for each in _subjects([example])
        if each.kind == ml_release.KIND and isinstance(found := admitted(each), Subject)
    ]
    newest = max(datetime.fromisoformat(each.document["collected_at"]) for each in releases)
    report = _judged(library, releases, [], int(newest.timestamp()) * 1_000_000_000)
    for decision in report.decisions:
        _release(view(decision), width)


def _release(seen: View, width: int) -> None:
    """The verdict, and of what each policy found the first."""
    print(f"{seen.title}: {seen.verdict.lower()} ({seen.why})")
    for group in seen.stops:
        first = group.remedied[0]
        more = f" (and {group.count - 1} more)" if group.count > 1 else ""
        print(_wrapped(f"{group.title}: {first.said[0].message}{more}", width, 2))
        print(_wrapped(f"fix: {first.fix}", width, 6))
    print()


def _judged(library: str, subjects: list[Subject], around: list[Subject], now_ns: int) -> CheckReport:
    started = time.perf_counter_ns()
    sets = policies.load(policies.Wanted([library], [], [], True, "v1"))
    objects = [s.document for s in [*around, *subjects] if s.kind == "kubernetes.object"]
    context = Context(now_ns=now_ns, inventory=inventory_of(objects), namespaces=namespaces_of(objects))
    revisions = {policy_set.name: policy_set.revision for policy_set in sets}
    decisions = [
        decide(
            evaluate(sets, subject, context),
            decision_id=str(uuid.uuid4()),
            revisions=revisions,
            timestamp_ns=now_ns,
        )
        for subject in subjects
    ]
    return CheckReport(decisions, [], sets, [], time.perf_counter_ns() - started, now_ns)


def _shown(report: CheckReport, width: int) -> str:
    color = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    return render("table", report, width=width, color=color, verbose=True)


def _subjects(paths: list[str]) -> list[Subject]:
    found: list[Subject] = []
    for source in discover.find(paths):
        if isinstance(source, discover.Input):
            found += [s for s in discover.read(source, stdin=lambda _size: b"") if isinstance(s, Subject)]
    return found


def _close(report: CheckReport, width: int) -> None:
    """What was denied, why, and how to fix it, in short."""
    print("In short:")
    for decision in report.decisions:
        said: set[str] = set()
        for finding in decision.enforced:
            title = finding.policy.title or finding.policy.id
            if title not in said:
                print(_wrapped(f"{decision.subject.name}: {title}", width, 2))
            said.add(title)
            print(_wrapped(f"fix: {finding.remediation}", width, 6))
    print()


def _wrapped(text: str, width: int, indent: int) -> str:
    first, *rest = wrap(text, width - indent - 5)
    return "\n".join([" " * indent + first, *(" " * (indent + 5) + line for line in rest)])
