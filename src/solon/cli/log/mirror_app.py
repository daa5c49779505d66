"""What `solon log mirror` takes; what it does is imported when it runs."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from solon.cli.options import FormatOption, LogDirectory, TableOrJson


class LockMode(StrEnum):
    COMPLIANCE = "compliance"
    GOVERNANCE = "governance"


def mirror(
    address: Annotated[str, typer.Argument(metavar="S3-URL", help="Where: s3://BUCKET/PREFIX.")],
    directory: LogDirectory = None,
    delta: Annotated[
        bool, typer.Option("--delta", help="Register the Parquet files as a Delta table, from now on.")
    ] = False,
    segments: Annotated[
        bool,
        typer.Option(
            "--segments/--no-segments",
            help="With the segments, so that the mirror is a whole log, or without.",
        ),
    ] = True,
    object_lock: Annotated[
        int,
        typer.Option(
            "--object-lock",
            metavar="DAYS",
            min=0,
            max=36_500,
            help="Also keep each checkpoint under the bucket's object lock, for so many days.",
        ),
    ] = 0,
    lock_mode: Annotated[
        LockMode, typer.Option("--object-lock-mode", help="Whether some may end the lock early.")
    ] = LockMode.COMPLIANCE,
    endpoint_url: Annotated[
        str,
        typer.Option("--endpoint-url", metavar="URL", help="Another store that speaks S3 [that of AWS]."),
    ] = "",
    format_: FormatOption = TableOrJson.TABLE,
) -> None:
    """Bring a copy of the log in object storage up to date.

    What is sealed is compacted first. Parquet files, tiles, checkpoints and segments that are new are sent, each
    verified by its checksum; what was replaced or erased is removed there. It may be interrupted at any time. A mirror
    of another history is never written over. Credentials are those of the environment, as for every AWS client.

    Example: solon log mirror s3://audit-logs/platform --delta --object-lock 365
    """
    from solon.cli.log import mirror as log_mirror

    raise typer.Exit(
        log_mirror.mirror(
            address,
            directory,
            delta=delta,
            segments=segments,
            lock_days=object_lock,
            lock_mode=lock_mode.value.upper(),
            endpoint=endpoint_url,
            format_=format_.value,
        )
    )
