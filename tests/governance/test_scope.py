from __future__ import annotations

from fnmatch import fnmatchcase

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from solon.governance.scope import Index, Scope, Traits, compiled, covers, matches, overlap

WEB = Traits(
    uri="k8s://eu-1/payments/Deployment/web",
    resource="Deployment/web",
    namespace="payments",
    team="payments",
    owner="jane@example.com",
    environment="prod",
    cluster="eu-1",
    labels={"tier": "gold", "app": "web"},
)


@pytest.mark.parametrize(
    "scope, holds",
    [
        ({}, True),
        ({"namespace": "payments"}, True),
        ({"namespace": "pay*"}, True),
        ({"namespace": "*ment?"}, True),
        ({"namespace": "pay"}, False),
        ({"namespace": ["ml", "payments"]}, True),
        ({"namespace": ["ml", "m*"]}, False),
        ({"namespace": "payments", "team": "ml"}, False),
        ({"namespace": "payments", "team": "payments"}, True),
        ({"resource": "deployment/web"}, True),
        ({"resource": "Deployment/web"}, True),
        ({"resource": "deployment/*"}, True),
        ({"resource": "deployment/Web"}, False),
        ({"resource": "web"}, False),
        ({"subject": "k8s://eu-1/payments/*"}, True),
        ({"subject": "k8s://*/web"}, True),
        ({"cluster": "eu-*", "environment": "prod"}, True),
        ({"labels": {"tier": "gold"}}, True),
        ({"labels": {"tier": "g*", "app": ["api", "web"]}}, True),
        ({"labels": {"tier": "gold", "zone": "*"}}, False),
    ],
)
def test_all_that_is_given_must_hold(scope, holds):
    assert compiled(msgspec.convert(scope, Scope))(WEB) is holds


@pytest.mark.parametrize("field", ["team", "namespace", "environment", "cluster", "resource", "subject"])
def test_what_is_not_known_matches_nothing(field):
    assert not compiled(msgspec.convert({field: "*"}, Scope))(Traits())


def test_an_address_of_terraform_is_taken_as_it_is():
    gpu = Traits(resource='module.a.aws_instance.Gpu["x"]')
    assert compiled(Scope(resource='module.a.aws_instance.Gpu["x"]'))(gpu)
    assert not compiled(Scope(resource='module.a.aws_instance.gpu["x"]'))(gpu)
    assert compiled(Scope(resource="module.a.*"))(gpu)
    assert not compiled(Scope(resource="aws_instance.Gpu"))(gpu)


@pytest.mark.parametrize(
    "scope, field",
    [
        ({"team": []}, "team"),
        ({"team": ""}, "team"),
        ({"namespace": ["a", ""]}, "namespace"),
        ({"labels": {}}, "labels"),
        ({"labels": {"a": []}}, "labels.a"),
    ],
)
def test_a_scope_that_can_match_nothing_is_told(scope, field):
    problem = msgspec.convert(scope, Scope).problem()
    assert problem is not None
    assert problem[0] == field


def test_a_scope_is_told_in_words():
    scope = msgspec.convert({"namespace": ["a", "b-*"], "labels": {"tier": "gold"}}, Scope)
    assert str(scope) == "namespace a or b-*, label tier=gold"
    assert str(Scope()) == "everything"


names = st.text("ab-", max_size=5)
globs = st.text("ab-*?", max_size=6)


@given(globs, st.text("ab-", min_size=1, max_size=8))
def test_globs_are_those_of_shells(glob, text):
    assert matches(glob, text) == fnmatchcase(text, glob)


def test_brackets_are_characters():
    assert matches("a[0]*", "a[0].b")
    assert not matches("a[0]", "a0")


def test_many_stars_do_not_take_long():
    assert not matches("*a" * 200 + "b", "a" * 20_000)  # by backtracking, it would not come back


