from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solon.evidence.documentation.placeholders import judged, marks

TITLES = ["Intended use"]

PLACEHOLDERS = [
    "",
    "   \n\n",
    "---",
    "...",
    "…",
    "?",
    "TODO",
    "todo.",
    "- TBD",
    "> TBD",
    "**TODO**",
    "TODO: describe who may use it",
    "TODO(ana): who may use it",
    "TODO describe who may use it",
    "- [ ] TODO - ask the credit team",
    "FIXME",
    "XXX",
    "N/A",
    "n/a.",
    "n.a.",
    "NA",
    "Not applicable.",
    "Not\napplicable",
    "None",
    "None yet.",
    "Nothing yet",
    "Unknown",
    "Pending",
    "Coming soon!",
    "Work in progress",
    "To be determined",
    "to be defined later",
    "To be added",
    "Will be added soon.",
    "This section will be completed later.",
    "Details to be provided",
    "Details to follow",
    "[More Information Needed]",
    "[ more  information\nneeded ]",
    "More information needed",
    "[More Information Needed]\n\n[More Information Needed]",
    "**Funded by [optional]:** [More Information Needed]\n- **Shared by:** TBD",
    "Lorem ipsum dolor sit amet, consectetur adipiscing elit.",
    "<insert intended use here>",
    "<your text>",
    "[insert intended use]",
    "[to be filled in by the owner]",
    "[TODO]",
    "[...]",
    "{{ intended_use | default('', true) }}",
    "{% block use %}",
    "${INTENDED_USE}",
    "________",
    "_What is it for? Who decides? Please describe the use._",
    "**Who may use it?** If so, please list them.",
    "Was there a specific task\nin mind, or a gap that\nneeded to be filled?",
    "TODO: describe\nwho may use it",
    "Intended use",
    "## Intended Uses",
    "The intended use of the model",
    "T\u200bO\u200bDO",
    "ＴＯＤＯ",
    "| N/A | TBD |",
    "| a | b |\n|---|---|",
    "xxx xxx xxx",
    "test test test",
    "Classification",
    "Credit scoring",
    "![](picture.png)",
    "<br/>",
]

REAL = [
    "Scores applications for consumer credit.",
    "The TODO list of the clerk is not read by the model.",
    "TODO comments were removed from the code.",
    "N/A values are imputed with the median.",
    "N/A: the model sees no personal data.",
    "None of the applicants is under 18.",
    "Not applicable, because no personal data are used.",
    "Unknown categories are encoded as zero.",
    "Pending applications are excluded.",
    "The data will be updated every quarter.",
    "More information is needed from applicants under 25.",
    "Please contact ml@bank.example with questions.",
    "Trained on Adult. TODO: describe the sampling.",
    "[More Information Needed]\n\nLoan officers decide on each refusal.",
    "Who decides? A loan officer decides.",
    "See [the data sheet](data.md) for the sources.",
    "Users press [add to cart] and see a price.",
    "Intended use is credit scoring of natural persons.",
    "| AUC | 0.91 | on 16,281 rows |",
    "- Age: 18 to 90\n- Sex: as stated",
    "信用审批的辅助决策",
    "Kreditwürdigkeitsprüfung natürlicher Personen",
    "None known at present, after the review of May.",
    "```\nprecision 0.81 recall 0.77\n```",
]


@pytest.mark.parametrize("text", PLACEHOLDERS)
def test_a_placeholder_says_nothing(text):
    found = judged(text, TITLES)
    assert not found.says_something
    assert found.words == 0
    assert len(found.placeholder) <= 80
    assert bool(found.placeholder) == bool(text.strip())


@pytest.mark.parametrize("text", REAL)
def test_a_sentence_says_something(text):
    found = judged(text, TITLES)
    assert found.says_something
    assert found.words > 0
    assert not found.placeholder


@pytest.mark.parametrize(
    "text, says", [("MIT", True), ("Ana", True), ("N/A", False), ("[name of owner]", False)]
)
def test_a_word_answers_where_no_sentence_is_wanted(text, says):
    assert judged(text, sentence=False).says_something is says


WORDS = [
    "model",
    "TODO",
    "n/a",
    "none",
    "unknown",
    "pending",
    "placeholder",
    "text",
    "loan",
    "officers",
    "credit",
    "TBD",
]
SENTENCES = st.builds(
    lambda subject, verb, rest, end: f"{subject} {verb} {' '.join(rest)} data{end}",
    st.sampled_from(
        ["The model", "Each applicant", "Our bank", "A person", "None of them", "Data from 2021"]
    ),
    st.sampled_from(["reads", "never sees", "is compared with", "will be shown"]),
    st.lists(st.sampled_from(WORDS), max_size=5),
    st.sampled_from(["", ".", "!", ";"]),
)


@given(SENTENCES)
def test_no_sentence_is_called_a_placeholder(sentence):
    assert judged(sentence, TITLES).says_something


@given(st.text(max_size=200), SENTENCES)
def test_a_sentence_stays_one_whatever_stands_above(text, sentence):
    assert judged(f"{text}\n\n{sentence}", TITLES).says_something


FEW_WORDS = {
    "| a | b |\n|---|---|",
    "Classification",
    "Credit scoring",
    "Intended use",
    "## Intended Uses",
    "The intended use of the model",
}
TEMPLATE = [text for text in PLACEHOLDERS if text not in FEW_WORDS]


@given(st.lists(st.sampled_from(TEMPLATE), min_size=1, max_size=5))
def test_many_placeholders_say_no_more_than_one(texts):
    assert not judged("\n\n".join(texts), TITLES).says_something


def test_marks_stand_on_their_lines():
    text = "Trained on\nAdult. TODO: the sampling\n\n[More Information\nNeeded]\n- **Owner:** TBD\n\nIs it fair?\n\nN/A"
    assert [(mark.line, mark.text) for mark in marks(text)] == [
        (1, "TODO: the sampling"),
        (3, "[More Information Needed]"),
        (5, "**Owner:** TBD"),
        (9, "N/A"),
    ]
