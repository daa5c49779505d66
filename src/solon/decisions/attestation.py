"""The decision on a release as an attestation: signed, beside the model, for whoever must know before it is deployed.

An in-toto statement whose predicate is a SLSA Verification Summary (v1, https://slsa.dev/spec/v1.2/verification_summary), so
that tools which know nothing of Solon can ask for ``PASSED``. What it has no field for stands under ``solon``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import msgspec

from solon import __version__
from solon.decisions.decision import Decision, Outcome
from solon.governance.times import instant, stamp
from solon.signing.dsse import NotVerified, Statement, statement

if TYPE_CHECKING:
    from solon.frameworks.policy import Finding

PREDICATE_TYPE: Final = "https://slsa.dev/verification_summary/v1"
VERIFIER: Final = "urn:solon:gate"
FILE: Final = "decision.dsse.json"
_LONGEST_MESSAGE: Final = 500
_MOST_FINDINGS: Final = 50


class AttestedFinding(msgspec.Struct, frozen=True, omit_defaults=True):
    """``effect`` is what became of it: deny, error, overridden, warn, waived, recorded."""

    policy: str
    effect: str
    message: str
    severity: str = ""
    remediation: str = ""


class Attestation(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is said of one release.

    ``uri`` is the subject's (``model://registry/name/version``), ``model`` the digest over its files, ``files`` the digest of
    each. ``expires`` is when it must be asked anew, RFC 3339; ``source`` says where the files came from, such as the
    run and version of a registry.
    """

    uri: str
    model: str
    files: dict[str, str]
    outcome: Outcome
    decision_id: str
    time: str
    revisions: dict[str, str]
    evidence: str = ""
    environment: str = ""
    expires: str = ""
    findings: list[AttestedFinding] = []
    source: dict[str, str] = {}

    @property
    def passed(self) -> bool:
        return self.outcome in (Outcome.ALLOW, Outcome.WARN)

    def is_current(self, now: datetime) -> bool:
        return not self.expires or now < datetime.fromisoformat(self.expires)


@dataclass(frozen=True, slots=True)
class About:
    """What was judged, besides what a Decision knows. ``valid`` is how long the attestation holds, for ever where None."""

    model: str
    files: Mapping[str, str]
    evidence: str = ""
    valid: timedelta | None = None
    source: Mapping[str, str] | None = None


def attestation(decision: Decision, about: About) -> Attestation:
    """What is to be signed of a decision."""
    time = instant(decision.timestamp_ns)
    return Attestation(
        uri=decision.subject.uri,
        model=about.model,
        files=dict(about.files),
        outcome=decision.outcome,
        decision_id=decision.decision_id,
        time=stamp(time),
        revisions=dict(decision.revisions),
        evidence=about.evidence,
        environment=decision.subject.environment,
        expires=stamp(time + about.valid) if about.valid is not None else "",
        findings=[_attested(effect, finding) for effect, finding in decision.worded()][:_MOST_FINDINGS],
        source=dict(about.source or {}),
    )


def _attested(effect: str, finding: Finding) -> AttestedFinding:
    return AttestedFinding(
        finding.policy.id,
        effect,
        finding.message[:_LONGEST_MESSAGE],
        finding.severity,
        finding.remediation[:_LONGEST_MESSAGE],
    )


def statement_of(said: Attestation) -> Statement:
    """The statement to sign with ``solon.signing.dsse.sign``."""
    predicate: dict[str, Any] = {
        "verifier": {"id": VERIFIER, "version": {"solon": __version__}},
        "timeVerified": said.time,
        "resourceUri": said.uri,
        "policy": {"uri": " ".join(f"{name}@{revision}" for name, revision in said.revisions.items())},
        "verificationResult": "PASSED" if said.passed else "FAILED",
        "verifiedLevels": ["SOLON_RELEASE_GATE"] if said.passed else ["FAILED"],
        "solon": msgspec.to_builtins(said),
    }
    if said.evidence:
        digest = {"sha256": said.evidence.removeprefix("sha256:")}
        predicate["inputAttestations"] = [{"uri": "evidence.json", "digest": digest}]
    return statement(said.files, PREDICATE_TYPE, predicate)


def attested(said: Statement) -> Attestation:
    """What a verified statement says. Raises NotVerified where it is no decision of Solon."""
    if said.predicate_type != PREDICATE_TYPE:
        raise NotVerified(f"holds {said.predicate_type!r}, no decision")
    try:
        found = msgspec.convert(said.predicate.get("solon"), Attestation)
        datetime.fromisoformat(found.expires or found.time)
    except (msgspec.ValidationError, ValueError) as error:
        raise NotVerified(f"holds no decision of Solon: {error}") from None
    subject = {each.name: "sha256:" + each.digest.get("sha256", "") for each in said.subject}
    if subject != found.files or (said.predicate.get("verificationResult") == "PASSED") is not found.passed:
        raise NotVerified("says one thing of its subject, and another in the decision")
    return found


def differences(said: Attestation, files: Mapping[str, str]) -> Sequence[str]:
    """How files differ from those that were judged, each in a line; nothing where they are the same."""
    out = [f"{name}: was not there when it was judged" for name in sorted(files.keys() - said.files.keys())]
    out += [f"{name}: is missing" for name in sorted(said.files.keys() - files.keys())]
    out += [
        f"{name}: has changed since it was judged"
        for name in sorted(files.keys() & said.files.keys())
        if files[name] != said.files[name]
    ]
    return out
