"""One recorded input, judged by the candidate.

The log has no secrets: they were masked. So an input with something masked is judged twice, the second time with objects in
those places that cannot be looked at. Where that fails, or comes out differently, the result hangs on what is not known.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NoReturn

import msgspec

from solon.decisions.decision import Decision, decide
from solon.decisions.record import record
from solon.decisions.replay.recorded import (
    Found,
    Input,
    Unusable,
    amounts_to,
    answered,
    digest_of,
    document_of,
    input_of,
)
from solon.decisions.warehouse.columns import AUDIT
from solon.frameworks.policy import Context, Evaluation, PolicySet, evaluate
from solon.governance.programme import Programme
from solon.lang.rego import UNDEFINED, RegoError
from solon.subjects.kubernetes import NO_CLUSTER
from solon.subjects.subject import Location, OnePlace, Subject

_LONGEST: Final = 300  # of a message
DEFECT: Final = "a defect in Solon"
_NO_POLICIES: Final = "the candidate has no policies for what Solon judges"

# What an OPA would answer to a document, at a time. Raises RegoError.
Answer = Callable[[Any, int], Any]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the candidate says. ``problem``: why it could say nothing.

    ``doubtful``: it hangs on what was masked. ``answer`` is the digest of OPA's whole answer. ``record`` is the line
    for the log, where that was asked for.
    """

    outcome: str = ""
    findings: Sequence[Found] = ()
    team: str = ""
    owner: str = ""
    doubtful: bool = False
    answer: bytes = b""
    problem: str = ""
    record: bytes = b""


@dataclass(frozen=True, slots=True)
class Candidate:
    """What judges. ``programme`` gives that of a time and a cluster, or None where there is none.

    ``context`` gives what policies may know at a time; ``at`` the time that a decision of some time is judged at.
    ``answers`` gives what answers a path of OPA, or None where the candidate has nothing there. With ``for_log``,
    verdicts have a line for the log.
    """

    sets: Sequence[PolicySet]
    programme: Callable[[int, str], Programme | None]
    context: Callable[[int], Context]
    at: Callable[[int], int]
    answers: Callable[[str], Answer | None]
    for_log: bool = False


