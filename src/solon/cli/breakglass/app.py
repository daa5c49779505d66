"""What the commands of solon breakglass take; what they do is in the module breakglass, imported when they run."""

from __future__ import annotations

from typing import Annotated

import typer

from solon.cli.options import FormatOption, TableOrJson

app = typer.Typer(
    help="Let an emergency through, with an alarm and a review.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


By = Annotated[str | None, typer.Option("--by", metavar="NAME", help="Who you are [git's user.email].")]
Id = Annotated[str, typer.Argument(metavar="ID", help="A token's identifier: bg-...")]


@app.command()
def keygen(
    private: Annotated[
        str | None, typer.Option("--private", metavar="FILE", help="Where to write the private key.")
    ] = None,
    public: Annotated[
        str | None, typer.Option("--public", metavar="FILE", help="Where to write the public key.")
    ] = None,
) -> None:
    """Make the key pair that signs and verifies tokens.

    The private key goes where SOLON_BREAKGLASS_KEY says, or to ~/.config/solon/breakglass.pem, readable by you
    alone; the public key into the policy repository. Nothing is overwritten.

    Example: solon breakglass keygen
    """
    from solon.cli.breakglass import command

    raise typer.Exit(command.keygen(private, public))


@app.command(name="open")
def open_(
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="What the emergency is.")],
    ticket: Annotated[str, typer.Option("--ticket", metavar="ID", help="The ticket of the incident.")],
    scope: Annotated[
        list[str],
        typer.Option(
            "--scope",
            metavar="KEY=GLOB",
            help="What it is for: team=payments; may be repeated, all must hold.",
        ),
    ],
    minutes: Annotated[int, typer.Option("--minutes", metavar="N", help="How long it is valid.")],
    policy: Annotated[
        list[str] | None,
        typer.Option("--policy", metavar="GLOB", help="Policies it lets through [all]; may be repeated."),
    ] = None,
    by: By = None,
) -> None:
    """Open a break-glass token, and print it.

    It covers the findings of those policies in that scope, until it expires; it cannot be renewed. Opening for one
    scope again and again is refused: file a waiver.

    Example: solon breakglass open --reason "gateway down" --ticket PAY-4821 --scope team=payments --minutes 30
    """
    from solon.cli.breakglass import command

    raise typer.Exit(command.open_(command.Opening(reason, ticket, scope, policy or ["*"], minutes, by)))


@app.command()
def check(
    base: Annotated[
        str | None,
        typer.Option("--base", metavar="REV", help="Fail when the ledger lacks lines that it has at REV."),
    ] = None,
    format_: FormatOption = TableOrJson.TABLE,
) -> None:
    """Fail while a review is open: for CI.

    Exits with 0 when there is nothing to review, 1 when there is, 2 when the ledger is not as it was written.

    Example: solon breakglass check --base origin/main
    """
    from solon.cli.breakglass import command

    raise typer.Exit(command.check(base, format_.value))


@app.command(name="list")
def list_(format_: FormatOption = TableOrJson.TABLE) -> None:
    """List the tokens of the ledger, their uses and their reviews.

    Example: solon breakglass list --format json
    """
    from solon.cli.breakglass import command

    raise typer.Exit(command.list_(format_.value))


@app.command()
def show(id: Id, format_: FormatOption = TableOrJson.TABLE) -> None:
    """Show one token of the ledger, and what it let through.

    Example: solon breakglass show bg-0123456789ab
    """
    from solon.cli.breakglass import command

    raise typer.Exit(command.show(id, format_.value))


@app.command()
def close(
    id: Id,
    outcome: Annotated[
        str, typer.Option("--outcome", metavar="TEXT", help="What the review found, and what follows.")
    ],
    by: By = None,
) -> None:
    """Close the review of a token; one that is still valid ends.

    Who opened it cannot close it.

    Example: solon breakglass close bg-0123456789ab --outcome "rolled back; PAY-4830 adds the missing test"
    """
    from solon.cli.breakglass import command

    raise typer.Exit(command.close(id, outcome, by))


@app.command()
def verify(
    token: Annotated[str, typer.Argument(metavar="TOKEN", help="The token; @FILE, or - for stdin.")],
    format_: FormatOption = TableOrJson.TABLE,
) -> None:
    """Say what a token is for, and whether it can be used now.

    Exits with 0 when it can, 1 when it cannot.

    Example: solon breakglass verify @token.txt
    """
    from solon.cli.breakglass import command

    raise typer.Exit(command.verify_(token, format_.value))
