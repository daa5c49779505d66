"""What the commands of solon tickets take; what they do is in the module tickets, imported when they run."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

app = typer.Typer(
    help="Keep one ticket for each policy and owner, in GitHub or Jira.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


class Format(StrEnum):
    TABLE = "table"
    JSON = "json"


@app.callback()
def _tickets() -> None:
    pass  # so that a single command is still called by its name


@app.command()
def sync(
    paths: Annotated[list[str], typer.Argument(metavar="PATHS", help="Plans, manifests, directories.")],
    inventory: Annotated[
        list[str] | None,
        typer.Option(
            "--inventory", metavar="PATH", help="What else exists in the cluster: manifests or dumps."
        ),
    ] = None,
    cluster: Annotated[
        str, typer.Option("--cluster", metavar="NAME", help="The cluster that the subjects are for.")
    ] = "",
    environment: Annotated[
        str, typer.Option("--environment", metavar="NAME", help="The environment that the subjects are for.")
    ] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, and change nothing.")
    ] = False,
    format_: Annotated[Format, typer.Option("--format", "-o", help="Output format.")] = Format.TABLE,
    allow_host: Annotated[
        list[str] | None,
        typer.Option("--allow-host", metavar="HOST", help="Let policies reach this host; none by default."),
    ] = None,
    timeout: Annotated[
        float, typer.Option("--timeout", metavar="SECONDS", min=0.001, help="Limit of each evaluation.")
    ] = 10.0,
    max_size: Annotated[
        int, typer.Option("--max-size", metavar="MIB", min=1, help="Largest file to read.")
    ] = 512,
) -> None:
    """Open, update and close tickets as findings come and go.

    Judges PATHS as `solon check` does, with the policies and the programme of solon.yaml, which also says where
    tickets are kept. What is waived or at dryrun gets none. Always give the same PATHS: a ticket whose findings
    are not among them is closed. Exits with 0, or 2 when something could not be judged or done.

    Example: solon tickets sync --dry-run manifests/
    """
    from solon.cli.tickets import command

    raise typer.Exit(
        command.sync(
            command.Options(
                paths=paths,
                inventory=inventory or [],
                cluster=cluster,
                environment=environment,
                allowed_hosts=frozenset(allow_host or []),
                timeout=timeout,
                max_bytes=max_size << 20,
                dry_run=dry_run,
                format=format_.value,
            )
        )
    )
