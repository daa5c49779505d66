"""Sentinel, the policy language of Terraform's and Vault's paid editions, compiled to Python.

(Written from the public documentation, "Sentinel Language", and from public policies and their tests alone.)
"""

from solon.lang.sentinel.errors import SentinelError
from solon.lang.sentinel.parser import parse
from solon.lang.sentinel.program import Program, Source, compile
from solon.lang.sentinel.result import Element, Result, RuleValue
from solon.lang.sentinel.values import Failure, Function, Members, Opening, Surroundings, Undefined

__all__ = [
    "Element", "Failure", "Function", "Members", "Opening", "Program", "Result", "RuleValue", "SentinelError",
    "Source", "Surroundings", "Undefined", "compile", "parse",
]  # fmt: skip
