"""rego.parse_module: a module's syntax tree as an object, in the shape of OPA's."""

from __future__ import annotations

import base64
from functools import cmp_to_key
from typing import TYPE_CHECKING, Any, Final

from solon.lang.budget import spend
from solon.lang.rego.builtins.registry import Builtin, string
from solon.lang.rego.errors import BuiltinError, RegoError
from solon.lang.values import Value, compare

if TYPE_CHECKING:
    from solon.lang.rego import ast

Object = dict[str, Any]

_OPERATORS: Final = {"=": "eq", ":=": "assign", "==": "equal"}
_TYPES: Final[dict[type, str]] = {
    bool: "boolean", int: "number", float: "number", str: "string", type(None): "null",
}  # fmt: skip


def _scalar(value: Value) -> Object:
    return {"type": _TYPES[type(value)], "value": {} if value is None else value}


def _path(names: list[str]) -> list[Object]:
    return [{"type": "var", "value": names[0]}, *map(_scalar, names[1:])]


def _ordered(term: ast.Object) -> list[tuple[ast.Term, ast.Term]]:
    """The pairs in order of their keys, where those are known."""
    from solon.lang.rego import ast

    keys = [k.value for k, _ in term.pairs if isinstance(k, ast.Scalar)]
    if len(keys) < len(term.pairs):
        return term.pairs
    order = sorted(range(len(keys)), key=lambda at: cmp_to_key(compare)(keys[at]))
    return [term.pairs[position] for position in order]


