"""Metadata annotations: the YAML of ``# METADATA`` comment blocks, and what it is about.

(Policy language reference, "Metadata".)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from solon.lang.rego import ast
from solon.lang.rego.errors import PARSE_ERROR
from solon.lang.rego.schemas import path_of
from solon.lang.source import Diagnostic, Span
from solon.lang.values import json_text

SCOPES: Final = ("package", "subpackages", "document", "rule")


@dataclass(frozen=True, slots=True)
class Annotation:
    """One block. ``path`` is what it is about (``data.main.deny``); ``values`` the YAML's fields."""

    path: str
    scope: str
    values: dict[str, Any]
    span: Span
    target_at: int = -1  # offset of the rule in its module, for scope `rule`
    file: str = ""


class Annotations:
    """All annotations of a program."""

    def __init__(self, modules: Sequence[ast.Module], errors: list[Diagnostic]) -> None:
        self.all: list[Annotation] = []
        for module in modules:
            self.all.extend(_read(module, errors))
        self._schemas = [a for a in self.all if isinstance(a.values.get("schemas"), list)]

    def schemas(self, module: ast.Module, rule: ast.Rule) -> list[dict[str, Any]]:
        """What annotations say of the schemas of documents, for one rule; the narrowest scope comes last."""
        if not self._schemas:
            return []
        package = ["data", *module.package]
        around = [ast.written(package[:depth]) for depth in range(1, len(package) + 1)]
        document = ast.written(["data", *module.package, *_static_names(rule)])

        def applies(annotation: Annotation) -> bool:
            match annotation.scope:
                case "subpackages":
                    return annotation.path in around
                case "package":
                    return annotation.path == around[-1]
                case "document":
                    return annotation.path == document
                case _:
                    return annotation.file == module.file and annotation.target_at == rule.at

        order = ("subpackages", "package", "document", "rule")
        found = sorted(filter(applies, self._schemas), key=lambda a: (order.index(a.scope), len(a.path)))
        return [item for a in found for item in a.values["schemas"] if isinstance(item, dict)]

    def chain(self, module: ast.Module, at: int) -> list[dict[str, Any]]:
        """What ``rego.metadata.chain()`` gives at an offset: the rule first, then outwards."""
        rule = next((r for r in module.rules if r.at <= at < max(r.end, r.at + 1)), None)
        package = list(module.package)
        names = [*package, *_static_names(rule)] if rule is not None else package
        name = ast.written(["data", *names])
        chain: list[dict[str, Any]] = []
        if rule is not None:
            own = [
                a for a in self.all if a.scope == "rule" and a.file == module.file and a.target_at == rule.at
            ]
            chain.append(_link(names, own[-1]) if own else {"path": names})
            chain += [_link(names, a) for a in self.all if a.scope == "document" and a.path == name]
        chain += [
            _link(package, a)
            for a in self.all
            if a.scope == "package" and a.path == ast.written(["data", *package])
        ]
        for depth in range(len(package), 0, -1):
            prefix = package[:depth]
            chain += [
                _link(prefix, a)
                for a in self.all
                if a.scope == "subpackages" and a.path == ast.written(["data", *prefix])
            ]
        return chain


def _link(path: list[str], annotation: Annotation) -> dict[str, Any]:
    return {"path": path, "annotations": _shown(annotation.values)}


_FIELDS: Final = (
    "scope", "title", "description", "entrypoint", "organizations", "related_resources", "authors", "schemas",
    "custom", "labels", "compile",
)  # fmt: skip


def _shown(values: dict[str, Any]) -> dict[str, Any]:
    """The fields that OPA knows, as it gives them."""
    out = {name: values[name] for name in _FIELDS if values.get(name)}
    for name in {"title", "description"} & out.keys():
        out[name] = _text(out[name])
    if isinstance(out.get("organizations"), list):
        out["organizations"] = list(map(_text, out["organizations"]))
    if isinstance(out.get("schemas"), list):
        out["schemas"] = [
            {"path": _names(path)}
            | ({"definition": said} if isinstance(said, dict) else {"schema": _names(said)})
            for item in out["schemas"]
            if isinstance(item, dict)
            for path, said in item.items()
        ]
    return out


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json_text(value)


