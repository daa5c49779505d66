"""What the commands of solon model take; what they do is in modules imported when they run."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from solon.cli.model import mlflow_app
from solon.cli.model.deployed_app import deployed
from solon.cli.model.options import TrackingUri
from solon.cli.options import (
    BreakGlass,
    DecisionLog,
    Environment,
    FormatOption,
    Hosts,
    Place,
    Policies,
    RegoData,
    TableOrJson,
    Timeout,
)

app = typer.Typer(
    help="Gather evidence about models, and gate their release.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Release = Annotated[str, typer.Argument(metavar="DIR", help="The release: a directory with release.yaml.")]
Key = Annotated[
    str | None,
    typer.Option("--key", metavar="FILE", help="Sign with this private key (`solon model keygen`)."),
]


class Part(StrEnum):
    """The names of the parts of evidence, as ``solon.evidence.document.NAMES`` has them."""

    ARTIFACTS = "artifacts"
    SIGNATURE = "signature"
    DEPENDENCIES = "dependencies"
    DOCUMENTATION = "documentation"
    DATA = "data"
    DRIFT = "drift"
    PERFORMANCE = "performance"
    LATENCY = "latency"
    FAIRNESS = "fairness"


class GateFormat(StrEnum):
    TABLE = "table"
    JSON = "json"
    MARKDOWN = "markdown"
    GITHUB = "github"
    SARIF = "sarif"
    JUNIT = "junit"


@app.command()
def collect(
    release: Release = ".",
    only: Annotated[
        list[Part] | None,
        typer.Option(
            "--only", metavar="PART", help="Gather this part alone, and keep the others; repeatable."
        ),
    ] = None,
    data: Annotated[
        str, typer.Option("--data", metavar="DIR", help="Where tables may lie besides the release.")
    ] = "",
    predictor: Annotated[
        str, typer.Option("--predictor", metavar="COMMAND", help="Ask this command for predictions.")
    ] = "",
    baseline_predictor: Annotated[
        str,
        typer.Option("--baseline-predictor", metavar="COMMAND", help="The same of what is deployed now."),
    ] = "",
    signer: Annotated[
        list[str] | None,
        typer.Option("--signer", metavar="FILE", help="A public key that the model may be signed with."),
    ] = None,
    vulnerabilities: Annotated[
        str, typer.Option("--vulnerabilities", metavar="PATH", help="OSV records: a file or a directory.")
    ] = "",
    key: Key = None,
    output: Annotated[
        str | None, typer.Option("--output", metavar="FILE", help="Write it there [evidence.json in DIR].")
    ] = None,
    timeout: Annotated[
        float, typer.Option("--timeout", metavar="SECONDS", min=1.0, help="Time for a predictor's work.")
    ] = 600.0,
    format_: FormatOption = TableOrJson.TABLE,
) -> None:
    """Gather evidence about a release: measure, scan and read what release.yaml names.

    Nothing of the release is run or unpickled. What a collector cannot do is an error in the evidence, and the others
    go on. Beside evidence.json lies ml-bom.cdx.json, a bill of materials; with --key a signature. Exits with 2 when
    some evidence could not be had.

    Example: solon model collect release/ --vulnerabilities osv/ --signer release.pub.pem
    """
    from solon.cli.model import collect as command

    raise typer.Exit(
        command.run(
            command.Options(
                release=release,
                only=[part.value for part in only or []],
                data=data,
                predictor=predictor,
                baseline_predictor=baseline_predictor,
                signers=signer or [],
                vulnerabilities=vulnerabilities,
                key=key,
                output=output,
                timeout=timeout,
                format=format_.value,
            )
        )
    )


@app.command()
def gate(
    release: Annotated[
        str,
        typer.Argument(
            metavar="RELEASE", help="A directory with release.yaml, or models:/NAME/VERSION of MLflow."
        ),
    ] = ".",
    policy: Policies = None,
    data: RegoData = None,
    key: Key = None,
    format_: Annotated[GateFormat, typer.Option("--format", "-o", help="Output format.")] = GateFormat.TABLE,
    report: Annotated[
        str | None, typer.Option("--report", metavar="FILE", help="Write a page with plots (HTML), too.")
    ] = None,
    summary: Annotated[
        str | None, typer.Option("--summary", metavar="FILE", help="Write Markdown for a pull request, too.")
    ] = None,
    log: DecisionLog = None,
    environment: Environment = "",
    break_glass: BreakGlass = None,
    place: Place = "",
    allow_host: Hosts = None,
    timeout: Timeout = 10.0,
    tracking_uri: TrackingUri = "",
    for_: Annotated[
        list[str] | None,
        typer.Option(
            "--for", metavar="NAME", help="Let it go live in this registered model, too; repeatable."
        ),
    ] = None,
) -> None:
    """Decide whether a release may go, by its evidence.

    As `solon check DIR` of the one release, and then: the evidence is kept in the store of solon.yaml, to be judged again
    when policies change, and with a key the decision lies beside the model as a signed attestation,
    decision.dsse.json. Exits as check does.

    A version of MLflow's registry is fetched, its evidence gathered, and the decision kept in the release store of
    `mlflow` in solon.yaml, where the registry's plugin asks for it.

    Example: solon model gate release/ --key ~/.config/solon/gate.pem
    """
    from solon.cli.model import gate as command

    raise typer.Exit(
        command.run(
            command.Options(
                release=release,
                policies=policy or [],
                data=data or [],
                key=key,
                format=format_.value,
                report=report,
                summary=summary,
                log=log,
                environment=environment,
                break_glass=break_glass or [],
                place=place,
                allowed_hosts=frozenset(allow_host or []),
                timeout=timeout,
                tracking_uri=tracking_uri,
                names=for_ or [],
            )
        )
    )


@app.command()
def show(release: Release = ".", format_: FormatOption = TableOrJson.TABLE) -> None:
    """Show the evidence about a release, and what of it holds for the files that lie there.

    Example: solon model show release/
    """
    from solon.cli.model import show as command

    raise typer.Exit(command.run(release, format_.value))


@app.command()
def verify(
    release: Release = ".",
    key: Annotated[
        list[str] | None,
        typer.Option("--key", metavar="FILE", help="The gate's public key [that of solon.yaml]; repeatable."),
    ] = None,
    environment: Annotated[
        str,
        typer.Option(
            "--environment", metavar="NAME", help="Where it goes: it must have been judged for that."
        ),
    ] = "",
    format_: FormatOption = TableOrJson.TABLE,
) -> None:
    """Verify that a release was let pass: the attestation beside it, its signature, and every file.

    Exits with 0 when these files were let pass and the decision still holds, with 1 when not, with 2 when that
    cannot be told.

    Example: solon model verify release/ --key gate.pub.pem --environment production
    """
    from solon.cli.model import verify as command

    raise typer.Exit(command.run(release, key or [], environment, format_.value))


@app.command()
def schema() -> None:
    """Print the JSON Schema of evidence.json.

    Example: solon model schema > evidence.schema.json
    """
    import json

    from solon.evidence.document import schema as made

    print(json.dumps(made(), indent=2))


@app.command()
def keygen(
    private: Annotated[
        str | None, typer.Option("--private", metavar="FILE", help="Where to write the private key.")
    ] = None,
    public: Annotated[
        str | None, typer.Option("--public", metavar="FILE", help="Where to write the public key.")
    ] = None,
) -> None:
    """Make a key pair for a gate, or for a collector of evidence.

    The private key goes where SOLON_GATE_KEY says, or to ~/.config/solon/gate.pem, readable by you alone; the public
    key into the policy repository, as gate.pub.pem. Nothing is overwritten.

    Example: solon model keygen
    """
    from solon.cli.model import key

    raise typer.Exit(key.keygen(private, public))


app.command()(mlflow_app.fetch)
app.command()(mlflow_app.submit)
app.command()(mlflow_app.watch)
app.command()(deployed)
