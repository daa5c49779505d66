"""What a file is, and each member of it where it is an archive: told from the content, without loading any of it.

The name of a file only ever makes it worse: nothing is safe because it is called so.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from solon.evidence.artifacts import magic
from solon.evidence.artifacts.archives import inflate, tar
from solon.evidence.artifacts.archives import zip as zips
from solon.evidence.artifacts.archives.member import Member
from solon.evidence.artifacts.graphs import onnx, tensorflow
from solon.evidence.artifacts.graphs import sniff as graphs
from solon.evidence.artifacts.limits import Broken, Limits, Spent, TooMuch
from solon.evidence.artifacts.pickles import read as pickles
from solon.evidence.artifacts.result import Artifact, Verdict
from solon.evidence.artifacts.source import Place, Source, of_bytes, of_file
from solon.evidence.artifacts.tensors import gguf, hdf5, npy, safetensors
from solon.evidence.artifacts.texts import read as texts
from solon.evidence.artifacts.told import Told, shown, worst

HEAD: Final = 8192
_DEFAULT: Final = Limits()
# Names by which a file is run or imported, whatever it holds.
_RUN_BY_NAME: Final = {
    ".py": "Python source: whoever imports it runs it",
    ".pyc": "compiled Python: whoever imports it runs it",
    ".so": "a shared library, by its name",
    ".dll": "a shared library, by its name",
    ".dylib": "a shared library, by its name",
    ".pyd": "a shared library, by its name",
    ".sh": "a script, by its name",
    ".bat": "a script, by its name",
    ".ps1": "a script, by its name",
    ".exe": "a program, by its name",
}
# Formats that people trust by the name of a file.
_CLAIMS: Final = {".safetensors": "safetensors", ".onnx": "onnx", ".gguf": "gguf", ".npy": "npy"}
_TORCH_NUMBERS: Final = re.compile(r"(?:[^/]+/)?(?:data/\d+|\.data/.*|byteorder|version)\Z")
# What a library makes of a zip archive, by the names in it: all of the first, and the beginning of any of the second.
_KINDS: Final = (
    ("torchscript", r"(?:[^/]+/)?constants\.pkl", r"(?:[^/]+/)?code/.*"),
    ("torch", r"(?:[^/]+/)?data\.pkl", ""),
    ("keras", r"config\.json", r"metadata\.json"),
    ("skops", r"schema\.json", ""),
    ("jar", r"META-INF/MANIFEST\.MF", ""),
)


def examine(source: str | os.PathLike[str] | bytes, name: str, limits: Limits = _DEFAULT) -> list[Artifact]:
    """What a file, or some bytes, come to: first the whole, then its members.

    A member is called ``NAME!MEMBER``. Raises OSError where the file cannot be read, and nothing else: content that
    breaks its format, or a bound, is unknown, with the reason.
    """
    if isinstance(source, bytes):
        return _examined(of_bytes(source), name, limits)
    with open(source, "rb") as file:
        return _examined(of_file(file), name, limits)


def _examined(source: Source, name: str, limits: Limits) -> list[Artifact]:
    look = _Look(limits, Spent(limits))
    look.at(source, name, 0)
    return look.found


@dataclass(slots=True)
class _Look:
    """One file, and what was found of it up to now."""

    limits: Limits
    spent: Spent
    found: list[Artifact] = field(default_factory=list)

    def at(
        self, source: Source, path: str, depth: int, member: Member | None = None, kind: str = ""
    ) -> Verdict:
        """Adds what a content is, then its members; gives its verdict, the worst of all. Raises TooMuch."""
        self.spent.artifacts += 1
        if self.spent.artifacts > self.limits.artifacts:
            raise TooMuch(f"more than {self.limits.artifacts} members in all: the rest is not looked at")
        index = len(self.found)
        told = self.told(source, path, depth)
        if source.size is not None:
            told.bytes = source.size
        if kind == "torch" and member is not None and _TORCH_NUMBERS.match(member.name):
            told = _as_numbers(told)
        if member is not None:
            for reason in member.unsafe:
                told.unsafe(reason)
            for reason in member.unknown:
                told.unknown(reason)
        _by_name(told, member.name if member is not None else path)
        self.found.insert(index, told.artifact(path))
        return told.verdict

    def told(self, source: Source, path: str, depth: int) -> Told:
        """What a content is; its members are added."""
        name = "unknown"
        try:
            head = source.stream().peek(HEAD)
            for name in self._formats(source, head):
                told = self._read(name, source, head, path, depth)
                if told is not None:
                    break
            else:
                name, told = (
                    "unknown",
                    Told("unknown").unknown("its content is of no format that is known here"),
                )
            self._also(told, source, head, path, depth)
        except (Broken, TooMuch) as error:
            return Told(name).unknown(str(error))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is no reason to lose the other files
            return Told(name).unknown(f"could not be looked at: {type(error).__name__}: {error}")
        return told

    def _formats(self, source: Source, head: bytes) -> Iterable[str]:
        """The formats that a content may be of, the surest first."""
        if not head:
            yield "empty"
            return
        encoding = texts.encoding_of(head, whole=len(head) < HEAD)
        for start, name in magic.READ:
            if head.startswith(start):
                yield name
        found = magic.known(head)
        if found is not None and (found[1] != "safe" or encoding is None):
            yield "known"
        if pickles.begins(head):
            yield "pickle"
        if tar.begins(head[: tar.BLOCK]):
            yield "tar"
        if safetensors.begins(head, source.size):
            yield "safetensors"
        if pickles.probe(source.stream()):
            yield "pickle"
        if encoding is not None:
            yield "text"
        schema = graphs.schema_of(source)
        if schema is not None:
            yield schema
        if isinstance(source, Place) and any(
            source.at(offset, len(hdf5.MAGIC)) == hdf5.MAGIC for offset in magic.HDF5_OFFSETS
        ):
            yield "hdf5"
        if isinstance(source, Place) and (directory := zips.directory(source)) and directory.entries:
            yield "zip"

    def _read(self, name: str, source: Source, head: bytes, path: str, depth: int) -> Told | None:
        """None where the content is not of that format after all."""
        if name == "zip":
            return self._zip(source, path, depth)
        if name == "tar":
            return self._tar(source, path, depth)
        if name in inflate.STREAMS:
            return self._compressed(name, source, path, depth)
        if name == "text":
            encoding = texts.encoding_of(head, whole=len(head) < HEAD)
            return texts.read(source, encoding, self.limits) if encoding else None
        if name == "known":
            known = magic.known(head)
            assert known is not None
            return Told(known[0], known[1], [known[2]] if known[2] else [])
        if name in ("savedmodel", "graphdef"):
            return tensorflow.read(source, name)
        if name == "pickle":
            return pickles.read(source, self.limits)
        if name == "npy":
            return npy.read(source, self.limits)
        if name in ("empty", "sentencepiece"):
            return Told(name)
        return {
            "safetensors": safetensors.read,
            "gguf": gguf.read,
            "hdf5": hdf5.read,
            "onnx": onnx.read,
        }[name](source)

    def _also(self, told: Told, source: Source, head: bytes, path: str, depth: int) -> None:
        """A content that another reader takes for something else: what it is to that one counts, too."""
        if told.format not in ("pickle", "npy") and pickles.probe(source.stream()):
            other = pickles.read(source, self.limits)
            told.unsafe("is a pickle as well, to whoever loads it as one")
            told.reasons += other.reasons
            told.imports += other.imports
            told.opcodes |= other.opcodes
        if not isinstance(source, Place):
            if told.verdict == "safe" and told.format != "empty":
                told.unknown(f"more than {self.limits.held >> 20} MiB, compressed: its end was not looked at")
            return
        archive = told.format in ("tar", "zip", *(kind[0] for kind in _KINDS), "npz")
        if not archive and told.format != "hdf5":
            for offset in (0, *magic.HDF5_OFFSETS):
                if source.at(offset, len(hdf5.MAGIC)) == hdf5.MAGIC:
                    told.unsafe(f"is HDF5 as well, from byte {offset} on")
        if told.format != "tar" and tar.begins(head[: tar.BLOCK]):
            told.unsafe("is a tar archive as well")
            self._merge(told, self._tar(source, path, depth))
        if not archive or told.format == "tar":
            directory = zips.directory(source)
            if directory is None or not directory.entries:
                return
            if told.format == "tar" and _in_a_member(source, directory, self.spent):
                return
            told.unsafe("is a zip archive as well")
            if (other_zip := self._zip(source, path, depth)) is not None:
                self._merge(told, other_zip)

    def _merge(self, told: Told, other: Told) -> None:
        told.verdict = worst(told.verdict, other.verdict)
        for reason in other.reasons:
            told.note(reason)

    def _zip(self, source: Source, path: str, depth: int) -> Told | None:
        if not isinstance(source, Place):
            return Told("zip").unknown(
                f"an archive of more than {self.limits.held >> 20} MiB, compressed: it is not looked into"
            )
        directory = zips.directory(source)
        if directory is None:
            if source.at(0, 4) != zips.LOCAL:
                return None
            told = Told("zip").unknown(
                "its directory is missing, or cut off: members are told from their own headers"
            )
            return self._members(told, zips.headers(source, self.spent), path, depth)
        found = zips.read(source, directory, self.spent)
        names = [entry.name for entry in found.members]
        told, kind = found.told, _kind(names)
        told.format = kind or told.format
        if kind == "torchscript":
            told.unsafe("TorchScript: its code/ is a program")
        elif kind == "jar":
            told.unsafe("a program in Java")
        members = (zips.content(source, entry, self.spent) for entry in found.members)
        self._members(told, members, path, depth, "torch" if kind == "torchscript" else kind)
        for place in found.hidden:
            self._members(told, zips.headers(place, self.spent), f"{path}!(hidden)", depth)
        return told

    def _tar(self, source: Source, path: str, depth: int) -> Told:
        return self._members(Told("tar"), tar.members(source, self.spent), path, depth)

    def _compressed(self, name: str, source: Source, path: str, depth: int) -> Told | None:
        drawn = inflate.draw(lambda: source.stream().chunks(), inflate.STREAMS[name], self.spent)
        if drawn.problem and not drawn.size:
            return None if name in ("zlib", "lzma", "bzip2") else Told(name).unknown(drawn.problem)
        told = Told(name)
        if drawn.problem:
            told.unknown(drawn.problem)
        return self._members(told, [Member("content", drawn.source)], path, depth)

    def _members(self, told: Told, members: Iterable[Member], path: str, depth: int, kind: str = "") -> Told:
        """Looks at each member; what they come to is added to the archive's own verdict."""
        if depth >= self.limits.depth:
            return told.unknown(f"archives in archives, {depth} deep: it is not looked into")
        verdicts: dict[Verdict, list[str]] = {"unsafe": [], "unknown": []}
        try:
            for member in members:
                verdict = self._member(member, path, depth, kind)
                if verdict != "safe":
                    verdicts[verdict].append(member.name)
        except (Broken, TooMuch) as error:
            told.unknown(str(error))
        for verdict, names in verdicts.items():
            if names:
                more = f" and {len(names) - 3} more" if len(names) > 3 else ""
                told.verdict = worst(told.verdict, verdict)
                told.note(f"{verdict} in it: {', '.join(shown(name, 100) for name in names[:3])}{more}")
        return told

    def _member(self, member: Member, path: str, depth: int, kind: str) -> Verdict:
        whole = f"{path}!{shown(member.name, 1000)}"
        if member.source is not None:
            return self.at(member.source, whole, depth + 1, member, kind)
        if not member.unsafe and not member.unknown:
            return "safe"
        told = Told("member")
        for reason in member.unsafe:
            told.unsafe(reason)
        for reason in member.unknown:
            told.unknown(reason)
        self.found.append(told.artifact(whole))
        return told.verdict


