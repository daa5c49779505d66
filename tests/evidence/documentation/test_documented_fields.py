"""The reference page has the tables that documents are read by, and the library asks for no other field."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from solon.evidence.documentation.fields import _PLAIN_FACTS, FACTS, FIELDS, SHORT

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs/reference/model-documentation.md"
REQUIRED = ROOT / "library/data/ml-documentation.yaml"


def rows(section):
    text = PAGE.read_text(encoding="utf-8").partition(f"# {section}\n")[2].partition("\n#")[0]
    return [
        tuple(cell.strip().replace(" › ", " > ") for cell in line.strip("|").split("|"))
        for line in re.findall(r"^\| `.*$", text, re.MULTILINE)
    ]


def test_the_fields():
    for kind, title in (
        ("model_card", "Of a model card"),
        ("data_sheet", "Of a data sheet"),
        ("risk_assessment", "Of a risk assessment"),
    ):
        expected = [
            (f"`{name}`" + (" ·" if name in SHORT else ""), words) for name, words in FIELDS[kind].items()
        ]
        assert rows(title) == expected


def test_the_facts():
    expected = [(f"`{name}`", words, _PLAIN_FACTS.get(name, "")) for name, words in FACTS.items()]
    assert rows("What a document is about") == expected


def test_what_the_library_requires_are_fields():
    """A field that no heading is for would be missing from every document."""
    asked = yaml.safe_load(REQUIRED.read_text(encoding="utf-8"))["ml_documentation"]
    tables = [asked["fields"], *asked["fields_of_uses"].values()]
    assert tables[0]
    for table in tables:
        for kind, fields in table.items():
            assert set(fields) <= set(FIELDS[kind])
