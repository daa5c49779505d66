"""``collection``: what works with lists and maps alike. Every result is a list, even of a map."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from solon.lang.budget import spend
from solon.lang.sentinel.imports.declare import ANY, COLLECTION, FUNC, MAP, Namespace, function, named
from solon.lang.sentinel.values import (
    Failure,
    Function,
    Surroundings,
    Undefined,
    Value,
    equals,
    type_of,
)

Call = Callable[..., Value]


def _pairs(items: Value) -> Iterable[tuple[Value, Value]]:
    """(index, element) of a list, (key, value) of a map: as they are now, whatever a function does to it."""
    spend(len(items))
    return list(enumerate(items)) if type(items) is list else list(items.items())


def _called(given: Function, before: int) -> Call:
    """A function that may leave its last parameter out: the index or key, after ``before`` values and an element."""
    if given.most is None or given.most >= before + 2:
        return given
    return lambda *arguments: given(*arguments[:-1])


def _selected(name: str, items: Value, predicate: Function, wanted: bool) -> Value:
    call = _called(predicate, 0)
    out: list[Value] = []
    for key, element in _pairs(items):
        verdict = call(element, key)
        if verdict is wanted:
            out.append(element)
        elif type(verdict) is Undefined:
            return verdict  # as in the language's `filter`: the whole is undefined
        else:
            _boolean(name, verdict)
    return out


def _boolean(name: str, verdict: Value) -> None:
    if type(verdict) is not bool:
        raise Failure(f"{name}: the function must give a boolean, not {type_of(verdict)}")


def filter_(items: Value, predicate: Function) -> Value:
    return _selected("collection.filter", items, predicate, wanted=True)


def reject(items: Value, predicate: Function) -> Value:
    return _selected("collection.reject", items, predicate, wanted=False)


def find(items: Value, predicate: Function) -> Value:
    call = _called(predicate, 0)
    for key, element in _pairs(items):
        verdict = call(element, key)
        if verdict is True:
            return element
        if type(verdict) is Undefined:
            return verdict
        _boolean("collection.find", verdict)
    return Undefined("collection.find: no element is the wanted one")


def matches(items: Value, partial: Value) -> Value:
    return [element for _, element in _pairs(items) if _holds(element, partial)]


def _holds(element: Value, partial: Value) -> bool:
    """Whether it has all that the partial map has; maps within are partial too."""
    if type(partial) is not dict:
        return equals(element, partial)
    if type(element) is not dict:
        return False
    spend(len(partial))
    return all(key in element and _holds(element[key], wanted) for key, wanted in partial.items())


def reduce(items: Value, accumulate: Function, *initial: Value) -> Value:
    call = _called(accumulate, 1)
    pairs = iter(_pairs(items))
    if initial:
        (result,) = initial
    else:
        first = next(pairs, None)
        if first is None:
            return Undefined("collection.reduce: no element and no initial value")
        result = first[1]
    for key, element in pairs:
        result = call(result, element, key)
    return result


_NAMESPACE: Final = Namespace(
    named(
        "collection",
        function("collection.filter", filter_, COLLECTION, FUNC),
        function("collection.find", find, COLLECTION, FUNC),
        function("collection.matches", matches, COLLECTION, MAP),
        function("collection.reduce", reduce, COLLECTION, FUNC, ANY, least=2),
        function("collection.reject", reject, COLLECTION, FUNC),
    )
)


def opened(_surroundings: Surroundings, _config: Mapping[str, Value]) -> Namespace:
    return _NAMESPACE
