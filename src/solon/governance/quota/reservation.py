"""A reservation: workloads that may be submitted, and hold their share of a quota until they are, or time is over.

Policies see one as the workloads themselves, in ``data.inventory`` beside what runs. So a quota that counts workloads counts
reservations, whatever language it is written in.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from solon.governance import times
from solon.governance.quota.demand import gpus
from solon.subjects.fields import get, mapping, text

LABEL: Final = "solon.dev/reservation"
TEAM: Final = "team"
NAMESPACE: Final = "default"  # where an object is that does not say it

Object = dict[str, Any]


class State(StrEnum):
    RESERVED = "reserved"
    CONFIRMED = "confirmed"  # what runs says it from now on
    RELEASED = "released"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Reservation:
    """``documents`` are the workloads, with their label. ``made`` is when it was given; it may be renewed since."""

    id: str
    team: str
    owner: str
    job: str
    gpus: int
    documents: Sequence[Object]
    made: datetime
    expires: datetime
    length: timedelta
    state: State = State.RESERVED
    ended: datetime | None = None


def marked(document: Object, reservation: str, team: str) -> Object:
    """The workload as it is to be submitted: labelled with its reservation, and its team."""
    metadata = mapping(document.get("metadata"))
    labels = {**mapping(metadata.get("labels")), LABEL: reservation} | ({TEAM: team} if team else {})
    return {**document, "metadata": {**metadata, "labels": labels}}


def team_of(document: Object) -> str:
    return text(get(document, ("metadata", "labels", TEAM)))


def held(reservations: Sequence[Reservation], running: Sequence[Object]) -> list[Object]:
    """What is reserved and does not run yet, as workloads for the inventory, each with a name of its own.

    The name tells people what it is: ``train reserved as r-k3j5x7q2``. It is none that a real object can have, so that
    nothing takes it for the update of another.
    """
    found: list[Object] = []
    for reservation in reservations:
        for number, document in enumerate(_waiting(reservation, running)):
            metadata = mapping(document.get("metadata"))
            name = str(metadata.get("name") or metadata.get("generateName") or "job").removesuffix("-")
            name += f" reserved as {reservation.id}" + (f" ({number + 1})" if number else "")
            namespace = metadata.get("namespace") or NAMESPACE
            found.append({**document, "metadata": {**metadata, "name": name, "namespace": namespace}})
    return found


def _waiting(reservation: Reservation, running: Sequence[Object]) -> Iterator[Object]:
    """The workloads of a reservation that nothing which runs stands for; each of those stands for one."""
    left = [each for each in running if _stands_alone(each) and team_of(each) == reservation.team]
    for document in reservation.documents:
        at = next((i for i, each in enumerate(left) if _is_of(each, document, reservation)), None)
        if at is None:
            yield document
        else:
            del left[at]


def _is_of(running: Object, document: Object, reservation: Reservation) -> bool:
    """Whether it is what was reserved for: it says so, or has its name and came after. It must hold as much.

    A workload that says so and holds less would set free what the reservation keeps.
    """
    if running.get("kind") != document.get("kind") or gpus(running) < gpus(document):
        return False
    metadata, wanted = mapping(running.get("metadata")), mapping(document.get("metadata"))
    said = (mapping(metadata.get(field)).get(LABEL) for field in ("labels", "annotations"))
    if reservation.id in said:
        return True
    named = wanted.get("name")
    return (
        isinstance(named, str)
        and bool(named)
        and named == metadata.get("name")
        and (wanted.get("namespace") or NAMESPACE) == (metadata.get("namespace") or NAMESPACE)
        and _created(metadata.get("creationTimestamp")) >= reservation.made.replace(microsecond=0)
    )


def _stands_alone(document: Object) -> bool:
    """What another object owns is counted with that."""
    return not mapping(document.get("metadata")).get("ownerReferences")


def _created(stamp: Any) -> datetime:
    """Long ago, where nobody says it."""
    try:
        return times.moment(str(stamp))
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
