"""graphql.*: queries and schemas parsed to objects, and queries checked against a schema."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from solon.lang.budget import spend
from solon.lang.rego.builtins import graphql_objects as objects
from solon.lang.rego.builtins.graphql_schema import merged
from solon.lang.rego.builtins.registry import Builtin, Context, string, wrong_type
from solon.lang.rego.errors import BuiltinError
from solon.lang.values import Value, key, to_json

if TYPE_CHECKING:  # importing graphql takes longer than most evaluations
    from graphql import DocumentNode, GraphQLError, GraphQLSchema

_CHARACTER_STEPS: Final = 20
_MAX_TOKENS: Final = 50_000
_MAX_REPEATS: Final = 500  # fields of one name are compared with each other
_DIALECT: Final = {"experimental_fragment_arguments": True, "allow_empty_selection_sets": False}
_CLOSERS: Final = {"}": "{", ")": "(", "]": "["}
_IGNORED: Final = re.compile(r"(?:[\s,\ufeff]|#[^\n\r]*)+")
_QUOTED: Final = re.compile(r"'([^']*)'")
_REQUIRED: Final = re.compile(r'Argument "(?:\w+\.)?(@?)(\w+)\((\w+):\)"')


def _document(text: str) -> DocumentNode:
    from graphql import DocumentNode, GraphQLSyntaxError, parse

    spend(_CHARACTER_STEPS * len(text))
    if not _IGNORED.sub("", text):
        return DocumentNode(definitions=())
    try:
        return parse(text, max_tokens=_MAX_TOKENS, **_DIALECT)
    except GraphQLSyntaxError as error:
        raise _syntax_error(text, error) from None
    except RecursionError:
        raise BuiltinError("nested too deeply in GraphQL string") from None


def _syntax_error(text: str, error: GraphQLError) -> BuiltinError:
    """The error in the words of OPA's parser."""
    message = error.message.removeprefix("Syntax Error: ").rstrip(".")
    at = next(iter(error.positions or ()), 0)
    if message.startswith("Unexpected variable"):
        message = "Unexpected $"
    elif not message.startswith(("Expected ", "Unexpected ")) or message.startswith("Unexpected character"):
        message = "Unexpected <Invalid>"
    elif at < len(text) and text[at] in _CLOSERS and _before(text, at) == _CLOSERS[text[at]]:
        message = f"expected at least one definition, found {text[at]}"
    shown = _QUOTED.sub(lambda m: f'"{m[1]}"' if re.fullmatch(r"\w+", m[1]) else m[1], message)
    return BuiltinError(f"{shown}{_place(error)}")


def _before(text: str, at: int) -> str:
    """The character of the token before ``at``; text in comments does not matter for brackets."""
    return re.sub(r"#[^\n\r]*", "", text[:at]).rstrip(" \t\r\n,\ufeff")[-1:]


def _place(error: GraphQLError) -> str:
    where = next(iter(error.locations or ()), None)
    return "" if where is None else f" in GraphQL string at location {where.line}:{where.column}"


def _typed(document: DocumentNode, text: str, *, schema: bool) -> DocumentNode:
    """The document, if it holds definitions of the wanted sort alone."""
    from graphql import get_location
    from graphql.language import ExecutableDefinitionNode

    for definition in document.definitions:
        if isinstance(definition, ExecutableDefinitionNode) == schema:
            assert definition.loc
            where = get_location(definition.loc.source, definition.loc.start)
            word = re.match(r"\w+", text[definition.loc.start :])
            shown = f'Name "{word[0]}"' if word else text[definition.loc.start]
            raise BuiltinError(
                f"Unexpected {shown} in GraphQL string at location {where.line}:{where.column}"
            )
    return document


def _written(write: Callable[[Any], str], value: Value) -> str:
    try:
        return write(to_json(value))
    except (TypeError, KeyError, AttributeError, IndexError, RecursionError):
        raise BuiltinError("not a GraphQL syntax tree") from None


def _query(value: Value) -> tuple[DocumentNode, str]:
    if type(value) is not str and type(value) is not dict:
        raise wrong_type(value, 0, "one of {string, object}")
    text = value if type(value) is str else _written(objects.query_text, value)
    return _typed(_document(text), text, schema=False), text


