"""Looks at the registry, remembers, and puts right what changed and was not let pass."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Protocol

import msgspec

from solon import __version__
from solon.decisions.log import durable
from solon.decisions.record import rfc3339
from solon.decisions.releases import Answer, CannotTell
from solon.governance.inert import visible
from solon.server.mlflow import governed, polling
from solon.server.mlflow.governance import Governance
from solon.server.mlflow.governed import Going
from solon.server.mlflow.polling import Memory, Remedy, Step, Violation
from solon.server.mlflow.registry import Registry
from solon.subjects import ml_release

POLICY: Final = "solon.mlflow.watch"
_MOST: Final = 2_000


class Unreadable(Exception):
    """What was remembered cannot be read: why, and what to do."""


class Contents(Protocol):
    """The digest over the files at a location as they are now; empty where nobody wants to know. Raises CannotTell."""

    def __call__(self, location: str) -> str: ...


@dataclass(frozen=True, slots=True)
class Acted:
    """What became of a violation: ``done`` is what was changed, ``problem`` why a change could not be made."""

    violation: Violation
    done: Sequence[Remedy] = ()
    problem: str = ""

    def __str__(self) -> str:
        said = f"{self.violation.going} is live and was not let pass: {self.violation.because}"
        changes = [f"reverted: {each}" for each in self.done]
        return visible(
            "\n".join([said, *changes, *([f"not reverted: {self.problem}"] if self.problem else [])]), _MOST
        )


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look came to. ``untold`` is what nobody could tell, a line each; ``live`` counts what is live."""

    acted: Sequence[Acted]
    untold: Sequence[str]
    live: int


@dataclass
class Watch:
    """One registry. ``memory`` is the file with what was live; ``now`` the time."""

    registry: Registry
    governance: Governance
    memory: str
    contents: Contents
    revert: bool = False
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def look(self) -> Looked:
        """Look once, and act. Raises MlflowException, Unreadable, OSError: then nothing was changed or forgotten."""
        from mlflow.exceptions import MlflowException

        before = recalled(self.memory)
        goings = self._live()
        answers: dict[Going, Answer] = {}
        untold: dict[Going, str] = {}
        for going in goings:
            try:
                answers[going] = self._answer(going)
            except (CannotTell, MlflowException) as error:  # one that is odd hides no other
                untold[going] = " ".join(str(error).split())
        look = polling.compare(answers, untold, before)
        acted = [self._act(each, before, goings) for each in look.violations]
        # What was undone is not remembered: the same change again is a new one. Nor is what could not be: it is tried again.
        gone = {each.violation.going for each in acted if each.done or each.problem}
        live = [seen for seen in look.memory.live if seen.going not in gone]
        remember(self.memory, msgspec.structs.replace(look.memory, live=live))
        return Looked(acted, [f"{going}: {why}" for going, why in untold.items()], len(goings))

    def _live(self) -> list[Going]:
        settings = self.governance.settings
        models = self.registry.models(with_versions=bool(settings.stages or settings.names))
        return [going for model in models for going in governed.live(settings, model)]

    def _answer(self, going: Going) -> Answer:
        location = self.registry.location(going.name, going.version)
        answer = self.governance.answer(going.name, location, self.now())
        if answer.passed and answer.attestation is not None:
            digest = self.contents(location)
            if digest and digest != answer.attestation.model:
                return Answer(False, "its files have changed since it was judged", answer.attestation)
        return answer

    def _passes(self, name: str, version: str) -> bool:
        try:
            return self._answer(Going(name, version, governed.Way.NAME)).passed
        except CannotTell:
            return False

    def _act(self, violation: Violation, before: Memory | None, now: Sequence[Going]) -> Acted:
        if not self.revert:
            return Acted(violation)
        from mlflow.exceptions import MlflowException

        done: list[Remedy] = []
        try:
            for remedy in polling.remedies(violation, before, now, self._passes):
                if self._apply(violation.going, remedy):
                    done.append(remedy)  # noqa: PERF401 - what was done before an error is told
        except MlflowException as error:
            return Acted(violation, done, " ".join(str(error).split()))
        return Acted(violation, done)

    def _apply(self, going: Going, remedy: Remedy) -> bool:
        """Whether there was something to change yet."""
        match remedy.step:
            case Step.SET_ALIAS | Step.DELETE_ALIAS if (
                self.registry.aliased(going.name, going.by) != going.version
            ):
                return False
            case Step.SET_ALIAS:
                self.registry.set_alias(remedy.name, remedy.by, remedy.version)
            case Step.DELETE_ALIAS:
                self.registry.delete_alias(remedy.name, remedy.by)
            case Step.MOVE:
                self.registry.move(remedy.name, remedy.version, remedy.by)
            case Step.DELETE_VERSION:
                self.registry.delete_version(remedy.name, remedy.version)
        return True


def recalled(path: str) -> Memory | None:
    """What was remembered; None where nothing ever was. Raises Unreadable, OSError."""
    try:
        with open(path, "rb") as file:
            return msgspec.json.decode(file.read(), type=Memory)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as error:
        raise Unreadable(
            f"{path}: {error}: take it away to begin anew, with what is live now as known"
        ) from None


def remember(path: str, memory: Memory) -> None:
    """Raises OSError."""
    directory = os.path.dirname(os.path.abspath(path))
    durable.make_directory(directory)
    durable.replace(path, msgspec.json.format(msgspec.json.encode(memory), indent=1) + b"\n", 0o600)
    durable.sync_directory(directory)


def event(acted: Acted, registry: str, event_id: str, time_ns: int) -> bytes:
    """The entry of the decision log, in the shape that all decisions have there; without an input to judge again."""
    violation = acted.violation
    going = violation.going
    message = str(acted)
    subject = {
        "uri": ml_release.uri(registry, going.name, going.version),
        "kind": ml_release.KIND,
        "name": f"{going.name} {going.version}",
        "owner": violation.owner,
    }
    said: dict[str, Any] = {
        "labels": {"id": "solon", "version": __version__},
        "decision_id": event_id,
        "timestamp": rfc3339(time_ns),
        "path": "solon/model/watch",
        "result": {"allow": False, "deny": [message], "warn": []},
        "solon": {
            "event": "decision",
            "outcome": "deny",
            "policies": 1,
            "posture": "closed",
            "subject": subject,
            "watch": {
                "name": going.name,
                "version": going.version,
                "way": going.way.value,
                "by": going.by,
                "departure": violation.departure.value,
                "decision": violation.decision_id,
                "reverted": [str(each) for each in acted.done],
            },
            "findings": [
                {
                    "outcome": "deny",
                    "policy": POLICY,
                    "stage": "enforce",
                    "severity": "critical",
                    "message": message,
                    "remediation": f"solon model gate models:/{going.name}/{going.version}",
                }
            ],
        },
    }
    return msgspec.json.encode(said) + b"\n"
