"""Compiling Sentinel and asking the compiled program."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from solon.lang.budget import Budget
from solon.lang.sentinel import ast
from solon.lang.sentinel.errors import CHECK_ERROR, SentinelError
from solon.lang.sentinel.parser import parse
from solon.lang.sentinel.result import Result
from solon.lang.sentinel.values import Opening, Value
from solon.lang.source import Diagnostic


@dataclass(frozen=True, slots=True)
class Source:
    """The text of a policy or module, and the name of its file."""

    text: str
    file: str


def compile(source: Source, *, imports: Collection[str] | None = None) -> Program:
    """Compile a policy or module. Raises SentinelError with every error found.

    ``imports`` are the imports there are; another one is then an error. None: they are not known yet.
    """
    file = parse(source.text, source.file)
    if imports is not None:
        check_imports(file, imports)
    return Program(file)


def check_imports(file: ast.File, known: Collection[str]) -> None:
    """Raise SentinelError where a file imports what there is not."""
    unknown = [
        each for each in file.imports if each.path not in known and each.path.split("/")[0] not in known
    ]
    if unknown:
        raise SentinelError(
            [
                Diagnostic(CHECK_ERROR, f'there is no import "{each.path}"', file.span(each.at, each.end))
                for each in unknown
            ],
            {file.name: file.text},
        )


class Program:
    """A compiled policy or module. Evaluations share nothing, so it may be used from many threads."""

    def __init__(self, file: ast.File) -> None:
        self.file = file
        self.name = file.name

    @property
    def description(self) -> str:
        return self.file.description

    @property
    def rules(self) -> tuple[str, ...]:
        """The names of the rules of the file."""
        raise NotImplementedError

    @property
    def params(self) -> Mapping[str, ast.Param]:
        return {param.name.name: param for param in self.file.params}

    def evaluate(
        self,
        *,
        imports: Mapping[str, Opening | Program | Value],
        configs: Mapping[str, Mapping[str, Value]] | None = None,
        params: Mapping[str, Value] | None = None,
        globals: Mapping[str, Value] | None = None,
        allowed_hosts: frozenset[str] = frozenset(),
        budget: Budget | None = None,
        now_ns: int = 0,
    ) -> Result:
        """Evaluate the policy.

        ``imports`` gives for each path what it stands for: an Opening (called with its configuration of
        ``configs``), a Program (a module, or a mock), or a value (static data). Of a path that is not there, such as
        ``people/names``, the first part may be static data that is gone into.
        """
        raise NotImplementedError
