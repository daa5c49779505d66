"""solon log report: what an auditor is shown."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any, Final

from solon.cli import config, policies
from solon.cli.errors import UsageError
from solon.cli.log.command import believed, checkpoints_of, opened, worded
from solon.cli.log.query import window
from solon.cli.progress import counting
from solon.decisions.audit import carriers, evidence, programme
from solon.decisions.audit.assessed import ALL, Audit, Kept, assessed
from solon.decisions.audit.carriers import Carrier
from solon.decisions.audit.evidence import Asked
from solon.decisions.audit.proofs import proofs
from solon.decisions.in_force import reading as in_force
from solon.decisions.in_force.events import Recorded
from solon.decisions.log import verify, witness
from solon.decisions.log.note import VerifierKey
from solon.decisions.log.store import Log
from solon.decisions.warehouse import lookup, session
from solon.decisions.warehouse.session import Limits, Session, Window
from solon.report import log_report, query_report
from solon.report.audit import readme
from solon.report.check_report import plural

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SAMPLE: Final = 25
_MODULES: Final = {"html": "html", "oscal": "oscal", "json": "document", "markdown": "markdown"}
_PACKED: Final = {"report.html": "html", "report.json": "document", "assessment-results.json": "oscal"}


@dataclass(frozen=True, slots=True)
class Options:
    directory: str | None
    controls: Sequence[str]
    from_: str | None
    to: str | None
    format: str
    output: str | None
    key: str | None
    checkpoints: Sequence[str]
    proofs: int
    events: bool
    verify: bool
    timeout: float
    memory: int


def report(options: Options) -> int:
    now = datetime.now(UTC)
    when = window(options.from_, options.to, now, "--from", "--to")
    packing = not options.format
    if packing and options.output:
        _free(options.output)
    limits = Limits(options.memory, options.timeout)
    with worded(), opened(options.directory) as log:
        key = believed(options.key) if options.key is not None else None
        kept = _kept(log, key, options)
        with _beside(options.output or ".", packing=packing) as work:
            written = os.path.join(work, "decisions.parquet") if packing else ""
            until = Window(None, when.until_us)
            recorded = in_force.entries(log)
            with (
                counting("reading entries") as tell,
                session.opened(
                    log, window=until, limits=limits, output=written, records=True, tell=tell
                ) as found,
            ):
                audit = _audit(found, options, when, now, kept, recorded)
                if packing:
                    _pack(work, log, found, audit, options)
            if packing:
                name = options.output or _free(_named(audit))
                os.rename(work, name)
                print(f"{name}: {plural(len(audit.controls), 'control')}, {_said(audit)}")
            else:
                _print(_rendered(options.format, audit), options.output)
    return 0 if audit.sound else 1


def _free(name: str) -> str:
    """Raises UsageError."""
    if os.path.lexists(name):
        raise UsageError(f"{name}: is there already: a pack goes into a new directory, --output DIR")
    return name


def _named(audit: Audit) -> str:
    """What a pack is called where nobody says."""
    controls = "-".join(audit.asked) or "all-controls"
    plain = re.sub(r"[^A-Za-z0-9._-]+", "_", controls).strip("_")[:80]
    return f"audit-{plain}-{audit.start:%Y-%m-%d}-{audit.end:%Y-%m-%d}"


def _said(audit: Audit) -> str:
    decisions = plural(sum(audit.evidence.outcomes.values()), "decision")
    if not audit.sound:
        return f"{decisions}: the log does not verify"
    missing = sum(not each.whole for each in audit.controls)
    return f"{decisions}: " + (
        f"the evidence of {missing:,} is not whole" if missing else "the evidence is whole"
    )


def _kept(log: Log, key: VerifierKey | None, options: Options) -> Kept:
    """The log as it is now. Raises LogError, OSError."""
    trusted = checkpoints_of(options.checkpoints)
    found = None
    if options.verify:
        with counting("verifying") as tell:
            found = verify.verify(log, key=key, trusted=trusted, progress=tell)
    from solon.decisions.log import reading

    return Kept(
        log.settings.name,
        str(key or log.key),
        key is None,
        found,
        len(found.outside) if found else 0,
        log.meta.checkpoint(key or log.key),
        [
            (place.name, reading.size(place.segments), place.checkpoint(key or log.key))
            for place in log.shards()
        ],
        witness.statuses(log),
    )


# --- what is looked at


def _audit(
    found: Session,
    options: Options,
    when: Window,
    now: datetime,
    kept: Kept,
    recorded: Sequence[Recorded],
) -> Audit:
    start_us, end_us = when.since_us, when.until_us
    if start_us is None:
        ((first,),) = found.all("SELECT epoch_us(min(time)) FROM decisions")
        begun = [first] if first is not None else []
        begun += [each.time_ns // 1_000 for each in recorded[:1]]
        start_us = min(begun, default=(now - timedelta(days=1) - _EPOCH) // timedelta(microseconds=1))
    if end_us is None:
        end_us = (now - _EPOCH) // timedelta(microseconds=1)
    recorded = [each for each in recorded if each.time_ns // 1_000 < end_us]
    known = programme.carriers(recorded, start_us, end_us) if recorded else _repository()
    carried = carriers.carrying(known, options.controls or (["*"] if any(c.controls for c in known) else []))
    everything = not options.controls
    wanted = known if everything else _distinct(each for group in carried.values() for each in group)
    if everything and not carried and known:
        carried = {ALL: list(known)}
    asked = Asked(
        sorted({each.policy_set for each in wanted}),
        sorted({each.policy for each in wanted}),
        start_us,
        end_us,
        everything,
    )
    return assessed(
        options.controls,
        _EPOCH + timedelta(microseconds=start_us),
        _EPOCH + timedelta(microseconds=end_us),
        now,
        kept,
        carried,
        wanted,
        evidence.gathered(found, asked),
        recorded=recorded,
    )


def _distinct(found: Iterable[Carrier]) -> list[Carrier]:
    return list({(each.place, each.policy_set, each.policy): each for each in found}.values())


def _repository() -> list[Carrier]:
    """The policies of solon.yaml; none where there is none. Raises UsageError, Failure."""
    found = config.find(os.getcwd())
    if found is None or not found.config.policies:
        return []
    return carriers.of_repository(policies.load(policies.of_repository(found)))


# --- what is written


def _rendered(name: str, audit: Audit) -> str:
    text: str = import_module(f"solon.report.audit.{_MODULES.get(name, name)}").render(audit)
    return text


def _print(text: str, output: str | None) -> None:
    if output is None:
        sys.stdout.write(text)
        return
    with open(output, "w", encoding="utf-8") as file:
        file.write(text)


@contextmanager
def _beside(name: str, *, packing: bool) -> Iterator[str]:
    """A directory beside the one that is to be, removed where that does not come about; none without a pack."""
    if not packing:
        yield ""
        return
    work = tempfile.mkdtemp(prefix=".solon-", dir=os.path.dirname(os.path.abspath(name)))
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _pack(work: str, log: Log, found: Session, audit: Audit, options: Options) -> None:
    """The files of a pack. Raises LogError, OSError."""
    write = _writer(work)
    for name, module in _PACKED.items():
        write(name, [_rendered(module, audit)])
    found.write_parquet(evidence.extract())
    answer = found.ask(evidence.extract())
    write("decisions.csv", query_report.render("csv", answer.columns, answer.rows, width=0))
    write("log.pub", [f"{audit.kept.key}\n"])
    if audit.kept.meta is not None:
        write("checkpoints/meta.txt", [audit.kept.meta.text])
    for name, _, signed in audit.kept.shards:
        if signed is not None:
            write(f"checkpoints/{name}.txt", [signed.text])
    if audit.kept.verified is not None:
        said = log_report.verification(
            "json", log, audit.kept.verified, own_key=audit.kept.own_key, kept=audit.kept.compared
        )
        write("verification.json", [said])
    counted = {}
    for name, keys in _chosen(log, found, audit, options.proofs).items():
        texts = list(proofs(log, keys, events=options.events))
        if texts:
            write(f"proofs/{name}.tlog-proof", texts)
        counted[f"proofs/{name}.tlog-proof"] = len(keys), len(texts)
    write("README.md", [readme.render(audit, _totals(audit, counted), events=options.events)])
    write("SHA256SUMS", list(_sums(work)))


def _chosen(log: Log, found: Session, audit: Audit, limit: int) -> dict[str, list[tuple[str, int]]]:
    chosen = evidence.exceptions(found, limit)
    incidents = [place for each in audit.evidence.incidents for place in lookup.find(log, each.id)]
    chosen["incidents"] = [(place.name, stored.index) for place, stored in incidents][:limit]
    chosen["programme"] = [(each["shard"], each["index"]) for each in audit.changes][:limit]
    chosen["sample"] = evidence.sampled(found, min(_SAMPLE, limit)) if limit else []
    return chosen


def _totals(audit: Audit, counted: Mapping[str, tuple[int, int]]) -> dict[str, tuple[int, int]]:
    """By file: how many entries there are of the kind, and how many of them have a proof."""
    counts = audit.evidence.counts
    known = {
        "denials": counts["denials"],
        "waived": counts["waived"],
        "breakglass": counts["breakglass"],
        "errors": counts["errors"],
        "programme": len(audit.changes),
        "incidents": len(audit.evidence.incidents),
        "sample": sum(audit.evidence.outcomes.get(word, 0) for word in ("allow", "warn")),
    }
    return {
        name: (known[name.removeprefix("proofs/").removesuffix(".tlog-proof")], have)
        for name, (_, have) in counted.items()
        if have
    }


def _writer(work: str) -> Callable[[str, Iterable[str]], Any]:
    def write(name: str, pieces: Iterable[str]) -> None:
        path = os.path.join(work, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8", newline="") as file:
            file.writelines(pieces)

    return write


def _sums(work: str) -> Iterator[str]:
    for directory, _, names in sorted(os.walk(work)):
        for name in sorted(names):
            path = os.path.join(directory, name)
            with open(path, "rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            yield f"{digest}  {os.path.relpath(path, work)}\n"
