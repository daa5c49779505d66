"""What compiled Rego calls while it runs, and the state of one evaluation."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from solon.lang.budget import LONGEST, Budget, Meter, paced, spend
from solon.lang.rego.errors import (
    EVAL_CONFLICT_ERROR,
    BuiltinError,
    EvalError,
    HaltError,
)
from solon.lang.rego.rules import Group, Node
from solon.lang.source import Span
from solon.lang.trace import Trace
from solon.lang.values import (
    UNDEFINED,
    Set,
    Value,
    compare,
    equal,
    items_of,
    key,
    lookup,
    number_text,
    sorted_items,
    sorted_members,
    sorted_values,
    unkey,
)


class _Missing:
    __slots__ = ()

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()  # a document not evaluated yet


@dataclass(frozen=True, slots=True)
class Options:
    """What an evaluation may do, and where it leaves what it says."""

    allowed_hosts: frozenset[str] = frozenset()
    runtime: Mapping[str, Value] = field(default_factory=dict)
    strict: bool = False
    prints: list[str] | None = None
    notes: list[str] | None = None
    covered: set[Any] | None = None


class Run(Meter):
    """What stays the same during one evaluation, `with` or not."""

    __slots__ = ("cache", "now_ns", "options")

    def __init__(self, budget: Budget, options: Options, now_ns: int) -> None:
        Meter.__init__(self, budget)
        self.options = options
        self.now_ns = now_ns
        self.cache: dict[Any, Any] = {}


@dataclass(frozen=True, slots=True)
class Replacement:
    """The function that stands in for another: ``with f as g``."""

    function: Callable[..., Value]
    stateful: bool  # takes the state first


@dataclass(slots=True)
class Linked:
    """What compiled code needs of its program at run time."""

    functions: list[Callable[..., Value]]  # by group index
    groups: Sequence[Group]
    nodes: list[Node]
    sites: list[tuple[str, Callable[[], Span]]]  # (what is called, where)
    sources: Mapping[str, str]
    base: Value  # the program's base documents, which never change
    joins: dict[Any, Any]  # indexes of them: see solon.lang.rego.joins
    trace: Trace | None = None  # where `trace` goes, besides the notes of the evaluation
    blank: list[Any] = field(init=False)  # the documents of the groups, none evaluated yet

    def __post_init__(self) -> None:
        self.blank = [MISSING] * len(self.functions)


_NOTHING: Final[Mapping[Any, Any]] = {}


class State:
    """One evaluation; ``with`` makes a changed copy. Also the Context that built-ins get."""

    __slots__ = ("data", "input", "linked", "memo", "mocks", "overrides", "run")

    def __init__(
        self,
        linked: Linked,
        run: Run,
        input_: Value,
        data: Value,
        overrides: Mapping[tuple[str, ...], Value] = _NOTHING,
        mocks: Mapping[str, Any] = _NOTHING,
    ) -> None:
        self.linked = linked
        self.run = run
        self.input = input_
        self.data = data
        self.memo: list[Any] = linked.blank.copy()
        self.overrides = overrides
        self.mocks = mocks

    # --- the Context of built-ins

    @property
    def now_ns(self) -> int:
        return self.run.now_ns

    @property
    def random(self) -> random.Random:
        # Made when it is first asked for: seeding takes longer than most evaluations.
        generator: random.Random = self.cache.get("random") or self.cache.setdefault(
            "random", random.Random()
        )
        return generator

    @property
    def allowed_hosts(self) -> frozenset[str]:
        return self.run.options.allowed_hosts

    @property
    def runtime(self) -> Mapping[str, Value]:
        return self.run.options.runtime

    @property
    def cache(self) -> dict[Any, Any]:
        return self.run.cache

    def charge(self, steps: int) -> None:
        self.run.charge(steps)

    def long(self, text: str) -> None:
        """Account for a text that compiled code has made."""
        self.run.text(len(text))

    def note(self, text: str) -> None:
        if self.run.options.notes is not None:
            self.run.options.notes.append(text)
        if self.linked.trace is not None:
            self.linked.trace.note(text)

    def print(self, operands: Sequence[Set], render: Callable[[Value], str]) -> None:
        """Record the lines of a ``print``: one for each combination of its operands' values."""
        if self.run.options.prints is not None:
            columns = [[render(v) for v in operand.values()] or ["<undefined>"] for operand in operands]
            for row in itertools.product(*columns):
                line = " ".join(row)
                self.run.text(len(line))
                self.run.options.prints.append(line)

    def cover(self, line: Any) -> None:
        if self.run.options.covered is not None:
            self.run.options.covered.add(line)

    # --- errors

    def failed(self, error: BuiltinError, site: int) -> Any:
        """A built-in raised ``error``: undefined, unless errors are strict."""
        if self.run.options.strict or isinstance(error, HaltError):
            name, span = self.linked.sites[site]
            raise EvalError(error.code, f"{name}: {error}", span(), self.linked.sources) from None
        return UNDEFINED

    def refused(self, function: Callable[..., Value], args: tuple[Value, ...], site: int) -> Any:
        """A C function that stands for a built-in did not take its operands: the built-in says why."""
        try:
            return function(*args)
        except BuiltinError as error:
            return self.failed(error, site)

    def conflict(self, site: int) -> Any:
        message, span = self.linked.sites[site]
        raise EvalError(EVAL_CONFLICT_ERROR, message, span(), self.linked.sources)

    # --- with

    def replaced(self, targets: Sequence[tuple[str, ...]], values: Sequence[Value]) -> State:
        """A copy in which each target has the value: a path from input or data, or a function's name."""
        input_, data = self.input, self.data
        overrides, mocks = dict(self.overrides), dict(self.mocks)
        for (root, *path), value in zip(targets, values, strict=True):
            if root == "input":
                input_ = _patched(input_, path, value)
            elif root == "data":
                data = _patched(data, path, value)
                place = tuple(path)
                for other in [o for o in overrides if o[: len(place)] == place]:
                    del overrides[other]
                overrides[place] = value
            else:
                mocks[path[0]] = value
        return State(self.linked, self.run, input_, data, overrides, mocks)

    def call(self, name: str, original: Replacement, args: tuple[Value, ...]) -> Value:
        """Call a function that a `with` may have replaced."""
        mock = self.mocks.get(name, MISSING)
        if mock is MISSING:
            state, target = self, original
        elif isinstance(mock, Replacement):
            # Inside a replacement nothing is replaced: it may call the original.
            state, target = (
                State(self.linked, self.run, self.input, self.data, self.overrides),
                mock,
            )
        else:
            return mock
        return target.function(state, *args) if target.stateful else target.function(*args)

    # --- documents below data that rules and data define together

    def document(self, node: int) -> Value:
        return self._whole(self.linked.nodes[node])

    def _whole(self, node: Node) -> Value:
        if node.path in self.overrides:
            return self.overrides[node.path]
        if node.group is not None:
            return (
                UNDEFINED if node.group.kind == "function" else self.linked.functions[node.group.index](self)
            )
        base = self._base(node.path)
        merged = dict(base) if type(base) is dict else {}
        self.charge(len(merged))
        for name, child in node.children.items():
            # Where data and a rule define the same document, data is what the whole shows.
            if child.group is not None and name in merged:
                continue
            value = self._whole(child)
            if value is not UNDEFINED:
                merged[name] = value
        return merged

    def _base(self, path: Iterable[str]) -> Value:
        value = self.data
        for name in path:
            value = lookup(value, name)
        return value

    def at(self, node: int) -> Node:
        return self.linked.nodes[node]

    def step(self, place: Any, index: Value) -> Any:
        """One step down from a Node or a value."""
        if type(place) is not Node:
            return lookup(place, index)
        if type(index) is not str:
            return lookup(self._base(place.path), index)
        child = place.children.get(index)
        path = (*place.path, index)
        if path in self.overrides:
            return self.overrides[path]
        if child is None:
            return lookup(self._base(place.path), index)
        return child if child.group is None else self._whole(child)

    def below(self, place: Node) -> list[Value]:
        """What :meth:`step` can go down to from a package."""
        base = self._base(place.path)
        names: list[Value] = list(place.children)
        if type(base) is dict:
            names += [k for k in base if k not in place.children]
        self.charge(len(names))
        return names

    def force(self, place: Any) -> Value:
        return self._whole(place) if type(place) is Node else place


