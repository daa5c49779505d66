"""solon model verify: whether these files were let pass, by the attestation that lies beside them."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime

import msgspec

from solon.cli import key_files
from solon.cli.errors import UsageError
from solon.cli.model import key, releases
from solon.decisions.attestation import FILE, Attestation, attested, differences
from solon.report.text import printable
from solon.signing.dsse import MAX_BYTES, NotVerified
from solon.subjects import discover, ml_release


class Verdict(msgspec.Struct, frozen=True, omit_defaults=True):
    """``problems`` are why the files may not go, each in a line."""

    passed: bool
    problems: list[str]
    decision: Attestation


def run(release: str, keys: list[str], environment: str, format_: str) -> int:
    """The exit status. Raises UsageError, Failure."""
    found = releases.find(release)
    path = os.path.join(found.directory, FILE)
    said = _attestation(path, keys or [key.settings().gate])
    declared = found.release
    problems: list[str] = []
    if said.uri != ml_release.uri(declared.registry, declared.name, declared.version):
        problems.append(f"it is about {said.uri}")
    if not said.passed:
        problems.append(
            f"the decision was {said.outcome}: {said.findings[0].message}" if said.findings else "denied"
        )
    if environment and said.environment != environment:
        problems.append(
            f"it was judged for {said.environment or 'no environment'}, and not for {environment}"
        )
    if not said.is_current(datetime.now(UTC)):
        problems.append(f"it held until {said.expires}")
    problems += differences(said, {file.path: file.digest for file in found.model().files})
    verdict = Verdict(not problems, problems, said)
    if format_ == "json":
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(verdict), indent=2).decode() + "\n")
    else:
        print(_told(verdict))
    return 0 if verdict.passed else 1


def _attestation(path: str, keys: list[str]) -> Attestation:
    """What a trusted key says. Raises UsageError."""
    from solon.signing.dsse import verify

    trusted = key.public_keys(keys)
    try:
        with open(path, "rb", opener=discover.regular) as file:
            statement, _ = verify(file.read(MAX_BYTES + 1), trusted)
        return attested(statement)
    except FileNotFoundError:
        raise UsageError(f"{path}: no decision lies beside the model: solon model gate --key FILE") from None
    except OSError as error:
        raise key_files.unusable(path, error) from None
    except NotVerified as error:
        raise UsageError(f"{path}: {error}") from None


def _told(verdict: Verdict) -> str:
    said = verdict.decision
    name = printable(said.uri)
    if not verdict.passed:
        return "\n".join([f"✗ {name} may not go:", *(f"    {printable(each)}" for each in verdict.problems)])
    until = f", holds until {said.expires}" if said.expires else ""
    place = f" for {printable(said.environment)}" if said.environment else ""
    return f"✓ {name}: {said.outcome}{place} at {said.time}{until} · decision {said.decision_id}"
