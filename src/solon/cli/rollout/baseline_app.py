"""What solon baseline takes; what it does is in the module baseline, imported when it runs."""

from __future__ import annotations

from typing import Annotated

import typer

from solon.cli.options import (
    Cluster,
    Environment,
    Hosts,
    Inventory,
    MaxSize,
    Paths,
    TableOrJson,
    Timeout,
)


def baseline(
    paths: Paths,
    output: Annotated[
        str,
        typer.Option("--output", "-o", metavar="FILE", help="The file that rollouts name under `existing`."),
    ],
    policy: Annotated[
        list[str] | None,
        typer.Option("--policy", metavar="GLOB", help="Only policies of this id; may be repeated."),
    ] = None,
    update: Annotated[
        bool, typer.Option("--update", help="Take out of a baseline what is put right; adds nothing.")
    ] = False,
    add: Annotated[bool, typer.Option("--add", help="Add what violates now to a baseline.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")
    ] = False,
    format_: Annotated[TableOrJson, typer.Option("--format", help="Output format.")] = TableOrJson.TABLE,
    inventory: Inventory = None,
    cluster: Cluster = "",
    environment: Environment = "",
    allow_host: Hosts = None,
    timeout: Timeout = 10.0,
    max_size: MaxSize = 512,
) -> None:
    """Write down what violates now, for rollouts to spare.

    A rollout names the file: `existing: {until: DATE, baseline: FILE}` spares what is in it until then. What a waiver covers is left out.

    Example: solon baseline manifests/ -o baseline.json
    """
    from solon.cli.governed import Asked
    from solon.cli.rollout import baseline as command

    asked = Asked(
        paths,
        inventory or [],
        cluster,
        environment,
        None,
        frozenset(allow_host or []),
        timeout,
        max_size << 20,
    )
    wanted = command.Wanted(output, policy or [], update, add, dry_run, format_.value)
    raise typer.Exit(command.run(asked, wanted))
