"""What the commands of solon log take; what they do is in the module log, imported when they run."""

from __future__ import annotations

from typing import Annotated

import typer

from solon.cli.log import in_force_app as log_in_force_app
from solon.cli.log import mirror_app as log_mirror_app
from solon.cli.log import query_app as log_query_app
from solon.cli.log import replay_app as log_replay_app
from solon.cli.log import report_app as log_report_app
from solon.cli.log import retention_app as log_retention_app
from solon.cli.log import ship_app as log_ship_app
from solon.cli.options import FormatOption, LogDirectory, TableOrJson

app = typer.Typer(
    help="Keep decisions so that an auditor can verify them.", no_args_is_help=True, rich_markup_mode=None
)


@app.command()
def keygen(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="What the log is called, such as example.com/platform.")
    ],
    output: Annotated[
        str, typer.Option("--output", metavar="FILE", help="Where to write the signing key; a new file.")
    ] = "log.key",
) -> None:
    """Make a signing key, and print its public half.

    The key goes to a new file that only its owner may read. The public key is for those who verify.

    Example: solon log keygen example.com/platform --output /etc/solon/log.key
    """
    from solon.cli.log import command as log

    raise typer.Exit(log.keygen(name, output))


@app.command()
def init(
    directory: Annotated[str, typer.Argument(metavar="DIR", help="The directory to make a log.")],
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="NAME", help="What the log is called, such as example.com/platform."),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option("--key", metavar="FILE", help="A signing key; without it, one is made in the log."),
    ] = None,
) -> None:
    """Make a directory a log, and print its public key.

    Keep the public key where those who verify find it, and not in the log alone.

    Example: solon log init decisions --name example.com/platform
    """
    from solon.cli.log import command as log

    raise typer.Exit(log.init(directory, name, key))


@app.command()
def append(
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="FILES", help="JSON lines or arrays, gzip too; - is stdin [-]."),
    ] = None,
    directory: LogDirectory = None,
    format_: FormatOption = TableOrJson.TABLE,
) -> None:
    """Add decision events: those of Solon and those of OPA.

    Each is durable when this says so. An event that cannot be read is named, and the others are added all the same;
    then the status is 2.

    Example: solon log append --log decisions events.jsonl
    """
    from solon.cli.log import command as log

    raise typer.Exit(log.append(directory, files or ["-"], format_.value))


@app.command()
def verify(
    directory: LogDirectory = None,
    key: Annotated[
        str | None,
        typer.Option(
            "--key",
            metavar="KEY",
            help="The public key to believe, or a file with it; that of log.json without it.",
        ),
    ] = None,
    checkpoint: Annotated[
        list[str] | None,
        typer.Option(
            "--checkpoint", metavar="FILE", help="Checkpoints kept outside of the log; may be repeated."
        ),
    ] = None,
    proof: Annotated[
        list[str] | None,
        typer.Option("--proof", metavar="FILE", help="Verify proofs instead of a log; may be repeated."),
    ] = None,
    format_: FormatOption = TableOrJson.TABLE,
) -> None:
    """Find every entry that was changed, removed, reordered or cut off, and name it.

    Reads every entry and compares the tree with what was signed, and with checkpoints that were kept elsewhere.
    Exits with 0 when all is as it was written, 1 when it is not.

    Example: solon log verify --checkpoint witness.txt
    """
    from solon.cli.log import command as log

    raise typer.Exit(log.verify(directory, key, checkpoint or [], proof or [], format_.value))


@app.command()
def prove(
    decision: Annotated[str, typer.Argument(metavar="ID", help="The id of the decision.")],
    directory: LogDirectory = None,
    output: Annotated[
        str | None, typer.Option("--output", metavar="FILE", help="Write the proof to a file.")
    ] = None,
    no_event: Annotated[
        bool, typer.Option("--no-event", help="Leave the event out: its digest is in the proof anyway.")
    ] = False,
    chain: Annotated[
        bool, typer.Option("--chain", help="Also prove that the checkpoint is in the meta-log.")
    ] = False,
) -> None:
    """Prove that a decision is in the log, to someone who has the public key and nothing else.

    Prints a C2SP tlog-proof; `solon log verify --proof FILE --key KEY` checks it.

    Example: solon log prove 3f2c9a64-0c7e-4a7e-9a54-2b8d8f0c1d11 --output decision.tlog-proof
    """
    from solon.cli.log import command as log

    raise typer.Exit(log.prove(directory, decision, output, not no_event, chain))


