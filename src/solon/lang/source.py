"""Places in policy text, and how an error there is shown, for every language."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """A place in a policy file. Rows and columns count from 1; columns count characters."""

    file: str
    row: int
    column: int
    length: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.row}:{self.column}"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One thing wrong with a policy: a code, what is wrong, where, and what to do about it."""

    code: str
    message: str
    span: Span
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.span}: {self.code}: {self.message}"


def render(diagnostic: Diagnostic, text: str | None = None) -> str:
    """The diagnostic with the source line and a caret under the place.

    >>> print(render(Diagnostic("rego_unsafe_var_error", "var x is unsafe", Span("a.rego", 1, 3, 1)), "p(x)"))
    a.rego:1:3: rego_unsafe_var_error: var x is unsafe
      1 | p(x)
        |   ^
    """
    out = [str(diagnostic)]
    span = diagnostic.span
    lines = text.splitlines() if text is not None else []
    if 1 <= span.row <= len(lines):
        line = lines[span.row - 1]
        gutter = str(span.row)
        shown = line.replace("\t", " ")
        width = max(1, min(span.length, len(shown) - span.column + 1))
        marks = "^" if width == 1 else "~" * (width - 1) + "^"
        out.append(f"  {gutter} | {shown}")
        out.append(f"  {' ' * len(gutter)} | {' ' * (span.column - 1)}{marks}")
    if diagnostic.hint:
        out.append(f"  help: {diagnostic.hint}")
    return "\n".join(out)
