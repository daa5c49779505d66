"""What a policy is made of, as one text: its rules, those that they need, and the data that these read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from solon.frameworks.conftest.lint import policies_of
from solon.frameworks.conftest.surroundings import needed
from solon.lang import rego
from solon.lang.rego import ast
from solon.lang.rego.lexer import tokenize
from solon.lang.rego.resolve import walk_all
from solon.lang.rego.rules import Definition, Group, defines
from solon.lang.values import json_text


def fingerprints(program: rego.Program) -> dict[str, str]:
    """By the id of each policy. Spaces and comments do not count."""
    groups = {group.name: group for group in program.groups}
    return {name.removeprefix("data."): _digest(program, groups[name]) for name in policies_of(program)}


def _digest(program: rego.Program, policy: Group) -> str:
    parts = {
        part
        for group in needed(program, policy)
        for definition in [*group.definitions, *([group.default] if group.default else [])]
        for part in (f"{group.name}\n{_tokens(definition)}", *_data(program, definition))
    }
    return hashlib.sha256("\0".join(sorted(parts)).encode()).hexdigest()


def _tokens(definition: Definition) -> str:
    module, rule = definition.module, definition.rule
    tokens, _ = tokenize(module.file, module.text, rule.at, rule.end)
    return " ".join(token.text for token in tokens)


def _data(program: rego.Program, definition: Definition) -> Iterator[str]:
    terms = [*definition.args, *definition.rest, *ast.present(definition.key, definition.value)]
    terms += [branch.value for branch in definition.elses if branch.value is not None]
    bodies = [definition.body, *(branch.body for branch in definition.elses)]
    for term in walk_all(terms, bodies):
        if isinstance(term, ast.Ref) and isinstance(term.head, ast.Var) and term.head.name == "data":
            path = ast.fixed_names(term.path)
            if not defines(program.root, path):
                value = program.data
                for name in path:
                    value = value.get(name) if isinstance(value, dict) else None
                yield f"{'.'.join(path)}={json_text(value)}"
