"""CODEOWNERS, as GitHub and as GitLab read it: text in, the owners of a path out.

Patterns are kept in a tree of path segments, so that the time a path takes depends on its depth and not on
how many lines the file has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import re2

from solon.subjects.subject import Location, Unreadable

# Where it is looked for; the first that exists counts.
PLACES: Final = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS")

Dialect = Literal["github", "gitlab"]

_TOKEN: Final = re.compile(r"(?:\\.|[^\s\\]|\\$)+")
_SECTION: Final = re.compile(r"\^?\[(?P<name>[^\]]+)\](?:\[\d+\])?(?P<owners>(?:\s.*)?)$")
# @user, @organisation/team, @group/subgroup, GitLab's @@role, and mail addresses.
_OWNER: Final = re.compile(r"@@?[\w.-]+(?:/[\w.-]+)*\Z|[^@\s]+@[^@\s]+\.[^@\s.]+\Z")


@dataclass(slots=True)
class _Node:
    """The patterns that begin with the segments that lead here. Numbers are those of lines; 0 is none."""

    exact: int = 0  # a pattern that ends here, and means this path alone
    covers: int = 0  # one that means this path, and what is below it
    inside: int = 0  # one that means what is below, and not the path itself
    names: dict[str, _Node] = field(default_factory=dict)
    suffixes: dict[str, _Node] = field(default_factory=dict)  # of "*.rego": ".rego"
    globs: dict[str, tuple[Any, _Node]] = field(default_factory=dict)
    deep: _Node | None = None  # behind "**": any number of segments
    is_deep: bool = False

    def child(self, segment: str, ranges: bool) -> _Node:
        """The node behind a segment of a pattern, made where there is none. Raises re2.error."""
        if segment == "**":
            self.deep = self.deep or _Node(is_deep=True)
            return self.deep
        plain = _plain(segment, ranges)
        if plain is not None:
            return self.names.setdefault(plain, _Node())
        rest = _plain(segment[1:], ranges) if segment[0] == "*" else None
        if rest and rest[0] == ".":
            return self.suffixes.setdefault(rest, _Node())
        if segment not in self.globs:
            self.globs[segment] = (_regex(segment, ranges), _Node())
        return self.globs[segment][1]

    def after(self, segment: str) -> Iterator[_Node]:
        """The nodes behind a segment of a path."""
        if self.is_deep:
            yield self
        if segment in self.names:
            yield self.names[segment]
        if self.suffixes:
            dot = segment.find(".")
            while dot >= 0:
                if segment[dot:] in self.suffixes:
                    yield self.suffixes[segment[dot:]]
                dot = segment.find(".", dot + 1)
        for pattern, node in self.globs.values():
            if pattern.match(segment):
                yield node


@dataclass(slots=True)
class _Section:
    """The lines under one header of GitLab; of GitHub there is one. Owners are by line."""

    default: tuple[str, ...] = ()
    root: _Node = field(default_factory=_Node)
    excluded: _Node = field(default_factory=_Node)
    owners: dict[int, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CodeOwners:
    """What a CODEOWNERS file says; a line that is in ``problems`` counts for nothing, as with GitHub."""

    dialect: Dialect
    sections: tuple[_Section, ...]
    problems: tuple[Unreadable, ...] = ()

    def owners(self, path: str) -> tuple[str, ...]:
        """The owners of a path, relative to the repository, with `/`; none where nobody is named.

        The last line that matches counts; in GitLab's files the last of each section, together.
        """
        segments = [segment for segment in path.split("/") if segment not in ("", ".")]
        found: dict[str, None] = {}
        for section in self.sections:
            line = _last_match(section.root, segments)
            if line and not _last_match(section.excluded, segments):
                found.update(dict.fromkeys(section.owners[line]))
        return tuple(found)


def parse(text: str, file: str = "CODEOWNERS") -> CodeOwners:
    """Read a file. It is GitLab's where it is named so, or has the header of a section."""
    lines = [line.strip() for line in text.removeprefix("\ufeff").split("\n")]
    gitlab = ".gitlab" in file.split("/") or any(_SECTION.match(line) for line in lines)
    sections: dict[str, _Section] = {"": _Section()}
    section = sections[""]
    problems: list[Unreadable] = []
    for number, line in enumerate(lines, 1):
        if not line or line[0] == "#":
            continue
        header = _SECTION.match(line) if gitlab else None
        try:
            if header is not None:
                section = sections.setdefault(header["name"].strip().casefold(), _Section())
                section.default = _owners(_words(header["owners"])) or section.default
            else:
                _add(section, number, line, gitlab)
        except _Wrong as wrong:
            problems.append(Unreadable(Location(file, number, 1), wrong.problem, wrong.hint))
    return CodeOwners("gitlab" if gitlab else "github", tuple(sections.values()), tuple(problems))


