"""The commands of solon model that are about MLflow; what they do is in modules imported when they run."""

from __future__ import annotations

from typing import Annotated

import typer

from solon.cli.model.options import TrackingUri
from solon.cli.options import FormatOption, TableOrJson

Version = Annotated[
    str, typer.Argument(metavar="VERSION", help="models:/NAME/VERSION, or models:/NAME@ALIAS.")
]


def fetch(
    version: Version,
    directory: Annotated[str, typer.Argument(metavar="DIR", help="A directory that is empty, or not there.")],
    tracking_uri: TrackingUri = "",
    max_size: Annotated[
        int, typer.Option("--max-size", metavar="MIB", min=1, help="The most that is downloaded.")
    ] = 10_240,
) -> None:
    """Fetch a version of MLflow's registry as a release directory.

    Its files lie in DIR/model, and around them what was logged with its run: release.yaml, tables, documents. The name, the
    version and the files are those of the registry, whatever release.yaml said. Nothing is loaded or run.

    Example: solon model fetch models:/adult-income/3 release/
    """
    from solon.cli.model import mlflow as command

    raise typer.Exit(command.fetch(version, directory, tracking_uri, max_size << 20))


def submit(
    directory: Annotated[
        str, typer.Argument(metavar="DIR", help="The release: a directory with release.yaml.")
    ],
    target: Annotated[
        str,
        typer.Argument(metavar="RUN", help="The id of a run, or models:/NAME/VERSION that comes from one."),
    ],
    tracking_uri: TrackingUri = "",
) -> None:
    """Log a release with the MLflow run of its model, so that the gate finds it there.

    release.yaml, the tables and documents that it names, and the evidence where there is some; not the released files, which
    the registry has. In a training script `solon.ml.log_release("release/")` does the same.

    Example: solon model submit release/ models:/adult-income/3
    """
    from solon.cli.model import mlflow as command

    raise typer.Exit(command.submit(directory, target, tracking_uri))


def watch(
    tracking_uri: TrackingUri = "",
    every: Annotated[int, typer.Option("--every", metavar="SECONDS", min=1, help="How often to look.")] = 60,
    once: Annotated[
        bool,
        typer.Option("--once", help="Look once, and exit with 1 where something is live that may not be."),
    ] = False,
    revert: Annotated[
        bool, typer.Option("--revert", help="Undo what went live since the last look and may not be.")
    ] = False,
    listen: Annotated[
        str,
        typer.Option(
            "--listen", metavar="HOST:PORT", help="Look at once when MLflow's webhooks tell of a change."
        ),
    ] = "",
    key_env: Annotated[
        str, typer.Option("--key-env", metavar="NAME", help="Variable with the webhook's secret.")
    ] = "SOLON_MLFLOW_WEBHOOK_SECRET",
    contents: Annotated[
        int,
        typer.Option(
            "--contents",
            metavar="MINUTES",
            min=0,
            help="How often files are compared with what was judged; 0: never.",
        ),
    ] = 60,
    memory: Annotated[
        str | None,
        typer.Option(
            "--memory",
            metavar="FILE",
            help="What was live at the last look [watch.json beside the decisions].",
        ),
    ] = None,
    log: Annotated[
        str | None,
        typer.Option(
            "--log", metavar="FILE", help="Append what was found: JSON lines to a file, or to a log."
        ),
    ] = None,
    format_: FormatOption = TableOrJson.TABLE,
) -> None:
    """Watch MLflow's registry: what is live there, and was not let pass.

    Aliases, stages and models that solon.yaml governs under `mlflow` are held against the signed decisions. What is found
    goes to the log, and to those who are told under `notify`. With --revert an alias goes back to the version that had it
    and was let pass, or away. At the first look nothing is undone: what is live then is reported.

    Example: solon model watch --revert --listen :8485
    """
    from solon.cli.model import watch as command

    raise typer.Exit(
        command.run(
            command.Options(
                tracking_uri=tracking_uri,
                every=every,
                once=once,
                revert=revert,
                listen=listen,
                key_env=key_env,
                contents=contents * 60,
                memory=memory,
                log=log,
                format=format_.value,
            )
        )
    )
