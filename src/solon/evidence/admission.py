"""Whether evidence is about what lies here: what is about something else is refused, before any policy sees it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import msgspec

from solon.evidence import digests, document, release
from solon.evidence.document import NAMES, Evidence, Item, Measured, Model
from solon.evidence.gathering import declaration
from solon.evidence.places import Outside, inside
from solon.evidence.release import Release
from solon.subjects import discover, files, ml_release
from solon.subjects.documents import Problem
from solon.subjects.ml_release import EVIDENCE, EVIDENCE_FILE, RELEASE_FILE
from solon.subjects.subject import Location, Path, Subject, Unreadable

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

SIGNATURE_FILE: Final = "evidence.dsse.json"
SIGNATURE_TYPE: Final = "urn:solon:evidence:v1"
SIGNATURE_BYTES: Final = 1 << 20

# The digest of a file that was measured, as it is now; None where it is not here to be compared.
DigestNow = Callable[[Measured], "str | None"]


def admitted(subject: Subject, keys: Sequence[Ed25519PublicKey] = ()) -> Subject | list[Unreadable]:
    """A release with what of its evidence holds for the files around it, or all that is wrong with it.

    The document is then the evidence with the declaration as it is now, and ``model`` as it is now with ``verified``;
    parts about anything else have the status ``refused``. Without the model nothing can be told, and all are refused.
    ``collected_by`` says which of the ``keys`` signed the evidence, and why none did.
    """
    root = os.path.dirname(subject.location.file) or "."
    path = os.path.join(root, RELEASE_FILE)
    declared = release.read(path) if os.path.lexists(path) else None
    if isinstance(declared, list):
        return declared
    found = _typed(subject, declared)
    if isinstance(found, Unreadable):
        return [found]
    try:
        model = digests.model(root, declared.model) if declared is not None else None
    except Problem as problem:
        return [problem.at(path)]
    if (
        declared is not None
        and isinstance(found, Evidence)
        and _identity(found.release) != _identity(declared)
    ):
        about = f"{found.release.name} {found.release.version}"
        other = f"evidence is about {about}, and {RELEASE_FILE} declares {declared.name} {declared.version}"
        return [Problem(other, hint="collect it anew: solon model collect").at(subject.location.file)]
    document = admit(found, declared, model, lambda measured: _digest_now(root, measured))
    if isinstance(found, Evidence):
        document["collected_by"] = collected_by(subject.location.file, keys)
    if declared is not None:  # what it is, for waivers and rollouts, is not for the evidence to say
        plain = msgspec.to_builtins(declared)
        return ml_release.release(plain, document, subject.location, subject.locator)
    return replace(subject, document=document)


def _identity(declared: Release) -> str:
    return ml_release.uri(declared.registry or "local", declared.name, declared.version)


def admit(
    evidence: Evidence | Release, declared: Release | None, model: Model | None, digest_now: DigestNow
) -> dict[str, Any]:
    """The document that policies see. ``model`` and ``declared`` are what there is now, None where it is not here."""
    if isinstance(evidence, Release):
        parts: dict[str, Any] = {}
        about, rest = model, {"kind": EVIDENCE}
    else:
        about = model or evidence.model
        found = {name: getattr(evidence.evidence, name) for name in NAMES}
        parts = {
            name: msgspec.to_builtins(_held_to(name, item, declared, model, digest_now))
            for name, item in found.items()
            if item is not None
        }
        rest = msgspec.to_builtins(evidence)
    seen = {**msgspec.to_builtins(about), "verified": model is not None} if about is not None else {}
    return {
        **rest,
        "release": msgspec.to_builtins(
            declared or (evidence if isinstance(evidence, Release) else evidence.release)
        ),
        "model": seen,
        "evidence": parts,
    }


def schema() -> dict[str, Any]:
    """The JSON Schema of the document that policies see: that of the evidence, and what is found here."""
    made = document.schema()
    definitions = made["$defs"]
    whole = definitions[made["$ref"].rpartition("/")[2]]
    model = definitions["Model"]
    by = {"verified": {"type": "boolean"}, "key": {"type": "string"}, "problem": {"type": "string"}}
    changed = {
        "Model": {**model, "properties": {**model["properties"], "verified": {"type": "boolean"}}},
        made["$ref"].rpartition("/")[2]: {
            **whole,
            "properties": {**whole["properties"], "collected_by": {"type": "object", "properties": by}},
        },
    }
    return {**made, "$defs": {**definitions, **changed}}


def collected_by(path: str, keys: Sequence[Ed25519PublicKey]) -> dict[str, Any]:
    """Whose signature lies beside the evidence."""
    from solon.signing.dsse import NotVerified, verify

    try:
        beside = os.path.join(os.path.dirname(path), SIGNATURE_FILE)
        with open(beside, "rb", opener=discover.regular) as file:
            said, key = verify(file.read(SIGNATURE_BYTES), keys)
        about = {each.name: each.digest.get("sha256") for each in said.subject}
        if said.predicate_type != SIGNATURE_TYPE or f"sha256:{about.get(EVIDENCE_FILE)}" != digests.of_file(
            path
        ):
            raise NotVerified("is signed, but for other evidence")
    except FileNotFoundError:
        return {"verified": False, "problem": "nobody signed the evidence"}
    except NotVerified as error:
        return {"verified": False, "problem": f"{SIGNATURE_FILE} {error}"}
    except OSError as error:
        return {"verified": False, "problem": f"{SIGNATURE_FILE}: {(error.strerror or str(error)).lower()}"}
    return {"verified": True, "key": key}


def _typed(subject: Subject, declared: Release | None) -> Evidence | Release | Unreadable:
    document = subject.document
    if declared is not None and os.path.basename(subject.location.file) == RELEASE_FILE:
        return declared

    def place(path: Path) -> Location:
        return subject.locator.locate(path)

    return files.convert(document, Evidence, place)


def _held_to(
    name: str, item: Item[Any], declared: Release | None, model: Model | None, digest_now: DigestNow
) -> Item[Any]:
    """The part, refused where it is about something else."""
    if item.status != "measured":
        return item
    reason = _elsewhere(name, item, declared, model, digest_now)
    return msgspec.structs.replace(item, status="refused", problem=reason, result=None) if reason else item


def _elsewhere(
    name: str, item: Item[Any], declared: Release | None, model: Model | None, digest_now: DigestNow
) -> str:
    """Why a part is not about what is here; nothing where it is."""
    if model is None or declared is None:
        return "the released model is not here: whether this is about it cannot be told"
    about = {measured.what: measured.digest for measured in item.measured}
    if about.get("model") != model.digest:
        return "measured of another model than the files that lie here now"
    now = declaration(declared, name)
    if about.get("declaration") != now.digest:
        return f"measured when release.yaml said otherwise under `{now.path}`"
    for measured in item.measured:
        if measured.what in ("model", "declaration"):
            continue
        digest = digest_now(measured)
        if digest is not None and digest != measured.digest:
            return f"{measured.path} has changed since it was measured"
    return ""


def _digest_now(root: str, measured: Measured) -> str | None:
    try:
        path = inside(root, measured.path)
        return digests.of_file(path) if os.path.isfile(path) else None
    except (Outside, OSError):
        return "unreadable"
