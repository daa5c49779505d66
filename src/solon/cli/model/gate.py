"""solon model gate: one release judged, its evidence kept, and the decision signed."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from solon.cli import check, config, key_files
from solon.cli.errors import UsageError
from solon.cli.model import key, releases
from solon.cli.writing import placed
from solon.decisions.attestation import FILE, About, attestation, statement_of
from solon.decisions.decision import Decision
from solon.evidence import digests
from solon.evidence.registry.mlflow import is_reference
from solon.evidence.settings import ModelSettings
from solon.evidence.store import Store
from solon.governance.times import duration
from solon.subjects import discover
from solon.subjects.ml_release import KIND, RELEASE_FILE

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


@dataclass(frozen=True, slots=True)
class Options:
    release: str
    policies: list[str]
    data: list[str]
    key: str | None
    format: str
    log: str | None
    environment: str
    break_glass: list[str]
    place: str
    allowed_hosts: frozenset[str]
    timeout: float
    report: str | None = None
    summary: str | None = None
    source: Mapping[str, str] | None = None  # where a registry has the files from
    tracking_uri: str = ""
    names: Sequence[str] = ()  # registered models in which a version may go live, besides its own


def run(options: Options) -> int:
    """The exit status. Raises UsageError, Failure."""
    if is_reference(options.release):
        from solon.cli.model import mlflow

        return mlflow.gate(options)
    if options.tracking_uri or options.names:
        raise UsageError(f"{options.release}: --tracking-uri and --for are for models:/NAME/VERSION")
    done, _ = gated(options)
    show(done, options)
    return check.status(done)


def show(done: check.Judged, options: Options) -> None:
    """Write what was asked for. Raises UsageError."""
    for decision in done.report.decisions:
        from solon.report.model import page, summary

        if options.report:
            _write(options.report, page.render(decision))
        if options.summary:
            _write(options.summary, summary.render(decision))
    check.write(done)


def gated(options: Options) -> tuple[check.Judged, bytes | None]:
    """The decision on a release, and the attestation of it where there is a key. Raises UsageError, Failure."""
    repository = config.find(os.getcwd())
    said = repository.models() if repository is not None else ModelSettings()
    private = key.private_key(options.key, said)
    found = releases.find(options.release)
    _of_one_environment(options.environment, found)
    document = _document(found.evidence)
    path = found.evidence if document is not None else os.path.join(found.directory, RELEASE_FILE)
    done = check.decided(_judging(options, path))
    if not done.report.decisions:
        return done, None  # unreadable, which the report says
    decision, *others = done.report.decisions
    if others or done.report.unreadable or decision.subject.kind != KIND:
        raise UsageError(
            f"{path}: must hold the evidence about this release, and nothing else; collect it anew"
        )
    if decision.unmatched:
        raise UsageError("no policy judges releases: a Rego policy for them says `subject: ml.release`")
    if _document(found.evidence) != document:
        raise UsageError(f"{found.evidence}: was changed while it was judged; judge it again")
    evidence = digests.of_bytes(document) if document is not None else ""
    if document is not None and repository is not None:
        _keep(said.store, document)
    if private is None:
        return done, None
    envelope = _signed(decision, evidence, said, options, private)
    if options.source is None:  # the decision on a version in a registry is kept for the registry
        path = os.path.join(found.directory, FILE)
        placed(path, envelope)
        _tell_written(path)
    return done, envelope


def _of_one_environment(judged: str, found: releases.Found) -> None:
    """Raises UsageError where a release for one environment would be let into another."""
    declared = found.release.environment
    if judged and declared and judged != declared:
        path = os.path.join(found.directory, RELEASE_FILE)
        raise UsageError(f"{path}: is for {declared}, which policies judge it by, and not for {judged}")


def _signed(
    decision: Decision, evidence: str, said: ModelSettings, options: Options, private: Ed25519PrivateKey
) -> bytes:
    from solon.signing.dsse import sign

    model = decision.subject.document["model"]
    about = About(
        model=model.get("digest", ""),
        files={file["path"]: file["digest"] for file in model.get("files", ())},
        evidence=evidence,
        valid=duration(said.valid),
        source=options.source,
    )
    return sign(statement_of(attestation(decision, about)), private)


def _document(path: str) -> bytes | None:
    """The evidence as it is written, None where there is none. Raises UsageError."""
    try:
        with open(path, "rb", opener=discover.regular) as file:
            return file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise key_files.unusable(path, error) from None


def _keep(store: str, document: bytes) -> None:
    try:
        Store(store).put(document)
    except OSError as error:
        raise key_files.unusable(store, error) from None


def _write(path: str, text: str) -> None:
    """Where whoever judges said."""
    try:
        with open(path, "wb") as file:
            file.write(text.encode())
    except OSError as error:
        raise key_files.unusable(path, error) from None
    _tell_written(path)


def _tell_written(path: str) -> None:
    print(f"solon: wrote {path}", file=sys.stderr)


def _judging(options: Options, path: str) -> check.Options:
    return check.Options(
        paths=[path],
        policies=options.policies,
        all_namespaces=bool(options.policies),
        data=options.data,
        format=options.format,
        log=options.log,
        allowed_hosts=options.allowed_hosts,
        timeout=options.timeout,
        verbose=True,
        environment=options.environment,
        break_glass=options.break_glass,
        place=options.place,
    )
