"""What the commands of solon incident take; what they do is in the module command, imported when they run."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from solon.cli.options import FormatOption, LogDirectory, TableOrJson

app = typer.Typer(
    help="Count denials that a policy should not have made.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


class Kind(StrEnum):
    OVERRIDDEN = "overridden"
    WRONG = "wrong"
    ROLLED_BACK = "rolled-back"


class Resolution(StrEnum):
    FIXED = "fixed"
    RETRACTED = "retracted"


By = Annotated[str | None, typer.Option("--by", metavar="WHO", help="Who says so [the user who runs this].")]


@app.command()
def add(
    decision: Annotated[str, typer.Argument(metavar="DECISION_ID", help="The decision that denied.")],
    kind: Annotated[
        Kind,
        typer.Option(
            "--kind", help="It was overridden, it was wrong, or what denied was rolled back afterwards."
        ),
    ],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="What happened; kept in the log.")],
    policy: Annotated[
        list[str] | None,
        typer.Option("--policy", metavar="ID", help="The policies that caused it [all that denied]."),
    ] = None,
    evidence: Annotated[
        list[str] | None,
        typer.Option("--evidence", metavar="DECISION_ID", help="A decision that shows it; may be repeated."),
    ] = None,
    by: By = None,
    directory: LogDirectory = None,
    format_: FormatOption = TableOrJson.TABLE,
) -> None:
    """Mark a decision as an incident that a policy caused.

    The mark is an entry of the log: durable, signed, and never taken back. A decision is marked once.

    Example: solon incident add 3f2c9a64-0c7e-4a7e-9a54-2b8d8f0c1d11 --kind wrong --reason "init containers need no limit"
    """
    from solon.cli.incident import command

    raise typer.Exit(
        command.add(
            directory,
            decision,
            command.Mark(kind.value, reason, policy or (), evidence or (), by),
            format_.value,
        )
    )


@app.command("list")
def list_(
    open_: Annotated[bool, typer.Option("--open", help="Those that are not closed.")] = False,
    directory: LogDirectory = None,
    format_: FormatOption = TableOrJson.TABLE,
) -> None:
    """Show the incidents that were marked.

    `solon log metrics` counts them by policy and team.

    Example: solon incident list --open
    """
    from solon.cli.incident import command

    raise typer.Exit(command.listed(directory, format_.value, open_=open_))


@app.command()
def close(
    incident: Annotated[
        str, typer.Argument(metavar="INCIDENT_ID", help="The incident, such as inc-5d1c20a7.")
    ],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="What was done; kept in the log.")],
    resolution: Annotated[
        Resolution,
        typer.Option("--resolution", help="The cause is fixed; or it was no incident, and counts no more."),
    ] = Resolution.FIXED,
    by: By = None,
    directory: LogDirectory = None,
    format_: FormatOption = TableOrJson.TABLE,
) -> None:
    """Close an incident: its cause is fixed, or it was none.

    This is an entry of the log as well; the mark itself stays.

    Example: solon incident close inc-5d1c20a7 --reason "limits of init containers: policy r43"
    """
    from solon.cli.incident import command

    raise typer.Exit(command.close(directory, incident, resolution.value, reason, by, format_.value))


@app.command()
def suggest(
    since: Annotated[
        str, typer.Option("--since", metavar="TIME", help="Look at decisions from then on: 90d, 2026-09-01.")
    ] = "90d",
    within: Annotated[
        str, typer.Option("--within", metavar="TIME", help="How soon after the denial: 12h, 7d.")
    ] = "3d",
    directory: LogDirectory = None,
    format_: FormatOption = TableOrJson.TABLE,
) -> None:
    """Offer denials that look like incidents.

    Such as were overridden by break-glass, waived as a false positive, or not repeated on the same input under other
    policies. Nothing is marked: it prints the commands that would.

    Example: solon incident suggest --since 30d
    """
    from solon.cli.incident import command

    raise typer.Exit(command.suggest(directory, since, within, format_.value))
