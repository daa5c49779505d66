"""Calls: of functions that rules define, of built-ins, and of what `with` may put in their place."""

from __future__ import annotations

from typing import Final

from solon.lang.rego import ast, inline
from solon.lang.rego.references import References

_COMPARISONS: Final = {
    "lt": "less({0}, {1})",
    "lte": "less_equal({0}, {1})",
    "gt": "less({1}, {0})",
    "gte": "less_equal({1}, {0})",
    "internal.member_2": "member({0}, {1})",
    "internal.member_3": "member_at({0}, {1}, {2})",
}
# What may give another result for the same operands; all else is called once in a body.
_DIFFERENT_EACH_TIME: Final = frozenset(["http.send", "trace"])
_ORDERINGS: Final = {"lt": "<", "lte": "<=", "gt": ">", "gte": ">="}


class Calls(References):
    """Writes calls; comparisons and tests of types become conditions."""

    def call(self, call: ast.Call, *, undefined: bool = False) -> str:
        """A call's result; where it is undefined, gives up, or (``undefined``) the result is U."""
        name = call.name
        if name == "walk":
            return self.walk(call)
        condition = self.condition(call)
        if condition is not None:
            return self.assign(condition, bool)
        if name.startswith("rego.metadata."):
            return self.unit.constant(self.compiler.metadata(name, self.module, call.at))
        if self.is_mocked(name):
            return self.mocked(name, [self.value(arg) for arg in call.args], undefined)
        if name == "sprintf":
            text = self.sprintf(call)
            if text is not None:
                name = self.assign(text, str)
                with self.function.block(f"if len({name}) > {inline.LONG}:"):
                    self.function.add(f"{self.state}.long({name})")
                return name
        args = [self.value(arg) for arg in call.args]
        again = self.known.get(("call", name, self.state, *args))
        if again is None and undefined:
            again = self.known.get(("tried", name, self.state, *args))
        if again is not None:
            return again
        if name.startswith("data."):
            target = self.compiler.function_group(name)
            result = self.assign(f"g{target.index}({', '.join([self.state, *args])})")
            if not undefined:
                self.needs(result)
        else:
            result = self.inlined(name, args, undefined) or self.builtin(name, args, undefined)
        if name not in _DIFFERENT_EACH_TIME:
            self.known["tried" if undefined else "call", name, self.state, *args] = result
        return result

    def sprintf(self, call: ast.Call) -> str | None:
        """A call with a template known here, and its operands written out, as an f-string."""
        template, operands = call.args
        if not isinstance(template, ast.Scalar) or not isinstance(operands, ast.Array):
            return None
        parts = inline.template(template.value, len(operands.items))
        if parts is None:
            return None
        names = [self.value(item) for item in operands.items]
        return inline.sprintf(parts, names, self.kinds, self.unit.constant)

    def inlined(self, name: str, args: list[str], undefined: bool) -> str | None:
        """A built-in call as a Python expression, where there is one; what it refuses is false for ``not``."""
        usual = inline.shortcut(name, args, self.kinds)
        if usual is not None and not usual.condition:
            return self.assign(usual.text, usual.kind)
        shape = inline.TABLE.get(name)
        if shape is None:
            return None
        result = self.unit.fresh("v")
        with self.function.block("try:"):
            self.function.add(f"{result} = {shape.text.format(*args)}")
        with self.function.block("except TypeError:"):
            target = self.compiler.builtin(self.compiler.builtins[name])
            self.function.add(f"{self.state}.refused({target}, ({', '.join(args)},), {self.site(name)})")
            self.function.add(f"{result} = False" if undefined else self.fail())
        if shape.kind is bool or not undefined:
            self.kinds[result] = shape.kind
        if shape.operands is not None and not undefined:
            self.kinds.update(dict.fromkeys(args, shape.operands))
        return result

    def mocked(self, name: str, args: list[str], undefined: bool) -> str:
        """A call of a function that a `with` may have replaced."""
        original = self.compiler.replacement_of(name)
        packed = "".join(a + ", " for a in args)
        call = f"{self.state}.call({self.unit.constant(name)}, {original}, ({packed}))"
        result = self.assign(call) if name.startswith("data.") else self.attempt(name, call, undefined)
        if not undefined:
            self.needs(result)
        return result

    def builtin(self, name: str, args: list[str], undefined: bool) -> str:
        builtin = self.compiler.builtins[name]
        target = self.compiler.builtin(builtin)
        call = f"{target}({', '.join([self.state, *args] if builtin.contextual else args)})"
        usual = inline.shortcut(name, args, self.kinds)
        if usual is not None:
            call = f"{usual.text} if {usual.condition} else {call}"
        result = self.attempt(name, call, undefined)
        if not undefined:
            self.needs(result)
        return result

    def attempt(self, name: str, call: str, undefined: bool) -> str:
        """What a call of a built-in gives; where it raises, gives up, or (``undefined``) the result is U."""
        result = self.unit.fresh("v")
        site = self.site(name)
        with self.function.block("try:"):
            self.function.add(f"{result} = {call}")
        with self.function.block("except BuiltinError as error:"):
            self.function.add(f"{self.state}.failed(error, {site})")
            self.function.add(f"{result} = U" if undefined else self.fail())
        return result

    def walk(self, call: ast.Call) -> str:
        path, at = self.walk_loop(call)
        return self.assign(f"[{path}, {at}]")

    def walk_loop(self, call: ast.Call) -> tuple[str, str]:
        document = self.value(call.args[0])
        path, at = self.unit.fresh("v"), self.unit.fresh("v")
        self.loop(f"for {path}, {at} in {self.visit('walk')}({self.state}, {document}):")
        return path, at

    def condition(self, call: ast.Call, *, must_hold: bool = False) -> str | None:
        """A comparison or membership as a Python condition; None for any other call.

        Only where it must hold may a loop leave out what is not equal: elsewhere false is a value.
        """
        if self.is_mocked(call.name):
            return None
        if call.name in ("equal", "eq", "neq"):
            if call.name != "neq" and must_hold:
                left, right = self.both(*call.args)
            else:
                left, right = self.value(call.args[0]), self.value(call.args[1])
            test = self.equality(call.args[0], left, call.args[1], right)
            return f"(not {test})" if call.name == "neq" else test
        of_type = inline.TABLE.get(call.name)
        if of_type is not None and not of_type.may_refuse:
            return of_type.text.format(*[self.value(arg) for arg in call.args])
        shape = _COMPARISONS.get(call.name)
        if shape is None:
            return None
        args = [self.value(arg) for arg in call.args]
        operator = _ORDERINGS.get(call.name)
        if operator is not None and {self.kinds.get(arg) for arg in args} in ({int}, {str}):
            return f"({args[0]} {operator} {args[1]})"
        return shape.format(*args)

    def equality(self, left: ast.Term | None, a: str, right: ast.Term | None, b: str) -> str:
        """A Python condition for a == b that is cheap where one side is a known scalar."""
        for term, constant, other in ((right, b, a), (left, a, b)):
            if isinstance(term, ast.Scalar):
                kind = type(term.value)
                if term.value is None or kind is bool:
                    return f"({other} is {constant})"
                if kind is str or term.value not in (0, 1):
                    return f"({other} == {constant})"
        kinds = {self.kinds.get(a), self.kinds.get(b)}
        if str in kinds or kinds == {int}:
            return f"({a} == {b})"
        return f"equal({a}, {b})"
