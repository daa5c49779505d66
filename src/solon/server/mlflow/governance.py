"""The settings of a registry, and the decisions that they trust."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

import msgspec

from solon.decisions.releases import Answer, ReleaseStore
from solon.evidence.settings import ModelSettings
from solon.server.mlflow.settings import MlflowSettings
from solon.signing.keys import public_key
from solon.subjects.documents import Problem, decode_yaml, text_of

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

VARIABLE: Final = "SOLON_MLFLOW"
# What MLflow gives as the source of a prompt, which has no files that could be loaded as a model.
PROMPTS: Final = frozenset(["prompt-template", "dummy-source"])
_MAX_BYTES: Final = 1 << 20


class SettingsError(ValueError):
    """What is wrong with the settings, in a line."""


class _File(msgspec.Struct, frozen=True):
    """The parts of solon.yaml that are read here; the others are for the command line."""

    mlflow: MlflowSettings | None = None
    models: ModelSettings = ModelSettings()


@dataclass(frozen=True, slots=True)
class Governance:
    """The settings, and the decisions that they trust."""

    settings: MlflowSettings
    store: ReleaseStore

    def answer(self, name: str, location: str, now: datetime) -> Answer:
        """Whether what lies at a location may be live in a registered model. Raises CannotTell."""
        if location in PROMPTS:
            return Answer(True)
        return self.store.answer(name, location, now)


def read(path: str) -> Governance:
    """Raises SettingsError: a registry is not governed by settings that are half understood."""
    try:
        with open(path, "rb") as file:
            data = file.read(_MAX_BYTES + 1)
        if len(data) > _MAX_BYTES:
            raise SettingsError(f"{path}: larger than {_MAX_BYTES >> 20} MiB")
        documents = list(decode_yaml(text_of(data)))
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
