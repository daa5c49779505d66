"""uuid.*"""

from __future__ import annotations

import uuid
from typing import Any

from solon.lang.rego.builtins.registry import Builtin, Context, string
from solon.lang.values import UNDEFINED, Value


def rfc4122(context: Context, name: Value) -> str:
    """A random (version 4) UUID; the same for the same name within one evaluation."""
    where = ("uuid.rfc4122", string(name, 1))
    if where not in context.cache:
        context.cache[where] = str(uuid.UUID(int=context.random.getrandbits(128), version=4))
    found: str = context.cache[where]
    return found


def parse(value: Value) -> Any:
    try:
        parsed = uuid.UUID(string(value, 1))
    except ValueError:
        return UNDEFINED
    variant = {uuid.RFC_4122: "RFC4122", uuid.RESERVED_NCS: "Reserved", uuid.RESERVED_MICROSOFT: "Microsoft"}
    out: dict[str, Any] = {
        "version": (parsed.int >> 76) & 0xF,
        "variant": variant.get(parsed.variant, "Future"),
    }
    if out["version"] in (1, 2):
        # 100 ns steps since the Gregorian reform
        out["time"] = (parsed.time - 0x01B21DD213814000) * 100
        out["nodeid"] = "-".join(f"{byte:02x}" for byte in parsed.bytes[10:])
        out["macvariables"] = _mac(parsed.bytes[10])
        out["clocksequence"] = parsed.clock_seq
    if out["version"] == 2:
        domain = parsed.bytes[9]
        out["domain"] = {0: "Person", 1: "Group", 2: "Org"}.get(domain, f"Domain{domain}")
        out["id"] = parsed.time_low
    return out


def _mac(first: int) -> str:
    scope = "local" if first & 2 else "global"
    return f"{scope}:{'multicast' if first & 1 else 'unicast'}"


BUILTINS = (
    Builtin("uuid.rfc4122", "(string) -> string", rfc4122, contextual=True),
    Builtin("uuid.parse", "(string) -> object[string: any]", parse),
)
