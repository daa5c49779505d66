"""What `solon log retain` and `solon log hold` take; what they do is imported when they run."""

from __future__ import annotations

from typing import Annotated

import typer

from solon.cli.options import FormatOption, LogDirectory, TableOrJson


def add_to(app: typer.Typer) -> None:
    app.command()(retain)
    app.command()(hold)


def retain(
    directory: LogDirectory = None,
    apply: Annotated[
        bool, typer.Option("--apply", help="Erase what is listed; without it, nothing is changed.")
    ] = False,
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", metavar="TIME", help="List what will be due then, such as 2027-01-01."),
    ] = None,
    by: Annotated[
        str | None, typer.Option("--by", metavar="WHO", help="Who says so [the user who runs this].")
    ] = None,
    format_: FormatOption = TableOrJson.TABLE,
) -> None:
    """List the events that are older than log.json keeps them, or erase them.

    The rules are those under `retention` in log.json, by policy set. What a hold keeps stays. Places, ids, times,
    outcomes and every proof stay, too; entries of the log say what was erased, and by which rule.

    Example: solon log retain --apply
    """
    from solon.cli.log import retention

    raise typer.Exit(retention.retain(directory, apply, as_of, by, format_.value))


def hold(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="What it is called; without it, all are listed.")
    ] = None,
    directory: LogDirectory = None,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, such as the case.")] = "",
    decision: Annotated[
        list[str] | None,
        typer.Option("--id", metavar="ID", help="Keep this decision; may be repeated."),
    ] = None,
    subject: Annotated[
        list[str] | None,
        typer.Option("--subject", metavar="GLOB", help="Keep decisions about it; may be repeated."),
    ] = None,
    since: Annotated[str, typer.Option("--since", metavar="DATE", help="Keep those from this date on.")] = "",
    until: Annotated[str, typer.Option("--until", metavar="DATE", help="Keep those before this date.")] = "",
    release: Annotated[bool, typer.Option("--release", help="End the hold of that name.")] = False,
    format_: FormatOption = TableOrJson.TABLE,
) -> None:
    """Keep decisions whatever the retention says, until the hold is released.

    A decision is held where it fits all that is given. `solon log erase` does not erase it, either.

    Example: solon log hold case-17 --reason "litigation 2026/17" --subject 'k8s:///payments/*' --since 2026-01-01
    """
    from solon.cli.log import retention

    raise typer.Exit(
        retention.hold(
            directory,
            name,
            retention.Held(reason, decision or [], subject or [], since, until),
            release=release,
            format_=format_.value,
        )
    )
