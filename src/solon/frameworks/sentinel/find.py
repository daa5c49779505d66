"""Where policy sets are: directories with a ``sentinel.hcl``, or with policies."""

from __future__ import annotations

import os
from typing import Final

from solon.frameworks.sentinel.sources import EXTENSION
from solon.subjects.discover import SKIPPED

CONFIGURATIONS: Final = ("sentinel.hcl", "sentinel.json")


def find(path: str) -> list[str]:
    """The policy sets of a path: a policy, or the directories in and below it that have a configuration.

    A directory without any is a set if policies lie in it.
    """
    if not os.path.isdir(path):
        return [path] if path.endswith((EXTENSION, *CONFIGURATIONS)) else []
    found = []
    for at, folders, names in os.walk(path):
        folders[:] = sorted(f for f in folders if not f.startswith(".") and f not in SKIPPED)
        if any(name in names for name in CONFIGURATIONS):
            found.append(at)
    if not found and any(name.endswith(EXTENSION) for name in os.listdir(path)):
        found = [path]
    return found
