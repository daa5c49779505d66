"""What solon lint says of the waivers of a policy repository."""

from __future__ import annotations

from collections.abc import Iterator

from solon.cli import config
from solon.cli.errors import Failure, UsageError
from solon.cli.waivers import command as waivers
from solon.frameworks.policy import Policy
from solon.governance.waivers import lint as waiver_lint
from solon.governance.waivers.review import review
from solon.lang.remark import Remark


def remarks(start: str) -> Iterator[Remark]:
    """``start`` is where to look for solon.yaml, upwards."""
    found = config.find(start)
    if found is None or found.waivers() is None:
        return
    policies: list[Policy] | None
    try:
        policies = waivers.policies_of(found)
    except (Failure, UsageError):  # lint has said so: their names and severities are not known
        policies = None
    repository = waivers.checked_with(found, policies or [])
    reviewed = review(repository.checked, repository.ids, (), repository.rules, waivers.now())
    for remark in waiver_lint.remarks(reviewed, repository.local):
        if policies is not None or remark.diagnostic.code != "waiver/unknown-policy":
            yield remark
