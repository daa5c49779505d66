"""What lint says of the Gatekeeper library, unmodified, and of its typos once there are some."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

LIBRARY = Path(__file__).resolve().parents[3] / "shared" / "conformance" / "gatekeeper"
TEMPLATES = sorted(LIBRARY.glob("*/*/template.yaml"))

pytestmark = pytest.mark.skipif(not TEMPLATES, reason=f"the Gatekeeper library is not at {LIBRARY}")

# One case of the library is a comment: "TODO: Add allowed example."
UNTESTED = [("policy/no-allowing-test", "block-nodeport-services")]


def test_there_is_one_thing_to_say(solon: Callable[..., Any]) -> None:
    remarks = json.loads(solon("lint", str(LIBRARY), "-o", "json").out)["remarks"]
    assert [(r["code"], Path(r["location"]["file"]).parent.name) for r in remarks] == UNTESTED


@pytest.mark.parametrize(
    ("pattern", "typo"),
    [
        (r"input\.review\.object\b", "input.review.objct"),
        (r"input\.review\.object\.metadata\b", "input.review.object.metdata"),
        (r"input\.review\.object\.spec\.containers\b", "input.review.object.spec.contianers"),
        (r"input\.review\.kind\.kind\b", "input.review.kind.knd"),
        (r"input\.parameters\.(\w+)", r"input.parameters.\1x"),
        (r"\.securityContext\b", ".securtyContext"),
    ],
)
def test_typos_are_found(solon: Callable[..., Any], tmp_path: Path, pattern: str, typo: str) -> None:
    changed = 0
    for template in TEMPLATES:
        head, rego, rest = template.read_text().partition("rego: |")
        text = re.sub(pattern, typo, rest)
        if text != rest:
            changed += 1
            (tmp_path / f"{template.parent.name}.yaml").write_text(head + rego + text)
    remarks = json.loads(solon("lint", ".", "-o", "json").out)["remarks"]
    found = {r["location"]["file"] for r in remarks if r["code"] == "policy/unknown-field"}
    assert changed > 3
    assert len(found) >= 0.8 * changed, sorted(
        {str(p) for p in Path().glob("*.yaml")} - {f[2:] for f in found}
    )
