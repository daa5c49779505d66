"""Live models of MLflow's registry: the versions that its aliases point to, and those in a stage.

From its REST API, or from what that answered, kept in a file: ``registered-models/search``, ``registered-models/get`` and
``model-versions/search``. (MLflow REST API 2.0.)
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Final
from urllib.parse import quote, urlsplit

from solon.evidence.deployed.live import DIGEST, Live, labelled
from solon.subjects.fields import items, mappings, text
from solon.subjects.subject import Location, OnePlace, Path, Subject

_PAGE: Final = 100
_TIMEOUT: Final = 30.0
_BYTES: Final = 64 << 20


class RegistryError(Exception):
    """Why a registry could not be read, in one line."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which aliases and stages stand for what is live: patterns of shells, in any case.

    Of the registered models in ``names`` all do.
    """

    aliases: Sequence[str] = ("*",)
    stages: Sequence[str] = ("Production",)
    names: Sequence[str] = ()

    def covers(self, each: Live) -> bool:
        kind, _, called = each.serves.partition(" ")
        patterns = self.aliases if kind == "alias" else self.stages
        return _matches(called, patterns) or _matches(each.name, self.names)


def _matches(text: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(text.lower(), pattern.lower()) for pattern in patterns)


@dataclass(slots=True)
class _Model:
    """``at`` is where a value of it stands."""

    name: str
    aliases: dict[str, tuple[str, Location]] = field(default_factory=dict)
    versions: dict[str, tuple[Mapping[str, Any], Location]] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)


def is_answer(document: Any) -> bool:
    """Whether it is what MLflow's API answers."""
    if not isinstance(document, dict):
        return False
    return (
        any(isinstance(document.get(key), list) for key in ("registered_models", "model_versions"))
        or isinstance(document.get("registered_model"), dict)
        or isinstance(document.get("model_version"), dict)
    )


def live(subjects: Iterable[Subject], server: str = "-") -> Iterator[Live]:
    """What every alias and stage stands for. ``server`` is how the registry is called in uris."""
    models: dict[str, _Model] = {}
    for subject in subjects:
        _collect(models, subject)
    for model in models.values():
        yield from _of(model, server)


def _collect(models: dict[str, _Model], subject: Subject) -> None:
    document = subject.document
    for path, said in _each(document, "registered_model"):
        model = models.setdefault(name := text(said.get("name")), _Model(name))
        model.tags |= _tags(said)
        for index, alias in enumerate(mappings(said.get("aliases"))):
            place = subject.locator.locate((*path, "aliases", index))
            model.aliases[text(alias.get("alias"))] = (_version(alias.get("version")), place)
        for index, version in enumerate(mappings(said.get("latest_versions"))):
            place = subject.locator.locate((*path, "latest_versions", index))
            model.versions.setdefault(_version(version.get("version")), (version, place))
    for path, said in _each(document, "model_version"):
        model = models.setdefault(name := text(said.get("name")), _Model(name))
        place = subject.locator.locate(path)
        number = _version(said.get("version"))
        model.versions[number] = (said, place)
        for alias in items(said.get("aliases")):
            if isinstance(alias, str):
                model.aliases.setdefault(alias, (number, place))


def _each(document: Mapping[str, Any], one: str) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    if isinstance(said := document.get(one), dict):
        yield (one,), said
    for index, each in enumerate(mappings(document.get(f"{one}s"))):
        yield (f"{one}s", index), each


def _of(model: _Model, server: str) -> Iterator[Live]:
    for alias, (version, place) in model.aliases.items():
        yield _made(model, version, place, server, f"@{quote(alias, safe='')}", f"alias {alias}")
    for version, (said, place) in model.versions.items():
        stage = text(said.get("current_stage"))
        if stage not in ("", "None"):
            yield _made(model, version, place, server, f"/{quote(stage, safe='')}", f"stage {stage}")


def _made(model: _Model, version: str, place: Location, server: str, end: str, serves: str) -> Live:
    said = model.versions.get(version, ({}, place))[0]
    tags = {**model.tags, **_tags(said)}
    whose = labelled(tags)
    return Live(
        name=model.name,
        version=version,
        where=f"mlflow://{server}/{quote(model.name, safe='')}{end}",
        serves=serves,
        location=place,
        source="mlflow",
        uri=text(said.get("source")),
        digest=tags.get(DIGEST, ""),
        environment=whose.environment,
        team=whose.team,
        owner=whose.owner,
        problem="" if version and model.name else "the registry names no version",
    )