class Judge:
    """Judges events, given as the bytes that the log has of them."""

    def __init__(self, candidate: Candidate) -> None:
        self._candidate = candidate
        self._revisions = {each.name: each.revision for each in candidate.sets}

    def __call__(self, event: bytes) -> Verdict:
        try:
            return self._asked(event)
        except Unusable as problem:
            return Verdict(problem=str(problem))
        except Exception as error:  # noqa: BLE001 - one odd event must not end a replay of millions
            return Verdict(problem=f"{DEFECT}: {type(error).__name__}: {error}")

    def _asked(self, event: bytes) -> Verdict:
        """Raises Unusable."""
        said = input_of(event)
        verdict = self._judged(said)
        if not said.hidden or verdict.problem:
            return verdict
        again = input_of(event)
        for pointer in said.hidden:
            _hide(again.document, pointer)
        return replace(verdict, doubtful=not self._holds(verdict, again))

    def _judged(self, said: Input) -> Verdict:
        if not said.subject:
            return self._answered(said)
        if not self._candidate.sets:
            return Verdict(problem=_NO_POLICIES)
        decision = self._decision(said)
        line = record(decision, path=AUDIT, with_input=False) if self._candidate.for_log else b""
        subject = decision.subject
        return Verdict(decision.outcome.value, _findings(decision), subject.team, subject.owner, record=line)

    def _decision(self, said: Input) -> Decision:
        candidate = self._candidate
        now_ns = candidate.at(said.time_ns)
        subject = subject_of(said)
        evaluation = evaluate(candidate.sets, subject, candidate.context(now_ns))
        programme = candidate.programme(now_ns, cluster_of(subject.uri))
        if programme is not None:
            evaluation = _applied(programme, evaluation)
        return decide(evaluation, decision_id="-", revisions=self._revisions, timestamp_ns=now_ns)

    def _answered(self, said: Input) -> Verdict:
        """As an OPA answers what it was asked."""
        name = document_of(said.path)
        answer = self._candidate.answers(said.path)
        if answer is None:
            return Verdict(answer=digest_of(None), problem=f"the candidate has no {name}")
        try:
            value = answer(said.document, self._candidate.at(said.time_ns))
        except RegoError as error:
            return Verdict("error", answered("error", said.path, _line(str(error))))
        if value is UNDEFINED:
            value = None
        outcome = amounts_to(value, said.path)
        return Verdict(outcome, answered(outcome, said.path, _line(_told(value))), answer=digest_of(value))

    def _holds(self, verdict: Verdict, again: Input) -> bool:
        """Whether it comes out the same with nobody looking at what was hidden."""
        try:
            other = self._judged(again) if not again.subject else self._plain(again)
        except (_LookedAt, ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            return False
        return (other.outcome, other.answer, _kinds(other)) == (
            verdict.outcome,
            verdict.answer,
            _kinds(verdict),
        )

    def _plain(self, said: Input) -> Verdict:
        decision = self._decision(said)
        return Verdict(decision.outcome.value, _findings(decision))


def _applied(programme: Programme, evaluation: Evaluation) -> Evaluation:
    """The owner is that of now; that of then, where there is none any more."""
    then = evaluation.subject
    unowned = replace(evaluation, subject=then.of(then.team, "", then.environment))
    found = programme.apply(unowned)
    subject = found.subject
    if subject.owner or not then.owner:
        return found
    return replace(found, subject=subject.of(subject.team, then.owner, subject.environment))


def subject_of(said: Input) -> Subject:
    """The subject of an event of Solon's, as it was judged then."""
    subject = said.subject

    def text(name: str) -> str:
        value = subject.get(name)
        return value if isinstance(value, str) else ""

    line = subject.get("line")
    place = Location(text("file"), line if isinstance(line, int) else 0)
    labels = subject.get("labels")
    return Subject(
        kind=text("kind"),
        uri=text("uri"),
        name=text("name"),
        document=said.document,
        location=place,
        locator=OnePlace(place),
        owner=text("owner"),
        team=text("team"),
        namespace=text("namespace"),
        environment=text("environment"),
        labels={k: v for k, v in labels.items() if isinstance(v, str)} if isinstance(labels, dict) else {},
    )


def cluster_of(uri: str) -> str:
    """The cluster that the uri of a Kubernetes object names."""
    scheme, _, rest = uri.partition("://")
    cluster = rest.partition("/")[0] if scheme == "k8s" else ""
    return "" if cluster == NO_CLUSTER else cluster


def _findings(decision: Decision) -> tuple[Found, ...]:
    return tuple(
        Found(finding.policy.id, word, _line(finding.message)) for word, finding in decision.worded()
    )


def _kinds(verdict: Verdict) -> list[tuple[str, str]]:
    return sorted((each.policy, each.word) for each in verdict.findings)


def _line(text: str) -> str:
    return " ".join(text[: _LONGEST * 2].split())[:_LONGEST]


def _told(value: Any) -> str:
    """The first message in an answer."""
    if isinstance(value, dict):
        value = value.get("deny") or value.get("violation") or value.get("warn") or value.get("msg") or value
    first = value[0] if isinstance(value, list) and value else value
    if isinstance(first, bool):
        return ""
    if isinstance(first, dict):
        first = first.get("msg", first)
    return first if isinstance(first, str) else msgspec.json.encode(first).decode("utf-8", "replace")


# --- what cannot be looked at


class _LookedAt(Exception):
    pass


class _Hidden:
    """Stands where something was masked. That it is there can be seen; anything else raises _LookedAt."""

    def _refuse(self, *_: Any) -> NoReturn:
        raise _LookedAt

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse
    __hash__ = __bool__ = __str__ = __repr__ = __format__ = _refuse
    __len__ = __iter__ = __getitem__ = __contains__ = _refuse
    __int__ = __float__ = __index__ = __add__ = __radd__ = _refuse


def _hide(document: Any, pointer: str) -> None:
    """Put the object where a JSON pointer leads; what was erased there is there again."""
    at = document
    parts = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    for part in parts[:-1]:
        at = _step(at, part)
    last = parts[-1]
    if isinstance(at, dict):
        at[last] = _Hidden()
    elif isinstance(at, list) and last.isdecimal() and int(last) < len(at):
        at[int(last)] = _Hidden()


def _step(at: Any, part: str) -> Any:
    if isinstance(at, dict):
        return at.get(part)
    return at[int(part)] if isinstance(at, list) and part.isdecimal() and int(part) < len(at) else None
