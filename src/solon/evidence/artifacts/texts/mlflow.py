"""``MLmodel``, which says how MLflow loads a model."""

from __future__ import annotations

from typing import Any

from solon.evidence.artifacts.pickles.names import effect_of
from solon.evidence.artifacts.told import Told, shown


def is_model(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("flavors"), dict)


def explain(told: Told, value: dict[str, Any]) -> None:
    """The flavours, how each is serialised, and the module that loads it."""
    flavors: dict[str, Any] = {}
    for name, flavor in list(value["flavors"].items())[:32]:
        said = flavor if isinstance(flavor, dict) else {}
        kept = {
            key: shown(said[key], 200)
            for key in ("loader_module", "serialization_format", "python_model", "model_code_path", "code")
            if isinstance(said.get(key), str)
        }
        flavors[shown(str(name), 100)] = kept
        loader = said.get("loader_module")
        if isinstance(loader, str) and loader.partition(".")[0] != "mlflow":
            effect = effect_of(loader)
            told.unsafe(
                f"loader_module: MLflow would import {shown(loader, 100)}{', which ' + effect if effect else ''}"
            )
        for key in ("code", "model_code_path"):
            if isinstance(said.get(key), str):
                told.unsafe(
                    f"{key}: MLflow would run code that comes with the model: {shown(said[key], 100)}"
                )
        if said.get("serialization_format") in ("pickle", "cloudpickle", "joblib"):
            told.note(f"serialization_format: {said['serialization_format']}: MLflow would load a pickle")
    told.header["flavors"] = flavors
    for key in ("mlflow_version", "model_uuid", "run_id"):
        if isinstance(value.get(key), str):
            told.header[key] = shown(value[key], 100)
