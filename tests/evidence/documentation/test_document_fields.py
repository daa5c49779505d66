from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from solon.evidence.documentation.fields import FACTS, FIELDS, KINDS, SHORT, vocabulary
from solon.evidence.documentation.reading import document
from solon.evidence.documentation.result import Document

NOW = datetime(2026, 11, 21, tzinfo=UTC)
CARDS = Path(__file__).parent / "cards"
SENTENCE = "Loan officers read the score and decide."


def read(text, kind="model_card", path="card.md"):
    return document(text.encode() if isinstance(text, str) else text, kind, path, "sha256:0", NOW)


def card(name, kind="model_card"):
    return read((CARDS / name).read_bytes(), kind, name)


@pytest.mark.parametrize(
    "kind, title, fields",
    [
        ("model_card", "Intended Use(s)", ["intended_use"]),
        ("model_card", "3.1 Intended use:", ["intended_use"]),
        ("model_card", "**Intended uses**", ["intended_use"]),
        ("model_card", "intendedUse", ["intended_use"]),
        ("model_card", "Primary intended uses", ["intended_use"]),
        ("model_card", "Direct Use", ["intended_use"]),
        ("model_card", "🎯 Intended use", ["intended_use"]),
        ("model_card", "Out-of-Scope Use", ["out_of_scope_use"]),
        ("model_card", "Out-of-scope use cases", ["out_of_scope_use"]),
        ("model_card", "Reasonably foreseeable misuse", ["out_of_scope_use"]),
        ("model_card", "Training Data", ["training_data"]),
        ("model_card", "Training and evaluation data", ["training_data", "evaluation_data"]),
        ("model_card", "Testing Data, Factors & Metrics", ["evaluation_data", "factors", "metrics"]),
        ("model_card", "Quantitative Analyses", ["evaluation"]),
        ("model_card", "Bias, Risks, and Limitations", ["bias", "risks", "limitations"]),
        ("model_card", "Caveats and Recommendations", ["limitations", "recommendations"]),
        ("model_card", "Intended uses & limitations", ["intended_use", "limitations"]),
        ("model_card", "Ethical Considerations", ["ethical_considerations"]),
        ("model_card", "Human oversight (Art. 14)", ["human_oversight"]),
        ("model_card", "Human-in-the-loop", ["human_oversight"]),
        ("model_card", "Model Card Contact", ["contact"]),
        ("model_card", "Where to send questions or comments about the model", ["contact"]),
        ("model_card", "How to Get Started with the Model", ["instructions_for_use"]),
        ("model_card", "Model monitoring", ["monitoring"]),
        ("model_card", "Post-market monitoring plan", ["monitoring"]),
        ("model_card", "Cybersecurity measures", ["security"]),
        ("model_card", "co2_eq_emissions", ["environmental_impact"]),
        ("model_card", "model-index", ["evaluation"]),
        ("model_card", "Glossary", []),
        ("model_card", "Limitations of our patience and rain", []),
        ("data_sheet", "Preprocessing/cleaning/labeling", ["preprocessing"]),
        ("data_sheet", "Collection Process", ["collection_process"]),
        ("data_sheet", "Personal and Sensitive Information", ["personal_data"]),
        ("data_sheet", "Dataset composition", ["composition"]),
        ("data_sheet", "Curation Rationale", ["motivation"]),
        ("risk_assessment", "Specific risks of harm", ["risks"]),
        ("risk_assessment", "Categories of natural persons", ["affected_persons"]),
        ("risk_assessment", "Residual risks", ["residual_risk"]),
        ("risk_assessment", "Risk assessment", []),  # the title of the whole
    ],
)
def test_what_headings_are_for(kind, title, fields):
    found = read(f"# {title}\n\n{SENTENCE}\n", kind)
    assert sorted(found.fields) == sorted(fields)
    assert all(field.says_something and field.line == 1 for field in found.fields.values())


@pytest.mark.parametrize("kind", KINDS)
def test_each_alias_is_of_one_field(kind):
    """An alias twice in a table would be of the first field, and silently so."""
    seen: dict[str, str] = {}
    for field, aliases in FIELDS[kind].items():
        for alias in aliases.split(", "):
            assert seen.setdefault(alias, field) == field
        assert field in vocabulary(kind).field_names([field])
    assert set().union(*(FIELDS[kind] for kind in KINDS)) >= SHORT
    assert set(FACTS) <= set(Document.__struct_fields__)


