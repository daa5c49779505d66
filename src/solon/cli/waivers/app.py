"""What the commands of solon waivers take; what they do is in modules that are imported when they run."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from solon.cli.options import FormatOption, TableOrJson

app = typer.Typer(
    help="Exempt for a while: with an owner, an approval and an end.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


class CheckFormat(StrEnum):
    TABLE = "table"
    JSON = "json"
    GITHUB = "github"
    SARIF = "sarif"


class ListFormat(StrEnum):
    TABLE = "table"
    JSON = "json"
    CSV = "csv"


class MetricsFormat(StrEnum):
    PROMETHEUS = "prometheus"
    JSON = "json"


class FailOn(StrEnum):
    EXPIRED = "expired"
    WARN = "warn"


class State(StrEnum):
    ACTIVE = "active"
    PENDING = "pending"
    EXPIRED = "expired"


AsOf = Annotated[
    str | None, typer.Option("--as-of", metavar="DATE", help="As it will be, or was, at that time.")
]
Id = Annotated[str, typer.Argument(metavar="ID", help="What `solon waivers list` calls it.")]
Expires = Annotated[str, typer.Option("--expires", metavar="WHEN", help="A date, or how long from now: 30d.")]
ApprovedBy = Annotated[
    str, typer.Option("--approved-by", metavar="NAME", help="Who agreed: somebody else than the owner.")
]
Ticket = Annotated[str, typer.Option("--ticket", metavar="ID", help="Where the fix is tracked.")]


@app.command()
def check(
    fail_on: Annotated[
        FailOn, typer.Option("--fail-on", help="What exits with 1; warn: whatever is told.")
    ] = FailOn.EXPIRED,
    as_of: AsOf = None,
    format_: Annotated[
        CheckFormat, typer.Option("--format", "-o", help="Output format.")
    ] = CheckFormat.TABLE,
) -> None:
    """Fail when a waiver is invalid or has expired: for CI.

    Warns of those that expire soon, by owner; of those that matched nothing for a while, as `solon rollout observe`
    has seen; of two that overlap; and of names that no policy has. Exits with 0, with 1 when one has expired, with 2
    when one is invalid.

    Example: solon waivers check --format github
    """
    from solon.cli.waivers import command

    raise typer.Exit(command.check(as_of, format_.value, fail_on_warn=fail_on is FailOn.WARN))


@app.command(name="list")
def list_(
    owner: Annotated[
        str | None, typer.Option("--owner", metavar="NAME", help="Only those of an owner.")
    ] = None,
    policy: Annotated[
        str | None, typer.Option("--policy", metavar="ID", help="Only those that name this policy.")
    ] = None,
    state: Annotated[State | None, typer.Option("--state", help="Only those in this state.")] = None,
    expiring: Annotated[
        str | None, typer.Option("--expiring", metavar="30d", help="Only those that expire within this time.")
    ] = None,
    as_of: AsOf = None,
    format_: Annotated[ListFormat, typer.Option("--format", "-o", help="Output format.")] = ListFormat.TABLE,
) -> None:
    """List waivers, the first to expire first.

    Exits with 0, or 2 when one is invalid.

    Example: solon waivers list --owner team-payments --expiring 30d
    """
    from solon.cli.waivers import command

    wanted = command.Wanted(owner, policy, state.value if state else None, expiring)
    raise typer.Exit(command.list_(wanted, as_of, format_.value))


@app.command()
def show(
    id: Id,
    as_of: AsOf = None,
    format_: FormatOption = TableOrJson.TABLE,
) -> None:
    """Show all of one waiver: its policies and their limits, its scope, its renewals.

    Example: solon waivers show payments
    """
    from solon.cli.waivers import command

    raise typer.Exit(command.show(id, as_of, format_.value))


@app.command()
def add(
    policy: Annotated[
        list[str], typer.Option("--policy", metavar="GLOB", help="The policy it is for; may be repeated.")
    ],
    scope: Annotated[
        list[str],
        typer.Option(
            "--scope",
            metavar="KEY=VALUE",
            help="What is exempt: namespace=legacy, labels.app=web; all must hold; may be repeated.",
        ),
    ],
    owner: Annotated[str, typer.Option("--owner", metavar="NAME", help="Who is accountable.")],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why.")],
    approved_by: ApprovedBy,
    expires: Expires,
    ticket: Ticket = "",
    id: Annotated[str, typer.Option("--id", metavar="NAME", help="What to call it [owner and date].")] = "",
    file: Annotated[
        str | None, typer.Option("--file", metavar="FILE", help="Where to write it [that of the owner].")
    ] = None,
    format_: FormatOption = TableOrJson.TABLE,
) -> None:
    """Add a waiver to its owner's file, from now on.

    What the rules would reject is not written. What the file says stays as it is.

    Example: solon waivers add --policy main.deny --scope namespace=legacy --owner payments --reason "vendor image"
    --approved-by security --expires 30d
    """
    from solon.cli.waivers import command as waivers
    from solon.cli.waivers import edit as waivers_edit

    new = waivers_edit.New(policy, scope, owner, reason, ticket, approved_by, expires, id, file)
    raise typer.Exit(waivers_edit.add(new, waivers.now(), format_.value))


@app.command()
def renew(
    id: Id,
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why still: not what was said before.")
    ],
    expires: Expires,
    approved_by: ApprovedBy,
    ticket: Ticket = "",
    format_: FormatOption = TableOrJson.TABLE,
) -> None:
    """Renew a waiver, for a fresh reason and from now on.

    What it said before is kept in its history; comments and layout of the file stay.

    Example: solon waivers renew payments --reason "vendor ships in March" --approved-by security --expires 30d
    """
    from solon.cli.waivers import command as waivers
    from solon.cli.waivers import edit as waivers_edit

    renewal = waivers_edit.Renewal(id, reason, ticket, approved_by, expires)
    raise typer.Exit(waivers_edit.renew(renewal, waivers.now(), format_.value))


@app.command()
def remind(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be sent, and send nothing.")
    ] = False,
    as_of: AsOf = None,
    format_: FormatOption = TableOrJson.TABLE,
) -> None:
    """Tell owners which of their waivers have expired or soon will.

    One message an owner, on the channels that solon.yaml names. Exits with 0, or 2 when somebody could not be told
    or a waiver is invalid.

    Example: solon waivers remind --dry-run
    """
    from solon.cli.waivers import remind as command

    raise typer.Exit(command.remind(as_of, format_.value, dry_run=dry_run))


@app.command()
def metrics(
    as_of: AsOf = None,
    format_: Annotated[
        MetricsFormat, typer.Option("--format", "-o", help="Output format.")
    ] = MetricsFormat.PROMETHEUS,
) -> None:
    """Waivers as numbers: how many, how old, how many expire soon, by owner.

    Example: solon waivers metrics >/var/lib/node_exporter/solon_waivers.prom
    """
    from solon.cli.waivers import command

    raise typer.Exit(command.metrics(as_of, format_.value))
