"""solon waivers add and renew: waivers written to their files, after the rules that they are read by."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from solon.cli.errors import Failure, UsageError
from solon.cli.waivers import command as repositories
from solon.cli.waivers.command import Repository
from solon.cli.writing import replaced
from solon.governance import times
from solon.governance.scope import Scope, matches
from solon.governance.waivers import edit as waiver_edit
from solon.governance.waivers import waiver as waivers
from solon.governance.waivers.edit import Refused
from solon.governance.waivers.overlaps import overlaps
from solon.governance.waivers.waiver import Exemption, Waiver, person
from solon.report import waivers_report
from solon.report.check_report import plural
from solon.report.text import printable
from solon.report.waivers_report import WaiversReport
from solon.subjects import discover, files
from solon.subjects.documents import Problem, text_of
from solon.subjects.files import Part
from solon.subjects.subject import Location, Unreadable

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class New:
    """What the user wants to waive."""

    policies: list[str]
    scope: list[str]
    owner: str
    reason: str
    ticket: str
    approved_by: str
    expires: str
    id: str
    file: str | None


@dataclass(frozen=True, slots=True)
class Renewal:
    """Which waiver to renew, and why."""

    id: str
    reason: str
    ticket: str
    approved_by: str
    expires: str


def add(new: New, now: datetime, format: str) -> int:
    """The exit status. Raises UsageError, Failure."""
    repository = repositories.read()
    path = _file_for(new, repository)
    created, expires = _period(new.expires, now, repository)
    taken = {name for name, _ in waivers.named(repository.parts)}
    waiver = Waiver(
        policy=new.policies[0] if len(new.policies) == 1 else new.policies,
        scope=_scope(new.scope),
        owner=new.owner,
        reason=new.reason,
        ticket=new.ticket,
        approved_by=new.approved_by,
        created=created,
        expires=expires,
        id=new.id or _free(path, now.astimezone(repository.local), taken),
    )
    _sound(waiver, path, repository, "not added")
    if waiver.id in taken:
        raise UsageError(f"not added: a waiver is called {waiver.id!r} already: name another with --id")
    unknown = [glob for glob in waiver.policies if not any(matches(glob, each) for each in repository.ids)]
    if unknown:
        near = repositories.similar(unknown[0], repository.ids)
        raise UsageError(f"not added: no policy is called {unknown[0]!r}{near}")
    text, bom = _text(path) if os.path.exists(path) else ("", b"")
    changed = _edited(lambda: waiver_edit.added(text, path, waiver), path)
    _write(path, bom, changed)
    exemption = _read_again(changed, path, -1, waiver.id, repository)
    sys.stdout.write(_said(exemption, repository, now, format))
    _note_overlaps(exemption, repository, now)
    return 0


def renew(renewal: Renewal, now: datetime, format: str) -> int:
    """The exit status. Raises UsageError, Failure."""
    repository = repositories.read()
    part = next((part for name, part in waivers.named(repository.parts) if name == renewal.id), None)
    if part is None:
        raise repositories.missing(repository, renewal.id)
    old, path = part.value, part.file
    created, expires = _period(renewal.expires, now, repository)
    renewed = msgspec.structs.replace(
        old,
        reason=renewal.reason,
        ticket=renewal.ticket or old.ticket,
        approved_by=renewal.approved_by,
        created=created,
        expires=expires,
    )
    waiver = waiver_edit.renewal(old, renewed)
    _sound(waiver, path, repository, "not renewed")
    text, bom = _text(path)
    changed = _edited(lambda: waiver_edit.renewed(text, path, part.number, waiver), path)
    _write(path, bom, changed)
    exemption = _read_again(changed, path, part.number, renewal.id, repository)
    sys.stdout.write(_said(exemption, repository, now, format))
    if format == "table":
        count = len(waiver.history)
        often = {1: "once", 2: "twice"}.get(count, f"{count} times")
        print(f"Renewed {often}; first granted {times.shown(exemption.since, repository.local)}")
    return 0


def _read_again(text: str, path: str, number: int, name: str, repository: Repository) -> Exemption:
    """The waiver as everybody reads it now; the last one where the number is -1."""
    found = [part for part in files.parsed(text, path, Waiver, "waiver") if isinstance(part, Part)]
    part = found[-1] if number < 0 else next(each for each in found if each.number == number)
    checked = waivers.checked([part], repository.rules, repository.policies, repository.local)
    return replace(checked.exemptions[0], id=name)


def _said(exemption: Exemption, repository: Repository, now: datetime, format: str) -> str:
    if format == "json":
        named = [policy for policy in repository.policies if exemption.names(policy.id)]
        report = WaiversReport(repository.review(now), repository.rules, repository.local)
        return waivers_report.show_json(report, exemption, named)
    lines = [str(exemption.location), *waiver_edit.block(exemption.waiver).splitlines()]
    return "".join(f"{printable(line)}\n" for line in lines)


def _period(text: str, now: datetime, repository: Repository) -> tuple[str, str]:
    """``created`` and ``expires`` as the file has them: days, where days are meant."""
    today = now.astimezone(repository.local).date()
    try:
        length = times.duration(text)
    except ValueError:
        return f"{today}", text.strip()
    if length % timedelta(days=1):
        moment = now.astimezone(UTC).replace(microsecond=0)
        return f"{moment:%Y-%m-%dT%H:%M:%SZ}", f"{moment + length:%Y-%m-%dT%H:%M:%SZ}"
    try:
        return f"{today}", f"{today + length}"
    except OverflowError:
        raise UsageError(f"--expires: {text} from now is beyond the calendar") from None


def _scope(pairs: Iterable[str]) -> Scope:
    """Raises UsageError."""
    said: dict[str, list[str]] = {}
    labels: dict[str, list[str]] = {}
    selector = None
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise UsageError(f"--scope {pair}: write KEY=VALUE, such as namespace=payments-legacy")
        if key.startswith("labels."):
            labels.setdefault(key.removeprefix("labels."), []).append(value)
        elif key == "selector":
            try:
                selector = json.loads(value)
            except ValueError:
                raise UsageError(
                    '--scope selector: write JSON, such as selector={"matchLabels": {"app": "web"}}'
                ) from None
        else:
            said.setdefault(key, []).append(value)
    plain: dict[str, Any] = {key: _one_or_all(values) for key, values in said.items()}
    plain |= {"labels": {key: _one_or_all(values) for key, values in labels.items()}} if labels else {}
    plain |= {"selector": selector} if selector is not None else {}
    found = files.convert(plain, Scope, lambda _: Location("--scope"))
    if isinstance(found, Unreadable):
        raise UsageError(str(found))
    return found


def _one_or_all(values: list[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else values


def _sound(waiver: Waiver, path: str, repository: Repository, word: str) -> None:
    """Raises Failure with all that the rules reject."""
    part = Part(waiver, lambda _: Location(path), path)
    wrong = waivers.problems_of(part, repository.rules, repository.policies, repository.local)
    if wrong:
        lines = [each.problem + (f" ({each.hint})" if each.hint else "") for each in wrong]
        raise Failure("\n".join(f"solon: {word}: {printable(line)}" for line in lines))


def _note_overlaps(exemption: Exemption, repository: Repository, now: datetime) -> None:
    others = [*repository.checked.exemptions, exemption]
    met = [pair for pair in overlaps(others, repository.ids, now) if exemption in (pair.one, pair.other)]
    if met:
        names = [(pair.one if pair.other is exemption else pair.other).id for pair in met]
        shown = ", ".join(names[:5]) + (f" and {plural(len(names) - 5, 'other')}" if len(names) > 5 else "")
        print(f"solon: it may exempt what {shown} exempts already", file=sys.stderr)


# --- Files


def _file_for(new: New, repository: Repository) -> str:
    """Where the waiver goes. Raises UsageError where nothing would read it there."""
    places = repository.found.waivers() or repository.found.paths(["waivers"])
    if new.file is None:
        directory = next((place for place in places if not os.path.isfile(place)), None)
        return places[0] if directory is None else os.path.join(directory, f"{_slug(new.owner)}.yaml")
    real = os.path.realpath(new.file)
    inside = any(
        real == os.path.realpath(place) or real.startswith(os.path.realpath(place) + os.sep)
        for place in places
    )
    if not inside or not new.file.endswith((".yaml", ".yml")):
        raise UsageError(f"--file {new.file}: waivers are read from YAML files in {', '.join(places)}")
    return new.file


def _slug(owner: str) -> str:
    bare = person(owner).rpartition("/")[2].partition("@")[0]
    return re.sub(r"[^a-z0-9]+", "-", bare).strip("-") or "waivers"


def _free(path: str, today: datetime, taken: set[str]) -> str:
    """A name of its own: the one that goes by its place in the file changes when another is removed."""
    stem = re.sub(r"[^\w.-]+", "-", os.path.splitext(os.path.basename(path))[0])
    name = f"{stem}-{today:%Y%m%d}"
    return next(
        each for n in range(1, len(taken) + 2) if (each := name if n == 1 else f"{name}-{n}") not in taken
    )


def _text(path: str) -> tuple[str, bytes]:
    """The text of a file, and the mark that it begins with."""
    try:
        data = discover.read_bytes(path, lambda _size: b"", files.MAX_BYTES)
        return text_of(data), _BOM if data.startswith(_BOM) else b""
    except Problem as problem:
        raise UsageError(str(problem.at(path))) from None


def _edited(edit: Callable[[], str], path: str) -> str:
    try:
        return edit()
    except Refused as refused:
        lines = [
            f"solon: {path}: {refused}; nothing was changed. Write it yourself:",
            refused.by_hand.rstrip(),
        ]
        raise Failure("\n".join(lines)) from None


def _write(path: str, bom: bytes, text: str) -> None:
    """Raises UsageError."""
    try:
        data = bom + text.encode()
    except UnicodeEncodeError:
        raise UsageError(f"{path}: not written: what was given is not text") from None
    replaced(path, data)
