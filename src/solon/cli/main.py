"""The command line: what each command takes. What it does is in the module of its name, imported when it runs."""

from __future__ import annotations

import os
import sys
from copy import copy
from enum import StrEnum
from importlib import import_module
from typing import Annotated, Final

import typer

from solon import __version__
from solon.cli.options import (
    BreakGlass,
    Cluster,
    CostEstimate,
    DecisionLog,
    Environment,
    FormatOption,
    Hosts,
    Inventory,
    MaxSize,
    Param,
    PathsOrStdin,
    Place,
    Policies,
    TableOrJson,
    TerraformRun,
    Timeout,
)
from solon.report import FORMATS

app = typer.Typer(
    name="solon",
    help="AI governance as code: judge plans, manifests and model releases with the policies you have.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)

Format = StrEnum("Format", {name: name for name in FORMATS})  # type: ignore[misc]


class Dialect(StrEnum):
    AUTO = "auto"
    V1 = "v1"
    V0 = "v0"


class FailOn(StrEnum):
    DENY = "deny"
    WARN = "warn"


class TestFormat(StrEnum):
    TABLE = "table"
    JSON = "json"
    JUNIT = "junit"


class LintFormat(StrEnum):
    TABLE = "table"
    JSON = "json"
    GITHUB = "github"
    SARIF = "sarif"


class EvalFormat(StrEnum):
    JSON = "json"
    PRETTY = "pretty"
    RAW = "raw"
    VALUES = "values"
    BINDINGS = "bindings"


class ProfileSort(StrEnum):
    TIME = "time"
    STEPS = "steps"
    EVALUATIONS = "evaluations"


class NotifyKind(StrEnum):
    INFO = "info"
    SUCCESS = "success"
    WARNING = "warning"
    FAILURE = "failure"


class Explain(StrEnum):
    OFF = "off"
    NOTES = "notes"
    FAILS = "fails"
    FULL = "full"
    DEBUG = "debug"


def _version(value: bool) -> None:
    if value:
        typer.echo(f"solon {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


Data = Annotated[
    list[str] | None,
    typer.Option(
        "--data", "-d", metavar="PATH", help="Data for Rego: YAML or JSON files, or directories of them."
    ),
]
Schema = Annotated[
    str | None,
    typer.Option("--schema", "-s", metavar="PATH", help="JSON Schemas that annotations of policies name."),
]

AsOf = Annotated[
    str | None,
    typer.Option("--as-of", metavar="DATE", help="Apply stages and waivers as they will be, or were, then."),
]


@app.command()
def check(
    paths: PathsOrStdin,
    policy: Policies = None,
    namespace: Annotated[
        list[str] | None,
        typer.Option(
            "--namespace",
            "-n",
            metavar="NAME",
            help="Rego package to take policies from [main; all if it has none].",
        ),
    ] = None,
    all_namespaces: Annotated[
        bool, typer.Option("--all-namespaces", help="Take policies from every package.")
    ] = False,
    combine: Annotated[
        bool, typer.Option("--combine", help="Judge all documents as one, as Conftest does.")
    ] = False,
    data: Data = None,
    schema: Schema = None,
    inventory: Inventory = None,
    format_: Annotated[Format | None, typer.Option("--format", "-o", help="Output format [table].")] = None,
    output: Annotated[
        str | None, typer.Option("--output", metavar="FILE", help="Write the report to a file.")
    ] = None,
    log: DecisionLog = None,
    rego_version: Annotated[
        Dialect, typer.Option("--rego-version", help="Language of the Rego files.")
    ] = Dialect.AUTO,
    fail_on: Annotated[FailOn, typer.Option("--fail-on", help="What exits with 1.")] = FailOn.DENY,
    allow_host: Hosts = None,
    as_of: AsOf = None,
    cluster: Cluster = "",
    environment: Environment = "",
    break_glass: BreakGlass = None,
    param: Param = None,
    tfrun: TerraformRun = None,
    cost_estimate: CostEstimate = None,
    place: Place = "",
    timeout: Timeout = 10.0,
    max_size: MaxSize = 512,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="List subjects that are allowed, too.")
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print nothing; the exit status says it.")
    ] = False,
) -> None:
    """Judge plans and manifests with policies.

    Without --policy, the policies are those of solon.yaml in this directory or one above, or of ./policy.
    Exits with 0 when nothing enforced was violated, 1 when something was, 2 when something could not be judged.

    Example: solon check -p policy plan.json manifests/
    """
    from solon.cli import check as command
    from solon.cli import runs

    raise typer.Exit(
        command.run(
            command.Options(
                paths=paths,
                policies=policy or [],
                namespaces=namespace or [],
                all_namespaces=all_namespaces,
                combine=combine,
                schema=schema,
                data=data or [],
                inventory=inventory or [],
                format=str(format_) if format_ else "",
                output=output,
                log=log,
                dialect=rego_version.value,
                fail_on_warn=fail_on is FailOn.WARN,
                allowed_hosts=frozenset(allow_host or []),
                timeout=timeout,
                max_bytes=max_size << 20,
                verbose=verbose,
                quiet=quiet,
                as_of=as_of,
                cluster=cluster,
                environment=environment,
                break_glass=break_glass or [],
                params=runs.params(param or []),
                tfrun=tfrun,
                cost_estimate=cost_estimate,
                place=place,
            )
        )
    )


