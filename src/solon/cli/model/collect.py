"""solon model collect: a release directory in, its evidence out."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from uuid import uuid4

import msgspec
import orjson

from solon.cli import key_files
from solon.cli.errors import UsageError
from solon.cli.model import key, releases
from solon.cli.writing import placed
from solon.evidence import digests, document
from solon.evidence.admission import SIGNATURE_FILE, SIGNATURE_TYPE, collected_by
from solon.evidence.collector import Given, Operator, Progress, silent
from solon.evidence.document import NAMES, Evidence
from solon.evidence.gathering import gather
from solon.evidence.supply import bom
from solon.report import evidence_report
from solon.subjects import discover
from solon.subjects.ml_release import EVIDENCE_FILE

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

BOM_FILE: Final = "ml-bom.cdx.json"


@dataclass(frozen=True, slots=True)
class Options:
    release: str
    only: Sequence[str]
    data: str
    predictor: str
    baseline_predictor: str
    signers: list[str]
    vulnerabilities: str
    key: str | None
    output: str | None
    timeout: float
    format: str


@dataclass(frozen=True, slots=True)
class Collected:
    """``document`` is the evidence as it was written, ``written`` the names of the files."""

    evidence: Evidence
    document: bytes
    written: Sequence[str]

    @property
    def failed(self) -> bool:
        """Whether some evidence could not be had."""
        items = [getattr(self.evidence.evidence, name) for name in NAMES]
        return any(item is not None and item.status == "error" for item in items)


def run(options: Options) -> int:
    """The exit status. Raises UsageError, Failure."""
    done = collected(options)
    if options.format == "json":
        sys.stdout.write(done.document.decode())
    else:
        sys.stdout.write(evidence_report.table(done.evidence, width=width(), written=done.written))
    return 2 if done.failed else 0


def width() -> int:
    """Of the lines to write: those of the terminal, where there is one."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else evidence_report.WIDEST


def collected(options: Options) -> Collected:
    """The evidence, once it is written. Raises UsageError, Failure."""
    said = key.settings()
    private = key.private_key(options.key, said)
    found = releases.find(options.release)
    if options.data and not os.path.isdir(options.data):
        raise UsageError(f"{options.data}: no such directory (--data names where tables lie)")
    target = options.output or found.evidence
    before = _before(target, private) if options.only else None
    with progress_shown() as progress:
        given = Given(
            release=found.release,
            root=found.directory,
            model=found.model(),
            now=datetime.now(UTC),
            operator=Operator(
                predictor=_command(options.predictor),
                baseline_predictor=_command(options.baseline_predictor),
                keys=options.signers or said.signers,
                vulnerabilities=options.vulnerabilities or said.vulnerabilities,
                timeout=options.timeout,
            ),
            data=options.data,
            progress=progress,
        )
        if before is None:  # what somebody left there must not be taken for what could not be gathered
            _write(os.path.dirname(target) or ".", {os.path.basename(target): None, SIGNATURE_FILE: None})
        evidence = gather(given, options.only, before)
    data = document.encoded(evidence)
    materials = orjson.dumps(bom.document(evidence, given.now, uuid4()), option=orjson.OPT_INDENT_2) + b"\n"
    files: dict[str, bytes | None] = {
        os.path.basename(target): data,
        BOM_FILE: materials,
        SIGNATURE_FILE: None,
    }
    if private is not None:
        from solon.signing.dsse import sign, statement

        digest = digests.of_bytes(data)
        files[SIGNATURE_FILE] = sign(statement({EVIDENCE_FILE: digest}, SIGNATURE_TYPE, {}), private)
    _write(os.path.dirname(target) or ".", files)
    return Collected(evidence, data, [name for name, text in files.items() if text])


def _command(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise UsageError(f"{text!r}: is no command: {str(error).lower()}") from None


def _before(path: str, key: Ed25519PrivateKey | None) -> Evidence | None:
    """The evidence that is there, to keep the parts that are not gathered anew. Raises UsageError.

    What is signed now must have been signed before: else anybody's parts would be vouched for.
    """
    try:
        with open(path, "rb", opener=discover.regular) as file:
            found = msgspec.json.decode(file.read(), type=Evidence)
        if key is not None and not (by := collected_by(path, [key.public_key()]))["verified"]:
            raise UsageError(f"{path}: {by['problem']}: to sign it, gather all of it anew, without --only")
        return found
    except FileNotFoundError:
        return None
    except OSError as error:
        raise key_files.unusable(path, error) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(
            f"{path}: is no evidence to add to: {error}. Gather all of it anew, without --only"
        ) from None


def _write(directory: str, files: Mapping[str, bytes | None]) -> None:
    """Each whole or not at all; None: it is taken away."""
    for name, data in files.items():
        path = os.path.join(directory, name)
        if data is not None:
            placed(path, data)
            continue
        try:
            with suppress(FileNotFoundError):
                os.unlink(path)
        except OSError as error:
            raise key_files.unusable(path, error) from None


@contextmanager
def progress_shown() -> Iterator[Progress]:
    """What is being done, on standard error, where a person looks at it."""
    if not sys.stderr.isatty():
        yield silent
        return

    def show(doing: str, done: int, of: int) -> None:
        count = f" {done + 1} of {of}" if of else ""
        sys.stderr.write(f"\r\x1b[K{doing}{count} …")
        sys.stderr.flush()

    try:
        yield show
    finally:
        sys.stderr.write("\r\x1b[K")
