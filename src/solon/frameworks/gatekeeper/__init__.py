"""Gatekeeper: ConstraintTemplates, constraints and the suites that test them.

Read in this order: template, schema (parameters), match, review (the input), constraint, inventory, load,
suite.
"""

from solon.frameworks.gatekeeper.load import load

__all__ = ["load"]
