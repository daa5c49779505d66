"""What no public source settles, and what this implementation does: change a line here, and it does otherwise.

Everything else follows the public documentation, or public policies and what their tests expect.
"""

from __future__ import annotations

from typing import Final, Literal

Does = Literal["undefined", "error", "false", "true"]

ORDER_OF_DIFFERENT_TYPES: Final[Does] = "undefined"  # "12.5" < 10, null < 1; else: error
INDEX_OF_STRING: Final[Does] = "error"  # "abc"[0]; else: undefined
EMPTY_OF_OTHERS: Final[Does] = "error"  # null is empty, 1 is empty; else: false
UNDEFINED_KEY: Final[Does] = "undefined"  # xs[undefined]; else: error
FOR_OVER_UNDEFINED: Final[Does] = "error"  # for undefined as x { … }; else: no element
RULE_WHEN_FALSE: Final[Does] = "true"  # rule when false { … }; else: false
RULE_WHEN_UNDEFINED: Final[Does] = "undefined"  # rule when undefined { … }; else: true
MAIN_MISSING: Final[Does] = "error"  # a policy without main; else: undefined

UNDEFINED_AND_SKIPS: Final = True  # `undefined and f()` does not call f
FUNC_TYPE: Final = "func"  # what messages call the type of a function
LIST_SEPARATOR: Final = " "  # between the elements that `print` shows
MOST_CALLS: Final = 500  # functions that call one another
