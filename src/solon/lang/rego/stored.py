"""A compiled program as bytes, and back: what evaluations need, without the syntax tree.

The bytes hold Python code and are as trusted as Solon's own files: whoever keeps them must see to it that
nobody else can write them (see solon.cli.cache). They are good for the very build of Solon and Python that
made them, which is part of :func:`identity`.
"""

from __future__ import annotations

import hashlib
import marshal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from solon.lang.emit import Origin, define
from solon.lang.rego.annotations import Annotation
from solon.lang.rego.builtins import TABLE
from solon.lang.rego.compile import namespace, replacement
from solon.lang.rego.rules import Group, Node
from solon.lang.rego.runtime import Linked, Replacement
from solon.lang.source import Span
from solon.lang.values import UNDEFINED, Key, Set

if TYPE_CHECKING:
    from solon.lang.rego.program import Code, Facts, Program


class Cache(Protocol):
    """Where compiled programs are kept, by identity."""

    def get(self, identity: str) -> bytes | None: ...

    def put(self, identity: str, stored: bytes) -> None: ...


def identity(modules: Mapping[str, str], *settings: object) -> str:
    """A digest of everything that compiling depends on."""
    digest = hashlib.sha256(_build())
    for text in (*map(repr, settings), *(part for item in modules.items() for part in item)):
        raw = text.encode("utf-8", "surrogatepass")
        digest.update(len(raw).to_bytes(8, "big") + raw)
    return digest.hexdigest()


@lru_cache(maxsize=1)
def _build() -> bytes:
    """What changes with Python, and with every change of Solon's compiler."""
    digest = hashlib.sha256(sys.version.encode())
    for file in sorted(Path(__file__).parents[1].rglob("*.py")):
        state = file.stat()
        digest.update(f"{file.name} {state.st_size} {state.st_mtime_ns}".encode())
    return digest.digest()


def freeze(program: Program) -> bytes | None:
    """The program, or None where something in it cannot be kept."""
    code = program.code
    spans: dict[tuple[Any, ...], int] = {}
    seen: dict[int, int] = {}

    def place(origin: Origin) -> int:
        if origin is None:
            return -1
        held = seen.get(id(origin))
        if held is None:
            held = seen[id(origin)] = spans.setdefault(astuple(origin()), len(spans))
        return held

    try:
        # Tables of functions are filled once the functions are there.
        constants = {
            name: _frozen({} if name in code.tables else value, name, code)
            for name, value in code.constants.items()
        }
        return marshal.dumps(
            {
                "code": code.compiled,
                "constants": constants,
                "tables": {
                    name: [(_frozen(k, "", code), v) for k, v in names.items()]
                    for name, names in code.tables.items()
                },
                "groups": [(group.path, group.kind) for group in program.groups],
                "empty": list(program.root.empty()),
                "nodes": [node.path for node in code.linked.nodes],
                "sites": [(what, place(origin)) for what, origin in code.linked.sites],
                "origins": [place(origin) for origin in code.origins],
                "spans": list(spans),
                "replaced": list(program.replaced),
                "rules": [
                    (r.path, r.package, r.name, r.kind, astuple(r.span), r.default)
                    for r in program.facts.rules
                ],
                "packages": program.facts.packages,
                "annotations": [
                    (a.path, a.scope, a.values, astuple(a.span), a.target_at, a.file)
                    for a in program.facts.annotations
                ],
                "base_references": sorted(program.facts.base_references),
            }
        )
    except (ValueError, TypeError):
        return None


def _frozen(value: Any, name: str, code: Code) -> Any:
    """A constant as marshal takes it: what it does not know is a tuple that says what it is."""
    identity = code.identities.get(name)
    if identity is not None and callable(value):
        return ("builtin", identity)
    if isinstance(value, Replacement):
        return ("function", str(identity).removeprefix("function "))
    if value is UNDEFINED:
        return ("undefined", None)
    kind = type(value)
    if kind is Set:
        return ("set", [_frozen(member, "", code) for member in value.values()])
    if kind is Key:
        return ("key", _frozen(value.value, "", code))
    if kind is tuple:
        return ("tuple", [_frozen(item, "", code) for item in value])
    if kind is list:
        return ("list", [_frozen(item, "", code) for item in value])
    if kind is dict:
        return ("dict", [(_frozen(k, "", code), _frozen(v, "", code)) for k, v in value.items()])
    if value is None or kind in (bool, int, float, str):
        return value
    raise TypeError(kind.__name__)


def _thawed(value: Any, groups: Mapping[str, int]) -> Any:
    if type(value) is not tuple:
        return value
    kind, held = value
    match kind:
        case "builtin":
            return TABLE[held].function
        case "function":
            return replacement(held, groups.get(held))
        case "undefined":
            return UNDEFINED
        case "set":
            return Set.of(_thawed(member, groups) for member in held)
        case "key":
            return Key(_thawed(held, groups))
        case "tuple":
            return tuple(_thawed(item, groups) for item in held)
        case "list":
            return [_thawed(item, groups) for item in held]
        case _:
            return {_thawed(k, groups): _thawed(v, groups) for k, v in held}


class _Places(Sequence[Origin]):
    """For each line of the code, where it comes from."""

    def __init__(self, places: Sequence[int], spans: Sequence[tuple[Any, ...]]) -> None:
        self._places = places
        self._spans = spans

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, line: Any) -> Any:
        place = self._places[line]
        return None if place < 0 else _origin(self._spans[place])


def _origin(span: tuple[Any, ...]) -> Callable[[], Span]:
    return lambda: Span(*span)


def thaw(
    stored: bytes, sources: dict[str, str], data: Any
) -> tuple[list[Group], Code, frozenset[Any], Facts]:
    """What :func:`freeze` kept: the groups (without their rules), the code, what `with` replaces, the facts.

    Raises ValueError, TypeError, KeyError or EOFError where the bytes are not that.
    """
    from solon.lang.rego.program import Code, Facts, RuleInfo

    held = marshal.loads(stored)  # noqa: S302 - written by ourselves, and by nobody else: see the module's docstring
    groups = [Group(index, tuple(path), kind) for index, (path, kind) in enumerate(held["groups"])]
    root = Node(())
    for group in groups:
        root.add(group)
    for path in held["empty"]:
        root.at(path)
    functions = {group.name: group.index for group in groups if group.kind == "function"}
    constants = {name: _thawed(value, functions) for name, value in held["constants"].items()}
    space = namespace()
    tables = {name: {_thawed(k, functions): v for k, v in names} for name, names in held["tables"].items()}
    define(held["code"], constants, tables, space)
    spans = held["spans"]
    sites = [(what, _origin(spans[place])) for what, place in held["sites"]]
    nodes = [root.at(path) for path in held["nodes"]]
    linked = Linked([space[f"g{g.index}"] for g in groups], groups, nodes, sites, sources, data, {})
    code = Code(space, held["code"], constants, _Places(held["origins"], spans), linked)
    rules = [
        RuleInfo(path, package, name, kind, Span(*span), default)
        for path, package, name, kind, span, default in held["rules"]
    ]
    annotations = [
        Annotation(path, scope, values, Span(*span), at, file)
        for path, scope, values, span, at, file in held["annotations"]
    ]
    facts = Facts(rules, held["packages"], annotations, set(held["base_references"]))
    return groups, code, frozenset(tuple(path) for path in held["replaced"]), facts