class _Wrong(Exception):
    def __init__(self, problem: str, hint: str) -> None:
        super().__init__(problem)
        self.problem, self.hint = problem, hint


def _add(section: _Section, number: int, line: str, gitlab: bool) -> None:
    """Raises _Wrong."""
    pattern, *rest = _words(line) or [""]
    excluding = pattern.startswith("!")
    if excluding:
        if not gitlab:
            raise _Wrong(
                "GitHub has no patterns that begin with !", "write the path without owners in a later line"
            )
        pattern = pattern[1:]
    owners = _owners(rest)
    root = section.excluded if excluding else section.root
    try:
        _insert(root, pattern, number, gitlab)
    except re2.error:
        raise _Wrong(f"not a pattern: {pattern}", "a range is written [a-z]") from None
    section.owners[number] = owners or section.default


def _words(line: str) -> list[str]:
    """What stands in a line before a comment; a space behind a backslash is part of a word."""
    words: list[str] = []
    for word in _TOKEN.findall(line):
        if word[0] == "#":
            break
        words.append(word)
    return words


def _owners(words: list[str]) -> tuple[str, ...]:
    for word in words:
        if not _OWNER.match(word):
            raise _Wrong(f"not an owner: {word}", "owners are @user, @organisation/team or a mail address")
    return tuple(dict.fromkeys(words))


def _insert(root: _Node, pattern: str, number: int, gitlab: bool) -> None:
    """Put a pattern in the tree. Raises _Wrong, re2.error."""
    segments = [segment for segment in pattern.split("/") if segment]
    if not segments or "***" in pattern:
        raise _Wrong(f"not a pattern: {pattern}", "name a path, such as /policy/ or *.rego")
    inside = pattern.endswith("/")
    # With GitHub a pattern of several segments begins at the root, as in .gitignore; with GitLab only `/…` does.
    if not pattern.startswith("/") and (gitlab or len(segments) == 1):
        segments.insert(0, "**")
    while segments and segments[-1] == "**":
        inside = True
        segments.pop()
    node = root
    for segment in segments:
        if not (segment == "**" and node.is_deep):
            node = node.child(segment, gitlab)
    if inside:
        node.inside = number
    elif gitlab or segments[-1] == "*":
        node.exact = number  # docs/* means the files of docs, and nothing below its folders
    else:
        node.covers = number


def _last_match(root: _Node, segments: list[str]) -> int:
    """The number of the last line that matches a path."""
    best = 0
    states = [root]
    for position, segment in enumerate(segments):
        for node in states:
            best = max(best, node.covers, node.inside)
        reached: dict[int, _Node] = {}
        for node in states:
            for start in (node, node.deep) if node.deep is not None else (node,):
                for following in start.after(segment):
                    reached[id(following)] = following
        states = list(reached.values())
        if position == len(segments) - 1:
            best = max([best, *(max(node.exact, node.covers) for node in states)])
    return best


def _plain(segment: str, ranges: bool) -> str | None:
    """The name a segment stands for; None where it has wildcards."""
    name, position = "", 0
    while position < len(segment):
        char = segment[position]
        if char == "\\" and position + 1 < len(segment):
            position += 1
            char = segment[position]
        elif char in "*?" or (ranges and char == "["):
            return None
        name += char
        position += 1
    return name


def _regex(segment: str, ranges: bool) -> Any:
    """Raises re2.error."""
    pattern, position = "", 0
    while position < len(segment):
        char = segment[position]
        position += 1
        if char == "\\" and position < len(segment):
            pattern += re2.escape(segment[position])
            position += 1
        elif char == "*":
            pattern += "" if pattern.endswith(".*") else ".*"
        elif char == "?":
            pattern += "."
        elif char == "[" and ranges:
            end = segment.find("]", position + 1)
            if end < 0:
                raise re2.error("no ] follows")
            inner = segment[position:end].replace("\\", "\\\\").replace("[", "\\[")
            pattern += f"[{'^' + inner[1:] if inner[0] in '!^' else inner}]"
            position = end + 1
        else:
            pattern += re2.escape(char)
    return re2.compile(f"(?s){pattern}\\z")
