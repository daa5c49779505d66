"""Where lines begin, how far each is indented, and where columns end: by what the tokens of a line belong to.

What continues something on another line is indented once, from its first line break on, as gofmt has it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from solon.lang.sentinel import ast
from solon.lang.sentinel.format.columns import Run
from solon.lang.sentinel.format.items import Items


@dataclass(slots=True)
class Marks:
    """What the lines are made by; tokens are meant by their numbers."""

    levels: dict[int, int] = field(default_factory=dict)  # tabs, where a line begins there
    sections: set[int] = field(default_factory=set)  # columns end before the line that begins there
    cells: set[int] = field(default_factory=set)  # values in a column of their own
    signs: set[int] = field(default_factory=set)  # operators that belong to what follows them
    brackets: set[int] = field(default_factory=set)  # `(` and `[` that belong to what is before them
    slices: set[int] = field(default_factory=set)  # colons
    maps: set[int] = field(default_factory=set)  # braces
    labels: set[int] = field(default_factory=set)  # `when` and `else` of a case, but for its first


class Layout:
    """Walks a file once; ``marks`` is what comes of it, and lines of ``items`` that must begin, or must not."""

    def __init__(self, file: ast.File, items: Items, width: Callable[[Marks, int, int], int]) -> None:
        self.file, self.items, self.width = file, items, width
        self.marks = Marks()
        self._rule_body: ast.Expr | None = None  # where it begins a line
        before = -1
        for node in sorted([*file.imports, *file.params, *file.statements], key=lambda node: node.at):
            index = self.items.token(node.at)
            self.items.begin(index)
            if before >= 0 and not self.items.on_one_line(before, self.items.before(index)):
                self.marks.sections.add(index)
            before = index
            if isinstance(node, ast.Import | ast.Param):
                self._place(node.at, 0)
                if isinstance(node, ast.Param) and node.default is not None:
                    self._continued(node.default, 0)
            else:
                self._statement(node, 0)

    def _place(self, at: int, level: int) -> int:
        index = self.items.token(at)
        self.marks.levels.setdefault(index, level)
        return index

    def _broken(self, at: int) -> bool:
        return self.items.broken(self.items.token(at))

    # --- statements

    def _block(self, block: ast.Block, level: int, *, may_be_one_line: bool = False) -> None:
        """``{``, statements on lines of their own, ``}``"""
        opening, close = self.items.token(block.at), self.items.ending(block.end)
        self.items.join(opening)
        self.marks.levels.setdefault(close, level)
        if may_be_one_line and len(block.statements) <= 1 and self.items.on_one_line(opening, close):
            for statement in block.statements:
                self._statement(statement, level + 1)
            return
        self._statements(block.statements, level + 1)
        if close > opening + 1:
            self.items.begin(close)
        self.marks.sections.add(close)

    def _statements(self, statements: Sequence[ast.Stmt], level: int) -> None:
        before = -1
        for statement in statements:
            index = self.items.token(statement.at)
            self.items.begin(index)
            if before < 0 or not self.items.on_one_line(before, self.items.before(index)):
                self.marks.sections.add(index)
            before = index
            self._statement(statement, level)

    def _statement(self, node: ast.Stmt, level: int) -> None:
        self._place(node.at, level)
        if isinstance(node, ast.Assign):
            self._expression(node.target, level)
            self._continued(node.value, level)
        elif isinstance(node, ast.Declare):
            self._function(node.function, level)
        elif isinstance(node, ast.ExprStmt):
            self._expression(node.value, level)
        elif isinstance(node, ast.Return):
            self._continued(node.value, level)
        elif isinstance(node, ast.If):
            for number, branch in enumerate(node.branches):
                if number:
                    self.items.join(self.items.before(self.items.token(branch.condition.at)))
                self._continued(branch.condition, level)
                self._block(branch.body, level)
            if node.otherwise:
                self._block(node.otherwise, level)
        elif isinstance(node, ast.For):
            self._continued(node.collection, level)
            self._block(node.body, level)
        elif isinstance(node, ast.Case):
            self._case(node, level)

    def _case(self, node: ast.Case, level: int) -> None:
        if node.subject is not None:
            self._continued(node.subject, level)
        inner = level + 1
        for number, clause in enumerate(node.clauses):
            index = self._place(clause.at, inner)
            self.items.begin(index)
            self.marks.sections.add(index)
            if number:
                self.marks.labels.add(index)
            for value in clause.values:
                self._continued(value, inner)
            self._statements(clause.body.statements, inner + 1)
        close = self.items.ending(node.end)
        self.marks.levels.setdefault(close, level)
        self.items.begin(close)
        self.marks.sections.add(close)

    # --- expressions

    def _continued(self, node: ast.Expr, level: int) -> None:
        """What follows on the same line, or one level deeper on the next."""
        self._expression(node, level + self._broken(node.at))

    def _expression(self, node: ast.Expr, level: int) -> None:
        index = self._place(node.at, level)
        if isinstance(node, ast.Paren):
            self._continued(node.inner, level)
            self.marks.levels.setdefault(self.items.ending(node.end), level)
        elif isinstance(node, ast.List):
            self._listed(node.at, node.end, [(item, None) for item in node.items], level)
        elif isinstance(node, ast.Map):
            self.marks.maps |= {index, self.items.ending(node.end)}
            self._listed(node.at, node.end, node.pairs, level)
        elif isinstance(node, ast.Path):
            self._path(node, level)
        elif isinstance(node, ast.Unary):
            if self.items.all[index].kind != "not":
                self.marks.signs.add(index)
            self._continued(node.operand, level)
        elif isinstance(node, ast.Test):
            self._expression(node.operand, level)
            self._joined(self.items.ending(node.operand.end) + 2, self.items.ending(node.end))
        elif isinstance(node, ast.Chain):
            self._chain(node, level)
        elif isinstance(node, ast.Quantifier):
            self._continued(node.collection, level)
            self._body(node.second.end, node.body, node.end, level)
        elif isinstance(node, ast.Func):
            self._function(node, level)
        elif isinstance(node, ast.Rule):
            if node.condition is not None:
                self._continued(node.condition, level)
            if self._broken(node.body.at):
                self._rule_body = node.body
            after = node.condition.end if node.condition else node.at + len("rule")
            self._body(after, node.body, node.end, level)

    def _joined(self, start: int, end: int) -> None:
        """The words of an operator stand on one line."""
        for index in range(start, end + 1):
            self.items.join(index)

    def _chain(self, node: ast.Chain, level: int) -> None:
        """One level deeper on other lines, but for what a rule holds."""
        in_rule = node is self._rule_body
        inner = level
        self._expression(node.operands[0], level)
        for operator, operand in zip(node.operators, node.operands[1:], strict=True):
            start = self._place(operator.at, inner)
            self._joined(start + 1, self.items.ending(operator.end))
            index = self.items.token(operand.at)
            if self.items.broken(index):
                inner = level + 1 - in_rule
                self.marks.sections.add(index)
            self._expression(operand, inner)

    def _body(self, after: int, body: ast.Expr, end: int, level: int) -> None:
        """``{ expression }``"""
        self.items.join(self.items.token(after))
        close = self.items.ending(end)
        self._continued(body, level)
        self.marks.levels.setdefault(close, level)
        self.marks.sections |= {self.items.token(body.at), close}

    def _function(self, node: ast.Func, level: int) -> None:
        opening = self.items.token(node.at) + 1
        while self.items.all[opening].kind != "(":
            opening += 1
        self.marks.brackets.add(opening)
        inner = level
        for parameter in node.parameters:
            if self._broken(parameter.at):
                inner = level + 1
            self._place(parameter.at, inner)
        self._block(node.body, level, may_be_one_line=True)

    def _path(self, node: ast.Path, level: int) -> None:
        self._expression(node.head, level)
        inner = level
        for step in node.steps:
            index = self.items.token(step.at)
            if isinstance(step, ast.Select):
                dot = self.items.before(index)
                if self.items.broken(dot) or self.items.broken(index):
                    inner = level + 1
                self.marks.levels.setdefault(dot, inner)
                self.marks.levels.setdefault(index, inner)
                continue
            self.marks.brackets.add(index)
            if isinstance(step, ast.Call):
                self._listed(step.at, step.end, [(argument, None) for argument in step.arguments], inner)
                continue
            if isinstance(step, ast.Index):
                self._continued(step.index, inner)
            else:
                for bound in (step.low, step.high):
                    if bound is not None:
                        self._continued(bound, inner)
                self.marks.slices.add(self.items.token(step.low.end if step.low else step.at + 1))
            self.marks.levels.setdefault(self.items.ending(step.end), inner)

    def _listed(
        self, at: int, end: int, elements: Sequence[tuple[ast.Expr, ast.Expr | None]], level: int
    ) -> None:
        """The elements between two brackets: the arguments of a call, the pairs of a map, …"""
        opening, close = self.items.token(at), self.items.ending(end)
        if close == opening + 1:
            self.items.join(close)
        last = self.items.all[self.items.before(close)]
        if last.kind == "," and not self.items.broken(close):
            last.text = ""  # no comma before a bracket on the same line
        inner = level
        for element, value in elements:
            if self._broken(element.at):
                inner = level + 1
            self._expression(element, inner)
            if value is not None:
                self._joined(self.items.ending(element.end) + 1, self.items.token(value.at))
                self._expression(value, inner)
        self.marks.levels.setdefault(close, level)
        if self.items.broken(close):
            self.marks.sections.add(close)
        self._columns(elements)

    def _columns(self, elements: Sequence[tuple[ast.Expr, ast.Expr | None]]) -> None:
        """Where the columns of a list end; and which values of a map stand in one."""
        run = Run()
        for number, (element, value) in enumerate(elements):
            start = self.items.token(element.at)
            last = self.items.ending((value or element).end)
            size = 0
            if self.items.on_one_line(start, last):
                size = self.width(self.marks, start, self.items.ending(element.end))
            breaks = max(
                (item.breaks for item in self.items.all[self.items.before(start) + 1 : start + 1]), default=0
            )
            if run.ends(number, size, breaks):
                self.marks.sections.add(start)
            if value is not None and size and breaks and len(elements) > 1:
                self.marks.cells.add(self.items.token(value.at))
