"""What the commands of solon tickets take; what they do is in the module tickets, imported when they run."""

from __future__ import annotations

from typing import Annotated

import typer

from solon.cli.options import (
    Cluster,
    Environment,
    FormatOption,
    Hosts,
    Inventory,
    MaxSize,
    Paths,
    TableOrJson,
    Timeout,
)

app = typer.Typer(
    help="Keep one ticket for each policy and owner, in GitHub or Jira.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.callback()
def _tickets() -> None:
    pass  # so that a single command is still called by its name


@app.command()
def sync(
    paths: Paths,
    inventory: Inventory = None,
    cluster: Cluster = "",
    environment: Environment = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, and change nothing.")
    ] = False,
    format_: FormatOption = TableOrJson.TABLE,
    allow_host: Hosts = None,
    timeout: Timeout = 10.0,
    max_size: MaxSize = 512,
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
