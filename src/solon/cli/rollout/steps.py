"""solon rollout promote and demote: the next step of a scope, or the step back, written into its file."""

from __future__ import annotations

import difflib
import sys
from dataclasses import dataclass

from solon.cli import governed
from solon.cli.errors import Failure, UsageError
from solon.cli.governed import Governed
from solon.cli.writing import replaced
from solon.frameworks.policy import Stage
from solon.governance.rollouts.promotion import Move, NotNow, Promotion, demoted, promoted
from solon.governance.rollouts.rollout import Plan, Rollout, Track, plan
from solon.governance.rollouts.steps import Change, Refused, changed
from solon.report.check_report import plural
from solon.report.json import text as json_text
from solon.report.text import printable
from solon.subjects import discover
from solon.subjects.documents import Problem, text_of
from solon.subjects.files import MAX_BYTES, Part, parsed

_BOM = "\ufeff"


@dataclass(frozen=True, slots=True)
class Target:
    """What a step is for, and how much is done: ``as_of`` another day only to see what would be."""

    policy: str
    scope: str | None
    dry_run: bool
    as_of: str | None
    format: str


def promote(target: Target, asked: Promotion) -> int:
    """1 while exit criteria do not hold. Raises UsageError, Failure."""
    for name, said in (("--emergency", asked.emergency), ("--approved-by", asked.approved_by)):
        _one_line(name, said)
    at = _read(target)
    governed.sound(at, "nothing was promoted")
    chosen, track = _chosen(at, target)
    history, problems = governed.history_of(at)
    for problem in problems:
        sys.stderr.write(f"solon: {printable(str(problem))}\n")
    seen = [(policy, history.of(policy, track)) for policy in _policies(at, chosen)]
    try:
        move = promoted(track, asked, seen, at.now, at.local)
    except NotNow as problem:
        return _not_now(problem)
    return _carry_out(at, target, chosen, track, move, "")


def demote(target: Target, stage: Stage | None, reason: str) -> int:
    """Raises UsageError, Failure. What is wrong with other files does not hinder it."""
    _one_line("--reason", reason)
    if not reason.strip():
        raise UsageError("--reason: say why, for those who read the file later")
    at = _read(target)
    chosen, track = _chosen(at, target)
    try:
        move = demoted(track, stage, at.now)
    except NotNow as problem:
        return _not_now(problem)
    return _carry_out(at, target, chosen, track, move, f"demoted from {move.was}: {reason.strip()}")


def _one_line(name: str, text: str) -> None:
    if not text.isprintable():
        raise UsageError(f"{name}: must be one line of text")


def _read(target: Target) -> Governed:
    if target.as_of and not target.dry_run:
        raise UsageError("--as-of shows what would be: give --dry-run with it")
    return governed.read(target.as_of)


def _not_now(problem: NotNow) -> int:
    if not problem.missing:
        raise UsageError(str(problem))
    lines = [f"solon: {problem}:", *(f"  {each}" for each in problem.missing)]
    sys.stderr.write("\n".join(map(printable, lines)) + "\n")
    return 1


def _chosen(at: Governed, target: Target) -> tuple[Plan, Track]:
    """Raises UsageError."""
    programme = at.programme
    chosen = programme.by_policy.get(target.policy)
    if chosen is None:
        if any(policy.id == target.policy for policy in programme.policies):
            problems = "".join(f"\n{problem}" for problem in programme.problems)
            raise UsageError(f"no rollout names {target.policy}: write one into rollouts/{problems}")
        known = ", ".join(programme.by_policy) or "none"
        raise UsageError(f"no policy is called {target.policy!r}; in rollouts are: {known}")
    names = [track.name for track in chosen.tracks]
    name = target.scope if target.scope is not None else names[0] if len(names) == 1 else None
    found = next((track for track in chosen.tracks if track.name == name), None)
    if found is not None:
        return chosen, found
    there_are = f"{chosen.file} has {', '.join(names) if names else 'none'}"
    raise UsageError(
        f"--scope: say which: {there_are}" if name is None else f"--scope: no scope {name!r}: {there_are}"
    )


