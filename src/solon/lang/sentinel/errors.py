"""What is wrong with the text of a policy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from solon.lang.source import Diagnostic, render

PARSE_ERROR = "sentinel_parse_error"
CHECK_ERROR = "sentinel_check_error"


class SentinelError(Exception):
    """Policies that do not parse or compile. ``errors`` holds every diagnostic, in order of place."""

    def __init__(self, errors: Sequence[Diagnostic], sources: Mapping[str, str] | None = None) -> None:
        self.errors = list(errors)
        self.sources = dict(sources or {})
        super().__init__("\n".join(map(str, self.errors)))

    def render(self) -> str:
        """All errors with their source lines."""
        return "\n".join(render(error, self.sources.get(error.span.file)) for error in self.errors)
