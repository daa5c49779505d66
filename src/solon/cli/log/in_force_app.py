"""What solon log record and solon log in-force take; what they do is in the module in_force, imported when they run."""

from __future__ import annotations

from typing import Annotated

import typer

from solon.cli.options import (
    Cluster,
    Environment,
    FormatOption,
    LogDirectory,
    Place,
    Policies,
    RegoData,
    TableOrJson,
)


def record(
    directory: LogDirectory = None,
    policy: Policies = None,
    data: RegoData = None,
    place: Place = "",
    environment: Environment = "",
    cluster: Cluster = "",
    format_: FormatOption = TableOrJson.TABLE,
) -> None:
    """Record what is in force from now on, where it changed.

    Policy sets with their text, rollouts with the dates that came, waivers, break-glass. `solon check` does so by itself
    before it judges; this is for the job that runs when a policy repository is merged. Exits with 2 when a file of the
    programme cannot be used.

    Example: solon log record --place prod
    """
    from solon.cli.check import Options
    from solon.cli.log import in_force as command

    judging = Options(
        paths=[],
        policies=policy or [],
        namespaces=[],
        all_namespaces=False,
        combine=False,
        data=data or [],
        inventory=[],
        format="",
        output=None,
        log=directory,
        dialect="auto",
        fail_on_warn=False,
        allowed_hosts=frozenset(),
        timeout=10.0,
        max_bytes=512 << 20,
        verbose=False,
        quiet=True,
        cluster=cluster,
        environment=environment,
        place=place,
    )
    raise typer.Exit(command.record(command.Recording(judging, format_.value)))


def in_force(
    directory: LogDirectory = None,
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="TIME", help="Then: 2026-09-01, 2026-09-01T08:00:00Z, 90d ago [now]."),
    ] = None,
    subject: Annotated[
        str | None,
        typer.Option(
            "--subject", metavar="URI", help="For this subject, when it was last let pass; uri or name."
        ),
    ] = None,
    policy: Annotated[
        list[str] | None,
        typer.Option("--policy", metavar="GLOB", help="Policies of this id; may be repeated."),
    ] = None,
    place: Annotated[
        str | None, typer.Option("--place", metavar="NAME", help="There; without it, every place.")
    ] = None,
    format_: FormatOption = TableOrJson.TABLE,
) -> None:
    """Say which policies were in force, at which revision and stage, with which waivers and break-glass.

    It is read from the entries that say so, and never guessed from decisions. Exits with 1 when the log does not know.

    Example: solon log in-force --at 2026-09-01
    Example: solon log in-force --subject k8s://eu1/payments/Deployment/gateway
    """
    from solon.cli.log import in_force as command

    raise typer.Exit(
        command.in_force(command.Options(directory, at, subject, policy or [], place, format_.value))
    )


def add_to(app: typer.Typer) -> None:
    app.command()(record)
    app.command("in-force")(in_force)
