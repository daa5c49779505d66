"""Conftest: packages of deny, warn and violation rules over configuration files."""

from solon.frameworks.conftest.load import load

__all__ = ["load"]
