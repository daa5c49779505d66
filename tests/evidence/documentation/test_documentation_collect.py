from __future__ import annotations

import hashlib

import pytest
from measured_releases import Files

from solon.evidence.collector import CannotCollect
from solon.evidence.documentation.collect import MAX_BYTES, collect

CARD = "## Intended use\n\nLoan officers read the score and decide.\n"


def collected(tmp_path, files, documentation, **said):
    return collect(Files(tmp_path).given(files, documentation=documentation, **said))


def test_nothing_is_collected_where_nothing_is_declared(tmp_path):
    assert collect(Files(tmp_path).given({})) is None


def test_a_part_that_names_no_document_is_an_error(tmp_path):
    with pytest.raises(
        CannotCollect, match=r"names no document: write `documentation: \{model_card: README.md\}`"
    ):
        collected(tmp_path, {}, {})


def test_what_is_measured(tmp_path):
    found = collected(
        tmp_path,
        {"README.md": CARD, "risks.yaml": "risks: Applicants may be scored too low.\n"},
        {"model_card": "README.md", "risk_assessment": "risks.yaml"},
        trained_at="2026-10-20T18:00:00+02:00",
    )
    assert found.source == "README.md, risks.yaml"
    digest = "sha256:" + hashlib.sha256(CARD.encode()).hexdigest()
    assert [(each.what, each.path) for each in found.measured] == [
        ("model_card", "README.md"),
        ("risk_assessment", "risks.yaml"),
    ]
    assert found.measured[0].digest == digest == found.result.documents["model_card"].digest
    assert found.result.trained_at == "2026-10-20T16:00:00Z"
    assert list(found.result.documents) == ["model_card", "risk_assessment"]
    assert found.result.documents["risk_assessment"].fields["risks"].says_something


def test_one_document_may_be_two(tmp_path):
    found = collected(tmp_path, {"c.md": CARD}, {"model_card": "c.md", "risk_assessment": "c.md"})
    assert [doc.fields["intended_use"].words for doc in found.result.documents.values()] == [7, 7]


@pytest.mark.parametrize(
    "path, files, problem",
    [
        ("gone.md", {}, "gone.md: no such file in the release"),
        ("../up.md", {}, "../up.md: leads out of the release"),
        ("/etc/hostname", {}, "'/etc/hostname': must be a path inside the release"),
        ("model", {}, "model: no such file in the release"),
        ("big.md", {"big.md": "x" * (MAX_BYTES + 1)}, "big.md: larger than 1 MiB: a document for people is not"),
        ("b.md", {"b.md": b"\x89PNG\r\n\x1a\n\0"}, "b.md: not a text"),
    ],
)  # fmt: skip
def test_a_document_that_cannot_be_read_keeps_none_of_the_others_away(tmp_path, path, files, problem):
    found = collected(tmp_path, {"c.md": CARD, **files}, {"model_card": "c.md", "data_sheet": path})
    documents = found.result.documents
    assert documents["model_card"].fields["intended_use"].says_something
    assert documents["data_sheet"].fields == {}
    assert len(documents["data_sheet"].problems) == 1
    assert documents["data_sheet"].problems[0].startswith(problem)
    measured = {each.what for each in found.measured}
    assert ("data_sheet" in measured) == bool(files)


@pytest.mark.parametrize("trained_at", ["soon", "10/11/2026"])
def test_a_training_of_no_date_is_an_error(tmp_path, trained_at):
    """A card cannot be shown to be younger than it."""
    with pytest.raises(CannotCollect, match=r"release.yaml: trained_at: .* is no date"):
        collected(tmp_path, {"c.md": CARD}, {"model_card": "c.md"}, trained_at=trained_at)
