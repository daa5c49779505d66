"""Generated programs mean the same to Solon as to OPA.

Skipped without OPA: put `opa` on PATH, or name it in the environment variable OPA. SOLON_FUZZ=5000 tries
that many programs of each kind instead of a few; tests/support/fuzz_rego.py goes on and makes what it finds small.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator

import opa_oracle
import pytest
from fuzz_rego import Choices, compare, written
from opa_oracle import Opa
from rego_programs import PROFILES, Writer

EACH = int(os.environ.get("SOLON_FUZZ", "15"))

# Where Solon differs from OPA (docs/reference/rego.md), and what OPA refuses beyond that.
KNOWN = ("accepted: ", "document: digits", "query: digits")

pytestmark = pytest.mark.skipif(opa_oracle.OPA is None, reason="no `opa` on PATH, and OPA does not name one")


@pytest.fixture(scope="module")
def opas() -> Iterator[dict[str, Opa]]:
    with opa_oracle.server() as v1, opa_oracle.server("v0") as v0:
        yield {"v1": v1, "v0": v0}


@pytest.mark.parametrize("profile", sorted(set(PROFILES)))
def test_generated_programs_mean_the_same_to_opa(opas: dict[str, Opa], profile: str) -> None:
    seen: Counter[str] = Counter()
    for seed in range(EACH):
        program = Writer(Choices(seed).below, profile).program()
        mismatch = compare(opas[program.version], program, seen)
        if mismatch is not None and not mismatch[0].startswith(KNOWN):
            pytest.fail(written(seed, profile, program, mismatch))
    assert seen.total() >= EACH