@app.command()
def test(
    paths: Annotated[
        list[str] | None, typer.Argument(metavar="PATHS", help="Directories or files [.].")
    ] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="List tests that passed, and what they print.")
    ] = False,
    run: Annotated[
        str, typer.Option("--run", "-r", metavar="REGEX", help="Only tests whose name matches.")
    ] = "",
    coverage: Annotated[
        bool, typer.Option("--coverage", "-c", help="Report the lines of policies that tests reach.")
    ] = False,
    threshold: Annotated[
        float, typer.Option("--threshold", metavar="PERCENT", help="Fail below this coverage.")
    ] = 0.0,
    bench: Annotated[bool, typer.Option("--bench", help="Say how long each Rego test takes.")] = False,
    bench_time: Annotated[
        float,
        typer.Option(
            "--bench-time", metavar="SECONDS", min=0.001, max=3600.0, help="How long to repeat each test for."
        ),
    ] = 1.0,
    count: Annotated[int, typer.Option("--count", metavar="N", min=1, help="Run each test N times.")] = 1,
    format_: Annotated[TestFormat, typer.Option("--format", "-o", help="Output format.")] = TestFormat.TABLE,
    data: Data = None,
    rego_version: Annotated[
        Dialect, typer.Option("--rego-version", help="Language of the Rego files.")
    ] = Dialect.AUTO,
    allow_host: Hosts = None,
    timeout: Timeout = 10.0,
) -> None:
    """Run the tests of policies.

    Those are Rego unit tests (test_ rules), Gatekeeper suites (kind: Suite), and the cases of Sentinel policies
    (test/<policy>/ beside them).

    Exits with 0 when all passed, 1 when one failed, 2 when tests could not be run or none were found.

    Example: solon test policy/ -v
    """
    from solon.cli import test as command

    raise typer.Exit(
        command.run(
            command.Options(
                paths=paths or ["."],
                verbose=verbose,
                run=run,
                coverage=coverage or threshold > 0,
                threshold=threshold,
                format=format_.value,
                data=data or [],
                dialect=rego_version.value,
                timeout=timeout,
                allowed_hosts=frozenset(allow_host or []),
                count=count,
                bench=bench,
                bench_time=bench_time,
            )
        )
    )


