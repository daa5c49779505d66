"""Policies put together at random: a result, and never anything else; the same when reasons are kept."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from solon.lang.budget import Budget
from solon.lang.sentinel import SentinelError, Source, compile

START = """
xs = [{"a": 1}, {"a": 2}, {"b": null}]
m = {"a": [1, 2], "b": "x"}
a = 1
d = true
f = func(x) { return x }
g = func() { a += 1; return a }
h = func(x, y) { return x else y }
"""
_VALUES = [
    "a",
    "xs",
    "m",
    "e",
    "1",
    "-2",
    "1.5",
    '"a"',
    "``",
    "null",
    "undefined",
    "[]",
    "[1, a]",
    '{"a": d}',
    "xs[0].a",
    "m.a[1:]",
]
_BOOLS = [
    "true",
    "false",
    "undefined",
    "d",
    "a is 1",
    "a in xs",
    "m contains `b`",
    "xs is not empty",
    "m.z is defined",
]
_NAMES = ["x", "k, v", "_, a", "d, b"]


class Writer:
    """Writes expressions and statements; ``depth`` is how deep they nest."""

    def __init__(self, chance: random.Random) -> None:
        self.one = chance.choice
        self.number = chance.randrange

    def value(self, depth: int) -> str:
        if depth <= 0:
            return self.one(_VALUES)
        inner = self.value(depth - 1)
        return self.one([
            self.one(_VALUES), f"({inner} else {self.value(depth - 1)})", f"[{inner}]", f'{{"a": {inner}}}', f"f({inner})",
            f"h({inner}, {self.value(depth - 1)})", "g()", f"length({inner})", f"m[{inner}]", f"({inner}).a", f"(a + {inner})",
            f"{self.one(['filter', 'map'])} xs as {self.one(_NAMES)} {{ {self.bool(depth - 1)} }}", f"int({inner})",
            f"func(x) {{ {self.statement(depth - 1)}; return {inner} }}", self.bool(depth),
        ])  # fmt: skip

    def bool(self, depth: int) -> str:
        if depth <= 0:
            return self.one(_BOOLS)
        inner = self.bool(depth - 1)
        return self.one([
            self.one(_BOOLS), f"not {inner}", f"({inner} {self.one(['and', 'or', 'xor'])} {self.bool(depth - 1)})",
            f"({self.value(depth - 1)} {self.one(['is', 'is not', '<', '>='])} {self.value(depth - 1)})",
            f"{self.one(['all', 'any'])} {self.one(['xs', 'm', '[1, 2]'])} as {self.one(_NAMES)} {{ {inner} }}",
            f"rule {{ {inner} }}", f"rule when {inner} {{ {self.bool(depth - 1)} }}", f"({self.value(depth - 1)} is defined)",
        ])  # fmt: skip

    def statement(self, depth: int) -> str:
        name, value = self.one(["a", "d", "e", "r"]), self.value(depth)
        if depth <= 0:
            return self.one(
                [f"{name} = {value}", f"{name} += {value}", f"print({value})", f"append(xs, {value})"]
            )
        body, test = self.statement(depth - 1), self.bool(depth)
        return self.one([
            f"{name} = {value}", f"{name} = rule {{ {test} }}", f"m[`a`] = {value}", f"if {test} {{ {body} }}",
            f"if {test} {{ {body} }} else if {test} {{ {body} }} else {{ {self.statement(depth - 1)} }}",
            f"for xs as {self.one(_NAMES)} {{ {body}; if {test} {{ {self.one(['break', 'continue'])} }} }}",
            f"case a {{ when 1, {value}: {body}\n else: {self.statement(depth - 1)} }}",
            f"f = func(x) {{ {body}; if {test} {{ return {value} }}; return x }}",
        ])  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(st.randoms(use_true_random=False))
def test_policies_at_random_have_results(chance: random.Random) -> None:
    writer = Writer(chance)
    statements = "\n".join(writer.statement(2) for _ in range(chance.randrange(5)))
    text = f"{START}{statements}\nmain = {chance.choice([writer.bool(3), writer.value(2)])}\n"
    try:
        program = compile(Source(text, "x.sentinel"))
    except SentinelError:
        return
    budget = Budget(seconds=5, steps=20_000, memory=1 << 28)
    plain = program.evaluate(budget=budget, explain=False)
    explained = program.evaluate(budget=budget)
    assert plain.outcome in ("pass", "fail", "undefined", "error")
    assert (plain.failure is None) == (plain.outcome != "error")
    assert plain.failure is None or plain.failure.at is not None
    assert (plain.outcome, plain.output, plain.reason) == (
        explained.outcome,
        explained.output,
        explained.reason,
    )
