"""``mlflow:`` of solon.yaml: what is governed, and by whose decisions."""

from __future__ import annotations

from typing import Literal

import msgspec


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
