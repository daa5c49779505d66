"""What the commands of solon quota take; what they do is in the other modules here, imported when they run."""

from __future__ import annotations

from typing import Annotated

import typer

from solon.cli.options import (
    Cluster,
    DecisionLog,
    Environment,
    FormatOption,
    Hosts,
    Inventory,
    MaxSize,
    Policies,
    TableOrJson,
    Timeout,
)

app = typer.Typer(
    help="Reserve GPUs, so that no two jobs take the last one.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Job = Annotated[
    str,
    typer.Argument(metavar="JOB", help="A manifest, or backend_config.json of MLflow's Kubernetes backend."),
]
Id = Annotated[str, typer.Argument(metavar="ID", help="The reservation.")]
Team = Annotated[
    str, typer.Option("--team", metavar="TEAM", help="Whose quota; that of the label `team` without it.")
]
For = Annotated[
    str, typer.Option("--for", metavar="TIME", help="How long it holds, such as 30m, unless it is renewed.")
]
Owner = Annotated[str, typer.Option("--owner", metavar="NAME", help="Who reserves [user@host].")]
LedgerFile = Annotated[
    str | None,
    typer.Option("--ledger", metavar="FILE", help="Where reservations are kept; on a local disk."),
]
Data = Annotated[
    list[str] | None,
    typer.Option("--data", "-d", metavar="PATH", help="Data for Rego: YAML or JSON files, or directories."),
]


@app.command()
def reserve(
    job: Job,
    team: Team = "",
    for_: For = "30m",
    owner: Owner = "",
    inventory: Inventory = None,
    policy: Policies = None,
    data: Data = None,
    ledger: LedgerFile = None,
    output: Annotated[
        str | None, typer.Option("--output", metavar="FILE", help="Write the manifest with its label.")
    ] = None,
    log: DecisionLog = None,
    cluster: Cluster = "",
    environment: Environment = "",
    format_: FormatOption = TableOrJson.TABLE,
    allow_host: Hosts = None,
    timeout: Timeout = 10.0,
    max_size: MaxSize = 512,
) -> None:
    """Reserve the GPUs that a job asks for.

    The job is judged as `solon check` judges it, with what runs, what is queued, and what others have reserved. One is
    judged at a time: two that ask at the same moment do not both get the last GPU. A reservation ends when its time is
    over, or when a workload with its label runs. Exits with 1 when the job is denied, 2 when it cannot be judged.

    Example: solon quota reserve job.yaml --team fraud --inventory running.json
    """
    from solon.cli.quota import command
    from solon.cli.quota.reserving import Options

    options = Options(
        job=job,
        team=team,
        length=for_,
        owner=owner,
        ledger=ledger,
        policies=policy or [],
        data=data or [],
        inventory=inventory or [],
        log=log,
        cluster=cluster,
        environment=environment,
        allowed_hosts=frozenset(allow_host or []),
        timeout=timeout,
        max_bytes=max_size << 20,
    )
    raise typer.Exit(command.ask(options, format_.value, output))


@app.command()
def run(
    job: Job,
    argv: Annotated[list[str], typer.Argument(metavar="-- COMMAND", help="What to run.")],
    team: Team = "",
    for_: For = "30m",
    owner: Owner = "",
    keep: Annotated[
        bool,
        typer.Option("--keep", help="Keep it when the command succeeds, as that only submits the job."),
    ] = False,
    inventory: Inventory = None,
    policy: Policies = None,
    data: Data = None,
    ledger: LedgerFile = None,
    log: DecisionLog = None,
    cluster: Cluster = "",
    environment: Environment = "",
    allow_host: Hosts = None,
    timeout: Timeout = 10.0,
    max_size: MaxSize = 512,
) -> None:
    """Reserve the GPUs of a job, and run a command while they are.

    Where the command names JOB, it is given a copy with the reservation's label. The reservation is renewed while the
    command runs, and released when it ends. Exits with the status of the command; with 1 and without running it when
    the job is denied.

    Example: solon quota run --team fraud backend_config.json -- mlflow run . -b kubernetes -c backend_config.json
    """
    from solon.cli.quota import run as command
    from solon.cli.quota.reserving import Options

    options = Options(
        job=job,
        team=team,
        length=for_,
        owner=owner,
        ledger=ledger,
        policies=policy or [],
        data=data or [],
        inventory=inventory or [],
        log=log,
        cluster=cluster,
        environment=environment,
        allowed_hosts=frozenset(allow_host or []),
        timeout=timeout,
        max_bytes=max_size << 20,
    )
    raise typer.Exit(command.run(options, argv, keep=keep))


@app.command(name="list")
def list_(
    every: Annotated[bool, typer.Option("--all", help="Those that ended in the last 30 days, too.")] = False,
    inventory: Annotated[
        list[str] | None,
        typer.Option("--inventory", metavar="PATH", help="What runs, to tell which have been submitted."),
    ] = None,
    ledger: LedgerFile = None,
    format_: FormatOption = TableOrJson.TABLE,
) -> None:
    """List the reservations that hold.

    Example: solon quota list --inventory running.json
    """
    from solon.cli.quota import command

    options = command.Listing(ledger, every, inventory or [], format_.value)
    raise typer.Exit(command.show(options))


@app.command()
def confirm(id: Id, ledger: LedgerFile = None) -> None:
    """Say that a job runs whose label nobody sees.

    From now on it counts as what runs, and as nothing besides. Not needed for a workload with the reservation's label.

    Example: solon quota confirm r-k3j5x7q2
    """
    from solon.cli.quota import command
    from solon.governance.quota.reservation import State

    raise typer.Exit(command.end(id, State.CONFIRMED, ledger))


@app.command()
def release(id: Id, ledger: LedgerFile = None) -> None:
    """Free what was reserved.

    Example: solon quota release r-k3j5x7q2
    """
    from solon.cli.quota import command
    from solon.governance.quota.reservation import State

    raise typer.Exit(command.end(id, State.RELEASED, ledger))
