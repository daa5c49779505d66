"""What `solon log serve` and `solon log ship` take; what they do is imported when they run."""

from __future__ import annotations

from typing import Annotated

import typer

from solon.cli.options import LogDirectory


def add_to(app: typer.Typer) -> None:
    app.command()(serve)
    app.command()(ship)


def serve(
    directory: LogDirectory = None,
    listen: Annotated[
        str, typer.Option("--listen", metavar="HOST:PORT", help="The address to listen at.")
    ] = "127.0.0.1:8282",
    mask: Annotated[
        str | None,
        typer.Option(
            "--mask",
            metavar="PATH",
            help="Rego with data.system.log.mask or drop; that of solon.yaml without it.",
        ),
    ] = None,
    token_env: Annotated[
        str,
        typer.Option(
            "--token-env", metavar="NAME", help="The environment variable with the token that uploads need."
        ),
    ] = "SOLON_INGEST_TOKEN",  # noqa: S107
    without_token: Annotated[
        bool, typer.Option("--without-token", help="Listen beyond this machine without a token.")
    ] = False,
    relay: Annotated[
        bool,
        typer.Option(
            "--relay", help="Also take waivers, activations and the like, as other Solons ship them."
        ),
    ] = False,
    checkpoint_every: Annotated[
        int,
        typer.Option(
            "--checkpoint-every", metavar="SECONDS", min=0, help="How often a checkpoint is signed; 0: never."
        ),
    ] = 60,
) -> None:
    """Receive the decision logs of OPA, and answer when they are durable.

    POST /logs and /logs/PARTITION take what OPA uploads; GET /healthz says whether the log can be written. An event that
    comes again is kept once. SIGTERM ends it when what is under way is answered.

    Example: solon log serve --log decisions --listen 127.0.0.1:8282
    """
    from solon.cli.log import serve as log_serve

    raise typer.Exit(
        log_serve.serve(
            directory,
            listen,
            mask,
            token_env,
            without_token=without_token,
            relay=relay,
            checkpoint_every=checkpoint_every,
        )
    )


def ship(
    directory: LogDirectory = None,
    sink: Annotated[
        list[str] | None,
        typer.Option("--sink", metavar="NAME", help="Only this sink of solon.yaml; may be repeated."),
    ] = None,
    follow: Annotated[
        bool,
        typer.Option("--follow/--once", help="Go on until stopped, or end when all there is was shipped."),
    ] = False,
) -> None:
    """Send the log to the sinks of solon.yaml: files, OPA's receivers, OpenTelemetry, Kafka.

    Each goes on from where it was. A sink that is down loses nothing, and the others go on; `solon log status` says how
    far each is. An event arrives at least once. Exits with 2 when a sink did not get everything.

    Example: solon log ship --follow
    """
    from solon.cli.log import ship as log_ship

    raise typer.Exit(log_ship.ship(directory, sink or [], follow=follow))
