"""What `solon serve` takes."""

from __future__ import annotations

from typing import Annotated

import typer

from solon.cli.options import DecisionLog, Environment, Hosts, MaxSize, Place, Policies, RegoData, Timeout


def serve(
    run_task: Annotated[
        bool, typer.Option("--run-task", help="Answer HCP Terraform's and Terraform Enterprise's run tasks.")
    ] = False,
    listen: Annotated[
        str, typer.Option("--listen", metavar="HOST:PORT", help="Where to listen.")
    ] = "127.0.0.1:8484",
    host: Annotated[
        list[str] | None,
        typer.Option(
            "--host", metavar="HOST", help="Where tasks come from; may be repeated [app.terraform.io]."
        ),
    ] = None,
    key_env: Annotated[
        str, typer.Option("--key-env", metavar="NAME", help="Variable with the task's HMAC key.")
    ] = "SOLON_RUN_TASK_KEY",
    without_key: Annotated[
        bool, typer.Option("--without-key", help="Take tasks that nobody signed.")
    ] = False,
    fail_open: Annotated[
        bool, typer.Option("--fail-open", help="Let pass what cannot be judged; it fails otherwise.")
    ] = False,
    policy: Policies = None,
    data: RegoData = None,
    log: DecisionLog = None,
    environment: Environment = "",
    break_glass: Annotated[
        list[str] | None,
        typer.Option(
            "--break-glass", metavar="@FILE", help="Tokens for emergencies, read anew for each task."
        ),
    ] = None,
    place: Place = "",
    url: Annotated[
        str, typer.Option("--url", metavar="URL", help="Where people read more, beside each result.")
    ] = "",
    at_once: Annotated[
        int, typer.Option("--at-once", metavar="N", min=1, max=64, help="Plans judged at a time.")
    ] = 2,
    ca: Annotated[
        str | None, typer.Option("--ca", metavar="FILE", help="Trust the certificates in this file alone.")
    ] = None,
    allow_host: Hosts = None,
    timeout: Timeout = 10.0,
    max_size: MaxSize = 512,
) -> None:
    """Judge what others send, until it is told to end.

    With --run-task: the webhook of a Terraform run task. Each plan is fetched, judged by the policies as they are
    then, and the result sent, with an outcome for each policy. Requests are signed with the key in
    SOLON_RUN_TASK_KEY.

    Example: solon serve --run-task --listen :8484
    """
    from solon.cli import serve as command
    from solon.cli.check import Options
    from solon.cli.errors import UsageError

    if not run_task:
        raise UsageError("nothing to serve: say --run-task")
    judging = Options(
        paths=[],
        policies=policy or [],
        data=data or [],
        log=log,
        allowed_hosts=frozenset(allow_host or []),
        timeout=timeout,
        max_bytes=max_size << 20,
        quiet=True,
        environment=environment,
        break_glass=break_glass or [],
        place=place,
    )
    raise typer.Exit(
        command.run(
            command.Options(
                judging=judging,
                listen=listen,
                hosts=host or [],
                key_env=key_env,
                without_key=without_key,
                is_open=fail_open,
                at_once=at_once,
                url=url,
                ca=ca,
            )
        )
    )