def _kind(names: Sequence[str]) -> str:
    """What a library makes of a zip archive with members of these names; nothing where none is known to."""
    if names and all(name.endswith(".npy") for name in names):
        return "npz"
    for kind, *patterns in _KINDS:
        if all(any(re.fullmatch(pattern, name) for name in names) for pattern in patterns if pattern):
            return kind
    return ""


def _as_numbers(told: Told) -> Told:
    """A member of a torch archive that torch reads as numbers, whatever they are: only what is unsafe stays so."""
    if told.verdict == "unknown":
        return Told("numbers", bytes=told.bytes)
    return told


def _in_a_member(source: Place, directory: zips.Directory, spent: Spent) -> bool:
    """Whether a zip archive lies within one member of a tar archive, which is no second format."""
    for member in tar.members(source, spent):
        if isinstance(member.source, Place):
            begin = member.source.start - source.start
            if begin <= directory.shift and directory.end <= begin + member.source.length:
                return True
    return False


def _by_name(told: Told, path: str) -> None:
    extension = os.path.splitext(path)[1].lower()
    if extension in _RUN_BY_NAME:
        told.unsafe(_RUN_BY_NAME[extension])
    claimed = _CLAIMS.get(extension)
    if claimed is not None and told.format != claimed:
        told.unknown(f"its name says {claimed}, and its content does not")
