"""What a policy repository has for break-glass: its settings, its keys and its ledger."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from solon.cli import config, key_files
from solon.cli.errors import Failure, UsageError
from solon.governance.breakglass import ledger
from solon.governance.breakglass.cases import AnyEvent
from solon.governance.breakglass.ledger import Book
from solon.governance.breakglass.settings import BreakglassSettings
from solon.governance.breakglass.token import Refused
from solon.report.text import printable, printable_lines

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

E = TypeVar("E", bound=AnyEvent)


@dataclass(frozen=True, slots=True)
class Repository:
    """Where a policy repository has the ledger and the public key."""

    settings: BreakglassSettings
    ledger: str
    public_key: str


def repository(found: config.Found | None = None) -> Repository:
    """That of a configuration, or of the one in this directory or above. Raises UsageError."""
    found = found or config.find(os.getcwd())
    if found is None:
        raise UsageError(
            "no solon.yaml here or above: run this in a policy repository (`solon init` writes one)"
        )
    settings = found.config.breakglass
    paths = found.paths([settings.ledger, settings.public_key])
    return Repository(settings, *paths)


def private_path(settings: BreakglassSettings, environ: Mapping[str, str]) -> str:
    named = environ.get(settings.private_key_env)
    if named:
        return named
    home = environ.get("XDG_CONFIG_HOME") or os.path.join(os.path.expanduser("~"), ".config")
    return os.path.join(home, "solon", "breakglass.pem")


def private_key(settings: BreakglassSettings) -> Ed25519PrivateKey:
    from solon.signing import keys

    path = private_path(settings, os.environ)
    hint = f"`solon breakglass keygen` writes one; {settings.private_key_env} says where it is"
    return key_files.read(path, keys.private_key, hint, private=True)


def public_key(at: Repository) -> Ed25519PublicKey:
    """Raises UsageError."""
    from solon.signing import keys

    return key_files.read(
        at.public_key, keys.public_key, "`solon breakglass keygen` writes one", private=False
    )


def read(at: Repository) -> Book:
    """The ledger; a torn line is said. Raises UsageError, and Failure where it is not as it was written."""
    try:
        book = ledger.read(at.ledger)
    except OSError as error:
        raise key_files.unusable(at.ledger, error) from None
    except Refused as refused:
        raise UsageError(str(refused)) from None
    if book.problems:
        told = "\n".join(printable(str(problem)) for problem in book.problems[:20])
        raise Failure(
            f"{told}\nThe ledger is not as it was written: take it from where it is still whole, such as git."
        )
    say_torn(book)
    return book


def say_torn(book: Book) -> None:
    if book.torn is not None:
        print(f"solon: {book.torn}", file=sys.stderr)


def record(at: Repository, decide: Callable[[Book], E]) -> E:
    def aloud(book: Book) -> E:
        say_torn(book)
        return decide(book)

    try:
        return ledger.record(at.ledger, aloud)
    except OSError as error:
        raise key_files.unusable(at.ledger, error) from None
    except Refused as refused:
        raise UsageError(str(refused)) from None


def actor(environ: Mapping[str, str]) -> str:
    """Who runs this, as far as can be told: the user of the CI system, of git, of the machine."""
    for name in ("GITHUB_ACTOR", "GITLAB_USER_LOGIN", "BUILD_USER_ID"):
        if environ.get(name):
            return environ[name]
    try:
        return git_user()
    except UsageError:
        return environ.get("USER") or f"user {os.getuid()}"


def git(directory: str, *arguments: str) -> bytes | None:
    """What git prints, or nothing where it fails."""
    try:
        run = subprocess.run(  # noqa: S603
            ["git", "-C", directory, *arguments],  # noqa: S607
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=60,
        )
    except (OSError, subprocess.TimeoutExpired, ValueError):
        return None
    return run.stdout if run.returncode == 0 else None


def git_user() -> str:
    """Raises UsageError."""
    name = (git(".", "config", "user.email") or b"").decode(errors="replace").strip()
    if not name:
        raise UsageError("who are you? git has no user.email here: say --by NAME")
    return name


def say(text: str) -> None:
    print(printable_lines(text), file=sys.stderr)
