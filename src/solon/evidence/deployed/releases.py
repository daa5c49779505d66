"""What is known of each version that is live: its evidence as it was kept, and what a gate said of it.

Its files are not here. That the evidence is about them was found when they were gated: the log says so, for files of one
digest. Evidence about files that no gate has seen is not verified, and there is nothing to judge by it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from solon.evidence import digests
from solon.evidence.admission import admit
from solon.evidence.deployed.live import Live
from solon.evidence.store import Stored
from solon.subjects import ml_release
from solon.subjects.subject import OnePlace, Subject

UNKNOWN: Final = "unknown"  # the registry of what nobody can name
_NO_SIGNATURE: Final = {"verified": False, "problem": "no gate has verified a signature of this evidence"}


@dataclass(frozen=True, slots=True)
class Gated:
    """A decision of the log on a release. ``facts`` is the digest of what was declared and measured, as policies saw it."""

    model: str
    verified: bool
    passed: bool
    facts: str
    collected_by: Mapping[str, Any]


def gated(document: Any, *, passed: bool) -> Gated:
    """The decision on an admitted release; whatever the document is."""
    said = document if isinstance(document, dict) else {}
    model, by = said.get("model"), said.get("collected_by")
    model = model if isinstance(model, dict) else {}
    return Gated(
        str(model.get("digest", "")),
        model.get("verified") is True,
        passed,
        _facts(said),
        by if isinstance(by, dict) else {},
    )


def releases(
    models: Sequence[Live],
    stored: Sequence[Stored],
    decided: Mapping[str, Sequence[Gated]],
    trusted: Collection[str],
) -> Iterator[Subject]:
    """A subject for each version that is live, and for each place where nobody knows which is.

    ``decided`` are decisions by the uri of the release, the newest last; ``trusted`` the ids of collectors' keys. The document
    is what policies see of a release, and ``live``: its ``places``, and as ``problems`` what is wrong with its being live.
    Where nothing was verified, there is a problem.
    """
    versions: dict[tuple[str, str], list[Live]] = {}
    for each in models:
        if each.known:
            versions.setdefault((each.name, _number(each.version)), []).append(each)
        else:
            yield _unheard(ml_release.uri(UNKNOWN, each.where, each.uri or "-"), [each])
    kept: dict[tuple[str, str], dict[str, list[Stored]]] = {}
    for one in stored:
        release = one.evidence.release
        by_registry = kept.setdefault((release.name, _number(release.version)), {})
        by_registry.setdefault(release.registry, []).append(one)
    for (name, version), places in versions.items():
        of_it = kept.get((name, version), {})
        if not of_it:
            yield _unheard(ml_release.uri(UNKNOWN, name, version), places)
        for registry, ones in sorted(of_it.items()):
            uri = ml_release.uri(registry, name, ones[0].evidence.release.version)
            yield _known(ones, places, decided.get(uri, ()), trusted)


def _number(version: str) -> str:
    """``v3`` and ``3`` are one version."""
    return version.removeprefix("v")


def _known(
    kept: Sequence[Stored], places: Sequence[Live], decided: Sequence[Gated], trusted: Collection[str]
) -> Subject:
    """The newest evidence about the files that are live; where nobody says which, those that were let pass the last time."""
    live = {each.digest for each in places if each.digest}
    passed = [each.model for each in decided if each.passed and each.verified]
    wanted = live or set(passed[-1:])
    about = [each for each in kept if each.evidence.model.digest in wanted]
    evidence = max(about or kept, key=lambda each: (each.evidence.collected_at, each.digest)).evidence
    model = evidence.model.digest
    elsewhere = bool(live) and live != {model}
    declared, here = (None, None) if elsewhere else (evidence.release, evidence.model)
    document = admit(evidence, declared, here, lambda _measured: None)
    document["model"]["verified"] = not elsewhere and model in {d.model for d in decided if d.verified}
    document["collected_by"] = _collected_by(_facts(document), decided, trusted)
    problems = [f"{each.serves}: {each.problem}" for each in places if each.problem]
    refused = [
        f"{name}: {part['problem']}"
        for name, part in document["evidence"].items()
        if part["status"] == "refused"
    ]
    if elsewhere:
        problems.append(
            f"its evidence is refused: it is about other files ({model}) than those that are live "
            f"({', '.join(sorted(live))})"
        )
    elif refused:
        problems.append(f"its evidence is refused: {'; '.join(refused)}")
    if model not in passed:
        problems.append("the log has no decision that let these files pass")
    document["live"] = _live(places, problems)
    found = ml_release.release(
        document["release"], document, places[0].location, OnePlace(places[0].location)
    )
    whose = places[0]
    return found.of(
        found.team or whose.team, found.owner or whose.owner, found.environment or whose.environment
    )


def _unheard(uri: str, places: Sequence[Live]) -> Subject:
    """Nothing is known of it but that it is live."""
    first = places[0]
    name = f"{first.name} {first.version}" if first.known else first.serves
    why = first.problem if not first.known else f"no evidence is kept of {name}"
    document = {
        "kind": ml_release.EVIDENCE,
        "release": {"name": first.name, "version": first.version},
        "model": {"verified": False},
        "evidence": {},
        "live": _live(places, [f"nothing is known of it: {why}"]),
    }
    return Subject(
        ml_release.KIND,
        uri,
        name,
        document,
        first.location,
        OnePlace(first.location),
        owner=first.owner,
        team=first.team,
        namespace=first.namespace,
        environment=first.environment,
    )


def _live(places: Sequence[Live], problems: Sequence[str]) -> dict[str, Any]:
    return {"places": [plain(each) for each in places], "problems": list(problems)}


def plain(each: Live) -> dict[str, Any]:
    """As JSON has it; what is not known is left out."""
    found = {
        "name": each.name,
        "version": each.version,
        "digest": each.digest,
        "uri": each.uri,
        "where": each.where,
        "serves": each.serves,
        "source": each.source,
        "namespace": each.namespace,
        "environment": each.environment,
        "team": each.team,
        "owner": each.owner,
        "problem": each.problem,
    }
    traffic = {} if each.traffic is None else {"traffic": round(each.traffic, 2)}
    return {name: value for name, value in found.items() if value} | traffic


def _collected_by(facts: str, decided: Sequence[Gated], trusted: Collection[str]) -> dict[str, Any]:
    """As the gate found it of the same evidence, if it still trusts that collector."""
    for each in reversed(decided):
        by = each.collected_by
        if each.facts == facts and by.get("verified") is True and by.get("key") in trusted:
            return dict(by)
    return dict(_NO_SIGNATURE)


def _facts(document: Mapping[str, Any]) -> str:
    return digests.of_value([document.get("release"), document.get("evidence")])
