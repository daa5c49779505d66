"""Files with keys: the private one readable by its owner alone, and none ever overwritten."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from typing import Final, TypeVar

from solon.cli.errors import UsageError

K = TypeVar("K")

_MAX_KEY: Final = 1 << 16


def read(path: str, load: Callable[[bytes], K], hint: str, *, private: bool) -> K:
    """The key of a file, by a function of ``solon.signing.keys``. Raises UsageError."""
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
        raise unusable(path, error) from None
    except ValueError as error:
        raise UsageError(f"{path}: {error} ({hint})") from None


def write_pair(private: str, public: str) -> None:
    """Write a new Ed25519 key pair. Raises UsageError."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from solon.signing import keys

    for path in (private, public):
        if os.path.lexists(path):
            raise UsageError(
                f"{path} exists already, and is left as it is: name another file, or move it away"
            )
    private_pem, public_pem = keys.pem_of(Ed25519PrivateKey.generate())
    _write_new(private, private_pem, 0o600)
    try:
        _write_new(public, public_pem, 0o644)
    except UsageError:
        os.unlink(private)
        raise


def unusable(path: str, error: OSError) -> UsageError:
    return UsageError(f"{path}: {(error.strerror or str(error)).lower()}")


def _write_new(path: str, data: bytes, mode: int) -> None:
    try:
        os.makedirs(os.path.dirname(path) or ".", mode=0o700, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(descriptor)
    except OSError as error:
        raise unusable(path, error) from None
