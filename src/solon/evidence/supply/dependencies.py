"""What a model needs to run, and which known vulnerabilities that has: a lock file and a bill of materials, offline."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, Final

from solon.evidence.collector import CannotCollect, Collected, Given, Progress, silent
from solon.evidence.supply import lockfiles, matching, osv, sbom
from solon.evidence.supply.result import Database, Dependencies, Package, Vulnerability
from solon.subjects.documents import Problem, decode_json, text_of

MAX_BYTES: Final = 16 << 20
MAX_PACKAGES: Final = 20_000
MAX_VERSIONS: Final = 50  # of one package: each is compared with all that is known of it


def collect(given: Given) -> Collected | None:
    """Without a database nothing is matched: there are packages then, and nothing is known of them. Raises CannotCollect."""
    supply = given.release.supply
    if supply is None or not (supply.lock or supply.sbom):
        return None
    packages: dict[Any, Package] = {}
    reported: list[Vulnerability] = []
    if supply.lock:
        with _explained(supply.lock):
            packages |= _each_once(lockfiles.packages(_text(given, supply.lock), supply.lock))
    if supply.sbom:
        with _explained(supply.sbom):
            document = decode_json(_text(given, supply.sbom))
            packages |= _each_once(sbom.packages(document))
            reported = list(sbom.reported(document))
    named, found, database = list(packages.values()), list[Vulnerability](), None
    if given.operator.vulnerabilities:
        named, found, database = match(named, given.operator.vulnerabilities, given.progress)
    sources = {"lock": supply.lock, "sbom": supply.sbom}
    result = Dependencies(
        sources=[path for path in sources.values() if path],
        packages=named,
        vulnerabilities=matching.in_order([*found, *_not_yet(found, reported)]),
        database=database,
    )
    measured = [given.measured(what, path) for what, path in sources.items() if path]
    return Collected(result, ", ".join(result.sources), measured)


def match(
    packages: Iterable[Package], database: str, progress: Progress = silent
) -> tuple[list[Package], list[Vulnerability], Database]:
    """The packages, each with what is unknown of it, their vulnerabilities, and what the database is.

    ``database`` is a file or directory of OSV records: see ``osv``. Raises CannotCollect.
    """
    packages = list(packages)
    names = {osv.name_of(package.ecosystem, package.name) for package in packages}
    records = osv.read(database, names, progress)
    return *matching.matched(packages, records), records.database


def _not_yet(found: Sequence[Vulnerability], reported: Sequence[Vulnerability]) -> Iterator[Vulnerability]:
    """What others reported, and the database does not have."""
    have = {(osv.name_of("PyPI", each.package), id) for each in found for id in (each.id, *each.aliases)}
    for each in reported:
        name = osv.name_of("PyPI", each.package)
        if not any((name, id) in have for id in (each.id, *each.aliases)):
            yield each


def _text(given: Given, name: str) -> str:
    """Raises CannotCollect, Problem."""
    with open(given.path(name), "rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise Problem(f"larger than {MAX_BYTES >> 20} MiB")
    return text_of(data)


def _each_once(packages: Iterator[Package]) -> dict[Any, Package]:
    """By what tells them apart. Raises Problem."""
    found = list(islice(packages, MAX_PACKAGES + 1))
    if len(found) > MAX_PACKAGES:
        raise Problem(f"names more than {MAX_PACKAGES:,} packages")
    if not all(package.name for package in found):
        raise Problem("has a package without a name")
    if not found:
        raise Problem("names no packages: what the model needs is not known by it")
    each_once = {(osv.name_of(each.ecosystem, each.name), each.version, each.unknown): each for each in found}
    name, times = Counter(key[0] for key in each_once).most_common(1)[0]
    if times > MAX_VERSIONS:
        raise Problem(f"names {times:,} versions of {name[1][:100]}")
    return each_once


@contextmanager
def _explained(name: str) -> Iterator[None]:
    """Problems with a file are what keeps from collecting. Raises CannotCollect."""
    try:
        yield
    except OSError as error:
        raise CannotCollect(f"{name}: {(error.strerror or str(error)).lower()}") from None
    except Problem as problem:
        at = f"{name}:{problem.row}" if problem.row else name
        raise CannotCollect(f"{at}: {problem.message}") from None
