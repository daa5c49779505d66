"""What solon log report takes; what it does is in the module report, imported when it runs."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from solon.cli.log.query_app import Memory, Timeout
from solon.cli.options import LogDirectory


class ReportFormat(StrEnum):
    MARKDOWN = "markdown"
    HTML = "html"
    OSCAL = "oscal"
    JSON = "json"


def report(
    control: Annotated[
        list[str] | None,
        typer.Option(
            "--control", metavar="GLOB", help="A control, such as EU-AI-Act:Art.12; may be repeated [all]."
        ),
    ] = None,
    from_: Annotated[
        str | None,
        typer.Option("--from", metavar="TIME", help="The period begins: 2026-07-01, 90d [the first entry]."),
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="And ends before: 2026-10-01 [now].")
    ] = None,
    directory: LogDirectory = None,
    format_: Annotated[
        ReportFormat | None, typer.Option("--format", "-o", help="One document instead of a pack.")
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            metavar="PATH",
            help="A new directory for the pack [audit-...]; with --format, a file [standard output].",
        ),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(
            "--key",
            metavar="KEY",
            help="The public key to believe, or a file with it; else that of log.json.",
        ),
    ] = None,
    checkpoint: Annotated[
        list[str] | None,
        typer.Option(
            "--checkpoint", metavar="FILE", help="Checkpoints kept outside of the log; may be repeated."
        ),
    ] = None,
    proofs: Annotated[
        int,
        typer.Option(
            "--proofs", metavar="N", min=0, help="Proofs in the pack: at most so many of each kind."
        ),
    ] = 500,
    no_events: Annotated[
        bool,
        typer.Option(
            "--no-events", help="Leave the events out of the proofs: their digests are in them anyway."
        ),
    ] = False,
    no_verify: Annotated[
        bool, typer.Option("--no-verify", help="Do not verify the log, and say so in the report.")
    ] = False,
    timeout: Timeout = 60.0,
    memory: Memory = 4_096,
) -> None:
    """Make an audit report of a control and a period.

    The policies that carry it, decisions, denials, waivers, break-glass, incidents, times without decisions, and what is proven
    and what is not. It makes a pack: the report as HTML, OSCAL assessment results and JSON, an extract of the decisions,
    checkpoints, and proofs. Exits with 1 when the log does not verify.

    Example: solon log report --control 'EU-AI-Act:*' --from 2026-07-01 --to 2026-10-01 --output audit-q3
    """
    from solon.cli.log import report as command

    raise typer.Exit(
        command.report(
            command.Options(
                directory,
                control or (),
                from_,
                to,
                format_.value if format_ else "",
                output,
                key,
                checkpoint or (),
                proofs,
                not no_events,
                not no_verify,
                timeout,
                memory,
            )
        )
    )
