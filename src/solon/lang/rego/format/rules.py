"""Modules: the package, imports in order, rules and the blank lines between them, as ``opa fmt`` has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from solon.lang.rego import ast
from solon.lang.rego.format.lines import CrowdedError, shown
from solon.lang.rego.format.source import Source
from solon.lang.rego.format.terms import TermWriter, is_set, keywords_of

REGO_V1: Final = ["rego", "v1"]
FUTURE: Final = ["future", "keywords"]


class ModuleWriter(TermWriter):
    """Writes a module. ``v1`` says that the text is to be Rego v1, or v0 that is v1 as well."""

    def __init__(self, source: Source, *, v1: bool) -> None:
        module = source.module
        super().__init__(source, keywords_of(module))
        imported = [i.path for i in module.imports]
        every_keyword = v1 or REGO_V1 in imported or FUTURE in imported
        self.v1 = v1
        self.has_if = every_keyword or [*FUTURE, "if"] in imported
        self.has_contains = every_keyword or [*FUTURE, "contains"] in imported
        self.paths_of_names = any(map(_has_long_path, module.rules))

    def module(self, imports: Sequence[ast.Import]) -> str:
        module = self.source.module
        self.comments_to(self.source.row(module.package_at))
        self.start_line()
        self.write("package ")
        self.dotted(self.source.after(module.package_at).at)
        self.blank_line()
        parts: list[ast.Import | ast.Rule] = sorted([*imports, *module.rules], key=lambda part: part.at)
        while parts:
            for kind, write in ((ast.Import, self.imports), (ast.Rule, self.rules)):
                run = next((i for i, part in enumerate(parts) if not isinstance(part, kind)), len(parts))
                write(parts[:run])  # type: ignore[arg-type]
                parts = parts[run:]
        while (comment := self.next_comment()) is not None:
            self.taken += 1
            self.write(shown(comment))
            self.end_line()
        return self.text()

    # --- the imports

    def imports(self, imports: Sequence[ast.Import]) -> None:
        """Imports are sorted within a group; a blank line or a comment begins another."""
        groups: list[list[ast.Import]] = []
        for each in imports:
            if groups and self.source.row(each.at) - self.source.row(groups[-1][-1].at) <= 1:
                groups[-1].append(each)
            else:
                groups.append([each])
        for group in groups:
            first, last = (self.source.row(group[place].at) for place in (0, -1))
            behind = {c.row: c for c in self.comments[self.taken :] if first <= c.row <= last}
            self.comments_to(first)
            self.pending = None  # which is one of those behind
            for each in sorted(group, key=lambda each: (each.path, each.alias)):
                self.start_line()
                self.write("import ")
                if each.path == REGO_V1:
                    self.write("rego.v1")
                else:
                    self.dotted(self.source.after(each.at).at)
                if each.alias:
                    self.write(f" as {each.alias}")
                self.pending = behind.pop(self.source.row(each.at), None)
                self.end_line()
            while (comment := self.next_comment()) is not None and comment.row <= last:
                self.taken += 1
            self.blank_line()

    # --- rules

    def rules(self, rules: Sequence[ast.Rule]) -> None:
        for position, rule in enumerate(rules):
            following = rules[position + 1] if position + 1 < len(rules) else None
            self.comments_to(self.source.row(rule.at))
            mark = self.mark()
            try:
                self.rule(rule)
            except CrowdedError:
                self.restore(mark)
                self.nested = False
                self.verbatim(rule.at, rule.end)
            if (
                following is not None
                and self.is_line(rule)
                and self.is_line(following)
                and self.source.row(following.at) == self.source.row(rule.at) + 1
            ):
                if self.inline:
                    self.end_line()
                continue
            self.blank_line()

    def is_line(self, rule: ast.Rule) -> bool:
        """Whether a rule may stand on a line right below another."""
        if len(rule.body) > 1 or rule.default or rule.elses or is_set(rule.body[0]):
            return False
        return self.may_have_if(rule)

    def may_have_if(self, rule: ast.Rule) -> bool:
        return self.has_if and (self.has_contains or rule.head.key is None)

    def rule(self, rule: ast.Rule) -> None:
        self.start_line()
        if rule.default:
            self.write("default ")
        constant = not rule.elses and is_always(rule.body)
        has_body = rule.body[0].end > rule.body[0].at
        end = self.head(
            rule.head, constant, truth=constant and (has_body or (self.v1 and rule.head.args is None))
        )
        self.branch(rule, rule.body, constant, end)
        row = self.source.row(rule.at)
        for position, other in enumerate(rule.elses):
            self.else_(rule, other, row, position == len(rule.elses) - 1)
            row = self.source.row(other.at)

    def branch(self, rule: ast.Rule, body: Sequence[ast.Expr], constant: bool, row: int) -> None:
        """The body behind a head that ends on a row; nothing for a ``constant``."""
        if constant:
            self.end_line()
            return
        if self.may_have_if(rule):
            self.write(" if")
            if len(body) == 1 and self.source.row(body[0].at) == row and not is_set(body[0]):
                self.write(" ")
                self.whole(body[0])
                self.end_line()
                return
        self.write(" {")
        self.end_line()
        self.level += 1
        self.body(body, union=True)
        self.comments_to(self.source.closing_row(body))
        self.level -= 1
        self.start_line()
        self.write("}")

    def else_(self, rule: ast.Rule, other: ast.Else, before: int, last: bool) -> None:
        row = self.source.row(other.at)
        beside = row > before and not self.source.begins_line(other.at)
        comment = self.next_comment()
        below_comment = (comment is not None and comment.row < row) or self.pending is not None
        if beside and not below_comment:
            self.write(" ")
        else:
            self.blank_line()
            self.start_line()
        self.comments_to(row)
        if not self.inline:
            self.start_line()
        self.write("else")
        constant = last and is_always(other.body)
        end = row
        if other.value is not None:
            end = self.source.row(self.source.end(other.value) - 1)
            if constant or not is_true(other.value):
                self.write(" := " if self.v1 or self.source.assigns(other.value) else " = ")
                self.term(other.value)
        self.branch(rule, other.body, constant, end)

    def head(self, head: ast.Head, constant: bool, *, truth: bool) -> int:
        """A head; the row it ends on. ``truth`` says to write out a value of true that the source leaves out."""
        at = head.at
        first, *path = head.path
        assert isinstance(first, ast.Var)
        self.write(first.name)
        if self.paths_of_names or not path or head.key is not None:
            self.path(path)
        else:
            (only,) = path
            self.write("[")
            if isinstance(only, ast.Scalar) and type(only.value) is str:
                self.write(self.source.string(only.value, only.at))
            else:
                self.term(only)
            self.write("]")
        if head.args is not None:
            opening = self.source.names(at)[1]
            self.arguments(head.args, at, opening, keeps_break=True)
        if head.key is not None:
            self.write(" contains " if self.has_contains else "[")
            if isinstance(head.key, ast.Scalar) and type(head.key.value) is str:
                self.write(self.source.string(head.key.value, head.key.at))
            else:
                self.term(head.key)
            self.write("" if self.has_contains else "]")
        elif head.value is not None and (constant or not is_true(head.value) or self.is_open(head)):
            self.write(" := " if head.assigned or self.v1 else " = ")
            self.term(head.value)
        elif truth and head.value is None:
            self.write(" := true" if self.v1 else " = true")
        return self.source.head_end_row(head)

    def is_open(self, head: ast.Head) -> bool:
        return len(head.path) == 2 and head.args is None and not isinstance(head.path[1], ast.Scalar)


def _has_long_path(rule: ast.Rule) -> bool:
    return len(rule.head.path) > 2 or (len(rule.head.path) == 2 and rule.head.key is not None)


def is_true(term: ast.Term) -> bool:
    return isinstance(term, ast.Scalar) and term.value is True


def is_always(body: Sequence[ast.Expr]) -> bool:
    """Whether a body is `true` and nothing else, as one that was left out is."""
    only = body[0]
    return (
        len(body) == 1
        and not only.negated
        and not only.withs
        and isinstance(only.statement, ast.TermExpr)
        and is_true(only.statement.term)
    )
