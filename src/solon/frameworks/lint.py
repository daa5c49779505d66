"""What lint asks of the policies of every framework: the codes they share, and what a policy must say of itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from solon.lang.remark import Remark, Severity
from solon.lang.source import Diagnostic, Span
from solon.subjects.subject import Location

RULES: Final[dict[str, tuple[Severity, str]]] = {
    "policy/no-denying-test": ("warning", "a policy, or one of its rules, that finds nothing in any test"),
    "policy/no-allowing-test": ("warning", "a policy that lets nothing pass in any test"),
    "policy/unknown-field": ("warning", "a field that what is judged does not have"),
    "policy/unknown-data": ("warning", "data that neither rules nor data files define"),
    "policy/repeated-data": ("warning", "a list of values that a data file has already"),
    "policy/duplicate-id": ("error", "two policies, templates or constraints of one name"),
    "policy/skipped-stage": ("error", "a policy that denies from now on, and warned nobody before"),
    "policy/enforcement-raised": ("warning", "a policy that denies, everywhere at once, what it warned of"),
    "policy/unowned-file": ("warning", "a file of policies that CODEOWNERS gives to nobody"),
    "policy/no-codeowners": ("warning", "a policy repository without CODEOWNERS"),
    "policy/bad-codeowners": ("warning", "a line of CODEOWNERS that counts for nothing"),
}

# What a policy can say of itself, in the order in which it is asked for.
FIELDS: Final = ("title", "description", "severity", "remediation", "owner", "controls")


def remark(code: str, message: str, span: Span, hint: str = "") -> Remark:
    """A remark under one of the codes above."""
    return Remark(RULES[code][0], Diagnostic(code, message, span, hint))


def span_of(location: Location) -> Span:
    return Span(location.file, max(1, location.line), max(1, location.column))


def lacking(missing: Iterable[str]) -> str:
    """The names as in: no title and no owner."""
    return " and ".join(f"no {name}" for name in missing)
