"""One page that needs nothing beside it: no script, no font, no network. It prints."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from solon.decisions.decision import Decision
from solon.report.model.view import view
from solon.report.text import printable_lines

if TYPE_CHECKING:
    import jinja2


def render(decision: Decision) -> str:
    """The HTML page about a decision on a release."""
    return _environment().get_template("page.html.j2").render(view=view(decision)) + "\n"


@cache
def _environment() -> jinja2.Environment:
    import jinja2

    return jinja2.Environment(
        loader=jinja2.PackageLoader("solon.report.model", "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=lambda value: printable_lines(value) if type(value) is str else value,
        trim_blocks=True,
        lstrip_blocks=True,
    )
