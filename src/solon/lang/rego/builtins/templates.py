"""strings.render_template: the part of Go's text/template that policies use.

Actions: ``{{.a.b}}``, ``{{$x}}``, ``{{if}} {{else if}} {{else}} {{end}}``, ``{{range $i, $x := .xs}}``,
``{{with}}``, pipes, and the functions of :data:`_FUNCTIONS`. Nothing else of the language is accepted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from solon.lang.budget import claim, spend
from solon.lang.rego.errors import BuiltinError
from solon.lang.values import UNDEFINED, Set, Value, compare, equal, lookup, sorted_items, sorted_members

MAX_OUTPUT: Final = 10_000_000
_NODE_STEPS: Final = 20

_ACTION: Final = re.compile(r"\{\{(-\s)?(.*?)(\s-)?\}\}", re.DOTALL)
_WORD: Final = re.compile(r'\s*("(?:[^"\\]|\\.)*"|`[^`]*`|:=|\||\(|\)|,|[^\s|(),"`:=]+|=)')


@dataclass(slots=True)
class _Block:
    """An action with a body: if, range or with; ``otherwise`` is its else."""

    kind: str
    words: list[str]
    body: list[Any] = field(default_factory=list)
    otherwise: list[Any] = field(default_factory=list)


def render(text: str, variables: dict[Any, Value]) -> str:
    """The template's output. Raises BuiltinError where the template is not one."""
    nodes = _parse(_pieces(text))
    out: list[str] = []
    size = 0
    for piece in _run(nodes, variables, {"$": variables}):
        size += len(piece)
        if size > MAX_OUTPUT:
            raise BuiltinError("template output is too large")
        out.append(piece)
    return "".join(out)


def _pieces(text: str) -> list[str | list[str]]:
    """Texts (str) and actions (lists of words) in turn."""
    pieces: list[str | list[str]] = []
    at = 0
    trim = False
    # Behind the last closing braces there is no action, and looking for one would take long.
    for action in _ACTION.finditer(text, 0, text.rfind("}}") + 2):
        literal = text[at : action.start()]
        if trim:
            literal = literal.lstrip()
        if action[1]:
            literal = literal.rstrip()
        pieces.append(literal)
        body = action[2].strip()
        if not body.startswith("/*"):
            pieces.append(_WORD.findall(body))
        trim = bool(action[3])
        at = action.end()
    if "{{" in text[at:]:
        raise BuiltinError("unclosed action in template")
    pieces.append(text[at:].lstrip() if trim else text[at:])
    return pieces


def _parse(pieces: list[str | list[str]]) -> list[Any]:
    root: list[Any] = []
    stack: list[tuple[_Block, int]] = []  # block, and how many blocks its `end` closes
    target = root
    for piece in pieces:
        if isinstance(piece, str) or not piece or piece[0] not in ("if", "range", "with", "else", "end"):
            target.append(piece)
            continue
        word = piece[0]
        if word in ("if", "range", "with"):
            block = _Block(word, piece[1:])
            target.append(block)
            stack.append((block, 1))
            target = block.body
            continue
        if not stack:
            raise BuiltinError(f"unexpected {{{{{word}}}}} in template")
        block, closes = stack[-1]
        if word == "else":
            target = block.otherwise
            if piece[1:2] in (["if"], ["with"]):
                inner = _Block(piece[1], piece[2:])
                target.append(inner)
                stack.append((inner, closes + 1))
                target = inner.body
            continue
        del stack[-closes:]
        target = root if not stack else _open_list(stack[-1][0])
    if stack:
        raise BuiltinError("unexpected EOF in template: {{end}} is missing")
    return root


def _open_list(block: _Block) -> list[Any]:
    return block.otherwise or block.body


def _run(nodes: list[Any], dot: Value, variables: dict[str, Value]) -> Iterator[str]:
    for node in nodes:
        spend(_NODE_STEPS)
        if isinstance(node, str):
            claim(len(node))
            yield node
        elif isinstance(node, _Block):
            yield from _run_block(node, dot, variables)
        elif len(node) >= 3 and node[0].startswith("$") and node[1] in (":=", "="):
            variables[node[0]] = _pipeline(node[2:], dot, variables)
        elif node:
            yield _shown(_pipeline(node, dot, variables))


