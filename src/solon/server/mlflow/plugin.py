"""Blocks: ``mlflow server --app-name solon``. What was not let pass does not go live, by whatever request.

What was let pass stays as it was judged, where its files are written through the server.

The checks stand below MLflow's routes, at the methods of its registry store, through which every request has to go. So they see
the names and versions that will be written, and no way of writing a request makes a difference.
"""

from __future__ import annotations

import inspect
import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import wraps
from importlib.metadata import entry_points
from typing import Any, Final

from solon.decisions.releases import Answer, CannotTell
from solon.governance.inert import visible
from solon.server.mlflow import files, governance, governed
from solon.server.mlflow.governance import Governance, SettingsError
from solon.server.mlflow.governed import Going, Model, Version

_log: Final = logging.getLogger("mlflow.solon")
_GROUP: Final = "mlflow.app"
_MOST: Final = 2_000  # characters of an explanation


def create_app() -> Any:
    """The application that MLflow serves, once nothing can go live unseen. Raises SettingsError."""
    path = os.environ.get(governance.VARIABLE, "")
    if not path:
        raise SettingsError(
            f"{governance.VARIABLE} is not set: it names the solon.yaml that says what is governed"
        )
    found = governance.read(path)

    from mlflow.server import app, constants
    from mlflow.server import handlers as server

    handlers: Any = server  # a part of MLflow without types
    guard(type(handlers._get_model_registry_store()), Guard(found, lambda: datetime.now(UTC)))  # noqa: SLF001
    destination = os.environ.get(constants.ARTIFACTS_DESTINATION_ENV_VAR, "")
    kept = files.Kept(found.store, destination, denied)
    if destination:
        kept.keep(handlers._get_artifact_repo_mlflow_artifacts())  # noqa: SLF001
    # An experiment may have a location of its own, that leads to the same files.
    made = handlers._get_artifact_repository_for_uri  # noqa: SLF001
    handlers._get_artifact_repository_for_uri = lambda *said, **named: kept.keep(made(*said, **named))  # noqa: SLF001
    _log.info("Solon governs this registry, by %s", path)
    if found.settings.app:
        return _other(found.settings.app)
    if os.environ.get("_MLFLOW_SGI_NAME") != "uvicorn":
        return app
    from mlflow.server.fastapi_app import create_fastapi_app

    return create_fastapi_app(app)


def _other(name: str) -> Any:
    """Another application of MLflow's. Raises SettingsError."""
    found = next((point for point in entry_points(group=_GROUP) if point.name == name), None)
    if found is None or name == "solon":
        raise SettingsError(f"mlflow.app: there is no {name!r} to start beside solon")
    made = found.load()
    return made() if inspect.isfunction(made) else made


@dataclass(frozen=True, slots=True)
class Guard:
    """Says no. ``now`` is the time."""

    governance: Governance
    now: Callable[[], datetime]

    def hold(self, what: str, going: list[Going], location: Callable[[Going], str], source: str = "") -> None:
        """Raise MlflowException unless everything that would go live may.

        ``source`` is what to have judged, where it is not the version that goes live.
        """
        for each in going:
            try:
                answer = self.governance.answer(each.name, location(each), self.now())
            except CannotTell as error:
                if self.governance.settings.on_error == "open":
                    _log.error("%s: let pass, and nobody could tell whether it may: %s", what, error)
                    continue
                answer = Answer(False, f"whether it may cannot be told: {error}")
            if not answer.passed:
                _refuse(what, source or f"models:/{each.name}/{each.version}", each, answer)


def guard(store: type, by: Guard) -> None:
    """Put the checks before the methods of a class of registry stores, and of those it inherits from."""
    from mlflow.store.model_registry.abstract_store import AbstractStore

    for name, check in CHECKS.items():
        for each in store.__mro__:
            if name in vars(each) and each is not AbstractStore:
                setattr(each, name, _guarded(vars(each)[name], check, by))
    for name, method in vars(AbstractStore).items():
        if callable(method) and not name.startswith(("_", *_READS)) and name not in {*CHECKS, *_HARMLESS}:
            for each in store.__mro__:
                if name in vars(each):
                    setattr(each, name, _guarded(vars(each)[name], _unknown, by))


def _guarded(method: Callable[..., Any], check: Check, by: Guard) -> Callable[..., Any]:
    signature = inspect.signature(method)

    @wraps(method)
    def guarded(*arguments: Any, **named: Any) -> Any:
        bound = signature.bind(*arguments, **named)
        bound.apply_defaults()
        said = dict(bound.arguments)
        check(by, said.pop("self"), method.__name__, said)
        return method(*arguments, **named)

    return guarded


Check = Callable[[Guard, Any, str, Mapping[str, Any]], None]


