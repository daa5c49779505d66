r"""Rego, compiled to Python.

>>> from solon.lang import rego
>>> program = rego.compile({"main.rego": "package main\ndeny contains msg if { input.gpus > 4; msg := \\"too many\\" }"})
>>> program.evaluate("data.main.deny", input={"gpus": 8})
['too many']

The stages, in reading order: lexer, parser (to ast), rules (the tree of documents), resolve (names),
safety (order), compile and body (to Python), runtime (what compiled code calls), program (the API).
"""

from solon.lang.rego.annotations import Annotation
from solon.lang.rego.errors import BuiltinError, EvalError, RegoError
from solon.lang.rego.program import Program, RuleInfo, compile, package_of
from solon.lang.rego.query import Query, Session
from solon.lang.rego.stored import Cache
from solon.lang.rego.trace import Watch
from solon.lang.values import UNDEFINED

__all__ = [
    "UNDEFINED",
    "Annotation",
    "BuiltinError",
    "Cache",
    "EvalError",
    "Program",
    "Query",
    "RegoError",
    "RuleInfo",
    "Session",
    "Watch",
    "compile",
    "package_of",
]
