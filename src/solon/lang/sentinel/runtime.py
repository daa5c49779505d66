"""The state of one evaluation, and what compiled Sentinel calls while it runs.

The compiled functions of a file share a list ``g``: ``g[0]`` is the :class:`Run`, behind it stand the imports and
variables of the file. A variable that has not been assigned to yet is ``UNSET``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NoReturn

from solon.lang.budget import Budget, Meter, spend
from solon.lang.sentinel import choices
from solon.lang.sentinel.operators import shown_type
from solon.lang.sentinel.values import Failure, Function, Surroundings, Undefined, Value, type_of

if TYPE_CHECKING:
    from solon.lang.sentinel.reasons import Reasons

Globals = list[Any]


class _Unset:
    __slots__ = ()

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = _Unset()
_RUNNING: Final = _Unset()  # what a rule or module holds while it is being evaluated


class Run(Meter):
    """What the files of one evaluation share. ``changing``: one of them may change a collection."""

    __slots__ = (
        "changing",
        "configs",
        "copies",
        "depth",
        "forced",
        "imports", "joins",
        "opened",
        "output",
        "owning",
        "reasons", "recursive",
        "surroundings",
    )  # fmt: skip

    def __init__(
        self,
        budget: Budget,
        imports: Mapping[str, Any],
        configs: Mapping[str, Mapping[str, Value]],
        allowed_hosts: frozenset[str],
        now_ns: int,
    ) -> None:
        Meter.__init__(self, budget)
        self.imports = imports
        self.configs = configs
        self.surroundings = Surroundings(now_ns, self, allowed_hosts)
        self.output: list[str] = []
        self.opened: dict[str, Any] = {}
        self.copies: dict[int, tuple[Value, Value]] = {}
        self.joins: dict[Any, Any] = {}  # see solon.lang.sentinel.joins
        self.depth = 0
        self.forced: list[Rule] = []  # the rules that were evaluated
        self.changing = self.owning = self.recursive = False
        self.reasons: Reasons | None = None

    def copied(self, value: Value) -> Value:
        """A copy that may be changed, of a collection that belongs to a document; the same one each time."""
        held = self.copies.get(id(value))
        if held is None:
            held = self.copies[id(value)] = (value, copied(value))
        return held[1]

    def handed_out(self, value: Value) -> Value:
        """A copy of a collection of a module, for who imports it."""
        return copied(value) if self.reasons is None else self.reasons.copied(value)


# --- rules


class Rule:
    """A rule that is evaluated when it is first asked for. ``about`` is (name, span, offset)."""

    __slots__ = ("about", "cells", "g", "reasons", "run", "value")

    def __init__(self, run: Callable[..., Value], about: Any, g: Globals, *cells: Any) -> None:
        self.run = run
        self.about = about
        self.g = g
        self.cells = cells
        self.value: Value = UNSET
        self.reasons: Any = ()  # see solon.lang.sentinel.reasons


def without(condition: Value) -> Value:
    """The value of a rule whose ``when`` does not hold."""
    if condition is False:
        return choices.RULE_WHEN_FALSE == "true"
    if type(condition) is not Undefined:
        raise Failure(f"the condition of a rule must be a bool, not {shown_type(condition)}")
    return condition if choices.RULE_WHEN_UNDEFINED == "undefined" else True


def no_param(name: str) -> NoReturn:
    raise Failure(f"the param {name} is given no value, and has no default")


_RULE_VALUES: Final = frozenset([bool, str, int, float, list, dict, Undefined])


def force(rule: Rule) -> Value:
    value = rule.value
    if value is UNSET:
        rule.value = _RUNNING
        rule.value = value = rule.run(rule.g, *rule.cells)
        if type(value) not in _RULE_VALUES:
            raise Failure(f"the value of a rule must not be {shown_type(value)}", rule.about[1])
        rule.g[0].forced.append(rule)
    elif value is _RUNNING:
        raise Failure(f"the rule {rule.about[0]} depends on itself")
    return value


# --- functions


def func(run: Callable[..., Value], name: str, count: int, g: Globals, *cells: Any) -> Function:
    return Function(name, partial(run, g, *cells), count, count)


def call(function: Value, *arguments: Value) -> Value:
    """Call whatever it is."""
    if type(function) is Function:
        return function(*arguments)
    if type(function) is Undefined:
        return function
    raise Failure(f"{shown_type(function)} is no function")


def miscounted(name: str, least: int, most: int | None, count: int) -> NoReturn:
    Function(name, print, least, most)(*range(count))
    raise AssertionError


def descend(run: Run) -> None:
    """One more call of a function that may call itself."""
    run.depth += 1
    run.charge(1)
    if run.depth > choices.MOST_CALLS:
        raise Failure(f"more than {choices.MOST_CALLS} functions call one another")


# --- loops


def entries(run: Run, collection: Value) -> Iterable[tuple[Any, Value]]:
    """(key, value) or (index, value) of a collection."""
    kind = type(collection)
    if kind is dict or kind is list:
        size = len(collection)
        run.left -= size
        if run.left < 0:
            run.renew(size)
        found = collection.items() if kind is dict else enumerate(collection)
        return list(found) if run.changing else found
    raise Failure(f"there are no elements in {shown_type(collection)}: it must be a list or map")


def elements(run: Run, collection: Value) -> Iterable[Any]:
    """What a loop with one name goes over: the values of a list, the keys of a map."""
    kind = type(collection)
    if kind is dict or kind is list:
        size = len(collection)
        run.left -= size
        if run.left < 0:
            run.renew(size)
        return list(collection) if run.changing else collection
    raise Failure(f"there are no elements in {shown_type(collection)}: it must be a list or map")


def not_iterable(collection: Undefined) -> None:
    """A ``for`` over undefined."""
    if choices.FOR_OVER_UNDEFINED == "error":
        at = f" at {collection.at}" if collection.at else ""
        raise Failure(f"the collection of `for` is undefined: {collection.why}{at}")


# --- copies


def copied(value: Value) -> Value:
    """A copy of a collection and the collections in it."""
    kind = type(value)
    if kind is dict:
        spend(len(value))
        return {name: item if type(item) is str else copied(item) for name, item in value.items()}
    if kind is list:
        spend(len(value))
        return [item if type(item) is str else copied(item) for item in value]
    return value


# --- what a file imports


class Module:
    """What an importer sees of a module: its variables.

    Collections are handed out as copies, where somebody might notice: ``keeps`` says that the module itself changes
    collections that it keeps.
    """

    type_name = "module"

    def __init__(self, exports: Mapping[str, int], g: Globals, keeps: bool) -> None:
        self._exports = exports
        self._g = g
        self._keeps = keeps

    def get(self, name: str, default: Value) -> Value:
        slot = self._exports.get(name)
        value: Value = UNSET if slot is None else self._g[slot]
        if value is UNSET:
            return default
        if type(value) is Rule:
            value = force(value)
        run: Run = self._g[0]
        if not (run.owning or self._keeps):
            return value
        return self._copying(run, value) if type(value) is Function else run.handed_out(value)

    def _copying(self, run: Run, function: Function) -> Function:
        def called(*given: Value) -> Value:
            return run.handed_out(function.run(*given))

        return Function(function.name, called, function.least, function.most)


def opened(g: Globals, path: str) -> Value:
    """What an import gives, opened once in an evaluation."""
    run: Run = g[0]
    found = run.opened.get(path, UNSET)
    if found is _RUNNING:
        raise Failure(f'the import "{path}" imports itself')
    if found is UNSET:
        run.opened[path] = _RUNNING
        found = run.opened[path] = _open(run, path)
    return found


def _open(run: Run, path: str) -> Value:
    from solon.lang.sentinel.program import Program

    given = run.imports.get(path, UNSET)
    if given is UNSET:
        return _gone_into(run, path)
    if isinstance(given, Program):
        return Module(given.exports, given.instance(run), given.code.changes_kept)
    if callable(given) and type(given) is not Function:
        return given(run.surroundings, run.configs.get(path, {}))
    return given


def _gone_into(run: Run, path: str) -> Value:
    """``people/names``: what static data called ``people`` has by the name ``names``."""
    names = path.split("/")
    for count in range(len(names) - 1, 0, -1):
        data = run.imports.get("/".join(names[:count]))
        if type(data) is dict:
            for name in names[count:]:
                data = data.get(name) if type(data) is dict else None
            if data is not None:
                return data
    raise Failure(f'there is no import "{path}"')


def import_value(run: Run, value: Value) -> Value:
    """An import that stands for a value: static data does."""
    if type(value) is dict or type(value) is list:
        return run.copied(value) if run.owning else value
    if not hasattr(value, "get"):
        return value
    raise Failure(f"an import is not a value: {type_of(value)}")
