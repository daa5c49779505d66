"""What solon model deployed takes; what it does is in the module deployed, imported when it runs."""

from __future__ import annotations

from typing import Annotated

import typer

from solon.cli.options import Cluster, Environment, FormatOption, MaxSize, TableOrJson

Servers = Annotated[
    list[str] | None,
    typer.Option(
        "--mlflow", metavar="URL", help="Ask this MLflow server for aliases and stages; repeatable."
    ),
]
Aliases = Annotated[
    list[str] | None,
    typer.Option("--alias", metavar="NAME", help="An alias of MLflow that is live, or a pattern [all]."),
]
Stages = Annotated[
    list[str] | None,
    typer.Option(
        "--stage", metavar="NAME", help="A stage of MLflow that is live, or a pattern [Production]."
    ),
]


def deployed(
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PATHS",
            help="Manifests, dumps of kubectl, aws and MLflow; - for stdin.",
            show_default=False,
        ),
    ] = None,
    mlflow: Servers = None,
    alias: Aliases = None,
    stage: Stages = None,
    cluster: Cluster = "",
    environment: Environment = "",
    max_size: MaxSize = 512,
    format_: FormatOption = TableOrJson.TABLE,
) -> None:
    """List the versions of models that are live.

    Read from manifests or `kubectl get -o json` (workloads, KServe), from what `aws sagemaker describe-endpoint` and its
    like print, and from MLflow: a server, or its answers in a file. Exits with 0, or 2 when something could not be read.

    Example: kubectl get -A -o json deploy,isvc | solon model deployed -
    """
    from solon.cli.model import deployed as command

    raise typer.Exit(
        command.run(
            command.Options(
                paths=paths or [],
                servers=mlflow or [],
                aliases=alias or [],
                stages=stage or [],
                cluster=cluster,
                environment=environment,
                max_bytes=max_size << 20,
            ),
            format_.value,
        )
    )
