"""solon breakglass: keys, tokens and reviews."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from solon.cli import config, key_files
from solon.cli.breakglass import override
from solon.cli.breakglass.repository import (
    Repository,
    git,
    git_user,
    private_key,
    private_path,
    public_key,
    read,
    record,
    repository,
    say,
)
from solon.cli.errors import Failure, UsageError
from solon.governance.breakglass import ledger, rules
from solon.governance.breakglass.cases import Opened
from solon.governance.breakglass.ledger import Book
from solon.governance.breakglass.settings import BreakglassSettings
from solon.governance.breakglass.token import Claims, Refused, digest, issue, verify
from solon.governance.breakglass.use import unusable
from solon.governance.scope import Scope
from solon.governance.times import shown
from solon.report import breakglass_report as report
from solon.report.breakglass_report import BreakglassReport
from solon.report.text import printable

_SCOPE_KEYS: Final = ("team", "namespace", "environment", "cluster", "resource", "subject")


def keygen(private: str | None, public: str | None) -> int:
    """Write a key pair; no file that exists is touched. Raises UsageError."""
    found = config.find(os.getcwd())
    settings = found.config.breakglass if found else BreakglassSettings()
    private = private or private_path(settings, os.environ)
    public = public or (found.paths([settings.public_key])[0] if found else settings.public_key)
    key_files.write_pair(private, public)
    print(f"Wrote {private}: the private key. Who has it can open break-glass tokens; keep it out of git.")
    print(f"Wrote {public}: the public key. Commit it, and let CODEOWNERS say who may change it.")
    if os.path.abspath(private) != os.path.abspath(private_path(settings, os.environ)):
        print(
            f"`solon breakglass open` finds the private key by {settings.private_key_env}={os.path.abspath(private)}"
        )
    return 0


@dataclass(frozen=True, slots=True)
class Opening:
    reason: str
    ticket: str
    scope: list[str]
    policies: list[str]
    minutes: int
    by: str | None


def open_(options: Opening) -> int:
    """Print a new token, once it stands in the ledger. Raises UsageError."""
    at = repository()
    key = private_key(at.settings)
    if key.public_key() != public_key(at):
        raise UsageError(
            f"the private key is not the one that {at.public_key} belongs to: no check would take the token"
        )
    request = rules.Request(
        by=options.by or git_user(),
        reason=options.reason,
        ticket=options.ticket,
        scope=scope_of(options.scope),
        policies=options.policies,
        minutes=options.minutes,
    )
    tokens: list[str] = []

    def decide(book: Book) -> Opened:
        id = f"bg-{secrets.token_hex(6)}"
        claims = rules.opening(request, book.cases, at.settings, datetime.now(UTC), id)
        tokens.append(issue(claims, key))
        return rules.opened(claims, tokens[0])

    opened = record(at, decide)
    say(
        f"{opened.id} is valid until {shown(opened.expires)}, for {opened.scope}; policies {', '.join(opened.policies)}.\n"
        f"{at.ledger} has it now: commit and push that line, as a check refuses a token that is not in the ledger.\n"
        f"Use it: {override.VARIABLE}=TOKEN solon check ..., or --break-glass @FILE. That raises an alarm, and opens a review.\n"
        f'Somebody else closes the review: solon breakglass close {opened.id} --outcome "..."'
    )
    print(tokens[0])
    return 0


def check(base: str | None, format: str) -> int:
    """1 while a review is open. Raises UsageError, Failure."""
    at = repository()
    if base is not None:
        _compare(at, base)
    told = BreakglassReport(list(read(at).cases.values()), at.settings, datetime.now(UTC))
    due = told.to_review
    if format == "json":
        _print(report.json_of(told, due, ok=not due))
    else:
        _print(report.table(told, due) if due else f"Nothing to review · {told.summary}\n")
    return 1 if due else 0


def list_(format: str) -> int:
    """Raises UsageError, Failure."""
    at = repository()
    told = BreakglassReport(list(read(at).cases.values()), at.settings, datetime.now(UTC))
    _print(report.json_of(told, told.cases) if format == "json" else report.table(told, told.cases))
    return 0


def show(id: str, format: str) -> int:
    """Raises UsageError, Failure."""
    at = repository()
    try:
        case = rules.found(id, read(at).cases)
    except Refused as refused:
        raise UsageError(str(refused)) from None
    told = BreakglassReport([case], at.settings, datetime.now(UTC))
    _print(report.json_of(told, [case]) if format == "json" else report.details(told, case))
    return 0


def close(id: str, outcome: str, by: str | None) -> int:
    """Raises UsageError."""
    at = repository()
    name = by or git_user()
    closed = record(at, lambda book: rules.closing(id, name, outcome, book.cases, datetime.now(UTC)))
    print(
        f"{closed.id} is closed, reviewed by {closed.by}. Commit and push the line that {at.ledger} has now."
    )
    return 0


def verify_(token: str, format: str) -> int:
    """0 when the token can be used now, 1 when it cannot. Raises UsageError, Failure."""
    at = repository()
    given = override.given([token], sys.stdin.buffer.read)
    if len(given) != 1:
        raise UsageError(f"one token is verified at a time, and here are {len(given)}")
    claims: Claims | None = None
    try:
        claims = verify(given[0], public_key(at))
        problem = unusable(claims, digest(given[0]), at.settings, read(at).cases, datetime.now(UTC))
    except Refused as refused:
        problem = str(refused)
    _print(report.verdict_json(claims, problem) if format == "json" else report.verdict(claims, problem))
    return 1 if problem else 0


def _compare(at: Repository, base: str) -> None:
    """Raises Failure where lines that the ledger had at a revision of git are missing."""
    directory, name = os.path.split(os.path.abspath(at.ledger))
    if (
        base.startswith("-")
        or git(directory, "rev-parse", "--verify", "--quiet", f"{base}^{{commit}}") is None
    ):
        raise UsageError(f"--base {base}: no such revision in the git repository of {at.ledger}")
    earlier = git(directory, "show", f"{base}:./{name}")
    if not earlier:
        return  # no ledger there yet
    try:
        with open(at.ledger, "rb") as file:
            present = file.read(ledger.MAX_BYTES)
    except FileNotFoundError:
        present = b""
    except OSError as error:
        raise key_files.unusable(at.ledger, error) from None
    missing = ledger.missing_from(present, earlier, at.ledger, base)
    if missing is not None:
        raise Failure(printable(str(missing)))


def scope_of(given: Sequence[str]) -> Scope:
    """``team=payments``, ``labels.tier=gold``; one key several times is one of these. Raises UsageError."""
    fields: dict[str, list[str]] = {}
    labels: dict[str, list[str]] = {}
    for text in given:
        name, sign, glob = text.partition("=")
        table, _, label = name.partition(".")
        if not sign or not glob:
            raise UsageError(f"--scope {text}: write KEY=GLOB, such as team=payments")
        if label and table == "labels":
            labels.setdefault(label, []).append(glob)
        elif name in _SCOPE_KEYS:
            fields.setdefault(name, []).append(glob)
        else:
            known = ", ".join([*_SCOPE_KEYS, "labels.NAME"])
            raise UsageError(f"--scope {text}: unknown key {name!r}: known are {known}")
    said = _one_or_many(fields) | ({"labels": _one_or_many(labels)} if labels else {})
    return msgspec.convert(said, Scope)


def _one_or_many(globs: dict[str, list[str]]) -> dict[str, Any]:
    return {name: many[0] if len(many) == 1 else many for name, many in globs.items()}


def _print(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
