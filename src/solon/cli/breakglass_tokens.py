"""What commands know of break-glass: the keys and the ledger of a repository, and the tokens that a check is given."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, TypeVar

from solon.cli import config
from solon.cli.errors import Failure, UsageError
from solon.decisions.decision import Decision
from solon.governance.breakglass import ledger
from solon.governance.breakglass.cases import AnyEvent
from solon.governance.breakglass.ledger import Book
from solon.governance.breakglass.settings import BreakglassSettings
from solon.governance.breakglass.token import MAX_LENGTH, Refused
from solon.governance.breakglass.use import Grant, Unusable, out_of_scope, passed_by, use, verified
from solon.report.text import printable, printable_lines

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

K = TypeVar("K")
E = TypeVar("E", bound=AnyEvent)

VARIABLE: Final = "SOLON_BREAKGLASS"
_MAX_KEY: Final = 1 << 16
_MAX_TEXT: Final = 20 * (MAX_LENGTH + 2)  # twenty tokens


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
    from solon.governance.breakglass import keys

    path = private_path(settings, os.environ)
    hint = f"`solon breakglass keygen` writes one; {settings.private_key_env} says where it is"
    return _key(path, keys.private_key, hint, private=True)


def public_key(at: Repository) -> Ed25519PublicKey:
    """Raises UsageError."""
    from solon.governance.breakglass import keys

    return _key(at.public_key, keys.public_key, "`solon breakglass keygen` writes one", private=False)


def _key(path: str, load: Callable[[bytes], K], hint: str, *, private: bool) -> K:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise UsageError(f"{path}: is no file ({hint})")
            if private and status.st_mode & 0o077:
                raise UsageError(f"{path}: a private key that others may read (chmod 600 {path})")
            return load(file.read(_MAX_KEY))
    except FileNotFoundError:
        raise UsageError(f"{path}: no such key ({hint})") from None
    except OSError as error:
        raise unusable_file(path, error) from None
    except ValueError as error:
        raise UsageError(f"{path}: {error}") from None


def unusable_file(path: str, error: OSError) -> UsageError:
    return UsageError(f"{path}: {(error.strerror or str(error)).lower()}")


def read(at: Repository) -> Book:
    """The ledger; a torn line is said. Raises UsageError, and Failure where it is not as it was written."""
    try:
        book = ledger.read(at.ledger)
    except OSError as error:
        raise unusable_file(at.ledger, error) from None
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
        raise unusable_file(at.ledger, error) from None
    except Refused as refused:
        raise UsageError(str(refused)) from None


def given_tokens(options: Iterable[str], stdin: Callable[[int], bytes]) -> list[str]:
    """The tokens that options name: each a token, @FILE, or - for standard input. Raises UsageError."""
    found: list[str] = []
    for option in options:
        if option == "-":
            text = _decoded("standard input", stdin(_MAX_TEXT + 1))
        elif option.startswith("@"):
            try:
                with open(option[1:], "rb") as file:
                    text = _decoded(option[1:], file.read(_MAX_TEXT + 1))
            except OSError as error:
                raise unusable_file(option[1:], error) from None
        else:
            text = option
        if not text.split():
            raise UsageError("a break-glass token was announced, and is empty")
        found += text.split()
    return found


def _decoded(name: str, data: bytes) -> str:
    if len(data) > _MAX_TEXT:
        raise UsageError(f"{name}: is too long to hold break-glass tokens")
    try:
        return data.decode("ascii")
    except UnicodeDecodeError:
        raise UsageError(f"{name}: holds no break-glass token") from None


def grants(tokens: Sequence[str], at: Repository, now: datetime) -> list[Grant]:
    """What the tokens allow. Raises UsageError where one cannot be used, saying why; Failure as ``read``."""
    if not tokens:
        return []
    results = verified(tokens, at.settings, public_key(at), read(at).cases, now)
    if problems := [printable(str(result)) for result in results if isinstance(result, Unusable)]:
        raise UsageError("; ".join(problems))
    return [result for result in results if isinstance(result, Grant)]


def actor(environ: Mapping[str, str]) -> str:
    """Who runs this, as far as can be told: the user of the CI system, of git, of the machine."""
    for name in ("GITHUB_ACTOR", "GITLAB_USER_LOGIN", "BUILD_USER_ID"):
        if environ.get(name):
            return environ[name]
    try:
        return git_user()
    except UsageError:
        return environ.get("USER") or f"user {os.getuid()}"


def settle(
    at: Repository,
    grants: Sequence[Grant],
    decisions: Iterable[Decision],
    notify: Callable[[str, str, str], None] | None = None,
) -> list[str]:
    """Write down what the grants let through, and raise the alarm. Raises UsageError where that cannot be done.

    What is wrong with tokens is returned: those that cover nothing of what is denied.
    """

    def alarm(title: str, body: str, kind: str) -> None:
        say(f"ALARM  {title}\n{body}")
        if notify is not None:
            notify(title, body, kind)

    seen = list(decisions)
    passed = passed_by(finding for decision in seen for finding in decision.overridden)
    for grant in grants:
        if grant.id not in passed:
            continue
        try:
            use(at.ledger, grant, passed[grant.id], by=actor(os.environ), now=datetime.now(UTC), alarm=alarm)
        except OSError as error:
            raise unusable_file(at.ledger, error) from None
        except Refused as refused:
            raise UsageError(str(refused)) from None
    denied = any(decision.enforced for decision in seen)
    return [str(out_of_scope(grant)) for grant in grants if denied and grant.id not in passed]


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
