"""solon log mirror: a copy of the log in object storage."""

from __future__ import annotations

from itertools import groupby
from urllib.parse import urlsplit

from solon.cli.errors import UsageError
from solon.cli.log import command as log
from solon.cli.log.rules import say
from solon.cli.progress import counting
from solon.decisions.log import reading
from solon.decisions.log.store import Log
from solon.decisions.mirror.address import Address, parse
from solon.decisions.mirror.run import Mirrored, Wanted
from solon.decisions.mirror.run import mirror as mirrored
from solon.decisions.mirror.s3 import S3
from solon.decisions.warehouse import compaction
from solon.report.check_report import plural
from solon.report.json import text

_SHOWN = 5


def mirror(
    address: str,
    directory: str | None,
    *,
    delta: bool,
    segments: bool,
    lock_days: int,
    lock_mode: str,
    endpoint: str,
    format_: str,
) -> int:
    if endpoint and (urlsplit(endpoint).scheme not in {"http", "https"} or not urlsplit(endpoint).hostname):
        raise UsageError(f"--endpoint-url {endpoint}: begins with https:// or http://")
    with log.worded():
        to = parse(address)
        with log.opened(directory) as found, counting("mirroring objects") as tell:
            compaction.compact(found)
            objects = S3(to, endpoint, lock_mode)
            done = mirrored(found, objects, str(to), Wanted(segments, delta, lock_days), tell)
            unsigned = sum(reading.size(place.segments) for place in found.shards()) - done.entries
            log.noted(found)
            _show(found, to, done, max(unsigned, 0), format_)
    return 0


def _show(found: Log, to: Address, done: Mirrored, unsigned: int, format_: str) -> None:
    if format_ == "json":
        held = [{"path": path, "until": until} for path, until in done.held]
        print(
            text(
                {
                    "schema": "solon.log-mirrored/v1",
                    "log": found.settings.name,
                    "mirror": str(to),
                    "entries": done.entries,
                    "unsigned": unsigned,
                    "uploaded": done.uploaded,
                    "bytes": done.bytes,
                    "removed": done.removed,
                    "locked": done.locked,
                    "held": held,
                    "delta_version": done.table,
                }
            ),
            end="",
        )
    else:
        table = f"; version {done.table} of the Delta table" if done.table is not None else ""
        removed = f", {done.removed:,} removed" if done.removed else ""
        locked = f", {done.locked:,} of them locked" if done.locked else ""
        print(
            f"{to}: {plural(done.entries, 'signed entry', 'signed entries')}; {plural(done.uploaded, 'object')} "
            f"written ({_size(done.bytes)}){locked}{removed}{table}"
        )
    if unsigned:
        say(
            f"{plural(unsigned, 'entry is', 'entries are')} in no checkpoint yet: `solon log checkpoint` signs"
        )
    for until, group in groupby(sorted(done.held, key=lambda each: each[1]), key=lambda each: each[1]):
        paths = [path for path, _ in group]
        named = ", ".join(paths[:_SHOWN]) + (", …" if len(paths) > _SHOWN else "")
        say(f"object lock keeps {plural(len(paths), 'object')} that should be gone until {until}: {named}")


def _size(count: int) -> str:
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024  # type: ignore[assignment]
    return f"{count:.1f} GiB"
