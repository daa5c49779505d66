"""Opening a standard import of Sentinel, and calling what it has by a path such as ``new("1").add``."""

from __future__ import annotations

from typing import Any

from solon.lang.budget import Budget, Meter
from solon.lang.sentinel.imports import STANDARD
from solon.lang.sentinel.values import Function, Members, Surroundings, Undefined

NOW_NS = 1_573_867_230_123_456_789  # 2019-11-16T01:20:30.123456789Z
MISSING = Undefined("no such member")


def surroundings(
    *, budget: Budget | None = None, hosts: frozenset[str] = frozenset(), now_ns: int = NOW_NS
) -> Surroundings:
    return Surroundings(now_ns, Meter(budget or Budget()), hosts)


def opened(name: str, *, config: dict[str, Any] | None = None, **given: Any) -> Members:
    return STANDARD[name](surroundings(**given), config or {})


def call(members: Any, name: str, *arguments: Any) -> Any:
    found = members.get(name, MISSING)
    assert isinstance(found, Function), f"{name} is {found!r}"
    return found(*arguments)


def host_function(name: str, run: Any, parameters: int) -> Function:
    """A function as a policy has it: it takes exactly so many values."""
    return Function(name, run, parameters, parameters)
