"""graph.reachable, graph.reachable_paths, and walk where it is called by name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from solon.lang.budget import spend
from solon.lang.rego.builtins.registry import Builtin, Context, obj, wrong_type
from solon.lang.values import Set, Value, items_of, key, unkey


def _vertices(value: Value, position: int) -> Iterable[Value]:
    if type(value) is Set:
        return value.values()
    if type(value) is list:
        return value
    raise wrong_type(value, position, "one of {array, set}")


def _edges(graph: dict[Any, Value], vertex: Any) -> list[Any]:
    below = graph.get(vertex)
    if type(below) is Set:
        return list(below)
    return [key(item) for item in below] if type(below) is list else []


def reachable(context: Context, graph: Value, initial: Value) -> Set:
    obj(graph, 1)
    out = Set()
    todo = [key(vertex) for vertex in _vertices(initial, 2)]
    while todo:
        vertex = todo.pop()
        if vertex in out or vertex not in graph:
            continue
        out[vertex] = unkey(vertex)
        below = _edges(graph, vertex)
        context.charge(len(below) + 1)
        todo.extend(below)
    return out


def reachable_paths(context: Context, graph: Value, initial: Value) -> Set:
    """Paths from the initial vertices to where they end, or first meet what was visited before."""
    obj(graph, 1)
    out = Set()
    for vertex in _vertices(initial, 2):
        start = key(vertex)
        if start not in graph:
            continue
        below = _edges(graph, start)
        if not below:
            out.add([vertex])
        for neighbour in below:
            _follow(context, graph, neighbour, [start], {start}, out)
    return out


def _follow(
    context: Context, graph: dict[Any, Value], first: Any, before: list[Any], visited: set[Any], out: Set
) -> None:
    todo = [(first, before)]
    while todo:
        vertex, path = todo.pop()
        context.charge(len(path))
        if vertex in visited or vertex not in graph:
            out.add([unkey(each) for each in path])
            continue
        visited.add(vertex)
        path = [*path, vertex]
        below = _edges(graph, vertex)
        if not below:
            out.add([unkey(each) for each in path])
        context.charge(len(below))
        todo.extend((neighbour, path) for neighbour in reversed(below))


def walk(document: Value) -> list[list[Value]]:
    out: list[list[Value]] = []
    stack: list[tuple[list[Value], Value]] = [([], document)]
    while stack:
        path, value = stack.pop()
        out.append([path, value])
        below = items_of(value)
        spend(1 + len(below) * (1 + len(path) // 8))
        stack.extend(([*path, index], element) for index, element in reversed(below))
    return out


BUILTINS = (
    Builtin("graph.reachable", "(object[any: array[any]|set[any]], array[any]|set[any]) -> set[any]", reachable, contextual=True),
    Builtin(
        "graph.reachable_paths", "(object[any: array[any]|set[any]], array[any]|set[any]) -> set[array[any]]", reachable_paths,
        contextual=True,
    ),
    Builtin("walk", "(any) -> array<array[any], any>", walk),
)  # fmt: skip
