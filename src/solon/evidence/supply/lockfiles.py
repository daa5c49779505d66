"""The packages that a lock file names.

Read are requirements as pip, pip-tools and uv write them, ``poetry.lock``, ``uv.lock``, ``pdm.lock``, ``pylock.toml``
(PEP 751), and environments of conda, as MLflow writes them beside a model. Markers are not evaluated: what one platform
alone needs counts. A package without an exact version of an index is named all the same, with the reason in ``unknown``.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any, Final

from solon.evidence.supply.result import Package
from solon.subjects.documents import Problem, decode

_TOML_LOCKS: Final = ("poetry.lock", "uv.lock", "pdm.lock")
_TABLE: Final = re.compile(r"^\[\[", re.MULTILINE)
_LONGEST_LINE: Final = 8192  # of a requirement without its hashes
_SHOWN: Final = 200


def packages(text: str, name: str) -> Iterator[Package]:
    """Those of a file of that name. Raises Problem.

    Of a ``.lock`` the name does not say what it is, unless it is one of those that tools write; ``requirements.lock`` is of pip.
    """
    base = name.lower().rpartition("/")[2]
    kind = base.rpartition(".")[2]
    if kind == "toml" or base in _TOML_LOCKS or (kind == "lock" and _TABLE.search(text)):
        return _toml(text)
    if kind in ("yaml", "yml"):
        return _conda(text)
    if kind == "json" or text.lstrip().startswith("{"):
        raise Problem("JSON is no lock file: name a software bill of materials under `sbom:`")
    return _requirements(text)


# --- Requirements

_CONTINUED: Final = re.compile(r"\\[ \t]*\n")
_COMMENT: Final = re.compile(r"(?:^|\s)#.*$")
_HASHES: Final = re.compile(r"\s--?\w")
_URL: Final = re.compile(r"(?:git|hg|svn|bzr)\+|https?:|file:|\.{0,2}/")
_INCLUDES: Final = ("-r", "--requirement")
_EDITABLE: Final = ("-e", "--editable")


def _requirements(text: str) -> Iterator[Package]:
    """(https://pip.pypa.io/en/stable/reference/requirements-file-format/)."""
    line = 0
    for physical in _CONTINUED.sub("\0", text.replace("\r\n", "\n")).split("\n"):
        line += 1
        logical = _COMMENT.sub("", physical.replace("\0", " ")).strip()
        if logical:
            yield from _requirement(logical, line)
        line += physical.count("\0")


def _requirement(text: str, line: int) -> Iterator[Package]:
    if text.startswith(_EDITABLE):
        yield from _from_elsewhere(re.sub(r"^-+\w+[= ]*", "", text))
    elif text.startswith(_INCLUDES):
        raise Problem("includes another file: lock all into one (`uv pip compile` does)", line)
    elif not text.startswith("-"):
        text = _HASHES.split(text, maxsplit=1)[0].strip()
        if len(text) > _LONGEST_LINE:
            raise Problem(f"a requirement of more than {_LONGEST_LINE} characters", line)
        yield from _specified(text, line)


def _specified(text: str, line: int) -> Iterator[Package]:
    from packaging.requirements import InvalidRequirement, Requirement

    if _URL.match(text):
        yield from _from_elsewhere(text)
        return
    try:
        requirement = Requirement(text)
        exact = [each.version for each in requirement.specifier if each.operator in ("==", "===")]
    except (InvalidRequirement, ValueError) as error:
        raise Problem(f"not a requirement: {str(error).partition(chr(10))[0]}", line) from None
    except RecursionError:
        raise Problem("not a requirement: nested too deeply", line) from None
    if requirement.url:
        yield Package(requirement.name, "", unknown=_not_of_an_index(requirement.url))
    elif len(exact) == 1 and not exact[0].endswith(".*"):
        yield Package(requirement.name, exact[0])
    else:
        said = str(requirement.specifier)
        yield Package(requirement.name, "", unknown=_not_exact(said or "any version"))


def _from_elsewhere(text: str) -> Iterator[Package]:
    egg = re.search(r"[#&]egg=([\w.-]+)", text)
    yield Package(egg[1] if egg else _shown(text), "", unknown=_not_of_an_index(text))


def _not_exact(said: str) -> str:
    return f"no exact version: {said[:_SHOWN]}"


def _not_of_an_index(url: str) -> str:
    return f"not from an index, but {_shown(url)}"


def _shown(url: str) -> str:
    """Without what may be a password or a token."""
    return re.sub(r"//[^/]*@", "//", url).partition("?")[0][:_SHOWN]


# --- TOML


def _toml(text: str) -> Iterator[Package]:
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, ValueError) as error:
        raise Problem(f"not TOML: {str(error)[:200]}") from None
    except RecursionError:
        raise Problem("nested too deeply") from None
    named = document.get("package", document.get("packages"))
    if not isinstance(named, list):
        raise Problem("no lock file that is known: poetry.lock, uv.lock, pdm.lock and pylock.toml are")
    for number, package in enumerate(named, 1):
        if not isinstance(package, dict) or not isinstance(package.get("name"), str):
            raise Problem(f"package {number} has no name")
        source = package.get("source")
        source = source if isinstance(source, dict) else {}
        if "." in (source.get("virtual"), source.get("editable")):
            continue  # the project that was locked
        version = package.get("version")
        version = version if isinstance(version, str) else ""
        unknown = _elsewhere(package, source) or ("" if version else _not_exact("it names none"))
        yield Package(package["name"], version, unknown=unknown)


# Where a package comes from that is of no index: in uv.lock keys of its `source`, in pylock.toml and pdm.lock its own,
# in poetry.lock the `type` of its source.
_ELSEWHERE: Final = (
    "git",
    "vcs",
    "hg",
    "svn",
    "url",
    "archive",
    "path",
    "file",
    "directory",
    "editable",
    "virtual",
)


def _elsewhere(package: Mapping[str, Any], source: Mapping[str, Any]) -> str:
    """Why it is not known by its version."""
    if "type" in source:
        of = {source["type"]: source.get("url")} if source["type"] in _ELSEWHERE else {}
    else:
        of = {key: where[key] for where in (source, package) for key in _ELSEWHERE if key in where}
    for key, said in of.items():
        url = said.get("url", said.get("path")) if isinstance(said, dict) else said
        return _not_of_an_index(url if isinstance(url, str) else key)
    return ""


# --- conda

_CONDA: Final = re.compile(r"(?:[\w./-]+::)?([\w.-]+)\s*(.*)", re.DOTALL)
_CONDA_EXACT: Final = re.compile(r"==?\s*([^\s=<>!~|,*]+)(?:=[^\s=]+)?")


def _conda(text: str) -> Iterator[Package]:
    """An environment: what conda installs, and below ``pip`` what pip does."""
    for document in decode(text):
        if isinstance(document, Problem):
            raise document
        needs = document.value.get("dependencies") if isinstance(document.value, dict) else None
        if not isinstance(needs, list):
            raise Problem("no environment of conda: it has no list of `dependencies`")
        for need in needs:
            if isinstance(need, dict) and list(need) == ["pip"] and isinstance(need["pip"], list):
                for each in need["pip"]:
                    yield from _requirement(str(each).strip(), 0)
                continue
            found = _CONDA.fullmatch(need.strip()) if isinstance(need, str) else None
            if found is None:
                raise Problem(f"not a package of conda: {str(need)[:100]!r}")
            exact = _CONDA_EXACT.fullmatch(found[2])
            unknown = "" if exact else _not_exact(found[2] or "any version")
            yield Package(found[1], exact[1] if exact else "", "conda", unknown)