@app.command()
def consistency(
    old: Annotated[str, typer.Argument(metavar="OLD", help="An earlier size, or a file with a checkpoint.")],
    new: Annotated[int | None, typer.Argument(metavar="NEW", help="A later size [the newest].")] = None,
    directory: LogDirectory = None,
    shard: Annotated[
        str, typer.Option("--shard", metavar="NAME", help="The shard, such as 0001, or the meta-log.")
    ] = "meta",
    format_: FormatOption = TableOrJson.TABLE,
) -> None:
    """Prove that a later tree continues an earlier one: that nothing in it was changed or removed.

    Exits with 1 where the checkpoint of a file is not the beginning of the log.

    Example: solon log consistency kept-checkpoint.txt
    """
    from solon.cli.log import command as log

    raise typer.Exit(log.consistency(directory, shard, old, new, format_.value))


@app.command()
def checkpoint(
    directory: LogDirectory = None,
    no_witness: Annotated[
        bool, typer.Option("--no-witness", help="Do not send it to the witnesses of log.json.")
    ] = False,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Write all tiles anew from the entries.")
    ] = False,
) -> None:
    """Sign what is durable, send it to the witnesses, and print the meta-log's checkpoint.

    It says what all shards held: keep it somewhere else. A shard that another process writes is signed by that
    process. Exits with 2 when a witness did not get it, or a shard is damaged.

    Example: solon log checkpoint > checkpoint-$(date +%F).txt
    """
    from solon.cli.log import command as log

    raise typer.Exit(log.checkpoint(directory, not no_witness, rebuild))


@app.command()
def witness(
    directory: LogDirectory = None,
    file: Annotated[
        list[str] | None,
        typer.Option(
            "--file", metavar="FILE", help="Also append the checkpoint to this file; may be repeated."
        ),
    ] = None,
    to: Annotated[
        list[str] | None,
        typer.Option("--directory", metavar="DIR", help="Also put it into this directory; may be repeated."),
    ] = None,
    format_: FormatOption = TableOrJson.TABLE,
) -> None:
    """Send the newest checkpoint to the witnesses that do not have it.

    Those of log.json, and those named here. Exits with 2 when one did not get it; it is sent the next time.

    Example: solon log witness --file /mnt/usb/platform-checkpoints.txt
    """
    from solon.cli.log import command as log

    raise typer.Exit(log.witness(directory, file or [], to or [], format_.value))


@app.command()
def status(directory: LogDirectory = None, format_: FormatOption = TableOrJson.TABLE) -> None:
    """Say what is durable, what is signed, who writes, and what the witnesses have.

    Example: solon log status
    """
    from solon.cli.log import command as log

    raise typer.Exit(log.status(directory, format_.value))


@app.command()
def erase(
    decisions: Annotated[
        list[str] | None, typer.Argument(metavar="IDS", help="The ids of the decisions.")
    ] = None,
    directory: LogDirectory = None,
    subject: Annotated[
        str | None, typer.Option("--subject", metavar="URI", help="All decisions about this subject.")
    ] = None,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it is kept in the log.")] = "",
    by: Annotated[
        str | None, typer.Option("--by", metavar="WHO", help="Who asked for it [the user who runs this].")
    ] = None,
    format_: FormatOption = TableOrJson.TABLE,
) -> None:
    """Erase the events of decisions for good. The log says so, and every proof still holds.

    What stays is the entry's place, id, time, outcome and a digest that nothing can be learned from.

    Example: solon log erase 3f2c9a64-0c7e-4a7e-9a54-2b8d8f0c1d11 --reason "GDPR request 4711"
    """
    from solon.cli.log import command as log

    raise typer.Exit(log.erase(directory, decisions or [], subject, reason, by, format_.value))


@app.command()
def show(
    decision: Annotated[str, typer.Argument(metavar="ID", help="The id of the decision.")],
    directory: LogDirectory = None,
    format_: FormatOption = TableOrJson.TABLE,
) -> None:
    """Show an event as it was logged, and where it stands.

    With --format json it prints the event alone, byte for byte.

    Example: solon log show 3f2c9a64-0c7e-4a7e-9a54-2b8d8f0c1d11
    """
    from solon.cli.log import command as log

    raise typer.Exit(log.show(directory, decision, format_.value))


log_retention_app.add_to(app)
log_in_force_app.add_to(app)
log_query_app.add_to(app)
app.command()(log_mirror_app.mirror)
app.command()(log_replay_app.replay)
app.command()(log_report_app.report)
log_ship_app.add_to(app)