def _schema(context: Context, value: Value) -> tuple[objects.Object, objects.Object]:
    """(the schema as an object, the same checked and with its extensions merged)."""
    where = ("graphql.schema", key(value))
    if where not in context.cache:
        if type(value) is not str and type(value) is not dict:
            raise wrong_type(value, 1, "one of {string, object}")
        text = value if type(value) is str else _written(objects.schema_text, value)
        schema = objects.schema_object(_typed(_document(text), text, schema=True).definitions)
        context.cache[where] = schema, merged(schema)
    found: tuple[objects.Object, objects.Object] = context.cache[where]
    return found


def _built(context: Context, schema: objects.Object, value: Value) -> GraphQLSchema:
    from graphql import GraphQLError, build_ast_schema

    where = ("graphql.types", key(value))
    if where not in context.cache:
        try:
            document = _document(objects.schema_text(schema))
            context.cache[where] = build_ast_schema(document, assume_valid=True, assume_valid_sdl=True)
        except (GraphQLError, TypeError, KeyError) as error:
            raise BuiltinError(f"Error in gqlparser SchemaDocument to Schema conversion: {error}") from None
    built: GraphQLSchema = context.cache[where]
    return built


def _checked(context: Context, query: DocumentNode, schema: objects.Object, value: Value) -> None:
    from graphql import validate

    _bounded(query)
    if not query.definitions:
        return
    try:
        errors = validate(_built(context, schema, value), query, max_errors=1)
    except RecursionError:
        raise BuiltinError("nested too deeply in GraphQL string") from None
    if errors:
        message = errors[0].message.removesuffix(".").replace("'", '"')
        raise BuiltinError(_REQUIRED.sub(_required, message) + _place(errors[0]))


def _required(found: re.Match[str]) -> str:
    owner = "Directive" if found[1] else "Field"
    return f'{owner} "{found[1]}{found[2]}" argument "{found[3]}"'


def _bounded(query: DocumentNode) -> None:
    """Refuses queries that would take long to check: the fields of one name are compared in pairs."""
    names: Counter[str] = Counter()
    left: list[Any] = [query]
    while left:
        node = left.pop()
        if node.kind == "field":
            names[(node.alias or node.name).value] += 1
        if node.kind == "document":
            left += node.definitions
        elif getattr(node, "selection_set", None):
            left += node.selection_set.selections
    for name, count in names.most_common(1):
        if count > _MAX_REPEATS:
            raise BuiltinError(f'more than {_MAX_REPEATS} fields are named "{name}"')


def parse(context: Context, query: Value, schema: Value) -> list[Value]:
    """[query, schema] as objects; an error if the query is not valid under the schema."""
    document, _ = _query(query)
    given, types = _schema(context, schema)
    _checked(context, document, types, schema)
    return [objects.query_object(document.definitions), given]


def parse_and_verify(context: Context, query: Value, schema: Value) -> list[Value]:
    """[true, query, schema], or [false, {}, {}] if anything is wrong."""
    try:
        return [True, *parse(context, query, schema)]
    except BuiltinError:
        return [False, {}, {}]


def is_valid(context: Context, query: Value, schema: Value) -> bool:
    return bool(parse_and_verify(context, query, schema)[0])


def parse_query(query: Value) -> Value:
    document, _ = _query(string(query, 1))
    return objects.query_object(document.definitions)


def parse_schema(schema: Value) -> Value:
    text = string(schema, 1)
    return objects.schema_object(_typed(_document(text), text, schema=True).definitions)


def schema_is_valid(context: Context, schema: Value) -> bool:
    try:
        _schema(context, schema)
    except BuiltinError:
        return False
    return True


_SOURCE: Final = "string|object[any: any]"
_TREE: Final = "object[any: any]"

BUILTINS = (
    Builtin("graphql.parse", f"({_SOURCE}, {_SOURCE}) -> array<{_TREE}, {_TREE}>", parse, contextual=True),
    Builtin(
        "graphql.parse_and_verify",
        f"({_SOURCE}, {_SOURCE}) -> array<boolean, {_TREE}, {_TREE}>",
        parse_and_verify,
        contextual=True,
    ),
    Builtin("graphql.is_valid", f"({_SOURCE}, {_SOURCE}) -> boolean", is_valid, contextual=True),
    Builtin("graphql.parse_query", f"(string) -> {_TREE}", parse_query),
    Builtin("graphql.parse_schema", f"(string) -> {_TREE}", parse_schema),
    Builtin("graphql.schema_is_valid", f"({_SOURCE}) -> boolean", schema_is_valid, contextual=True),
)
