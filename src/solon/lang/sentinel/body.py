"""Statements to lines of Python, and whole functions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from solon.lang.sentinel import ast
from solon.lang.sentinel.emitter import SURE_BOOL
from solon.lang.sentinel.expressions import Expressions


class Body(Expressions):
    """The file, a function or a rule, as a Python function."""

    recursive = False

    # --- functions

    def whole_file(self) -> None:
        compiler = self.compiler
        for each in compiler.file.imports:
            self.at(each)
            self.add(f"g[{compiler.imports[each.name]}] = opened(g, {self.unit.constant(each.path)})")
        for param in compiler.file.params:
            self.param(param)
        for statement in compiler.file.statements:
            self.statement(statement)
        self.finish()

    def param(self, param: ast.Param) -> None:
        """A param has its value already, or its default."""
        variable = self.compiler.scopes.file.variables[param.name.name]
        text = self.text_of(variable)
        self.at(param)
        with self.block(f"if {text} is UNSET:"):
            if param.default is None:
                self.add(f"no_param({self.unit.constant(param.name.name)})")
            else:
                self.add(f"{text} = {self.value(param.default)}")
        self.known.add(variable)

    def function_body(self, node: ast.Func) -> None:
        self.recursive = self.compiler.is_recursive(node)
        # Functions that call others twice, which call others twice, take long without any loop. An error of
        # this is one of the call.
        if self.recursive:
            self.add(f"descend({self.run})")
        else:
            self.add(f"{self.run}.left -= 1")
            with self.function.block(f"if {self.run}.left < 0:"):
                self.add(f"{self.run}.renew(1)")
        scope, around = self.scope, self.scope.parent
        assert around is not None
        self.scope = around
        with self.inside(scope):
            for statement in node.body.statements:
                self.statement(statement)
        self.finish()

    def rule_body(self, node: ast.Rule) -> None:
        if node.condition is not None:
            condition = self.value(node.condition)
            self.at(node.condition)
            with self.function.block(f"if {condition} is not True:"):
                self.add(f"return without({condition})")
        result = self.value(node.body)
        self.at(node)
        self.returning(result)
        self.finish()

    def finish(self) -> None:
        if self.uses_run:
            self.function.first("s = g[0]")
        if not self.function.lines:
            self.add("pass")

    # --- statements

    def statement(self, node: ast.Stmt) -> None:
        getattr(self, _STATEMENTS[type(node)])(node)

    def statements(self, block: ast.Block) -> None:
        for statement in block.statements:
            self.statement(statement)

    def _assign(self, node: ast.Assign) -> None:
        if isinstance(node.target, ast.Name):
            self._assign_name(node, node.target)
        else:
            self._assign_element(node, node.target)

    def _assign_name(self, node: ast.Assign, target: ast.Name) -> None:
        if node.operator == "=":
            value = self.rule(node.value) if isinstance(node.value, ast.Rule) else self.value(node.value)
        else:
            held = self.read(target)
            value = self._changed(node, held)
        self.at(node)
        self.write(target.name, value)

    def _changed(self, node: ast.Assign, held: str) -> str:
        """``held operator value``"""
        operator = ast.Operator(node.operator[0], node.at, node.end)
        chain = ast.Chain([node.target, node.value], [operator])
        if node.operator != "+=":
            return self._binary(chain, operator, held, node.value)
        right = self.value(node.value)
        self.at(node)
        return self.temporary(f"add_in_place({held}, {right})")

    def _assign_element(self, node: ast.Assign, target: ast.Path) -> None:
        last = target.steps[-1]
        assert isinstance(last, ast.Index)
        before = target.steps[:-1]
        if before:
            collection = self.value(ast.Path(target.head, before, target.at, before[-1].end))
        else:
            collection = self.value(target.head)
        index = self.value(last.index)
        if node.operator == "=":
            value = self.value(node.value)
        else:
            self.at(target)
            held = self.temporary(f"index({collection}, {index}, {self.place(target)})")
            value = self._changed(node, held)
        self.at(node)
        self.put(collection, index, value)

    def put(self, collection: str, index: str, value: str) -> None:
        self.add(f"put({collection}, {index}, {value})")

    def _declare(self, node: ast.Declare) -> None:
        value = self.value(node.function)
        self.at(node)
        self.write(node.name.name, value)

    def _expression(self, node: ast.ExprStmt) -> None:
        self.value(node.value)

    def _return(self, node: ast.Return) -> None:
        value = self.value(node.value)
        self.at(node)
        self.returning(value)

    def returning(self, value: str) -> None:
        if self.recursive:
            self.add(f"{self.run}.depth -= 1")
        self.add(f"return {value}")

    def _jump(self, node: ast.Jump) -> None:
        self.at(node)
        self.add(node.kind)

    def _if(self, node: ast.If) -> None:
        """Branches one behind the other, for there may be many; a flag says that none has been taken."""
        alone = len(node.branches) == 1
        none = "" if alone else self.temporary("True", SURE_BOOL)
        for position, branch in enumerate(node.branches):
            if position:
                with self.block(f"if {none}:"):
                    self._branch(branch, none)
            else:
                self._branch(branch, none, node.otherwise if alone else None)
        if node.otherwise is not None and not alone:
            with self.block(f"if {none}:"):
                self.statements(node.otherwise)
                self.add("pass")

    def _branch(self, branch: ast.Branch, none: str, otherwise: ast.Block | None = None) -> None:
        condition = self.value(branch.condition)
        known = set(self.known)
        cause = self.conditioned(condition)
        with self.block(f"if {condition} is True:"):
            if none:
                self.add(f"{none} = False")
            with self.because(cause):
                self.statements(branch.body)
            self.add("pass")
            taken = self.known
        if self.info(condition).kind != "bool":
            self.at(branch.condition)
            with self.function.block(f"elif {condition} is not False:"):
                self.add(f"not_condition({condition})")
        if otherwise is not None:
            with self.block(f"if {condition} is not True:"):
                with self.because(cause):
                    self.statements(otherwise)
                self.add("pass")
                self.known = taken = taken & self.known
            # What both branches assign to is set.
            self.known = known | taken

    def conditioned(self, _condition: str) -> str:
        """A condition is about to be asked; gives its cause for those who want to know more of what happens."""
        return ""

    @contextmanager
    def because(self, _cause: str) -> Iterator[None]:
        """What is written inside is done for that cause."""
        yield

    def _for(self, node: ast.For) -> None:
        collection = self.value(node.collection)
        self.at(node.collection)
        if self.info(collection).sure:
            self.for_each(node, collection)
            return
        with self.function.block(f"if type({collection}) is Undefined:"):
            self.add(f"not_iterable({collection})")
        with self.block("else:"):
            self.for_each(node, collection)

    def for_each(self, node: ast.For, collection: str) -> None:
        with self.loop(node, collection):
            self.statements(node.body)
            self.add("pass")

    def _case(self, node: ast.Case) -> None:
        subject = "True" if node.subject is None else self.value(node.subject)
        if subject == "True":
            self.infos["True"] = SURE_BOOL
        asked = self.conditioned(subject)
        none = self.temporary("True", SURE_BOOL)
        otherwise = None
        for clause in node.clauses:
            if not clause.values:
                otherwise = clause
                continue
            with self.block(f"if {none}:"):
                taken = self._matching(subject, clause)
                cause = self.conditioned(taken)
                with self.block(f"if {taken} is True:"):
                    self.add(f"{none} = False")
                    with self.because(cause):
                        self.statements(clause.body)
        if otherwise is not None:
            with self.block(f"if {none}:"):
                with self.because(asked):
                    self.statements(otherwise.body)
                self.add("pass")

    def _matching(self, subject: str, clause: ast.Clause) -> str:
        """Whether one of the values of a clause is the subject."""
        taken = ""
        for value in clause.values:
            if not taken:
                atom = self.value(value)
                self.at(value)
                text, info = self.equality(subject, atom, "==")
                taken = self.temporary(text, info)
            else:
                with self.block(f"if {taken} is not True:"):
                    atom = self.value(value)
                    self.at(value)
                    self.add(f"{taken} = {self.equality(subject, atom, '==')[0]}")
        return taken


_STATEMENTS: Final[dict[type, str]] = {
    ast.Assign: "_assign",
    ast.Declare: "_declare",
    ast.ExprStmt: "_expression",
    ast.If: "_if",
    ast.For: "_for",
    ast.Case: "_case",
    ast.Return: "_return",
    ast.Jump: "_jump",
}
