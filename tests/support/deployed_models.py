"""Subjects of texts, for tests of what is live."""

from __future__ import annotations

import json
from typing import Any

from solon.evidence.deployed import inventory, mlflow
from solon.evidence.deployed.live import Live, Registry, Settings
from solon.subjects import discover
from solon.subjects.subject import Subject

APPROVED = Registry(approved=("models:/", "s3://acme-model-registry/", "oci://registry.acme.example/models/"))


def subjects(*texts: Any) -> list[Subject]:
    """Of YAML, or of values, each a file: file-0, file-1."""
    found: list[Subject] = []
    for number, text in enumerate(texts):
        data = text if isinstance(text, str) else json.dumps(text, indent=1)
        for each in discover.read_data(f"file-{number}", data.encode(), cluster="prod"):
            assert isinstance(each, Subject), each
            found.append(each)
    return found


EVERY = mlflow.Wanted()


def live(*texts: Any, wanted: mlflow.Wanted = EVERY, registered: Any = ()) -> list[Live]:
    return inventory.live(subjects(*texts), Settings(APPROVED), wanted, registered)


def brief(found: list[Live]) -> list[tuple[str, str, str, str]]:
    """Name, version, what serves it, and where that says so."""
    return [(each.name, each.version, each.serves, str(each.location)) for each in found]
