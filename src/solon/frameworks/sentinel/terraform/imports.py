"""The Terraform imports over a plan, and over what else is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from solon.frameworks.sentinel.terraform import configuration, legacy, plan, run, state
from solon.frameworks.sentinel.terraform.view import View, map_of
from solon.lang.sentinel.values import Opening

_LEGACY: Final = ("tfplan", "tfconfig", "tfstate")
NAMES: Final = ("tfplan/v2", "tfconfig/v2", "tfstate/v2", "tfrun", *_LEGACY, *(f"{n}/v1" for n in _LEGACY))


@dataclass(frozen=True)
class Documents:
    """A plan, the run it belongs to, and the documents that stand in where the plan has no such part."""

    plan: Mapping[str, Any]
    run: Mapping[str, Any] | None = None
    state: Mapping[str, Any] | None = None
    configuration: Mapping[str, Any] | None = None

    @cached_property
    def views(self) -> Mapping[str, View]:
        """The views, each with the parts that were asked for so far: they serve every policy."""
        document = self.plan
        prior = document.get("prior_state", self.state)
        written = document.get("configuration", self.configuration)
        old = {
            "tfplan": legacy.plan_view(document),
            "tfconfig": legacy.config_view(map_of(written)),
            "tfstate": legacy.state_view(map_of(prior)),
        }
        return {
            **old,
            **{f"{name}/v1": view for name, view in old.items()},
            "tfplan/v2": plan.view(document),
            "tfconfig/v2": configuration.view(map_of(written)),
            "tfstate/v2": state.view(map_of(prior)),
            "tfrun": run.view(self.run),
        }


def imports_of(documents: Documents) -> dict[str, Opening]:
    """The imports by name."""
    return {name: _opening(documents, name) for name in NAMES}


def _opening(documents: Documents, name: str) -> Opening:
    return lambda surroundings, config: documents.views[name]
