"""Programs in Rego, written choice by choice: what the comparison with OPA runs.

A program is modules, an input and a query. They are written so that OPA's type checker accepts most of them:
what a term must be is asked for by kind, and what has no certain type is read from the input.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

MIXED: list[Any] = [None, True, False, 0, 1, 2, 1.5, "", "a", "b", "xs", [], [1], ["a", 1], {}, {"k": "a"}]
BIG = [
    {
        "k": MIXED[(7 * n) % 16] if n % 3 else ["a", "b", 1][n % 9 // 3],
        "kind": ["m", "n"][n % 2],
        "id": n,
        "n": {"k": n % 4, "s": ["a", "b"][n % 2]},
        **({"opt": n % 3 == 0} if n % 4 else {}),
    }
    for n in range(24)
]
INPUT: dict[str, Any] = {
    "n": 2,
    "one": 1,
    "fl": 0.1,
    "fo": 1.0,  # for programs about numbers
    "huge": 12345678901234567890,
    "neg": -3,
    "s": "a",
    "u": 'é☃"\\\n',
    "long": "a.b/c-a",
    "t": True,
    "f": False,
    "z": None,
    "xs": [1, 2, 3, 2],
    "ys": ["b", "a", "c"],
    "o": {"a": 1, "b": 2, "c": {"a": [1, {"b": "a"}]}},
    "p": {"a": {"x": 1}, "b": {"x": 2, "y": "a"}},
    "deep": [{"k": "a", "v": 1}, {"k": "b", "v": [1, 2]}, {"k": "a", "w": False}],
    "e": [],
    "eo": {},
    "m": [[1, 2], [3], "a", None, False, {"a": 0}],
    "pairs": [[1, "a"], [2, "b"], [1, "b"], ["a", 1]],
    "big": [*BIG, None, 3, "a", []],
    "bigo": {f"k{n}": e for n, e in enumerate(BIG)},
    "bign": [n % 7 for n in range(15)] + MIXED,
}  # fmt: skip
BASE: dict[str, Any] = {
    "a": {"x": 1, "y": [True, False]},
    "b": ["a", "b"],
    "k": "a",
    "big": BIG[:18],
    "sub": {"base": 7, "q9": "data"},
    "1": "one",
}
OF_KIND: dict[str, list[str]] = {
    "num": ["n", "one", "fl", "fo", "huge", "neg", "xs[0]", "o.a", "deep[0].v", "p.b.x"],
    "str": ["s", "u", "long", "ys[0]", "deep[1].k", "p.b.y", "big[3].kind"],
    "bool": ["t", "f"],
    "arr": ["xs", "ys", "deep", "e", "m", "pairs", "m[0]", "deep[1].v"],
    "obj": ["o", "p", "eo", "o.c", "deep[0]", "big[1].n", "p.a"],
    "any": ["z", "missing", "o.missing", "m[_]", "bign[3]"],
}
FIELDS_OF_INPUT = [name for name in INPUT if name != "fo"]
LARGE = ["input.big", "input.bigo", "input.bign", "data.base.big"]
FIELDS = ["k", "kind", "id", "n.k", "n.s", "opt", "n"]
PATHS = [
    "input.deep[_].k", "input.deep[_].v", "input.m[_]", "input.m[_][_]", "input.o[_]", "input.o.c.a[_]", "input.p[_].x",
    "input.pairs[_][0]", "input.pairs[_]", "input.xs[_]", "input.ys[_]", "input.o.c.a[1].b", "input.p.a", "input.p.b.y",
    "input.deep[0].k", "input.deep[1].v", "data.base.b[_]", "data.base.a.y[_]", "data.base.a[_]", "input.bign[_]",
    "input.big[2].n", "input.big[_].kind", "input.o.a", "input.n", "input.s", "input.f", "input.fl", "input.m[_].a",
]  # fmt: skip
NUMBERS = [
    "0",
    "1",
    "2",
    "-1",
    "1.5",
    "0.1",
    "0.2",
    "3",
    "7",
    "10",
    "12345678901234567890",
    "-2.5",
    "-7",
    "17",
]
ODD_NUMBERS = [
    "1.0",
    "1e3",
    "-0",
    "1e-2",
    "1e20",
    "0.30000000000000004",
    "100000000000000000000000",
    "2.50",
    "1e18",
    "1e400",
    "-0.0",
]
STRINGS = [
    '"a"',
    '"b"',
    '""',
    '"xs"',
    '"é☃"',
    '"k"',
    "`r\\w`",
    '"a\\n\\"b"',
    '"a.b"',
    '"1"',
    '"%s %v %d"',
    '"/"',
]

# name -> the kinds of its operands and of its value
CALLS = {
    "count": "coll num", "sum": "arr num", "product": "arr num", "max": "coll any", "min": "coll any",
    "sort": "coll arr", "abs": "num num", "round": "num num", "ceil": "num num", "floor": "num num",
    "upper": "str str", "lower": "str str", "trim": "str str str", "split": "str str arr", "concat": "str arr str",
    "replace": "str str str str", "startswith": "str str bool", "endswith": "str str bool",
    "contains": "str str bool", "indexof": "str str num", "indexof_n": "str str arr",
    "substring": "str num num str", "sprintf": "str arr str", "format_int": "num num str",
    "strings.reverse": "str str", "strings.count": "str str num", "trim_left": "str str str",
    "trim_prefix": "str str str", "trim_space": "str str", "trim_suffix": "str str str",
    "strings.any_prefix_match": "str str bool", "to_number": "any num",
    "is_string": "any bool", "is_number": "any bool", "is_array": "any bool", "is_object": "any bool",
    "is_set": "any bool", "is_boolean": "any bool", "is_null": "any bool", "type_name": "any str",
    "object.keys": "obj set", "object.get": "obj any any any", "object.union": "obj obj obj",
    "object.remove": "obj arr obj", "object.filter": "obj arr obj", "object.subset": "obj obj bool",
    "object.union_n": "arr obj", "json.marshal": "any str", "json.unmarshal": "str any",
    "json.is_valid": "str bool", "json.filter": "obj arr any", "json.remove": "obj arr any",
    "array.concat": "arr arr arr", "array.reverse": "arr arr", "array.slice": "arr num num arr",
    "array.flatten": "arr arr", "union": "setset set", "intersection": "setset set",
    "numbers.range": "num num arr", "regex.match": "str str bool", "regex.replace": "str str str str",
    "base64.encode": "str str", "bits.and": "num num num", "bits.or": "num num num", "glob.match": "str arr str bool",
    "plus": "num num num", "minus": "num num num", "equal": "any any bool", "neq": "any any bool", "lt": "any any bool",
    "gte": "any any bool", "cast_array": "any arr", "numbers.range_step": "num num num arr", "semver.is_valid": "any bool",
    "crypto.md5": "str str", "yaml.marshal": "any str", "units.parse_bytes": "str num", "all": "coll bool", "any": "coll bool",
}  # fmt: skip
V0_ONLY = {"all", "any", "cast_array"}

# What a program is about: how much more likely than usual some choices are.
PROFILES = [
    "general",
    "general",
    "joins",
    "tables",
    "calls",
    "heads",
    "patterns",
    "with",
    "numbers",
    "not",
    "refs",
    "v0",
]


@dataclass
class Generated:
    modules: dict[str, str]
    version: str = "v1"
    query: str = ""
    drop: list[str] = field(default_factory=list)  # fields of the input that are left out
    swap: list[tuple[str, Any]] = field(default_factory=list)  # fields of the input with another value

    @property
    def input(self) -> dict[str, Any]:
        out = {k: v for k, v in INPUT.items() if k not in self.drop}
        out.update(self.swap)
        return out


class Writer:
    """Writes one program; ``below(n)`` chooses a number under n. Variables in a ``scope`` have a value there."""

    def __init__(self, below: Callable[[int], int], profile: str = "") -> None:
        self.below = below
        self.profile = profile or self.pick(*PROFILES)
        self.v0 = self.profile == "v0"
        self.kinds: dict[str, str] = {}  # variable -> what OPA knows it to be
        self.rules: list[tuple[str, str]] = []  # (reference, kind) of the rules written before
        self.functions: list[tuple[str, int]] = []
        self.fresh = 0
        self.open = False  # whether a term may bring new variables, as the index of a reference
        self.logic = False

    # --- choices

    def pick(self, *choices: Any) -> Any:
        return choices[self.below(len(choices))]

    def chance(self, n: int) -> bool:
        """True once in ``n``."""
        return self.below(n) == n - 1

    def about(self, *profiles: str) -> bool:
        return self.profile in profiles

    def new(self, scope: list[str], kind: str = "any") -> str:
        self.fresh += 1
        name = f"v{self.fresh}"
        self.kinds[name] = kind
        scope.append(name)
        return name

    def known(self, scope: list[str], *kinds: str) -> list[str]:
        return [v for v in scope if self.kinds.get(v, "any") in kinds]

    # --- terms

    def scalar(self, kind: str = "any") -> str:
        if kind == "any":
            kind = self.pick("num", "str", "bool", "null", "num", "str")
        if kind == "num":
            if self.about("numbers") and self.chance(3):
                return self.pick(*ODD_NUMBERS)
            return self.pick(*NUMBERS) if self.chance(3) else self.pick("0", "1", "2", "3", "-1")
        if kind == "str":
            return self.pick(*STRINGS) if self.chance(3) else self.pick('"a"', '"b"', '"k"')
        if kind == "bool":
            return self.pick("true", "false")
        return "null"

    def index(self, scope: list[str]) -> str:
        choice = self.below(14)
        if choice < 4:
            return "." + self.pick("a", "b", "c", "k", "v", "w", "x", "y", "n")
        if choice < 6:
            return f"[{self.pick('0', '1', '2')}]"
        if choice < 8:
            return "[_]"
        if choice < 10 and scope:
            return f"[{self.pick(*scope)}]"
        if choice == 10 and self.open:
            return f"[{self.new(scope)}]"
        if choice == 11 and self.open:
            return f"[{self.pattern(scope)}]"
        if choice == 12:
            return f"[{self.term(scope, 'any', 1)}]"
        return f"[{self.scalar()}]"

    def ref(self, scope: list[str]) -> str:
        """A reference that has no certain type."""
        choice = self.below(10)
        anything = self.known(scope, "any")
        if choice < 3 and anything:
            text = self.pick(*anything)
        elif choice < 5 and self.rules:
            text = self.pick(*[name for name, _ in self.rules])
            if self.chance(2):
                return text
        elif choice == 5:
            text = "data.base" + self.pick(".a", ".b", ".k", ".big", ".sub", ".a.y", "", ".sub.base")
        elif choice == 6 and self.about("joins"):
            text = self.pick(*LARGE)
        elif choice < 8:
            text = self.pick(*PATHS)
            return text + self.index(scope) if self.chance(6) else text
        else:
            text = "input." + self.pick(*FIELDS_OF_INPUT)
        while self.below(5) > 2:
            text += self.index(scope)
        return text

    def term(self, scope: list[str], want: str = "any", depth: int = 2) -> str:
        if want == "coll":
            want = self.pick("arr", "obj", "set")
        choice = self.below(10)
        if want == "setset":
            return self.pick(
                "{input_sets}", f"{{{self.term(scope, 'set', 1)}, {self.term(scope, 'set', 1)}}}"
            ).replace("{input_sets}", "{{1, 2}, {2, 3}}")
        if want != "any":
            named = self.known(scope, want)
            if named and choice < 3:
                return self.pick(*named)
            if want in OF_KIND and choice < 6:
                name = self.pick(*OF_KIND[want])
                return f"input.{'fl' if name == 'fo' and not self.about('numbers') else name}"
            if choice == 6:
                return self.ref(scope)
            if want in ("num", "str", "bool") and (choice < 9 or depth <= 0):
                return self.scalar(want)
        if depth <= 0:
            return self.small(scope, want)
        return self.made(scope, want, depth)

    def small(self, scope: list[str], want: str) -> str:
        if want == "arr":
            return self.pick("[]", "[1, 2]", '["a", 1]', "input.xs", f"[{self.atom(scope)}]")
        if want == "obj":
            return self.pick(
                "{}", '{"a": 1}', f'{{"k": {self.atom(scope)}}}', "{1: 2}", f"{{{self.scalar()}: 1}}"
            )
        if want == "set":
            return self.pick(
                "set()", "{1, 2}", '{"a", 1}', f"{{{self.atom(scope)}}}", "{[1], {2}}", "{true, null, 1}"
            )
        if want == "any":
            return self.atom(scope)
        return self.scalar(want)

    def atom(self, scope: list[str]) -> str:
        if scope and self.below(2):
            return self.pick(*scope)
        return self.scalar() if self.below(2) else self.ref(scope)

    def made(self, scope: list[str], want: str, depth: int) -> str:
        choice = self.below(24)
        if want == "any":
            if choice < 8:
                return self.ref(scope)
            if choice < 10:
                return self.atom(scope)
            want = self.pick("arr", "obj", "set", "num", "str", "bool", "bool", "arr")
            choice = self.below(24)
        if (self.functions and choice == 0) or (self.functions and self.about("tables") and choice < 6):
            name, arity = self.pick(*self.functions)
            return f"{name}({', '.join(self.term(scope, 'any', depth - 1) for _ in range(arity))})"
        if choice < 6 or (choice < 12 and self.about("calls", "numbers")):
            return self.call(scope, want, depth)
        if want == "arr":
            if choice < 14:
                return f"[{', '.join(self.term(scope, 'any', depth - 1) for _ in range(self.below(4)))}]"
            return self.comprehension(scope, "[", depth)
        if want == "set":
            if choice < 11:
                return (
                    "{"
                    + ", ".join(self.term(scope, "any", depth - 1) for _ in range(self.below(3) + 1))
                    + "}"
                )
            if choice < 16:
                operator = self.pick("&", "|", "-")
                return (
                    f"({self.term(scope, 'set', depth - 1)} {operator} {self.term(scope, 'set', depth - 1)})"
                )
            return self.comprehension(scope, "{", depth)
        if want == "obj":
            if choice < 16:
                names = self.pick("a", "a b", "k v", "b").split()
                keys = [f'"{name}"' for name in names]
                if self.chance(3):
                    keys[0] = self.term(scope, "any", 0)
                return "{" + ", ".join(f"{k}: {self.term(scope, 'any', depth - 1)}" for k in keys) + "}"
            return self.comprehension(scope, ":", depth)
        if want == "num":
            operator = self.pick("+", "-", "*", "%", "/", "+")
            return f"({self.term(scope, 'num', depth - 1)} {operator} {self.term(scope, 'num', depth - 1)})"
        if want == "bool":
            return f"({self.comparison(scope, depth)})"
        if choice < 12 and not self.v0:
            parts = "".join(
                f"{self.pick('', 'x', '-')}{{{self.closed(scope, self.pick('any', 'num', 'str'), 1).replace('[_]', '[0]')}}}"
                for _ in range(self.below(3) + 1)
            )
            return f'$"{parts}"' if '"' not in parts and "\\" not in parts and "`" not in parts else '$"x{1}"'
        return self.sprintf(scope, depth)

    def sprintf(self, scope: list[str], depth: int) -> str:
        verbs = [
            self.pick("%s", "%d", "%v", "%v", "%5v", "%x", "%.2f", "%t", "%q", "%%")
            for _ in range(self.below(4))
        ]
        count = max(0, len([v for v in verbs if v != "%%"]) + self.pick(0, 0, 0, 0, 1, -1))
        operands = ", ".join(
            self.term(scope, self.pick("any", "num", "str"), depth - 1) for _ in range(count)
        )
        text = self.pick(" ", "-", "{} ", "é").join(verbs)
        return f'sprintf("{text}", [{operands}])'

    def closed(self, scope: list[str], want: str, depth: int) -> str:
        """A term that binds nothing."""
        before, self.open = self.open, False
        text = self.term(scope, want, depth)
        self.open = before
        return text

    def comparison(self, scope: list[str], depth: int) -> str:
        choice = self.below(9)
        if choice < 3:
            operator = self.pick("==", "!=", "==", "==")
            left, right = self.ref(scope), self.term(scope, "any", depth - 1)
            if self.chance(2):
                left, right = right, left
            return f"{left} {operator} {right}"
        if choice < 6:
            operator = self.pick("<", "<=", ">", ">=", "!=")
            return f"{self.term(scope, 'any', depth - 1)} {operator} {self.term(scope, 'any', depth - 1)}"
        if self.v0:
            return f"{self.ref(scope)} == {self.ref(scope)}"
        key = f"{self.term(scope, 'any', 0)}, " if self.chance(4) else ""
        return f"{key}{self.term(scope, 'any', 0)} in {self.domain(scope)}"

    def domain(self, scope: list[str]) -> str:
        if self.about("joins") and self.chance(2):
            return self.pick(*LARGE)
        if self.chance(3):
            return self.term(scope, self.pick("arr", "obj", "set"), 1)
        return self.ref(scope)

    def comprehension(self, scope: list[str], kind: str, depth: int) -> str:
        inner = list(scope)
        body = "; ".join(self.body(inner, depth - 1, self.below(3) + 1))
        head = self.closed(inner, "any", 1) if self.chance(2) or len(inner) == len(scope) else inner[-1]
        if kind == "[":
            return f"[{head} | {body}]"
        if kind == "{":
            return f"{{{head} | {body}}}"
        # With keys that differ: a conflict is found or not by the order in which things are evaluated.
        if self.v0:
            domain = "input." + self.pick("o", "xs", "deep", "m", "big")
            key = self.new(inner)
            return f"{{{key}: {self.closed(inner, 'any', 0)} | {domain}[{key}]; {domain}[{key}] != 7}}"
        domain = self.domain(scope)
        key, value = self.new(inner), self.new(inner)
        return f"{{{key}: {self.closed(inner, 'any', 1)} | some {key}, {value} in {domain}; {value} != 7}}"

    def call(self, scope: list[str], want: str, depth: int) -> str:
        names = [
            n for n, kinds in CALLS.items() if kinds.split()[-1] == want and (self.v0 or n not in V0_ONLY)
        ]
        if not names:
            return self.small(scope, want)
        name = self.pick(*names)
        operands = CALLS[name].split()[:-1]
        return f"{name}({', '.join(self.term(scope, kind, depth - 1) for kind in operands)})"

    # --- statements

    def pattern(self, scope: list[str], depth: int = 1) -> str:
        choice = self.below(9)
        if choice < 4 or depth <= 0:
            return self.new(scope)
        if choice == 4:
            return self.scalar()
        if choice == 5 and scope:
            return self.pick(*scope)
        if choice == 6:
            return "_"
        if choice == 7:
            return f"[{', '.join(self.pattern(scope, depth - 1) for _ in range(self.below(3) + 1))}]"
        return f'{{"{self.pick("a", "k")}": {self.pattern(scope, depth - 1)}}}'

    def unification(self, scope: list[str], depth: int) -> str:
        """Arrays and objects on both sides, with variables and values on either."""
        if self.below(3) == 0:
            value = self.ref(scope) if self.below(3) else self.term(scope, "any", depth)
            sides = [self.pattern(scope, 2), value]
        else:
            ones, others = [], []
            for _ in range(self.below(3) + 1):
                value = self.term(scope, "any", 1)
                pair = [self.pattern(scope), value]
                if self.chance(3):
                    pair.reverse()
                ones.append(pair[0])
                others.append(pair[1])
            if self.chance(3):
                sides = [
                    "{" + ", ".join(f'"{n}": {t}' for n, t in enumerate(side)) + "}"
                    for side in (ones, others)
                ]
            else:
                sides = [f"[{', '.join(side)}]" for side in (ones, others)]
        if self.chance(2):
            sides.reverse()
        return " = ".join(sides)

    def statement(self, scope: list[str], depth: int) -> str:
        choice = self.below(24)
        if self.about("patterns") and self.chance(2):
            return self.unification(scope, depth)
        if self.about("not") and self.chance(2):
            return self.negation(scope, depth)
        if self.about("joins") and self.chance(2):
            return self.lookup(scope)
        if choice < 4:
            kind = self.pick("any", "any", "num", "str", "arr", "obj", "set", "bool")
            value = self.term(scope, kind, depth)
            return f"{self.new(scope, kind)} := {value}"
        if choice < 6:
            return self.unification(scope, depth)
        if choice < 9 and not self.v0:
            domain = self.domain(scope)
            if self.chance(3):
                key = self.pick("_", self.new(scope)) if self.chance(2) else self.pattern(scope)
                return f"some {key}, {self.pattern(scope)} in {domain}"
            return f"some {self.pattern(scope, 2)} in {domain}"
        if choice < 12:
            return self.comparison(scope, depth)
        if choice == 12 and not self.v0:
            return self.every(scope, depth)
        if choice < 15:
            return self.negation(scope, depth)
        if choice == 15:
            first = self.new(scope)
            text = f"some {first}; {self.pick('input.xs', 'input.o', 'input.deep', 'input.m', 'input.pairs')}[{first}]"
            if self.chance(3):
                text += f"[{self.new(scope)}]"
            return f"{text} == {self.term(scope, 'any', 1)}" if self.chance(3) else text
        if choice == 16:
            path, value = self.new(scope, "arr"), self.new(scope)
            document = self.term(scope, self.pick("obj", "arr"), 1)
            return self.pick(f"walk({document}, [{path}, {value}])", f"[{path}, {value}] = walk({document})")
        if choice == 17:
            kind = self.pick("num", "str", "arr")
            call = self.call(scope, kind, 1)
            return (
                f"{call[:-1]}, {self.new(scope, kind)})" if call.endswith(")") and call[0].isalpha() else call
            )
        if choice == 18 and self.functions:
            name, arity = self.pick(*self.functions)
            operands = [self.term(scope, "any", 1) for _ in range(arity)]
            return f"{name}({', '.join([*operands, self.new(scope)])})"
        if choice == 19 and self.logic:
            operands = [
                self.pick(self.block(scope, depth), f"{self.ref(scope)} == {self.closed(scope, 'any', 0)}")
                for _ in range(2)
            ]
            return f" {self.pick('and', 'or')} ".join(operands)
        return self.term(scope, "any", depth)

    def block(self, scope: list[str], depth: int) -> str:
        return "{ " + "; ".join(self.body(list(scope), depth - 1, self.below(2) + 1)) + " }"

    def every(self, scope: list[str], depth: int) -> str:
        inner = list(scope)
        domain = self.domain(scope)
        keyed = self.chance(3)
        key = self.new(inner) if keyed else ""
        value = self.new(inner)
        test = f"{value} != {self.scalar()}"
        if keyed and self.chance(2):
            test = f"{key} == {self.term(scope, 'any', 1)}"
        elif self.chance(2):
            test = (
                f"{value}.{self.pick('k', 'id', 'a')} {self.pick('==', '!=')} {self.closed(scope, 'any', 1)}"
            )
        if keyed and key not in test:
            test += f"; {key} != 7"
        if value not in test:
            test += f"; {value} != 7"
        body = "; ".join([test, *self.body(inner, depth - 1, self.below(2))])
        return f"every {f'{key}, {value}' if keyed else value} in {domain} {{ {body} }}"

    def negation(self, scope: list[str], depth: int) -> str:
        if self.logic and self.chance(3):
            return f"not {self.block(scope, depth)}"
        choice = self.below(6)
        if choice == 0:
            return f"not {self.closed(scope, self.pick('any', 'bool', 'num'), depth - 1)}"
        if choice == 1:
            return f"not {self.ref(scope)}"
        before, self.open = self.open, False
        if choice == 2:
            text = f"not {self.comparison(scope, depth)}"
        elif choice == 3:
            text = f"not {self.call(scope, self.pick('bool', 'num', 'any'), 1)}"
        elif choice == 4:
            text = (
                f"not [{self.atom(scope)}, {self.atom(scope)}] {self.pick('=', '==', '!=')} {self.ref(scope)}"
            )
        else:
            text = f"not {self.term(scope, 'any', 1)} {self.pick('=', '==')} {self.ref(scope)}"
        self.open = before
        return text

    def lookup(self, scope: list[str]) -> str:
        """A loop over something large, and what its elements are compared with."""
        collection = self.pick(*LARGE)
        if scope and self.chance(2):
            one, path = self.pick(*scope), self.pick("", *(f".{f}" for f in FIELDS))
            other = self.pick(
                f"{self.pick(*scope)}.{self.pick(*FIELDS)}", self.scalar(), "input.s", "input.n", "input.o.a",
                self.pick(*scope), "data.base.k", f"{collection}[{self.new(scope) if self.open else '_'}].{self.pick(*FIELDS)}",
            )  # fmt: skip
            sides = [one + path, other]
            if self.chance(2):
                sides.reverse()
            return f" {self.pick('==', '==', '=', '==', '!=')} ".join(sides)
        choice = self.below(7)
        if choice == 0 and not self.v0:
            return f"some {self.new(scope)} in {collection}"
        if choice == 1 and not self.v0:
            return f"some {self.new(scope)}, {self.new(scope)} in {collection}"
        if choice == 2:
            return f"{self.new(scope)} := {collection}[_]"
        if choice == 3 and self.open:
            index = self.new(scope)
            return f"{self.new(scope)} := {collection}[{index}]"
        if choice == 4:
            return f"{self.new(scope)} = {collection}[_]"
        if choice == 5 and not self.v0:
            return f'some {{"k": {self.new(scope)}, "kind": {self.new(scope)}, "id": {self.pattern(scope, 0)}, "n": _}} in {collection}'
        return f"{collection}[{self.new(scope) if self.open else '_'}].{self.pick(*FIELDS)} == {self.atom(scope)}"

    def modifier(self, scope: list[str]) -> str:
        targets = [
            "input",
            "input.o.a",
            "input.xs",
            "input.new.x",
            "input.n",
            "input.big",
            "data.base.k",
            "data.base.a",
        ]
        targets += ["data.base", "data.base.sub.q9", "data.new.x", "count", "upper", "startswith"]
        targets += [rule for rule, _ in self.rules if not rule.startswith("alias")] * 2
        targets += [f for f, _ in self.functions] * 2
        target = self.pick(*(t for t in targets if "[" not in t))
        same = [f for f, n in self.functions if (target, n) in self.functions]
        if target in ("count", "upper"):
            same = [f for f, n in self.functions if n == 1] + ["lower", "count", "is_array"]
        if target == "startswith":
            same = [f for f, n in self.functions if n == 2] + ["endswith", "contains"]
        value = (
            self.pick(*same)
            if same and self.chance(2)
            else self.closed(scope, "any", 1).replace("[_]", "[0]")
        )
        return f" with {target} as {value}"

    def body(self, scope: list[str], depth: int, length: int) -> list[str]:
        out = []
        before, self.open = self.open, True
        for _ in range(length):
            known = list(scope)
            text = self.statement(scope, depth)
            if self.chance(3 if self.about("with") else 9) and not text.startswith("some "):
                text += self.modifier(known)
                if self.chance(3):
                    text += self.modifier(known)
            out.append(text)
        self.open = before
        if self.chance(8) and len(out) > 1:
            at = self.below(len(out) - 1)
            out[at], out[at + 1] = out[at + 1], out[at]
        return out

    # --- rules

    def braced(self, scope: list[str]) -> str:
        longest = 5 if self.about("joins", "patterns") else 3
        return "{ " + "; ".join(self.body(scope, 2, self.below(longest) + 1)) + " }"

    def when(self, scope: list[str]) -> str:
        return (" " if self.v0 else " if ") + self.braced(scope)

    def value_of(self, scope: list[str]) -> str:
        return self.pick(*scope) if scope and self.below(3) else self.closed(scope, "any", 1)

    def rule(self, number: int) -> list[str]:
        name = f"p{number}"
        kind = self.below(10)
        if self.about("heads"):
            kind = self.pick(4, 5, 6, 7, 7, 7)
        if self.about("tables"):
            kind = self.pick(8, 8, 10, 2, 4)
        if kind < 3:
            lines = self.complete(name)
            self.rules.append((self.pick(name, f"data.t.{name}"), "any"))
        elif kind < 5:
            lines = []
            for _ in range(1 + self.chance(2)):
                scope: list[str] = []
                body = self.when(scope)
                key = self.value_of(scope)
                lines.append(f"{name}[{key}]{body}" if self.v0 else f"{name} contains {key}{body}")
            self.rules.append((f"{name}[_]", "any"))
            self.rules.append((name, "set"))
        elif kind < 7:
            lines = []
            for _ in range(1 + self.chance(2)):
                scope = []
                body = self.when(scope)
                lines.append(
                    f"{name}[{self.value_of(scope)}] {self.pick('=', ':=')} {self.value_of(scope)}{body}"
                )
            self.rules.append((f"{name}[_]", "any"))
            self.rules.append((name, "obj"))
        elif kind == 7:
            lines = self.deep(name)
            self.rules.append((name, "obj"))
        elif kind in (8, 10):
            return self.function(name, table=kind == 10 or (self.about("tables") and self.chance(2)))
        else:
            lines = [f"{name} := {self.term([], 'any', 2)}"]
            self.rules.append((self.pick(name, f"data.t.{name}"), "any"))
        return lines

    def complete(self, name: str) -> list[str]:
        lines = []
        if self.chance(3):
            lines.append(f"default {name} = {self.pick('0', '[]', 'false', 'null', '{1}')}")
        for _ in range(1 + self.chance(3)):
            scope: list[str] = []
            body = self.when(scope)
            line = f"{name} = {self.value_of(scope)}{body}"
            while self.chance(3):
                scope = []
                body = self.when(scope)
                line += f" else = {self.value_of(scope)}{body}"
            lines.append(line)
        return lines

    def deep(self, name: str) -> list[str]:
        """Rules with references as heads."""
        lines = []
        for _ in range(1 + self.below(3)):
            scope: list[str] = []
            body = self.when(scope)
            path = name
            for _ in range(self.below(3) + 1):
                step = self.below(4)
                variable = f"[{self.pick(*scope)}]" if scope else '["a"]'
                path += [".a", '["b"]', variable, f"[{self.pick('0', 'true', 'null', '1.5')}]"][step]
            if self.chance(3) and not self.v0:
                lines.append(f"{path} contains {self.value_of(scope)}{body}")
            else:
                lines.append(f"{path} := {self.value_of(scope)}{body}")
        return lines

    def function(self, name: str, table: bool) -> list[str]:
        lines = []
        arity = 1 + self.below(2)
        if self.chance(4) and not self.v0:
            lines.append(f"default {name}({', '.join('_' * arity)}) := {self.scalar()}")
        if table:
            position = self.below(arity)
            for _ in range(3 + self.below(4)):
                operands = [self.new([]) if self.below(6) else self.scalar() for _ in range(arity)]
                operands[position] = (
                    self.scalar() if self.below(5) else self.pick("[1]", '{"k": "a"}', "x", "null")
                )
                value = self.pick(f" := {self.scalar()}", f" := {self.scalar()}", "", " := {1, 2}")
                if self.v0 and not value:
                    value = " = true"
                lines.append(
                    f"{name}({', '.join(operands)}){value}"
                    + (self.pick("", "", " if true") if not self.v0 else "")
                )
            if self.v0:
                lines = [line + " { true }" for line in lines]
        for _ in range(0 if table and self.below(3) else 1 + self.chance(2)):
            scope: list[str] = []
            operands = [self.pattern(scope) if self.chance(2) else self.new(scope) for _ in range(arity)]
            body = self.when(scope)
            lines.append(f"{name}({', '.join(operands)}) = {self.value_of(scope)}{body}")
            if self.chance(5):
                scope = list(scope[:arity])
                lines[-1] += f" else = {self.closed([], 'any', 1)}{self.when([])}"
        self.functions.append((name, arity))
        return lines

    # --- programs

    def module(self) -> str:
        lines = ["package t", ""]
        if not self.v0 and (self.about("not") or self.chance(6)):
            self.logic = True
            lines.append("import future.keywords")
        if self.chance(5):
            lines.append("import data.base as alias")
            self.rules += [("alias", "any"), ("alias.a", "any")]
        for number in range(self.below(4) + 1):
            lines += self.rule(number)
        return "\n".join(lines) + "\n"

    def query(self) -> str:
        scope: list[str] = []
        return "; ".join(self.body(scope, 1, self.below(3) + 1))

    def program(self) -> Generated:
        modules = {}
        if self.about("refs") or self.chance(12):
            modules["sub.rego"] = self.other_package()
        text = self.module()
        modules["t.rego"] = text
        drop = [self.pick(*INPUT)] if self.chance(3) else []
        swap = [(self.pick(*INPUT), self.pick(*MIXED))] if self.chance(2) else []
        query = self.query() if self.chance(4) and not self.v0 else ""
        return Generated(modules, "v0" if self.v0 else "v1", query, drop, swap)

    def other_package(self) -> str:
        """A package inside the base documents, or below the main one; its rules are read from outside."""
        package = self.pick("base.sub", "t.sub", "base.a", "other.x")
        lines = [f"package {package}", ""]
        for name in ("q1", "q2", "q3")[: self.below(3) + 1]:
            scope: list[str] = []
            body = self.when(scope)
            kind = self.below(4)
            value = self.value_of(scope)
            if kind == 0 and not self.v0:
                lines.append(f"{name} contains {value}{body}")
            elif kind == 1:
                lines.append(f"{name}[{self.value_of(scope)}] := {value}{body}")
            else:
                lines.append(f"{name} = {value}{body}")
            where = f"data.{package}"
            self.rules += [(f"{where}.{name}", "any"), (where, "any"), (f"{where}[_]", "any")] * 2
            self.rules += [("data.base[_]", "any")]
            if self.chance(3) and "t." not in package:
                self.rules += [(f"data[{self.pick('_', 'input.missing')}].sub", "any")]
        return "\n".join(lines) + "\n"


def program(seed: int, profile: str = "") -> Generated:
    import random

    return Writer(random.Random(seed).randrange, profile).program()


def replay(choices: Sequence[int], profile: str = "") -> Generated:
    """The program that a list of choices stands for; behind its end every choice is the first."""
    rest = iter(choices)
    return Writer(lambda n: next(rest, 0) % n, profile).program()
