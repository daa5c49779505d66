"""The Merkle tree of RFC 6962 (and RFC 9162), section 2.1.

Trees are read through a function ``node(level, index)``: the hash of the complete subtree over the 2**level leaves from
index * 2**level on. The hash of any other range is made of those.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

Node: TypeAlias = Callable[[int, int], bytes]
HASH: Final = 32
EMPTY: Final = hashlib.sha256(b"").digest()
_sha256: Final = hashlib.sha256


def leaf_hash(leaf: bytes) -> bytes:
    return _sha256(b"\0" + leaf).digest()


def parent(left: bytes, right: bytes) -> bytes:
    return _sha256(b"\1" + left + right).digest()


def parents(hashes: Sequence[bytes]) -> list[bytes]:
    """Of each pair; the last of an odd number is left out."""
    sha256 = _sha256
    pairs = iter(hashes)
    return [sha256(b"\1" + left + right).digest() for left, right in zip(pairs, pairs, strict=False)]


class Frontier:
    """A tree that grows, and of which only the right edge is kept: enough for its root at every size."""

    def __init__(self) -> None:
        self.size = 0
        self._nodes: list[bytes | None] = []  # of level i, where the size has bit i

    def extend(self, hashes: Sequence[bytes]) -> None:
        """Add leaf hashes: level by level, since that is the fast way."""
        self.size += len(hashes)
        level = 0
        while hashes:
            if level == len(self._nodes):
                self._nodes.append(None)
            waiting = self._nodes[level]
            if waiting is not None:
                hashes = [waiting, *hashes]
            self._nodes[level] = hashes[-1] if len(hashes) & 1 else None
            hashes = parents(hashes)
            level += 1

    def root(self, right: bytes | None = None) -> bytes:
        """The root; with ``right``, that of the tree in which this subtree of lower ones stands behind."""
        root = right
        for node in self._nodes:
            if node is not None:
                root = node if root is None else parent(node, root)
        return EMPTY if root is None else root


def _split(size: int) -> int:
    """The largest power of two below the size."""
    return 1 << ((size - 1).bit_length() - 1)


def range_hash(start: int, end: int, node: Node) -> bytes:
    """MTH(D[start:end]), for a range that the definitions below divide the tree into."""
    size = end - start
    if size & (size - 1) == 0:
        level = size.bit_length() - 1
        return node(level, start >> level)
    split = _split(size)
    return parent(range_hash(start, start + split, node), range_hash(start + split, end, node))


def root(size: int, node: Node) -> bytes:
    return range_hash(0, size, node) if size else EMPTY


def inclusion(index: int, size: int, node: Node) -> list[bytes]:
    """PATH(index, D[size]), from the leaf's sibling up."""
    if not 0 <= index < size:
        raise ValueError(f"there is no entry {index} in a tree of {size}")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(range_hash(middle, end, node))
            end = middle
        else:
            path.append(range_hash(start, middle, node))
            start = middle
    return path[::-1]


def consistency(old: int, new: int, node: Node) -> list[bytes]:
    """PROOF(old, D[new]); empty where either tree says all there is to say."""
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {old} is not the beginning of one of {new}")
    if old in {0, new}:
        return []
    path: list[bytes] = []
    start, end, whole = 0, new, True
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(range_hash(middle, end, node))
            end = middle
        else:
            path.append(range_hash(start, middle, node))
            start, whole = middle, False
    if not whole:
        path.append(range_hash(start, end, node))
    return path[::-1]


def included(index: int, size: int, leaf: bytes, path: Sequence[bytes], root: bytes) -> bool:
    """Whether a path leads from a leaf hash to the root (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    at, last = index, size - 1
    found = leaf
    for sibling in path:
        if last == 0:
            return False
        if at & 1 or at == last:
            found = parent(sibling, found)
            while not at & 1 and at:
                at >>= 1
                last >>= 1
        else:
            found = parent(found, sibling)
        at >>= 1
        last >>= 1
    return last == 0 and found == root


def consistent(old: int, new: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]) -> bool:
    """Whether the tree of the old size is the beginning of the new one (RFC 9162, 2.1.4.2)."""
    if old == 0:
        return not path and old_root == EMPTY and new >= 0
    if old == new:
        return not path and old_root == new_root
    if not 0 < old < new or not path:
        return False
    rest = list(path)
    if old & (old - 1) == 0:
        rest.insert(0, old_root)
    at, last = old - 1, new - 1
    while at & 1:
        at >>= 1
        last >>= 1
    first = second = rest[0]
    for sibling in rest[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            first, second = parent(sibling, first), parent(sibling, second)
            while not at & 1 and at:
                at >>= 1
                last >>= 1
        else:
            second = parent(second, sibling)
        at >>= 1
        last >>= 1
    return last == 0 and first == old_root and second == new_root
