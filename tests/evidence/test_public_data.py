"""The public data sets are those that the literature knows: their published sizes and rates."""

from __future__ import annotations

from public_data import public_data

from solon.evidence import tables


def test_adult_is_the_official_split() -> None:
    data = public_data()
    train, test = tables.read(str(data.adult_train)), tables.read(str(data.adult_test))
    assert (train.rows, test.rows) == (32561, 16281)
    assert (train.labels("income") == ">50K").sum() == 7841
    assert (test.labels("income") == ">50K").sum() == 3846
    assert train.columns == test.columns


def test_compas_is_what_propublica_published() -> None:
    table = tables.read(str(public_data().compas))
    assert table.rows == 7214
    race, recid, decile = (
        table.texts("race"),
        table.labels("two_year_recid"),
        table.measurements("decile_score"),
    )
    for group, published in (("African-American", 44.85), ("Caucasian", 23.45)):
        innocent = (race == group) & (recid == "0")
        assert round(100 * float((decile[innocent] >= 5).mean()), 2) == published


def test_german_credit() -> None:
    table = tables.read(str(public_data().german))
    assert table.rows == 1000
    assert (table.labels("credit") == "1").sum() == 700
