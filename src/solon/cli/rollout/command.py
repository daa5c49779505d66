"""solon rollout observe and status: how many violations there are, and what that means for what comes."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from solon.cli import governed
from solon.cli.errors import UsageError
from solon.cli.governed import Asked, Governed
from solon.governance.rollouts import observations
from solon.governance.rollouts.observations import Observation
from solon.governance.rollouts.standing import Standing, standings
from solon.governance.scope import matches
from solon.report import rollout_report
from solon.report.check_report import plural
from solon.report.rollout_report import ASCII, UNICODE, Glyphs, StatusReport
from solon.report.text import printable


def observe(asked: Asked, format: str) -> int:
    """The exit status. Raises UsageError, Failure."""
    at = governed.judged(asked)
    _must_have_rollouts(at)
    governed.sound(at, "nothing was written down")
    observation = at.observation()
    try:
        torn = observations.append(at.history, observation)
    except OSError as error:
        raise UsageError(f"{at.history}: {(error.strerror or str(error)).lower()}") from None
    if torn:
        _note(
            f"{at.history}: its last line ended in the middle, and is left out; the new one stands below it"
        )
    if format == "json":
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(observation), indent=2).decode() + "\n")
    else:
        sys.stdout.write(_said(observation, at.history))
    return 0


def _said(observation: Observation, path: str) -> str:
    found = [f for r in observation.rollouts for scope in r.scopes for f in scope.found.values()]
    violations = sum(each.violations for each in found)
    policies = {
        p for r in observation.rollouts for scope in r.scopes for p, f in scope.found.items() if f.violations
    }
    parts = [
        f"{plural(observation.subjects, 'subject')} in {plural(sum(len(r.scopes) for r in observation.rollouts), 'scope')}",
        plural(violations, "violation")
        + (f" of {plural(len(policies), 'policy', 'policies')}" if policies else ""),
    ]
    waived, existing, errors = (
        sum(getattr(f, name) for f in found) for name in ("waived", "existing", "errors")
    )
    parts += [
        said
        for count, said in (
            (waived, f"{waived:,} waived"),
            (existing, f"{existing:,} of what was there before"),
            (errors, plural(errors, "failure") + " of policies"),
            (observation.unowned, plural(observation.unowned, "subject") + " without an owner"),
        )
        if count
    ]
    return f"Observed {'; '.join(parts)}. Added to {path}\n"


def _must_have_rollouts(at: Governed) -> None:
    if not at.programme.governed:
        raise UsageError("this repository has no rollouts: write one into rollouts/, beside solon.yaml")


def _note(text: str) -> None:
    sys.stderr.write(f"solon: {printable(text)}\n")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to show of the status."""

    policies: list[str]
    scopes: list[str]
    everything: bool
    format: str


def status(asked: Asked, wanted: Wanted) -> int:
    """The exit status. Raises UsageError, Failure."""
    at = governed.judged(asked) if asked.paths else governed.read(asked.as_of)
    _must_have_rollouts(at)
    governed.sound(at, "where policies stand is not known")
    history, problems = governed.history_of(at, [at.observation()] if asked.paths else [])
    for problem in problems:
        _note(str(problem))
    everything = standings(at.programme, history)
    shown = _chosen(everything, wanted)
    narrowed = bool(wanted.policies or wanted.scopes)
    report = StatusReport(
        shown,
        [] if narrowed else at.programme.unnamed,
        [] if narrowed else at.programme.idle,
        at.now,
        at.local,
    )
    if wanted.format == "json":
        sys.stdout.write(rollout_report.json_of(report))
    else:
        width = shutil.get_terminal_size((100, 24)).columns if sys.stdout.isatty() else 100
        glyphs = glyphs_of(sys.stdout.encoding)
        text = rollout_report.table(report, width=width, glyphs=glyphs, everything=wanted.everything)
        sys.stdout.write(writable(text, sys.stdout.encoding))
    return 0


def _chosen(found: Sequence[Standing], wanted: Wanted) -> list[Standing]:
    """Raises UsageError where nothing is what was asked for."""

    def any_of(globs: list[str], name: str) -> bool:
        return not globs or any(glob == name or matches(glob, name) for glob in globs)

    for word, globs, names in (
        ("policy", wanted.policies, [each.policy.id for each in found]),
        ("scope", wanted.scopes, [each.track.name for each in found]),
    ):
        for glob in globs:
            if not any(any_of([glob], name) for name in names):
                known = ", ".join(dict.fromkeys(name for name in names if name)) or "none"
                raise UsageError(f"no rollout has a {word} {glob!r}; there are: {known}")
    return [
        each
        for each in found
        if any_of(wanted.policies, each.policy.id) and any_of(wanted.scopes, each.track.name)
    ]


def glyphs_of(encoding: str | None) -> Glyphs:
    """What a stream of that encoding can show."""
    try:
        f"{UNICODE.holds}{UNICODE.fails}{UNICODE.bars}{UNICODE.cut}".encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return ASCII
    return UNICODE


def writable(text: str, encoding: str | None) -> str:
    """The text, with a question mark for what the stream cannot show."""
    return text.encode(encoding or "ascii", "replace").decode(encoding or "ascii")
