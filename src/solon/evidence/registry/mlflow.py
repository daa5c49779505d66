"""A version in MLflow's model registry as a release directory: its files, and what was logged about it.

What the registry knows wins over what was logged: the name, the version and the files are those of the registry, whatever
release.yaml says. Nothing is loaded or run.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from solon.evidence import digests, release
from solon.evidence.collector import Progress, silent
from solon.evidence.document import Model, stamp
from solon.evidence.places import Outside, inside
from solon.evidence.release import Release, SupplyPart
from solon.subjects.documents import Problem, decode_yaml, text_of
from solon.subjects.ml_release import RELEASE, RELEASE_FILE

LOGGED: Final = "solon"  # where in a run's artifacts the release is
FILES: Final = "model"  # where in the directory the version's files are
_VERSION: Final = re.compile(r"models:/([^/:]+)/([1-9][0-9]{0,17})", re.ASCII)
_ALIAS: Final = re.compile(r"models:/([^/:]+)@([\w-]+)")
_NEVER: Final = frozenset(["decision.dsse.json"])  # what is decided here is not for a run to say
_MOST_FILES: Final = 20_000
_MOST_LABELS: Final = 100
_LONGEST: Final = 500  # characters of a label


class CannotFetch(Exception):
    """Why a version cannot be had, in one line."""


@dataclass(frozen=True, slots=True)
class Reference:
    """``models:/NAME/VERSION`` or ``models:/NAME@ALIAS``."""

    name: str
    version: str = ""
    alias: str = ""

    @classmethod
    def of(cls, text: str) -> Reference:
        """Raises CannotFetch."""
        if found := _VERSION.fullmatch(text):
            return cls(found[1], version=found[2])
        if found := _ALIAS.fullmatch(text):
            return cls(found[1], alias=found[2])
        raise CannotFetch(
            f"{text}: is no version of a registered model: models:/NAME/VERSION or models:/NAME@ALIAS"
        )


@dataclass(frozen=True, slots=True)
class Fetched:
    """``location`` is where the registry keeps the files, ``run`` and ``model`` where they came from, empty if unknown."""

    name: str
    version: str
    location: str
    run: str
    model: str
    release: Release
    logged: bool  # whether a release.yaml was


def is_reference(text: str) -> bool:
    return text.startswith("models:")


def fetch(
    client: Any,
    reference: Reference,
    directory: str,
    *,
    registry: str = "mlflow",
    max_bytes: int = 10 << 30,
    progress: Progress = silent,
) -> Fetched:
    """Fill an empty directory. ``client`` is a MlflowClient. Raises CannotFetch.

    The version's files lie in ``model``; around it what was logged under ``solon`` in the run that it comes from: release.yaml,
    and the tables, documents and evidence that it names.
    """
    from mlflow.exceptions import MlflowException

    try:
        return _fetch(client, reference, directory, registry, max_bytes, progress)
    except MlflowException as error:
        raise CannotFetch(f"MLflow: {_line(error)}") from None
    except OSError as error:  # httpx and requests have theirs from it
        raise CannotFetch(f"{reference.name}: {_line(error)}") from None


def run_of(client: Any, reference: Reference) -> str:
    """The run that a version comes from. Raises CannotFetch."""
    from mlflow.exceptions import MlflowException

    try:
        found = _version(client, reference)
        model = _logged_model(client, found)
    except MlflowException as error:
        raise CannotFetch(f"MLflow: {_line(error)}") from None
    run = found.run_id or (model.source_run_id if model is not None else "")
    if not run:
        raise CannotFetch(
            f"{reference.name} {found.version}: comes from no run that something could be logged with"
        )
    return str(run)


def submit(client: Any, run: str, directory: str) -> list[str]:
    """Log a release directory with a run: all but the released files, which the registry has. Raises CannotFetch.

    What is logged is listed. Nothing is believed because it was logged: whoever may write to the run may log.
    """
    from mlflow.exceptions import MlflowException

    declared = _declared(directory, RELEASE_FILE)
    names = sorted(_loggable(directory, declared))
    try:
        for name in names:
            below = os.path.dirname(name)
            client.log_artifact(run, os.path.join(directory, name), f"{LOGGED}/{below}" if below else LOGGED)
    except (MlflowException, OSError) as error:
        raise CannotFetch(f"MLflow: {_line(error)}") from None
    return names


def _loggable(directory: str, declared: Release) -> Iterator[str]:
    released = tuple(os.path.normpath(path) for path in declared.model)
    for at, below, names in os.walk(directory):
        below[:] = [name for name in below if not name.startswith(".")]
        for name in names:
            path = os.path.relpath(os.path.join(at, name), directory)
            inside_model = any(path == each or path.startswith(each + os.sep) for each in released)
            if not inside_model and name not in _NEVER and not name.startswith("."):
                if not os.path.isfile(os.path.join(at, name)) or os.path.islink(os.path.join(at, name)):
                    raise CannotFetch(f"{path}: not a regular file")
                yield path


def contents(client: Any, location: str, *, max_bytes: int = 10 << 30) -> Model:
    """The files at a location as they are now, named as in a release. Raises CannotFetch."""
    from mlflow.exceptions import MlflowException

    with tempfile.TemporaryDirectory(prefix="solon-") as directory:
        try:
            _download(client, location, os.path.join(directory, FILES), [max_bytes], needed=True)
            return digests.model(directory, [FILES])
        except (MlflowException, OSError, Problem) as error:
            raise CannotFetch(f"{location}: {_line(error)}") from None


def _fetch(
    client: Any,
    reference: Reference,
    directory: str,
    registry: str,
    max_bytes: int,
    progress: Progress,
) -> Fetched:
    name = reference.name
    found = _version(client, reference)
    version = str(found.version)
    location = str(client.get_model_version_download_uri(name, version))
    model = _logged_model(client, found)
    run_id = found.run_id or (model.source_run_id if model is not None else "") or ""
    run = client.get_run(run_id) if run_id else None
    budget = [max_bytes]
    progress("what was logged", 0, 2)
    if run is not None:
        _download(client, f"{run.info.artifact_uri.rstrip('/')}/{LOGGED}", directory, budget, needed=False)
    logged = os.path.lexists(os.path.join(directory, RELEASE_FILE))
    files = os.path.join(directory, FILES)
    if os.path.lexists(files):  # it is the registry that says what is in the model
        shutil.rmtree(files)
    progress("the model", 1, 2)
    _download(client, location, files, budget, needed=True)
    labels = {
        "mlflow.run": run_id,
        "mlflow.model": model.model_id if model is not None else "",
        "mlflow.source": found.source,
        **_of_run(run),
        **_of_model(files),
    }
    declared = _declared(directory, "the release.yaml that was logged") if logged else None
    said = _released(declared, name, version, registry, labels, _trained(model, run))
    if said.supply is None and os.path.isfile(os.path.join(files, "requirements.txt")):
        said = msgspec.structs.replace(said, supply=SupplyPart(lock=f"{FILES}/requirements.txt"))
    with open(os.path.join(directory, RELEASE_FILE), "wb") as file:
        file.write(msgspec.yaml.encode(said))
    return Fetched(name, version, location, run_id, labels["mlflow.model"], said, logged)


def _version(client: Any, reference: Reference) -> Any:
    if reference.alias:
        return client.get_model_version_by_alias(reference.name, reference.alias)
    return client.get_model_version(reference.name, reference.version)


def _logged_model(client: Any, version: Any) -> Any:
    """The logged model that a version was made of, as MLflow 3 has them; None where there is none."""
    source = str(version.source)
    model_id = version.model_id or (
        source.removeprefix("models:/") if source.startswith("models:/m-") else ""
    )
    return client.get_logged_model(model_id) if model_id else None


def _declared(directory: str, called: str) -> Release:
    found = release.read(os.path.join(directory, RELEASE_FILE))
    if isinstance(found, list):
        raise CannotFetch(f"{called}: {found[0]}")
    return found


def _released(
    declared: Release | None, name: str, version: str, registry: str, labels: Mapping[str, str], trained: str
) -> Release:
    given = {key: value[:_LONGEST] for key, value in labels.items() if value}
    if declared is None:
        return Release(RELEASE, name, version, [FILES], registry=registry, labels=given, trained_at=trained)
    own = {key: value for key, value in declared.labels.items() if not key.startswith("mlflow.")}
    return msgspec.structs.replace(
        declared,
        name=name,
        version=version,
        registry=registry,
        model=[FILES],
        labels={**own, **given},
        trained_at=declared.trained_at or trained,
    )


def _trained(model: Any, run: Any) -> str:
    """When the model was logged, which is after its training; else when the run ended."""
    millis = model.creation_timestamp if model is not None else run.info.end_time if run is not None else None
    return stamp(datetime.fromtimestamp(millis / 1000, UTC)) if millis else ""


def _of_run(run: Any) -> dict[str, str]:
    """Metrics, parameters and the digests of data sets, as the training told them: nobody measured them again."""
    if run is None:
        return {}
    out: dict[str, str] = {}
    for key, value in sorted(run.data.metrics.items())[:_MOST_LABELS]:
        out[f"mlflow.metric.{key}"] = repr(value)
    for key, value in sorted(run.data.params.items())[:_MOST_LABELS]:
        out[f"mlflow.param.{key}"] = str(value)
    inputs = run.inputs.dataset_inputs if run.inputs is not None else []
    for number, each in enumerate(inputs[:_MOST_LABELS]):
        context = next((tag.value for tag in each.tags if tag.key == "mlflow.data.context"), str(number))
        out[f"mlflow.dataset.{context}"] = f"{each.dataset.name}@{each.dataset.digest}"
    return out


def _of_model(files: str) -> dict[str, str]:
    """What the MLmodel file says, where it can be read."""
    try:
        with open(inside(files, "MLmodel"), "rb") as file:
            documents = list(decode_yaml(text_of(file.read(1 << 20))))
    except (OSError, Problem, Outside):
        return {}
    said = documents[0] if len(documents) == 1 else None
    if said is None or isinstance(said, Problem) or not isinstance(said.value, dict):
        return {}
    out = {"mlflow.signature": "recorded"} if isinstance(said.value.get("signature"), dict) else {}
    flavors = said.value.get("flavors")
    for name, flavor in sorted(flavors.items()) if isinstance(flavors, dict) else []:
        if isinstance(flavor, dict) and isinstance(flavor.get("serialization_format"), str):
            out[f"mlflow.format.{name}"] = flavor["serialization_format"]
    return out


def _download(client: Any, location: str, target: str, budget: list[int], *, needed: bool) -> None:
    """All files at a location, into a directory. ``budget`` is how many bytes there may be yet, and is lowered."""
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    repository: Any = get_artifact_repository(location, tracking_uri=client.tracking_uri)
    sizes = list(_listed(repository))
    if not sizes:
        if needed:
            raise CannotFetch(f"{location}: has no files")
        return
    budget[0] -= sum(sizes)
    if budget[0] < 0:
        raise CannotFetch(f"{location}: larger than allowed (--max-size)")
    os.makedirs(target, exist_ok=True)
    repository.download_artifacts("", target)


def _listed(repository: Any) -> Iterator[int]:
    """The size of each file."""
    count, pending = 0, [""]
    while pending:
        for each in repository.list_artifacts(pending.pop() or None):
            count += 1
            if count > _MOST_FILES:
                raise CannotFetch(f"{repository.artifact_uri}: more than {_MOST_FILES:,} files")
            if each.is_dir:
                pending.append(each.path)
            else:
                yield each.file_size or 0


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:_LONGEST] or type(error).__name__
