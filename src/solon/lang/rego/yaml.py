"""YAML as OPA reads it, for ``yaml.unmarshal`` and annotations: ``yes`` and ``on`` are texts, ``1e3`` is a number."""

from __future__ import annotations

import re
from base64 import b64decode
from datetime import datetime
from functools import cache
from math import inf, isinf
from typing import Any, Final

_TAG: Final = "tag:yaml.org,2002:"
_NUMBER: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
# What may be of a kind, by its first characters. Constructors look closer: what is no number stays a text.
_RESOLVERS: Final = (
    ("timestamp", r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[Tt ][0-9:.]+(?:Z|[-+][0-9]{2}:[0-9]{2})?)?$", "0123456789"),
    ("bool", r"(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("int", r"[-+]?[0-9][0-9a-fA-FxXoObB_]*$", "-+0123456789"),
    ("float", r"[-+]?[0-9.][-+0-9_.eE]*$|[-+]?\.(?:inf|Inf|INF)$|\.(?:nan|NaN|NAN)$", "-+0123456789."),
    ("merge", r"<<$", "<"),
)


def load(text: str, *, dates: bool = False) -> Any:
    """The first document of a text; with ``dates``, a date becomes a full RFC 3339 time. Raises YAMLError."""
    import yaml

    return next(yaml.load_all(text, Loader=_loader(dates)), None)


@cache
def _loader(dates: bool) -> Any:
    import yaml

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        yaml_implicit_resolvers: dict[str, list[Any]] = {}  # noqa: RUF012

    for kind, pattern, starts in _RESOLVERS:
        if dates or kind != "timestamp":
            Loader.add_implicit_resolver(_TAG + kind, re.compile(pattern), list(starts))
    Loader.add_implicit_resolver(_TAG + "null", re.compile(r"(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""])
    Loader.add_constructor(_TAG + "int", lambda loader, node: _integer(loader.construct_scalar(node)))
    Loader.add_constructor(_TAG + "float", lambda loader, node: _float(loader.construct_scalar(node)))
    Loader.add_constructor(_TAG + "timestamp", lambda loader, node: _time(loader.construct_scalar(node)))
    Loader.add_constructor(_TAG + "binary", lambda loader, node: _bytes(loader.construct_scalar(node)))
    Loader.add_constructor(_TAG + "merge", lambda loader, node: loader.construct_scalar(node))
    return Loader


def _bytes(text: str) -> str:
    return b64decode("".join(text.split()), validate=True).decode(errors="replace")


# What YAML 1.1 read as something else.
_OLD: Final = re.compile(
    r"y|Y|yes|Yes|YES|on|On|ON|n|N|no|No|NO|off|Off|OFF|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?"
)


def is_text(plain: str) -> bool:
    """Whether every reader of YAML takes what is written without quotes as text."""
    if _OLD.fullmatch(plain) or re.fullmatch(r"~|null|Null|NULL|", plain):
        return False
    for kind, pattern, starts in _RESOLVERS:
        if plain[0] in starts and re.match(pattern, plain):
            return kind == "merge" or (kind != "bool" and _read(kind, plain) == plain)
    return True


def _read(kind: str, text: str) -> Any:
    try:
        return {"int": _integer, "float": _float, "timestamp": datetime.fromisoformat}[kind](text)
    except ValueError:
        return text if kind == "timestamp" else None


def _integer(text: str) -> int | float | str:
    plain = text.replace("_", "")
    digits = plain.lstrip("+-").lower()
    base = {"0x": 16, "0o": 8, "0b": 2}.get(digits[:2], 8 if digits[:1] == "0" else 10)
    try:
        return int(plain.lower(), base)
    except ValueError:
        return _float(text)


def _float(text: str) -> int | float | str:
    plain = text.replace("_", "")
    if plain.lower().lstrip("+-") in (".inf", ".nan"):
        raise ValueError(f"json: unsupported value: {plain}")
    number = float(plain) if _NUMBER.fullmatch(plain) else inf
    if isinf(number):
        return text
    return int(number) if number.is_integer() else number


def _time(text: str) -> str:
    """``2026-01-31`` -> ``2026-01-31T00:00:00Z``; what is no time stays as it is."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return text
    clock, dot, fraction = at.replace(tzinfo=None).isoformat().partition(".")
    return clock + (dot + fraction.rstrip("0")) + (text[-6:] if at.utcoffset() else "Z")