def _policies(at: Governed, chosen: Plan) -> list[str]:
    return [policy for policy, each in at.programme.by_policy.items() if each is chosen]


def _carry_out(at: Governed, target: Target, chosen: Plan, track: Track, move: Move, comment: str) -> int:
    before = _text(chosen.file)
    body = before.removeprefix(_BOM)
    change = _change(body, chosen, track, move, comment)
    try:
        after = before[: len(before) - len(body)] + changed(body, chosen.file, change)
    except Refused as refused:
        comment_line = f"      # {comment}\n" if comment else ""
        raise UsageError(
            f"{chosen.file}: {refused}. Write it by hand into scope {track.name}, behind the steps that have begun:\n"
            f"{comment_line}      {refused.by_hand}"
        ) from None
    _must_be_sound(after.removeprefix(_BOM), chosen.file, change, at)
    if not target.dry_run:
        replaced(chosen.file, after.encode())
    say = _as_json if target.format == "json" else _as_text
    sys.stdout.write(say(at, target, chosen, track, move, _diff(before, after, chosen.file)))
    if comment and comment not in after:
        sys.stderr.write(
            f"solon: {chosen.file} is JSON, which has no comments: put the reason into the commit\n"
        )
    return 0


def _change(text: str, chosen: Plan, track: Track, move: Move, comment: str) -> Change:
    """Raises UsageError where the file is no longer what it was when it was read."""
    parts = list(parsed(text, chosen.file, Rollout, "rollout"))
    for number, part in enumerate(parts):
        if (
            isinstance(part, Part)
            and part.location == chosen.part.location
            and part.value == chosen.part.value
        ):
            return Change(number, list(chosen.tracks).index(track), move.keep, move.step, comment)
    raise UsageError(f"{chosen.file}: was changed meanwhile: run this again")


def _must_be_sound(text: str, file: str, change: Change, at: Governed) -> None:
    part = list(parsed(text, file, Rollout, "rollout"))[change.part]
    problems = plan(part, at.local)[1] if isinstance(part, Part) else [part]
    if problems:
        raise Failure(
            "\n".join(["solon: nothing was changed; the rollout would be wrong:", *map(str, problems)])
        )


def _text(path: str) -> str:
    try:
        data = discover.read_bytes(path, lambda _size: b"", MAX_BYTES)
        return (_BOM if data.startswith(_BOM.encode()) else "") + text_of(data)
    except Problem as problem:
        raise UsageError(str(problem.at(path))) from None


def _diff(before: str, after: str, file: str) -> str:
    lines = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), file, file, n=2
    )
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )


def _as_text(at: Governed, target: Target, chosen: Plan, track: Track, move: Move, diff: str) -> str:
    policies = _policies(at, chosen)
    what = policies[0] if len(policies) == 1 else plural(len(policies), "policy", "policies")
    head = "Would write" if target.dry_run else "Wrote"
    lines = [f"{head}: {what} in {track.name} from {move.was} to {move.step.stage}, from {move.step.from_}."]
    if len(policies) > 1:
        lines.append(f"{chosen.file} is about all of these: {', '.join(policies)}.")
    if move.gone:
        steps = ", ".join(f"{step.stage} from {step.from_}" for step in move.gone)
        lines.append(f"Taken out, as it was still to come: {steps}.")
    if not target.dry_run:
        lines.append("It counts once this file is where checks read it: commit and merge it.")
    return diff.replace("\r\n", "\n") + "\n" + "".join(f"{printable(line)}\n" for line in lines)


def _as_json(at: Governed, target: Target, chosen: Plan, track: Track, move: Move, diff: str) -> str:
    def step(each: object) -> dict[str, object]:
        import msgspec

        plain: dict[str, object] = msgspec.to_builtins(each)
        return plain

    return json_text(
        {
            "schema": "solon.rollout-step/v1",
            "rollout": chosen.file,
            "scope": track.name,
            "policies": _policies(at, chosen),
            "was": move.was.value,
            "step": step(move.step),
            "taken_out": [step(each) for each in move.gone],
            "written": not target.dry_run,
            "diff": diff,
        }
    )
