"""Whether CODEOWNERS names somebody for every file of policies."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from solon.frameworks.lint import remark, span_of
from solon.governance import codeowners
from solon.lang.remark import Remark
from solon.lang.source import Span
from solon.subjects.documents import Problem, text_of

_MOST_BYTES = 3 << 20  # what GitHub reads


def remarks(files: Iterable[str], start: str, config: str, named: str = "") -> Iterator[Remark]:
    """``start`` is where to look for CODEOWNERS, upwards; ``config`` is solon.yaml, or nothing without one.

    ``named`` is the file that solon.yaml names, whose paths begin at solon.yaml.
    """
    found = (os.path.dirname(config) or ".", named) if named else _find(start)
    if found is None:
        if config:
            yield remark(
                "policy/no-codeowners",
                "no CODEOWNERS says who approves changes to these policies",
                Span(config, 1, 1),
                f"write one, such as {codeowners.PLACES[0]}; `solon init` does in a new repository",
            )
        return
    root, place = found
    path = os.path.relpath(os.path.join(root, place))
    try:
        with open(path, "rb") as file:
            owners = codeowners.parse(text_of(file.read(_MOST_BYTES)), path)
    except (OSError, Problem) as error:
        problem = error.message if isinstance(error, Problem) else (error.strerror or str(error)).lower()
        yield remark("policy/bad-codeowners", f"cannot be read: {problem}", Span(path, 1, 1))
        return
    for each in owners.problems:
        yield remark("policy/bad-codeowners", each.problem, span_of(each.location), each.hint)
    for name in files:
        inside = os.path.relpath(os.path.realpath(name), os.path.realpath(root))
        if not inside.startswith(os.pardir) and not owners.owners(inside):
            yield remark(
                "policy/unowned-file",
                f"{path} gives this file to nobody",
                Span(name, 1, 1),
                f"add a line such as `/{os.path.dirname(inside) or inside} @organisation/team`",
            )


def _find(start: str) -> tuple[str, str] | None:
    """The root of the repository and the place of its CODEOWNERS."""
    directory = os.path.abspath(start)
    while True:
        for place in codeowners.PLACES:
            if os.path.isfile(os.path.join(directory, place)):
                return directory, place
        above = os.path.dirname(directory)
        if above == directory or os.path.exists(os.path.join(directory, ".git")):
            return None
        directory = above
