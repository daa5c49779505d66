"""What is told of the run that a Terraform plan belongs to, and the parameters of Sentinel policies."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from solon.cli.errors import UsageError
from solon.subjects import discover
from solon.subjects.documents import Problem, decode, text_of


def params(arguments: Sequence[str]) -> dict[str, Any]:
    """The parameters of --param NAME=VALUE: a value is text, or a number, list or map in JSON. Raises UsageError."""
    found: dict[str, Any] = {}
    for argument in arguments:
        name, equals, text = argument.partition("=")
        if not name or not equals:
            raise UsageError(f"--param {argument!r}: write NAME=VALUE")
        found[name] = _value(text)
    return found


def _value(text: str) -> Any:
    """As Sentinel's own command line has it: true and false are text, too."""
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return text
    return text if isinstance(value, str | bool) or value is None else value


def read(run: str | None, costs: str | None) -> Mapping[str, Any] | None:
    """The run that files tell of; None where none was given. Raises UsageError."""
    if not run and not costs:
        return None
    from solon.frameworks.sentinel.terraform.run import cost_estimate

    document: dict[str, Any] = {}
    if run:
        said = _document(run)
        if not isinstance(said, dict):
            raise UsageError(f"{run}: must hold keys, such as `workspace: {{name: production}}`")
        document = said
        if said.get("cost_estimate") is not None:
            document = {**said, "cost_estimate": cost_estimate(said) or {}}
    if costs:
        estimate = cost_estimate(_document(costs))
        if estimate is None:
            raise UsageError(
                f"{costs}: has no costs: neither proposed_monthly_cost, nor totalMonthlyCost of Infracost"
            )
        document = {**document, "cost_estimate": estimate}
    return document


def _document(path: str) -> Any:
    if not os.path.lexists(path):
        raise UsageError(f"{path}: no such file or directory")
    try:
        documents = list(decode(text_of(discover.read_bytes(path, lambda _size: b"", 16 << 20, remedy=""))))
        if len(documents) != 1:
            raise Problem(f"must hold one document, has {len(documents)}")
        only = documents[0]
        if isinstance(only, Problem):
            raise only
    except Problem as problem:
        raise UsageError(str(problem.at(path))) from None
    return only.value
