"""What the commands of solon rollout take; what they do is in modules imported when they run."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from solon.cli.options import (
    Cluster,
    Environment,
    FormatOption,
    Hosts,
    Inventory,
    MaxSize,
    Paths,
    TableOrJson,
    Timeout,
)

app = typer.Typer(
    help="Take policies from dryrun to enforce, by scope and date.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


class ReportFormat(StrEnum):
    MARKDOWN = "markdown"
    HTML = "html"
    JSON = "json"


class StageName(StrEnum):
    DRYRUN = "dryrun"
    WARN = "warn"
    AUDIT = "audit"
    ENFORCE = "enforce"


PolicyId = Annotated[str, typer.Argument(metavar="POLICY", help="The id of a policy.")]
AsOf = Annotated[
    str | None, typer.Option("--as-of", metavar="DATE", help="As it will be, or was, on that day.")
]
ScopeName = Annotated[
    str | None, typer.Option("--scope", metavar="NAME", help="The scope [the only one there is].")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")]


@app.command()
def observe(
    paths: Paths,
    inventory: Inventory = None,
    cluster: Cluster = "",
    environment: Environment = "",
    format_: FormatOption = TableOrJson.TABLE,
    allow_host: Hosts = None,
    timeout: Timeout = 10.0,
    max_size: MaxSize = 512,
) -> None:
    """Judge PATHS, and write down how many violations each scope has.

    Exit criteria and trends are read from these observations, the last of each day: run it daily, and always on the
    same PATHS. They are kept in the `history` of solon.yaml, .solon/history.jsonl by default. Exits with 0, or 2,
    and writes nothing, when something could not be read.

    Example: solon rollout observe manifests/
    """
    from solon.cli.governed import Asked
    from solon.cli.rollout import command

    asked = Asked(
        paths,
        inventory or [],
        cluster,
        environment,
        allowed_hosts=frozenset(allow_host or []),
        timeout=timeout,
        max_bytes=max_size << 20,
    )
    raise typer.Exit(command.observe(asked, format_.value))


@app.command()
def status(
    policy: Annotated[
        list[str] | None, typer.Argument(metavar="POLICY", help="Ids of policies, or globs [all].")
    ] = None,
    scope: Annotated[
        list[str] | None,
        typer.Option("--scope", metavar="NAME", help="Only this scope, or glob; may be repeated."),
    ] = None,
    paths: Annotated[
        list[str] | None,
        typer.Option("--path", metavar="PATH", help="Count the violations of now in these; may be repeated."),
    ] = None,
    inventory: Inventory = None,
    cluster: Cluster = "",
    environment: Environment = "",
    as_of: AsOf = None,
    all_: Annotated[bool, typer.Option("--all", help="Show every scope, however many there are.")] = False,
    format_: FormatOption = TableOrJson.TABLE,
) -> None:
    """Say where each policy stands in each scope, and whether it is ready for its next stage.

    Shows the stage and since when, the violations now and over time, the exit criteria, and the next date; says
    where a date comes before its criteria hold, and which scopes no subject can reach.

    Example: solon rollout status main.deny --scope fleet
    """
    from solon.cli.governed import Asked
    from solon.cli.rollout import command

    asked = Asked(paths or [], inventory or [], cluster, environment, as_of)
    raise typer.Exit(command.status(asked, command.Wanted(policy or [], scope or [], all_, format_.value)))


@app.command()
def promote(
    policy: PolicyId,
    scope: ScopeName = None,
    from_: Annotated[
        str, typer.Option("--from", metavar="DATE", help="When the stage begins [tomorrow].")
    ] = "",
    stage: Annotated[
        StageName | None, typer.Option("--stage", help="The stage to go to [the next one].")
    ] = None,
    grace: Annotated[
        str, typer.Option("--grace", metavar="DURATION", help="For so long enforce only warns: 7d.")
    ] = "",
    emergency: Annotated[
        str,
        typer.Option("--emergency", metavar="REASON", help="Skip stages and criteria; says so in the file."),
    ] = "",
    approved_by: Annotated[
        str, typer.Option("--approved-by", metavar="NAME", help="Who approved the emergency.")
    ] = "",
    dry_run: DryRun = False,
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="DATE", help="With --dry-run: as on that day.")
    ] = None,
    format_: FormatOption = TableOrJson.TABLE,
) -> None:
    """Write the next stage of a scope into its rollout file, where the exit criteria hold.

    Comments and layout of the file stay as they are; the other policies of the rollout come along. Exits with 0, 1
    when criteria do not hold (and says which), 2 when it cannot be done.

    Example: solon rollout promote main.deny --scope canary --from 2026-12-01
    """
    from solon.cli.rollout import steps as command
    from solon.frameworks.policy import Stage
    from solon.governance.rollouts.promotion import Promotion

    asked = Promotion(Stage(stage.value) if stage else None, from_, grace, emergency, approved_by)
    target = command.Target(policy, scope, dry_run, as_of, format_.value)
    raise typer.Exit(command.promote(target, asked))


@app.command()
def demote(
    policy: PolicyId,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it goes into the file.")],
    scope: ScopeName = None,
    to: Annotated[
        StageName | None, typer.Option("--to", help="The stage to go back to [the one before].")
    ] = None,
    dry_run: DryRun = False,
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="DATE", help="With --dry-run: as on that day.")
    ] = None,
    format_: FormatOption = TableOrJson.TABLE,
) -> None:
    """Take a scope back to an earlier stage, from this second on.

    Steps that are still to come are taken out of the file, as they would bring back what is taken back.

    Example: solon rollout demote main.deny --scope canary --reason "blocks the nightly jobs, OPS-311"
    """
    from solon.cli.rollout import steps as command
    from solon.frameworks.policy import Stage

    target = command.Target(policy, scope, dry_run, as_of, format_.value)
    raise typer.Exit(command.demote(target, Stage(to.value) if to else None, reason))


@app.command()
def report(
    paths: Paths,
    team: Annotated[
        str | None, typer.Option("--team", metavar="NAME", help="Print the report of this team.")
    ] = None,
    unowned: Annotated[
        bool, typer.Option("--unowned", help="Print the report of what has no owner.")
    ] = False,
    output: Annotated[
        str | None,
        typer.Option("--output", metavar="DIR", help="Write a file for each team, and an index."),
    ] = None,
    format_: Annotated[
        ReportFormat, typer.Option("--format", "-o", help="Output format.")
    ] = ReportFormat.MARKDOWN,
    inventory: Inventory = None,
    cluster: Cluster = "",
    environment: Environment = "",
    as_of: AsOf = None,
    allow_host: Hosts = None,
    timeout: Timeout = 10.0,
    max_size: MaxSize = 512,
) -> None:
    """Tell each team what will be denied, from when, on which of its resources, and the fix.

    Lists what is denied already, what will be and on which date, what is waived and until when. Without --team,
    --unowned or --output, prints how many of each every team has.

    Example: solon rollout report manifests/ --format html --output site/
    """
    from solon.cli.governed import Asked
    from solon.cli.rollout import teams as command

    asked = Asked(
        paths,
        inventory or [],
        cluster,
        environment,
        as_of,
        frozenset(allow_host or []),
        timeout,
        max_size << 20,
    )
    raise typer.Exit(command.report(asked, command.Wanted(team, unowned, format_.value, output)))
