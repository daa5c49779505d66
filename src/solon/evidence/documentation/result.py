"""What is found in the documents about a model."""

from __future__ import annotations

import msgspec


class Field(msgspec.Struct, frozen=True, omit_defaults=True):
    """``says_something`` is false where it is empty or a placeholder, and ``placeholder`` then shows what stands there."""

    says_something: bool
    words: int
    line: int = 0
    placeholder: str = ""


class Document(msgspec.Struct, frozen=True, omit_defaults=True):
    """``fields`` by name, as ``intended_use``; a field that is wanted and not there at all is not in it.

    Dates are RFC 3339. ``model_version`` and ``model_digest`` are what the document says it is about.
    """

    path: str
    digest: str
    fields: dict[str, Field]
    written_at: str = ""
    reviewed_at: str = ""
    reviewer: str = ""
    model_name: str = ""
    model_version: str = ""
    model_digest: str = ""
    intended_use: str = ""
    use: str = ""
    risk: str = ""
    problems: list[str] = []


class Documentation(msgspec.Struct, frozen=True, omit_defaults=True):
    """Those of ``model_card``, ``data_sheet`` and ``risk_assessment`` that are there."""

    documents: dict[str, Document]
    trained_at: str = ""
