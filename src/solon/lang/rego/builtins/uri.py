"""uri.parse and uri.is_valid (RFC 3986)."""

from __future__ import annotations

import re
from typing import Any, Final

from solon.lang.budget import spend
from solon.lang.rego.builtins.registry import Builtin, string
from solon.lang.rego.errors import BuiltinError
from solon.lang.values import Value

_URI: Final = re.compile(
    r"(?:(?P<scheme>[A-Za-z][A-Za-z0-9+.\-]*):)?"
    r"(?://(?:(?P<user>[^/?#@]*)@)?(?P<host>\[[^\]/?#]*\]|[^/?#:@]*)(?::(?P<port>\d*))?(?=[/?#]|$))?"
    r"(?P<path>[^?#]*)(?:\?(?P<query>[^#]*))?(?:#(?P<fragment>.*))?",
    re.DOTALL,
)
_BAD_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")


def _parse(text: str) -> re.Match[str] | None:
    spend(2 * len(text))
    if not text or any(ord(c) < 0x20 or ord(c) == 0x7F for c in text) or _BAD_ESCAPE.search(text):
        return None
    found = _URI.fullmatch(text)
    if found is None or " " in (found["host"] or ""):
        return None
    if not found["scheme"] and ":" in found["path"].partition("/")[0]:
        return None
    return found


def is_valid(value: Value) -> bool:
    return type(value) is str and _parse(value) is not None


def parse(value: Value) -> dict[str, Any]:
    from urllib.parse import unquote

    text = string(value, 1)
    found = _parse(text)
    if found is None:
        raise BuiltinError(f"parse {text!r}: not a URI")
    # `mailto:someone` has no path, but an opaque part
    raw_path = (
        found["path"] if not found["scheme"] or found["host"] is not None or found["path"][:1] == "/" else ""
    )
    host = (found["host"] or "").strip("[]")
    out: dict[str, Any] = {
        "scheme": (found["scheme"] or "").lower(),
        "hostname": host,
        "port": found["port"] or "",
        "path": unquote(raw_path),
        "raw_path": raw_path,
        "raw_query": found["query"] or "",
        "fragment": unquote(found["fragment"] or ""),
    }
    return {name: part for name, part in out.items() if part}


BUILTINS = (
    Builtin("uri.is_valid", "(string) -> boolean", is_valid),
    Builtin("uri.parse", "(string) -> object[string: string]", parse),
)
