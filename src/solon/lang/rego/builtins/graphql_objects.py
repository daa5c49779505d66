"""GraphQL syntax trees as objects, with the fields that OPA's parser (gqlparser) gives them, and back to text.

Empty lists and absent parts are left out, and so are comments.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from solon.lang.rego.errors import BuiltinError

if TYPE_CHECKING:  # importing graphql takes longer than most evaluations
    from graphql.language import Node

Object = dict[str, Any]


def _pruned(**fields: Any) -> Object:
    return {name: value for name, value in fields.items() if value not in (None, [], {})}


_ATOMS: Final = {"int_value": 1, "float_value": 2, "enum_value": 7}


def _value(node: Any) -> Object | None:
    if node is None:
        return None
    kind, raw, children = node.kind, "", []
    if kind in _ATOMS:
        code, raw = _ATOMS[kind], node.value
    elif kind == "variable":
        code, raw = 0, node.name.value
    elif kind == "string_value":
        code, raw = 4 if node.block else 3, node.value
    elif kind == "boolean_value":
        code, raw = 5, "true" if node.value else "false"
    elif kind == "null_value":
        code, raw = 6, "null"
    elif kind == "list_value":
        code, children = 8, [{"Name": "", "Value": _value(item)} for item in node.values]
    else:
        code, children = 9, [{"Name": f.name.value, "Value": _value(f.value)} for f in node.fields]
    return _pruned(Kind=code, Raw=raw, Children=children, ExpectedTypeHasDefault=False)


def _type(node: Any) -> Object:
    required = node.kind == "non_null_type"
    inner = node.type if required else node
    if inner.kind == "list_type":
        return {"NamedType": "", "Elem": _type(inner.type), "NonNull": required}
    return {"NamedType": inner.name.value, "NonNull": required}


def _arguments(nodes: Iterable[Any] | None) -> list[Object]:
    return [{"Name": node.name.value, "Value": _value(node.value)} for node in nodes or ()]


def _directives(node: Any) -> list[Object]:
    return [
        _pruned(Name=d.name.value, Arguments=_arguments(d.arguments), Location="")
        for d in node.directives or ()
    ]


def _selections(node: Any) -> list[Object]:
    selections = node.selection_set.selections if node.selection_set else ()
    return [_SELECTION[selection.kind](selection) for selection in selections]


def _field(node: Any) -> Object:
    return _pruned(
        Alias=(node.alias or node.name).value,
        Name=node.name.value,
        Arguments=_arguments(node.arguments),
        Directives=_directives(node),
        SelectionSet=_selections(node),
    )


def _spread(node: Any) -> Object:
    if node.arguments:
        raise BuiltinError("Unexpected ( in GraphQL string")
    return _pruned(Name=node.name.value, Directives=_directives(node))


def _inline(node: Any) -> Object:
    condition = node.type_condition.name.value if node.type_condition else ""
    return _pruned(TypeCondition=condition, Directives=_directives(node), SelectionSet=_selections(node))


_SELECTION: Final[Mapping[str, Callable[[Any], Object]]] = {
    "field": _field, "fragment_spread": _spread, "inline_fragment": _inline,
}  # fmt: skip


def _variables(nodes: Iterable[Any] | None) -> list[Object]:
    return [
        _pruned(
            Variable=node.variable.name.value,
            Type=_type(node.type),
            DefaultValue=_value(node.default_value),
            Directives=_directives(node),
            Used=False,
        )
        for node in nodes or ()
    ]


def query_object(definitions: Iterable[Node]) -> Object:
    operations: list[Object] = []
    fragments: list[Object] = []
    for node in definitions:
        definition: Any = node
        body = {"Directives": _directives(definition), "SelectionSet": _selections(definition)}
        if definition.kind == "operation_definition":
            name = definition.name.value if definition.name else ""
            variables = _variables(definition.variable_definitions)
            operations.append(
                _pruned(
                    Operation=definition.operation.value, Name=name, VariableDefinitions=variables, **body
                )
            )
        else:
            condition = definition.type_condition.name.value
            fragments.append(
                _pruned(
                    Name=definition.name.value,
                    VariableDefinition=_variables(definition.variable_definitions),
                    TypeCondition=condition,
                    **body,
                )
            )
    return _pruned(Operations=operations, Fragments=fragments)


def _text(node: Any) -> str:
    return node.value if node else ""


def _inputs(nodes: Iterable[Any] | None) -> list[Object]:
    return [
        _pruned(
            Description=_text(node.description),
            Name=node.name.value,
            DefaultValue=_value(node.default_value),
            Type=_type(node.type),
            Directives=_directives(node),
        )
        for node in nodes or ()
    ]


def _fields(nodes: Iterable[Any] | None) -> list[Object]:
    return [
        _pruned(
            Description=_text(node.description),
            Name=node.name.value,
            Arguments=_inputs(node.arguments),
            Type=_type(node.type),
            Directives=_directives(node),
        )
        for node in nodes or ()
    ]


_KINDS: Final = {
    "scalar": "SCALAR", "object": "OBJECT", "interface": "INTERFACE", "union": "UNION", "enum": "ENUM",
    "input_object": "INPUT_OBJECT",
}  # fmt: skip


def _definition(node: Any, kind: str) -> Object:
    inputs = kind == "INPUT_OBJECT"
    fields = getattr(node, "fields", None)
    return _pruned(
        Kind=kind,
        Description=_text(getattr(node, "description", None)),
        Name=node.name.value,
        Directives=_directives(node),
        Interfaces=[named.name.value for named in getattr(node, "interfaces", None) or ()],
        Fields=_inputs(fields) if inputs else _fields(fields),
        Types=[named.name.value for named in getattr(node, "types", None) or ()],
        EnumValues=[
            _pruned(Description=_text(v.description), Name=v.name.value, Directives=_directives(v))
            for v in getattr(node, "values", None) or ()
        ],
        BuiltIn=False,
    )


def schema_object(definitions: Iterable[Node]) -> Object:
    out: dict[str, list[Object]] = {
        part: [] for part in ("Schema", "SchemaExtension", "Directives", "Definitions", "Extensions")
    }
    for node in definitions:
        definition: Any = node
        kind = definition.kind
        if kind in ("schema_definition", "schema_extension"):
            roots = [
                {"Operation": t.operation.value, "Type": t.type.name.value}
                for t in definition.operation_types or ()
            ]
            description = _text(getattr(definition, "description", None))
            entry = _pruned(Description=description, Directives=_directives(definition), OperationTypes=roots)
            out["Schema" if kind == "schema_definition" else "SchemaExtension"].append(entry)
        elif kind == "directive_definition":
            out["Directives"].append(
                _pruned(
                    Description=_text(definition.description),
                    Name=definition.name.value,
                    Arguments=_inputs(definition.arguments),
                    Locations=[location.value for location in definition.locations],
                    IsRepeatable=definition.repeatable,
                )
            )
        else:
            family, _, role = kind.rpartition("_type_")
            part = "Definitions" if role == "definition" else "Extensions"
            out[part].append(_definition(definition, _KINDS[family]))
    return _pruned(**out)


# From objects back to text. An object that a policy made up may hold anything: what has the wrong type raises
# TypeError, KeyError or AttributeError, and what is not a name does not parse.


def _written_value(value: Object) -> str:
    kind, raw, children = value.get("Kind", 0), value.get("Raw", ""), value.get("Children", [])
    if kind == 0:
        return f"${raw}"
    if kind in (3, 4):
        return json.dumps(raw, ensure_ascii=False)
    if kind == 8:
        return f"[{' '.join(_written_value(child['Value']) for child in children)}]"
    if kind == 9:
        return (
            "{" + " ".join(f"{child['Name']}: {_written_value(child['Value'])}" for child in children) + "}"
        )
    return str(raw)


def _written_type(type_: Object) -> str:
    inner = f"[{_written_type(type_['Elem'])}]" if "Elem" in type_ else str(type_["NamedType"])
    return inner + ("!" if type_.get("NonNull") else "")


def _written_arguments(owner: Object) -> str:
    given = [f"{a['Name']}: {_written_value(a['Value'])}" for a in owner.get("Arguments", [])]
    return f"({', '.join(given)})" if given else ""


def _written_directives(owner: Object) -> str:
    return "".join(f" @{d['Name']}{_written_arguments(d)}" for d in owner.get("Directives", []))


def _written_selections(owner: Object) -> str:
    selections = owner.get("SelectionSet", [])
    return " {" + " ".join(map(_written_selection, selections)) + "}" if selections else ""


def _written_selection(selection: Object) -> str:
    tail = _written_directives(selection) + _written_selections(selection)
    if "TypeCondition" in selection:
        condition = selection["TypeCondition"]
        return f"...{f' on {condition}' if condition else ''}{tail}"
    if "Alias" not in selection:
        return f"...{selection['Name']}{tail}"
    alias, name = selection["Alias"] or selection["Name"], selection["Name"]
    return f"{'' if alias == name else f'{alias}: '}{name}{_written_arguments(selection)}{tail}"


def _written_default(owner: Object) -> str:
    return f" = {_written_value(owner['DefaultValue'])}" if "DefaultValue" in owner else ""


def _written_variables(variables: list[Object]) -> str:
    shown = [
        f"${v['Variable']}: {_written_type(v['Type'])}{_written_default(v)}{_written_directives(v)}"
        for v in variables
    ]
    return f"({', '.join(shown)})" if shown else ""


def query_text(query: Object) -> str:
    out: list[str] = []
    for operation in query.get("Operations", []):
        head = f"{operation['Operation']} {operation.get('Name', '')}"
        head += _written_variables(operation.get("VariableDefinitions", []))
        out.append(head + _written_directives(operation) + _written_selections(operation))
    for fragment in query.get("Fragments", []):
        head = f"fragment {fragment['Name']}{_written_variables(fragment.get('VariableDefinition', []))}"
        head += f" on {fragment['TypeCondition']}"
        out.append(head + _written_directives(fragment) + _written_selections(fragment))
    return "\n".join(out)


def _written_inputs(fields: list[Object]) -> list[str]:
    return [
        f"{f['Name']}: {_written_type(f['Type'])}{_written_default(f)}{_written_directives(f)}"
        for f in fields
    ]


def _written_parameters(owner: Object) -> str:
    parameters = _written_inputs(owner.get("Arguments", []))
    return f"({', '.join(parameters)})" if parameters else ""


_KEYWORDS: Final = {
    "SCALAR": "scalar", "OBJECT": "type", "INTERFACE": "interface", "UNION": "union", "ENUM": "enum",
    "INPUT_OBJECT": "input",
}  # fmt: skip


def _written_definition(definition: Object) -> str:
    kind = definition["Kind"]
    head = f"{_KEYWORDS[kind]} {definition['Name']}"
    interfaces = definition.get("Interfaces", [])
    head += f" implements {' & '.join(interfaces)}" if interfaces else ""
    head += _written_directives(definition)
    if kind == "UNION":
        return f"{head} = {' | '.join(definition.get('Types', []))}"
    if kind == "ENUM":
        lines = [v["Name"] + _written_directives(v) for v in definition.get("EnumValues", [])]
    elif kind == "INPUT_OBJECT":
        lines = _written_inputs(definition.get("Fields", []))
    else:
        lines = [
            f"{f['Name']}{_written_parameters(f)}: {_written_type(f['Type'])}{_written_directives(f)}"
            for f in definition.get("Fields", [])
        ]
    return head + (" {" + "\n".join(lines) + "}" if lines else "")


def _written_schema(schema: Object) -> str:
    roots = [f"{root['Operation']}: {root['Type']}" for root in schema.get("OperationTypes", [])]
    return "schema" + _written_directives(schema) + (" {" + " ".join(roots) + "}" if roots else "")


def schema_text(schema: Object) -> str:
    """The schema as text, extensions after what they extend."""
    out = [_written_schema(entry) for entry in schema.get("Schema", [])]
    out += [f"extend {_written_schema(entry)}" for entry in schema.get("SchemaExtension", [])]
    for directive in schema.get("Directives", []):
        head = f"directive @{directive['Name']}{_written_parameters(directive)}"
        repeatable = " repeatable" if directive.get("IsRepeatable") else ""
        out.append(f"{head}{repeatable} on {' | '.join(directive['Locations'])}")
    out += [_written_definition(definition) for definition in schema.get("Definitions", [])]
    out += [f"extend {_written_definition(definition)}" for definition in schema.get("Extensions", [])]
    return "\n".join(out)