def data_lookup(container: Value, index: Value) -> Value:
    """A fixed number into base data may mean a field, as JSON has no other names."""
    found = lookup(container, index)
    return lookup(container, number_text(index)) if found is UNDEFINED and type(index) is int else found


def _patched(document: Value, path: Sequence[str], value: Value) -> Value:
    """A copy of the document with a value at the path; what is not an object on the way is replaced."""
    if not path:
        return value
    fields = dict(document) if type(document) is dict else {}
    spend(len(fields))
    fields[path[0]] = _patched(fields.get(path[0], UNDEFINED), path[1:], value)
    return fields


# --- iteration


def values(state: State, collection: Value) -> Iterable[Value]:
    """The elements to visit; those of a scalar are none."""
    kind = type(collection)
    if kind is not list and kind is not dict and kind is not Set:
        return ()
    meter = state.run
    meter.left -= len(collection)
    if meter.left < 0:
        if len(collection) > LONGEST:
            meter.left += len(collection)
            return paced(meter, collection if kind is list else collection.values())
        meter.renew()
    return collection if kind is list else collection.values()  # type: ignore[no-any-return]


def items(state: State, collection: Value) -> Iterable[tuple[Any, Value]]:
    """(index, element), or (key or member as :func:`solon.lang.values.key` stores it, element)."""
    kind = type(collection)
    if kind is not list and kind is not dict and kind is not Set:
        return ()
    meter = state.run
    meter.left -= len(collection)
    if meter.left < 0:
        if len(collection) > LONGEST:
            meter.left += len(collection)
            return paced(meter, enumerate(collection) if kind is list else collection.items())
        meter.renew()
    return enumerate(collection) if kind is list else collection.items()


