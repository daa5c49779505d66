"""ConstraintTemplates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from solon.frameworks.gatekeeper.errors import GatekeeperError
from solon.frameworks.gatekeeper.schema import check_structural
from solon.lang import rego
from solon.lang.rego import ast
from solon.lang.rego.ast import Version
from solon.lang.rego.resolve import walk_all
from solon.subjects.subject import Location

GROUP: Final = "templates.gatekeeper.sh"
VERSIONS: Final = ("v1", "v1beta1", "v1alpha1")
TARGET: Final = "admission.k8s.gatekeeper.sh"


@dataclass(frozen=True, slots=True)
class Template:
    """A compiled template. ``violations`` is the query to ask with {"review": …, "parameters": …}."""

    kind: str
    schema: Any
    keeps_unknown: bool  # parameters that the schema has not are kept rather than refused
    violations: rego.Query
    uses_inventory: bool
    location: Location
    annotations: dict[str, str] = field(default_factory=dict)


def is_template(document: Any) -> bool:
    return (
        isinstance(document, dict)
        and document.get("kind") == "ConstraintTemplate"
        and str(document.get("apiVersion", "")).partition("/")[0] == GROUP
    )


def compile_template(
    document: dict[str, Any],
    location: Location,
    cache: rego.Cache | None = None,
    watch: rego.Watch | None = None,
) -> Template:
    """Raises GatekeeperError with everything that is wrong."""
    api_version = str(document.get("apiVersion", "")).rpartition("/")[2]
    if api_version not in VERSIONS:
        raise GatekeeperError(
            f"apiVersion {GROUP}/{api_version} is unknown: versions are {', '.join(VERSIONS)}"
        )
    kind = _get(document, "spec", "crd", "spec", "names", "kind")
    if not isinstance(kind, str) or not kind:
        raise GatekeeperError("spec.crd.spec.names.kind is missing")
    name = _get(document, "metadata", "name")
    if name != kind.lower():
        raise GatekeeperError(f"metadata.name {name!r} must be the kind in lower case: {kind.lower()!r}")
    targets = _get(document, "spec", "targets")
    if not isinstance(targets, list) or len(targets) != 1 or not isinstance(targets[0], dict):
        raise GatekeeperError(f"spec.targets must have exactly one target, {TARGET}")
    target = targets[0]
    if target.get("target") != TARGET:
        raise GatekeeperError(f"unknown target {target.get('target')!r}: must be {TARGET}")
    text, libs, version = source_of(target)
    file = f"{kind}.rego"
    modules = {file: text, **{f"{kind}.lib{n}.rego": lib for n, lib in enumerate(libs)}}
    try:
        program = rego.compile(modules, version=version, rewrite=check_modules, cache=cache, watch=watch)
    except rego.RegoError as error:
        raise GatekeeperError(error.render()) from None
    rules = [r for r in program.rules if r.span.file == file and r.path == f"{r.package}.violation"]
    if not rules:
        raise GatekeeperError("the Rego has no rule named violation")
    if any(rule.kind == "function" for rule in rules):
        raise GatekeeperError("violation must be a set of objects with a msg, not a function")
    schema, keeps_unknown = parameters_of(document)
    if schema is not None and not keeps_unknown:
        check_structural(schema, "spec.crd.spec.validation.openAPIV3Schema")
    annotations = _get(document, "metadata", "annotations")
    return Template(
        kind=kind,
        schema=schema,
        keeps_unknown=keeps_unknown,
        violations=program.prepare(rules[0].path),
        uses_inventory=bool(program.base_references),
        location=location,
        annotations={k: str(v) for k, v in annotations.items()} if isinstance(annotations, dict) else {},
    )


def parameters_of(document: dict[str, Any]) -> tuple[Any, bool]:
    """The schema of a template's parameters, and whether those that it has not are kept."""
    validation = _get(document, "spec", "crd", "spec", "validation")
    schema = validation.get("openAPIV3Schema") if isinstance(validation, dict) else None
    return schema, _keeps_unknown(document, validation)


def _keeps_unknown(document: dict[str, Any], validation: Any) -> bool:
    """``legacySchema``, which is on by default before version v1."""
    said = validation.get("legacySchema") if isinstance(validation, dict) else None
    version = str(document.get("apiVersion", "")).rpartition("/")[2]
    return said is True or (said is None and version != "v1")


def check_modules(modules: list[ast.Module]) -> None:
    """What Gatekeeper asks of a template's modules besides being Rego. Raises GatekeeperError."""
    for number, module in enumerate(modules):
        if number and (module.package[0] != "lib" or len(module.package) < 2):
            shown = ".".join(module.package)
            raise GatekeeperError(
                f"{module.file}: package {shown} of a lib must be below lib, such as lib.{shown}"
            )
        for found in module.imports:
            if found.path[:2] != ["data", "lib"] and found.path[:1] != ["future"]:
                shown = ".".join(found.path)
                raise GatekeeperError(
                    f"{module.file}: import {shown} is not allowed: only data.lib and future.keywords are"
                )
        for path, at in _data_references(module):
            if path[:1] not in (("lib",), ("inventory",)):
                shown = ".".join(["data", *path])
                place = f"{module.file}:{module.span(at).row}"
                raise GatekeeperError(
                    f"{place}: {shown} is not allowed: only data.lib and data.inventory are"
                )


def _data_references(module: ast.Module) -> Iterator[tuple[tuple[str, ...], int]]:
    """The fixed names of each reference into ``data``, and where it is."""
    for rule in module.rules:
        head, branches = rule.head, rule.elses
        values = [head.key, head.value, *(branch.value for branch in branches)]
        terms = [*head.path[1:], *(head.args or []), *ast.present(*values)]
        for term in walk_all(terms, [rule.body, *(branch.body for branch in branches)]):
            if isinstance(term, ast.Call) and term.name.startswith("data."):
                yield tuple(term.name.split(".")[1:]), term.at
            elif isinstance(term, ast.Ref) and isinstance(term.head, ast.Var) and term.head.name == "data":
                yield ast.fixed_names(term.path), term.at


def source_of(target: dict[str, Any]) -> tuple[str, list[str], Version]:
    """The Rego of a target, its libs and its version."""
    code = target.get("code")
    if isinstance(code, list) and code and not target.get("rego"):
        engines = {entry.get("engine"): entry.get("source") for entry in code if isinstance(entry, dict)}
        # Templates with both engines say the same in both; the Rego is what is run.
        source = engines.get("Rego")
        if source is None and "K8sNativeValidation" in engines:
            raise GatekeeperError(
                "the template is written in CEL alone (K8sNativeValidation), which is not supported"
            )
        if not isinstance(source, dict):
            raise GatekeeperError(f"unknown engine {next(iter(engines), None)!r}: must be Rego")
        version: Version = "v1" if source.get("version") == "v1" else "v0"
    else:
        source, version = target, "v0"
    text, libs = source.get("rego"), source.get("libs") or []
    if not isinstance(text, str) or not text.strip():
        raise GatekeeperError("the target has no Rego")
    if not isinstance(libs, list) or not all(isinstance(lib, str) for lib in libs):
        raise GatekeeperError("libs must be a list of Rego texts")
    return text, libs, version


def _get(document: Any, *path: str) -> Any:
    for name in path:
        document = document.get(name) if isinstance(document, dict) else None
    return document
