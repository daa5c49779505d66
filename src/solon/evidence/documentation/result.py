"""What is found in the documents about a model."""

from __future__ import annotations

import msgspec


class Field(msgspec.Struct, frozen=True, omit_defaults=True):
    """``says_something`` is false where it is empty or a placeholder, and ``placeholder`` then shows what stands there.

    ``words`` are those that say something, ``line`` is that of the heading or key.
    """

    says_something: bool
    words: int
    line: int = 0
    placeholder: str = ""


class Placeholder(msgspec.Struct, frozen=True):
    """What stands where a text is still to come, wherever it is in a document."""

    line: int
    text: str


class Document(msgspec.Struct, frozen=True, omit_defaults=True):
    """``fields`` by name, as ``intended_use``; a field that is wanted and not there at all is not in it.

    Dates are RFC 3339. ``model_version`` and ``model_digest`` are what the document says it is about; ``use`` and ``risk``
    are its category of use and its level of risk. ``placeholders`` are the first of the ``placeholder_count``. ``problems``
    are what could not be read, or is contradictory; of a document that could not be read at all ``digest`` may be missing.
    """

    path: str
    digest: str = ""
    fields: dict[str, Field] = {}
    written_at: str = ""
    reviewed_at: str = ""
    reviewer: str = ""
    model_name: str = ""
    model_version: str = ""
    model_digest: str = ""
    intended_use: str = ""
    use: str = ""
    risk: str = ""
    placeholders: list[Placeholder] = []
    placeholder_count: int = 0
    problems: list[str] = []


class Documentation(msgspec.Struct, frozen=True, omit_defaults=True):
    """Those of ``model_card``, ``data_sheet`` and ``risk_assessment`` that the release names, also where they cannot be read.

    ``trained_at`` is what the release says, RFC 3339.
    """

    documents: dict[str, Document]
    trained_at: str = ""
