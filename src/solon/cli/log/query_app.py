"""What the commands take that ask the decision log; what they do is in the module log_query, imported when they run."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from solon.cli.options import FormatOption, LogDirectory, TableOrJson

Since = Annotated[
    str | None,
    typer.Option("--since", metavar="TIME", help="From then on: 90d, 12h, 2026-09-01, 2026-09-01T08:00:00Z."),
]
Until = Annotated[str | None, typer.Option("--until", metavar="TIME", help="Before then.")]
Timeout = Annotated[
    float, typer.Option("--timeout", metavar="SECONDS", min=0.001, help="Limit of the question.")
]
Memory = Annotated[
    int, typer.Option("--memory", metavar="MIB", min=64, help="Memory that the question may use.")
]


def many(name: str, metavar: str, help_: str, *more: str) -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(name, *more, metavar=metavar, help=help_)
    return option


# Filters of decisions.
Namespaces = Annotated[list[str] | None, many("--namespace", "GLOB", "Of the subject.", "-n")]
Teams = Annotated[list[str] | None, many("--team", "GLOB", "Of the subject.")]
Owners = Annotated[list[str] | None, many("--owner", "GLOB", "Of the subject.")]
Environments = Annotated[list[str] | None, many("--environment", "GLOB", "Of the subject.")]
Subjects = Annotated[list[str] | None, many("--subject", "GLOB", "Uri or name of the subject.")]
Revisions = Annotated[list[str] | None, many("--revision", "GLOB", "A policy set was at this revision.")]
AskedPaths = Annotated[
    list[str] | None, many("--path", "GLOB", "What was asked: solon/check, or the path of an OPA.")
]
Requesters = Annotated[list[str] | None, many("--requested-by", "GLOB", "Who asked.")]


class QueryFormat(StrEnum):
    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    PARQUET = "parquet"
    EVENTS = "events"


class MetricsFormat(StrEnum):
    TABLE = "table"
    JSON = "json"
    PROMETHEUS = "prometheus"


class Bucket(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


def query(
    directory: LogDirectory = None,
    since: Since = None,
    until: Until = None,
    decision: Annotated[
        list[str] | None,
        many("--decision", "OUTCOME", "allow, warn, deny or error; may be repeated.", "--outcome"),
    ] = None,
    policy: Annotated[
        list[str] | None,
        many("--policy", "GLOB", "A policy was violated; with --decision deny alone, one that denied."),
    ] = None,
    namespace: Namespaces = None,
    team: Teams = None,
    owner: Owners = None,
    environment: Environments = None,
    subject: Subjects = None,
    revision: Revisions = None,
    stage: Annotated[list[str] | None, many("--stage", "STAGE", "A finding was at this stage.")] = None,
    waived: Annotated[bool, typer.Option("--waived", help="A waiver covered a finding.")] = False,
    waiver: Annotated[list[str] | None, many("--waiver", "GLOB", "This waiver did.")] = None,
    break_glass: Annotated[bool, typer.Option("--break-glass", help="Break-glass let it pass.")] = False,
    path: AskedPaths = None,
    requested_by: Requesters = None,
    sql: Annotated[
        str | None, typer.Option("--sql", metavar="SELECT", help="Ask in SQL instead, over `decisions`.")
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option("--columns", metavar="NAMES", help="Columns to show, with commas; `all` is all."),
    ] = None,
    order: Annotated[
        str, typer.Option("--order", metavar="COLUMN", help="- before it for the largest first.")
    ] = "-time",
    limit: Annotated[
        int | None,
        typer.Option("--limit", metavar="N", min=0, help="At most so many rows; 0 is all [100 in a table]."),
    ] = None,
    format_: Annotated[
        QueryFormat, typer.Option("--format", "-o", help="Output format.")
    ] = QueryFormat.TABLE,
    output: Annotated[str | None, typer.Option("--output", metavar="FILE", help="Write to a file.")] = None,
    timeout: Timeout = 60.0,
    memory: Memory = 4_096,
) -> None:
    """Find decisions, by filters or in SQL.

    Of a filter that is repeated, one must hold; of several filters, all. GLOB has * and ?. --format events prints the events
    as they were logged, a line each. SQL can read the log and nothing else.

    Example: solon log query --since 90d --decision deny --namespace payments
    """
    from solon.cli.log import query as log_query
    from solon.decisions.warehouse.query import Filters

    raise typer.Exit(
        log_query.query(
            log_query.Options(
                directory=directory,
                since=since,
                until=until,
                filters=Filters(
                    outcomes=decision or (),
                    policies=policy or (),
                    namespaces=namespace or (),
                    teams=team or (),
                    owners=owner or (),
                    environments=environment or (),
                    subjects=subject or (),
                    revisions=revision or (),
                    stages=stage or (),
                    waived=waived,
                    waivers=waiver or (),
                    breakglass=break_glass,
                    paths=path or (),
                    requesters=requested_by or (),
                ),
                sql=sql,
                columns=columns,
                order=order,
                limit=limit,
                format=format_.value,
                output=output,
                timeout=timeout,
                memory=memory,
            )
        )
    )


def compact(
    directory: LogDirectory = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also the segment that is written to, as far as it is durable.")
    ] = False,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Make the Parquet files anew from the entries.")
    ] = False,
) -> None:
    """Copy entries to Parquet, to be asked quickly.

    One file a day, sorted. Run it every hour or so. What is not compacted yet is found all the same, only slower. The segments stay: they are what
    can be proven. It can be interrupted at any moment, and goes on where it was.

    Example: solon log compact --log decisions
    """
    from solon.cli.log import query as log_query

    raise typer.Exit(log_query.compact(directory, everything=everything, rebuild=rebuild))


def metrics(
    directory: LogDirectory = None,
    since: Since = None,
    until: Until = None,
    by: Annotated[
        Bucket, typer.Option("--by", help="What the trend of violations is counted by.")
    ] = Bucket.WEEK,
    stuck: Annotated[
        int, typer.Option("--stuck", metavar="N", min=0, help="How many of the longest open violations.")
    ] = 10,
    format_: Annotated[
        MetricsFormat, typer.Option("--format", "-o", help="Output format.")
    ] = MetricsFormat.TABLE,
    output: Annotated[str | None, typer.Option("--output", metavar="FILE", help="Write to a file.")] = None,
    timeout: Timeout = 60.0,
    memory: Memory = 4_096,
) -> None:
    """Count violations, time to remediate, waivers.

    By policy and team, from decisions alone; and decisions by outcome, and their latencies. --format prometheus is for the textfile collector of node_exporter; it covers the
    whole log, since counters must not fall.

    Example: solon log metrics --since 90d
    """
    from solon.cli.log import query as log_query

    raise typer.Exit(
        log_query.metrics(
            log_query.MetricsOptions(
                directory, since, until, by.value, stuck, format_.value, output, timeout, memory
            )
        )
    )


def explain(
    decision: Annotated[str, typer.Argument(metavar="ID", help="The id of the decision.")],
    directory: LogDirectory = None,
    no_trace: Annotated[
        bool, typer.Option("--no-trace", help="Do not ask the policies again how they came to it.")
    ] = False,
    format_: FormatOption = TableOrJson.TABLE,
) -> None:
    """Say why a decision was made, from the log.

    Each finding has its stage, waiver, break-glass, place and fix, the text of its policy as it was then, and how the policy came to
    it: asked again with the recorded input.

    Example: solon explain 3f2c9a64-0c7e-4a7e-9a54-2b8d8f0c1d11
    """
    from solon.cli.log import why

    raise typer.Exit(why.explain(directory, decision, format_.value, trace=not no_trace))


def add_to(app: typer.Typer) -> None:
    """The commands that belong under solon log."""
    for command in (query, compact, metrics):
        app.command()(command)
