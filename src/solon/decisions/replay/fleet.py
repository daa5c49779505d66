"""What is deployed, judged by the policies of today: what no longer complies, and what of that its owner has been told.

There is no state but the log. Each look at a subject that shows something new is an entry, with the path ``solon/audit``; it has
what the owner knows since then.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from solon.decisions.record import rfc3339
from solon.decisions.replay.recorded import Recorded
from solon.decisions.warehouse.columns import AUDIT
from solon.decisions.warehouse.session import Session
from solon.frameworks import live_models

# A violation as an owner knows it: the policy, and whether it denies or warns.
Known = frozenset[tuple[str, str]]
_VIOLATIONS: Final = ("deny", "warn")


@dataclass(frozen=True, slots=True)
class Violation:
    policy: str
    word: str  # deny or warn
    message: str
    remediation: str = ""
    denied_from: str = ""  # RFC 3339; where it warns today

    @property
    def key(self) -> tuple[str, str]:
        return self.policy, self.word


@dataclass(frozen=True, slots=True)
class Look:
    """What the newest entry of an audit says of a subject."""

    time_ns: int
    revisions: frozenset[str]
    found: Known
    known: Known


@dataclass(frozen=True, slots=True)
class Standing:
    """A deployed subject today. ``new`` are the violations that its owner does not know of.

    ``kept`` are those of before that nobody looked for this time: that a version is live is asked of live versions alone, and
    nothing else where it has no evidence; ``revisions`` are empty then.
    ``line`` is the decision, for the log; ``of`` the id of the one that let it pass. ``failed``: policies that could
    not judge it. ``looked`` is the newest look at it since it was deployed.
    """

    uri: str
    name: str
    namespace: str
    environment: str
    owner: str
    violations: Sequence[Violation]
    new: Sequence[Violation]
    known: Known
    failed: Sequence[str]
    revisions: frozenset[str]
    line: bytes
    of: str
    looked: Look | None
    kept: Known = frozenset()

    @property
    def complies(self) -> bool:
        return not self.violations and not self.failed

    @property
    def denied(self) -> bool:
        return any(each.word == "deny" for each in self.violations)

    @property
    def found(self) -> Known:
        return frozenset(each.key for each in self.violations) | self.kept

    def is_news(self, known: Known) -> bool:
        """Whether the log does not say so yet, with an owner who knows that."""
        looked = self.looked
        if looked is None or (looked.found, looked.known) != (self.found, known):
            return True
        return bool(self.revisions) and self.revisions != looked.revisions

    def entry(self, id: str, now_ns: int, known: Known, programme: Mapping[str, str]) -> bytes:
        """The event for the log, with what the owner knows from now on, and what was in force."""
        event = msgspec.json.decode(self.line)
        event["decision_id"], event["timestamp"] = id, rfc3339(now_ns)
        event["solon"]["programme"] = dict(programme)
        event["solon"]["audit"] = {"of": self.of, "known": sorted(map(list, known))}
        return msgspec.json.encode(event) + b"\n"


def standing(then: Recorded, line: bytes, look: Look | None) -> Standing:
    """``then`` let the subject pass, ``line`` is what the policies say today; ``look`` the newest audit of it."""
    event = msgspec.json.decode(line)
    subject = event["solon"]["subject"]
    looked = look if look is not None and look.time_ns >= then.time_ns else None
    before = looked.known if looked is not None else _keys(then.findings)
    violations = tuple(violations_of(event))
    return Standing(
        uri=then.uri,
        name=subject["name"],
        namespace=subject["namespace"],
        environment=subject["environment"],
        owner=subject["team"] or subject["owner"] or then.team or then.owner,
        violations=violations,
        new=tuple(each for each in violations if not _is_known(each, before)),
        known=before,
        failed=tuple(each["policy"] for each in event["solon"]["findings"] if each["outcome"] == "error"),
        revisions=frozenset(
            each["revision"] for name, each in event["bundles"].items() if name != live_models.SET
        ),
        line=line,
        of=then.id,
        looked=looked,
        kept=_unasked(event["bundles"], before),
    )


def _unasked(asked: Collection[str], known: Known) -> Known:
    """What is known of policies that were not asked: Solon's own where it is not among them, the others where it is alone."""
    if live_models.SET not in asked:
        return frozenset(key for key in known if key[0] == live_models.ID)
    return frozenset(key for key in known if key[0] != live_models.ID) if len(asked) == 1 else frozenset()


def violations_of(event: Mapping[str, Any]) -> Iterator[Violation]:
    """The first of each policy, those that deny first."""
    seen: set[str] = set()
    for word in _VIOLATIONS:
        for each in event["solon"]["findings"]:
            if each["outcome"] == word and each["policy"] not in seen:
                seen.add(each["policy"])
                later = (each.get("ruling") or {}).get("enforced_from") if word == "warn" else None
                yield Violation(
                    each["policy"], word, each["message"], each.get("remediation", ""), later or ""
                )


def told(each: Standing) -> Known:
    """What the owner knows when told: all there is."""
    return each.found


def untold(each: Standing) -> Known:
    """What the owner knows when not told: what is left of what was known."""
    return frozenset(v.key for v in each.violations if _is_known(v, each.known)) | each.kept


def _is_known(violation: Violation, known: Collection[tuple[str, str]]) -> bool:
    """Who knows of a denial is not told again when it becomes a warning."""
    return violation.key in known or (violation.policy, "deny") in known


def _keys(findings: Sequence[Any]) -> Known:
    return frozenset((each.policy, each.word) for each in findings if each.word in _VIOLATIONS)


def looks(session: Session) -> dict[str, Look]:
    """The newest audit of each subject, by its uri. Raises LogError."""
    ranked = (
        'SELECT *, row_number() OVER (PARTITION BY subject ORDER BY time DESC, shard DESC, "index" DESC) AS place '
        f"FROM decisions WHERE path = '{AUDIT}' AND subject <> ''"
    )
    rows = session.ask(f"SELECT subject, epoch_ns(time), event FROM ({ranked}) WHERE place = 1").rows
    return {subject: _look(time_ns, event) for subject, time_ns, event in rows}


def _look(time_ns: int, text: str) -> Look:
    """An entry that is not Solon's own says nothing."""
    try:
        event = msgspec.json.decode(text, type=_Event)
    except (msgspec.MsgspecError, RecursionError):
        return Look(time_ns, frozenset(), frozenset(), frozenset())
    found = frozenset(
        (each.policy, each.outcome) for each in event.solon.findings if each.outcome in _VIOLATIONS
    )
    strongest = frozenset(key for key in found if key[1] == "deny" or (key[0], "deny") not in found)
    known = frozenset(event.solon.audit.known)
    return Look(
        time_ns,
        frozenset(each.revision for name, each in event.bundles.items() if name != live_models.SET),
        strongest | _unasked(event.bundles, known),
        known,
    )


class _Finding(msgspec.Struct):
    policy: str = ""
    outcome: str = ""


class _Audit(msgspec.Struct):
    known: list[tuple[str, str]] = []


class _Solon(msgspec.Struct):
    findings: list[_Finding] = []
    audit: _Audit = msgspec.field(default_factory=_Audit)


class _Bundle(msgspec.Struct):
    revision: str = ""


class _Event(msgspec.Struct):
    solon: _Solon = msgspec.field(default_factory=_Solon)
    bundles: dict[str, _Bundle] = {}
