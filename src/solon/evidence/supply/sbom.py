"""The packages that a bill of materials names: CycloneDX and SPDX, in JSON, and what pip-audit reports (``-f json``)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import unquote

from solon.evidence.supply.result import Package, Severity, Vulnerability
from solon.subjects.documents import Problem

# Ecosystems of the OSV schema, by the type of a package URL.
_ECOSYSTEMS: Final[Mapping[str, str]] = {
    "alpine": "Alpine",
    "apk": "Alpine",
    "cargo": "crates.io",
    "composer": "Packagist",
    "conan": "ConanCenter",
    "cran": "CRAN",
    "deb": "Debian",
    "gem": "RubyGems",
    "github": "GitHub Actions",
    "golang": "Go",
    "hackage": "Hackage",
    "hex": "Hex",
    "julia": "Julia",
    "maven": "Maven",
    "npm": "npm",
    "nuget": "NuGet",
    "pub": "Pub",
    "pypi": "PyPI",
    "swift": "SwiftURL",
}
# The types of package URLs, by ecosystem; of Debian and Alpine they are of a vendor.
PURL_TYPES: Final[Mapping[str, str]] = {ecosystem: kind for kind, ecosystem in _ECOSYSTEMS.items()} | {
    "Alpine": "apk/alpine",
    "Debian": "deb/debian",
    "conda": "conda",
}
_PURL: Final = re.compile(r"pkg:/*([A-Za-z][\w.+-]*)/([^?#]+)")
# Components of CycloneDX that are no software with vulnerabilities of its own in a database.
_NO_PACKAGES: Final = ("cryptographic-asset", "data", "file", "machine-learning-model", "operating-system")
_SHOWN: Final = 200
_SEVERITIES: Final[Sequence[Severity]] = ("critical", "high", "medium", "low")
_NO_ECOSYSTEM: Final = "no package URL says which ecosystem it is of"


def packages(document: Any) -> Iterator[Package]:
    """Raises Problem."""
    if isinstance(document, dict):
        if document.get("bomFormat") == "CycloneDX":
            return _cyclonedx(document)
        if isinstance(document.get("spdxVersion"), str):
            return _spdx(document)
        if isinstance(document.get("@graph"), list):
            return _spdx_3(document["@graph"])
        if isinstance(document.get("dependencies"), list):
            return _audited(document["dependencies"])
    raise Problem(
        "no bill of materials that is known: CycloneDX, SPDX, and what `pip-audit -f json` writes are"
    )


def reported(document: Any) -> Iterator[Vulnerability]:
    """What others found already: pip-audit, and whatever wrote a bill of materials. Raises Problem.

    That something does no harm (VEX) is not read: it is for a policy to say, and not for a release.
    """
    if not isinstance(document, dict):
        return
    if document.get("bomFormat") == "CycloneDX":
        yield from _vulnerable(document)
        return
    for each in _dicts(document.get("dependencies")):
        for found in _dicts(each.get("vulns")):
            yield Vulnerability(
                id=_text(found, "id"),
                package=_text(each, "name"),
                version=_text(each, "version"),
                severity="unknown",
                summary=_line(_text(found, "description")),
                aliases=_texts(found.get("aliases")),
                fixed=_texts(found.get("fix_versions")),
            )


def _vulnerable(document: Mapping[str, Any]) -> Iterator[Vulnerability]:
    by_ref = {_text(component, "bom-ref"): component for component in _components(document)}
    for found in _dicts(document.get("vulnerabilities")):
        ratings = [_text(rating, "severity") for rating in _dicts(found.get("ratings"))]
        known = [severity for severity in _SEVERITIES if severity in ratings]
        for each in _dicts(found.get("affects")) or [{}]:
            component = by_ref.get(_text(each, "ref"), {})
            package = _package_of(component)
            yield Vulnerability(
                id=_text(found, "id"),
                package=package.name or _text(each, "ref") or "an unnamed package",
                version=package.version,
                severity=known[0] if known else "unknown",
                summary=_line(_text(found, "description")),
                aliases=[_text(other, "id") for other in _dicts(found.get("references"))],
            )


def _line(text: str) -> str:
    return " ".join(text[:_SHOWN].split())


def of_purl(purl: str) -> tuple[str, str, str] | None:
    """The ecosystem, name and version of a package URL (ECMA-427); None where it is none."""
    found = _PURL.match(purl)
    if found is None:
        return None
    kind = found[1].lower()
    path, at, version = found[2].rpartition("@")
    if not at or "/" in version:
        path, version = found[2], ""
    parts = [unquote(part) for part in path.strip("/").split("/") if part]
    if not parts:
        return None
    ecosystem = _ECOSYSTEMS.get(kind, kind)
    # Debian's and Alpine's namespace is the vendor, and no part of the name.
    name = parts[-1] if ecosystem in ("Debian", "Alpine") else (":" if kind == "maven" else "/").join(parts)
    return ecosystem, name, unquote(version)


def _package(name: str, version: str, purl: str) -> Package:
    found = of_purl(purl)
    if found is None:
        return Package(name, version, "", _NO_ECOSYSTEM)
    ecosystem, name, at = found
    version = at or version
    return Package(name, version, ecosystem, "" if version else "no exact version: it names none")


def _cyclonedx(document: Mapping[str, Any]) -> Iterator[Package]:
    """(CycloneDX 1.2 to 1.7.) ``metadata.component`` is what the document is about, and no dependency of it."""
    for component in _components(document):
        if component.get("type") not in _NO_PACKAGES:
            yield _package_of(component)


def _components(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """They may be in one another."""
    stack = [document.get("components")]
    while stack:
        for component in _dicts(stack.pop()):
            stack.append(component.get("components"))
            yield component


def _package_of(component: Mapping[str, Any]) -> Package:
    return _package(_text(component, "name"), _text(component, "version"), _text(component, "purl"))


def _spdx(document: Mapping[str, Any]) -> Iterator[Package]:
    """(SPDX 2.2 and 2.3.) What the document describes is no dependency of it."""
    described = set(_texts(document.get("documentDescribes")))
    for relation in _dicts(document.get("relationships")):
        if relation.get("relationshipType") == "DESCRIBES":
            described.add(_text(relation, "relatedSpdxElement"))
    for package in _dicts(document.get("packages")):
        if package.get("SPDXID") not in described:
            purls = [
                _text(reference, "referenceLocator")
                for reference in _dicts(package.get("externalRefs"))
                if reference.get("referenceType") == "purl"
            ]
            yield _package(_text(package, "name"), _text(package, "versionInfo"), next(iter(purls), ""))


def _spdx_3(graph: list[Any]) -> Iterator[Package]:
    """(SPDX 3.0, JSON-LD.)"""
    about = {id for element in _dicts(graph) for id in _texts(element.get("rootElement"))}
    for element in _dicts(graph):
        if element.get("type") == "software_Package" and element.get("spdxId") not in about:
            yield _package(
                _text(element, "name"),
                _text(element, "software_packageVersion"),
                _text(element, "software_packageUrl"),
            )


def _audited(dependencies: list[Any]) -> Iterator[Package]:
    """What pip-audit skipped it knows nothing of, whatever it says at the end."""
    for each in _dicts(dependencies):
        skipped = _text(each, "skip_reason")
        version = _text(each, "version")
        unknown = (
            f"skipped by pip-audit: {skipped[:_SHOWN]}" if skipped else "" if version else "no exact version"
        )
        yield Package(_text(each, "name"), version, unknown=unknown)


def _dicts(value: Any) -> list[dict[str, Any]]:
    """The items of a list, each of which must be an object. Raises Problem."""
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise Problem("not as its format has it: a list of objects was expected")
    return value


def _texts(value: Any) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _text(value: Mapping[str, Any], key: str) -> str:
    """Nothing where it is not there. Raises Problem where it is no text."""
    found = value.get(key)
    if found is not None and not isinstance(found, str):
        raise Problem(f"not as its format has it: `{key}` must be a text")
    return found or ""
