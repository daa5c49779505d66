"""solon.yaml, at the root of a policy repository."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from solon.cli.errors import UsageError
from solon.decisions.sinks.settings import LogSettings
from solon.evidence.settings import ModelSettings
from solon.frameworks.lint import FIELDS
from solon.governance import times
from solon.governance.breakglass.settings import BreakglassSettings
from solon.governance.notify import NotifySettings
from solon.governance.ownership import OwnershipSettings
from solon.governance.tickets.settings import TicketSettings
from solon.governance.waivers.waiver import WaiverSettings, rules
from solon.report import FORMATS
from solon.server.mlflow.settings import MlflowSettings
from solon.subjects.documents import Problem, decode_yaml, text_of
from solon.subjects.files import convert
from solon.subjects.positions import SourceFile
from solon.subjects.subject import Location, Path, Unreadable

NAME: Final = "solon.yaml"
_MAX_BYTES: Final = 1 << 20


class LintConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``require`` are the fields that a policy must have, ``ignore`` the codes to leave out."""

    require: list[str] | None = None
    ignore: list[str] = []


class SentinelConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``params`` of Sentinel policies; files with what ``tfrun`` gives, and with the costs in it.

    ``sources`` are beginnings of remote sources, and the directories with copies of them.
    """

    params: dict[str, Any] = {}
    tfrun: str = ""
    cost_estimate: str = ""
    sources: dict[str, str] = {}


class QuotaConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``ledger`` is the file that reservations are kept in."""

    ledger: str = ""


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the file says. Paths are relative to it."""

    policies: list[str] = []
    data: list[str] = []
    inventory: list[str] = []
    namespaces: list[str] = []
    format: str = ""
    log: str | LogSettings = ""
    rollouts: list[str] | None = None
    waivers: list[str] | WaiverSettings = []
    ownership: OwnershipSettings = OwnershipSettings()
    codeowners: str = ""
    timezone: str = "UTC"
    cluster: str = ""
    history: str = ""
    breakglass: BreakglassSettings = BreakglassSettings()
    lint: LintConfig = LintConfig()
    sentinel: SentinelConfig = SentinelConfig()
    models: ModelSettings = ModelSettings()
    mlflow: MlflowSettings | None = None
    quota: QuotaConfig = QuotaConfig()
    notify: NotifySettings | None = None
    tickets: TicketSettings | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A configuration, and the directory it was found in."""

    config: Config = field(default_factory=Config)
    directory: str = ""

    def paths(self, names: list[str]) -> list[str]:
        return [os.path.relpath(os.path.join(self.directory, name)) for name in names]

    def log(self) -> LogSettings:
        """The log, with its paths from here."""
        said = self.config.log
        if isinstance(said, str):
            said = LogSettings(said)
        sinks = [
            msgspec.structs.replace(sink, file=self.path(sink.file), ca=self.path(sink.ca))
            for sink in said.sinks
        ]
        directory, mask = self.path(said.directory), self.path(said.mask)
        return msgspec.structs.replace(said, directory=directory, mask=mask, sinks=sinks)

    def copies(self) -> dict[str, str]:
        """Where copies of remote sources are, from here."""
        return {name: self.path(at) for name, at in self.config.sentinel.sources.items()}

    def models(self) -> ModelSettings:
        """What is said of models, with its paths from here."""
        said = self.config.models
        return msgspec.structs.replace(
            said,
            collectors=self.paths(said.collectors),
            gate=self.path(said.gate),
            signers=self.paths(said.signers),
            vulnerabilities=self.path(said.vulnerabilities),
            store=self.path(said.store),
        )

    def path(self, name: str) -> str:
        return self.paths([name])[0] if name else ""

    def rollouts(self) -> list[str] | None:
        """Where rollouts are; None where the repository has none."""
        return self._governed(self.config.rollouts or [], "rollouts")

    def waivers(self) -> list[str] | None:
        """Where waivers are; None where the repository has none."""
        said = self.config.waivers
        return self._governed(said.paths if isinstance(said, WaiverSettings) else said, "waivers")

    def waiver_settings(self) -> WaiverSettings:
        said = self.config.waivers
        return said if isinstance(said, WaiverSettings) else WaiverSettings()

    def _governed(self, names: list[str], usual: str) -> list[str] | None:
        if names:
            return self.paths(names)
        return self.paths([usual]) if os.path.isdir(os.path.join(self.directory, usual)) else None


def find(start: str) -> Found | None:
    """The solon.yaml of a directory or the nearest above it. Raises UsageError where it is malformed."""
    directory = os.path.abspath(start)
    while True:
        path = os.path.join(directory, NAME)
        if os.path.isfile(path):
            return Found(_read(os.path.relpath(path)), directory)
        above = os.path.dirname(directory)
        if above == directory:
            return None
        directory = above


def _read(path: str) -> Config:
    try:
        with open(path, "rb") as file:
            data = file.read(_MAX_BYTES + 1)
        if len(data) > _MAX_BYTES:
            raise UsageError(f"{path}: larger than {_MAX_BYTES >> 20} MiB")
        text = text_of(data)
    except OSError as error:
        raise UsageError(f"{path}: {(error.strerror or str(error)).lower()}") from None
    except Problem as problem:
        raise UsageError(str(problem.at(path))) from None
    documents = list(decode_yaml(text))
    if len(documents) != 1:
        raise UsageError(
            f"{path}: must hold one document, such as `policies: [policy]`; has {len(documents)}"
        )
    only = documents[0]
    if isinstance(only, Problem):
        raise UsageError(str(only.at(path)))
    return _convert(path, text, only.value)


def _convert(path: str, text: str, value: Any) -> Config:
    file = SourceFile(path, lambda: text)

    def place(at: Path) -> Location:
        return Location(path, *(file.place(0, at) or (1, 1)))

    def wrong(problem: str, *at: str | int) -> UsageError:
        return UsageError(f"{place(at)}: {problem}")

    if not isinstance(value, dict):
        raise wrong("must hold keys, such as `policies: [policy]`")
    for name in value:
        if name not in Config.__struct_fields__:
            raise wrong(f"unknown key {name!r}: known are {', '.join(Config.__struct_fields__)}", name)
    config = convert(value, Config, place)
    if isinstance(config, Unreadable):
        raise UsageError(str(config))
    for index, name in enumerate(config.lint.require or ()):
        if name not in FIELDS:
            raise wrong(f"unknown field {name!r}: known are {', '.join(FIELDS)}", "lint", "require", index)
    if config.format and config.format not in FORMATS:
        raise wrong(f"unknown format {config.format!r}: known are {', '.join(FORMATS)}", "format")
    try:
        times.zone(config.timezone)
    except ValueError as error:
        raise wrong(str(error), "timezone") from None
    if isinstance(config.waivers, WaiverSettings):
        try:
            rules(config.waivers)
        except ValueError as error:
            raise wrong(str(error), "waivers") from None
    for trait in ("team", "owner", "environment"):
        for index, source in enumerate(getattr(config.ownership, trait)):
            if not source.key:
                raise wrong(
                    "must have one key: label, annotation, tag, namespace_label, namespaces, accounts, codeowners "
                    "or value",
                    *("ownership", trait, index),
                )
    return config
