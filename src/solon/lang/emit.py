"""Writing Python functions whose every line knows the policy text it came from.

Emitted text consists of keywords, numbered names and nothing else: names of policies, their strings and
numbers are constants held beside the code (``K3``), never pasted into it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import CodeType
from typing import Any, Final

from solon.lang.source import Span

Origin = Callable[[], Span] | None
Line = tuple[int, str, Origin]  # depth, text, where it comes from
Framing = Callable[[dict[str, Any]], None]
Tables = dict[Any, tuple[str, ...]]


class Function:
    """One Python function being written."""

    def __init__(self, name: str, parameters: list[str]) -> None:
        self.name = name
        self.parameters = parameters
        self.lines: list[Line] = []
        self.parts: list[int] = []  # where loops begin that become functions of their own
        self.depth = 1
        self.origin: Origin = None

    def add(self, text: str) -> None:
        self.lines.append((self.depth, text, self.origin))

    def first(self, text: str) -> None:
        """Write a line at the top of the function."""
        self.lines.insert(0, (1, text, None))
        self.parts = [at + 1 for at in self.parts]

    @contextmanager
    def block(self, header: str) -> Iterator[None]:
        """Lines written inside are indented under ``header``."""
        self.add(header)
        self.depth += 1
        yield
        self.depth -= 1

    def open(self, header: str) -> None:
        """Begin a block that lasts to the end of the function: what follows is the loop's body."""
        self.add(header)
        self.depth += 1

    def begin_part(self) -> None:
        """The loop that is opened next becomes a function of its own: Python nests no more than 20."""
        self.parts.append(len(self.lines))

    def divided(self, name: Callable[[], str]) -> list[Function]:
        """The function, behind the functions that its parts become."""
        out: list[Function] = []
        for start in reversed(self.parts):
            depth = self.lines[start][0]
            end = next(
                (n for n in range(start + 1, len(self.lines)) if self.lines[n][0] <= depth), len(self.lines)
            )
            inside = self.lines[start:end]
            used = {word for _, text, _ in inside for word in _NAME.findall(text)}
            held = [*self.parameters, *(n for _, text, _ in self.lines[:start] for n in _assigned(text))]
            part = Function(name(), [n for n in dict.fromkeys(held) if n in used])
            part.lines = [(at - depth + 1, text, origin) for at, text, origin in inside]
            call = f"{part.name}({', '.join(part.parameters)})"
            if any(text.startswith("out = ") for _, text, _ in inside):
                part.add("return out")
                calling = [(depth, f"out = {call}", None)]
            elif any(text.startswith("return") for _, text, _ in inside):
                part.add("return M")
                calling = [
                    (depth, f"m = {call}", None),
                    (depth, "if m is not M:", None),
                    (depth + 1, "return m", None),
                ]
            else:
                calling = [(depth, call, None)]
            self.lines[start:end] = calling
            out.append(part)
        self.parts = []
        return [*out, self]


def _assigned(text: str) -> list[str]:
    """The names that a line gives values."""
    found = _ASSIGNMENT.match(text)
    return _NAME.findall(found.group(1)) if found else []


_NAME: Final = re.compile(r"\b[a-z]\w*\b")
_ASSIGNMENT: Final = re.compile(r"(?:for )?(\w+(?:, \w+)*) (?:=|in) ")


class Unit:
    """Functions and constants that are compiled to Python together."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.functions: list[Function] = []
        self.constants: dict[str, Any] = {}
        self._interned: dict[tuple[type, Any], str] = {}
        self._counters: dict[str, int] = {}
        self.origins: list[Origin] = []
        self.source = ""  # the text as it was compiled
        self.identities: dict[str, str] = {}  # constant -> what it is the same as, see `shared`
        self.tables: dict[str, Tables] = {}  # constant -> its keys, and the names of the functions there

    def fresh(self, prefix: str) -> str:
        """A name that nothing else in the unit has."""
        number = self._counters.get(prefix, 0)
        self._counters[prefix] = number + 1
        return f"{prefix}{number}"

    def function(self, name: str, parameters: list[str]) -> Function:
        function = Function(name, parameters)
        self.functions.append(function)
        return function

    def constant(self, value: Any) -> str:
        """The name of a constant; equal scalars share one."""
        kind = type(value)
        if value is None or value is True or value is False:
            return str(value)
        if kind in (str, int, float):
            name = self._interned.get((kind, value))
            if name is None:
                name = self._interned[kind, value] = self.named("K", value)
            return name
        return self.named("K", value)

    def shared(self, prefix: str, identity: str, value: Any) -> str:
        """The name of a constant that is the same wherever ``identity`` is."""
        name = self._interned.get((Unit, identity))
        if name is None:
            name = self._interned[Unit, identity] = self.named(prefix, value)
            self.identities[name] = identity
        return name

    def table(self, names: Tables) -> str:
        """The name of a constant dict from keys to functions of the unit."""
        name = self.named("K", {})
        self.tables[name] = names
        return name

    def named(self, prefix: str, value: Any) -> str:
        name = self.fresh(prefix)
        self.constants[name] = value
        return name

    def text(self) -> str:
        """The Python text of the unit; fills ``origins``, one for each line."""
        out: list[str] = []
        self.origins = []
        for function in [part for whole in self.functions for part in whole.divided(lambda: self.fresh("b"))]:
            out.append(f"def {function.name}({', '.join(function.parameters)}):")
            self.origins.append(None)
            for depth, text, origin in function.lines:
                out.append("    " * depth + text)
                self.origins.append(origin)
            if not function.lines:
                out.append("    pass")
                self.origins.append(None)
        return "\n".join(out) + "\n"

    def compile(self) -> CodeType:
        self.source = self.text()
        return compile(self.source, self.name, "exec", dont_inherit=True)

    def load(self, namespace: dict[str, Any], framed: Framing | None = None) -> CodeType:
        """Compile the unit and define its functions in ``namespace``; returns what was compiled."""
        code = self.compile()
        define(code, self.constants, self.tables, namespace, framed)
        return code


def define(
    code: CodeType,
    constants: Mapping[str, Any],
    tables: Mapping[str, Tables],
    namespace: dict[str, Any],
    framed: Framing | None = None,
) -> None:
    """Define a unit's functions in a namespace; ``framed`` may put others in their places there."""
    namespace.update(constants)
    exec(code, namespace)  # only what this module wrote: see the module's docstring
    if framed is not None:
        framed(namespace)
    for name, functions in tables.items():
        constants[name].update({k: tuple(namespace[each] for each in v) for k, v in functions.items()})


_CONSTANT: Final = re.compile(r"\bK\d+\b")


def readable(text: str, constants: dict[str, Any], names: dict[str, str]) -> str:
    """Emitted text for people: constants written out, and comments that say what each function is."""

    def literal(match: re.Match[str]) -> str:
        shown = repr(constants.get(match.group(), match.group()))
        return shown if len(shown) <= 60 else match.group()

    out: list[str] = []
    for line in text.splitlines():
        if line.startswith("def "):
            title = names.get(line[4 : line.index("(")])
            out.append("")
            if title:
                out.append("# " + title.replace("\n", " "))
        out.append(_CONSTANT.sub(literal, line))
    return "\n".join(out).lstrip("\n") + "\n"
