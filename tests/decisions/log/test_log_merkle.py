"""The tree, against the definitions of RFC 6962 written down a second time, and against published test vectors."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solon.decisions.log import merkle


def mth(leaves: list[bytes]) -> bytes:
    """RFC 6962, 2.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def path(m: int, leaves: list[bytes]) -> list[bytes]:
    """RFC 6962, 2.1.1."""
    if len(leaves) == 1:
        return []
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m < k:
        return [*path(m, leaves[:k]), mth(leaves[k:])]
    return [*path(m - k, leaves[k:]), mth(leaves[:k])]


def subproof(m: int, leaves: list[bytes], whole: bool) -> list[bytes]:
    """RFC 6962, 2.1.2."""
    if m == len(leaves):
        return [] if whole else [mth(leaves)]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m <= k:
        return [*subproof(m, leaves[:k], whole), mth(leaves[k:])]
    return [*subproof(m - k, leaves[k:], False), mth(leaves[:k])]


def node_of(leaves: list[bytes]) -> merkle.Node:
    return lambda level, index: mth(leaves[index << level : (index + 1) << level])


LEAVES = [bytes([n, n * 7 % 256]) * (n % 5) for n in range(70)]

# The inputs and roots of Certificate Transparency's reference implementation (merkletree tests), sizes 1 to 8.
CT_INPUTS = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
CT_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


@pytest.mark.parametrize("size", range(1, 9))
def test_the_roots_of_certificate_transparency(size: int) -> None:
    frontier = merkle.Frontier()
    frontier.extend([merkle.leaf_hash(leaf) for leaf in CT_INPUTS[:size]])
    assert frontier.root().hex() == CT_ROOTS[size - 1]
    assert merkle.root(size, node_of(CT_INPUTS)).hex() == CT_ROOTS[size - 1]


def test_the_empty_tree() -> None:
    assert merkle.EMPTY.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert merkle.Frontier().root() == merkle.EMPTY
    assert merkle.root(0, node_of([])) == merkle.EMPTY


@given(st.lists(st.binary(max_size=4), max_size=600), st.lists(st.integers(0, 200), max_size=10))
@settings(max_examples=100)
def test_a_tree_grows_in_any_steps(leaves: list[bytes], steps: list[int]) -> None:
    frontier, at = merkle.Frontier(), 0
    for step in steps:
        frontier.extend([merkle.leaf_hash(leaf) for leaf in leaves[at : at + step]])
        at = min(at + step, len(leaves))
        assert (frontier.size, frontier.root()) == (at, mth(leaves[:at]))


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 13, 32, 33, 70])
def test_every_inclusion_proof(size: int) -> None:
    leaves, node = LEAVES[:size], node_of(LEAVES)
    root = mth(leaves)
    for index in range(size):
        proof = merkle.inclusion(index, size, node)
        assert proof == path(index, leaves)
        leaf = merkle.leaf_hash(leaves[index])
        assert merkle.included(index, size, leaf, proof, root)
        wrong = hashlib.sha256(leaf).digest()
        assert not merkle.included(index, size, wrong, proof, root)
        assert not merkle.included(index, size, leaf, [*proof, wrong], root)
        assert not merkle.included(index, size, leaf, proof, wrong)
        assert not merkle.included(size, size, leaf, proof, root)
        for at in range(len(proof)):
            assert not merkle.included(index, size, leaf, [*proof[:at], wrong, *proof[at + 1 :]], root)
            assert not merkle.included(index, size, leaf, proof[:at] + proof[at + 1 :], root)


@pytest.mark.parametrize("new", [1, 2, 3, 6, 8, 13, 32, 47, 70])
def test_every_consistency_proof(new: int) -> None:
    node = node_of(LEAVES)
    new_root = mth(LEAVES[:new])
    wrong = hashlib.sha256(new_root).digest()
    for old in range(new + 1):
        old_root = mth(LEAVES[:old])
        proof = merkle.consistency(old, new, node)
        assert proof == ([] if old == 0 else subproof(old, LEAVES[:new], True))
        assert merkle.consistent(old, new, old_root, new_root, proof)
        assert not merkle.consistent(old, new, wrong, new_root, proof)
        if old:
            assert not merkle.consistent(old, new, old_root, wrong, proof)
        for at in range(len(proof)):
            assert not merkle.consistent(old, new, old_root, new_root, [*proof[:at], wrong, *proof[at + 1 :]])
            assert not merkle.consistent(old, new, old_root, new_root, proof[:at])


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_no_proof_for_what_is_not_there(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="no entry"):
        merkle.inclusion(index, size, node_of(LEAVES))


@pytest.mark.parametrize(("old", "new"), [(-1, 3), (4, 3)])
def test_no_consistency_backwards(old: int, new: int) -> None:
    with pytest.raises(ValueError, match="not the beginning"):
        merkle.consistency(old, new, node_of(LEAVES))
