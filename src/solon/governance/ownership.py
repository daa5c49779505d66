"""Whose a subject is: its team, its owner and its environment, from what is written on it and around it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from solon.governance.codeowners import CodeOwners
from solon.governance.scope import Traits, has_wildcard, matches
from solon.subjects import kubernetes, terraform
from solon.subjects.subject import Path, Subject


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One place to look, by the one key that is given.

    ``label`` and ``annotation`` are of Kubernetes objects, ``tag`` of cloud resources, ``namespace_label`` of the
    object's Namespace. ``namespaces`` and ``accounts`` map globs to what is wanted, inline or in a YAML file;
    ``codeowners`` asks CODEOWNERS who owns the file that the subject stands in; ``value`` is always the same.
    """

    label: str | None = None
    annotation: str | None = None
    tag: str | None = None
    namespace_label: str | None = None
    namespaces: dict[str, str] | str | None = None
    accounts: dict[str, str] | str | None = None
    codeowners: bool | None = None
    value: str | None = None

    @property
    def key(self) -> str:
        """The one key that is given; nothing where it is not one."""
        given = [name for name in self.__struct_fields__ if getattr(self, name) not in (None, "", False)]
        return given[0] if len(given) == 1 else ""


def _sources(*names: str) -> list[Source]:
    found = []
    for name in names:
        found += [Source(label=name), Source(annotation=name)]
    for name in names:
        found += [Source(tag=name), Source(tag=name.capitalize())]
    return [*found, Source(namespace_label=names[0])]


class OwnershipSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where to look, in this order; the first that says something counts."""

    team: list[Source] = msgspec.field(default_factory=lambda: [*_sources("team"), Source(codeowners=True)])
    owner: list[Source] = msgspec.field(default_factory=lambda: [*_sources("owner"), Source(codeowners=True)])
    environment: list[Source] = msgspec.field(default_factory=lambda: _sources("environment", "env"))


@dataclass(frozen=True, slots=True)
class Around:
    """What is known besides the subject.

    ``root`` is the directory that CODEOWNERS is about. ``cluster`` and ``environment``, where somebody gave them
    for the whole run, count before anything that a subject says of itself.
    """

    codeowners: CodeOwners | None = None
    root: str = ""
    namespaces: Mapping[str, Any] = field(default_factory=dict)
    cluster: str = ""
    environment: str = ""


Reader = Callable[[Subject, Any], str]
_EMPTY: Final[Mapping[str, Any]] = {}


class Ownership:
    """Finds the traits of subjects."""

    def __init__(self, settings: OwnershipSettings, around: Around) -> None:
        self._around = around
        self._root = os.path.realpath(around.root or ".") + os.sep
        self._files: dict[str, tuple[str, ...]] = {}
        # By whether it is of a cloud: the others are not asked what they cannot say.
        self._readers = {
            cloud: (
                self._asked(settings.team, cloud, team=True),
                self._asked(settings.owner, cloud),
                self._asked(settings.environment, cloud),
            )
            for cloud in (False, True)
        }

    def traits(self, subject: Subject, path: Path | None = None) -> Traits:
        """What scopes may ask of a subject; of the resource in a plan that ``path`` leads to, where it does."""
        subject = _resource(subject, path) or subject
        namespace = _namespace(subject)
        around = self._around
        known = around.namespaces.get(namespace)
        team, owner, environment = self._readers[not subject.kind.startswith("kubernetes")]
        return Traits(
            subject.uri,
            subject.name,
            namespace,
            _first(team, subject, known) or subject.team,
            subject.owner or _first(owner, subject, known),
            around.environment or subject.environment or _first(environment, subject, known),
            around.cluster,
            subject.labels,
        )

    def _asked(self, sources: Sequence[Source], cloud: bool, *, team: bool = False) -> list[Reader]:
        """The readers that may say something of a subject in a cloud, or of another."""
        silent = {"label", "namespace_label"} if cloud else {"tag", "accounts"}
        if self._around.codeowners is None:
            silent.add("codeowners")
        if not self._around.namespaces:
            silent.add("namespace_label")
        return [self._reader(source, team) for source in sources if source.key not in silent]

    def _reader(self, source: Source, team: bool) -> Reader:
        key = source.key
        given = getattr(source, key)
        if key in ("label", "tag"):
            return lambda subject, _: subject.labels.get(given, "")
        if key == "annotation":
            return lambda subject, _: _metadata(subject.document, "annotations", given)
        if key == "namespace_label":
            return lambda _, namespace: _metadata(namespace, "labels", given)
        if key == "namespaces":
            find = _lookup(given)
            return lambda subject, _: find(_namespace(subject))
        if key == "accounts":
            find = _lookup(given)
            return lambda subject, _: find(account(subject.document))
        if key == "value":
            return lambda subject, _: str(given)
        return self._codeowner(team)

    def _codeowner(self, team: bool) -> Reader:
        def read(subject: Subject, _: Any) -> str:
            file = subject.location.file
            if file not in self._files:
                self._files[file] = self._owners(file)
            owners = self._files[file]
            if not owners:
                return ""
            return owners[0].removeprefix("@").rpartition("/")[2] if team else owners[0]

        return read

    def _owners(self, file: str) -> tuple[str, ...]:
        real = os.path.realpath(file)
        if self._around.codeowners is None or not real.startswith(self._root):
            return ()
        return self._around.codeowners.owners(real[len(self._root) :].replace(os.sep, "/"))


def _namespace(subject: Subject) -> str:
    """The namespace that a subject is in; a Namespace is in itself."""
    if not subject.namespace and subject.kind == kubernetes.OBJECT and subject.name.startswith("Namespace/"):
        return subject.name.removeprefix("Namespace/")
    return subject.namespace


def _first(readers: Sequence[Reader], subject: Subject, namespace: Any) -> str:
    for read in readers:
        found = read(subject, namespace)
        if found:
            return found
    return ""


def _metadata(document: Any, part: str, name: str) -> str:
    if document.__class__ is not dict:
        return ""
    metadata = document.get("metadata")
    values = metadata.get(part) if metadata.__class__ is dict else None
    value = values.get(name) if values.__class__ is dict else None
    return value if isinstance(value, str) else ""


def _lookup(table: Mapping[str, str]) -> Callable[[str], str]:
    """What a table says of a name: the name itself counts before globs, and of those the first that matches."""
    globs = [glob for glob in table if has_wildcard(glob)]
    # Most are `team-*`, and there are as many as teams: those are found by the length of what they begin with.
    prefixes: dict[str, int] = {}
    others: list[tuple[int, str]] = []
    for position, glob in enumerate(globs):
        if glob.endswith("*") and not has_wildcard(glob[:-1]):
            prefixes.setdefault(glob[:-1], position)
        else:
            others.append((position, glob))
    lengths = sorted({len(prefix) for prefix in prefixes})

    def find(name: str) -> str:
        if not name:
            return ""
        if name in table:
            return table[name]
        found = [prefixes[name[:length]] for length in lengths if name[:length] in prefixes]
        best = min(found, default=len(globs))
        best = next((position for position, glob in others if position < best and matches(glob, name)), best)
        return table[globs[best]] if best < len(globs) else ""

    return find


def _resource(plan: Subject, path: Path | None) -> Subject | None:
    """The resource of a plan that a finding is about."""
    if plan.kind != terraform.PLAN or not path or len(path) < 2 or path[0] != "resource_changes":
        return None
    changes = plan.document.get("resource_changes")
    index = path[1]
    if not isinstance(changes, list) or type(index) is not int or not 0 <= index < len(changes):
        return None
    return terraform.resource(changes[index], plan.name, plan.document, plan.location, plan.locator)


_ACCOUNT_FIELDS: Final = ("account_id", "owner_id", "project", "project_id", "subscription_id")


def account(change: Any) -> str:
    """The account that a resource of a plan is in, from its own fields or its ARN."""
    action = change.get("change") if change.__class__ is dict else None
    for part in ("after", "before"):
        values = action.get(part) if action.__class__ is dict else None
        if values.__class__ is not dict:
            continue
        for name in _ACCOUNT_FIELDS:
            value = values.get(name)
            if isinstance(value, str) and value:
                return value
        arn = values.get("arn")
        parts = arn.split(":", 5) if isinstance(arn, str) else []
        if len(parts) == 6 and parts[4]:
            return parts[4]
    return ""
