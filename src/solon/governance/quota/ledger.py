"""The ledger of reservations: one SQLite file, in which one judges and reserves at a time.

Every access begins with a lock for writing, holds it while what is asked is judged, and ends what is over by now. So two
that ask at the same moment are judged one after the other, and the second knows of the first. Whoever dies in between
has reserved nothing; whoever dies afterwards frees it when time is over.

It lies on a local disk: file systems of a network may grant one lock twice.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from solon.governance.quota.reservation import Reservation, State

WAIT: Final = 60.0  # seconds, for those who came before
KEPT: Final = timedelta(days=30)  # what has ended is kept for so long
_APPLICATION: Final = 0x536F_6C51  # marks the file as ours
_VERSION: Final = 1
_TABLE: Final = """
CREATE TABLE reservations (
    id TEXT PRIMARY KEY, team TEXT NOT NULL, owner TEXT NOT NULL, job TEXT NOT NULL, gpus INTEGER NOT NULL,
    documents BLOB NOT NULL, made INTEGER NOT NULL, renewed INTEGER NOT NULL, length INTEGER NOT NULL,
    state TEXT NOT NULL, ended INTEGER
)
"""
_COLUMNS: Final = "id, team, owner, job, gpus, documents, made, renewed, length, state, ended"

# Judges, knowing what is reserved and the time: the new reservation, or None where it is denied.
Judge = Callable[[Sequence[Reservation], datetime], Reservation | None]


class LedgerError(Exception):
    """What is wrong with the ledger, or what was asked of it, in one line."""


class Ledger:
    """Opened for each access, and closed after it. ``clock`` is asked once the lock is held. All raise LedgerError.

    ``created``: there was none, and the first access has made it.
    """

    def __init__(self, path: str, clock: Callable[[], datetime], wait: float = WAIT) -> None:
        self.path = path
        self._clock = clock
        self._wait = wait
        self.created = False

    def reserve(self, judge: Judge) -> Reservation | None:
        """Reserve what ``judge`` gives. Nobody else reserves until it is written down."""
        with self._locked() as (database, now):
            found = judge(_read(database, "WHERE state = 'reserved' ORDER BY made, id"), now)
            if found is not None:
                database.execute(
                    "INSERT INTO reservations VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)",
                    (
                        found.id,
                        found.team,
                        found.owner,
                        found.job,
                        found.gpus,
                        msgspec.json.encode(found.documents),
                        _micros(found.made),
                        _micros(found.made),
                        found.length // timedelta(microseconds=1),
                        found.state.value,
                    ),
                )
            return found

    def all(self) -> list[Reservation]:
        """Those that hold, and those that ended not long ago."""
        with self._locked() as (database, _):
            return _read(database, "ORDER BY made, id")

    def renew(self, id: str) -> bool:
        """Let it hold for its whole length from now on; whether it still held."""
        with self._locked() as (database, now):
            done = database.execute(
                "UPDATE reservations SET renewed = ? WHERE id = ? AND state = 'reserved'", (_micros(now), id)
            )
            return done.rowcount == 1

    def end(self, id: str, state: State) -> Reservation:
        """Confirm or release it; once more is no error. What has ended otherwise is one."""
        with self._locked() as (database, now):
            found = _read(database, "WHERE id = ?", id)
            if not found:
                raise LedgerError(f"{id}: no such reservation in {self.path}")
            only = found[0]
            if only.state is State.RESERVED:
                database.execute(
                    "UPDATE reservations SET state = ?, ended = ? WHERE id = ?",
                    (state.value, _micros(now), id),
                )
            elif only.state is not state:
                raise LedgerError(f"{id}: has {_PAST[only.state]} already")
            return _read(database, "WHERE id = ?", id)[0]

    @contextmanager
    def _locked(self) -> Iterator[tuple[sqlite3.Connection, datetime]]:
        try:
            os.makedirs(os.path.dirname(self.path) or ".", exist_ok=True)
            database = sqlite3.connect(self.path, timeout=self._wait, isolation_level=None)
        except (OSError, sqlite3.Error) as error:
            raise LedgerError(f"{self.path}: {_worded(error)}") from None
        try:
            database.execute("BEGIN IMMEDIATE")
            self._made(database)
            now = self._clock()
            _settle(database, now)
            yield database, now
            database.execute("COMMIT")
        except sqlite3.Error as error:
            raise LedgerError(f"{self.path}: {_worded(error)}") from None
        finally:
            database.close()  # what is not committed is undone

    def _made(self, database: sqlite3.Connection) -> None:
        application, version = _pragma(database, "application_id"), _pragma(database, "user_version")
        if (application, version) == (_APPLICATION, _VERSION):
            return
        if application == _APPLICATION:
            raise LedgerError(
                f"{self.path}: of another version of Solon ({version}; this one knows {_VERSION})"
            )
        if application or database.execute("SELECT 1 FROM sqlite_master").fetchone():
            raise LedgerError(f"{self.path}: a database of something else, no ledger of reservations")
        database.execute(_TABLE)
        database.execute(f"PRAGMA application_id = {_APPLICATION}")
        database.execute(f"PRAGMA user_version = {_VERSION}")
        self.created = True


def _settle(database: sqlite3.Connection, now: datetime) -> None:
    """End what is over. Once seen to be over it stays so, whatever the clock says later.

    What was made in the future was made when the clock was wrong: from now on it holds for its length, and no longer.
    """
    at = _micros(now)
    database.execute(
        "UPDATE reservations SET made = min(made, :at), renewed = :at WHERE state = 'reserved' AND renewed > :at",
        {"at": at},
    )
    database.execute(
        "UPDATE reservations SET state = 'expired', ended = renewed + length "
        "WHERE state = 'reserved' AND renewed + length <= ?",
        (at,),
    )
    database.execute("DELETE FROM reservations WHERE ended < ?", (_micros(now - KEPT),))


def _read(database: sqlite3.Connection, which: str, *values: Any) -> list[Reservation]:
    rows = database.execute(f"SELECT {_COLUMNS} FROM reservations {which}", values)  # noqa: S608 - our own words
    return [_reservation(row) for row in rows]


def _reservation(row: Sequence[Any]) -> Reservation:
    id, team, owner, job, gpus, documents, made, renewed, length, state, ended = row
    return Reservation(
        id=id,
        team=team,
        owner=owner,
        job=job,
        gpus=gpus,
        documents=msgspec.json.decode(documents),
        made=_time(made),
        expires=_time(renewed + length),
        length=timedelta(microseconds=length),
        state=State(state),
        ended=None if ended is None else _time(ended),
    )


_PAST: Final = {
    State.CONFIRMED: "been confirmed",
    State.RELEASED: "been released",
    State.EXPIRED: "expired",
}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def _micros(time: datetime) -> int:
    return (time - _EPOCH) // timedelta(microseconds=1)


def _time(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)


def _pragma(database: sqlite3.Connection, name: str) -> int:
    return int(database.execute(f"PRAGMA {name}").fetchone()[0])


def _worded(error: OSError | sqlite3.Error) -> str:
    if isinstance(error, OSError):
        return (error.strerror or str(error)).lower()
    if "locked" in str(error):
        return "busy: others have been reserving for a minute (try again)"
    return str(error)
