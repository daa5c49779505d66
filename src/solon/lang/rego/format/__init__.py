r"""Rego laid out as ``opa fmt`` lays it out.

>>> print(format_text("a.rego", "package a\nallow{input.x==1}", "v0"), end="")
package a
<BLANKLINE>
allow {
        input.x == 1
}
"""

from __future__ import annotations

from typing import Final

from solon.lang.rego import ast
from solon.lang.rego.errors import PARSE_ERROR, RegoError
from solon.lang.rego.format.compare import same
from solon.lang.rego.format.lines import CrowdedError
from solon.lang.rego.format.rules import FUTURE, REGO_V1, ModuleWriter
from solon.lang.rego.format.source import Source
from solon.lang.rego.lexer import FUTURE_KEYWORDS
from solon.lang.source import Diagnostic, Span

# Text settles after two rounds, mostly after one.
_ROUNDS: Final = 8


def format_text(file: str, text: str, version: ast.Version = "v1", *, rego_v1: bool = False) -> str:
    """The text of a module laid out anew. ``rego_v1`` writes v0 such that it is v1 as well. Raises RegoError.

    What is written is read again: it says the same as the text did, and would not be changed another time.
    """
    source = Source(file, text, version)
    original = source.module
    target: ast.Version = "v1" if rego_v1 else version
    for _ in range(_ROUNDS):
        writer = ModuleWriter(source, v1=target == "v1")
        try:
            written = writer.module(_imports(source.module, rego_v1))
            if written == source.text:
                break
            source = Source(file, written, target)
        except CrowdedError:
            raise _refusal(file, text, "cannot be laid out: comments stand in each other's way") from None
        except RegoError as error:
            raise _refusal(file, text, f"cannot be laid out: {error.errors[0].message}") from None
        if not same(original, source.module):
            raise _refusal(file, text, "cannot be laid out without a change in what it means")
    return written


def _imports(module: ast.Module, rego_v1: bool) -> list[ast.Import]:
    """The imports to write: `rego.v1` takes the place of those of the keywords it brings."""
    imports = module.imports
    keywords = [i for i in imports if i.path[:2] == FUTURE and (i.path[2:] or ["if"])[0] in FUTURE_KEYWORDS]
    if REGO_V1 not in [i.path for i in imports]:
        if not rego_v1:
            return imports
        at = _behind(module.text, keywords[-1].at) if keywords else module.package_at
        imports = [ast.Import(REGO_V1, "", at), *imports]
    return [i for i in imports if i not in keywords]


def _behind(text: str, at: int) -> int:
    """The line behind an import, if it is empty."""
    end = text.find("\n", at)
    return end + 1 if text[end + 1 : end + 2] in ("\n", "\r") else at


def _refusal(file: str, text: str, message: str) -> RegoError:
    return RegoError([Diagnostic(PARSE_ERROR, message, Span(file, 1, 1))], {file: text})