def test_below_a_field_its_words_mean_no_other():
    found = read(f"## Training data\n\n### Summary\n\n{SENTENCE}\n\n### Sources\n\nThe registry of 2024.\n")
    assert {name: field.words for name, field in found.fields.items()} == {"training_data": 11}


def test_words_that_mean_nothing_may_nest_as_deep_as_they_like():
    """Each level asks for the one above: once, and not twice."""
    found = read("".join(" " * depth + "context:\n" for depth in range(390)), path="card.yaml")
    assert found.fields == {}


def test_a_field_is_what_all_its_headings_say():
    found = read(
        f"## Uses\n\nTBD\n\n### Direct use\n\n{SENTENCE}\n\n## Intended use\n\n[More Information Needed]\n"
    )
    assert found.fields["intended_use"].says_something
    assert found.fields["intended_use"].line == 1
    assert found.intended_use == SENTENCE
    assert [(each.line, each.text) for each in found.placeholders] == [
        (3, "TBD"),
        (11, "[More Information Needed]"),
    ]


def test_the_same_text_twice_is_said_once():
    text = f"## Intended use\n\n{SENTENCE}\n\n## Limitations\n\n{SENTENCE.upper()}\n\n## Risks\n\nNone of note were found.\n"
    found = read(text)
    assert found.fields["intended_use"].says_something
    assert found.fields["limitations"].placeholder == "the same text as intended_use in line 1"
    assert not found.fields["limitations"].says_something
    assert found.fields["risks"].says_something


def test_code_is_text_and_no_heading():
    found = read("## Evaluation\n\n```\n# Limitations\nprecision 0.81 recall 0.77\n```\n")
    assert list(found.fields) == ["evaluation"]
    assert found.fields["evaluation"].words >= 4


@pytest.mark.parametrize(
    "text, facts",
    [
        ("---\nmodel_version: 1.10\n---\n", {"model_version": "1.10"}),  # not the number 1.1
        ("---\nversion: 2\n---\n", {"model_version": "2"}),
        ("---\nversion: 1e3\n---\n", {"model_version": "1e3"}),
        ('---\nversion: "3.1"\n---\n', {"model_version": "3.1"}),
        ("---\nversion: TBD\n---\n", {}),
        ("---\nversion:\n---\n", {}),
        ("# A\n\n**Version:** 3.1\n", {"model_version": "3.1"}),
        ("# A\n\nModel version: `3.1`\n", {"model_version": "3.1"}),
        ("# A\n\n| Version | 3.1 |\n", {"model_version": "3.1"}),
        ("## Model version\n\n3.1\n", {"model_version": "3.1"}),
        ("## Model details\n\n- **Version:** 3.1\n", {"model_version": "3.1"}),
        ("## Contact\n\n- **Name:** Ana\n- **Version:** 9\n", {}),  # of something else
        ("# Model Card for Credit Scoring\n\nx\n", {}),  # a title is prose, and no name
        ("---\ndigest: " + "AB" * 32 + "\n---\n", {"model_digest": "sha256:" + "ab" * 32}),
        ("---\nmodel_digest: sha256:" + "ab" * 32 + "\n---\n", {"model_digest": "sha256:" + "ab" * 32}),
        ("---\nrisk: High-risk\n---\n", {"risk": "high"}),
        ("---\nrisk_level: unacceptable\n---\n", {"risk": "prohibited"}),
        ("---\nrisk: not high\n---\n", {"risk": "not high"}),  # never read as high, nor as anything less
        ("---\nuse: credit-scoring\n---\n", {"use": "credit-scoring"}),
        ("---\ndate: 2026-10-01\n---\n", {"written_at": "2026-10-01T00:00:00Z"}),
        ("Last reviewed: 1 October 2026\n", {"reviewed_at": "2026-10-01T00:00:00Z"}),
        ("---\nlast_reviewed: 2026-11-21\n---\n", {"reviewed_at": "2026-11-21T00:00:00Z"}),
        ("---\nreviewed_by: Ana\n---\n", {"reviewer": "Ana"}),
        ("---\nreviewed_by: N/A\n---\n", {}),
    ],
)
def test_what_a_card_says_it_is_about(text, facts):
    found = read(text)
    assert {name: getattr(found, name) for name in FACTS if getattr(found, name)} == facts
    assert found.problems == []


