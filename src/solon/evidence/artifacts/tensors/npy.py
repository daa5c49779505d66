"""Arrays of numpy (``.npy``): a header of Python text, and plain numbers; or a pickle, where the type has objects.

NEP 1 and ``numpy.lib.format``. The header is read as a literal, as numpy does, and never evaluated.
"""

from __future__ import annotations

import ast
import math
import re
from typing import Any, Final

from solon.evidence.artifacts.limits import Broken, Limits
from solon.evidence.artifacts.pickles import read as pickles
from solon.evidence.artifacts.source import Inflated, Place, Source
from solon.evidence.artifacts.told import Told, shown

MAGIC: Final = b"\x93NUMPY"
# numpy itself refuses longer ones.
_MAX_HEADER: Final = 10_000
_PLAIN: Final = re.compile(r"[<>=|]?([biufcSaUVmM?])(\d*)(?:\[\w+\])?\Z")


def read(source: Source, limits: Limits) -> Told:
    """Raises Broken and TooMuch."""
    told = Told("npy")
    stream = source.stream()
    stream.exactly(len(MAGIC))
    major, minor = stream.exactly(2)
    if (major, minor) not in ((1, 0), (2, 0), (3, 0)):
        return told.unknown(f"version {major}.{minor}, which is not known")
    length = int.from_bytes(stream.exactly(2 if major == 1 else 4), "little")
    if length > _MAX_HEADER:
        return told.unknown(f"a header of {length} bytes; numpy takes {_MAX_HEADER}")
    fields = _literal(stream.exactly(length))
    descr, shape = fields.get("descr"), fields.get("shape")
    if not isinstance(shape, tuple) or not all(type(n) is int and 0 <= n < 1 << 63 for n in shape):
        raise Broken("a shape that is none")
    told.header = {"dtype": shown(str(descr), 200), "shape": list(shape)}
    begin = stream.position
    if has_objects(descr):
        found = pickles.read(_rest(source, begin), limits)
        found.format, found.bytes = "npy", begin + found.bytes
        found.reasons.insert(0, "an array of objects: its content is a pickle")
        found.header = told.header
        return found
    size = _bytes_of(descr)
    rest = source.size - begin if source.size is not None else stream.skip(1 << 62)
    told.bytes = begin + rest
    if size is None:
        return told.unknown("a type that is not known")
    expected = math.prod(shape) * size
    if rest < expected:
        return told.unknown(f"truncated: {rest} bytes of numbers, where its shape needs {expected}")
    if rest > expected:
        return told.unknown(f"{rest - expected} bytes follow the array")
    return told


def has_objects(descr: Any, depth: int = 0) -> bool:
    """Whether a type has Python objects in it: numpy unpickles those. What is not understood may have."""
    if isinstance(descr, str):
        return "O" in descr.partition("[")[0]
    if isinstance(descr, tuple) and len(descr) == 2:
        return depth > 16 or has_objects(descr[0], depth + 1)
    if isinstance(descr, list):
        return depth > 16 or any(
            not isinstance(field, tuple) or len(field) < 2 or has_objects(field[1], depth + 1)
            for field in descr
        )
    return True


def _bytes_of(descr: Any) -> int | None:
    """Of one element; None where nobody can tell."""
    if isinstance(descr, str):
        match = _PLAIN.match(descr)
        if match is None:
            return None
        return int(match[2] or 1) * (4 if match[1] == "U" else 1)
    if isinstance(descr, tuple) and len(descr) == 2:
        size, shape = _bytes_of(descr[0]), descr[1]
        shape = shape if isinstance(shape, tuple) else (shape,)
        return size * math.prod(shape) if size is not None and all(type(n) is int for n in shape) else None
    if isinstance(descr, list):
        total = 0
        for field in descr:
            size = _bytes_of((field[1], field[2]) if len(field) > 2 else field[1])
            if size is None:
                return None
            total += size
        return total
    return None


def _literal(header: bytes) -> dict[Any, Any]:
    try:
        fields = ast.literal_eval(header.decode("latin1").strip())
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        raise Broken("a header that is none") from None
    if not isinstance(fields, dict) or set(fields) != {"descr", "fortran_order", "shape"}:
        raise Broken("a header that is none")
    return fields


def _rest(source: Source, begin: int) -> Source:
    if isinstance(source, Place):
        return source.window(begin, source.length)

    def again() -> Any:
        stream = source.stream()
        stream.pass_over(begin)
        return stream.chunks()

    return Inflated(again)
