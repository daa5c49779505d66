from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, tzinfo

import pytest

from solon.frameworks.policy import Policy, Stage
from solon.governance.waivers.waiver import Checked, Waiver, WaiverSettings, checked, rules
from solon.subjects import files
from solon.subjects.subject import Location

SEVERITIES = {"a.low": "low", "a.medium": "medium", "a.high": "high", "b.critical": "critical"}


def policy(name: str, severity: str = "medium") -> Policy:
    return Policy(
        name,
        "rego",
        "conftest",
        Location("p.rego"),
        Stage.ENFORCE,
        lambda *_: True,
        lambda *_: [],
        severity=severity,
    )


POLICIES = [policy(name, severity) for name, severity in SEVERITIES.items()]


@pytest.fixture
def check_waivers() -> Callable[..., Checked]:
    """The text of a file of waivers, checked; what cannot be read is among the problems."""

    def check(
        text: str, settings: WaiverSettings | None = None, local: tzinfo = UTC, name: str = "w.yaml"
    ) -> Checked:
        parts, problems = [], []
        for found in files.parsed(text, name, Waiver, "waiver"):
            (parts if isinstance(found, files.Part) else problems).append(found)
        result = checked(parts, rules(settings or WaiverSettings()), POLICIES, local)
        return Checked(result.exemptions, [*problems, *result.problems])

    return check