class _Writer:
    """Writes the nodes of one module; wildcards are numbered in order of appearance."""

    def __init__(self) -> None:
        self.wildcards = 0

    def term(self, term: ast.Term) -> Object:
        from solon.lang.rego import ast

        match term:
            case ast.Scalar():
                return _scalar(term.value)
            case ast.Var(name="input" | "data"):  # a document
                return {"type": "ref", "value": _path([term.name])}
            case ast.Var():
                return {"type": "var", "value": self.variable(term)}
            case ast.Ref():
                return {"type": "ref", "value": [self.start(term.head), *self.terms(term.path)]}
            case ast.Array():
                return {"type": "array", "value": self.terms(term.items)}
            case ast.SetTerm():
                return {"type": "set", "value": self.terms(term.items)}
            case ast.Object():
                return {"type": "object", "value": [[self.term(k), self.term(v)] for k, v in _ordered(term)]}
            case ast.Call():
                return {"type": "call", "value": self.call(term)}
            case ast.Comprehension():
                return self.comprehension(term)
            case ast.Template():
                return {"type": "templatestring", "value": {"multi_line": False, "parts": self.parts(term)}}

    def start(self, head: ast.Term) -> Object:
        from solon.lang.rego import ast

        return {"type": "var", "value": self.variable(head)} if isinstance(head, ast.Var) else self.term(head)

    def terms(self, terms: list[ast.Term]) -> list[Object]:
        return [self.term(term) for term in terms]

    def variable(self, variable: ast.Var) -> str:
        if variable.name != "_":
            return variable.shown
        self.wildcards += 1
        return f"${self.wildcards - 1}"

    def call(self, call: ast.Call, *more: ast.Term) -> list[Object]:
        return [{"type": "ref", "value": _path(call.name.split("."))}, *self.terms([*call.args, *more])]

    def comprehension(self, term: ast.Comprehension) -> Object:
        if term.key is not None:
            parts = {"key": self.term(term.key), "value": self.term(term.value)}
        else:
            parts = {"term": self.term(term.value)}
        return {"type": f"{term.kind}comprehension", "value": {**parts, "body": self.body(term.body)}}

    def parts(self, template: ast.Template) -> list[Object]:
        return [
            _scalar(part) if isinstance(part, str) else {"index": 0, "terms": self.term(part)}
            for part in template.parts
        ]

    def body(self, body: list[ast.Expr]) -> list[Object]:
        return [self.expression(expr, index) for index, expr in enumerate(body)]

    def expression(self, expr: ast.Expr, index: int) -> Object:
        out: Object = {"index": index, "terms": self.statement(expr.statement)}
        if expr.at == expr.end:  # stands for a body that was not written
            out["generated"] = True
        if expr.negated:
            out["negated"] = True
        if expr.withs:
            out["with"] = [{"target": self.term(w.target), "value": self.term(w.value)} for w in expr.withs]
        return out

    def statement(self, statement: ast.Statement) -> Object | list[Object]:
        from solon.lang.rego import ast

        match statement:
            case ast.TermExpr(term=ast.Call() as call):
                return self.call(call)
            case ast.TermExpr():
                return self.term(statement.term)
            case ast.Unify(left=ast.Call() as call, operator="()"):
                return self.call(call, statement.right)
            case ast.Unify():
                operator = {"type": "ref", "value": _path([_OPERATORS[statement.operator]])}
                return [operator, *self.terms([statement.left, statement.right])]
            case ast.Some():
                return {"symbols": [self.term(name) for name in statement.names]}
            case ast.SomeIn():
                operands = ast.present(statement.key, statement.value, statement.domain)
                member = {"type": "ref", "value": _path(["internal", f"member_{len(operands)}"])}
                return {"symbols": [{"type": "call", "value": [member, *self.terms(operands)]}]}
            case ast.Every():
                return {
                    "key": None if statement.key is None else self.term(statement.key),
                    "value": self.term(statement.value),
                    "domain": self.term(statement.domain),
                    "body": self.body(statement.body),
                }
            case ast.Logic(operator="not", operands=[only]):
                return {"type": "not", "body": self.body(only), "explicit_body": not statement.implicit[0]}
            case ast.Logic():
                out: Object = {"type": statement.operator}
                for side, body, implicit in zip(
                    ("lhs", "rhs"), statement.operands, statement.implicit, strict=False
                ):
                    out[side] = self.body(body)
                    if not implicit:
                        out[f"explicit_{side}"] = True
                return out

    def rule(self, rule: ast.Rule) -> Object:
        out: Object = {"head": self.head(rule), "body": self.body(rule.body)}
        if rule.default:
            out["default"] = True
        inner = out
        for branch in rule.elses:
            head: Object = {"name": rule.name, "ref": out["head"]["ref"]}
            if "args" in out["head"]:
                head["args"] = out["head"]["args"]
            if branch.value is not None:
                head["assign"] = True
            head["value"] = _scalar(True) if branch.value is None else self.term(branch.value)
            inner["else"] = {"head": head, "body": self.body(branch.body)}
            inner = inner["else"]
        return out

    def head(self, rule: ast.Rule) -> Object:
        head = rule.head
        out: Object = {"ref": self.terms(head.path)}
        if head.args is not None:
            out["args"] = self.terms(head.args)
        keyed = head.key is None and head.args is None and len(head.path) == 2
        if len(head.path) == 1 or (keyed and head.value is not None):
            out["name"] = rule.name
        if head.key is not None:
            return {**out, "key": self.term(head.key)}
        if keyed:
            out["key"] = out["ref"][1]
        if head.assigned:
            out["assign"] = True
        out["value"] = _scalar(True) if head.value is None else self.term(head.value)
        return out

    def module(self, module: ast.Module) -> Object:
        out: Object = {"package": {"path": _path(["data", *module.package])}}
        if module.imports:
            out["imports"] = [self.imported(imported) for imported in module.imports]
        if module.rules:
            out["rules"] = [self.rule(rule) for rule in module.rules]
        if module.comments:
            out["comments"] = [
                {
                    "Text": base64.b64encode(comment.text.encode()).decode(),
                    "Location": {"file": module.file, "row": comment.row, "col": comment.column},
                }
                for comment in module.comments
            ]
        return out

    def imported(self, imported: ast.Import) -> Object:
        out: Object = {"path": {"type": "ref", "value": _path(imported.path)}}
        renamed = imported.alias and imported.alias != imported.path[-1]
        return out | ({"alias": imported.alias} if renamed else {})


_CHARACTER_STEPS: Final = 20


def parse_module(name: Value, text: Value) -> Object:
    from solon.lang.rego.parser import parse_module as parse

    spend(_CHARACTER_STEPS * len(string(text, 2)))
    try:
        module = parse(string(name, 1), text)
    except RegoError as error:
        first = error.errors[0]
        message = first.message.replace("end of file", "eof token").replace("a field name", "identifier")
        raise BuiltinError(
            f"1 error occurred: {first.span.file}:{first.span.row}: {first.code}: {message}"
        ) from None
    return _Writer().module(module)


BUILTINS = (Builtin("rego.parse_module", "(string, string) -> object[string: any]", parse_module),)
