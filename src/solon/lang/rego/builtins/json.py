"""json.marshal, json.unmarshal and their yaml counterparts."""

from __future__ import annotations

import json
import math
import re
from functools import cache
from typing import Any, Final

from solon.lang.budget import claim, spend
from solon.lang.rego.builtins.go_format import general
from solon.lang.rego.builtins.registry import Builtin, obj, string, wrong_type
from solon.lang.rego.errors import BuiltinError, OperandError
from solon.lang.values import Value, json_text, to_json

# Go escapes what could end a script element or a line of JavaScript.
_HTML: Final = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
_HTML_CHARS: Final = re.compile("[<>&\u2028\u2029]")


def _escaped(text: str) -> str:
    return _HTML_CHARS.sub(lambda found: _HTML[found.group()], text)


def marshal(value: Value) -> str:
    return _escaped(json_text(value))


_OPTIONS: Final = {"pretty": bool, "indent": str, "prefix": str}


def marshal_with_options(value: Value, options: Value) -> str:
    obj(options, 2)
    for name, given in options.items():
        if name not in _OPTIONS:
            raise OperandError(2, f'object contained unknown key "{name}"')
        if type(given) is not _OPTIONS[name]:
            raise wrong_type(given, 2, "boolean" if name == "pretty" else "string")
    # An indent or a prefix asks for pretty output by itself.
    if not options.get("pretty", "indent" in options or "prefix" in options):
        return marshal(value)
    indent, prefix = options.get("indent", "\t"), options.get("prefix", "")
    # As many lines as the text on one line has characters, at the most.
    claim(len(json_text(value)) * (len(prefix) + len(indent)))
    text = json.dumps(to_json(value), ensure_ascii=False, indent=indent, sort_keys=True)
    return str(prefix + _escaped(text).replace("\n", "\n" + prefix))


def _no_constant(name: str) -> Any:
    raise ValueError(f"invalid number {name}")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"number {text} is too large")
    return number


_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")
_VALUE_STEPS: Final = 20
_VALUE_BYTES: Final = 64


def parsing(text: str) -> None:
    """Charge for the values that a JSON text may hold."""
    if len(text) > _SHORT:
        values = text.count(",") + text.count("[") + text.count("{")
        spend(_VALUE_STEPS * values)
        claim(_VALUE_BYTES * values)


_SHORT: Final = 1000


def unmarshal(text: Value) -> Value:
    parsing(string(text, 1))
    try:
        if _SURROGATE.search(text):
            # Half of a pair on its own is no character: loads gives it, and dumps gives both halves as one.
            whole = json.dumps(json.loads(text), ensure_ascii=False).encode("utf-16", "surrogatepass")
            text = whole.decode("utf-16", "replace")
        return json.loads(text, parse_constant=_no_constant, parse_float=_finite)
    except RecursionError:
        raise BuiltinError("nested too deeply") from None
    except ValueError as error:
        raise BuiltinError(str(error)) from None


def is_valid(text: Value) -> bool:
    if type(text) is not str:
        return False
    try:
        unmarshal(text)
    except BuiltinError:
        return False
    return True


def yaml_marshal(value: Value) -> str:
    import yaml

    spend(_YAML_STEPS * len(json_text(value)))
    text = str(
        yaml.dump(to_json(value), Dumper=_dumper(), default_flow_style=False, allow_unicode=True, width=2**31)
    )
    return text.removesuffix("...\n")


@cache
def _dumper() -> Any:
    """PyYAML's safe dumper with Go's quotes: double ones around what would not be read as a string."""
    import yaml

    from solon.lang.rego.yaml import is_text

    class Dumper(yaml.SafeDumper):
        # What needs quotes is for `is_text` to say.
        yaml_implicit_resolvers: dict[str, list[Any]] = {}  # noqa: RUF012

        def ignore_aliases(self, _data: Any) -> bool:
            return True

        def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
            super().increase_indent(flow, False)

    def scalar(dumper: Any, text: str, style: str | None = None) -> Any:
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)

    def string(dumper: Any, text: str) -> Any:
        quoted = any(char > "\uffff" for char in text) or not is_text(text)
        return scalar(dumper, text, '"' if quoted else "|" if "\n" in text else None)

    def number(dumper: Any, value: float) -> Any:
        whole = type(value) is int and -(2**63) <= value < 2**64
        return scalar(dumper, str(value) if whole else general(float(value)))

    Dumper.add_representer(str, string)
    Dumper.add_representer(int, number)
    Dumper.add_representer(float, number)
    Dumper.add_representer(bool, lambda dumper, value: scalar(dumper, "true" if value else "false"))
    Dumper.add_representer(type(None), lambda dumper, _: scalar(dumper, "null"))
    return Dumper


_YAML_STEPS: Final = 40  # a character of YAML takes as long as so many elements
_MAX_DEPTH: Final = 500
_DEEP_LINE: Final = re.compile(rf"^[ \t?:-]{{{4 * _MAX_DEPTH},}}", re.MULTILINE)


def _is_deep(body: str) -> bool:
    """Whether the text may nest so deeply that the parser, which is recursive C, runs out of stack."""
    depth = 0
    for bracket in re.finditer(r"[\[\]{}]", body):
        depth += 1 if bracket.group() in "[{" else -1
        if depth > _MAX_DEPTH:
            return True
    return _DEEP_LINE.search(body) is not None


def yaml_unmarshal(text: Value) -> Value:
    import yaml

    from solon.lang.rego.yaml import load

    body = string(text, 1)
    if _is_deep(body):
        raise BuiltinError("yaml: nested too deeply")
    if body.count("*") > 100 and "&" in body:
        raise BuiltinError("yaml: document contains excessive aliasing")
    spend(_YAML_STEPS * len(body))
    try:
        return _as_json(load(body))
    except yaml.MarkedYAMLError as error:
        last = body.rstrip("\n").count("\n") + 1
        line = min(error.problem_mark.line + 1, last) if error.problem_mark else 1
        raise BuiltinError(f"yaml: line {line}: {error.problem}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise BuiltinError(f"yaml: {error}") from None


def _as_json(value: Any) -> Value:
    """Mapping keys become the strings that JSON would have."""
    if isinstance(value, dict | list):
        spend(10 * len(value))
    if isinstance(value, dict):
        if None in value:
            raise BuiltinError("unsupported map key of type: null")
        return {k if type(k) is str else json_text(k): _as_json(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_as_json(item) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise BuiltinError(f"yaml: {type(value).__name__} has no JSON form")


def yaml_is_valid(text: Value) -> bool:
    if type(text) is not str:
        return False
    try:
        yaml_unmarshal(text)
    except BuiltinError:
        return False
    return True


BUILTINS = (
    Builtin("json.marshal", "(any) -> string", marshal),
    Builtin(
        "json.marshal_with_options",
        "(any, object<indent: string, prefix: string, pretty: boolean>[string: any]) -> string",
        marshal_with_options,
    ),
    Builtin("json.unmarshal", "(string) -> any", unmarshal),
    Builtin("json.is_valid", "(string) -> boolean", is_valid),
    Builtin("yaml.marshal", "(any) -> string", yaml_marshal),
    Builtin("yaml.unmarshal", "(string) -> any", yaml_unmarshal),
    Builtin("yaml.is_valid", "(string) -> boolean", yaml_is_valid),
)
