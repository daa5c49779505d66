"""The built-in functions of Rego, by name.

Modules that a policy rarely needs (YAML, HTTP, JSON Schema, certificates, GraphQL) import their libraries on first use.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from solon.lang.rego.builtins import (
    aggregates,
    arrays,
    aws,
    certificates,
    crypto,
    encoding,
    formatting,
    glob,
    graph,
    graphql,
    http,
    json,
    json_paths,
    net,
    numbers,
    objects,
    opa,
    private_keys,
    regex,
    rego,
    schema,
    semver,
    sets,
    strings,
    time,
    tokens,
    types,
    units,
    uri,
    uuid,
)
from solon.lang.rego.builtins.registry import Builtin

_FAMILIES: Final = (
    aggregates, arrays, aws, certificates, crypto, encoding, formatting, glob, graph, graphql, http, json,
    json_paths, net, numbers, objects, opa, private_keys, regex, rego, schema, semver, sets, strings, time,
    tokens, types, units, uri, uuid,
)  # fmt: skip

TABLE: Final[Mapping[str, Builtin]] = {b.name: b for family in _FAMILIES for b in family.BUILTINS}
