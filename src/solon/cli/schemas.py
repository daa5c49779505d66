"""The JSON Schemas that policies are checked against before anything is judged (``--schema``)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from solon.cli.errors import UsageError
from solon.subjects.discover import read_bytes
from solon.subjects.documents import Problem, decode, text_of


def read(path: str | None) -> dict[tuple[str, ...], Any] | None:
    """The schemas of a directory by their path in it, without the ending; a file's own is that of ``()``."""
    if path is None:
        return None
    if os.path.isfile(path):
        return {(): _document(path)}
    if not os.path.isdir(path):
        raise UsageError(f"{path}: no such file or directory")
    found: dict[tuple[str, ...], Any] = {}
    for file in sorted(Path(path).rglob("*.json")):
        found[file.relative_to(path).with_suffix("").parts] = _document(str(file))
    return found


def _document(path: str) -> Any:
    try:
        documents = list(decode(text_of(read_bytes(path, lambda _size: b""))))
    except Problem as problem:
        raise UsageError(str(problem.at(path))) from None
    if len(documents) != 1:
        raise UsageError(f"{path}: must hold exactly one schema, has {len(documents)}")
    if isinstance(documents[0], Problem):
        raise UsageError(str(documents[0].at(path)))
    return documents[0].value
