"""solon model gate models:/NAME/VERSION, fetch and submit: versions of MLflow's model registry."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

from solon.cli import check, config, key_files
from solon.cli.errors import Failure, UsageError
from solon.cli.log.rules import say
from solon.cli.model import collect, key
from solon.cli.model import gate as gating
from solon.decisions.releases import Registered
from solon.evidence.admission import SIGNATURE_FILE, collected_by
from solon.evidence.registry import mlflow as registry
from solon.evidence.registry.mlflow import CannotFetch, Fetched, Reference
from solon.server.mlflow.governance import Governance, SettingsError, governance
from solon.server.mlflow.settings import MlflowSettings
from solon.signing.dsse import NotVerified
from solon.subjects.ml_release import EVIDENCE_FILE

_HTTP: Final = ("http://", "https://")  # a store in a file or a database has nobody who could answer


def governed() -> Governance | None:
    """What solon.yaml says under ``mlflow``; None where it says nothing. Raises UsageError."""
    found = config.find(os.getcwd())
    if found is None or found.config.mlflow is None:
        return None
    try:
        return governance(found.config.mlflow, found.config.models.gate, found.directory)
    except SettingsError as error:
        raise UsageError(str(error)) from None


def connected(tracking_uri: str) -> Any:
    """A client of the server that was named, or that solon.yaml or the environment name. Raises UsageError."""
    found = config.find(os.getcwd())
    said = found.config.mlflow if found is not None else None
    uri = (
        tracking_uri
        or (said.tracking_uri if said is not None else "")
        or os.environ.get("MLFLOW_TRACKING_URI", "")
    )
    if not uri:
        raise UsageError("where MLflow is was not said: --tracking-uri URL, or `mlflow: {tracking_uri: URL}`")
    _answers(uri)
    # A gate says soon that nobody answers, shows no bars of others, and tells nobody of itself.
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    try:
        import mlflow
    except ModuleNotFoundError as error:
        raise UsageError(f"needs {error.name}, which is not installed: pip install 'solon[mlflow]'") from None
    mlflow.set_tracking_uri(uri)
    return mlflow.MlflowClient(uri, uri)


def _answers(uri: str) -> None:
    """Raises UsageError where nobody listens there; that is said sooner than MLflow would."""
    if not uri.startswith(_HTTP):
        return
    import httpx

    try:
        httpx.get(uri, timeout=10.0)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise UsageError(f"{uri}: MLflow does not answer: {error}") from None


def reference(text: str) -> Reference:
    """Raises UsageError."""
    try:
        return Reference.of(text)
    except CannotFetch as error:
        raise UsageError(str(error)) from None


def fetched(client: Any, wanted: Reference, directory: str, max_bytes: int = 10 << 30) -> Fetched:
    """Raises UsageError."""
    said = governed_settings()
    try:
        with collect.progress_shown() as progress:
            return registry.fetch(
                client, wanted, directory, registry=said.registry, max_bytes=max_bytes, progress=progress
            )
    except CannotFetch as error:
        raise UsageError(str(error)) from None


def governed_settings() -> MlflowSettings:
    found = config.find(os.getcwd())
    return (found.config.mlflow if found is not None else None) or MlflowSettings()


def fetch(version: str, directory: str, tracking_uri: str, max_bytes: int) -> int:
    """Raises UsageError."""
    wanted = reference(version)
    if os.path.isdir(directory) and os.listdir(directory):
        raise UsageError(f"{directory}: is not empty: a release is fetched into a directory of its own")
    client = connected(tracking_uri)
    try:
        os.makedirs(directory, exist_ok=True)
    except OSError as error:
        raise key_files.unusable(directory, error) from None
    found = fetched(client, wanted, directory, max_bytes)
    print(f"Wrote {directory}: {found.name} {found.version}, its files in {directory}/{registry.FILES}")
    if not found.logged:
        print(
            f"No release was logged with it: complete {directory}/release.yaml, and `solon model submit` it"
        )
    return 0


def submit(directory: str, target: str, tracking_uri: str) -> int:
    """Raises UsageError."""
    client = connected(tracking_uri)
    try:
        run = registry.run_of(client, Reference.of(target)) if registry.is_reference(target) else target
        names = registry.submit(client, run, directory)
    except CannotFetch as error:
        raise UsageError(str(error)) from None
    print(f"Logged with run {run}, under {registry.LOGGED}/: {', '.join(names)}")
    return 0


def gate(options: gating.Options) -> int:
    """The exit status. Raises UsageError, Failure."""
    wanted = reference(options.release)
    governance = governed()
    client = connected(options.tracking_uri)
    # In a directory of its own: what another gate fetches at the same time is never judged for this version.
    with tempfile.TemporaryDirectory(prefix="solon-") as directory:
        found = fetched(client, wanted, directory)
        if not found.logged:
            say(f"{wanted.name} {found.version}: no release was logged with it (solon model submit)")
        _gather(directory)
        registered = _registered(found, governance, options.names)
        done, envelope = gating.gated(replace(options, release=directory, source=registered.source()))
        gating.show(done, options)
    if done.report.decisions:
        (decision,) = done.report.decisions
        _kept(envelope, governance)
        _tagged(client, found, decision.outcome.value, decision.decision_id)
    return check.status(done)


def _registered(found: Fetched, governance: Governance | None, names: Sequence[str]) -> Registered:
    return Registered(
        registry=governance.settings.registry if governance is not None else "mlflow",
        name=found.name,
        version=found.version,
        location=found.location,
        names=tuple(dict.fromkeys([found.name, *names])),
        run=found.run,
        model=found.model,
        owner=found.release.owner,
    )


def _gather(directory: str) -> None:
    """Evidence, measured here; what was logged counts only where a collector signed it that solon.yaml trusts."""
    evidence = os.path.join(directory, EVIDENCE_FILE)
    trusted = key.public_keys(key.settings().collectors)
    if os.path.isfile(evidence):
        signed = collected_by(evidence, trusted)
        if signed["verified"]:
            say("the evidence that was logged is signed by a trusted collector: it is judged as it is")
            return
        say(f"the evidence that was logged is not believed, and gathered anew: {signed['problem']}")
    for name in (EVIDENCE_FILE, SIGNATURE_FILE):
        with suppress(FileNotFoundError):
            os.unlink(os.path.join(directory, name))
    done = collect.collected(
        collect.Options(
            release=directory,
            only=[],
            data="",
            predictor="",
            baseline_predictor="",
            signers=[],
            vulnerabilities="",
            key=None,
            output=None,
            timeout=600.0,
            format="table",
        )
    )
    if done.failed:
        say("some evidence could not be had: the findings say what is missing")


def _kept(envelope: bytes | None, governance: Governance | None) -> None:
    """Raises UsageError where the decision cannot be kept: nobody would know of it."""
    if governance is None:
        say("solon.yaml has no `mlflow:`: the decision is not kept for the registry")
        return
    if envelope is None:
        say("the decision is not signed (--key), so the registry will not know of it")
        return
    try:
        for path in governance.store.keep(envelope):
            say(f"wrote {os.path.relpath(path)}")
    except NotVerified as error:
        raise UsageError(f"the decision {error}: name the gate's public key under `models.gate`") from None
    except OSError as error:
        raise Failure(str(key_files.unusable(governance.store.directory, error))) from None


def _tagged(client: Any, found: Fetched, outcome: str, decision_id: str) -> None:
    """For people who look at MLflow; nothing reads it."""
    from mlflow.exceptions import MlflowException

    try:
        client.set_model_version_tag(found.name, found.version, "solon.decision", outcome)
        client.set_model_version_tag(found.name, found.version, "solon.decision_id", decision_id)
    except MlflowException as error:
        say(f"the version was not tagged: {' '.join(str(error).split())}")
