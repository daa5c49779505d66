"""Keys of configurations (JSON or YAML) by which a library finds code to run."""

from __future__ import annotations

from typing import Any, Final

from solon.evidence.artifacts.pickles.names import effect_of
from solon.evidence.artifacts.texts import templates
from solon.evidence.artifacts.texts.objects import objects_in
from solon.evidence.artifacts.told import Told, shown

_TARGETS: Final = frozenset({"_target_", "_component_"})
_MOST: Final = 8


def explain(told: Told, value: Any) -> None:
    """What of a document makes libraries run code: those of Hugging Face, Hydra and their kin."""
    found = 0
    for at in objects_in(value):
        before = len(told.reasons)
        _explain_object(told, at)
        found += len(told.reasons) > before
        if found == _MOST:
            return


def _explain_object(told: Told, value: dict[Any, Any]) -> None:
    if isinstance(custom := value.get("auto_map"), dict | str):
        named = custom.values() if isinstance(custom, dict) else [custom]
        told.unsafe(
            f"auto_map: asks for code that comes with the model: {shown(', '.join(map(str, named)), 200)}"
        )
    if value.get("trust_remote_code") is True:
        told.unsafe("trust_remote_code: asks whoever loads it to run code that comes with a model")
    for key in _TARGETS & value.keys():
        target = value[key]
        if not isinstance(target, str):
            continue
        if effect := effect_of(target):
            told.unsafe(f"{key}: would call {shown(target, 100)}, which {effect}")
        else:
            told.unknown(f"{key}: would call {shown(target, 100)}")
    template = value.get("chat_template")
    named_templates = template if isinstance(template, list) else [template]
    for each in named_templates:
        text = each.get("template") if isinstance(each, dict) else each
        if isinstance(text, str):
            for danger in templates.dangers(text):
                told.unsafe(f"chat_template: {danger}")
