import json

import pytest

from solon.lang import rego
from solon.lang.budget import Budget
from solon.lang.rego import UNDEFINED

# Operands that a compiler cannot know the type of.
INPUT = {
    "null": None, "yes": True, "n": 1, "f": 1.5, "s": "a", "list": [1, "a"], "obj": {"a": 1},
    "big": 123456789012345678901234567890,
}  # fmt: skip


@pytest.fixture(scope="session")
def answer():
    """The value of a call, or UNDEFINED."""
    program = rego.compile({})

    def value(call, *, strict=False, budget=None, given=None):
        rows = program.query(
            f"x := {call}",
            input=INPUT if given is None else given,
            strict_builtin_errors=strict,
            budget=budget or Budget(seconds=20),
        )
        return rows[0]["x"] if rows else UNDEFINED

    return value


@pytest.fixture(scope="session")
def exact():
    """A value as text, in which 1 is not true."""
    return lambda value: json.dumps(value, sort_keys=True, default=repr)
