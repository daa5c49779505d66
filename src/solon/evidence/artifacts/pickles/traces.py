"""What a pickle would do, as far as it is known: what its opcodes bring in and call, and what looks like imports elsewhere."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final

from solon.evidence.artifacts.pickles import names
from solon.evidence.artifacts.source import Stream

MAX_NAMES: Final = 2_000
MAX_MODULE: Final = 101
# Lines that may be the name of an import, in bytes that are not followed.
MAX_LOOKED: Final = 500_000
OVERLAP: Final = 512  # bytes that are looked at with what follows them, too
# What imports look like where opcodes can no longer be followed: the second line of GLOBAL and INST, and texts before a
# STACK_GLOBAL. Each begins with a byte that is found quickly.
_SECOND_LINE: Final = re.compile(rb"\n(?=([A-Za-z_][\w.]{1,100})\n)")
_NO_NAME: Final = re.compile(rb"[^\w.]")
_TEXTS: Final = re.compile(
    rb"\x8c[\x02-\x64](?=([A-Za-z_][\w.]{1,99})(?:\x94|q.|r....)?\x8c[\x02-\x64]([A-Za-z_][\w.]{1,99})(?:\x94|q.|r....)?\x93)",
    re.DOTALL,
)


class Name(str):
    """What an import gives."""

    __slots__ = ()


@dataclass(slots=True)
class Made:
    """What a call gives: of what, and of a type of numpy which one, and whether it holds objects."""

    of: str = ""
    dtype: str = ""
    objects: bool = False


@dataclass(slots=True)
class Traces:
    """What a stream of pickles would do. ``opcodes`` are those that can run something."""

    imports: dict[str, None] = field(default_factory=dict)
    calls: dict[str, None] = field(default_factory=dict)
    states: dict[str, None] = field(default_factory=dict)
    opcodes: dict[str, int] = field(default_factory=dict)
    buried: dict[str, None] = field(default_factory=dict)
    unresolved: int = 0
    indirect: int = 0
    arrays: int = 0
    more: int = 0
    looked: int = 0
    protocol: int = 0
    steps: int = 0

    def runs(self, opcode: str) -> None:
        self.opcodes[opcode] = self.opcodes.get(opcode, 0) + 1

    def brings(self, name: str) -> None:
        self._keep(self.imports, name)

    def _keep(self, into: dict[str, None], name: str) -> None:
        if name in into:
            return
        if len(into) < MAX_NAMES or (names.effect_of(name) and len(into) < 2 * MAX_NAMES):
            into[name] = None
        else:
            self.more += 1

    def called(self, value: Any) -> None:
        if isinstance(value, Name):
            self._keep(self.calls, value)
        else:
            self.indirect += 1

    def state(self, value: Any) -> None:
        of = value if isinstance(value, Name) else value.of if isinstance(value, Made) else ""
        if of:
            self._keep(self.states, of)

    def take(self, other: Traces) -> None:
        """What another pickle of the same file would do."""
        if other is self:
            return
        for mine, theirs in (
            (self.imports, other.imports),
            (self.calls, other.calls),
            (self.states, other.states),
            (self.buried, other.buried),
        ):
            for name in theirs:
                self._keep(mine, name)
        for opcode, count in other.opcodes.items():
            self.opcodes[opcode] = self.opcodes.get(opcode, 0) + count
        self.unresolved += other.unresolved
        self.indirect += other.indirect
        self.arrays += other.arrays
        self.more += other.more
        self.looked += other.looked
        self.protocol = max(self.protocol, other.protocol)
        self.steps = other.steps

    def scan(self, data: bytes, *, all_names: bool) -> None:
        """Imports as they look in bytes that no opcode was found in; those known to be dangerous, or all."""
        for match in _SECOND_LINE.finditer(data):
            self.looked += 1
            if self.looked > MAX_LOOKED:
                break
            self._buried(_modules_before(data, match.start()), match[1], all_names=all_names)
        for match in _TEXTS.finditer(data):
            self._buried([match[1]], match[2], all_names=all_names)

    def _buried(self, modules: list[bytes], name: bytes, *, all_names: bool) -> None:
        found = [f"{module.decode('ascii')}.{name.decode('ascii')}" for module in modules]
        dangerous = [name for name in found if names.effect_of(name)]
        for each in dangerous or (found[:1] if all_names else []):
            self._keep(self.buried, each)


def _modules_before(data: bytes, end: int) -> list[bytes]:
    """The names of modules that may end there, each behind the opcode of GLOBAL or INST; the longest first."""
    before = data[max(0, end - MAX_MODULE - 1) : end]
    gap = _NO_NAME.search(before[::-1])
    run = before[len(before) - gap.start() :] if gap else before
    return [
        run[at + 1 :]
        for at, byte in enumerate(run[:-1])
        if byte in b"ci" and not run[at + 1 : at + 2].isdigit() and run[at + 1] != 0x2E
    ]


def scan_rest(stream: Stream, traces: Traces, *, all_names: bool, most: int) -> int:
    """Looks for imports in what follows, and says how many bytes that were; at most that many."""
    seen, tail = 0, b""
    for piece in stream.chunks(most):
        seen += len(piece)
        traces.scan(tail + piece, all_names=all_names)
        tail = piece[-OVERLAP:]
    return seen