scopes = st.builds(
    lambda **given: msgspec.convert({k: v for k, v in given.items() if v is not None}, Scope),
    namespace=st.none() | globs | st.lists(globs, min_size=1, max_size=2),
    team=st.none() | globs,
    subject=st.none() | globs,
    labels=st.none() | st.dictionaries(st.sampled_from("xy"), globs, min_size=1),
)
traits = st.builds(
    Traits,
    namespace=names,
    team=names,
    uri=names,
    labels=st.dictionaries(st.sampled_from("xy"), names),
)


@given(st.lists(scopes, max_size=8), traits)
def test_the_index_finds_what_asking_each_finds(several, subject):
    index = Index(list(zip(several, range(len(several)), strict=True)))
    assert index.of(subject) == [n for n, scope in enumerate(several) if compiled(scope)(subject)]


@given(scopes, scopes, traits)
def test_scopes_with_a_subject_in_common_overlap(one, other, subject):
    if compiled(one)(subject) and compiled(other)(subject):
        assert overlap(one, other)
        assert overlap(other, one)


@pytest.mark.parametrize(
    "one, other, expected",
    [
        ({"namespace": "a"}, {"namespace": "b"}, False),
        ({"namespace": "a-*"}, {"namespace": "a-1"}, True),
        ({"namespace": "a-*"}, {"namespace": "*-b"}, True),
        ({"namespace": "a-*"}, {"namespace": "b-*"}, False),
        ({"namespace": "a"}, {"team": "b"}, True),
        ({"namespace": "a", "team": "x"}, {"namespace": "a", "team": "y"}, False),
        ({"labels": {"t": "1"}}, {"labels": {"t": "2"}}, False),
    ],
)
def test_overlap(one, other, expected):
    assert overlap(msgspec.convert(one, Scope), msgspec.convert(other, Scope)) is expected


@pytest.mark.parametrize(
    "one, other, covered",
    [
        ({}, {"namespace": "a"}, True),
        ({}, {}, True),
        ({"namespace": "a"}, {}, False),
        # Not every subject has a namespace.
        ({"namespace": "*"}, {}, False),
        ({"namespace": "*"}, {"namespace": "a"}, True),
        ({"namespace": "pay-*"}, {"namespace": "pay-eu-*"}, True),
        ({"namespace": "pay-*"}, {"namespace": ["pay-a", "pay-b"], "team": "x"}, True),
        ({"namespace": "pay-*"}, {"namespace": ["pay-a", "ml"]}, False),
        ({"namespace": "pay-eu-*"}, {"namespace": "pay-*"}, False),
        ({"namespace": "pay-?"}, {"namespace": "pay-*"}, False),
        ({"namespace": "pay-?"}, {"namespace": "pay-1"}, True),
        ({"namespace": "pay-*"}, {"namespace": "pay-?"}, True),
        ({"namespace": "a", "team": "x"}, {"namespace": "a"}, False),
        ({"resource": "deployment/*"}, {"resource": "Deployment/web"}, True),
        ({"labels": {"tier": "g*"}}, {"labels": {"tier": "gold", "app": "web"}}, True),
        ({"labels": {"tier": "g*"}}, {"labels": {"app": "web"}}, False),
        (
            {"selector": {"matchLabels": {"a": "b"}}},
            {"selector": {"matchLabels": {"a": "b"}}, "team": "x"},
            True,
        ),
        ({"selector": {"matchLabels": {"a": "b"}}}, {"selector": {"matchLabels": {"a": "c"}}}, False),
        ({"selector": {"matchLabels": {"a": "b"}}}, {}, False),
    ],
)
def test_a_scope_that_takes_in_another(one, other, covered):
    assert covers(msgspec.convert(one, Scope), msgspec.convert(other, Scope)) is covered


patterns = st.text("ab*?", min_size=1, max_size=4)


@given(patterns, patterns, st.lists(st.text("ab", min_size=1, max_size=5), min_size=20, max_size=40))
def test_no_subject_escapes_a_scope_that_takes_in_its_own(one, other, names):
    if covers(Scope(namespace=one), Scope(namespace=other)):
        assert not [name for name in names if matches(other, name) and not matches(one, name)]
