"""What solon log replay takes; what it does is in the module replay, imported when it runs."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from solon.cli.log.query_app import (
    AskedPaths,
    Environments,
    Memory,
    Namespaces,
    Owners,
    Requesters,
    Revisions,
    Since,
    Subjects,
    Teams,
    Until,
    many,
)
from solon.cli.options import Hosts, Inventory, LogDirectory, Timeout


class ReplayFormat(StrEnum):
    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    MARKDOWN = "markdown"


class FailOnChange(StrEnum):
    NEWLY_DENIED = "newly-denied"
    ANY = "any"
    NEVER = "never"


class Where(StrEnum):
    LOCAL = "local"
    RAY = "ray"


class ReplayDialect(StrEnum):
    V0 = "v0"
    V1 = "v1"
    AUTO = "auto"


Candidates = Annotated[
    list[str] | None,
    typer.Option(
        "--policies",
        "-p",
        metavar="PATH",
        help="The candidate: policies, or the checkout of a policy repository [those of solon.yaml]; may be repeated.",
    ),
]
Jobs = Annotated[
    int | None, typer.Option("--jobs", "-j", metavar="N", min=1, help="Processes that judge [all cores].")
]
QueryTimeout = Annotated[
    float,
    typer.Option("--query-timeout", metavar="SECONDS", min=0.001, help="Limit of reading the log."),
]


def replay(
    candidate: Candidates = None,
    directory: LogDirectory = None,
    since: Since = None,
    until: Until = None,
    deployed: Annotated[
        bool,
        typer.Option("--deployed", help="Of each subject only the newest decision that let it pass."),
    ] = False,
    latest: Annotated[
        bool, typer.Option("--latest", help="Of each subject only the newest decision.")
    ] = False,
    as_of: Annotated[
        str,
        typer.Option(
            "--as-of",
            metavar="TIME",
            help="The time of stages, waivers and clocks: now, then (each decision's own), or a date.",
        ),
    ] = "now",
    no_programme: Annotated[
        bool,
        typer.Option("--no-programme", help="Judge by what policies ask for, without stages and waivers."),
    ] = False,
    decision: Annotated[
        list[str] | None,
        many("--decision", "OUTCOME", "allow, warn, deny or error, as it was; may be repeated.", "--outcome"),
    ] = None,
    policy: Annotated[
        list[str] | None, many("--policy", "GLOB", "A policy was violated; with --decision deny, one denied.")
    ] = None,
    namespace: Namespaces = None,
    team: Teams = None,
    owner: Owners = None,
    environment: Environments = None,
    subject: Subjects = None,
    revision: Revisions = None,
    path: AskedPaths = None,
    requested_by: Requesters = None,
    package: Annotated[
        list[str] | None, many("--package", "NAME", "Rego package of the candidate to take policies from.")
    ] = None,
    all_packages: Annotated[
        bool, typer.Option("--all-packages", help="Take the candidate's policies from every package.")
    ] = False,
    data: Annotated[
        list[str] | None, typer.Option("--data", "-d", metavar="PATH", help="Data for the candidate's Rego.")
    ] = None,
    inventory: Inventory = None,
    rego_version: Annotated[
        ReplayDialect, typer.Option("--rego-version", help="Rego of the candidate.")
    ] = ReplayDialect.AUTO,
    allow_host: Hosts = None,
    jobs: Jobs = None,
    on: Annotated[
        Where, typer.Option("--on", help="This machine, or a Ray cluster (solon[ray]).")
    ] = Where.LOCAL,
    fail_on: Annotated[
        FailOnChange, typer.Option("--fail-on", help="What exits with 1.")
    ] = FailOnChange.NEWLY_DENIED,
    examples: Annotated[
        int | None,
        typer.Option(
            "--examples",
            metavar="N",
            min=0,
            help="Decisions of each kind to show; 0 is all [5; 100 in JSON].",
        ),
    ] = None,
    format_: Annotated[
        ReplayFormat, typer.Option("--format", "-o", help="Output format.")
    ] = ReplayFormat.TABLE,
    output: Annotated[str | None, typer.Option("--output", metavar="FILE", help="Write to a file.")] = None,
    timeout: Timeout = 10.0,
    query_timeout: QueryTimeout = 86_400.0,
    memory: Memory = 4_096,
) -> None:
    """Judge what was decided once more, by a candidate, and show what would change.

    Newly denied, newly allowed and the rest, by policy and team, with examples, before anyone is blocked. Stages and waivers
    are those of solon.yaml. Exits with 1 when something would be newly denied, or could no longer be judged.

    Example: solon log replay --policies ../candidate --since 30d
    """
    from solon.cli.errors import UsageError
    from solon.cli.log import replay as log_replay
    from solon.cli.log.replay_candidate import Asked
    from solon.decisions.replay.source import Which
    from solon.decisions.warehouse.query import Filters

    if deployed and latest:
        raise UsageError("--deployed and --latest are two selections: ask for one")
    raise typer.Exit(
        log_replay.replay(
            log_replay.Options(
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
                    paths=path or (),
                    requesters=requested_by or (),
                ),
                which=Which.DEPLOYED if deployed else Which.LATEST if latest else Which.ALL,
                candidate=Asked(
                    policies=candidate or (),
                    data=data or (),
                    namespaces=package or (),
                    all_namespaces=all_packages,
                    dialect=rego_version.value,
                    inventory=inventory or (),
                    allowed_hosts=frozenset(allow_host or ()),
                    timeout=timeout,
                    as_of=as_of,
                    programme=not no_programme,
                ),
                format=format_.value,
                output=output,
                examples=examples,
                fail_on=fail_on.value,
                jobs=jobs,
                on=on.value,
                query_timeout=query_timeout,
                memory=memory,
            )
        )
    )
