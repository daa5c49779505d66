"""A model that is live, and how what serves it says which one it is.

A URI counts where it lies in a registry that the organisation approved: who may write ``s3://scratch/fraud-scorer/3`` must
not have it taken for version 3 of fraud-scorer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from solon.subjects.fields import text
from solon.subjects.subject import Location, Subject

DIGEST: Final = "solon.dev/model-digest"  # an annotation or tag: the digest that evidence has of the model
UNTRACKED: Final = "nothing says which registered model this is"


@dataclass(frozen=True, slots=True)
class Live:
    """One version of one model where it is live.

    ``name`` and ``version`` are those of the registry, empty where they are not known: ``problem`` says why. ``where`` is the uri
    of what serves it, ``serves`` what people call that. ``traffic`` is its share in percent; None where nothing tells.
    """

    name: str
    version: str
    where: str
    serves: str
    location: Location
    source: str  # kubernetes, kserve, sagemaker, mlflow
    uri: str = ""
    digest: str = ""
    namespace: str = ""
    environment: str = ""
    team: str = ""
    owner: str = ""
    traffic: float | None = None
    problem: str = ""

    @property
    def known(self) -> bool:
        return bool(self.name and self.version)


@dataclass(frozen=True, slots=True)
class Whose:
    team: str = ""
    owner: str = ""
    environment: str = ""


def by_labels(subject: Subject) -> Whose:
    return labelled(subject.labels)


def labelled(said: Mapping[str, Any]) -> Whose:
    """Of labels, tags and the like, by the names that Solon has for it."""
    return Whose(*(text(said.get(name)) for name in ("team", "owner", "environment")))


class Annotations(msgspec.Struct, frozen=True):
    model: str = "ml-platform/registered-model"
    version: str = "ml-platform/model-version"


class Registry(msgspec.Struct, frozen=True):
    """How deployments name registered models: ``model_registry`` of library/data/model-registry.yaml."""

    approved: tuple[str, ...] = ("models:/",)
    annotations: Annotations = Annotations()
    version_pattern: str = "^v?[0-9]+([.][0-9]+)*$"
    component_labels: tuple[str, ...] = ("model-server",)
    environment_variables: tuple[str, ...] = ("MODEL_URI", "STORAGE_URI")

    def __post_init__(self) -> None:
        try:
            re.compile(self.version_pattern)
        except re.error as error:
            raise ValueError(f"version_pattern is no regular expression: {error}") from None

    def exact(self, version: str) -> bool:
        return len(version) <= 100 and re.search(self.version_pattern, version) is not None


@dataclass(frozen=True, slots=True)
class Settings:
    """``whose`` tells the team, owner and environment of an object of Kubernetes."""

    registry: Registry = field(default_factory=Registry)
    whose: Callable[[Subject], Whose] = by_labels


@dataclass(frozen=True, slots=True)
class Named:
    """What a URI says. ``alias`` is what stands for a version: an alias, a stage, or ``latest``."""

    name: str = ""
    version: str = ""
    alias: str = ""


_MODELS: Final = re.compile(r"models:/+(?P<name>[^/@]+)(?:/(?P<version>[^/@]+)|@(?P<alias>[^/@]+))")
_IMAGE: Final = re.compile(r"(?P<name>[^:@]+)(?::(?P<tag>[^:@]+))?(?:@sha256:[0-9a-f]+)?")


def named(uri: str, registry: Registry) -> Named:
    """The registered model that a URI means; nothing where it is under no approved registry."""
    approved = [prefix for prefix in registry.approved if prefix and _below(uri, prefix)]
    if not approved:
        return Named()
    if uri.startswith("models:/"):
        found = _MODELS.fullmatch(uri)
        if found is None:
            return Named()
        version = found["version"] or ""
        if registry.exact(version):
            return Named(found["name"], version)
        return Named(found["name"], alias=found["alias"] or version)
    rest = uri[len(max(approved, key=len)) :].strip("/")
    name, slash, version = rest.rpartition("/")
    if slash and registry.exact(version):
        return Named(name, version)
    image = _IMAGE.fullmatch(rest)
    tag = (image["tag"] or "") if image is not None else ""
    if image is None or not tag:
        return Named()
    return Named(image["name"], tag) if registry.exact(tag) else Named(image["name"], alias=tag)


def _below(uri: str, prefix: str) -> bool:
    """A prefix ends at a ``/``, or at the end of the text; and no ``..`` leads out of it again."""
    if not uri.startswith(prefix) or ".." in uri.split("/"):
        return False
    return prefix.endswith("/") or uri[len(prefix) : len(prefix) + 1] in ("", "/")


@dataclass(frozen=True, slots=True)
class Claim:
    """What somebody wrote beside a model: its name, version and digest, each empty where not said."""

    name: str = ""
    version: str = ""
    digest: str = ""


def identified(claim: Claim, uri: str, registry: Registry) -> tuple[Named, str]:
    """Which model it is, and what keeps that from being known for sure.

    What is loaded counts more than what is written beside it.
    """
    loaded = named(uri, registry)
    if loaded.name and loaded.version:
        said = f"{claim.name or loaded.name} {claim.version or loaded.version}"
        if said != f"{loaded.name} {loaded.version}":
            return loaded, f"it is said to be {said}, and loads {uri}"
        return loaded, ""
    if claim.name and claim.version:
        if not registry.exact(claim.version):
            return Named(claim.name, alias=claim.version), f"{claim.version!r} is no exact version"
        if loaded.name and loaded.name != claim.name:
            return loaded, f"it is said to be {claim.name} {claim.version}, and loads {uri}"
        return Named(claim.name, claim.version), ""
    if loaded.name:
        return loaded, f"{loaded.alias!r} is no exact version" if loaded.alias else "it names no version"
    if claim.name:
        return Named(claim.name), "it names no version"
    return Named(), UNTRACKED + (f": {uri} is under no approved registry" if uri else "")
