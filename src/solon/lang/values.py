"""The values policies compute with.

JSON documents are used as they are: ``None``, ``bool``, ``int``, ``float``, ``str``, ``list`` and
``dict``. Two things JSON does not have are added:

- :class:`Set`, a dict from each member's key to the member;
- :class:`Key`, which stands in for a dict key or set member that Python could not hash, or would
  confuse with another (``hash(True) == hash(1)``). Strings, numbers and null are their own keys.

Values are never changed once they are built. Ordering is Rego's: null < boolean < number < string
< array < object < set, each type ordered by its content.

A value may hold another many times: small in memory, it can be endless to whoever walks it. So what walks
values charges the evaluation that is running (:func:`solon.lang.budget.spend`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, Final

from solon.lang.budget import spend

Value = Any  # None | bool | int | float | str | list[Value] | dict[Any, Value] | Set | Undefined


class Undefined:
    """The value of a reference to something that does not exist.

    ``get`` lets compiled code follow a path with ``doc.get(a, U).get(b, U)`` and test the result once.
    """

    __slots__ = ()

    def get(self, _key: object, default: Any = None) -> Any:
        return default

    def __repr__(self) -> str:
        return "UNDEFINED"

    def __bool__(self) -> bool:
        return False


UNDEFINED: Final = Undefined()


class Set(dict[Any, Any]):
    """A set of values: key of the member -> the member. Iterate over ``.values()``."""

    __slots__ = ()

    @classmethod
    def of(cls, members: Iterable[Value]) -> Set:
        result = cls()
        for member in members:
            result[member if type(member) is str else key(member)] = member
        return result

    def add(self, member: Value) -> None:
        self[member if type(member) is str else key(member)] = member


class Key:
    """A hashable stand-in for a boolean, array, object or set used as a dict key or set member."""

    __slots__ = ("_hash", "frozen", "value")

    def __init__(self, value: Value) -> None:
        self.value = value
        if type(value) is dict and _FLAT.issuperset(map(type, value.values())):
            self.frozen: Any = frozenset(value.items())
        else:
            self.frozen = _freeze(value)
        self._hash = hash(self.frozen)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if type(other) is not Key or self._hash != other._hash:
            return False
        spend(len(self.frozen))
        return bool(self.frozen == other.frozen)

    def __repr__(self) -> str:
        return f"Key({self.value!r})"


_TRUE: Final = ("bool", True)
_FALSE: Final = ("bool", False)
_FLAT: Final = frozenset([str, int, float, type(None)])  # the types whose values are their own keys
_CONTAINERS: Final = frozenset([list, dict, Set])
_LONG: Final = 1000  # characters
_MAX_BITS: Final = 14_000  # Python writes no int of more than 4,300 digits
_FEW: Final = 32  # elements; what C does with fewer need not be charged
_SHALLOW: Final = 2  # levels; few elements of few elements of few are not many


def _freeze(value: Value, depth: int = 0) -> Any:
    kind = type(value)
    if kind is bool:
        return _TRUE if value else _FALSE
    if kind is not list and kind is not dict and kind is not Set:
        return value
    if depth > _SHALLOW or len(value) > _FEW:
        spend(len(value))
    if kind is list:
        parts: list[Any] = ["array"]
        for item in value:
            parts.append(item if type(item) is str else _freeze(item, depth + 1))  # noqa: PERF401
        return tuple(parts)
    if kind is Set:
        return ("set", frozenset(value))
    if _FLAT.issuperset(map(type, value.values())):
        return frozenset(value.items())
    fields = set()
    for k, v in value.items():
        fields.add((k, v if type(v) is str else _freeze(v, depth + 1)))
    return frozenset(fields)


def key(value: Value) -> Any:
    """The dict key that stands for ``value``; the inverse of :func:`unkey`."""
    kind = type(value)
    if kind is str or kind is int or kind is float or value is None:
        return value
    return Key(value)


def unkey(stored: Any) -> Value:
    """The value that a dict key or set key stands for."""
    return stored.value if type(stored) is Key else stored


def lookup(container: Value, index: Value) -> Value:
    """``container[index]`` as a policy means it: an element, a field, a member, or UNDEFINED."""
    kind = type(container)
    if kind is dict or kind is Set:
        return container.get(index if type(index) is str else key(index), UNDEFINED)
    if kind is list:
        at = type(index)
        if at is float and index.is_integer():
            index = int(index)
        elif at is not int:
            return UNDEFINED
        if 0 <= index < len(container):
            return container[index]
    return UNDEFINED


def equal(a: Value, b: Value) -> bool:
    """Deep equality in which values of different types are never equal (``1 != true``, ``1 == 1.0``)."""
    if a is b:
        return True
    kind = type(a)
    if kind is str:
        return bool(a == b)
    if kind is list or kind is dict or kind is Set:
        return kind is type(b) and len(a) == len(b) and _same(a, b, kind)
    return bool(a == b) and (kind is type(b) or (kind is not bool and type(b) is not bool))


def _same(a: Value, b: Value, kind: type) -> bool:
    """Equality of two containers of one type and length."""
    if len(a) > _FEW:
        spend(len(a))
    if kind is Set:
        return bool(a.keys() == b.keys())
    if kind is list:
        if len(a) > _FEW and _FLAT.issuperset(map(type, a)) and _FLAT.issuperset(map(type, b)):
            return bool(a == b)
        pairs: Iterable[tuple[Value, Value]] = zip(a, b, strict=True)
    else:
        if a.keys() != b.keys():
            return False
        pairs = ((item, b[k]) for k, item in a.items())
    for item, other in pairs:
        if item is other:
            continue
        if type(item) in _CONTAINERS:
            spend(1)
        if not equal(item, other):
            return False
    return True


def member(value: Value, collection: Value) -> bool:
    """``value in collection``."""
    kind = type(collection)
    if kind is Set:
        return (value if type(value) is str else key(value)) in collection
    if kind is list:
        if len(collection) > _FEW:
            spend(len(collection))
        if type(value) is str:
            return value in collection
        return any(equal(value, other) for other in collection)
    if kind is dict:
        if len(collection) > _FEW:
            spend(len(collection))
        return any(equal(value, other) for other in collection.values())
    return False


def member_at(index: Value, value: Value, collection: Value) -> bool:
    """``index, value in collection``."""
    found = lookup(collection, index)
    return found is not UNDEFINED and equal(found, value)


_RANK: Final[dict[type, int]] = {
    type(None): 0, bool: 1, int: 2, float: 2, str: 3, list: 4, dict: 5, Set: 6,
}  # fmt: skip


def rank(value: Value) -> int:
    """Place of the value's type in the order of types."""
    return _RANK[type(value)]


