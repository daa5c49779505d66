"""How far looking goes: what a hostile file could make endless, or make take all memory, ends here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MIB: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """``members`` in one archive, ``artifacts`` in one file, ``inflated`` bytes from one file.

    A compressed stream that grows ``ratio`` times, beyond ``free`` bytes, is a bomb. ``held`` is the most that is kept in memory of
    one member, to look at its end as well as its start. ``opcodes`` are those of one pickle stream.
    """

    depth: int = 8
    members: int = 20_000
    artifacts: int = 50_000
    inflated: int = 64 << 30
    ratio: int = 250
    free: int = 64 * MIB
    held: int = 64 * MIB
    opcodes: int = 10_000_000
    text: int = 64 * MIB
    yaml: int = 4 * MIB


class TooMuch(Exception):
    """A bound was reached; the words say which. What lies beyond is not known."""


class Broken(Exception):
    """The content is not what its format asks for; the words say how."""


@dataclass(slots=True)
class Spent:
    """What looking at one file has taken up to now."""

    limits: Limits
    inflated: int = 0
    artifacts: int = 0

    def inflate(self, produced: int, total: int, consumed: int) -> None:
        """``produced`` more bytes; ``total`` of this stream, from ``consumed`` compressed ones. Raises TooMuch."""
        self.inflated += produced
        if self.inflated > self.limits.inflated:
            raise TooMuch(f"inflates to more than {self.limits.inflated / (1 << 30):g} GiB in all")
        if total > self.limits.free and total > self.limits.ratio * consumed:
            raise TooMuch(f"a bomb: inflates to more than {self.limits.ratio} times its size")
