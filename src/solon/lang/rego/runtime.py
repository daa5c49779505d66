"""What compiled Rego calls while it runs, and the state of one evaluation."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from solon.lang.budget import Meter
from solon.lang.rego.errors import (
    EVAL_CONFLICT_ERROR,
    BuiltinError,
    EvalError,
    HaltError,
)
from solon.lang.rego.rules import Group, Node
from solon.lang.source import Span
from solon.lang.values import (
    UNDEFINED,
    Set,
    Value,
    compare,
    equal,
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


@dataclass(slots=True)
class Options:
    """What stays the same during one evaluation, `with` or not."""

    now_ns: int
    allowed_hosts: frozenset[str]
    runtime: Mapping[str, Value]
    strict: bool
    meter: Meter
    prints: list[str]
    notes: list[str]
    covered: set[Any]
    cache: dict[Any, Any] = field(default_factory=dict)


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


class State:
    """One evaluation; ``with`` makes a changed copy. Also the Context that built-ins get."""

    __slots__ = ("charge", "data", "input", "linked", "memo", "mocks", "options", "overrides")

    def __init__(
        self,
        linked: Linked,
        options: Options,
        input_: Value,
        data: Value,
        overrides: dict[tuple[str, ...], Value] | None = None,
        mocks: dict[str, Any] | None = None,
    ) -> None:
        self.linked = linked
        self.options = options
        self.input = input_
        self.data = data
        self.memo: list[Any] = [MISSING] * len(linked.functions)
        self.overrides = overrides or {}
        self.mocks = mocks or {}
        self.charge = options.meter.charge

    # --- the Context of built-ins

    @property
    def now_ns(self) -> int:
        return self.options.now_ns

    @property
    def random(self) -> random.Random:
        # Made when it is first asked for: seeding takes longer than most evaluations.
        generator: random.Random = self.cache.get("random") or self.cache.setdefault(
            "random", random.Random()
        )
        return generator

    @property
    def allowed_hosts(self) -> frozenset[str]:
        return self.options.allowed_hosts

    @property
    def runtime(self) -> Mapping[str, Value]:
        return self.options.runtime

    @property
    def cache(self) -> dict[Any, Any]:
        return self.options.cache

    def note(self, text: str) -> None:
        self.options.notes.append(text)

    # --- errors

    def failed(self, error: BuiltinError, site: int) -> Any:
        """A built-in raised ``error``: undefined, unless errors are strict."""
        if self.options.strict or isinstance(error, HaltError):
            name, span = self.linked.sites[site]
            raise EvalError(error.code, f"{name}: {error}", span(), self.linked.sources) from None
        return UNDEFINED

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
        return State(self.linked, self.options, input_, data, overrides, mocks)

    def call(self, name: str, original: Replacement, args: tuple[Value, ...]) -> Value:
        """Call a function that a `with` may have replaced."""
        mock = self.mocks.get(name, MISSING)
        if mock is MISSING:
            state, target = self, original
        elif isinstance(mock, Replacement):
            # Inside a replacement nothing is replaced: it may call the original.
            state, target = State(self.linked, self.options, self.input, self.data, self.overrides), mock
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
        child = place.children.get(index) if type(index) is str else None
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
    fields[path[0]] = _patched(fields.get(path[0], UNDEFINED), path[1:], value)
    return fields


# --- iteration


def values(state: State, collection: Value) -> Iterable[Value]:
    """The elements to visit; those of a scalar are none."""
    kind = type(collection)
    if kind is list:
        state.charge(len(collection))
        return collection  # type: ignore[no-any-return]
    if kind is dict or kind is Set:
        state.charge(len(collection))
        return collection.values()  # type: ignore[no-any-return]
    return ()


def items(state: State, collection: Value) -> Iterable[tuple[Value, Value]]:
    """(index, element), (key, value) or (member, member)."""
    kind = type(collection)
    if kind is list:
        state.charge(len(collection))
        return enumerate(collection)
    if kind is dict:
        state.charge(len(collection))
        return _unkeyed(collection)
    if kind is Set:
        state.charge(len(collection))
        return [(member, member) for member in collection.values()]
    return ()


def _unkeyed(collection: dict[Any, Value]) -> Iterator[tuple[Value, Value]]:
    for stored, value in collection.items():
        yield (stored if type(stored) is str else unkey(stored)), value


def keys(state: State, place: Any) -> Iterable[Value]:
    """What :meth:`State.step` can go down to from a Node or a value."""
    return state.below(place) if type(place) is Node else [k for k, _ in items(state, place)]


# --- iteration in order: keys and members as OPA sorts them, for what ends up in an array


def ordered_values(state: State, collection: Value) -> Iterable[Value]:
    kind = type(collection)
    if kind is Set:
        state.charge(len(collection))
        return sorted_members(collection)
    if kind is dict:
        return [value for _, value in ordered_items(state, collection)]
    return values(state, collection)


def ordered_items(state: State, collection: Value) -> Iterable[tuple[Value, Value]]:
    kind = type(collection)
    if kind is dict:
        state.charge(len(collection))
        return sorted_items(collection)
    if kind is Set:
        return [(member, member) for member in ordered_values(state, collection)]
    return items(state, collection)


def ordered_keys(state: State, place: Any) -> Iterable[Value]:
    if type(place) is Node:
        return sorted_values(state.below(place))
    return [k for k, _ in ordered_items(state, place)]


def ordered_walk(state: State, document: Value) -> Iterator[tuple[list[Value], Value]]:
    return _walk(state, document, ordered_items)


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
    value is a conflict.
    """

    __slots__ = ("_inner", "_members", "state", "value")

    def __init__(self, state: State) -> None:
        self.state = state
        self.value: dict[Any, Value] = {}
        self._inner = {id(self.value)}
        self._members: set[int] = set()

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
        at = self._down(path[:-1], site)
        last = key(path[-1])
        members = at.get(last, MISSING)
        if members is MISSING:
            members = at[last] = Set()
            self._members.add(id(members))
        elif id(members) not in self._members:
            self.state.conflict(site)
        members.add(value)


def template(parts: Sequence[Any], render: Callable[[Value], str], state: State, site: int) -> str:
    """The text of a template string: parts are texts, and sets of the values an expression has."""
    out: list[str] = []
    for literal, value in parts:
        if literal:
            out.append(value)
        elif type(value) is not Set:
            out.append(render(value))
        elif len(value) > 1:
            state.conflict(site)
        else:
            out.append(render(next(iter(value.values()))) if value else "<undefined>")
    return "".join(out)


def printed(operands: Sequence[Set], render: Callable[[Value], str]) -> list[str]:
    """The lines a ``print`` gives: one for each combination of its operands' values."""
    columns = [[render(v) for v in operand.values()] or ["<undefined>"] for operand in operands]
    return [" ".join(row) for row in itertools.product(*columns)]


def walk(state: State, document: Value) -> Iterator[tuple[list[Value], Value]]:
    """(path, value) of everything in a document, the document itself first."""
    return _walk(state, document, items)


def _walk(
    state: State, document: Value, visit: Callable[[State, Value], Iterable[tuple[Value, Value]]]
) -> Iterator[tuple[list[Value], Value]]:
    stack: list[tuple[list[Value], Value]] = [([], document)]
    while stack:
        path, value = stack.pop()
        yield path, value
        below = list(visit(state, value))
        if below:
            stack.extend(([*path, index], element) for index, element in reversed(below))
