"""Mask rules of OPA's decision log: what is taken out of an event, or put in its place, before it is kept.

A rule is a path, which is removed, or ``{"op": "remove" | "upsert", "path": …, "value": …}``. Paths begin with one of
``PARTS``. What a rule changed is named in the event: removed under ``erased``, replaced under ``masked``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import quote

PARTS: Final = ("input", "result", "nd_builtin_cache")
_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_INDEX: Final = re.compile(r"\+?[0-9]{1,9}", re.ASCII)
_SAFE: Final = "$&+=:@"  # what Go's url.PathEscape leaves besides letters, digits and -_.~


@dataclass(frozen=True, slots=True)
class MaskRule:
    """``steps`` are the path's, as they are written; ``path`` is how OPA writes it into the event."""

    op: Literal["remove", "upsert"]
    steps: tuple[str, ...]
    value: Any = None

    @property
    def path(self) -> str:
        return "".join(f"/{quote(step, safe=_SAFE)}" for step in self.steps)


def parse(said: Any) -> list[MaskRule]:
    """The rules that ``data.system.log.mask`` gave. Raises ValueError."""
    if not isinstance(said, list):
        raise ValueError("is no set of rules")  # noqa: TRY004
    return [_rule(each) for each in said]


def _rule(said: Any) -> MaskRule:
    if isinstance(said, str):
        return MaskRule("remove", _steps(said))
    if not isinstance(said, dict):
        raise ValueError("has a rule that is neither a path nor an object")  # noqa: TRY004
    op, path = said.get("op"), said.get("path")
    if op not in ("remove", "upsert"):
        raise ValueError("has a rule whose op is neither remove nor upsert")
    if not isinstance(path, str):
        raise ValueError("has a rule without a path")  # noqa: TRY004
    return MaskRule(op, _steps(path), said.get("value"))


def _steps(path: str) -> tuple[str, ...]:
    first, *steps = path.split("/")
    if first or not steps or steps[0] not in PARTS or _ESCAPE.search(path):
        raise ValueError("has a path that does not begin with /input, /result or /nd_builtin_cache")
    return tuple(steps)


def apply(rules: Sequence[MaskRule], event: dict[str, Any]) -> bool:
    """Change the event as the rules say; whether any of them did."""
    changed = False
    for rule in rules:
        part = rule.steps[0]
        if part not in event:
            continue
        done = _removed(event, rule.steps) if rule.op == "remove" else _put(event, rule.steps, rule.value)
        if done:
            _note(event, "erased" if rule.op == "remove" else "masked", rule.path)
            changed = True
    return changed


def erase_all(event: dict[str, Any]) -> None:
    """Take out all that a policy could have masked: it failed, and what it would have taken out is not known."""
    for part in (*PARTS, "mapped_result"):
        if part in event:
            del event[part]
            _note(event, "erased", f"/{part}")


def _note(event: dict[str, Any], name: str, path: str) -> None:
    noted = event.get(name)
    event[name] = [*(noted if isinstance(noted, list) else []), path]


def _removed(node: Any, steps: Sequence[str]) -> bool:
    for step in steps[:-1]:
        at = _at(node, step)
        if at is None:
            return False
        node = node[at]
    at = _at(node, steps[-1])
    if at is None:
        return False
    del node[at]
    return True


def _put(node: Any, steps: Sequence[str], value: Any) -> bool:
    """Objects on the way are made, lists are not made longer: so does OPA."""
    for step in steps[:-1]:
        at = _at(node, step)
        if at is None:
            if not isinstance(node, dict):
                return False
            at = _escaped(step)
            node[at] = {}
        node = node[at]
    at = _at(node, steps[-1])
    if at is None:
        if not isinstance(node, dict):
            return False
        at = _escaped(steps[-1])
    node[at] = value
    return True


def _at(node: Any, step: str) -> Any:
    """The key or index of a step; None where there is none.

    OPA looks for the step as a URL has it. A key that is only there as it was written is meant all the same: what is to
    be hidden must not stay for a blank in its name. So is one with ``~1`` and ``~0`` of JSON pointers.
    """
    if isinstance(node, dict):
        names = (_escaped(step), step, step.replace("~1", "/").replace("~0", "~"))
        return next((name for name in names if name in node), None)
    if isinstance(node, list) and _INDEX.fullmatch(step) and int(step) < len(node):
        return int(step)
    return None


def _escaped(step: str) -> str:
    return quote(step, safe=_SAFE)
