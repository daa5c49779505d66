"""What solon audit takes; what it does is in the module audit, imported when it runs."""

from __future__ import annotations

from typing import Annotated

import typer

from solon.cli.log.query_app import Since
from solon.cli.log.replay_app import Jobs
from solon.cli.model.deployed_app import Aliases, Servers, Stages
from solon.cli.options import (
    Cluster,
    Environment,
    FormatOption,
    Hosts,
    Inventory,
    LogDirectory,
    MaxSize,
    TableOrJson,
    Timeout,
)


def audit(
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PATHS", help="What is deployed: manifests, plans, directories [what the log let pass]."
        ),
    ] = None,
    models: Annotated[
        bool,
        typer.Option(
            "--models", help="PATHS say which models are live: judge the evidence that is kept of them."
        ),
    ] = False,
    mlflow: Servers = None,
    alias: Aliases = None,
    stage: Stages = None,
    directory: LogDirectory = None,
    since: Since = None,
    notify: Annotated[
        bool,
        typer.Option("--notify", help="Tell owners what is new to them, and add to the log that they know."),
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="With --notify: tell them everything once more.")
    ] = False,
    inventory: Inventory = None,
    cluster: Cluster = "",
    environment: Environment = "",
    jobs: Jobs = None,
    allow_host: Hosts = None,
    timeout: Timeout = 10.0,
    max_size: MaxSize = 512,
    format_: FormatOption = TableOrJson.TABLE,
) -> None:
    """Judge what is deployed by today's policies.

    Without PATHS that is the newest decision of each subject that let it pass. With --models, live versions of models (see
    `solon model deployed`) are judged by the evidence that is kept of them; --mlflow means --models. With --notify owners
    of what no longer complies are told, once of each violation. Exits with 1 when something that is deployed would be denied.

    Example: solon audit --notify
    """
    from solon.cli import audit as command
    from solon.cli.model import deployed

    live = deployed.Options(
        paths=paths or [],
        servers=mlflow or [],
        aliases=alias or [],
        stages=stage or [],
        cluster=cluster,
        environment=environment,
        max_bytes=max_size << 20,
    )
    raise typer.Exit(
        command.run(
            command.Options(
                directory=directory,
                paths=paths or [],
                since=since,
                inventory=inventory or [],
                cluster=cluster,
                environment=environment,
                notify=notify,
                again=again,
                jobs=jobs,
                allowed_hosts=frozenset(allow_host or ()),
                timeout=timeout,
                max_bytes=max_size << 20,
                format=format_.value,
                models=live if models or mlflow else None,
            )
        )
    )
