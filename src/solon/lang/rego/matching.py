"""What unifying terms says about the types of the variables in them."""

from __future__ import annotations

from dataclasses import dataclass

from solon.lang.rego import ast
from solon.lang.rego.types import (
    ANY,
    Array,
    Key,
    Object,
    Set,
    Type,
    Union,
    bounded,
    field,
    key_of,
    scalar_of,
    select,
    unifies,
    union,
    unknown,
)


@dataclass(frozen=True, slots=True)
class Typed:
    """In place of a term that is no pattern (a reference, call or comprehension): its type."""

    type: Type | None


# A pattern: a term in which everything but variables, scalars and collections is Typed.
Items = tuple["Pattern", ...]


@dataclass(frozen=True, slots=True)
class ArrayPattern:
    items: Items


@dataclass(frozen=True, slots=True)
class SetPattern:
    items: Items


@dataclass(frozen=True, slots=True)
class ObjectPattern:
    pairs: tuple[tuple[Pattern, Pattern], ...]


Pattern = ast.Scalar | ast.Var | Typed | ArrayPattern | SetPattern | ObjectPattern


class Variables:
    """The types of the variables of a body, as far as its expressions have been read."""

    def __init__(self, types: dict[str, Type]) -> None:
        self.types = types

    def of(self, term: Pattern) -> Type | None:
        """The type of a term."""
        match term:
            case ast.Scalar():
                return scalar_of(key_of(term.value))
            case ast.Var():
                return self.types.get(term.name)
            case Typed():
                return term.type
            case ArrayPattern():
                return Array(tuple(map(self.of, term.items)))
            case SetPattern():
                return Set(union(map(self.of, term.items)))
            case ObjectPattern():
                return self._object(term)

    def _object(self, term: ObjectPattern) -> Object:
        fields: dict[Key, Type | None] = {}
        others: list[tuple[Type | None, Type | None]] = []
        for key, value in term.pairs:
            if isinstance(key, ast.Scalar):
                fields[key_of(key.value)] = self.of(value)
            else:
                others.append((self.of(key), self.of(value)))
        rest = (union(k for k, _ in others), union(v for _, v in others)) if others else None
        return Object(tuple(sorted(fields.items(), key=lambda pair: pair[0])), rest)

    def equate(self, left: Pattern, right: Pattern) -> bool:
        """Unify two terms; False if no values of their types can be equal."""
        left_type, right_type = self.of(left), self.of(right)
        match unknown(left_type), unknown(right_type):
            case True, False:
                return self.match(left, right_type)
            case False, True:
                return self.match(right, left_type)
            case False, False:
                return unifies(left_type, right_type)
        match left, right:
            case ArrayPattern(), ArrayPattern():
                return len(left.items) == len(right.items) and all(map(self.equate, left.items, right.items))
            case ObjectPattern(), ObjectPattern():
                return self._equate_objects(left, right)
            case (ast.Var(), (ast.Var() | ArrayPattern() | ObjectPattern())):
                return self.match(left, self.opened(right))
            case ((ArrayPattern() | ObjectPattern()), ast.Var()):
                return self.match(right, self.opened(left))
            case (ast.Var() as var, other) | (other, ast.Var() as var):
                return self.match(var, self.of(other))
            case _:
                # A term whose type could not be found out has had its error, or may be anything.
                return any(isinstance(side, Typed) for side in (left, right))

    def opened(self, term: Pattern) -> Type | None:
        """The type of a term that has been matched with anything at all."""
        self.match(term, ANY)
        return self.of(_opened(term))

    def _equate_objects(self, left: ObjectPattern, right: ObjectPattern) -> bool:
        values = {key_of(key.value): value for key, value in left.pairs if isinstance(key, ast.Scalar)}
        others = {key_of(key.value): value for key, value in right.pairs if isinstance(key, ast.Scalar)}
        if len(values) < len(left.pairs) or len(others) < len(right.pairs):
            return len(left.pairs) == len(right.pairs)
        return values.keys() == others.keys() and all(
            self.equate(value, others[key]) for key, value in values.items()
        )

    def match(self, term: Pattern, of: Type | None, widen: bool = False) -> bool:
        """Match a term with values of a type: what variables have no type yet have theirs from it.

        With ``widen``, the type is one of several, and variables have the union of what each gives.
        """
        if of is None:
            return True
        match term:
            case ast.Var():
                known = self.types.get(term.name)
                if known is None or widen:
                    self.types[term.name] = bounded(union([known, of])) or of
                    return True
                return unifies(known, of)
            case Typed():
                return widen or term.type is None or unifies(term.type, of)
            case ast.Scalar():
                return unifies(self.of(term), of)
        if isinstance(of, Union):
            if of.of:
                matches = [self.match(term, member, True) for member in of.of]
                return any(matches)
            for part in _parts(term):
                self.match(part, ANY, True)
            return True
        match term, of:
            case ArrayPattern(), Array():
                if len(term.items) != len(of.items) and of.rest is None:
                    return False
                return all(
                    self.match(item, of.items[at] if at < len(of.items) else of.rest, widen)
                    for at, item in enumerate(term.items)
                )
            case ObjectPattern(), Object():
                return self._match_object(term, of, widen)
            case SetPattern(), Set():
                return all(self.match(item, of.of, widen) for item in term.items)
            case _:
                return False

    def _match_object(self, term: ObjectPattern, of: Object, widen: bool) -> bool:
        if len(term.pairs) != len(of.fields) and of.rest is None:
            return False
        for key, value in term.pairs:
            if not isinstance(key, ast.Scalar):
                self.match(value, ANY, widen)
                continue
            place = key_of(key.value)
            found = select(of, place)
            if found is None and field(of, place) is None and not unknown(of):
                return False
            if not self.match(value, found, widen):
                return False
        return True


def _opened(term: Pattern) -> Pattern:
    match term:
        case Typed():
            return Typed(ANY)
        case ArrayPattern():
            return ArrayPattern(tuple(map(_opened, term.items)))
        case SetPattern():
            return SetPattern(tuple(map(_opened, term.items)))
        case ObjectPattern():
            return ObjectPattern(tuple((_opened(key), _opened(value)) for key, value in term.pairs))
        case _:
            return term


def _parts(term: Pattern) -> Items:
    match term:
        case ArrayPattern() | SetPattern():
            return term.items
        case ObjectPattern():
            return tuple(part for pair in term.pairs for part in pair)
        case _:
            return ()
