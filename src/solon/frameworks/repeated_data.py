"""Values written into a policy that a data file has already: the two will not stay the same."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from solon.frameworks.lint import remark
from solon.frameworks.rego_files import DataFile
from solon.lang import rego
from solon.lang.rego import ast
from solon.lang.rego.resolve import walk_all
from solon.lang.rego.rules import Definition
from solon.lang.remark import Remark

FEW: Final = 3  # so many values in common are no accident
_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class _List:
    """A list in a data file, or the keys of an object there."""

    file: str
    path: str
    values: frozenset[str | float]


def lint(program: rego.Program, data: Iterable[DataFile], skip: Collection[str] = ()) -> Iterator[Remark]:
    """Files in ``skip`` are not looked at, such as tests."""
    lists: dict[frozenset[str | float], _List] = {}  # of many alike, such as the keys of records, the first
    for each in data:
        for found in _lists(each.file, ["data", *each.place], each.value):
            lists.setdefault(found.values, found)
    holding: dict[str | float, list[_List]] = {}
    for found in lists.values():
        for value in found.values:
            holding.setdefault(value, []).append(found)
    if not holding:
        return
    for _, definition in program.definitions:
        if definition.module.file in skip:
            continue
        for term in _terms(definition):
            values = _constants(term)
            near = {id(found): found for value in values for found in holding.get(value, ())}
            best = max(near.values(), key=lambda found: len(found.values & values), default=None)
            if best is None:
                continue
            common = best.values & values
            if len(common) >= FEW or (len(values) > 1 and values == best.values):
                shown = sorted(map(str, common))
                more = f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
                yield remark(
                    "policy/repeated-data",
                    f"{', '.join(shown[:_SHOWN])}{more} stand in {best.path} as well ({best.file})",
                    definition.module.span(term.at),
                    f"read {best.path} here, so that there is one list to keep",
                )


def _lists(file: str, path: Sequence[str], value: Any) -> Iterator[_List]:
    inner: list[tuple[Sequence[str], Any]] = []
    members: Collection[Any] = ()
    if isinstance(value, dict):
        members, inner = list(value), [([*path, str(name)], item) for name, item in value.items()]
    elif isinstance(value, list):
        members, inner = value, [([*path, str(index)], item) for index, item in enumerate(value)]
    values = frozenset(each for each in members if _counts(each))
    # The names of fields that every document has are no list; those below a name are.
    if len(values) > 1 and len(path) > 1:
        yield _List(file, ast.written(list(path)), values)
    for place, item in inner:
        if isinstance(item, dict | list):
            yield from _lists(file, place, item)


def _terms(definition: Definition) -> Iterator[ast.Term]:
    terms = [*definition.args, *definition.rest, *ast.present(definition.key, definition.value)]
    terms += [branch.value for branch in definition.elses if branch.value is not None]
    yield from walk_all(terms, [definition.body, *(branch.body for branch in definition.elses)])


def _constants(term: ast.Term) -> frozenset[str | float]:
    """The values of a list or set of constants alone; none of anything else."""
    if not isinstance(term, ast.Array | ast.SetTerm):
        return frozenset()
    values = [item.value for item in term.items if isinstance(item, ast.Scalar)]
    return frozenset(values) if len(values) == len(term.items) and all(map(_counts, values)) else frozenset()


def _counts(value: Any) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)
