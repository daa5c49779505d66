"""Files that are written whole: nobody reads half of one, and a failure leaves what was there."""

from __future__ import annotations

import os
import tempfile

from solon.cli.errors import UsageError


def replaced(path: str, data: bytes) -> None:
    """Write a file, and the directories around it, in place of one that may be there. Raises UsageError.

    Who may read a file that is there stays as it is.
    """
    real = os.path.realpath(path)
    try:
        os.makedirs(os.path.dirname(real), exist_ok=True)
        mode = os.stat(real).st_mode & 0o777 if os.path.exists(real) else 0o666 & ~_mask()
        _write(real, data, mode)
    except OSError as error:
        raise UsageError(f"{path}: {(error.strerror or str(error)).lower()}") from None


def placed(path: str, data: bytes) -> None:
    """Write a file in a directory that others made. Raises UsageError.

    A symbolic link that bears its name is replaced, not followed: they do not say where else something is written.
    """
    try:
        _write(path, data, 0o644)
    except OSError as error:
        raise UsageError(f"{path}: {(error.strerror or str(error)).lower()}") from None


def _write(path: str, data: bytes, mode: int) -> None:
    descriptor, temporary = tempfile.mkstemp(dir=os.path.dirname(path) or ".", prefix=".solon-")
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except OSError:
        os.unlink(temporary)
        raise


def _mask() -> int:
    found = os.umask(0o077)
    os.umask(found)
    return found
