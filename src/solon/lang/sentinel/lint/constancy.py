"""What expressions are whatever is judged: rules that nothing can break, filters that nothing passes.

An abstract evaluation. What fails with an error counts as undefined here: neither is ever a violation that was found.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from solon.lang.sentinel import ast
from solon.lang.sentinel.lint.names import Names, is_hyphenated
from solon.lang.sentinel.scopes import WORDS
from solon.lang.sentinel.values import equals

_MAX_DEPTH: Final = 200


class _Empty:
    """A list or map without elements."""


class _Missing:
    """Undefined."""


EMPTY: Final = _Empty()
MISSING: Final = _Missing()


@dataclass(frozen=True, slots=True)
class Always:
    """``value`` is what an expression always is: a boolean, a number, a string, EMPTY or MISSING; and why."""

    value: Any
    why: str = ""

    @property
    def is_true(self) -> bool:
        return self.value is True

    @property
    def is_false(self) -> bool:
        return self.value is False


class Constancy:
    """What is constant in a file."""

    def __init__(self, file: ast.File, names: Names) -> None:
        self._file = file
        self._names = names
        self._known: dict[str, Always | None] = {}
        self._depth = 0

    def named(self, name: str) -> Always | None:
        """What a name at the top of the file always is; None where that depends."""
        if name not in self._known:
            self._known[name] = None  # while it is looked for: what depends on itself is not known
            expr = self._names.fixed.get(name)
            self._known[name] = self.of(expr, frozenset()) if expr is not None else None
        return self._known[name]

    def of(self, expr: ast.Expr, local: frozenset[str]) -> Always | None:
        """What an expression always is; ``local`` are names that mean something else here."""
        if self._depth > _MAX_DEPTH:
            return None
        self._depth += 1
        try:
            return self._of(expr, local)
        finally:
            self._depth -= 1

    def _of(self, expr: ast.Expr, local: frozenset[str]) -> Always | None:
        match expr:
            case ast.Paren():
                return self.of(expr.inner, local)
            case ast.Constant():
                return Always(expr.value)
            case ast.Name():
                return self._name(expr.name, local)
            case ast.List(items=[]) | ast.Map(pairs=[]):
                return Always(EMPTY)
            case ast.Rule():
                return self._rule(expr, local)
            case ast.Unary(operator="not"):
                return self._not(self.of(expr.operand, local))
            case ast.Test():
                return self._test(expr, local)
            case ast.Quantifier():
                return self._quantifier(expr, local)
            case ast.Path():
                return self._call(expr, local)
            case ast.Chain():
                return self._chain(expr, local)
            case _:
                return None

    def _name(self, name: str, local: frozenset[str]) -> Always | None:
        if name in local:
            return None
        if name == "undefined":
            return Always(MISSING)
        if name in {"true", "false"}:
            return Always(WORDS[name])
        known = self.named(name)
        if known is not None and known.value is EMPTY:
            return Always(EMPTY, f"{name} is always empty")
        if known is not None and isinstance(self._names.fixed.get(name), ast.Rule):
            return Always(known.value, f"{name} is always {'true' if known.is_true else 'the same'}")
        return known

    def _rule(self, rule: ast.Rule, local: frozenset[str]) -> Always | None:
        if rule.condition is not None:
            asked = self.of(rule.condition, local)
            if asked is not None and asked.is_false:
                return Always(True, asked.why or "its condition is never true")
        body = self.of(rule.body, local)
        if body is None or (rule.condition is not None and not body.is_true):
            return None
        return body

    def _not(self, operand: Always | None) -> Always | None:
        if operand is None or operand.value is MISSING:
            return operand
        return Always(not operand.value, operand.why) if isinstance(operand.value, bool) else None

    def _test(self, test: ast.Test, local: frozenset[str]) -> Always | None:
        operand = self.of(test.operand, local)
        if operand is None:
            return None
        if test.what == "defined":
            return Always((operand.value is not MISSING) is not test.negated, operand.why)
        if operand.value is MISSING:
            return operand
        if operand.value is EMPTY or isinstance(operand.value, str):
            return Always((operand.value in (EMPTY, "")) is not test.negated, operand.why)
        return None

    def _quantifier(self, node: ast.Quantifier, local: frozenset[str]) -> Always | None:
        collection = self.of(node.collection, local)
        if collection is not None and collection.value is MISSING:
            return collection
        if collection is not None and collection.value is EMPTY:
            empty = {"all": True, "any": False}.get(node.kind, EMPTY)
            return Always(empty, collection.why or "what it goes over is always empty")
        bound = {each.name for each in (node.first, node.second) if each is not None}
        body = self.of(node.body, local | bound)
        if body is None:
            return None
        if node.kind == "filter" and body.is_false:
            row = self._file.place(node.at)[0]
            return Always(EMPTY, body.why or f"the filter in line {row} takes nothing")
        if (node.kind == "all" and body.is_true) or (node.kind == "any" and body.is_false):
            return body
        return None

    def _call(self, path: ast.Path, local: frozenset[str]) -> Always | None:
        match path:
            case ast.Path(head=ast.Name(name=name), steps=[ast.Call(arguments=[argument])]):
                known = self.of(argument, local)
                if known is None or known.value is not EMPTY:
                    return None
                if name == "length":
                    return Always(0, known.why)
                return known if name in {"keys", "values"} else None
        return None

    # --- operators

    def _chain(self, chain: ast.Chain, local: frozenset[str]) -> Always | None:
        if chain.operators[0].name in {"and", "or"}:
            return self._logical(chain, local)
        left = self.of(chain.operands[0], local)
        for number, operator in enumerate(chain.operators):
            if is_hyphenated(chain, number, self._file, self._names):
                text = self._file.text[chain.operands[number].at : chain.operands[number + 1].end]
                left = Always(MISSING, f"{text} is a subtraction, and undefined")
            elif operator.name == "else":
                left = self._otherwise(left, self.of(chain.operands[number + 1], local))
            elif left is not None and left.value is MISSING:
                pass  # whatever is done with it
            else:
                left = _compared(operator.name, left, self.of(chain.operands[number + 1], local))
        return left

    def _otherwise(self, left: Always | None, right: Always | None) -> Always | None:
        if left is None or left.value is not MISSING:
            return left
        return None if right is None else Always(right.value, left.why or right.why)

    def _logical(self, chain: ast.Chain, local: frozenset[str]) -> Always | None:
        """``and`` with something that is always false never holds; so ``or`` with something always true."""
        results = [self.of(operand, local) for operand in chain.operands]
        if len({operator.name for operator in chain.operators}) > 1:
            return None
        decisive = chain.operators[0].name == "or"
        for result in results:
            if result is not None and result.value is decisive:
                return result
        if all(result is not None and result.value is (not decisive) for result in results):
            return next((r for r in results if r is not None and r.why), results[0])
        return None


def _compared(operator: str, left: Always | None, right: Always | None) -> Always | None:
    if left is None or right is None:
        return None
    if isinstance(left.value, _Empty | _Missing) or isinstance(right.value, _Empty | _Missing):
        return None
    why = left.why or right.why
    if operator in {"==", "!="}:
        return Always(equals(left.value, right.value) is (operator == "=="), why)
    numbers = (int, float)
    if type(left.value) not in numbers or type(right.value) not in numbers:
        return None
    found = {
        "<": left.value < right.value,
        "<=": left.value <= right.value,
        ">": left.value > right.value,
        ">=": left.value >= right.value,
    }.get(operator)
    return None if found is None else Always(found, why)
