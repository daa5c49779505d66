"""What `solon quota` reserved, denied, and knows of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from solon.governance import times
from solon.governance.quota.reservation import LABEL, Reservation, State
from solon.report import json as check_json
from solon.report import table
from solon.report.check_report import CheckReport, plural
from solon.report.columns import aligned
from solon.report.text import printable

SCHEMA: Final = "solon.quota/v1"


@dataclass(frozen=True, slots=True)
class Row:
    """A reservation; ``running``: what it is for was seen to run."""

    reservation: Reservation
    running: bool

    @property
    def state(self) -> str:
        return "running" if self.running else self.reservation.state.value


def answer(format: str, report: CheckReport, reservation: Reservation | None) -> str:
    """What became of what was asked for."""
    if format == "json":
        return check_json.text(
            {
                "schema": SCHEMA,
                "reservation": None if reservation is None else _plain(Row(reservation, running=False)),
                "check": check_json.document(report),
            }
        )
    judged = table.render(report, width=100)
    if reservation is not None:
        return f"{judged}\n{_given(reservation)}"
    if any(decision.enforced or decision.errors for decision in report.decisions):
        return f"{judged}\nNothing is reserved.\n"
    return f"{judged}\nIt asks for no GPUs: nothing has to be reserved.\n"


def _given(reservation: Reservation) -> str:
    return (
        f"Reserved {_gpus(reservation.gpus)} of team {printable(reservation.team)} as {reservation.id} "
        f"for {printable(reservation.job)}, until {_time(reservation.expires)}.\n"
        f"Submit it with the label {LABEL}: {reservation.id}\n"
    )


def ended(reservation: Reservation) -> str:
    what = f"{reservation.id}: {_gpus(reservation.gpus)} of team {printable(reservation.team)}"
    if reservation.state is State.CONFIRMED:
        return f"{what} count as what runs from now on\n"
    return f"{what} are free\n"


def listing(format: str, rows: Sequence[Row]) -> str:
    if format == "json":
        return check_json.text({"schema": SCHEMA, "reservations": [_plain(row) for row in rows]})
    return "".join(f"{line}\n" for line in _table(rows))


_HEAD: Final = ("RESERVATION", "STATE", "GPUS", "TEAM", "JOB", "OWNER", "UNTIL")


def _table(rows: Sequence[Row]) -> Iterator[str]:
    if not rows:
        yield "Nothing is reserved."
        return
    yield from aligned([_HEAD, *(_cells(row) for row in rows)])
    held = [row.reservation.gpus for row in rows if row.state == State.RESERVED]
    yield ""
    yield f"{_gpus(sum(held))} in {plural(len(held), 'reservation')} that nothing runs for yet"


def _cells(row: Row) -> tuple[str, ...]:
    each = row.reservation
    return (
        each.id,
        row.state,
        str(each.gpus),
        printable(each.team),
        printable(each.job),
        printable(each.owner),
        _time(each.ended or each.expires),
    )


def _plain(row: Row) -> dict[str, Any]:
    each = row.reservation
    return {
        "id": each.id,
        "state": row.state,
        "team": each.team,
        "owner": each.owner,
        "job": each.job,
        "gpus": each.gpus,
        "label": {LABEL: each.id},
        "made": times.stamp(each.made),
        "expires": times.stamp(each.expires),
        "ended": None if each.ended is None else times.stamp(each.ended),
    }


def _gpus(count: int) -> str:
    return plural(count, "GPU")


def _time(at: datetime) -> str:
    return times.shown(at.replace(microsecond=0))
