"""Asks the policies of a recorded revision once more about a recorded input, and records how they come to what they say."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Sequence
from typing import Any, Final

from solon.cli import policies
from solon.cli.errors import Failure, UsageError
from solon.decisions.in_force.parts import ActiveSet
from solon.decisions.log.errors import LogError
from solon.frameworks.policy import Context, Policy, PolicyFailure, PolicySet
from solon.lang.budget import Budget
from solon.lang.source import Span
from solon.lang.trace import Trace
from solon.lang.values import to_json
from solon.lang.ways import Again, Held, Way, ways
from solon.subjects.subject import Subject

_SECONDS: Final = 10.0
_DATA: Final = "data"


class Asking:
    """The policies of one set, as their texts beside the log have them."""

    def __init__(self, given: ActiveSet, text: Callable[[str], bytes]) -> None:
        self._given = given
        self._trace = Trace("debug")
        self._names: re.Pattern[str] | None = None
        self._found: dict[str, Policy] = {}
        self.reads: dict[str, frozenset[str]] = {}  # what policies read besides the document
        self.problem = self._load(text)

    def _load(self, text: Callable[[str], bytes]) -> str:
        """Why they cannot be asked; nothing where they can."""
        missing = [each.file for each in self._given.texts if not each.sha256]
        if missing:
            return f"{missing[0]} is too long to have been kept, so that the policies cannot be asked again"
        if not self._given.texts:
            return "the texts of these policies were not kept"
        with tempfile.TemporaryDirectory(prefix="solon-again-") as folder:
            self._names = re.compile(rf"{re.escape(folder + os.sep)}\d+/")
            try:
                sets = self._compiled(folder, text)
            except LogError as error:
                return str(error)
            except (UsageError, Failure) as error:
                return f"the policies do not compile any more: {self.plain(str(error).splitlines()[0])}"
        self._found = {policy.id: policy for each in sets for policy in each.policies}
        self.reads = {name: read for each in sets for name, read in each.surroundings().items()}
        return ""

    def _compiled(self, folder: str, text: Callable[[str], bytes]) -> list[PolicySet]:
        """Raises LogError, OSError, UsageError, Failure."""
        paths, data = [], []
        for number, each in enumerate(self._given.texts):
            if each.data is None:
                path = os.path.join(folder, str(number), *_safe(each.file))
                paths.append(path)
            else:
                # Their names do not matter, where they are does.
                extension = os.path.splitext(each.file)[1]
                path = os.path.join(folder, f".{_DATA}", *_safe("/".join(each.data)), f"{number}{extension}")
                data.append(path)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(text(each.sha256))
        root = [os.path.join(folder, f".{_DATA}")] if data else []
        wanted = policies.Wanted(paths, root, [], True, "auto", watch=self._trace)
        return policies.load(wanted)

    def __call__(self, policy: str, message: str, subject: Subject, now_ns: int) -> Again:
        """How the policy comes to this message about a subject."""
        asked = self._found.get(policy)
        if self.problem or asked is None:
            return Again(problem=self.problem or "the recorded text does not have this policy")
        begun = len(self._trace.events)
        try:
            said = [
                each.message
                for each in asked.judge(subject, Context(now_ns, budget=Budget(seconds=_SECONDS)))
            ]
        except PolicyFailure as failure:
            return Again(problem=f"asked again with what was recorded, it fails: {self.plain(str(failure))}")
        if message not in said:
            return Again(problem="asked again with what was recorded, it does not say this")
        events = self._trace.events[begun:]
        rules = dict.fromkeys(event.rule for event in events if _is_of(event.rule, asked))
        found = [way for rule in rules for way in ways(events, rule)]
        if not found:
            return Again(
                problem="it says the same again; how was too long to be recorded" * bool(self._trace.left_out)
            )
        telling = [way for way in found if _tells(way, message)]
        return Again(self._plain(telling[0] if telling else found[0]))

    def plain(self, text: str) -> str:
        """A text with the names of files as they were."""
        return self._names.sub("", text) if self._names is not None else text

    def _plain(self, way: Way) -> Way:
        """With the names of files as they were."""
        steps = [Held(self._span(step.span), step.text, step.readings) for step in way.steps]
        return Way(way.rule, self._span(way.span), tuple(steps), way.result)

    def _span(self, span: Span) -> Span:
        return Span(self.plain(span.file), span.row, span.column)


def _safe(name: str) -> Sequence[str]:
    """A path that leads nowhere else, whatever an entry of the log says."""
    return [part for part in name.replace("\0", "").split("/") if part not in ("", ".", "..")]


def _is_of(rule: str, policy: Policy) -> bool:
    if policy.framework == "conftest":
        return rule == f"data.{policy.id}"
    return rule.endswith(".violation")


def _tells(way: Way, message: str) -> bool:
    """Whether the message is among what was read on the way."""
    readings = [*way.result, *(reading for step in way.steps for reading in step.readings)]
    return any(_says(value, message) for reading in readings for value in reading.values)


def _says(value: Any, message: str) -> bool:
    if isinstance(value, str):
        return value == message
    plain = to_json(value)
    return isinstance(plain, dict) and plain.get("msg") == message