def _names(path: Any) -> list[Any]:
    return [key[1] for key in path_of(_text(path)) or ()]


def _static_names(rule: ast.Rule) -> list[str]:
    return [rule.name, *ast.fixed_names(rule.head.path[1:])]


def _read(module: ast.Module, errors: list[Diagnostic]) -> list[Annotation]:
    if not any(comment.text.strip() == "METADATA" for comment in module.comments):
        return []
    found: list[Annotation] = []
    package_row = module.span(module.package_at).row
    rules = sorted(module.rules, key=lambda rule: rule.at)
    block: list[ast.Comment] = []
    blocks: list[list[ast.Comment]] = []
    for comment in [*module.comments, None]:
        joins = (
            comment is not None
            and block
            and comment.row == block[-1].row + 1
            and comment.column == block[0].column
        )
        if block and not joins:
            blocks.append(block)
            block = []
        if comment is not None and (block or comment.text.strip() == "METADATA"):
            block.append(comment)
    for lines in blocks:
        values = _parse(module, lines, errors)
        if values is None:
            continue
        row = lines[-1].row
        span = Span(module.file, lines[0].row, lines[0].column)
        rule = next((r for r in rules if module.span(r.at).row > row), None)
        before_package = row < package_row
        usual = "package" if before_package else "document" if values.get("entrypoint") else "rule"
        scope = values.get("scope") or usual
        if scope not in SCOPES:
            errors.append(
                Diagnostic(
                    PARSE_ERROR,
                    f"invalid annotation scope {scope!r}",
                    span,
                    "use one of " + ", ".join(SCOPES),
                )
            )
            continue
        package = ["data", *module.package]
        values = {**_normal(values), "scope": scope}
        if scope in ("package", "subpackages"):
            found.append(Annotation(ast.written(package), scope, values, span, -1, module.file))
        elif rule is None:
            errors.append(Diagnostic(PARSE_ERROR, "annotation is not followed by a rule", span))
        else:
            path = ast.written([*package, *_static_names(rule)])
            found.append(Annotation(path, scope, values, span, rule.at, module.file))
    return found


def _normal(values: dict[str, Any]) -> dict[str, Any]:
    """Short forms written out: an author's name and address, a related resource's reference."""
    out = dict(values)
    if isinstance(out.get("authors"), list):
        out["authors"] = [_author(a) if isinstance(a, str) else a for a in out["authors"]]
    if isinstance(out.get("related_resources"), list):
        out["related_resources"] = [{"ref": r} if isinstance(r, str) else r for r in out["related_resources"]]
    return out


def _author(text: str) -> dict[str, str]:
    words = text.split()
    if words and words[-1].startswith("<") and words[-1].endswith(">"):
        return {"name": " ".join(words[:-1]), "email": words[-1][1:-1]}
    return {"name": text}


def _parse(module: ast.Module, lines: list[ast.Comment], errors: list[Diagnostic]) -> dict[str, Any] | None:
    import yaml

    from solon.lang.rego.yaml import load

    text = "\n".join(line.text for line in lines[1:])
    try:
        values = load(text, dates=True)
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        # To YAML a carriage return ends a line as well: what it counts may lie behind the comment.
        row = lines[0].row + min(1 + (mark.line if mark else 0), len(lines) - 1)
        problem = getattr(error, "problem", None) or "not YAML"
        errors.append(
            Diagnostic(PARSE_ERROR, f"annotation is not valid YAML: {problem}", Span(module.file, row, 1))
        )
        return None
    if not isinstance(values, dict):
        span = Span(module.file, lines[0].row, lines[0].column)
        errors.append(Diagnostic(PARSE_ERROR, "expected METADATA block, found whitespace or no fields", span))
        return None
    return values
