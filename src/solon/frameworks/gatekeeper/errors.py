"""What can be wrong with templates and constraints."""

from __future__ import annotations


class GatekeeperError(Exception):
    """A template or constraint that cannot be used: one sentence, or several lines for Rego errors."""


class SchemaError(GatekeeperError):
    """A constraint's parameters do not fit the template's schema."""
