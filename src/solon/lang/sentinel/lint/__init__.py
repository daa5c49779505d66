"""What is wrong with Sentinel that compiles, and that its users are told by nobody else."""

from solon.lang.sentinel.lint.rules import RULES, lint

__all__ = ["RULES", "lint"]