def test_a_data_sheet_has_a_version_of_its_own():
    found = read("---\nname: applications\nversion: 7\nmodel_version: 3.1\n---\n# Motivation\n", "data_sheet")
    assert (found.model_name, found.model_version) == ("", "3.1")


@pytest.mark.parametrize(
    "text, problem",
    [
        (
            "---\nmodel_version: 3.1\n---\n# A\n\n**Version:** 3.0\n",
            "card.md:6: model_version is 3.0 here, and 3.1 in line 2",
        ),
        (
            "---\nlast_reviewed: 2026-11-01\n---\nLast reviewed: 2023-01-01\n",
            "card.md:4: reviewed_at is 2023-01-01T00:00:00Z here, and 2026-11-01T00:00:00Z in line 2",
        ),
        (
            "---\nlast_reviewed: 2099-01-01\n---\n",
            "card.md:2: reviewed_at: 2099-01-01 is in the future",
        ),
        (
            "---\ndate: 03/04/2026\n---\n",
            "card.md:2: written_at: '03/04/2026' is no date, or could be two; write it as 2026-01-31",
        ),
    ],
)
def test_what_contradicts_itself_or_is_no_date(text, problem):
    found = read(text)
    assert found.problems == [problem]
    assert found.reviewed_at != "2099-01-01T00:00:00Z"
    assert not found.written_at


def test_the_same_said_twice_is_no_contradiction():
    found = read(
        "---\nlast_reviewed: 2026-11-01\nrisk: high\n---\nLast reviewed: 1 November 2026\n\n**Risk level:** High risk\n"
    )
    assert found.problems == []


