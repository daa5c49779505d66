"""``mlflow:`` of solon.yaml: what is governed, and by whose decisions."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from solon.decisions.releases import ReleaseStore
from solon.evidence.settings import ModelSettings
from solon.signing.keys import public_key
from solon.subjects.documents import Problem, decode_yaml, text_of

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

VARIABLE: Final = "SOLON_MLFLOW"
_MAX_BYTES: Final = 1 << 20


class SettingsError(ValueError):
    """What is wrong with the settings, in a line."""


class MlflowSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Paths are relative to solon.yaml. Names, aliases and stages are globs, in any case.

    ``aliases`` and ``stages`` mean a version is live, in registered models whose names are in ``models``; in those of
    ``names`` every version is. ``decisions`` is the directory with the release store; ``keys`` are public keys whose decisions
    count, by default that of the gate. ``registry`` is what decisions call this registry. ``on_error`` is whether
    what cannot be told stops a change (``closed``) or lets it pass. ``app`` is another application of MLflow's to
    start, such as basic-auth.
    """

    aliases: list[str] = []
    stages: list[str] = []
    names: list[str] = []
    models: list[str] = msgspec.field(default_factory=lambda: ["*"])
    decisions: str = ".solon/decisions"
    keys: list[str] = []
    registry: str = "mlflow"
    tracking_uri: str = ""
    on_error: Literal["closed", "open"] = "closed"
    app: str = ""

    def __post_init__(self) -> None:
        if not self.registry:
            raise ValueError("registry must have a name, such as mlflow")
        if not all([*self.aliases, *self.stages, *self.names, *self.models]):
            raise ValueError("aliases, stages, names and models are globs: none may be empty")


class _File(msgspec.Struct, frozen=True):
    """The parts of solon.yaml that are read here; the others are for the command line."""

    mlflow: MlflowSettings | None = None
    models: ModelSettings = ModelSettings()


@dataclass(frozen=True, slots=True)
class Governance:
    """The settings, and the decisions that they trust."""

    settings: MlflowSettings
    store: ReleaseStore


def read(path: str) -> Governance:
    """Raises SettingsError: a registry is not governed by settings that are half understood."""
    try:
        with open(path, "rb") as file:
            documents = list(decode_yaml(text_of(file.read(_MAX_BYTES))))
        if len(documents) != 1 or isinstance(documents[0], Problem):
            raise SettingsError(f"{path}: {documents[0] if documents else 'is empty'}")
        said = msgspec.convert(documents[0].value, _File)
    except OSError as error:
        raise SettingsError(f"{path}: {(error.strerror or str(error)).lower()}") from None
    except (Problem, msgspec.ValidationError) as error:
        raise SettingsError(f"{path}: {error}") from None
    if said.mlflow is None:
        raise SettingsError(f"{path}: has no `mlflow:`, which says what is governed")
    return governance(said.mlflow, said.models.gate, os.path.dirname(os.path.abspath(path)))


def governance(settings: MlflowSettings, gate: str, directory: str) -> Governance:
    """``gate`` is the file with the gate's public key, as ``models.gate`` has it. Raises SettingsError."""
    if not (settings.aliases or settings.stages or settings.names):
        raise SettingsError("mlflow: governs nothing: name aliases, such as champion, stages or names")
    keys = [_key(os.path.join(directory, name)) for name in settings.keys or [gate]]
    return Governance(
        settings, ReleaseStore(os.path.join(directory, settings.decisions), keys, settings.registry)
    )


def _key(path: str) -> Ed25519PublicKey:
    try:
        with open(path, "rb") as file:
            return public_key(file.read(1 << 16))
    except OSError as error:
        raise SettingsError(
            f"{path}: {(error.strerror or str(error)).lower()}: the gate's public key"
        ) from None
    except ValueError as error:
        raise SettingsError(f"{path}: {error}") from None
