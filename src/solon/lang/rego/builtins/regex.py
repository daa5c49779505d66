"""Regular expressions: RE2, as OPA's. No pattern makes matching slow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from solon.lang.budget import claim, foresee, spend
from solon.lang.rego.builtins.registry import Builtin, Context, int64, remembered, string
from solon.lang.rego.errors import BuiltinError
from solon.lang.values import Value

if TYPE_CHECKING:
    import re2

_SHORT: Final = 1_000  # characters of a pattern
MAX_MEMORY: Final = 8 << 20
_COMPILE_STEPS: Final = 200


@remembered(256)
def compiled(pattern: str) -> re2._Regexp[str]:
    """The compiled pattern. Raises BuiltinError where it is not one."""
    return _compile(pattern, capture=True)


def _compile(pattern: Any, *, capture: bool) -> Any:
    import re2

    spend(_COMPILE_STEPS + 20 * len(pattern))
    options = re2.Options()
    options.log_errors = False
    options.max_mem = MAX_MEMORY
    options.never_capture = not capture
    try:
        return re2.compile(pattern, options=options)
    except re2.error as error:
        detail = error.args[0].decode() if error.args and isinstance(error.args[0], bytes) else str(error)
        raise BuiltinError(f"error parsing regexp: {detail}") from None


@lru_cache(maxsize=256)
def _search(pattern: str) -> Callable[[bytes], object]:
    """Whether it matches, without where: on bytes and with no groups this takes a third of the time."""
    search: Callable[[bytes], object] = _compile(_bytes(pattern), capture=False).search
    return search


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def match(pattern: Value, text: Value) -> bool:
    if type(pattern) is type(text) is str and len(pattern) < _SHORT and len(text) < _LONG:
        return _search(pattern)(_bytes(text)) is not None
    expression = compiled(string(pattern, 1))
    scanning(expression, string(text, 2))
    return expression.search(text) is not None


def is_valid(pattern: Value) -> bool:
    if type(pattern) is not str:
        return False
    try:
        compiled(pattern)
    except BuiltinError:
        return False
    return True


def split(context: Context, pattern: Value, text: Value) -> list[str]:
    expression = compiled(string(pattern, 1))
    string(text, 2)
    if not text:
        return [""] if pattern else []
    # Go drops an empty match at the start, and one directly behind a match.
    out: list[str] = []
    at = 0
    end = 0
    for found in _matches(context, expression, text):
        if found.end() == 0:
            continue
        end = found.start()
        out.append(text[at:end])
        at = found.end()
    if end != len(text):
        out.append(text[at:])
    return out


_LONG: Final = 10_000  # characters
_SCAN_SECONDS: Final = 6e-9  # a character takes so long for each instruction of the worst of patterns


def scanning(expression: Any, text: str, start: int = 0) -> None:
    """Refuse to look for an expression where that may take longer than there is time."""
    left = len(text) - start
    if left > _LONG:
        foresee(left * expression.programsize * (1 + expression.groups / 4) * _SCAN_SECONDS)


_MATCH_STEPS: Final = 100  # finding a match takes about as long as visiting a hundred elements


def _matches(context: Context, expression: Any, text: str, limit: int = -1) -> Iterator[Any]:
    """The matches as Go finds them: an empty match directly behind another does not count."""
    last = -1
    if limit == 0:
        return
    scanning(expression, text)
    for each in expression.finditer(text):
        context.charge(_MATCH_STEPS)
        scanning(expression, text, each.end())
        if each.start() == each.end() == last:
            continue
        yield each
        last = each.end()
        limit -= 1
        if limit == 0:
            return


def find_n(context: Context, pattern: Value, text: Value, count: Value) -> list[str]:
    limit = int64(count, 3)
    expression = compiled(string(pattern, 1))
    return [each.group() for each in _matches(context, expression, string(text, 2), limit)]


def find_all_string_submatch_n(
    context: Context, pattern: Value, text: Value, count: Value
) -> list[list[str]]:
    limit = int64(count, 3)
    expression = compiled(string(pattern, 1))
    return [
        [each.group(), *(group or "" for group in _groups(each))]
        for each in _matches(context, expression, string(text, 2), limit)
    ]


def _groups(found: Any) -> tuple[str | None, ...]:
    groups: tuple[str | None, ...] = found.groups()
    spend(len(groups))
    claim(sum(len(group) for group in groups if group))  # groups in groups repeat the text
    return groups


def replace(context: Context, text: Value, pattern: Value, new: Value) -> str:
    """``$1`` and ``${name}`` in the replacement stand for groups."""
    string(text, 1)
    expression = compiled(string(pattern, 2))
    parts = _template(string(new, 3))
    out: list[str] = []
    at = 0
    for found in _matches(context, expression, text):
        out.append(text[at : found.start()])
        filled = [part if isinstance(part, str) else _group(found, expression, part[0]) for part in parts]
        claim(sum(map(len, filled)))
        out += filled
        at = found.end()
    out.append(text[at:])
    return "".join(out)


def _group(found: Any, expression: Any, name: str) -> str:
    if name.isdigit():
        number = int(name)
        return (found.group(number) or "") if number <= expression.groups else ""
    return (found.group(name) or "") if name in expression.groupindex else ""


@remembered(512)
def _template(text: str) -> tuple[str | tuple[str], ...]:
    """Texts, and names of groups in tuples (Go's regexp.Expand)."""
    parts: list[str | tuple[str]] = []
    at = 0
    while True:
        dollar = text.find("$", at)
        if dollar < 0:
            parts.append(text[at:])
            return tuple(parts)
        parts.append(text[at:dollar])
        at = dollar + 1
        if text[at : at + 1] == "$":
            parts.append("$")
            at += 1
            continue
        braced = text[at : at + 1] == "{"
        end = start = at + braced
        while end < len(text) and (text[end].isalnum() or text[end] == "_"):
            end += 1
        if end == start or (braced and text[end : end + 1] != "}"):
            parts.append("$")
            continue
        parts.append((text[start:end],))
        at = end + braced


def template_match(template: Value, text: Value, start: Value, end: Value) -> bool:
    """Match a text that holds expressions between delimiters: ``urn:{.*}:x``."""
    string(template, 1)
    string(text, 2)
    if len(string(start, 3).encode()) != 1 or len(string(end, 4).encode()) != 1:  # Go counts bytes
        raise BuiltinError("start delimiter has to be exactly one character long")
    expression = compiled(_delimited(template, start, end))
    scanning(expression, text)
    return expression.search(text) is not None


def _delimited(template: str, start: str, end: str) -> str:
    import re2

    out = ["^"]
    at = depth = opened = 0
    for position, char in enumerate(template):
        if char == start:
            if depth == 0:
                out.append(re2.escape(template[at:position]))
                opened = position + 1
            depth += 1
        elif char == end:
            depth -= 1
            if depth < 0:
                raise BuiltinError(f"unbalanced braces in {template!r}")
            if depth == 0:
                out.append(f"({template[opened:position]})")
                at = position + 1
    if depth:
        raise BuiltinError(f"unbalanced braces in {template!r}")
    return "".join([*out, re2.escape(template[at:]), "$"])


_Chars = frozenset[str] | None  # None: any character
_Glob = list[tuple[_Chars, str]]  # characters, and the flag behind them


def globs_match(left: Value, right: Value) -> bool:
    """Whether some text matches both patterns: letters, ``.``, ``[…]``, ``*`` and ``+``.

    As OPA's glob-intersection finds it: what a starred part stands for is something that the other pattern has.
    """
    first, second = _globs(string(left, 1)), _globs(string(right, 2))
    known: dict[tuple[bool, int, int], bool] = {}

    def meet(a: _Glob, b: _Glob, at: int, other: int) -> bool:
        where = (a is first, at, other)
        found = known.get(where)
        if found is None:
            found = known[where] = search(a, b, at, other)
        return found

    def search(a: _Glob, b: _Glob, at: int, other: int) -> bool:
        while at < len(a) and other < len(b):
            if a[at][1] or b[other][1]:
                return bool(
                    (a[at][1] and gobble(a, b, at, other)) or (b[other][1] and gobble(b, a, other, at))
                )
            if not _overlap(a[at][0], b[other][0]):
                return False
            at += 1
            other += 1
        return at == len(a) and other == len(b)

    def gobble(a: _Glob, b: _Glob, at: int, start: int) -> bool:
        chars, flag = a[at]
        if flag == "+":
            if not _overlap(chars, b[start][0]):
                return False
            start += 1
        last = at + 1 == len(a)
        for other in range(start, len(b)):
            if not last and _overlap(b[other][0], a[at + 1][0]) and meet(a, b, at + 1, other):
                return True
            if not _overlap(b[other][0], chars):
                return False
        return last

    # The ends are compared first, as far as they have no flags.
    for a, b in zip(reversed(first), reversed(second), strict=False):
        if a[1] or b[1]:
            break
        if not _overlap(a[0], b[0]):
            return False
    return meet(first, second, 0, 0)


def _overlap(a: _Chars, b: _Chars) -> bool:
    if a is None or b is None:
        return True
    spend(4 + min(len(a), len(b)) // 8)
    return not a.isdisjoint(b)


def _globs(pattern: str) -> _Glob:
    out: _Glob = []
    at = 0
    while at < len(pattern):
        char = pattern[at]
        chars: _Chars
        if char == "\\":
            escaped, at = _char(pattern, at)
            chars = frozenset(escaped[-1])
        elif char == ".":
            chars, at = None, at + 1
        elif char == "[":
            chars, at = _char_class(pattern, at + 1)
        elif char in "*+":
            raise BuiltinError(f"input:{pattern}, pos:{at}, flag {char!r} must be preceded by a non-flag")
        else:
            chars, at = frozenset(char), at + 1
        flag = pattern[at] if at < len(pattern) and pattern[at] in "*+" else ""
        out.append((chars, flag))
        at += len(flag)
    return out


def _char_class(pattern: str, at: int) -> tuple[_Chars, int]:
    """The characters of a class that begins at a place, and the place behind it."""
    chars: set[str] = set()
    before = ""  # the character that a range may begin with
    while at < len(pattern):
        char, at = _char(pattern, at)
        if char == "]":
            return frozenset(chars), at
        if char == "-":
            last, at = _char(pattern, at) if at < len(pattern) else ("", at)
            if not before or last in ("", "]", "-") or last[-1] < before:
                raise BuiltinError(f"input:{pattern}, pos:{at}, range without its ends in order")
            size = ord(last[-1]) - ord(before)
            spend(4 * size)
            claim(128 * size)
            chars.update(map(chr, range(ord(before), ord(last[-1]) + 1)))
            before = ""
        else:
            before = char[-1]
            chars.add(before)
    raise BuiltinError(f"input:{pattern}, unclosed character class")


def _char(pattern: str, at: int) -> tuple[str, int]:
    """The character at a place, with its backslash, and the place behind it."""
    size = 2 if pattern[at] == "\\" else 1
    if at + size > len(pattern):
        raise BuiltinError(f"input:{pattern}, pos:{at}, bad escape")
    return pattern[at : at + size], at + size


BUILTINS = (
    Builtin("regex.match", "(string, string) -> boolean", match),
    Builtin("re_match", "(string, string) -> boolean", match, deprecated=True),
    Builtin("regex.is_valid", "(string) -> boolean", is_valid),
    Builtin("regex.split", "(string, string) -> array[string]", split, contextual=True),
    Builtin("regex.find_n", "(string, string, number) -> array[string]", find_n, contextual=True),
    Builtin(
        "regex.find_all_string_submatch_n",
        "(string, string, number) -> array[array[string]]",
        find_all_string_submatch_n,
        contextual=True,
    ),
    Builtin("regex.replace", "(string, string, string) -> string", replace, contextual=True),
    Builtin("regex.template_match", "(string, string, string, string) -> boolean", template_match),
    Builtin("regex.globs_match", "(string, string) -> boolean", globs_match),
)
