"""Configuration written in JSON, as the blocks that HCL would have for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from solon.frameworks.sentinel.hcl import Attribute, Block, Body
from solon.subjects.documents import Problem, decode_json
from solon.subjects.positions import SourceFile
from solon.subjects.subject import Location, Path

# Block types, and how many names lie between them and their content.
_LABELS: Final = {
    "sentinel": 0,
    "policy": 1,
    "import": 2,
    "module": 1,
    "mock": 1,
    "param": 1,
    "global": 1,
    "test": 0,
}


@dataclass(frozen=True, slots=True)
class _Place:
    """A path in the document; its row is looked for when somebody asks."""

    source: SourceFile
    path: Path

    @property
    def location(self) -> Location:
        return Location(self.source.name, *(self.source.place(0, self.path) or (1, 1)))


def body_of(text: str, file: str) -> Body:
    """The blocks of a document. Raises Problem."""
    value = decode_json(text)
    if not isinstance(value, dict):
        raise Problem("must be an object", 1, 1)
    reader = _Reader(SourceFile(file, lambda: text))
    return reader.legacy(value) if _is_legacy(value) else reader.body(value)


def _is_legacy(value: dict[str, Any]) -> bool:
    """Whether a document is of the older form: mocks by their files, parameters by their values."""
    test, mocks, params = value.get("test"), value.get("mock"), value.get("param")
    return (
        "modules" in value
        or (isinstance(test, dict) and bool(test) and not isinstance(test.get("rules"), dict))
        or (isinstance(mocks, dict) and not all(_has_only(mock, "module", "data") for mock in mocks.values()))
        or (isinstance(params, dict) and not all(_has_only(param, "value") for param in params.values()))
    )


def _has_only(value: Any, *names: str) -> bool:
    """Whether a block has the keys of the newer form, and no others; a list has several of it."""
    if isinstance(value, list):
        return all(_has_only(each, *names) for each in value)
    return isinstance(value, dict) and set(value) <= set(names)


class _Reader:
    def __init__(self, source: SourceFile) -> None:
        self._source = source

    def body(self, value: dict[str, Any]) -> Body:
        """The document of a file: block types, then their names, then what is in them."""
        body = Body()
        for name, inside in value.items():
            if name in _LABELS:
                body.blocks.extend(self._blocks(name, (), inside, (name,), _LABELS[name]))
            else:
                body.attributes[name] = self._attribute(name, inside, (name,))
        return body

    def _blocks(
        self, kind: str, labels: tuple[str, ...], inside: Any, path: Path, missing: int
    ) -> list[Block]:
        if isinstance(inside, list):
            return [
                block
                for index, one in enumerate(inside)
                for block in self._blocks(kind, labels, one, (*path, index), missing)
            ]
        if not isinstance(inside, dict):
            where = self._at(path).location
            raise Problem(f"{kind} must be an object", where.line, where.column)
        if missing:
            return [
                block
                for name, one in inside.items()
                for block in self._blocks(kind, (*labels, name), one, (*path, name), missing - 1)
            ]
        body = Body()
        for name, value in inside.items():
            if kind == "mock" and name == "module":
                body.blocks.extend(self._blocks("module", (), value, (*path, name), 0))
            else:
                body.attributes[name] = self._attribute(name, value, (*path, name))
        return [Block(kind, labels, body, self._at(path))]

    def legacy(self, value: dict[str, Any]) -> Body:
        """``{"mock": {name: file or data}, "param": {name: value}, "modules": {name: {"path": file}}, …}``."""
        body = Body()
        for kind, inside in value.items():
            if not isinstance(inside, dict):
                where = self._at((kind,)).location
                raise Problem(f"{kind} must be an object", where.line, where.column)
            if kind == "test":
                rules = {"rules": self._attribute("rules", inside, (kind,))}
                body.blocks.append(Block("test", (), Body(rules), self._at((kind,))))
                continue
            for name, said in inside.items():
                path = (kind, name)
                block = self._legacy_block(kind, said, path)
                if block is None:
                    body.attributes.setdefault(kind, self._attribute(kind, inside, (kind,)))
                else:
                    body.blocks.append(Block(block[0], (name,), block[1], self._at(path)))
        return body

    def _legacy_block(self, kind: str, said: Any, path: Path) -> tuple[str, Body] | None:
        if kind in ("param", "global"):
            return kind, Body({"value": self._attribute("value", said, path)})
        if kind == "mock" and isinstance(said, str):
            source = Body({"source": self._attribute("source", said, path)})
            return kind, Body({}, [Block("module", (), source, self._at(path))])
        if kind == "mock":
            return kind, Body({"data": self._attribute("data", said, path)})
        if kind == "modules" and isinstance(said, dict) and set(said) <= {"path", "source"}:
            return "module", Body({"source": self._attribute("source", next(iter(said.values()), ""), path)})
        return None

    def _attribute(self, name: str, value: Any, path: Path) -> Attribute:
        return Attribute(name, value, self._at(path))

    def _at(self, path: Path) -> _Place:
        return _Place(self._source, path)
