"""What happens to an event before it is logged: secrets are masked, and policies may mask more, or drop it.

The policies are OPA's: ``data.system.log.mask`` and ``data.system.log.drop``, with the event as input. Unlike with
OPA, an event is never lost because one of them fails: it is kept without all that it could have masked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from solon.decisions import mask_rules
from solon.decisions.log.events import entry_of
from solon.decisions.masking import Scrubber, mask
from solon.frameworks import rego_files
from solon.lang import rego
from solon.lang.budget import Budget, BudgetExceeded
from solon.lang.rego import UNDEFINED, EvalError, Query, RegoError

MASK: Final = "data.system.log.mask"
DROP: Final = "data.system.log.drop"
# Not the memory of the process: others use it meanwhile.
_BUDGET: Final = Budget(seconds=5.0, steps=10_000_000, memory=None)
_SECRETIVE: Final = (b'"Secret"', b"sensitive")


class RulesError(Exception):
    """The policies cannot be used."""


class EventRules:
    """``secrets``: mask those of Kubernetes Secrets and of Terraform plans.

    ``warn`` is told where a policy failed. Safe to use from several threads.
    """

    def __init__(
        self,
        mask: Query | None = None,
        drop: Query | None = None,
        *,
        secrets: bool = True,
        warn: Callable[[str], None] = lambda _text: None,
    ) -> None:
        self._mask = mask
        self._drop = drop
        self._secrets = secrets
        self._warn = warn

    def ignores(self, line: bytes) -> bool:
        """Whether nothing can change an event, so that it need not be looked into."""
        return self._mask is None and self._drop is None and not self._secretive(line)

    def _secretive(self, line: bytes) -> bool:
        return self._secrets and any(word in line for word in _SECRETIVE)

    def rewrite(self, line: bytes) -> bytes | None:
        """The event as it is to be kept, the same bytes where nothing is changed; None where it is dropped.

        Raises ValueError where it is no JSON object.
        """
        event = decode(line)
        changed = self._secretive(line) and _without_secrets(event)
        try:
            if _asked(self._drop, event) is True:
                return None
        except _Failed as error:
            self._warn(f"{DROP} {error}: the event is kept")
        try:
            said = _asked(self._mask, event)
            rules = mask_rules.parse(said) if said is not UNDEFINED else []
        except (_Failed, ValueError) as error:
            self._warn(f"{MASK} {error}: the event is kept without its input and result")
            _close(event, line)
        else:
            if not mask_rules.apply(rules, event) and not changed:
                return line
        return msgspec.json.encode(event)


class _Failed(Exception):
    pass


def _asked(query: Query | None, event: dict[str, Any]) -> Any:
    if query is None:
        return UNDEFINED
    try:
        return query.evaluate(event, budget=_BUDGET)
    except EvalError as error:
        raise _Failed(f"failed ({error.code})") from None  # its text may tell what was to be hidden
    except BudgetExceeded as error:
        raise _Failed(f"failed ({error})") from None


def load(path: str, *, secrets: bool = True, warn: Callable[[str], None] = lambda _text: None) -> EventRules:
    """The rules of a directory or file of Rego, compiled. Raises RulesError."""
    found = rego_files.read([path])
    if found.problems:
        raise RulesError(str(found.problems[0]))
    try:
        program = rego.compile(found.modules, found.data, "auto")
        names = [name for name in (MASK, DROP) if program.document(name) is not None]
        if not names:
            raise RulesError(f"{path}: defines neither {MASK} nor {DROP} (package system.log)")
        queries = {name: program.prepare(name) for name in names}
    except RegoError as error:
        raise RulesError(str(error)) from None
    return EventRules(queries.get(MASK), queries.get(DROP), secrets=secrets, warn=warn)


def decode(line: bytes) -> dict[str, Any]:
    """Raises ValueError."""
    try:
        event = msgspec.json.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"is no JSON: {error}") from None
    if not isinstance(event, dict):
        raise ValueError("is no JSON object")  # noqa: TRY004
    return event


def _without_secrets(event: dict[str, Any]) -> bool:
    """Mask what is known to be secret, wherever in the event it turns up again; whether there was any."""
    masked: list[str] = []
    secrets: frozenset[str] = frozenset()
    for part in mask_rules.PARTS:
        if part in event:
            event[part], pointers, found = mask(event[part], f"/{part}")
            masked += pointers
            secrets |= found
    clean = Scrubber(secrets)
    for part in (*mask_rules.PARTS, "mapped_result", "error"):
        if part in event:
            event[part] = clean(event[part], f"/{part}")
    masked = list(dict.fromkeys([*masked, *clean.pointers]))
    if masked:
        noted = event.get("masked")
        event["masked"] = list(dict.fromkeys([*(noted if isinstance(noted, list) else []), *masked]))
    return bool(masked)


def _close(event: dict[str, Any], line: bytes) -> None:
    """Keep that the decision was taken, and what it was."""
    outcome = entry_of(line).outcome
    mask_rules.erase_all(event)
    said = event.get("solon")
    event["solon"] = {**(said if isinstance(said, dict) else {}), "masking": f"{MASK} failed"}
    if outcome:
        event["solon"].setdefault("outcome", outcome)
