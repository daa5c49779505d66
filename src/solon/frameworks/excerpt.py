"""The lines of a file that a policy is written in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from solon.lang.rego import RegoError, ast
from solon.lang.rego.parser import parse_either

_MOST: Final = 40  # lines of one policy
Lines = list[tuple[int, str]]


def excerpt(text: str, file: str, policy: str, line: int) -> Lines:
    """Numbered lines: of Rego the rules of that id; of another file the document that begins at ``line``."""
    lines = text.splitlines()
    spans = list(_rules(text, file, policy)) if file.endswith(".rego") else []
    numbers: list[int] = []
    for first, last in spans or [(max(line, 1), _end(lines, max(line, 1)))]:
        numbers += [number for number in range(first, last + 1) if number not in numbers]
    return [(number, lines[number - 1]) for number in numbers[:_MOST] if number <= len(lines)]


def _rules(text: str, file: str, policy: str) -> Iterator[tuple[int, int]]:
    """First and last line of each definition."""
    try:
        module = parse_either(file, text)
    except RegoError:
        return
    for rule in module.rules:
        if (
            ast.written(["data", *module.package, rule.name, *ast.fixed_names(rule.head.path[1:])])
            == f"data.{policy}"
        ):
            yield module.span(rule.at).row, module.span(max(rule.end - 1, rule.at)).row


def _end(lines: list[str], first: int) -> int:
    """The last line of a YAML document."""
    for number in range(first + 1, len(lines) + 1):
        if lines[number - 1].startswith("---"):
            return number - 1
    return len(lines)
