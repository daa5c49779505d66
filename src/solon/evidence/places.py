"""Where the files that a release names lie: never outside of its directory."""

from __future__ import annotations

import os


class Outside(ValueError):
    """A path that leads out of the directory it must stay in."""


def inside(root: str, path: str) -> str:
    """The whole path. Raises Outside for an absolute one, and for one that leads out, by ``..`` or by a link."""
    if not path or os.path.isabs(path) or "\0" in path:
        raise Outside(f"{path!r}: must be a path inside the release")
    whole = os.path.join(root, path)
    real, base = os.path.realpath(whole), os.path.realpath(root)
    if real != base and not real.startswith(base.rstrip(os.sep) + os.sep):
        raise Outside(f"{path}: leads out of the release")
    return os.path.normpath(whole)