def compare(a: Value, b: Value) -> int:
    """-1, 0 or 1 as ``a`` sorts before, with or after ``b``."""
    left, right = _RANK[type(a)], _RANK[type(b)]
    if left != right:
        return -1 if left < right else 1
    if left <= 3:
        return 0 if a == b else -1 if a < b else 1
    spend(1 + min(len(a), len(b)))
    if left == 4:
        return _compare_all(a, b)
    if left == 6:
        return _compare_all(sorted_members(a), sorted_members(b))
    a_keys, b_keys = sorted_keys(a), sorted_keys(b)
    for a_key, b_key in zip(a_keys, b_keys, strict=False):
        order = compare(a_key, b_key) or compare(a[key(a_key)], b[key(b_key)])
        if order:
            return order
    return (len(a_keys) > len(b_keys)) - (len(a_keys) < len(b_keys))


def _compare_all(a: list[Value], b: list[Value]) -> int:
    for left, right in zip(a, b, strict=False):
        order = compare(left, right)
        if order:
            return order
    return (len(a) > len(b)) - (len(a) < len(b))


def sorted_values(values: Iterable[Value]) -> list[Value]:
    """The values in order; equal ones keep their places."""
    items = list(values)
    if len(items) < 2:
        return items
    if len(items) > _FEW:
        spend(len(items) * len(items).bit_length() // 4)
    kinds = set(map(type, items))
    if len(kinds) == 1 and kinds <= _ORDERED:
        return sorted(items)
    if kinds == {dict} and all(type(v) is str for item in items for v in item.values()):
        try:
            return sorted(items, key=_pairs)
        except TypeError:  # keys that are not all strings
            pass
    return sorted(items, key=_order)


_ORDERED: Final = frozenset([str, int, float, bool])


def _pairs(obj: dict[Any, Value]) -> list[tuple[Any, Value]]:
    return sorted(obj.items())  # keys differ, so values are not compared


def _order(value: Value) -> tuple[Any, ...]:
    """A tuple that Python orders as :func:`compare` orders the value."""
    kind = type(value)
    if kind is str:
        return (3, value)
    if value is None:
        return (0,)
    if kind is list:
        spend(len(value))
        return (4, *[_order(item) for item in value])
    if kind is dict:
        spend(len(value))
        # Strings alone sort as they are stored.
        pairs = _pairs(value) if all(type(k) is str for k in value) else sorted_items(value)
        return (5, *[part for k, v in pairs for part in (_order(k), _order(v))])
    if kind is Set:
        return (6, *[_order(member) for member in sorted_members(value)])
    return (_RANK[kind], value)


def sorted_members(members: Set) -> list[Value]:
    """The members of a set, in order."""
    return sorted_values(members.values())


def sorted_keys(obj: dict[Any, Value]) -> list[Value]:
    """The keys of an object as values, in order."""
    return sorted_values(map(unkey, obj))


def sorted_items(obj: dict[Any, Value]) -> list[tuple[Value, Value]]:
    """(key as a value, value) of an object, in order of the keys."""
    return [(k, obj[k if type(k) is str else key(k)]) for k in sorted_keys(obj)]


def items_of(collection: Value) -> list[tuple[Value, Value]]:
    """(index, element), (key, value) or (member, member) of a collection; nothing for a scalar."""
    kind = type(collection)
    if kind is list:
        return list(enumerate(collection))
    if kind is dict:
        return [(unkey(k), v) for k, v in collection.items()]
    if kind is Set:
        return [(member, member) for member in collection.values()]
    return []


def type_name(value: Value) -> str:
    """The type's name in policies: null, boolean, number, string, array, object or set."""
    return _NAMES[_RANK[type(value)]]


_NAMES: Final = ("null", "boolean", "number", "string", "array", "object", "set")


def to_json(value: Value, depth: int = 0) -> Any:
    """The value as JSON has it: sets become sorted arrays, keys that are not strings their JSON text."""
    kind = type(value)
    if kind is dict:
        if depth > _SHALLOW or len(value) > _FEW:
            spend(len(value))
        fields = {}
        for k, v in value.items():
            name = k if type(k) is str else name_text(k)
            fields[name] = v if type(v) is str else to_json(v, depth + 1)
        return fields
    if kind is list or kind is Set:
        if not value:
            return []
        if depth > _SHALLOW or len(value) > _FEW:
            spend(len(value))
        items = []
        for item in value if kind is list else sorted_members(value):
            items.append(item if type(item) is str else to_json(item, depth + 1))  # noqa: PERF401 - half the time
        return items
    if kind is int and value.bit_length() > _MAX_BITS:
        raise OverflowError("int too large")
    return value


def name_text(stored: Any) -> str:
    """The name that a key which is no string has in JSON: its own JSON text, escaped as Go does for HTML."""
    return json_text(unkey(stored)).translate(_HTML)


_HTML: Final = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}