@pytest.mark.parametrize(
    "data, path, problem",
    [
        (b"", "c.md", "c.md: is empty"),
        (b"# A\n\xff\n", "c.md", "c.md:2:1: not UTF-8: byte 0xff (save it as UTF-8)"),
        ("# A\n".encode("utf-16"), "c.md", "c.md:1:1: not UTF-8 but UTF-16 (save it as UTF-8)"),
        (b"%PDF-1.7\0\0", "c.pdf", "c.pdf: not a text (write it as Markdown, YAML or JSON)"),
        (b"- a\n- b\n", "c.yaml", "c.yaml: must hold keys, such as `intended_use:`"),
        (b'{"a": ', "c.json", "c.json:1:"),
        (b"a: 1\na: 2\n", "c.yaml", "c.yaml:2:1: duplicate key 'a'"),
        (b"---\na: [\n---\n# Limitations\n", "c.md", "c.md:3:1: not YAML"),
        (b"a: " + b"[" * 500, "c.yaml", "c.yaml:1: nested too deeply: more than 400 levels"),
        (b"a: &a [x]\n" + b"".join(b"b%d: &b%d [%s]\n" % (n, n, b"*a," * 9 if n == 0 else b"*b%d," % (n - 1) * 9) for n in range(9)), "c.yaml", "c.yaml"),
        (b"".join(b"k%d: x\n" % n for n in range(5001)), "c.yaml", "c.yaml: more than 5,000 keys (a card is written for people)"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_a_problem(data, path, problem):
    found = read(data, path=path)
    assert len(found.problems) == 1
    assert found.problems[0].startswith(problem)


def test_the_text_below_broken_front_matter_is_read():
    found = read(f"---\na: [\n---\n# Limitations\n\n{SENTENCE}\n")
    assert found.fields["limitations"].says_something
    assert found.fields["limitations"].line == 4


def test_a_rule_is_no_front_matter():
    found = read(f"---\nJust a rule.\n---\n\n# Limitations\n\n{SENTENCE}\n")
    assert found.problems == []
    assert found.fields["limitations"].line == 5


def test_a_badge_is_no_json():
    found = read(f"[![build](b.svg)](x)\n\n# Limitations\n\n{SENTENCE}\n")
    assert (found.problems, list(found.fields)) == ([], ["limitations"])


MODEL_CARD_TOOLKIT = """{
  "model_details": {
    "name": "credit",
    "overview": "A gradient boosted tree for consumer credit.",
    "version": {"name": "3.1", "date": "2026-10-28"},
    "owners": [{"name": "Credit models", "contact": "ml@bank.example"}],
    "licenses": [{"identifier": "Apache-2.0"}]
  },
  "model_parameters": {
    "model_architecture": "Gradient boosted tree",
    "data": [{"name": "applications", "description": "Applications from 2021 to 2025."}]
  },
  "considerations": {
    "users": ["Loan officers"],
    "use_cases": ["TBD"],
    "limitations": [{"description": "Few applicants under 25 are in the data."}],
    "ethical_considerations": []
  }
}
"""


def test_json_as_the_model_card_toolkit_writes_it():
    found = read(MODEL_CARD_TOOLKIT, path="card.json")
    assert found.problems == []
    assert (found.model_name, found.model_version, found.written_at) == (
        "credit",
        "3.1",
        "2026-10-28T00:00:00Z",
    )
    says = {name: field.says_something for name, field in found.fields.items()}
    assert says == {
        "contact": True,
        "developed_by": True,
        "ethical_considerations": False,
        "intended_use": False,
        "intended_users": True,
        "license": True,
        "limitations": True,
        "model_description": True,
        "model_type": True,
        "training_data": True,
    }
    assert found.fields["limitations"].line == 16
    assert found.fields["intended_use"].placeholder == "TBD"


RISKS = """\
risk_level: high
reviewed_by: Ana
intended_use: A loan officer reads the score and decides.
risks:
- name: Applicants under 25 are scored too low
  likelihood: possible
  severity: TBD
  mitigation: Their applications are looked at by two people.
approval:
  by: Ben
  date: 2026-10-01
"""


def test_a_risk_assessment_in_yaml():
    found = read(RISKS, "risk_assessment", "risks.yaml")
    assert {name: (field.says_something, field.line) for name, field in found.fields.items()} == {
        "approval": (True, 9),
        "intended_use": (True, 3),
        "likelihood": (True, 6),
        "mitigations": (True, 8),
        "risks": (True, 4),
        "severity": (False, 7),
    }
    assert (found.risk, found.reviewer, found.model_name, found.written_at) == ("high", "Ana", "", "")


def test_the_index_of_a_card_tells_of_an_evaluation():
    front = "---\nmodel-index:\n- name: x\n  results:\n  - dataset: {name: Adult}\n    metrics:\n    - {type: AUC, value: 0.91}\n---\n"
    assert set(read(front).fields) == {"evaluation", "metrics"}


def test_a_template_that_nobody_filled_in_says_nothing():
    found = card("unfilled.md")
    says = {name for name, field in found.fields.items() if field.says_something}
    assert says == {"environmental_impact"}  # a sentence that somebody changed
    assert {"intended_use", "limitations", "risks", "training_data", "contact"} <= set(found.fields)
    assert sum(mark.text == "[More Information Needed]" for mark in found.placeholders) == 23
    assert found.fields["intended_use"].placeholder == "[More Information Needed]"


def test_questions_that_nobody_answered():
    found = card("questions.md", "data_sheet")
    assert {name: field.says_something for name, field in found.fields.items()} == {
        "collection_process": False,
        "composition": True,
        "maintenance": False,
        "motivation": False,
        "personal_data": True,
        "preprocessing": False,
        "uses": True,
    }
    assert found.fields["maintenance"].line == 35


def test_a_whole_card(golden):
    found = msgspec.json.format(msgspec.json.encode(card("complete.md")), indent=2)
    golden("complete.json", found.decode() + "\n")


KEYS = st.sampled_from(["intended_use", "version", "date", "risk", "use", "name", "limitations", "a", "1"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(KEYS, VALUES, min_size=1, max_size=5), st.sampled_from(KINDS))
def test_any_keys_can_be_read(value, kind):
    data = msgspec.json.encode(value)
    found = document(data, kind, "card.json", "sha256:0", NOW)
    assert all(1 <= field.line <= 1 for field in found.fields.values())


@given(st.binary(max_size=300), st.sampled_from(["c.md", "c.yaml", "c.json"]))
def test_any_file_is_a_document(data, path):
    found = document(data, "model_card", path, "sha256:0", NOW)
    assert all(problem.startswith(path) for problem in found.problems)
    assert not any("\n" in problem for problem in found.problems)
