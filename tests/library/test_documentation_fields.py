"""What the library requires of documents is what the collector can find in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from solon.evidence.documentation.fields import FIELDS

SETTINGS: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parents[2] / "library/data/ml-documentation.yaml").read_text()
)["ml_documentation"]
REQUIRED = [
    *SETTINGS["fields"].items(),
    *(item for use in SETTINGS["fields_of_uses"].values() for item in use.items()),
]


@pytest.mark.parametrize(("kind", "fields"), REQUIRED)
def test_a_required_field_is_one_that_is_looked_for(kind: str, fields: list[str]) -> None:
    assert set(fields) <= FIELDS[kind].keys()  # type: ignore[index]
