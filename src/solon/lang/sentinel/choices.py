"""What no public source settles, and what this implementation does: change a line here, and it does otherwise.

Everything else follows the public documentation, or public policies and what their tests expect.
"""

from __future__ import annotations

from typing import Final, Literal

Does = Literal["undefined", "error", "false", "true", "skip", "none"]

ORDER_OF_DIFFERENT_TYPES: Final[Does] = "undefined"  # "12.5" < 10, null < 1
INDEX_OF_STRING: Final[Does] = "error"  # "abc"[0]
EMPTY_OF_OTHERS: Final[Does] = "error"  # null is empty, 1 is empty
UNDEFINED_KEY: Final[Does] = "undefined"  # xs[undefined]
RULE_WHEN_FALSE: Final[Does] = "true"  # rule when false { … }
RULE_WHEN_UNDEFINED: Final[Does] = "undefined"  # rule when undefined { … }
FOR_OVER_UNDEFINED: Final[Does] = "error"  # for undefined as x { … }
QUANTIFIER_OVER_NULL: Final[Does] = "error"  # all null as x { … }
MAIN_MISSING: Final[Does] = "error"  # a policy without main

FUNC_TYPE: Final = "func"  # types.type_of of a function
RULE_IN_VALUES: Final = True  # a rule written elsewhere than behind `name =` is evaluated where it stands
UNDEFINED_AND_SKIPS: Final = True  # `undefined and f()` does not call f
UNDEFINED_CALL_SKIPS: Final = True  # `undefined(f())` does not call f
SCOPE_PER_ITERATION: Final = True  # what the body of a `for` declares is gone in its next iteration
LOOP_SEES_CHANGES: Final = False  # a loop goes over the elements there were when it began
MOST_CALLS: Final = 500  # functions that call one another
