"""Policy sets: the policies that a ``sentinel.hcl`` lists, or those of a directory without one."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from solon.frameworks.policy import Policy, PolicySet, Stage
from solon.frameworks.sentinel.configuration import (
    Configuration,
    Level,
    PolicyEntry,
    convert,
    is_configuration,
    overridden,
    read,
)
from solon.frameworks.sentinel.find import CONFIGURATIONS
from solon.frameworks.sentinel.hcl import Body
from solon.frameworks.sentinel.judge import Judge, Session
from solon.frameworks.sentinel.library import Library, Unusable
from solon.frameworks.sentinel.sources import EXTENSION, Refused, root_of
from solon.frameworks.sentinel.terraform import NAMES
from solon.frameworks.sentinel.terraform.view import map_of
from solon.lang.sentinel import Opening
from solon.lang.sentinel.imports import STANDARD
from solon.subjects.subject import Location, Subject
from solon.subjects.terraform import PLAN

_STAGES: Final = {Level.ADVISORY: Stage.WARN, Level.SOFT: Stage.ENFORCE, Level.HARD: Stage.ENFORCE}
# import -> what it stands for, and where a plan has it
_PARTS: Final = {"tfstate/v2": ("state", "prior_state"), "tfconfig/v2": ("configuration", "configuration")}
_SEVERITIES: Final = ("low", "medium", "high", "critical")

# What a comment at the top says besides the description: `# severity: high`.
_NOTE: Final = re.compile(r"(title|severity|owner|controls|remediation)\s*:\s*(\S.*)", re.IGNORECASE)


def load(
    path: str,
    *,
    within: str = "",
    name: str = "",
    params: Mapping[str, Any] | None = None,
    copies: Mapping[str, str] | None = None,
) -> tuple[PolicySet | None, list[str]]:
    """The policies of a directory, a configuration or a single file, and everything that is wrong with them.

    A set below ``within``, which is called ``name``, has the way to it in its own name, and in those of its policies.
    ``params`` come before those of the files; ``copies`` are those of remote sources.
    """
    loading = _Loading(path, within or path, name or within or path)
    loading.params = params or {}
    loading.library.sources.copies = copies or {}
    return loading.load()


class _Loading:
    def __init__(self, path: str, within: str, name: str) -> None:
        self._path = path
        self._directory = path if os.path.isdir(path) else os.path.dirname(path)
        inside = os.path.relpath(path, within).replace(os.sep, "/")
        self._name = name if inside == "." else f"{name}/{inside}"
        self._prefix = "" if inside == "." else f"{inside}/"
        self.params: Mapping[str, Any] = {}
        self.library = Library()
        self._problems: list[str] = []

    def load(self) -> tuple[PolicySet | None, list[str]]:
        configuration = self._configuration()
        if self._problems:
            return None, self._problems
        session = Session(self._known(configuration))
        policies = [
            policy
            for entry in configuration.policies
            if (policy := self._policy(entry, configuration, session))
        ]
        if self._problems:
            return None, list(dict.fromkeys(self._problems))
        sources = self.library.sources
        name = f"sentinel:{self._name}"
        return PolicySet(name, sources.revision, policies, _candidates(policies), sources.read), []

    def _known(self, configuration: Configuration) -> Mapping[str, Any]:
        """The state and the configuration that plugins are configured with, for plans that have none."""
        sources, found = self.library.sources, {}
        for each in configuration.imports:
            part = _PARTS.get(each.name) if each.kind == "plugin" else None
            path = each.config.get("path")
            if part is None or not isinstance(path, str):
                continue
            try:
                file = sources.path(path, self._directory)
                document = map_of(sources.value(file, root_of(self._directory)))
            except Refused as refused:
                self._problems.append(refused.told(each.at))
                continue
            found[part[0]] = map_of(document.get(part[1], document))
        return found

    def _configuration(self) -> Configuration:
        """What the files say; a set without any has the policies that lie there, which advise."""
        body = Body()
        for file in self._files():
            try:
                text = self.library.sources.configuration(file)
            except Refused as refused:
                self._problems.append(str(refused))
                continue
            said, problems = read(text, file)
            if os.path.basename(file) not in CONFIGURATIONS and not is_configuration(said):
                continue  # HCL of another tool
            self._problems += map(str, problems)
            if _overrides(file):
                body = overridden(body, said)
            else:
                body = Body({**body.attributes, **said.attributes}, [*body.blocks, *said.blocks])
        found, problems = convert(body)
        self._problems += map(str, problems)
        # Mocks are for tests: what is judged is there.
        policies = found.policies
        if self._path.endswith(EXTENSION):
            policies = [each for each in policies if self._is_named(each)]
        return replace(found, mocks=(), policies=policies or list(self._unlisted()))

    def _is_named(self, entry: PolicyEntry) -> bool:
        file = os.path.normpath(os.path.join(self._directory, entry.source))
        return file == os.path.normpath(self._path)

    def _files(self) -> list[str]:
        if os.path.isfile(self._path) and not self._path.endswith(EXTENSION):
            return [self._path]
        present = sorted(os.listdir(self._directory or os.curdir))
        first = next((name for name in CONFIGURATIONS if name in present), None)
        if first is None:
            return []
        names = [n for n in present if n.endswith(".hcl") and not n.startswith(".") and n != "policies.hcl"]
        if first not in names:
            names.append(first)
        names.sort(key=_overrides)
        return [os.path.join(self._directory, name) for name in names]

    def _unlisted(self) -> Iterator[PolicyEntry]:
        """The policies of a directory, where no configuration lists any; files without ``main`` are modules or mocks."""
        named = os.path.basename(self._path) if self._path.endswith(EXTENSION) else ""
        for name in [named] if named else sorted(os.listdir(self._directory)):
            file = os.path.join(self._directory, name)
            if name.endswith(EXTENSION) and (named or self._has_main(file)):
                yield PolicyEntry(
                    name.removesuffix(EXTENSION), name, Level.ADVISORY, {}, Location(os.path.normpath(file))
                )

    def _has_main(self, file: str) -> bool:
        """Whether a file is a policy; one that is not even readable may be."""
        try:
            return "main" in self.library.program(os.path.normpath(file)).exports
        except (Refused, Unusable):
            return True

    def _policy(self, entry: PolicyEntry, configuration: Configuration, session: Session) -> Policy | None:
        sources = self.library.sources
        try:
            file = sources.path(entry.source, self._directory)
            program = self.library.program(file)
            linked = self.library.link(program, configuration, self._directory, _KNOWN)
        except Refused as refused:
            self._problems.append(refused.told(entry.at))
            return None
        except Unusable as unusable:
            self._problems += unusable.problems
            return None
        params = {**configuration.params, **entry.params, **self.params}
        given = {name: value for name, value in params.items() if name in program.params}
        notes = notes_of(program.description)
        return Policy(
            id=self._prefix + entry.name,
            language="sentinel",
            framework="sentinel",
            source=Location(file, 1, 1),
            stage=_STAGES[entry.level],
            applies=lambda subject, context: subject.kind == PLAN,
            judge=Judge(linked, given, configuration.globals, session),
            title=notes.title,
            description=notes.description,
            severity=notes.severity,
            owner=notes.owner,
            controls=notes.controls,
            remediation=notes.remediation,
            parameters=given or None,
            overridable=entry.level is not Level.HARD,
        )


def _unknown(surroundings: Any, config: Any) -> Any:
    raise NotImplementedError  # a session has its own in the place of these


_KNOWN: Final[Mapping[str, Opening]] = {**STANDARD, **dict.fromkeys(NAMES, _unknown)}


def _overrides(file: str) -> bool:
    name = os.path.basename(file)
    return name == "override.hcl" or name.endswith("_override.hcl")


def _candidates(policies: Sequence[Policy]) -> Any:
    def candidates(subject: Subject) -> Sequence[Policy]:
        return policies if subject.kind == PLAN else ()

    return candidates


@dataclass(frozen=True, slots=True)
class Notes:
    """What the comment at the top of a policy says."""

    title: str = ""
    description: str = ""
    severity: str = "medium"
    owner: str = ""
    controls: tuple[str, ...] = ()
    remediation: str = ""


def notes_of(comment: str) -> Notes:
    """The first line is the title, lines such as ``severity: high`` say the rest, what remains describes."""
    said: dict[str, str] = {}
    prose: list[str] = []
    for line in comment.splitlines():
        note = _NOTE.fullmatch(line.strip())
        if note:
            said[note[1].lower()] = note[2].strip()
        else:
            prose.append(line)
    text = "\n".join(prose).strip()
    first, _, rest = text.partition("\n")
    severity = said.get("severity", "").lower()
    return Notes(
        title=said.get("title", first.strip()),
        description=text if "title" in said else rest.strip(),
        severity=severity if severity in _SEVERITIES else "medium",
        owner=said.get("owner", ""),
        controls=tuple(part for each in said.get("controls", "").split(",") if (part := each.strip())),
        remediation=said.get("remediation", ""),
    )
