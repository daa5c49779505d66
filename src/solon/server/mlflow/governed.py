"""Which versions an operation on the registry would make live, as the settings have it. Pure functions."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from solon.governance.scope import matches
from solon.server.mlflow.settings import MlflowSettings


@dataclass(frozen=True, slots=True)
class Going:
    """A version that goes live in a registered model. ``version`` is empty for one that is made."""

    name: str
    version: str
    way: str  # the alias champion, the stage Production, a version of prod.adult


def folded(text: str) -> str:
    """A name as a database may compare it: some know neither case, accents nor spaces at the end (MySQL does not)."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in plain if not unicodedata.combining(c)).strip()


def _one_of(globs: Iterable[str], text: str) -> bool:
    wanted = folded(text)
    return any(matches(folded(glob), wanted) for glob in globs)


def is_governed_name(settings: MlflowSettings, name: str) -> bool:
    """Whether every version in this registered model is live."""
    return _one_of(settings.names, name)


def by_alias(settings: MlflowSettings, name: str, alias: str) -> bool:
    return is_governed_name(settings, name) or (
        _one_of(settings.models, name) and _one_of(settings.aliases, alias)
    )


def by_stage(settings: MlflowSettings, name: str, stage: str) -> bool:
    return _one_of(settings.models, name) and _one_of(settings.stages, stage)


def aliased(settings: MlflowSettings, name: str, alias: str, version: str) -> list[Going]:
    """By an alias that is set."""
    return [Going(name, version, f"the alias {alias}")] if by_alias(settings, name, alias) else []


def staged(settings: MlflowSettings, name: str, stage: str, version: str) -> list[Going]:
    """By a move to a stage."""
    return [Going(name, version, f"the stage {stage}")] if by_stage(settings, name, stage) else []


def created(settings: MlflowSettings, name: str) -> list[Going]:
    """By being made, or copied, in a registered model."""
    return [Going(name, "", f"a version of {name}")] if is_governed_name(settings, name) else []


@dataclass(frozen=True, slots=True)
class Version:
    """A version as the registry has it."""

    version: str
    stage: str = ""
    location: str = ""
    run: str = ""


@dataclass(frozen=True, slots=True)
class Model:
    """A registered model, its aliases with their versions."""

    name: str
    aliases: Mapping[str, str]
    versions: tuple[Version, ...]


def live(settings: MlflowSettings, model: Model, name: str = "") -> list[Going]:
    """What is live in a registered model; with ``name``, what would be if that were its name."""
    name = name or model.name
    out = []
    for alias, version in sorted(model.aliases.items()):
        out += aliased(settings, name, alias, version)
    for each in model.versions:
        out += staged(settings, name, each.stage, each.version)
        if is_governed_name(settings, name):
            out.append(Going(name, each.version, f"a version of {name}"))
    return out