def keys(state: State, place: Any) -> Iterable[Value]:
    """What :meth:`State.step` can go down to from a Node or a value."""
    return state.below(place) if type(place) is Node else [unkey(k) for k, _ in items(state, place)]


# --- iteration in order: keys and members as OPA sorts them, for what ends up in an array


def ordered_values(state: State, collection: Value) -> Iterable[Value]:
    if type(collection) is list:
        return values(state, collection)
    return [element for _, element in ordered_items(state, collection)]


def ordered_items(state: State, collection: Value) -> Iterable[tuple[Value, Value]]:
    if type(collection) is list:
        return items(state, collection)
    below = _in_order(collection)
    state.charge(len(below))
    return below


def _in_order(collection: Value) -> list[tuple[Value, Value]]:
    """What :func:`items_of` gives, in order."""
    kind = type(collection)
    if kind is dict:
        return sorted_items(collection)
    if kind is Set:
        return [(member, member) for member in sorted_members(collection)]
    return items_of(collection)


def ordered_keys(state: State, place: Any) -> Iterable[Value]:
    if type(place) is Node:
        return sorted_values(state.below(place))
    return [k for k, _ in ordered_items(state, place)]


def ordered_walk(state: State, document: Value) -> Iterator[tuple[list[Value], Value]]:
    return _walk(state, document, _in_order)


# --- comparison


def less(a: Value, b: Value) -> bool:
    kind = type(a)
    if kind is type(b) and (kind is int or kind is str or kind is float):
        return bool(a < b)
    return compare(a, b) < 0


def less_equal(a: Value, b: Value) -> bool:
    kind = type(a)
    if kind is type(b) and (kind is int or kind is str or kind is float):
        return bool(a <= b)
    return compare(a, b) <= 0


# --- building values


def put(state: State, target: dict[Any, Value], index: Value, value: Value, site: int) -> None:
    """Set a key of an object that rules or a comprehension build; another value there is a conflict."""
    stored = index if type(index) is str else key(index)
    present = target.setdefault(stored, value)
    if present is not value and not equal(present, value):
        state.conflict(site)


class Nested:
    """An object that rules with references in their heads build together (``a[x].b[y] := v``).

    Which dicts are parts of the path and which are values is remembered, as writing inside another rule's
    value is a conflict. ``fixed`` are the paths that are there although no rule holds, each with whether a
    set is at its end.
    """

    __slots__ = ("_inner", "_members", "state", "value")

    def __init__(self, state: State, fixed: Sequence[tuple[Sequence[Value], bool]]) -> None:
        self.state = state
        self.value: dict[Any, Value] = {}
        self._inner = {id(self.value)}
        self._members: set[int] = set()
        for path, is_set in fixed:
            if is_set:
                self._set(path, 0)
            else:
                self._down(path, 0)

    def _down(self, path: Sequence[Value], site: int) -> dict[Any, Value]:
        at = self.value
        for part in path:
            below = at.get(key(part), MISSING)
            if below is MISSING:
                below = at[key(part)] = {}
                self._inner.add(id(below))
            elif id(below) not in self._inner:
                self.state.conflict(site)
            at = below
        return at

    def put(self, path: Sequence[Value], value: Value, site: int) -> None:
        at = self._down(path[:-1], site)
        last = key(path[-1])
        present = at.get(last, MISSING)
        if present is MISSING:
            at[last] = value
        elif id(present) in self._inner or id(present) in self._members or not equal(present, value):
            self.state.conflict(site)

    def add(self, path: Sequence[Value], value: Value, site: int) -> None:
        self._set(path, site).add(value)

    def _set(self, path: Sequence[Value], site: int) -> Set:
        at = self._down(path[:-1], site)
        last = key(path[-1])
        members = at.get(last, MISSING)
        if members is MISSING:
            members = at[last] = Set()
            self._members.add(id(members))
        elif id(members) not in self._members:
            self.state.conflict(site)
        return members  # type: ignore[no-any-return]


def template(parts: Sequence[Any], render: Callable[[Value], str], state: State, site: int) -> str:
    """The text of a template string: parts are texts, and sets of the values an expression has."""
    out: list[str] = []
    length = 0
    for literal, value in parts:
        if literal:
            text = value
        elif len(value) > 1:
            state.conflict(site)
        else:
            text = render(next(iter(value.values()))) if value else "<undefined>"
        length += len(text)
        out.append(text)
    state.run.text(length)
    return "".join(out)


def walk(state: State, document: Value) -> Iterator[tuple[list[Value], Value]]:
    """(path, value) of everything in a document, the document itself first."""
    return _walk(state, document, items_of)


def _walk(
    state: State, document: Value, visit: Callable[[Value], list[tuple[Value, Value]]]
) -> Iterator[tuple[list[Value], Value]]:
    stack: list[tuple[list[Value], Value]] = [([], document)]
    while stack:
        path, value = stack.pop()
        yield path, value
        below = visit(value)
        if below:
            state.charge(len(below) * (1 + len(path) // 8))
            stack.extend(([*path, index], element) for index, element in reversed(below))
