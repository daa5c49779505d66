"""What others make of a log: tlog-scales, and the packages that verify Go's checksum database."""

from __future__ import annotations

import base64
import functools
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from decision_logs import entries

from solon.decisions.log import merkle
from solon.decisions.log.store import Log

MakeLog = Callable[..., Log]
SIZES = (1, 2, 255, 256, 257, 700)


def filled(make_log: MakeLog, size: int) -> Log:
    """Signed in three steps."""
    log = make_log()
    for first, end in ((0, size // 3), (size // 3, size // 2), (size // 2, size)):
        log.append(entries(first, end))
        log.integrate()
    log.close()
    return log


@pytest.mark.parametrize("size", SIZES)
def test_tlog_scales_reads_it(make_log: MakeLog, size: int) -> None:
    pytest.importorskip("tlog_scales", reason="tlog-scales is not installed: pip install tlog-scales")
    from tlog_scales.backend import LocalBackend
    from tlog_scales.reader import TilesReader
    from tlog_scales.signing import Vkey
    from tlog_scales.tlog import ConsistencyProof, InclusionProof

    log = filled(make_log, size)
    for place in (log.shard("0001"), log.meta):
        reader = TilesReader(LocalBackend(Path(place.directory)))
        signed = reader.get_checkpoint()
        signed.verify(Vkey.from_string(str(log.key.named(place.origin))))
        assert signed.origin == place.origin
        assert reader.calculate_root_hash() == signed.root_hash
    place = log.shard("0001")
    reader = TilesReader(LocalBackend(Path(place.directory)))
    signed = reader.get_checkpoint()
    assert signed.size == size
    for number in {0, size // 2, size - 1}:
        ((_, stored),) = log.find(f"id-{number}")
        assert reader.get_entry(number) == stored.leaf
        proof = log.prove(place, stored)
        assert list(proof.path) == reader.get_inclusion_proof(number, size).node_hashes
        InclusionProof(number, size, list(proof.path)).check(merkle.leaf_hash(stored.leaf), signed.root_hash)
    for old in {1, size // 2 or 1, size}:
        before, _ = log.consistency(place, 0, old)
        new, path = log.consistency(place, old)
        ConsistencyProof(old, size, list(path)).check(before.root, new.root)


@functools.cache
def go_verifier() -> str:
    """The program, built; skips where it cannot be."""
    if shutil.which("go") is None:
        pytest.skip("Go is not installed")
    source = Path(__file__).parents[2] / "support" / "go_verifier"
    import tempfile

    program = os.path.join(tempfile.mkdtemp(), "go_verifier")
    built = subprocess.run(
        ["go", "build", "-o", program, "."],
        cwd=source,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if built.returncode and (
        "dial tcp" in built.stderr or "lookup" in built.stderr or "no such host" in built.stderr
    ):
        pytest.skip(f"the modules of Go cannot be had: {built.stderr.splitlines()[-1]}")
    assert built.returncode == 0, built.stderr
    return program


@pytest.mark.parametrize("size", SIZES)
def test_go_verifies_it(make_log: MakeLog, size: int) -> None:
    program = go_verifier()
    log = filled(make_log, size)
    place = log.shard("0001")
    request = {
        "directory": place.directory,
        "key": str(log.key.named(place.origin)),
        "proofs": [
            {
                "index": stored.index,
                "leaf": text(stored.leaf),
                "path": [text(h) for h in log.prove(place, stored).path],
            }
            for number in {0, size // 2, size - 1}
            for _, stored in log.find(f"id-{number}")
        ],
        "consistency": [
            {
                "old": old,
                "root": text(log.consistency(place, 0, old)[0].root),
                "path": [text(h) for h in path],
            }
            for old in {1, size // 2 or 1, size}
            for _, path in [log.consistency(place, old)]
        ],
    }
    assert judged(program, request) == f"valid log.example/test/decisions/0001 {size}\n"
    meta = {"directory": log.meta.directory, "key": str(log.key.named(log.meta.origin))}
    assert judged(program, meta).startswith("valid log.example/test/meta ")
    for change in ({"key": str(log.key)}, {"proofs": [{**request["proofs"][0], "leaf": text(b"x")}]}):  # type: ignore[dict-item]
        assert judged(program, {**request, **change}).startswith("not valid: ")


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def judged(program: str, request: object) -> str:
    run = subprocess.run(
        [program], input=json.dumps(request), capture_output=True, text=True, timeout=60, check=False
    )
    return run.stdout + run.stderr
