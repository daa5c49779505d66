"""Scores of CVSS vectors: expected are those that FIRST publishes with its specification."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solon.evidence.supply import cvss


# "CVSS v3.1: Examples", https://www.first.org/cvss/v3.1/examples; the last three are of NVD.
@pytest.mark.parametrize(
    ("vector", "score"),
    [
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 6.1),  # CVE-2013-1937
        ("CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N", 6.4),  # CVE-2013-0375
        ("CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N", 3.1),  # CVE-2014-3566
        ("CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:H", 9.9),  # CVE-2012-1516
        ("CVSS:3.1/AV:L/AC:L/PR:H/UI:N/S:U/C:L/I:L/A:L", 4.2),  # CVE-2009-0783
        ("CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H", 8.8),  # CVE-2012-0384
        ("CVSS:3.1/AV:L/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H", 7.8),  # CVE-2015-1098
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", 7.5),  # CVE-2014-0160
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8),  # CVE-2014-6271
        ("CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:C/C:N/I:H/A:N", 6.8),  # CVE-2008-1447
        ("CVSS:3.1/AV:P/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 6.8),  # CVE-2014-2005
        ("CVSS:3.1/AV:A/AC:L/PR:N/UI:N/S:C/C:H/I:N/A:H", 9.3),  # CVE-2013-6014
        ("CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:N", 7.4),  # CVE-2014-0224
        ("CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:N/A:N", 8.6),  # CVE-2019-10906
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", 0.0),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/E:P/RL:O", 9.8),  # the base score, of more than a base
    ],
)
def test_a_base_score_of_version_3_is_that_of_the_specification(vector: str, score: float) -> None:
    assert cvss.base_score(vector) == score


# "CVSS v4.0: Examples", https://www.first.org/cvss/v4.0/examples; those without a CVE are as its calculator has them.
@pytest.mark.parametrize(
    ("vector", "score"),
    [
        ("AV:L/AC:L/AT:P/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 7.3),  # CVE-2022-41741
        ("AV:N/AC:L/AT:P/PR:N/UI:P/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 7.7),  # CVE-2020-3549
        ("AV:N/AC:L/AT:P/PR:N/UI:N/VC:H/VI:L/VA:L/SC:N/SI:N/SA:N", 8.3),  # CVE-2023-3089
        ("AV:L/AC:L/AT:N/PR:N/UI:A/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N", 4.6),  # CVE-2021-44714
        ("AV:N/AC:L/AT:N/PR:N/UI:A/VC:N/VI:N/VA:N/SC:L/SI:L/SA:N", 5.1),  # CVE-2022-21830
        ("AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N", 8.7),  # CVE-2014-0160
        ("AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H", 10.0),  # CVE-2021-44228
        (
            "AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H/E:U",
            10.0,
        ),  # the base score, of more than a base
        ("AV:P/AC:H/AT:P/PR:H/UI:A/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N", 1.0),
        ("AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N", 0.0),
        ("AV:N/AC:L/AT:N/PR:H/UI:N/VC:L/VI:L/VA:N/SC:N/SI:N/SA:N", 5.1),
    ],
)
def test_a_base_score_of_version_4_is_that_of_the_specification(vector: str, score: float) -> None:
    assert cvss.base_score(f"CVSS:4.0/{vector}") == score


@pytest.mark.parametrize(
    "vector",
    [
        "",
        "9.8",
        "AV:N/AC:L/Au:N/C:P/I:P/A:P",
        "CVSS:2.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H",
        "CVSS:3.1/AV:X/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/A:N",
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:/C:H/I:H/A:H",
        "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H",
        "CVSS:4.0/AV:/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H",
        "CVSS:4.0/AV:NA/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H",
        "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:R/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H",
    ],
)
def test_what_is_no_vector_has_no_score(vector: str) -> None:
    assert cvss.base_score(vector) is None


BASE_4 = {
    "AV": "NALP",
    "AC": "LH",
    "AT": "NP",
    "PR": "NLH",
    "UI": "NPA",
    **dict.fromkeys(("VC", "VI", "VA", "SC", "SI", "SA"), "HLN"),
}


@given(st.fixed_dictionaries({name: st.sampled_from(values) for name, values in BASE_4.items()}), st.data())
@settings(max_examples=100)
def test_a_vector_that_is_less_severe_in_one_metric_scores_no_higher(
    vector: dict[str, str], data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(sorted(BASE_4)))
    less = data.draw(st.sampled_from(BASE_4[name][BASE_4[name].index(vector[name]) :]))
    scores = [
        cvss.base_score("CVSS:4.0/" + "/".join(f"{key}:{value}" for key, value in each.items()))
        for each in (vector, {**vector, name: less})
    ]
    assert scores[0] is not None
    assert scores[1] is not None
    assert scores[1] <= scores[0]


@given(st.text(alphabet="CVSS:3.1/AVNLPRUIHX40", max_size=80) | st.text(max_size=40))
@settings(max_examples=100)
def test_no_text_is_too_odd(text: str) -> None:
    score = cvss.base_score(text)
    assert score is None or 0 <= score <= 10


@pytest.mark.parametrize(
    ("score", "level"),
    [(0.0, "low"), (3.9, "low"), (4.0, "medium"), (6.9, "medium"), (7.0, "high"), (8.9, "high"), (9.0, "critical"), (10.0, "critical")],
)  # fmt: skip
def test_levels_begin_where_the_specification_has_them(score: float, level: str) -> None:
    assert cvss.level(score) == level