def _run_block(block: _Block, dot: Value, variables: dict[str, Value]) -> Iterator[str]:
    words = block.words
    names: list[str] = []
    if ":=" in words:
        split = words.index(":=")
        names = [word for word in words[:split] if word != ","]
        words = words[split + 1 :]
    value = _pipeline(words, dot, variables)
    if block.kind == "range":
        pairs = _pairs(value)
        for index, element in pairs:
            spend(len(variables))
            inner = dict(variables)
            if names:
                inner[names[-1]] = element
                if len(names) == 2:
                    inner[names[0]] = index
            yield from _run(block.body, element, inner)
        if not pairs:
            yield from _run(block.otherwise, dot, variables)
        return
    inner = dict(variables)
    if names:
        inner[names[0]] = value
    if _truth(value):
        yield from _run(block.body, value if block.kind == "with" else dot, inner)
    else:
        yield from _run(block.otherwise, dot, inner)


def _pairs(value: Value) -> list[tuple[Value, Value]]:
    if type(value) is list:
        return list(enumerate(value))
    if type(value) is dict:
        return sorted_items(value)
    if type(value) is Set:
        return list(enumerate(sorted_members(value)))
    if value is UNDEFINED or value is None:
        return []
    raise BuiltinError("range can't iterate over " + _shown(value))


def _truth(value: Value) -> bool:
    return value is not UNDEFINED and bool(value)


def _shown(value: Value) -> str:
    if value is UNDEFINED:
        return "<undefined>"
    if value is None:
        return "<no value>"
    if type(value) is str:
        return value
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is list:
        spend(4 * len(value))
        return "[" + " ".join([_shown(item) for item in value]) + "]"
    if type(value) is dict:
        spend(8 * len(value))
        return "map[" + " ".join(f"{_shown(k)}:{_shown(v)}" for k, v in sorted_items(value)) + "]"
    from solon.lang.rego.builtins.formatting import format_value

    return format_value(value)


_FUNCTIONS: Final[dict[str, Callable[..., Value]]] = {
    "eq": lambda a, *others: any(equal(a, b) for b in others),
    "ne": lambda a, b: not equal(a, b),
    "lt": lambda a, b: compare(a, b) < 0,
    "le": lambda a, b: compare(a, b) <= 0,
    "gt": lambda a, b: compare(a, b) > 0,
    "ge": lambda a, b: compare(a, b) >= 0,
    "not": lambda a: not _truth(a),
    "and": lambda *xs: next((x for x in xs if not _truth(x)), xs[-1]),
    "or": lambda *xs: next((x for x in xs if _truth(x)), xs[-1]),
    "len": len,
    "index": lambda a, *path: _index(a, path),
    "print": lambda *xs: " ".join(map(_shown, xs)),
}


def _index(value: Value, path: tuple[Value, ...]) -> Value:
    for part in path:
        value = lookup(value, part)
    return value


def _pipeline(words: list[str], dot: Value, variables: dict[str, Value]) -> Value:
    """command { "|" command }: each command's value is the last argument of the next."""
    spend(4 * len(words))
    commands: list[list[Any]] = [[]]
    stack: list[list[list[Any]]] = []
    for word in words:
        if word == "(":
            stack.append(commands)
            commands = [[]]
        elif word == ")":
            if not stack:
                raise BuiltinError("unexpected ) in template")
            value = _evaluate(commands)
            commands = stack.pop()
            commands[-1].append((value,))
        elif word == "|":
            commands.append([])
        else:
            commands[-1].append(_operand(word, dot, variables))
    if stack:
        raise BuiltinError("unclosed ( in template")
    return _evaluate(commands)


def _evaluate(commands: list[list[Any]]) -> Value:
    piped: tuple[Value, ...] = ()
    for command in commands:
        if not command:
            raise BuiltinError("missing value in template")
        head, *rest = command
        if callable(head):
            try:
                piped = (head(*(operand[0] for operand in rest), *piped),)
            except (TypeError, IndexError) as error:
                raise BuiltinError(f"template function: {error}") from None
        elif rest or piped:
            raise BuiltinError("only a function takes arguments in a template")
        else:
            piped = head
    return piped[0]


def _operand(word: str, dot: Value, variables: dict[str, Value]) -> Any:
    """A function, or a value wrapped in a tuple."""
    if word in _FUNCTIONS:
        return _FUNCTIONS[word]
    if word[0] == '"':
        return (word[1:-1].encode().decode("unicode_escape") if "\\" in word else word[1:-1],)
    if word[0] == "`":
        return (word[1:-1],)
    if word in ("true", "false", "nil"):
        return ({"true": True, "false": False, "nil": None}[word],)
    if word == ".":
        return (dot,)
    if word[0] == "." or word[0] == "$":
        head, *path = word.split(".")
        value: Value = dot if head == "" else variables.get(head, UNDEFINED)
        if head and head not in variables:
            raise BuiltinError(f"undefined variable {head} in template")
        return (_index(value, tuple(path)),)
    try:
        return (int(word),)
    except ValueError:
        pass
    try:
        return (float(word),)
    except ValueError:
        raise BuiltinError(f"function {word!r} not defined in template") from None
