"""An event of the log, as far as a replay needs it: what was judged, and what came out.

What came over a network may have anything anywhere: a field that is not what it should be is empty.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final

import msgspec

from solon.decisions.log.events import nanoseconds
from solon.lang.rego.ast import written
from solon.subjects.fields import mapping, text

_LONGEST: Final = 300


@dataclass(frozen=True, slots=True)
class Found:
    """A finding of then or now. ``word`` is as in the record: error, deny, overridden, warn, waived or recorded."""

    policy: str
    word: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the log says of a decision.

    ``outcome`` is allow, warn, deny or error, or empty where the event does not say. ``hidden``: JSON pointers into
    the input to what was masked or erased. ``problem`` says why it cannot be judged again, where it cannot.
    """

    id: str
    time_ns: int
    outcome: str
    path: str
    uri: str = ""
    kind: str = ""
    name: str = ""
    namespace: str = ""
    environment: str = ""
    team: str = ""
    owner: str = ""
    findings: Sequence[Found] = ()
    revisions: frozenset[str] = frozenset()
    hidden: Sequence[str] = ()
    problem: str = ""
    key: bytes = b""  # the same for what is the same input
    answer: bytes = b""  # the digest of what an OPA answered


class Unusable(Exception):
    """The event cannot be judged again: why."""


class _Event(msgspec.Struct):
    decision_id: str
    timestamp: str
    input: msgspec.Raw = msgspec.Raw()
    result: msgspec.Raw = msgspec.Raw()
    error: msgspec.Raw = msgspec.Raw()
    path: Any = ""
    bundles: Any = None
    masked: Any = None
    erased: Any = None
    solon: Any = None


_decode: Final = msgspec.json.Decoder(_Event).decode
NO_INPUT: Final = "its input is not in the log"
_HIDDEN: Final = "its input was erased or masked as a whole"
_NOT_ASKED: Final = "the event does not say what was asked"
_UNREADABLE: Final = "the event cannot be read"


@dataclass(frozen=True, slots=True)
class Input:
    """What is judged again. ``subject`` is what the event says of it; an event of OPA has none."""

    document: Any
    subject: Mapping[str, Any]
    path: str
    time_ns: int
    hidden: Sequence[str]


def recorded(event: bytes | str, *, team: str = "", uri: str = "", at_its_time: bool = False) -> Recorded:
    """``team`` and ``uri`` are for events that do not have them. ``at_its_time``: inputs of two times are never the same."""
    try:
        said = _decode(event)
        time_ns = nanoseconds(said.timestamp)
    except (msgspec.MsgspecError, RecursionError, ValueError):
        return Recorded("", 0, "", "", problem=_UNREADABLE)
    solon = mapping(said.solon)
    subject = mapping(solon.get("subject"))
    path = text(said.path)
    hidden = list(_hidden(said))
    problem = _problem(said, hidden, subject, path)
    outcome = text(solon.get("outcome")) if subject else _outcome(said, path)
    found = _findings(solon.get("findings")) if subject else answered(outcome, path)
    return Recorded(
        id=said.decision_id,
        time_ns=time_ns,
        outcome=outcome,
        path=path,
        uri=text(subject.get("uri")) or uri,
        kind=text(subject.get("kind")),
        name=text(subject.get("name")) or uri,
        namespace=text(subject.get("namespace")),
        environment=text(subject.get("environment")),
        team=text(subject.get("team")) or team,
        owner=text(subject.get("owner")),
        findings=tuple(found),
        revisions=frozenset(text(mapping(each).get("revision")) for each in mapping(said.bundles).values()),
        hidden=tuple(hidden),
        problem=problem,
        key=b"" if problem else _key(said, subject, path, hidden, time_ns if at_its_time else 0),
        answer=b"" if subject else digest_of(_value(said.result)),
    )


def input_of(event: bytes) -> Input:
    """Raises Unusable."""
    try:
        said = _decode(event)
        document = msgspec.json.decode(said.input)
        time_ns = nanoseconds(said.timestamp)
    except (msgspec.MsgspecError, RecursionError, ValueError):
        raise Unusable(_UNREADABLE) from None
    return Input(
        document, mapping(mapping(said.solon).get("subject")), text(said.path), time_ns, tuple(_hidden(said))
    )


def digest_of(answer: Any) -> bytes:
    """The same for what OPA answers alike; None stands for no answer."""
    return blake2b(msgspec.json.encode(answer, order="sorted"), digest_size=16).digest()


def document_of(path: str) -> str:
    """A path of OPA's API as Rego refers to it: ``main/allow`` is ``data.main.allow``."""
    return written(["data", *(part for part in path.split("/") if part)])


def amounts_to(result: Any, path: str) -> str:
    """The outcome that an answer of OPA stands for, or nothing where that cannot be told.

    A boolean; an object with ``allow``, ``allowed`` or an AdmissionReview's ``response``; what rules named deny,
    violation and warn give, by themselves or in their package.
    """
    name = path.rpartition("/")[2]
    if name.startswith(("deny", "violation", "warn")):
        found = result if isinstance(result, (list, dict, bool)) else None
        return "" if found is None else ("warn" if name.startswith("warn") else "deny") if found else "allow"
    if isinstance(result, dict):
        response = mapping(result.get("response"))
        for value in (result.get("allow"), result.get("allowed"), response.get("allowed")):
            if isinstance(value, bool):
                return "allow" if value else "deny"
        lists = {word: result.get(word) for word in ("deny", "violation", "warn")}
        if any(isinstance(each, list) for each in lists.values()):
            return "deny" if lists["deny"] or lists["violation"] else "warn" if lists["warn"] else "allow"
        return ""
    return {True: "allow", False: "deny"}[result] if isinstance(result, bool) else ""


def answered(outcome: str, path: str, message: str = "") -> tuple[Found, ...]:
    """What an OPA found: it says no more than what it was asked for."""
    return (Found(document_of(path), outcome, message),) if outcome in {"deny", "warn", "error"} else ()


def _outcome(said: _Event, path: str) -> str:
    if bytes(said.error) not in {b"", b"null"}:
        return "error"
    return amounts_to(_value(said.result), path)


def _value(raw: msgspec.Raw) -> Any:
    try:
        return msgspec.json.decode(raw) if bytes(raw) else None
    except (msgspec.MsgspecError, RecursionError):
        return None


def _problem(said: _Event, hidden: Sequence[str], subject: Mapping[str, Any], path: str) -> str:
    if not subject and not path:
        return _NOT_ASKED
    if "" in hidden:
        return _HIDDEN
    return "" if bytes(said.input) else NO_INPUT


def _hidden(said: _Event) -> Iterator[str]:
    """Where in the input something is not as it was."""
    for noted in (said.masked, said.erased):
        for pointer in noted if isinstance(noted, list) else ():
            if isinstance(pointer, str) and (pointer == "/input" or pointer.startswith("/input/")):
                yield pointer.removeprefix("/input")


def _findings(said: Any) -> Iterator[Found]:
    for each in said if isinstance(said, list) else ():
        finding = mapping(each)
        yield Found(
            text(finding.get("policy")),
            text(finding.get("outcome")),
            text(finding.get("message"))[:_LONGEST],
        )


def _key(said: _Event, subject: Mapping[str, Any], path: str, hidden: Sequence[str], time_ns: int) -> bytes:
    """The same for what is judged alike: the document, and what is said of the subject besides its line."""
    digest = blake2b(said.input, digest_size=16)
    around = {name: value for name, value in subject.items() if name != "line"}
    digest.update(b"\0" + msgspec.json.encode([around, "" if subject else path, hidden, time_ns]))
    return digest.digest()
