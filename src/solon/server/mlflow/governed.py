"""Which versions an operation on the registry would make live, as the settings have it. Pure functions."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from solon.governance.scope import matches
from solon.server.mlflow.settings import MlflowSettings


class Way(StrEnum):
    """How a version is live: an alias points to it, it is in a stage, or it is in a model where all are."""

    ALIAS = "alias"
    STAGE = "stage"
    NAME = "name"


@dataclass(frozen=True, slots=True, order=True)
class Going:
    """A version that goes live in a registered model. ``version`` is empty for one that is made.

    ``by`` is the alias or stage; empty where every version of the model is live.
    """

    name: str
    version: str
    way: Way
    by: str = ""

    def __str__(self) -> str:
        if self.way is Way.NAME:
            return f"version {self.version} of {self.name}"
        return f"version {self.version} of {self.name} by the {self.way} {self.by}"


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
    return [Going(name, version, Way.ALIAS, alias)] if by_alias(settings, name, alias) else []


def staged(settings: MlflowSettings, name: str, stage: str, version: str) -> list[Going]:
    """By a move to a stage."""
    return [Going(name, version, Way.STAGE, stage)] if by_stage(settings, name, stage) else []


def created(settings: MlflowSettings, name: str, version: str = "") -> list[Going]:
    """By being made, or copied, in a registered model."""
    return [Going(name, version, Way.NAME)] if is_governed_name(settings, name) else []


@dataclass(frozen=True, slots=True)
class Version:
    """A version as the registry has it."""

    version: str
    stage: str = ""


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
        out += created(settings, name, each.version)
    return out
