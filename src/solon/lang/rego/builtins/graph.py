"""graph.reachable, graph.reachable_paths, and walk where it is called by name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

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
    """Every longest path from the initial vertices that visits no vertex twice."""
    obj(graph, 1)
    out = Set()
    todo: list[list[Any]] = [[key(vertex)] for vertex in _vertices(initial, 2)]
    while todo:
        path = todo.pop()
        context.charge(len(path))
        last = path[-1]
        if last not in graph:
            # An edge to a vertex that is not in the graph ends the path before it.
            out.add([unkey(vertex) for vertex in path[:-1]])
            continue
        below = [vertex for vertex in _edges(graph, last) if vertex not in path]
        if not below:
            out.add([unkey(vertex) for vertex in path])
        todo.extend([*path, vertex] for vertex in below)
    return out


def walk(document: Value) -> list[list[Value]]:
    out: list[list[Value]] = []
    stack: list[tuple[list[Value], Value]] = [([], document)]
    while stack:
        path, value = stack.pop()
        out.append([path, value])
        stack.extend(([*path, index], element) for index, element in reversed(items_of(value)))
    return out


BUILTINS = (
    Builtin("graph.reachable", "(object[any: any], array[any]|set[any]) -> set[any]", reachable, contextual=True),
    Builtin(
        "graph.reachable_paths", "(object[any: any], array[any]|set[any]) -> set[array[any]]", reachable_paths,
        contextual=True,
    ),
    Builtin("walk", "(any) -> array[any]", walk),
)  # fmt: skip
