"""Terraform plans: the JSON of ``terraform show -json``.

(Terraform's "JSON Output Format": format_version, resource_changes, planned_values.)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

from solon.subjects.documents import Document, Problem
from solon.subjects.positions import FieldLocator, SourceFile
from solon.subjects.subject import Location, Locator, Subject

PLAN = "terraform.plan"
RESOURCE = "terraform.resource"

SHOW = "make it with: terraform show -json plan.out > plan.json"


def is_plan(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and "format_version" in value
        and ("resource_changes" in value or "planned_values" in value or "terraform_version" in value)
    )


def subjects(document: Document, file: SourceFile) -> Iterator[Subject]:
    """The plan as a whole, then every resource change. Raises Problem where it is not a plan."""
    plan = document.value
    version = plan["format_version"]
    if not isinstance(version, str) or version.partition(".")[0] not in ("0", "1"):
        place = file.place(0, ("format_version",)) or (1, 0)
        raise Problem(f"unknown plan format version {version!r}", *place, "versions 0.x and 1.x are known")
    if "resource_changes" not in plan and "planned_values" not in plan:
        raise Problem("a Terraform state, not a plan", 1, 0, SHOW)
    changes = plan.get("resource_changes", [])
    if not isinstance(changes, list):
        place = file.place(0, ("resource_changes",)) or (1, 0)
        raise Problem("not a plan: resource_changes is not a list", *place, SHOW)
    for index, change in enumerate(changes):
        if not isinstance(change, dict) or not isinstance(change.get("address"), str):
            place = file.place(0, ("resource_changes", index)) or (1, 0)
            raise Problem(f"not a plan: resource_changes[{index}] has no address", *place, SHOW)
    name = PurePath(file.name).stem if file.name != "-" else "stdin"
    start = Location(file.name, document.row)
    yield Subject(PLAN, f"tf://{name}", name, plan, start, FieldLocator(file, 0, start))
    for index, change in enumerate(changes):
        if change.get("mode") == "data":
            continue
        yield resource(change, name, plan, start, FieldLocator(file, 0, start, ("resource_changes", index)))


def resource(
    change: Mapping[str, Any], plan_name: str, plan: Any, start: Location, locator: Locator
) -> Subject:
    """A resource change of a plan as a subject of its own."""
    address = change["address"]
    return Subject(
        RESOURCE,
        f"tf://{plan_name}/{address}",
        address,
        change,
        start,
        locator,
        labels=_tags(change),
        parent=plan,
    )


def _tags(change: Mapping[str, Any]) -> dict[str, str]:
    action = change.get("change")
    after = action.get("after") if isinstance(action, dict) else None
    if not isinstance(after, dict):
        return {}
    out: dict[str, str] = {}
    for field in ("tags_all", "tags", "labels"):
        tags = after.get(field)
        if isinstance(tags, dict):
            out.update({k: v for k, v in tags.items() if isinstance(v, str)})
    return out
