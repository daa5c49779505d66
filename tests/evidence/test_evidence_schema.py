"""The schema in the documentation is that of the types, and what collectors write is valid by it."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
from ml_releases import write_evidence, write_release

from solon.evidence.document import schema

PUBLISHED = Path(__file__).parents[2] / "docs/reference/evidence.schema.json"


def test_the_published_schema_is_the_present_one() -> None:
    assert json.loads(PUBLISHED.read_text()) == schema(), (
        "solon model schema > docs/reference/evidence.schema.json"
    )


def test_evidence_is_valid_by_it(tmp_path: Path) -> None:
    write_evidence(write_release(tmp_path / "release"))
    document = json.loads((tmp_path / "release/evidence.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema())
    jsonschema.validate(document, schema(), jsonschema.Draft202012Validator)


def test_what_has_no_value_is_left_out(tmp_path: Path) -> None:
    write_evidence(write_release(tmp_path / "release"))
    assert "null" not in (tmp_path / "release/evidence.json").read_text()
