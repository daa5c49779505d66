"""Which changes of the registry make a version live."""

from __future__ import annotations

import pytest

from solon.server.mlflow.governed import Going, Model, Version, Way, aliased, created, live, staged
from solon.server.mlflow.settings import MlflowSettings

SETTINGS = MlflowSettings(
    aliases=["champion", "live-*"], stages=["Production"], names=["prod.*"], models=["*"]
)


@pytest.mark.parametrize(
    ("name", "alias", "governed"),
    [
        ("adult", "champion", True),
        ("adult", "Champion", True),
        ("adult", "CHAMPION", True),
        ("adult", "champion ", True),
        ("adult", "champion\n", True),
        ("adult", "chámpion", True),  # MySQL takes it for the same
        ("adult", "ｃｈａｍｐｉｏｎ", True),
        ("adult", "live-eu", True),
        ("adult", "challenger", False),
        ("adult", "champions", False),
        ("prod.adult", "challenger", True),
        ("PROD.adult", "challenger", True),
        ("production", "challenger", False),
    ],
)
def test_aliases(name: str, alias: str, governed: bool) -> None:
    assert aliased(SETTINGS, name, alias, "3") == ([Going(name, "3", Way.ALIAS, alias)] if governed else [])


@pytest.mark.parametrize(
    ("stage", "governed"), [("Production", True), ("production", True), ("Staging", False), ("", False)]
)
def test_stages(stage: str, governed: bool) -> None:
    assert staged(SETTINGS, "adult", stage, "3") == (
        [Going("adult", "3", Way.STAGE, stage)] if governed else []
    )


def test_making_a_version() -> None:
    assert created(SETTINGS, "prod.adult") == [Going("prod.adult", "", Way.NAME)]
    assert created(SETTINGS, "adult") == []


def test_only_named_models_are_governed_by_aliases_and_stages() -> None:
    some = MlflowSettings(aliases=["champion"], stages=["Production"], models=["credit-*"])
    assert aliased(some, "credit-eu", "champion", "1")
    assert not aliased(some, "adult", "champion", "1")
    assert not staged(some, "adult", "Production", "1")


MODEL = Model(
    "adult",
    {"champion": "2", "challenger": "3"},
    (Version("1", "Archived"), Version("2", "Production"), Version("3")),
)


def test_what_is_live_in_a_model() -> None:
    assert live(SETTINGS, MODEL) == [
        Going("adult", "2", Way.ALIAS, "champion"),
        Going("adult", "2", Way.STAGE, "Production"),
    ]


def test_what_would_be_live_under_another_name() -> None:
    assert {(going.version, going.way) for going in live(SETTINGS, MODEL, "prod.adult")} == {
        ("2", Way.ALIAS), ("3", Way.ALIAS), ("2", Way.STAGE), ("1", Way.NAME), ("2", Way.NAME), ("3", Way.NAME),
    }  # fmt: skip
    assert all(going.name == "prod.adult" for going in live(SETTINGS, MODEL, "prod.adult"))