@app.command(name="eval")
def eval_(
    query: Annotated[str, typer.Argument(help="A Rego query.")],
    data: Annotated[
        list[str] | None,
        typer.Option(
            "--data", "-d", metavar="PATH", help="Rego and data files or directories; PREFIX:FILE for data."
        ),
    ] = None,
    schema: Schema = None,
    input_: Annotated[
        str | None, typer.Option("--input", "-i", metavar="FILE", help="Input document, YAML or JSON.")
    ] = None,
    stdin_input: Annotated[
        bool, typer.Option("--stdin-input", "-I", help="Read the input from standard input.")
    ] = False,
    format_: Annotated[EvalFormat, typer.Option("--format", "-f", help="Output format.")] = EvalFormat.JSON,
    import_: Annotated[
        list[str] | None, typer.Option("--import", metavar="PATH", help="Import for the query.")
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict-builtin-errors", help="An error of a built-in ends the evaluation.")
    ] = False,
    v0: Annotated[bool, typer.Option("--v0-compatible", help="Read Rego as version 0.")] = False,
    fail: Annotated[bool, typer.Option("--fail", help="Exit with 1 when the result is undefined.")] = False,
    fail_defined: Annotated[
        bool, typer.Option("--fail-defined", help="Exit with 1 when the result is defined.")
    ] = False,
    dump: Annotated[
        bool, typer.Option("--dump", help="Print the Python that the policies became, and stop.")
    ] = False,
    explain: Annotated[
        Explain, typer.Option("--explain", help="Tell what the evaluation did; `fails`: what did not hold.")
    ] = Explain.OFF,
    metrics: Annotated[bool, typer.Option("--metrics", help="Report how long each stage took.")] = False,
    profile: Annotated[bool, typer.Option("--profile", help="Report what each line cost.")] = False,
    profile_limit: Annotated[
        int, typer.Option("--profile-limit", metavar="N", min=0, help="Lines to report; 0 for all.")
    ] = 10,
    profile_sort: Annotated[
        list[str] | None,
        typer.Option("--profile-sort", metavar="BY", help="What to sort lines by; may be repeated."),
    ] = None,
    coverage: Annotated[
        bool, typer.Option("--coverage", help="Report the Rego lines that were reached.")
    ] = False,
    allow_host: Hosts = None,
    timeout: Timeout = 10.0,
) -> None:
    """Evaluate a Rego query, as `opa eval` does.

    Example: solon eval -d policy/ -i input.json 'data.main.deny'
    """
    from solon.cli import evaluate as command
    from solon.cli.recording import Wanted

    raise typer.Exit(
        command.run(
            command.Options(
                query=query,
                schema=schema,
                data=data or [],
                input=input_,
                stdin_input=stdin_input,
                format=format_.value,
                imports=import_ or [],
                strict=strict,
                version="v0" if v0 else "v1",
                fail=fail,
                fail_defined=fail_defined,
                dump=dump,
                allowed_hosts=frozenset(allow_host or []),
                timeout=timeout,
                recording=Wanted(
                    metrics, coverage, profile, profile_limit, profile_sort or [], explain.value
                ),
            )
        )
    )


@app.command()
def profile(
    paths: PathsOrStdin,
    policy: Policies = None,
    namespace: Annotated[
        list[str] | None,
        typer.Option("--namespace", "-n", metavar="NAME", help="Rego package to take policies from."),
    ] = None,
    all_namespaces: Annotated[
        bool, typer.Option("--all-namespaces", help="Take policies from every package.")
    ] = False,
    combine: Annotated[
        bool, typer.Option("--combine", help="Judge all documents as one, as Conftest does.")
    ] = False,
    data: Data = None,
    inventory: Inventory = None,
    sort: Annotated[ProfileSort, typer.Option("--sort", help="What comes first.")] = ProfileSort.TIME,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=0, help="Rules and expressions to show; 0 for all.")
    ] = 10,
    format_: FormatOption = TableOrJson.TABLE,
    rego_version: Annotated[
        Dialect, typer.Option("--rego-version", help="Language of the Rego files.")
    ] = Dialect.AUTO,
    allow_host: Hosts = None,
    timeout: Timeout = 60.0,
    max_size: MaxSize = 512,
) -> None:
    """Say what policies cost, and what to change in them.

    Judges as `check` does, and tells for each expression how often it was evaluated and how long that took.
    Exits with 0, or 2 when something could not be read.

    Example: solon profile -p policy plan.json
    """
    from solon.cli import check as judge
    from solon.cli import profile as command

    raise typer.Exit(
        command.run(
            command.Options(
                check=judge.Options(
                    paths=paths,
                    policies=policy or [],
                    namespaces=namespace or [],
                    all_namespaces=all_namespaces,
                    combine=combine,
                    data=data or [],
                    inventory=inventory or [],
                    format=format_.value,
                    output=None,
                    log=None,
                    dialect=rego_version.value,
                    fail_on_warn=False,
                    allowed_hosts=frozenset(allow_host or []),
                    timeout=timeout,
                    max_bytes=max_size << 20,
                    verbose=False,
                    quiet=False,
                ),
                sort=sort.value,
                limit=limit,
            )
        )
    )


