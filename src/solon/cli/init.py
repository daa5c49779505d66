"""solon init: a policy repository to start from."""

from __future__ import annotations

import os
from importlib.resources import files
from importlib.resources.abc import Traversable

from solon.cli.errors import UsageError


def run(directory: str) -> int:
    """Write the skeleton; nothing that exists is overwritten. Raises UsageError."""
    wanted = dict(_files(files("solon.cli") / "skeleton", ""))
    present = sorted(name for name in wanted if os.path.lexists(os.path.join(directory, name)))
    if present:
        raise UsageError(f"{os.path.join(directory, present[0])} exists already; choose an empty directory")
    try:
        for name, source in wanted.items():
            path = os.path.join(directory, name)
            os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
            with open(path, "xb") as file:
                file.write(source.read_bytes())
    except OSError as error:
        raise UsageError(f"{directory}: {(error.strerror or str(error)).lower()}") from None
    where = "" if directory == "." else f"cd {directory} && "
    print(f"Wrote {len(wanted)} files to {directory}:")
    for name in sorted(wanted):
        print(f"  {name}")
    print("\nNext:")
    print(f"  {where}solon test          # the policies' own tests")
    print(f"  {where}solon check examples/  # one thing denied, one allowed")
    return 0


def _files(folder: Traversable, place: str) -> list[tuple[str, Traversable]]:
    found: list[tuple[str, Traversable]] = []
    for entry in sorted(folder.iterdir(), key=lambda e: e.name):
        name = os.path.join(
            place, entry.name.replace("dot-", ".") if entry.name.startswith("dot-") else entry.name
        )
        if entry.is_dir():
            if entry.name != "__pycache__":
                found += _files(entry, name)
        else:
            found.append((name, entry))
    return found
