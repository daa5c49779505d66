"""Which model a URI means, and what is written beside it."""

from __future__ import annotations

import msgspec
import pytest
from deployed_models import APPROVED
from hypothesis import given
from hypothesis import strategies as st

from solon.evidence.deployed.live import Claim, Named, Registry, identified, named


@pytest.mark.parametrize(
    "uri, expected",
    [
        ("models:/fraud-scorer/7", Named("fraud-scorer", "7")),
        ("models:///fraud-scorer/7", Named("fraud-scorer", "7")),
        ("models:/prod.ml.fraud/12", Named("prod.ml.fraud", "12")),
        ("models:/fraud-scorer@champion", Named("fraud-scorer", alias="champion")),
        ("models:/fraud-scorer/Production", Named("fraud-scorer", alias="Production")),
        ("models:/fraud-scorer/latest", Named("fraud-scorer", alias="latest")),
        ("models:/m-8d2f0c", Named()),  # a logged model, which no registry has numbered
        ("models:/a/b/3", Named()),
        ("s3://acme-model-registry/fraud-scorer/7", Named("fraud-scorer", "7")),
        ("s3://acme-model-registry/fraud-scorer/7/", Named("fraud-scorer", "7")),
        ("s3://acme-model-registry/credit/uk/v2.1", Named("credit/uk", "v2.1")),
        ("s3://acme-model-registry/fraud-scorer", Named()),
        ("s3://acme-model-registry/3", Named()),
        ("s3://acme-model-registry/x/../../scratch/fraud-scorer/7", Named()),
        ("s3://acme-model-registry-of-anna/fraud-scorer/7", Named()),
        ("s3://scratch/fraud-scorer/7", Named()),
        ("oci://registry.acme.example/models/fraud-scorer:7", Named("fraud-scorer", "7")),
        ("oci://registry.acme.example/models/fraud-scorer:7@sha256:0a1b", Named("fraud-scorer", "7")),
        ("oci://registry.acme.example/models/fraud-scorer:latest", Named("fraud-scorer", alias="latest")),
        ("oci://registry.acme.example/models/fraud-scorer@sha256:0a1b", Named()),
        ("", Named()),
    ],
)
def test_what_a_uri_means(uri: str, expected: Named) -> None:
    assert named(uri, APPROVED) == expected


@pytest.mark.parametrize(
    "claim, uri, expected, problem",
    [
        (Claim("a", "1"), "", Named("a", "1"), ""),
        (Claim("a", "1"), "models:/a/1", Named("a", "1"), ""),
        (Claim("a", "1"), "s3://anywhere/x", Named("a", "1"), ""),
        (Claim("a", "1"), "models:/a/2", Named("a", "2"), "it is said to be a 1, and loads models:/a/2"),
        (Claim("a", "1"), "models:/b/1", Named("b", "1"), "it is said to be a 1, and loads models:/b/1"),
        (
            Claim("a", "1"),
            "models:/b@x",
            Named("b", alias="x"),
            "it is said to be a 1, and loads models:/b@x",
        ),
        (Claim("a", "1"), "models:/a@x", Named("a", "1"), ""),
        (Claim("a", "latest"), "", Named("a", alias="latest"), "'latest' is no exact version"),
        (Claim("a"), "", Named("a"), "it names no version"),
        (Claim("a"), "models:/a/2", Named("a", "2"), ""),
        (Claim(), "models:/a@x", Named("a", alias="x"), "'x' is no exact version"),
        (Claim(), "", Named(), "nothing says which registered model this is"),
        (
            Claim(version="3"),
            "s3://scratch/m",
            Named(),
            "nothing says which registered model this is: s3://scratch/m is under no approved registry",
        ),
    ],
)
def test_what_is_loaded_counts_more_than_what_is_said(
    claim: Claim, uri: str, expected: Named, problem: str
) -> None:
    assert identified(claim, uri, APPROVED) == (expected, problem)


@given(st.text(max_size=60), st.sampled_from(["models:/", "s3://acme-model-registry/", ""]))
def test_any_uri_is_read(text: str, prefix: str) -> None:
    found = named(prefix + text, APPROVED)
    assert not (found.version and found.alias)
    assert not found.version or APPROVED.exact(found.version)


def test_a_pattern_that_is_none() -> None:
    with pytest.raises(msgspec.ValidationError, match="version_pattern is no regular expression"):
        msgspec.convert({"version_pattern": "("}, Registry)