# --- over HTTP


def server(uri: str) -> str:
    """What its uris call a server: the host, and the port where one is named. Raises RegistryError."""
    try:
        parts = urlsplit(uri)
        port = f":{parts.port}" if parts.port else ""
    except ValueError as error:
        raise RegistryError(f"{uri}: {error}") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise RegistryError(f"{uri}: must be http:// or https:// and the host of an MLflow server")
    return f"{parts.hostname}{port}"


def ask(uri: str, environment: Mapping[str, str] = os.environ) -> Iterator[Subject]:
    """The registered models of a server, a page at a time, and the versions that aliases point to. Raises RegistryError."""
    import httpx

    server(uri)
    at = f"{uri.rstrip('/')}/api/2.0/mlflow"
    try:
        with httpx.Client(timeout=_TIMEOUT, headers=_headers(environment), auth=_auth(environment)) as client:
            for page in _pages(client, f"{at}/registered-models/search"):
                yield _subject(page, f"{at}/registered-models/search")
                for name, version in _unseen(page):
                    place = f"{at}/model-versions/get"
                    yield _subject(_answer(client, place, {"name": name, "version": version}), place)
    except httpx.HTTPError as error:
        raise RegistryError(f"{uri}: {_worded(error)}") from None
    except httpx.InvalidURL as error:
        raise RegistryError(f"{uri}: {error}") from None


def _pages(client: Any, at: str) -> Iterator[dict[str, Any]]:
    token, before = "", set[str]()
    while token not in before:
        before.add(token)
        page = _answer(client, at, {"max_results": str(_PAGE)} | ({"page_token": token} if token else {}))
        yield page
        token = text(page.get("next_page_token"))
        if not token:
            return
    raise RegistryError(f"{at}: its list of models does not end")


def _unseen(page: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What aliases point to: a list of models has the newest version of each stage alone."""
    for model in mappings(page.get("registered_models")):
        seen = {_version(each.get("version")) for each in mappings(model.get("latest_versions"))}
        aliased = {_version(each.get("version")) for each in mappings(model.get("aliases"))}
        yield from ((text(model.get("name")), version) for version in sorted(aliased - seen - {""}))


def _answer(client: Any, at: str, parameters: Mapping[str, str]) -> dict[str, Any]:
    import msgspec

    with client.stream("GET", at, params=parameters) as response:
        data = bytearray()
        for chunk in response.iter_bytes():
            data += chunk
            if len(data) > _BYTES:
                raise RegistryError(f"{at}: answers with more than {_BYTES >> 20} MiB")
    if response.status_code != 200:
        hint = " (set MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and _PASSWORD)"
        raise RegistryError(
            f"{at}: answers {response.status_code}{hint if response.status_code in (401, 403) else ''}"
        )
    try:
        answer = msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError):
        answer = None
    # A registry without models answers {}.
    if not isinstance(answer, dict) or (answer and not is_answer(answer)):
        raise RegistryError(f"{at}: does not answer as MLflow does")
    return answer


def _subject(answer: dict[str, Any], at: str) -> Subject:
    where = Location(at)
    return Subject("document", at, at, answer, where, OnePlace(where))


def _headers(environment: Mapping[str, str]) -> dict[str, str]:
    token = environment.get("MLFLOW_TRACKING_TOKEN")
    return {"Authorization": f"Bearer {token}"} if token else {}


def _auth(environment: Mapping[str, str]) -> tuple[str, str] | None:
    user, password = (environment.get(f"MLFLOW_TRACKING_{name}") for name in ("USERNAME", "PASSWORD"))
    return (user, password) if user and password and not _headers(environment) else None


def _worded(error: Exception) -> str:
    return str(error).lower() or type(error).__name__


def _tags(said: Mapping[str, Any]) -> dict[str, str]:
    return {
        tag["key"]: tag["value"]
        for tag in mappings(said.get("tags"))
        if isinstance(tag.get("key"), str) and isinstance(tag.get("value"), str)
    }


def _version(value: Any) -> str:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
