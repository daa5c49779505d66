"""What ``sentinel.hcl`` and test cases say: policies, imports, mocks, parameters, expected rules.

Both are written in HCL or JSON. A test case in the legacy JSON form (``{"mock": {"tfplan": "mock.sentinel"},
"test": {"main": false}}``) says the same. (Sentinel documentation, "Configuration Reference".)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from solon.frameworks.sentinel import hcl
from solon.frameworks.sentinel.hcl import Attribute, Block, Body, Place
from solon.frameworks.sentinel.json_form import body_of
from solon.subjects.documents import Problem
from solon.subjects.subject import Location, Unreadable


class Level(StrEnum):
    """The enforcement level of a policy."""

    ADVISORY = "advisory"
    SOFT = "soft-mandatory"
    HARD = "hard-mandatory"


@dataclass(frozen=True, slots=True)
class PolicyEntry:
    name: str
    source: str
    level: Level
    params: Mapping[str, Any]
    at: Location


@dataclass(frozen=True, slots=True)
class Imported:
    """An ``import`` block, or a ``module`` block of the older form. ``kind``: module, static or plugin."""

    kind: str
    name: str
    source: str
    format: str
    config: Mapping[str, Any]
    at: Location


@dataclass(frozen=True, slots=True)
class Mock:
    """What stands for an import: a module, or else ``data``."""

    name: str
    source: str
    data: Any
    at: Location


@dataclass(frozen=True, slots=True)
class Configuration:
    """``rules`` is None where no ``test`` block says what is expected."""

    policies: Sequence[PolicyEntry] = ()
    imports: Sequence[Imported] = ()
    mocks: Sequence[Mock] = ()
    params: Mapping[str, Any] = field(default_factory=dict)
    globals: Mapping[str, Any] = field(default_factory=dict)
    rules: Mapping[str, Any] | None = None
    features: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Shape:
    """What a block may hold: how many labels, attributes, and nested blocks."""

    labels: int
    attributes: frozenset[str]
    blocks: frozenset[str] = frozenset()


_SHAPES: Final = {
    "sentinel": _Shape(0, frozenset(["features"])),
    "policy": _Shape(1, frozenset(["source", "enforcement_level", "params"])),
    "import": _Shape(2, frozenset(["source", "format", "config", "args", "env"])),
    "module": _Shape(1, frozenset(["source"])),
    "mock": _Shape(1, frozenset(["data"]), frozenset(["module"])),
    "param": _Shape(1, frozenset(["value"])),
    "global": _Shape(1, frozenset(["value"])),
    "test": _Shape(0, frozenset(["rules"])),
}
_LABELS: Final = {2: "two names", 1: "one name", 0: "no name"}
_KINDS: Final = ("module", "static", "plugin")


def read(text: str, file: str) -> tuple[Body, list[Unreadable]]:
    """The blocks of a file in HCL, or in JSON if it is named so."""
    if file.endswith(".json"):
        try:
            return body_of(text, file), []
        except Problem as problem:
            return Body(), [problem.at(file)]
    return hcl.parse(text, file)


def is_configuration(body: Body) -> bool:
    """Whether a file has something to say here: other tools have files in HCL, too."""
    return any(block.type in _SHAPES for block in body.blocks)


def overridden(base: Body, override: Body) -> Body:
    """The blocks of ``base``, with what an override file says of those of the same names instead."""
    blocks = list(base.blocks)
    for block in override.blocks:
        for index, old in enumerate(blocks):
            if (old.type, old.labels) == (block.type, block.labels):
                kept = [b for b in old.body.blocks if b.type not in {n.type for n in block.body.blocks}]
                # What a mock is made of is one thing, whichever way it is said.
                attributes = {} if old.type == "mock" else old.body.attributes
                body = Body(
                    {**attributes, **block.body.attributes},
                    [*([] if old.type == "mock" else kept), *block.body.blocks],
                )
                blocks[index] = Block(old.type, old.labels, body, block.at)
                break
        else:
            blocks.append(block)
    return Body({**base.attributes, **override.attributes}, blocks)


def convert(body: Body) -> tuple[Configuration, list[Unreadable]]:
    """The configuration, and everything that is wrong with it."""
    made = _Conversion()
    for attribute in body.attributes.values():
        made.wrong(attribute.at, f"unknown attribute {attribute.name!r}: known are blocks {_listed(_SHAPES)}")
    seen: dict[tuple[str, ...], Place] = {}
    for block in body.blocks:
        if not made.fits(block):
            continue
        key = (block.type, *block.labels)
        if block.labels and key in seen:
            where = seen[key].location
            made.wrong(block.at, f"{' '.join(key)} is there twice; first at {where}")
            continue
        seen[key] = block.at
        made.take(block)
    return made.configuration(), made.problems


class _Conversion:
    def __init__(self) -> None:
        self.problems: list[Unreadable] = []
        self._policies: list[PolicyEntry] = []
        self._imports: list[Imported] = []
        self._mocks: list[Mock] = []
        self._params: dict[str, Any] = {}
        self._globals: dict[str, Any] = {}
        self._features: dict[str, Any] = {}
        self._rules: dict[str, Any] | None = None

    def configuration(self) -> Configuration:
        return Configuration(
            self._policies,
            self._imports,
            self._mocks,
            self._params,
            self._globals,
            self._rules,
            self._features,
        )

    def wrong(self, at: Place, problem: str, hint: str = "") -> None:
        self.problems.append(Unreadable(at.location, problem, hint))

    def fits(self, block: Block) -> bool:
        """Whether a block is of a known type and has what its type has."""
        shape = _SHAPES.get(block.type)
        if shape is None:
            self.wrong(block.at, f"unknown block {block.type!r}: known are {_listed(_SHAPES)}")
            return False
        if len(block.labels) != shape.labels:
            self.wrong(block.at, f"{block.type} takes {_LABELS[shape.labels]}, not {len(block.labels)}")
            return False
        if block.type == "mock" and "module" in block.body.attributes:
            self.wrong(block.body.attributes["module"].at, "module is a block: write `module {`, with no =")
            return False
        unknown = [a for a in block.body.attributes.values() if a.name not in shape.attributes]
        for attribute in unknown:
            known = _listed(sorted(shape.attributes))
            self.wrong(
                attribute.at, f"unknown attribute {attribute.name!r} of {block.type}: known are {known}"
            )
        for nested in block.body.blocks:
            if nested.type not in shape.blocks:
                self.wrong(nested.at, f"{block.type} holds no block {nested.type!r}")
                return False
        return True

    def take(self, block: Block) -> None:
        getattr(self, f"_{block.type}")(block)

    def _sentinel(self, block: Block) -> None:
        self._features.update(self._map(block, "features"))

    def _policy(self, block: Block) -> None:
        name = block.labels[0]
        source = self._text(block, "source") or f"./{name}.sentinel"
        said = self._text(block, "enforcement_level") or Level.ADVISORY
        if said not in list(Level):
            at = block.body.attributes["enforcement_level"].at
            self.wrong(at, f"unknown enforcement level {said!r}: known are {_listed(Level)}")
            return
        params = self._map(block, "params")
        self._policies.append(PolicyEntry(name, source, Level(said), params, block.at.location))

    def _import(self, block: Block) -> None:
        kind, name = block.labels
        if kind not in _KINDS:
            self.wrong(block.at, f"unknown kind of import {kind!r}: known are {_listed(_KINDS)}")
            return
        source = self._text(block, "source")
        if kind != "plugin" and not source:
            self.wrong(block.at, f"import {kind!r} {name!r} has no source")
            return
        form = self._text(block, "format") or "json"
        if kind == "static" and form != "json":
            self.wrong(block.body.attributes["format"].at, f"unknown format {form!r}: only json is known")
            return
        config = self._map(block, "config")
        self._imports.append(Imported(kind, name, source, form, config, block.at.location))

    def _module(self, block: Block) -> None:
        source = self._text(block, "source")
        if source:
            self._imports.append(Imported("module", block.labels[0], source, "", {}, block.at.location))
        elif "source" not in block.body.attributes:
            self.wrong(block.at, f"module {block.labels[0]!r} has no source")

    def _mock(self, block: Block) -> None:
        name = block.labels[0]
        data = block.body.attributes.get("data")
        if (data is not None) == bool(block.body.blocks):
            self.wrong(block.at, f'mock {name!r} needs `module {{ source = "..." }}` or `data = {{ ... }}`')
            return
        if data is not None:
            self._mocks.append(Mock(name, "", data.value, block.at.location))
            return
        source = self._text(block.body.blocks[0], "source")
        if source:
            self._mocks.append(Mock(name, source, None, block.at.location))
        elif "source" not in block.body.blocks[0].body.attributes:
            self.wrong(block.body.blocks[0].at, f"the module of mock {name!r} has no source")

    def _param(self, block: Block) -> None:
        self._value(block, self._params)

    def _global(self, block: Block) -> None:
        self._value(block, self._globals)

    def _test(self, block: Block) -> None:
        rules = self._map(block, "rules")
        if "rules" in block.body.attributes:
            self._rules = {**(self._rules or {}), **rules}

    def _value(self, block: Block, values: dict[str, Any]) -> None:
        value = block.body.attributes.get("value")
        if value is None:
            self.wrong(block.at, f"{block.type} {block.labels[0]!r} has no value")
        else:
            values[block.labels[0]] = value.value

    def _text(self, block: Block, name: str) -> str:
        """The text of an attribute; empty where it is missing, or is something else, which is told."""
        attribute = block.body.attributes.get(name)
        if attribute is None:
            return ""
        if not isinstance(attribute.value, str) or not attribute.value:
            self._mistyped(attribute, "text in quotes")
            return ""
        return attribute.value

    def _map(self, block: Block, name: str) -> dict[str, Any]:
        attribute = block.body.attributes.get(name)
        if attribute is None:
            return {}
        if not isinstance(attribute.value, dict):
            self._mistyped(attribute, "a map, such as { name = true }")
            return {}
        return attribute.value

    def _mistyped(self, attribute: Attribute, wanted: str) -> None:
        self.wrong(attribute.at, f"{attribute.name} must be {wanted}")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