def json_text(value: Value) -> str:
    """Compact JSON text of a value, object keys sorted, in one line."""
    return "".join(_json_parts(value))


def _json_parts(value: Value) -> Iterator[str]:
    kind = type(value)
    if value is None:
        yield "null"
    elif kind is bool:
        yield "true" if value else "false"
    elif kind is str:
        yield quote_json(value)
    elif kind is list or kind is Set:
        spend(2 * len(value))
        yield "["
        for position, item in enumerate(sorted_members(value) if kind is Set else value):
            if position:
                yield ","
            yield from _json_parts(item)
        yield "]"
    elif kind is dict:
        spend(4 * len(value))
        texts = {k if type(k) is str else name_text(k): v for k, v in value.items()}
        yield "{"
        for position, name in enumerate(sorted(texts)):
            if position:
                yield ","
            yield quote_json(name)
            yield ":"
            yield from _json_parts(texts[name])
        yield "}"
    elif kind is float and value.is_integer() and abs(value) < 1e15:
        yield f"{value:.1f}"  # written so: arithmetic never leaves a whole float behind
    else:
        yield number_text(value)


def quote_json(text: str) -> str:
    import json

    if len(text) > _LONG:
        spend(len(text) // 16)
    return json.dumps(text, ensure_ascii=False)


def number_text(number: int | float) -> str:
    """A number as JSON text; a float that is whole keeps no fraction (``2.0`` -> ``2``)."""
    if type(number) is float:
        if number.is_integer() and abs(number) < 1e21:
            return str(int(number))
        text = repr(number)
        if "e" in text:
            mantissa, exponent = text.split("e")
            return f"{mantissa.removesuffix('.0')}e{exponent}"
        return text
    whole = int(number)
    return str(whole) if whole.bit_length() <= _MAX_BITS else str(Decimal(whole))
