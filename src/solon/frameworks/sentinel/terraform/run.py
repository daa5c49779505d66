"""tfrun: the run that a plan belongs to, which no plan tells of. Somebody gives it, as a document.

Costs may come apart, as Terraform Cloud estimates them or from ``infracost breakdown --format json``. They are
strings, as in Terraform Cloud.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from solon.frameworks.sentinel.terraform.view import View

COSTS: Final = ("prior_monthly_cost", "proposed_monthly_cost", "delta_monthly_cost")
_INFRACOST: Final = ("pastTotalMonthlyCost", "totalMonthlyCost", "diffTotalMonthlyCost")

# What a run is that nobody said anything else of.
_USUAL: Final[Mapping[str, Any]] = {
    "message": "",
    "commit_sha": "",
    "is_destroy": False,
    "refresh": True,
    "refresh_only": False,
    "replace_addrs": None,
    "speculative": False,
    "target_addrs": None,
    "variables": {},
}


def view(run: Mapping[str, Any] | None) -> View:
    """What is known of a run; of none nothing is, and all of it is undefined."""
    if run is None:
        return View({})
    values = {**_USUAL, **run}
    return View({name: _constantly(value) for name, value in values.items()})


def _constantly(value: Any) -> Any:
    return lambda: value


def cost_estimate(document: Any) -> dict[str, str] | None:
    """The estimate in a document: its own, that of a run, or of Infracost; None where it has none."""
    if not isinstance(document, dict):
        return None
    if isinstance(document.get("cost_estimate"), dict):
        document = document["cost_estimate"]
    found = {name: document[name] for name in COSTS if name in document}
    if not found:
        found = {
            name: document[theirs]
            for name, theirs in zip(COSTS, _INFRACOST, strict=True)
            if document.get(theirs) is not None
        }
    return {name: str(value) for name, value in found.items()} or None


def of_run_task(payload: Mapping[str, Any]) -> dict[str, Any]:
    """What the payload of a run task says of its run, as a document for :func:`view`."""

    def vcs() -> dict[str, Any] | None:
        repository = payload.get("vcs_repo_url")
        if not repository:
            return None
        name = str(repository).rstrip("/").partition("://")[2].partition("/")[2]
        return {
            "identifier": name,
            "display_identifier": name,
            "branch": payload.get("vcs_branch") or "",
            "ingress_submodules": False,
        }

    def text(name: str) -> str:
        return str(payload.get(name) or "")

    return {
        "id": text("run_id"),
        "created_at": text("run_created_at"),
        "created_by": text("run_created_by"),
        "message": text("run_message"),
        "commit_sha": text("vcs_commit_url").rpartition("/")[2],
        "speculative": bool(payload.get("is_speculative")),
        "organization": {"name": text("organization_name")},
        "workspace": {
            "id": text("workspace_id"),
            "name": text("workspace_name"),
            "working_directory": text("workspace_working_directory"),
            "vcs_repo": vcs(),
        },
    }
