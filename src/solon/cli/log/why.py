"""solon explain: a decision, and what the log has behind each of its findings."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from solon.cli.errors import UsageError
from solon.cli.log.again import Asking
from solon.cli.log.command import opened, worded
from solon.cli.log.in_force import of_state, state_of
from solon.cli.progress import track
from solon.decisions.in_force import reading, texts
from solon.decisions.in_force.parts import ActivePolicy, ActiveSet, key_of
from solon.decisions.in_force.standing import InForce, judged
from solon.decisions.log.errors import LogError
from solon.decisions.log.events import nanoseconds
from solon.decisions.log.leaf import Kind
from solon.decisions.log.store import Log
from solon.decisions.warehouse import lookup
from solon.frameworks.excerpt import Lines, excerpt
from solon.lang.ways import Again
from solon.report import why_report
from solon.report.why_report import Basis, Behind

_TRACED: Final = 20  # findings whose policy is asked again


def explain(directory: str | None, decision: str, format_: str, *, trace: bool) -> int:
    with worded(), opened(directory) as log:
        found = lookup.find(log, decision)
        if not found:
            raise UsageError(
                f"{decision}: no decision of that id is in {log.directory}: `solon log query` finds ids"
            )
        place, stored = found[0]
        if stored.payload is None:
            raise UsageError(
                f"{decision}: its event was erased; `solon log show {decision}` has what is left"
            )
        signed = place.checkpoint(log.key)
        try:
            event = msgspec.json.decode(stored.payload)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise UsageError(f"{stored.path}:{stored.offset}: the event cannot be read: {error}") from None
        event = event if isinstance(event, dict) else {}
        event = _with_input(log, event)
        if stored.says.kind is not Kind.DECISION:
            raise UsageError(
                f"{decision}: is no decision, and says what became of the {stored.says.kind.name.lower()}: "
                f"`solon log show {decision}` shows it"
            )
        basis = _basis(log, event, trace=trace)
    where = {
        "shard": place.name,
        "index": stored.index,
        "signed": signed is not None and stored.index < signed.size,
        "copies": len(found),
        "committed": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(stored.time_ns // 1_000_000_000)),
    }
    width = shutil.get_terminal_size((100, 24)).columns if sys.stdout.isatty() else 100
    sys.stdout.write(why_report.render(format_, event, where, basis, width=width))
    return 0


def _with_input(log: Log, event: dict[str, Any]) -> dict[str, Any]:
    """The event of an audit has its input in the decision that it goes by."""
    solon = event.get("solon")
    audit = solon.get("audit") if isinstance(solon, dict) else None
    of = audit.get("of") if isinstance(audit, dict) else None
    if "input" in event or not isinstance(of, str):
        return event
    for _, stored in lookup.find(log, of):
        try:
            other = msgspec.json.decode(stored.payload or b"{}")
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            continue
        if isinstance(other, dict) and "input" in other:
            hidden = {name: other[name] for name in ("masked", "erased") if name in other}
            return {**event, "input": other["input"], **hidden}
    return event


def _basis(log: Log, event: Mapping[str, Any], *, trace: bool) -> Basis:
    """What was in force when it was decided, and what that has of each finding. Raises LogError, OSError."""
    if "solon" not in event:
        return Basis(problem="")
    state, problem = state_of(reading.entries(log), event)
    if state is None:
        return Basis(problem=problem)
    now_ns = nanoseconds(str(event.get("timestamp", "")))
    found = of_state(log, state, now_ns)
    return Basis(found, list(_Findings(log, found, event, now_ns, trace=trace).all()))


class _Findings:
    """What is behind the findings of one event. Sets of policies are compiled once."""

    def __init__(
        self, log: Log, found: InForce, event: Mapping[str, Any], now_ns: int, *, trace: bool
    ) -> None:
        self._log = log
        self._found = found
        self._event = event
        self._now_ns = now_ns
        self._left = _TRACED if trace else 0
        self._trace = trace
        self._asking: dict[str, Asking] = {}
        self._policies = {policy.id: (each, policy) for each, policy in reversed(found.policies)}
        self._exemptions = {each.id: each for each in found.exemptions}
        self._cases = {case.id: case for case in found.state.cases}

    def all(self) -> Sequence[Behind]:
        found = why_report.findings_of(self._event)
        return [self._behind(finding) for finding in track(found, len(found), "asking policies again")]

    def _behind(self, finding: Mapping[str, Any]) -> Behind:
        known = self._policies.get(str(finding.get("policy", "")))
        if known is None:
            return Behind(problem="the policy is not among those that were in force")
        policies, policy = known
        ruling = finding.get("ruling")
        ruling = ruling if isinstance(ruling, dict) else {}
        subject, traits = judged(self._event)
        lines, problem = self._lines(policies, policy)
        return Behind(
            policies=policies,
            since=self._found.state.entry(key_of(policies)).time_ns,
            policy=policy,
            standing=self._found.of(policies, policy, subject, traits),
            texts=lines,
            problem=problem,
            waiver=self._exemptions.get(str(ruling.get("waiver", ""))),
            token=self._cases.get(str(ruling.get("breakglass", ""))),
            again=self._again(policies, policy, finding),
        )

    def _lines(self, policies: ActiveSet, policy: ActivePolicy) -> tuple[list[tuple[str, Lines]], str]:
        """The policy's lines, by the file that they stand in; and why they are not all there."""
        found: list[tuple[str, Lines]] = []
        for file, line in dict.fromkeys([(policy.file, policy.line), (policy.code, policy.code_line)]):
            if not file:
                continue
            kept = next((each for each in policies.texts if each.file == file), None)
            if kept is None or not kept.sha256:
                return found, f"the text of {file} was not kept"
            try:
                text = texts.get(self._log.directory, kept.sha256).decode("utf-8", "replace")
            except LogError as error:
                return found, str(error)
            found.append((file, excerpt(text, file, policy.id, line)))
        return found, ""

    def _again(self, policies: ActiveSet, policy: ActivePolicy, finding: Mapping[str, Any]) -> Again:
        if not self._trace:
            return Again()
        if policy.language != "rego":
            return Again(problem=f"policies in {policy.language} are not asked again")
        if "input" not in self._event:
            return Again(problem="the decision was recorded without its input")
        if finding.get("outcome") == "error":
            return Again(problem="the policy failed, and is not asked again")
        if self._left <= 0:
            return Again(problem=f"only the first {_TRACED} findings are asked again")
        self._left -= 1
        asking = self._asking.get(policies.name)
        if asking is None:
            asking = Asking(policies, lambda name: texts.get(self._log.directory, name))
            self._asking[policies.name] = asking
        subject, _ = judged(self._event)
        again = asking(policy.id, str(finding.get("message", "")), subject, self._now_ns)
        return (
            again
            if again.way is not None
            else Again(problem=f"{again.problem}{self._hidden(asking.reads.get(policy.id, frozenset()))}")
        )

    def _hidden(self, reads: frozenset[str]) -> str:
        """What may be why it comes out otherwise."""
        told = []
        if self._event.get("masked") or self._event.get("erased"):
            told.append("values of the input were masked")
        if "plan" in reads:
            told.append("it reads the rest of the plan, which is not in this event")
        if "inventory" in reads:
            told.append("it reads what else was in the cluster, which is not recorded")
        return f" ({'; '.join(told)})" if told else ""
