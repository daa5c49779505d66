"""Joins: the elements of a collection that have a certain value at a path.

Policies say ``some b in input.resources; b.network == a.network`` inside a loop over ``a``. The compiler asks
:func:`matching` for the elements of such a loop. Asked a second time for the same collection and path, it
makes an index, so that the loops together take time in proportion to what they find. The comparison itself
is compiled where the policy has it: an index may leave out only what cannot be equal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from solon.lang.rego.runtime import State
from solon.lang.values import UNDEFINED, Value, key

Visit = Callable[[State, Value], Iterable[Any]]


Paths = tuple[tuple[str, ...], ...]


Cache = dict[Any, Any]


def cache_of_base(state: State, name: str) -> Cache:
    """Where indexes of ``data.name`` are kept: with the program, where it is the program's own."""
    data, base = state.data, state.linked.base
    own = data is base or (
        type(data) is dict and type(base) is dict and name in base and data.get(name) is base[name]
    )
    return state.linked.joins if own else state.run.cache


def matching(
    state: State,
    cache: Cache,
    collection: Value,
    paths: Paths,
    wanted: Any,
    visit: Visit,
    pairs: bool,
) -> Iterable[Any]:
    """What ``visit`` gives of the collection, without elements that have not the wanted values at the paths.

    ``wanted`` is the value's key, or a tuple of keys where there are several paths; ``pairs`` says that
    ``visit`` gives (index, element), and not elements alone.
    """
    where = ("join", id(collection), paths, visit)
    held = cache.get(where)
    if held is None:
        cache[where] = [collection, None]  # holding the collection keeps its id its own
        return visit(state, collection)
    if held[1] is None:
        held[1] = _index(visit(state, collection), paths, pairs)
    found = held[1].get(wanted)
    if found is None:
        return ()
    state.charge(len(found))
    return found  # type: ignore[no-any-return]


def _index(elements: Iterable[Any], paths: Paths, pairs: bool) -> dict[Any, list[Any]]:
    index: dict[Any, list[Any]] = {}
    for element in elements:
        keys = []
        for path in paths:
            at = element[1] if pairs else element
            try:
                for name in path:
                    at = at.get(name, UNDEFINED)
            except AttributeError:
                break
            if at is UNDEFINED:
                break
            keys.append(at if type(at) is str else key(at))
        else:
            index.setdefault(keys[0] if len(keys) == 1 else tuple(keys), []).append(element)
    return index
