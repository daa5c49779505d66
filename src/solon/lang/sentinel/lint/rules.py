"""The rules of lint for Sentinel: what is legal, does not do what it says, and is refused by nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from solon.lang.remark import Remark, Severity, in_order
from solon.lang.sentinel import ast
from solon.lang.sentinel.check import undeclared
from solon.lang.sentinel.lint.constancy import EMPTY, Constancy
from solon.lang.sentinel.lint.names import Names, is_hyphenated, names_of, nodes, selects
from solon.lang.source import Diagnostic

# code -> how grave, and what it is about.
RULES: Final[dict[str, tuple[Severity, str]]] = {
    "sentinel/hyphenated-name": ("error", "a name with a hyphen behind a dot, which is a subtraction"),
    "sentinel/undeclared-name": (
        "warning",
        "a name that nothing declares: the policy fails where it is read",
    ),
    "sentinel/vacuous-rule": ("warning", "a rule that is never false, whatever is judged"),
    "sentinel/unknown-action": ("warning", "a comparison with an action that no plan contains"),
    "sentinel/else-precedence": ("warning", "an else that belongs to less than it seems to"),
    "sentinel/mismatched-types": ("warning", "an order between a string and a number, which is undefined"),
    "sentinel/unused-filter": ("warning", "a filter whose result nothing uses"),
    "sentinel/undefined-passes": ("warning", "a value that is absent passes, and nobody said so"),
}
# (Terraform, "JSON Output Format": change representation.)
ACTIONS: Final = ("no-op", "create", "read", "update", "delete", "forget")
_TOGETHER: Final = (["delete", "create"], ["create", "delete"], ["create", "forget"], ["forget", "create"])
_ORDER: Final = frozenset(["<", "<=", ">", ">="])
_COSTS: Final = frozenset(["prior_monthly_cost", "proposed_monthly_cost", "delta_monthly_cost"])
_DOCUMENTS: Final = frozenset(["after", "before", "values", "config", "applied"])


def lint(file: ast.File) -> list[Remark]:
    """What there is to say about a policy or module, in order of place."""
    names = names_of(file)
    found: list[Diagnostic] = []
    for check in _CHECKS:
        found.extend(check(file, names))
    return in_order(Remark(RULES[each.code][0], each) for each in found)


def _chains(file: ast.File) -> Iterator[tuple[ast.Chain, int]]:
    for node in nodes(file):
        if isinstance(node, ast.Chain):
            for number in range(len(node.operators)):
                yield node, number


def _hyphens(file: ast.File, names: Names) -> Iterator[Diagnostic]:
    for chain, number in _chains(file):
        if not is_hyphenated(chain, number, file, names):
            continue
        if number and is_hyphenated(chain, number - 1, file, names):
            continue  # said already, of the whole name
        left, right = chain.operands[number], chain.operands[number + 1]
        start = _last_name(left)
        whole = _through(chain, number)
        name = file.text[start : whole.end] if isinstance(whole, ast.Name) else file.text[start : right.end]
        yield Diagnostic(
            "sentinel/hyphenated-name",
            f"{name} is no name: this subtracts {_head(right)}, and is undefined",
            file.span(start, start + len(name)),
            f'write ["{name}"] instead of .{name}' if isinstance(left, ast.Path) else "use an underscore",
        )


def _undeclared(file: ast.File, names: Names) -> Iterator[Diagnostic]:
    """Not those that a hyphen makes of a longer name."""
    hyphens = {
        file.place(chain.operands[number + 1].at)
        for chain, number in _chains(file)
        if is_hyphenated(chain, number, file, names)
    }
    for each in undeclared(file):
        if (each.span.row, each.span.column) not in hyphens:
            hint = "declare it, or have it as a global of the configuration"
            yield Diagnostic("sentinel/undeclared-name", each.message, each.span, hint)


def _through(chain: ast.Chain, number: int) -> ast.Expr:
    """The last operand of names joined by hyphens: that of ``MLflow-Run-ID`` is ``ID``."""
    last = chain.operands[number + 1]
    for at in range(number + 1, len(chain.operators)):
        operator, right = chain.operators[at], chain.operands[at + 1]
        if operator.name != "-" or last.end != operator.at or right.at != operator.end:
            break
        last = right
    return last


def _last_name(expr: ast.Expr) -> int:
    return expr.steps[-1].at if isinstance(expr, ast.Path) else expr.at


def _head(expr: ast.Expr) -> str:
    head = expr.head if isinstance(expr, ast.Path) else expr
    assert isinstance(head, ast.Name)
    return head.name


def _vacuous(file: ast.File, names: Names) -> Iterator[Diagnostic]:
    constancy = Constancy(file, names)
    for name, expr in names.fixed.items():
        if not isinstance(expr, ast.Rule):
            continue
        known = constancy.named(name)
        if known is None or not (known.is_true or (name == "main" and known.value is EMPTY)):
            continue
        yield Diagnostic(
            "sentinel/vacuous-rule",
            f"{name} is never false" + (f": {known.why}" if known.why else ""),
            file.span(expr.at, expr.at + 4),
            "it denies nothing; say what should fail, or remove it",
        )


def _actions(file: ast.File, _names: Names) -> Iterator[Diagnostic]:
    for chain, number in _chains(file):
        operator = chain.operators[number].name
        left, right = ast.inner(chain.operands[number]), ast.inner(chain.operands[number + 1])
        if operator in {"contains", "not contains"} and _is_actions(left):
            yield from _one_action(file, right)
        elif operator in {"in", "not in"} and _is_actions(right):
            yield from _one_action(file, left)
        elif operator in {"in", "not in"} and _is_actions(left) and isinstance(right, ast.List):
            for item in right.items:
                yield from _all_actions(file, ast.inner(item))
        elif operator in {"==", "!="} and _is_actions(left):
            yield from _all_actions(file, right)
        elif operator in {"==", "!="} and _is_actions(right):
            yield from _all_actions(file, left)


def _is_actions(expr: ast.Expr) -> bool:
    path = selects(expr)
    return bool(path) and path[-1] == "actions"


def _one_action(file: ast.File, expr: ast.Expr) -> Iterator[Diagnostic]:
    if isinstance(expr, ast.Constant) and isinstance(expr.value, str) and expr.value not in ACTIONS:
        hint = f"the actions are {', '.join(ACTIONS)}"
        if expr.value == "replace":
            hint = 'a replacement is ["delete", "create"] or ["create", "delete"], which contain "create"'
        yield Diagnostic(
            "sentinel/unknown-action",
            f'no plan has the action "{expr.value}"',
            file.span(expr.at, expr.end),
            hint,
        )


def _all_actions(file: ast.File, expr: ast.Expr) -> Iterator[Diagnostic]:
    if isinstance(expr, ast.Constant):
        yield Diagnostic(
            "sentinel/unknown-action",
            "actions are a list, and never equal to this",
            file.span(expr.at, expr.end),
            f'write ["{expr.value}"], or contains "{expr.value}"',
        )
    if not isinstance(expr, ast.List):
        return
    items = [ast.inner(item) for item in expr.items]
    for item in items:
        yield from _one_action(file, item)
    said = [item.value for item in items if isinstance(item, ast.Constant)]
    known = len(said) == len(items) and all(each in ACTIONS for each in said)
    if known and len(said) != 1 and said not in _TOGETHER:
        yield Diagnostic(
            "sentinel/unknown-action",
            "no plan has these actions together",
            file.span(expr.at, expr.end),
            'a list of two is a replacement, such as ["delete", "create"]',
        )


def _precedence(file: ast.File, _names: Names) -> Iterator[Diagnostic]:
    """``x is y else false``: what follows belongs to y alone."""
    for chain, number in _chains(file):
        right = chain.operands[number + 1]
        if chain.operators[number].name not in {
            "==",
            "!=",
            "<",
            "<=",
            ">",
            ">=",
            "matches",
            "contains",
            "in",
        }:
            continue
        if not isinstance(right, ast.Chain) or right.operators[0].name != "else":
            continue
        first, fallback = ast.inner(right.operands[0]), ast.inner(right.operands[-1])
        never = isinstance(first, ast.Constant | ast.List | ast.Map)
        if never or (isinstance(fallback, ast.Name) and fallback.name in {"true", "false"}):
            left, operator = chain.operands[number], chain.operators[number]
            compared = file.text[left.at : right.operands[0].end]
            yield Diagnostic(
                "sentinel/else-precedence",
                f"else binds tighter than {file.text[operator.at : operator.end]}: it is about "
                f"{_short(file.source(right.operands[0]))} alone",
                file.span(right.operators[0].at, right.operators[0].end),
                f"write ({_short(compared)}) else {_short(file.source(right.operands[-1]))}",
            )


def _orders(file: ast.File, _names: Names) -> Iterator[Diagnostic]:
    for chain, number in _chains(file):
        if chain.operators[number].name not in _ORDER:
            continue
        sides = chain.operands[number], chain.operands[number + 1]
        texts = [side for side in sides if _is_text(side)]
        if len(texts) == 1:
            yield Diagnostic(
                "sentinel/mismatched-types",
                f"{_short(file.source(texts[0]))} is a string: its order with a number is undefined",
                file.span(texts[0].at, texts[0].end),
                "compare float(…) of it",
            )


def _is_text(expr: ast.Expr) -> bool:
    """Whether it is a string for certain: a literal, or a cost of tfrun, with a fallback or without."""
    expr = ast.inner(expr)
    if isinstance(expr, ast.Chain) and expr.operators[0].name == "else":
        return _is_text(expr.operands[0])
    if isinstance(expr, ast.Constant):
        return isinstance(expr.value, str)
    return _is_cost(expr)


def _is_cost(expr: ast.Expr) -> bool:
    """Whether it is a cost of tfrun, as it is there: a string."""
    path = selects(expr)
    ends_in_name = isinstance(expr, ast.Path) and isinstance(expr.steps[-1], ast.Select | ast.Index)
    return ends_in_name and len(path) > 1 and path[-1] in _COSTS


def _free(file: ast.File, _names: Names) -> Iterator[Diagnostic]:
    """``cost else 0 < limit``: without an estimate nothing costs anything. What is printed is no matter."""
    printed = {
        id(inside)
        for node in nodes(file)
        if isinstance(node, ast.Path) and isinstance(node.head, ast.Name) and node.head.name == "print"
        for inside in ast.walk(node)
    }
    for chain, number in _chains(file):
        if chain.operators[number].name != "else" or number or id(chain) in printed:
            continue
        cost, fallback = chain.operands[0], ast.inner(chain.operands[1])
        if (
            any(_is_cost(node) for node in ast.walk(cost))
            and isinstance(fallback, ast.Constant)
            and fallback.value in (0, "0")
        ):
            yield Diagnostic(
                "sentinel/undefined-passes",
                "where there is no cost estimate, this costs nothing, and passes every limit",
                file.span(chain.operators[0].at, fallback.end),
                "HCP Terraform has no costs in policy evaluations: say what should happen then",
            )


def _filters(file: ast.File, names: Names) -> Iterator[Diagnostic]:
    top = {id(statement) for statement in file.statements}
    for node in nodes(file):
        if isinstance(node, ast.ExprStmt) and isinstance(ast.inner(node.value), ast.Quantifier):
            value = ast.inner(node.value)
            assert isinstance(value, ast.Quantifier)
            yield _unused(file, f"nothing uses what this {value.kind} gives", value)
        elif isinstance(node, ast.Assign) and isinstance(node.target, ast.Name):
            value = ast.inner(node.value)
            exported = id(node) in top and not names.is_policy
            if (
                isinstance(value, ast.Quantifier)
                and value.kind == "filter"
                and names.read[node.target.name] == 0
                and not exported
            ):
                yield _unused(file, f"nothing reads {node.target.name}", value)


def _unused(file: ast.File, message: str, node: ast.Quantifier) -> Diagnostic:
    return Diagnostic(
        "sentinel/unused-filter",
        message,
        file.span(node.at, node.at + len(node.kind)),
        "remove it, or use it",
    )


def _passes(file: ast.File, _names: Names) -> Iterator[Diagnostic]:
    """Where what is absent lets pass: ``if`` skips its body, and the violation in it, for an undefined condition."""
    for node in nodes(file):
        if not isinstance(node, ast.If) or node.otherwise is not None:
            continue
        for branch in node.branches:
            path = next(_unguarded(branch.condition), None)
            if path is not None and _finds(branch.body):
                yield Diagnostic(
                    "sentinel/undefined-passes",
                    f"where {_short(file.source(path))} is absent, this is undefined, and nothing is found",
                    file.span(path.at, path.end),
                    f"say what its absence means: ({_short(file.source(path))} else …)",
                )


def _unguarded(expr: Any) -> Iterator[ast.Path]:
    """Paths into documents whose being undefined makes the expression so."""
    match expr:
        case ast.Paren():
            yield from _unguarded(expr.inner)
        case ast.Unary():
            yield from _unguarded(expr.operand)
        case ast.Test(what="empty"):
            yield from _unguarded(expr.operand)
        case ast.Chain():
            names = [operator.name for operator in expr.operators]
            if names[0] == "else":
                yield from _unguarded(expr.operands[-1])
                return
            guarded = names[0] in {"and", "or"} and any(
                isinstance(ast.inner(operand), ast.Test) or "else" in _operators(operand)
                for operand in expr.operands
            )
            if not guarded:
                for operand in expr.operands:
                    yield from _unguarded(operand)
        case ast.Path(steps=[*steps]):
            path = selects(expr)
            deep = [at for at, name in enumerate(path) if name in _DOCUMENTS]
            if deep and deep[0] < len(path) - 1 and not any(isinstance(step, ast.Call) for step in steps):
                yield expr


def _operators(expr: ast.Expr) -> list[str]:
    inside = ast.inner(expr)
    return [operator.name for operator in inside.operators] if isinstance(inside, ast.Chain) else []


def _finds(block: ast.Block) -> bool:
    """Whether the body says that something is wrong: appends to a list, returns or sets false."""
    for statement in block.statements:
        for node in ast.walk(statement):
            if isinstance(node, ast.Path) and isinstance(node.head, ast.Name) and node.head.name == "append":
                return True
            if isinstance(node, ast.Return | ast.Assign):
                value = ast.inner(node.value)
                if isinstance(value, ast.Name) and value.name == "false":
                    return True
    return False


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else line[:57] + "…"


_CHECKS: Final[tuple[Callable[[ast.File, Names], Iterator[Diagnostic]], ...]] = (
    _hyphens, _undeclared, _vacuous, _free, _actions, _precedence, _orders, _filters, _passes,
)  # fmt: skip
