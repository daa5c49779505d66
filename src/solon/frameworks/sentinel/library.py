"""Policies, modules and mocks compiled once, and what the imports of a policy stand for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from solon.frameworks.sentinel.configuration import Configuration, Imported, Mock
from solon.frameworks.sentinel.sources import Refused, Sources, root_of
from solon.lang import sentinel
from solon.lang.sentinel import Opening, Program, SentinelError

Imports = Mapping[str, Opening | Program | Any]


class Unusable(Exception):
    """Why a policy cannot be evaluated: every reason, each as it is shown."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(self.problems))


@dataclass(frozen=True, slots=True)
class Linked:
    """A policy, and what its imports stand for: what :meth:`Program.evaluate` needs."""

    program: Program
    imports: Imports
    configs: Mapping[str, Mapping[str, Any]]


@dataclass(slots=True)
class Library:
    """The programs of one run, each compiled once."""

    sources: Sources = field(default_factory=Sources)
    _programs: dict[str, Program | Unusable] = field(default_factory=dict)

    def program(self, path: str) -> Program:
        """The compiled file. Raises Unusable, and Refused where it is not read."""
        held = self._programs.get(path)
        if held is None:
            text = self.sources.text(path)
            try:
                held = sentinel.compile(sentinel.Source(text, path))
            except SentinelError as error:
                held = Unusable([error.render()])
            self._programs[path] = held
        if isinstance(held, Unusable):
            raise held
        return held

    def link(
        self, program: Program, configuration: Configuration, directory: str, standard: Mapping[str, Opening]
    ) -> Linked:
        """The policy with its imports: those of the configuration, of which mocks come first, or ``standard`` ones.

        ``directory`` is where their sources are relative to. What nothing imports is not read. Raises Unusable.
        """
        linking = _Linking(self, configuration, directory, standard)
        linking.follow(program)
        if linking.problems:
            raise Unusable(dict.fromkeys(linking.problems))
        return Linked(program, linking.imports, linking.configs)


class _Linking:
    def __init__(
        self,
        library: Library,
        configuration: Configuration,
        directory: str,
        standard: Mapping[str, Opening],
    ) -> None:
        self._library = library
        self._directory = directory
        self._standard = standard
        self._said: dict[str, Imported | Mock] = {each.name: each for each in configuration.imports}
        self._said |= {each.name: each for each in configuration.mocks}
        self.imports: dict[str, Any] = {}
        self.configs: dict[str, Mapping[str, Any]] = {}
        self.problems: list[str] = []

    def follow(self, program: Program) -> None:
        """Find what a program imports, and what that imports."""
        waiting = [program]
        while waiting:
            at = waiting.pop()
            for wanted in at.file.imports:
                name = wanted.path
                if name not in self._said and name not in self._standard:
                    name = name.partition("/")[0]
                if name in self.imports:
                    continue
                if name not in self._said and name not in self._standard:
                    span = at.file.span(wanted.at, wanted.end)
                    self.problems.append(
                        f'{span}: there is no import "{wanted.path}" (describe it in an import or a mock block)'
                    )
                    continue
                found = self._found(name)
                self.imports[name] = found
                if isinstance(found, Program):
                    waiting.append(found)

    def _found(self, name: str) -> Any:
        said = self._said.get(name)
        try:
            if said is None:
                return self._standard[name]
            if isinstance(said, Mock):
                return said.data if not said.source else self._module(said.source)
            if said.kind == "module":
                return self._module(said.source)
            if said.kind == "static":
                return self._static(said.source)
            return self._plugin(said)
        except Refused as refused:
            assert said is not None
            self.problems.append(refused.told(said.at))
        except Unusable as unusable:
            self.problems += unusable.problems
        return None

    def _module(self, source: str) -> Program:
        return self._library.program(self._library.sources.path(source, self._directory))

    def _static(self, source: str) -> Any:
        sources = self._library.sources
        return sources.value(sources.path(source, self._directory), root_of(self._directory))

    def _plugin(self, said: Imported) -> Opening:
        if said.source or said.name not in self._standard:
            raise Refused(f"the plugin {said.name!r} is not run", "give it as a mock, or as a module")
        self.configs[said.name] = said.config
        return self._standard[said.name]
