"""Whether a GraphQL schema, as an object, holds together: the rules of the GraphQL specification for type systems.

A schema without a query type is one, and a type may be extended that is not defined: it is defined so.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from solon.lang.rego.errors import BuiltinError

Object = dict[str, Any]

_SCALARS: Final = ("Int", "Float", "String", "Boolean", "ID")
_META: Final = {
    "__Schema": "OBJECT", "__Type": "OBJECT", "__Field": "OBJECT", "__InputValue": "OBJECT",
    "__EnumValue": "OBJECT", "__Directive": "OBJECT", "__TypeKind": "ENUM", "__DirectiveLocation": "ENUM",
}  # fmt: skip
_BUILT_IN_TYPES: Final = dict.fromkeys(_SCALARS, "SCALAR") | _META


def _argument(name: str, type_: str, *, required: bool = False) -> Object:
    return {"Name": name, "Type": {"NamedType": type_, "NonNull": required}}


_SELECTIONS: Final = ["FIELD", "FRAGMENT_SPREAD", "INLINE_FRAGMENT"]
_MEMBERS: Final = ["FIELD_DEFINITION", "ARGUMENT_DEFINITION", "INPUT_FIELD_DEFINITION", "ENUM_VALUE"]
_BUILT_IN_DIRECTIVES: Final[dict[str, Object]] = {
    "include": {"Arguments": [_argument("if", "Boolean", required=True)], "Locations": _SELECTIONS},
    "skip": {"Arguments": [_argument("if", "Boolean", required=True)], "Locations": _SELECTIONS},
    "defer": {
        "Arguments": [_argument("if", "Boolean"), _argument("label", "String")],
        "Locations": ["FRAGMENT_SPREAD", "INLINE_FRAGMENT"],
    },
    "deprecated": {"Arguments": [_argument("reason", "String")], "Locations": _MEMBERS},
    "specifiedBy": {"Arguments": [_argument("url", "String", required=True)], "Locations": ["SCALAR"]},
    "oneOf": {"Locations": ["INPUT_OBJECT"]},
}
_INPUTS: Final = frozenset(["SCALAR", "ENUM", "INPUT_OBJECT"])
_OUTPUTS: Final = frozenset(["SCALAR", "OBJECT", "INTERFACE", "UNION", "ENUM"])


def _refuse(message: str) -> BuiltinError:
    return BuiltinError(f"Error in gqlparser SchemaDocument to Schema conversion: input: {message}")


def _named(type_: Object) -> str:
    """The name at the bottom of lists of lists."""
    while type_.get("Elem"):
        type_ = type_["Elem"]
    return str(type_["NamedType"])


def _shown(type_: Object) -> str:
    inner = f"[{_shown(type_['Elem'])}]" if type_.get("Elem") else type_["NamedType"]
    return inner + ("!" if type_.get("NonNull") else "")


def merged(schema: Object) -> Object:
    """The checked schema with its extensions in what they extend. Raises BuiltinError."""
    types: dict[str, Object] = {}
    for definition in schema.get("Definitions", []):
        name = definition["Name"]
        if name in types or name in _BUILT_IN_TYPES:
            raise _refuse(f"Cannot redeclare type {name}.")
        types[name] = dict(definition)
    for extension in schema.get("Extensions", []):
        name, kind = extension["Name"], extension["Kind"]
        base = types.setdefault(name, {"Kind": _BUILT_IN_TYPES.get(name, kind), "Name": name})
        if base["Kind"] != kind:
            problem = f"because the base type is a {base['Kind']}, not {kind}."
            raise _refuse(f"Cannot extend type {name} {problem}")
        for part in ("Directives", "Interfaces", "Fields", "Types", "EnumValues"):
            if part in extension:
                base[part] = [*base.get(part, []), *extension[part]]
    directives: dict[str, Object] = {}
    for directive in schema.get("Directives", []):
        name = directive["Name"]
        if name in directives and name not in _BUILT_IN_DIRECTIVES:
            raise _refuse(f"Cannot redeclare directive {name}.")
        directives.setdefault(name, directive)
    roots = _Checker(types, directives).check(schema)
    entry = [{"OperationTypes": [{"Operation": o, "Type": t} for o, t in roots.items()]}] if roots else []
    return {
        "Schema": entry,
        "Definitions": [definition for name, definition in types.items() if name not in _BUILT_IN_TYPES],
        "Directives": [d for name, d in directives.items() if name not in _BUILT_IN_DIRECTIVES],
    }


class _Checker:
    def __init__(self, types: dict[str, Object], directives: dict[str, Object]) -> None:
        self.types = types
        self.directives = _BUILT_IN_DIRECTIVES | directives
        self.possible: dict[str, set[str]] = {}
        for definition in types.values():
            for member in definition.get("Types", []):
                self.possible.setdefault(definition["Name"], set()).add(member)
            for interface in definition.get("Interfaces", []):
                self.possible.setdefault(interface, set()).add(definition["Name"])

    def kind(self, name: str) -> str:
        if name in self.types:
            return str(self.types[name]["Kind"])
        return _BUILT_IN_TYPES.get(name, "")

    def check(self, schema: Object) -> dict[str, str]:
        """The root types by operation, if the schema names them."""
        entries = schema.get("Schema", [])
        if len(entries) > 1:
            problem = "Cannot have multiple schema entry points, consider schema extensions instead."
            raise _refuse(problem)
        roots: dict[str, str] = {}
        for entry in [*entries, *schema.get("SchemaExtension", [])]:
            for root in entry.get("OperationTypes", []):
                if not self.kind(root["Type"]):
                    problem = f"refers to a type {root['Type']} that does not exist."
                    raise _refuse(f"Schema root {root['Operation']} {problem}")
                roots[root["Operation"]] = root["Type"]
            self.check_directives(entry, "SCHEMA")
        for name in sorted(self.types):
            self.check_definition(self.types[name])
        self.check_cycles()
        for name in sorted(self.directives):
            self.check_name(name)
            self.check_arguments(self.directives[name], name)
        if not entries:
            for operation in ("Query", "Mutation", "Subscription"):
                if operation in self.types:
                    roots.setdefault(operation.lower(), operation)
        return roots

    def check_name(self, name: str) -> None:
        if name.startswith("__"):
            problem = 'must not begin with "__", which is reserved by GraphQL introspection.'
            raise _refuse(f'Name "{name}" {problem}')

    def check_definition(self, definition: Object) -> None:
        kind, name = definition["Kind"], definition["Name"]
        self.check_fields(definition)
        for member in definition.get("Types", []):
            if not self.kind(member):
                raise _refuse(f'Undefined type "{member}".')
            if self.kind(member) != "OBJECT":
                raise _refuse(f'{kind} type "{member}" must be OBJECT.')
        for interface in definition.get("Interfaces", []):
            self.check_implements(definition, interface)
        if kind in ("OBJECT", "INTERFACE") and not definition.get("Fields"):
            raise _refuse(f"{kind} {name}: must define one or more fields.")
        if kind == "INPUT_OBJECT" and not definition.get("Fields"):
            raise _refuse(f"{kind} {name}: must define one or more input fields.")
        if kind == "ENUM":
            self.check_values(definition)
        members = definition.get("Types", [])
        for member in _repeated(members):
            raise _refuse(f"Union type {name} can only include type {member} once.")
        self.check_name(name)
        self.check_directives(definition, kind, repeats=True)

    def check_fields(self, definition: Object) -> None:
        kind, name = definition["Kind"], definition["Name"]
        fields = definition.get("Fields", [])
        for field in fields:
            self.check_name(field["Name"])
            type_ = _named(field["Type"])
            if not self.kind(type_):
                raise _refuse(f"Undefined type {type_}.")
            self.check_arguments(field)
            self.check_directives(
                field, "INPUT_FIELD_DEFINITION" if kind == "INPUT_OBJECT" else "FIELD_DEFINITION"
            )
            if kind == "INPUT_OBJECT" and self.kind(type_) not in _INPUTS:
                problem = "field must be one of SCALAR, ENUM, INPUT_OBJECT."
                raise _refuse(f"{self.kind(type_)} {field['Name']}: {problem}")
            if kind in ("OBJECT", "INTERFACE") and self.kind(type_) not in _OUTPUTS:
                problem = "field must be one of SCALAR, OBJECT, INTERFACE, UNION, ENUM."
                raise _refuse(f"{kind} {name}: {problem}")
        for field in _repeated(field["Name"] for field in fields):
            raise _refuse(f"Field {name}.{field} can only be defined once.")

    def check_values(self, definition: Object) -> None:
        name, values = definition["Name"], definition.get("EnumValues", [])
        if not values:
            raise _refuse(f"ENUM {name}: must define one or more unique enum values.")
        for value in values:
            if value["Name"] in ("true", "false", "null"):
                raise _refuse(f"ENUM {name}: non-enum value {value['Name']}.")
            self.check_directives(value, "ENUM_VALUE")
        for value in _repeated(value["Name"] for value in values):
            raise _refuse(f"Enum value {name}.{value} can only be defined once.")

    def check_arguments(self, owner: Object, directive: str = "") -> None:
        for argument in owner.get("Arguments", []):
            self.check_name(argument["Name"])
            type_ = _named(argument["Type"])
            if not self.kind(type_):
                raise _refuse(f"Undefined type {type_}.")
            if self.kind(type_) not in _INPUTS:
                problem = f"because {self.kind(type_)} is not a valid input type"
                raise _refuse(
                    f"cannot use {_shown(argument['Type'])} as argument {argument['Name']} {problem}"
                )
            self.check_directives(argument, "ARGUMENT_DEFINITION", inside=directive)

    def check_directives(
        self, owner: Object, location: str, *, inside: str = "", repeats: bool = False
    ) -> None:
        seen: set[str] = set()
        for used in owner.get("Directives", []):
            name = used["Name"]
            self.check_name(name)
            if inside and name == inside:
                raise _refuse(f"Directive {inside} cannot refer to itself.")
            directive = self.directives.get(name)
            if directive is None:
                raise _refuse(f"Undefined directive {name}.")
            if not repeats and name in seen and not directive.get("IsRepeatable"):
                raise _refuse(f"The directive {name} can only be used once at this location.")
            seen.add(name)
            if location not in directive["Locations"]:
                raise _refuse(f"Directive {name} is not applicable on {location}.")
            given = {argument["Name"]: argument["Value"] for argument in used.get("Arguments", [])}
            known = {argument["Name"]: argument for argument in directive.get("Arguments", [])}
            for argument in given:
                if argument not in known:
                    raise _refuse(f"Undefined argument {argument} for directive {name}.")
            for argument, declared in known.items():
                required = declared["Type"].get("NonNull") and "DefaultValue" not in declared
                if required and given.get(argument, {"Kind": 6}).get("Kind", 0) == 6:
                    raise _refuse(f"Argument {argument} for directive {name} cannot be null.")

    def check_implements(self, definition: Object, interface: str) -> None:
        name = definition["Name"]
        if not self.kind(interface):
            raise _refuse(f'Undefined type "{interface}".')
        if self.kind(interface) != "INTERFACE":
            raise _refuse(f'"{interface}" is a non interface type {self.kind(interface)}.')
        wanted, head = self.types[interface], f"For {name} to implement {interface}"
        fields = {field["Name"]: field for field in definition.get("Fields", [])}
        for required in wanted.get("Fields", []):
            field = fields.get(required["Name"])
            if field is None:
                raise _refuse(f"{head} it must have a field called {required['Name']}.")
            if not self.covariant(required["Type"], field["Type"]):
                problem = f"must have type {_shown(required['Type'])}."
                raise _refuse(f"{head} the field {required['Name']} {problem}")
            self.check_same_arguments(required, field, head)
        for ancestor in wanted.get("Interfaces", []):
            if ancestor in definition["Interfaces"]:
                continue
            if ancestor == name:
                problem = "because it would create a circular reference."
                raise _refuse(f"Type {name} cannot implement {interface} {problem}")
            raise _refuse(f"Type {name} must implement {ancestor} because it is implemented by {interface}.")

    def check_same_arguments(self, required: Object, field: Object, head: str) -> None:
        wanted = {argument["Name"]: argument for argument in required.get("Arguments", [])}
        given = {argument["Name"]: argument for argument in field.get("Arguments", [])}
        problem = f"{head} the field {required['Name']} must have the same arguments but"
        for name, argument in wanted.items():
            if name not in given:
                raise _refuse(f"{problem} it is missing {name}.")
            if _shown(argument["Type"]).rstrip("!") != _shown(given[name]["Type"]).rstrip("!"):
                raise _refuse(f"{problem} {name} has the wrong type.")
        for name, argument in given.items():
            if name not in wanted and argument["Type"].get("NonNull") and "DefaultValue" not in argument:
                raise _refuse(
                    f"{head} any additional arguments on {field['Name']} must be optional or have a default "
                    f"value but {name} is required."
                )

    def covariant(self, required: Object, actual: Object) -> bool:
        if required.get("NonNull") and not actual.get("NonNull"):
            return False
        if required.get("Elem") or actual.get("Elem"):
            both = required.get("Elem") and actual.get("Elem")
            return bool(both) and self.covariant(required["Elem"], actual["Elem"])
        wanted, given = required["NamedType"], actual["NamedType"]
        return wanted == given or given in self.possible.get(wanted, ())

    def check_cycles(self) -> None:
        """Refuses input objects that contain themselves through fields that may not be null."""
        contains: dict[str, list[tuple[str, str]]] = {}
        for name, definition in self.types.items():
            if definition["Kind"] == "INPUT_OBJECT":
                contains[name] = [
                    (field["Name"], field["Type"]["NamedType"])
                    for field in definition.get("Fields", [])
                    if field["Type"].get("NonNull") and not field["Type"].get("Elem")
                ]
        done: set[str] = set()
        for start in sorted(contains):
            path: list[tuple[str, list[tuple[str, str]]]] = [(start, list(contains[start]))]
            while path:
                name, left = path[-1]
                if name in done or not left:
                    done.add(path.pop()[0])
                    continue
                _, inner = left.pop(0)
                if any(inner == above for above, _ in path):
                    problem = "within itself through a series of non-null fields."
                    raise _refuse(f'Cannot reference Input Object "{inner}" {problem}')
                if inner in contains and inner not in done:
                    path.append((inner, list(contains[inner])))


def _repeated(names: Iterable[str]) -> list[str]:
    seen: set[str] = set()
    return [name for name in names if name in seen or seen.add(name)]  # type: ignore[func-returns-value]