@app.command()
def lint(
    paths: Annotated[
        list[str] | None, typer.Argument(metavar="PATHS", help="Policies: directories or files [.].")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 for warnings, too.")] = False,
    ignore: Annotated[
        list[str] | None,
        typer.Option("--ignore", metavar="CODE", help="Leave this out; may be repeated."),
    ] = None,
    format_: Annotated[LintFormat, typer.Option("--format", "-o", help="Output format.")] = LintFormat.TABLE,
    base: Annotated[
        str | None,
        typer.Option(
            "--base", metavar="REV", help="Say what changed since this revision of the git repository."
        ),
    ] = None,
    sample: Annotated[
        list[str] | None,
        typer.Option(
            "--sample", metavar="PATH", help="With --base: judge this with both versions; may be repeated."
        ),
    ] = None,
    data: Data = None,
    rego_version: Annotated[
        Dialect, typer.Option("--rego-version", help="Language of the Rego files.")
    ] = Dialect.AUTO,
    timeout: Timeout = 10.0,
) -> None:
    """Say what is wrong with policies that compile.

    Errors are those of `opa check --strict`, and what is certain to be wrong; warnings are of rules that can never
    hold, fields that are not there, loops that nothing joins, and policies without tests, metadata or owners. With
    --base, also which policies a change adds, removes, tightens and loosens. Exits with 0 when there are no errors,
    1 when there are, 2 when a policy does not compile.

    Example: solon lint --base origin/main policy/
    """
    from solon.cli.lint import command

    raise typer.Exit(
        command.run(
            command.Options(
                paths=paths or ["."],
                format=format_.value,
                strict=strict,
                ignore=ignore or [],
                data=data or [],
                dialect=rego_version.value,
                base=base,
                samples=sample or [],
                timeout=timeout,
            )
        )
    )


@app.command()
def fmt(
    paths: Annotated[
        list[str],
        typer.Argument(metavar="PATHS", help="Rego and Sentinel files, directories of them; - for stdin."),
    ],
    write: Annotated[bool, typer.Option("--write", "-w", help="Rewrite the files.")] = False,
    diff: Annotated[bool, typer.Option("--diff", "-d", help="Show what would change.")] = False,
    list_: Annotated[bool, typer.Option("--list", "-l", help="Name the files that would change.")] = False,
    fail: Annotated[bool, typer.Option("--fail", help="Exit with 1 when something would change.")] = False,
    v0: Annotated[
        bool, typer.Option("--v0-compatible", help="Read and write Rego as version 0, even where it is 1.")
    ] = False,
    rego_v1: Annotated[
        bool, typer.Option("--rego-v1", help="Write version 0 such that it is version 1 as well.")
    ] = False,
    sentinel: Annotated[bool, typer.Option("--sentinel", help="Standard input is Sentinel.")] = False,
) -> None:
    """Lay Rego and Sentinel out as `opa fmt` and `sentinel fmt` do.

    Prints the text; with --write, rewrites the files. What a policy means never changes, and no comment is lost.

    Example: solon fmt --write policy/
    """
    from solon.cli import format as command

    raise typer.Exit(
        command.run(
            command.Options(
                paths=paths,
                write=write,
                diff=diff,
                list=list_,
                fail=fail,
                v0=v0,
                rego_v1=rego_v1,
                sentinel=sentinel,
            )
        )
    )


@app.command()
def init(
    directory: Annotated[str, typer.Argument(metavar="DIR", help="Where to write it.")] = ".",
) -> None:
    """Write a policy repository to start from.

    It has policies with their tests, examples, a solon.yaml and a CI workflow.

    Example: solon init my-policies && cd my-policies && solon test
    """
    from solon.cli import init as command

    raise typer.Exit(command.run(directory))


@app.command()
def demo() -> None:
    """Judge a small ML platform with the starter library.

    Shows what is denied, why, and how to fix it.

    Example: solon demo
    """
    from solon.cli import demo as command

    raise typer.Exit(command.run())


@app.command()
def notify(
    owner: Annotated[str, typer.Argument(metavar="OWNER", help="Whom to tell: a team or an owner.")],
    title: Annotated[str, typer.Option("--title", metavar="TEXT", help="The title.")] = "Solon",
    body: Annotated[
        str, typer.Option("--body", metavar="TEXT", help="The message.")
    ] = "A message to see whether this channel works.",
    kind: Annotated[NotifyKind, typer.Option("--kind", help="How it is marked.")] = NotifyKind.INFO,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Name the channels, and send nothing.")] = False,
    format_: FormatOption = TableOrJson.TABLE,
) -> None:
    """Tell an owner something, through the channels of solon.yaml.

    Without a message it sends one that shows whether the channels work. Exits with 0, or 2 when one failed.

    Example: solon notify team-payments --dry-run
    """
    from solon.cli import notify as command

    raise typer.Exit(
        command.run(
            command.Options(
                owner=owner, title=title, body=body, kind=kind.value, dry_run=dry_run, format=format_.value
            )
        )
    )


# The other commands and groups: where they are, and what the list of commands says of them. What one needs is imported
# when it is asked for, and of the list each needs no more than its line.
ELSEWHERE: Final = (
    (
        "baseline",
        "solon.cli.rollout.baseline_app:baseline",
        "Write down what violates now, for rollouts to spare.",
    ),
    ("audit", "solon.cli.audit_app:audit", "Judge what is deployed by today's policies."),
    ("explain", "solon.cli.log.query_app:explain", "Say why a decision was made, from the log."),
    ("serve", "solon.cli.serve_app:serve", "Judge what others send, until it is told to end."),
    ("rollout", "solon.cli.rollout.app:app", "Take policies from dryrun to enforce, by scope and date."),
    ("quota", "solon.cli.quota.app:app", "Reserve GPUs, so that no two jobs take the last one."),
    ("tickets", "solon.cli.tickets.app:app", "Keep one ticket for each policy and owner, in GitHub or Jira."),
    ("waivers", "solon.cli.waivers.app:app", "Exempt for a while: with an owner, an approval and an end."),
    ("breakglass", "solon.cli.breakglass.app:app", "Let an emergency through, with an alarm and a review."),
    ("incident", "solon.cli.incident.app:app", "Count denials that a policy should not have made."),
    ("model", "solon.cli.model.app:app", "Gather evidence about models, and gate their release."),
    ("log", "solon.cli.log.app:app", "Keep decisions so that an auditor can verify them."),
)


def assembled(wanted: str | None = None) -> typer.Typer:
    """The command line with the one command or group that is ``wanted``; with all of them where it is None.

    A word that is neither gets the list: each by its name and its line alone.
    """
    made = copy(app)
    own = [c for c in app.registered_commands if (c.name or getattr(c.callback, "__name__", "")) == wanted]
    named = [entry for entry in ELSEWHERE if wanted in (None, entry[0])]
    made.registered_commands = own if own or (wanted and named) else list(app.registered_commands)
    made.registered_groups = []
    if own:
        return made
    for name, place, line in named or ELSEWHERE:
        if named:
            _load(made, name, place)
        else:
            made.command(name, help=line)(_listed)
    return made


def _load(made: typer.Typer, name: str, place: str) -> None:
    module, _, attribute = place.partition(":")
    found = getattr(import_module(module), attribute)
    if isinstance(found, typer.Typer):
        made.add_typer(found, name=name)
    else:
        made.command(name)(found)


def _listed() -> None:
    pass


def run() -> None:
    """The entry point: no error leaves it as a traceback."""
    from solon.cli.errors import Failure, UsageError

    try:
        assembled(sys.argv[1] if len(sys.argv) > 1 else "")()
    except UsageError as error:
        _stop(f"solon: {error}", 2)
    except Failure as error:
        _stop(str(error), 2)
    except KeyboardInterrupt:
        _stop("solon: interrupted", 130)
    except BrokenPipeError:
        # Whoever read the output has gone; Python must not complain about it once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        if os.environ.get("SOLON_DEBUG"):
            raise
        _stop(
            f"solon: internal error: {type(error).__name__}: {error}\n"
            "This is a defect in Solon. Run again with SOLON_DEBUG=1 and report what it prints.",
            2,
        )


def _stop(message: str, status: int) -> None:
    print(message, file=sys.stderr)
    sys.exit(status)


if __name__ == "__main__":
    run()
