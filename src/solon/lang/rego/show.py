"""Resolved terms as a policy would write them, for traces and advice."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, Final

from solon.lang.rego import ast
from solon.lang.rego.resolve import BUILTIN

_OPERATORS: Final = {
    "equal": "==", "eq": "=", "neq": "!=", "lt": "<", "lte": "<=", "gt": ">", "gte": ">=", "or": "|", "and": "&",
    "plus": "+", "minus": "-", "mul": "*", "div": "/", "rem": "%", "internal.member_2": "in",
}  # fmt: skip
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_BRACKETS: Final = {"array": ("[", "]"), "set": ("{", "}"), "object": ("{", "}")}


def term_text(term: ast.Term, package: Sequence[str] = ()) -> str:
    """The term in one line; what is in ``package`` goes by its short name."""

    def shown(each: ast.Term) -> str:
        return term_text(each, package)

    def listed(terms: Sequence[ast.Term]) -> str:
        return ", ".join(map(shown, terms))

    match term:
        case ast.Scalar():
            return json.dumps(term.value, ensure_ascii=False)
        case ast.Var():
            return "_" if term.name.startswith("_'") else term.shown
        case ast.Ref():
            return _reference(term, package)
        case ast.Array():
            return f"[{listed(term.items)}]"
        case ast.SetTerm():
            return f"{{{listed(term.items)}}}" if term.items else "set()"
        case ast.Object():
            return "{" + ", ".join(f"{shown(k)}: {shown(v)}" for k, v in term.pairs) + "}"
        case ast.Call() if term.infix and term.name in _OPERATORS and len(term.args) == 2:
            one, other = (
                f"({shown(arg)})" if isinstance(arg, ast.Call) and arg.infix else shown(arg)
                for arg in term.args
            )
            return f"{one} {_OPERATORS[term.name]} {other}"
        case ast.Call():
            if term.name == "internal.member_3":
                return f"{shown(term.args[0])}, {shown(term.args[1])} in {shown(term.args[2])}"
            return f"{_shortened(term.name, package)}({listed(term.args)})"
        case ast.Template():
            parts = [part if isinstance(part, str) else f"{{{shown(part)}}}" for part in term.parts]
            return f'$"{"".join(parts)}"'
        case ast.Comprehension():
            opening, closing = _BRACKETS[term.kind]
            key = f"{shown(term.key)}: " if term.key is not None else ""
            return f"{opening}{key}{shown(term.value)} | …{closing}"


def _reference(ref: ast.Ref, package: Sequence[str]) -> str:
    head, path = ref.head, list(ref.path)
    base = term_text(head, package)
    if isinstance(head, ast.Var) and head.name == "data":
        names = [_fixed(part) for part in path[: len(package)]]
        if package and names == list(package) and len(path) > len(package):
            base, path = str(_fixed(path[len(package)])), path[len(package) + 1 :]
    elif isinstance(head, ast.Var) and head.name == BUILTIN:
        return ".".join(str(_fixed(part)) for part in path)
    return base + "".join(_step(part, package) for part in path)


def _fixed(part: ast.Term) -> Any:
    return part.value if isinstance(part, ast.Scalar) else None


def _step(part: ast.Term, package: Sequence[str]) -> str:
    name = _fixed(part)
    if isinstance(name, str) and _NAME.fullmatch(name):
        return f".{name}"
    return f"[{term_text(part, package)}]"


def _shortened(name: str, package: Sequence[str]) -> str:
    return name.removeprefix(".".join(["data", *package, ""]))