def _alias(by: Guard, store: Any, _method: str, said: Mapping[str, Any]) -> None:
    name, alias, version = said["name"], said["alias"], str(said["version"])
    going = governed.aliased(by.governance.settings, name, alias, version)
    by.hold(f"to set the alias {alias} of {name} to version {version}", going, _located(store))


def _stage(by: Guard, store: Any, _method: str, said: Mapping[str, Any]) -> None:
    name, stage, version = said["name"], said["stage"], str(said["version"])
    going = governed.staged(by.governance.settings, name, stage, version)
    by.hold(f"to move version {version} of {name} to the stage {stage}", going, _located(store))


def _create(by: Guard, store: Any, _method: str, said: Mapping[str, Any]) -> None:
    name, source = said["name"], said["source"]
    going = governed.created(by.governance.settings, name)
    by.hold(f"to create a version of {name} from {source}", going, lambda _: _source(store, source), source)


def _rename(by: Guard, store: Any, _method: str, said: Mapping[str, Any]) -> None:
    name, new = said["name"], said["new_name"]
    found = store.get_registered_model(name)
    versions = [
        Version(str(each.version), each.current_stage or "")
        for each in _pages(lambda token: store.search_model_versions(_named(name), 1000, page_token=token))
    ]
    model = Model(name, {alias: str(version) for alias, version in found.aliases.items()}, tuple(versions))
    located = _located(store)
    by.hold(
        f"to rename {name} to {new}",
        governed.live(by.governance.settings, model, new),
        lambda going: located(replace(going, name=name)),
        f"models:/{name}/VERSION",
    )


def _unknown(_by: Guard, _store: Any, method: str, _said: Mapping[str, Any]) -> None:
    raise denied(f"Solon does not know {method} of this version of MLflow, and what it would make live.")


CHECKS: Final[Mapping[str, Check]] = {
    "set_registered_model_alias": _alias,
    "transition_model_version_stage": _stage,
    "create_model_version": _create,
    "rename_registered_model": _rename,
}
_READS: Final = ("get_", "search_", "list_", "supports_")
# What makes nothing live: by itself, or because it does so by one of the above.
_HARMLESS: Final = frozenset([
    "create_registered_model", "update_registered_model", "delete_registered_model",
    "set_registered_model_tag", "delete_registered_model_tag", "delete_registered_model_alias",
    "update_model_version", "delete_model_version", "set_model_version_tag", "delete_model_version_tag",
    "copy_model_version",
    "create_prompt", "delete_prompt", "set_prompt_tag", "delete_prompt_tag", "create_prompt_version",
    "delete_prompt_version", "set_prompt_alias", "delete_prompt_alias", "set_prompt_version_tag",
    "delete_prompt_version_tag", "link_prompts_to_trace", "link_prompt_version_to_model",
    "link_prompt_version_to_run",
    "create_webhook", "update_webhook", "delete_webhook", "test_webhook",
])  # fmt: skip


def _located(store: Any) -> Callable[[Going], str]:
    """Where the files of a version are. Raises MlflowException where there is no such version."""
    return lambda going: str(store.get_model_version_download_uri(going.name, going.version))


def _source(store: Any, source: str) -> str:
    """Where the files of a version would be that is made from a source, as MLflow finds it."""
    from mlflow import MlflowClient
    from mlflow.store.artifact.utils.models import _parse_model_uri

    if not source.startswith("models:"):
        return source
    parsed = _parse_model_uri(source)
    if parsed.model_id is not None:
        return str(MlflowClient().get_logged_model(parsed.model_id).artifact_location)
    return str(store.get_model_version_download_uri(parsed.name, parsed.version))


def _named(name: str) -> str:
    quote = '"' if "'" in name else "'"
    return f"name={quote}{name}{quote}"


def _pages(search: Callable[[str | None], Any]) -> list[Any]:
    found: list[Any] = []
    token = None
    while True:
        page = search(token)
        found += page
        token = page.token
        if not token:
            return found


def _refuse(what: str, source: str, going: Going, answer: Answer) -> None:
    """Raise what the client shows: why, and how to have it judged."""
    other = f" --for '{going.name}'" if not source.startswith(f"models:/{going.name}/") else ""
    raise denied(
        f"Solon refuses {what}: {answer.because}\nTo have it judged: solon model gate '{source}'{other}"
    )


def denied(text: str) -> Exception:
    """What MLflow answers with 403, and its clients show."""
    from mlflow.exceptions import MlflowException
    from mlflow.protos.databricks_pb2 import PERMISSION_DENIED

    shown = visible(text, _MOST)
    _log.warning(shown.replace("\n", " | "))
    made: Exception = MlflowException(shown, error_code=PERMISSION_DENIED)
    return made
