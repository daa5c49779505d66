"""The column dictionary: what it may say, and what is wrong with one that cannot be meant so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solon.evidence.collector import CannotCollect
from solon.evidence.data.detectors import KINDS
from solon.evidence.data.dictionary import CATEGORIES, Declared, read
from solon.evidence.data.steps import Step


def written(tmp_path: Path, text: str) -> str:
    path = tmp_path / "columns.yaml"
    path.write_text(text)
    return str(path)


def test_columns_by_name_in_order(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        """\
- name: age
  type: integer
  category: protected
  description: in years, when the loan was asked for
  minimum: 18
  maximum: 120
- name: purpose
  type: text
  values: [car, "yes", 12]
  missing: 0.05
  missing_as: ["?"]
- name: reference
  type: text
  pattern: "[A-Z]{2}[0-9]+"
  unique: true
""",
    )
    assert read(path, "columns.yaml") == {
        "age": Declared(
            "age", "integer", "protected", "in years, when the loan was asked for", minimum=18, maximum=120
        ),
        "purpose": Declared("purpose", "text", missing=0.05, missing_as=["?"], values=["car", "yes", 12]),
        "reference": Declared("reference", "text", pattern="[A-Z]{2}[0-9]+", unique=True),
    }


@pytest.mark.parametrize(
    "text, problem",
    [
        ("- name: a\n  type: int\n", "columns.yaml:2:3: type: unknown 'int': known are boolean, date, integer, number, text, timestamp"),
        ("- name: a\n", "columns.yaml:1:3: type is missing"),
        ("- type: text\n", "columns.yaml:1:3: name is missing"),
        ("- name: a\n  type: text\n  catgory: health\n", "columns.yaml:3:3: unknown key catgory: known are name, type"),
        ("- name: a\n  type: text\n  category: secret\n", "columns.yaml:3:3: category: unknown 'secret': known are biometric, credential, criminal"),
        ("- name: a\n  type: integer\n  missing: 5\n", "columns.yaml:3:3: missing is a share, from 0 to 1, and is 5"),
        ("- name: a\n  type: integer\n  missing: 5%\n", "columns.yaml:3:3: missing must be a number, and is '5%'"),
        ("- name: a\n  type: text\n  pattern: '[a-'\n", "columns.yaml:3:3: pattern: missing ]: [a-"),
        ("- name: a\n  type: text\n  pattern: '(?=x)'\n", "columns.yaml:3:3: pattern: invalid perl operator: (?="),
        ("- name: a\n  type: integer\n  pattern: x\n", "columns.yaml:3:3: pattern is for text, and this is integer"),
        ("- name: a\n  type: text\n  minimum: 3\n", "columns.yaml:3:3: minimum is for numbers and dates, and this is text"),
        ("- name: a\n  type: date\n  minimum: 3\n", "columns.yaml:3:3: minimum: 3 is no date, such as 2026-01-31"),
        ("- name: a\n  type: date\n  maximum: 31.1.2026\n", "columns.yaml:3:3: maximum: '31.1.2026' is no date"),
        ("- name: a\n  type: number\n  maximum: ten\n", "columns.yaml:3:3: maximum: 'ten' is no number"),
        ("- name: a\n  type: number\n  minimum: 3\n  maximum: 2\n", "columns.yaml:4:3: maximum is below minimum"),
        ("- name: a\n  type: number\n  values: [1, x]\n", "columns.yaml:3:15: values: 'x' is no number"),
        ("- name: a\n  type: text\n  values: [yes, no]\n", "columns.yaml:3:12: values: true is no text (YAML reads y, yes, on, n, no and off"),
        ("- name: a\n  type: boolean\n  values: [1]\n", "columns.yaml:3:3: values: a boolean has two, which need no list"),
        ("- name: a\n  type: text\n- name: a\n  type: text\n", "columns.yaml:3:3: a is declared twice, before in line 1"),
        ("- name: ''\n  type: text\n", "columns.yaml:1:3: name is empty"),
        ("columns:\n  a: integer\n", "columns.yaml:1:1: unknown key columns: known are name, type"),
        ("- name: y\n  type: text\n", "columns.yaml:1:3: name must be a text, and is True (YAML reads y, yes, on, n, no and off as booleans"),
        ("- age\n", "columns.yaml:1:3: a column must hold keys, and is 'age'"),
        ("", "columns.yaml: declares no columns; it is a list, of `- name: …` and `type: …`"),
        ("[]", "columns.yaml: declares no columns"),
        ("- name: [\n", "columns.yaml:"),
        ("- name: a\n  type: int\n- name: b\n  type: int\n", "columns.yaml:2:3: type: unknown 'int': known are boolean, date, integer, number, text, timestamp; and 1 more problem"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_a_line_with_its_place(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(CannotCollect) as raised:
        read(written(tmp_path, text), "columns.yaml")
    assert str(raised.value).startswith(problem)
    assert "\n" not in str(raised.value)


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "columns.yaml"
    with open(path, "wb") as file:
        file.truncate(10 << 30)
    with pytest.raises(CannotCollect, match=r"^columns\.yaml: 10,240 MiB is larger than the limit of 4 MiB"):
        read(str(path), "columns.yaml")


def test_special_categories_of_the_gdpr_can_be_said() -> None:
    assert {
        "health", "genetic", "biometric", "religion", "ethnicity", "political", "union", "sexual", "criminal"
    } <= {*CATEGORIES}  # fmt: skip


@settings(max_examples=100)
@given(st.text(max_size=200))
def test_any_text_is_columns_or_one_line_of_what_is_wrong(tmp_path_factory, text: str) -> None:
    path = tmp_path_factory.mktemp("any") / "columns.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    said = ""
    try:
        read(str(path), "columns.yaml")
    except CannotCollect as error:
        said = str(error)
    assert not said or said.startswith("columns.yaml")
    assert "\n" not in said


def test_the_reference_has_every_key_category_and_kind() -> None:
    page = (Path(__file__).parents[3] / "docs/reference/column-dictionary.md").read_text()
    told = {
        name
        for row in page.splitlines()
        if row.startswith("| `")
        for name in re.findall(r"`(\w+)`", row.split("|")[1])
    }
    assert told == {*Declared.__struct_fields__, *CATEGORIES, *KINDS, *Step.__struct_fields__}
