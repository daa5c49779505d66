"""What solon.yaml may say under tickets."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from solon.governance.tickets.settings import GitHubSettings, JiraSettings, TicketSettings

GITHUB = {"repository": "org/policies"}
JIRA = {"url": "https://x.atlassian.net", "project": "GOV"}


def test_what_is_left_out() -> None:
    assert msgspec.convert({"github": GITHUB}, TicketSettings) == TicketSettings(
        github=GitHubSettings(
            "org/policies", token_env="GITHUB_TOKEN", api="https://api.github.com", labels=[]
        ),
        label="solon",
        per_minute=20,
    )
    assert msgspec.convert({"jira": JIRA}, TicketSettings) == TicketSettings(
        jira=JiraSettings(
            "https://x.atlassian.net",
            "GOV",
            issue_type="Task",
            user_env="JIRA_USER",
            token_env="JIRA_TOKEN",
            labels=[],
        )
    )


@pytest.mark.parametrize(
    "api", ["https://ghe.example/api/v3", "http://localhost:8080", "http://[::1]:80", "http://127.0.0.1"]
)
def test_an_address(api: str) -> None:
    assert msgspec.convert({"github": {**GITHUB, "api": api}}, TicketSettings).github.api == api  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "said, problem",
    [
        ({}, "tickets go to one tracker: write either github or jira"),
        ({"github": GITHUB, "jira": JIRA}, "tickets go to one tracker: write either github or jira"),
        ({"github": {}}, "Object missing required field `repository` - at `$.github`"),
        ({"github": {**GITHUB, "token": "x"}}, "Object contains unknown field `token` - at `$.github`"),
        ({"github": {"repository": "policies"}}, "repository 'policies': write it as owner/name - at `$.github`"),
        ({"github": {"repository": "a/b/../c"}}, "repository 'a/b/../c': write it as owner/name - at `$.github`"),
        ({"github": {**GITHUB, "token_env": "ghp_1/2"}}, "token_env must be the name of an environment variable - at `$.github`"),
        ({"github": {**GITHUB, "api": "http://ghe.example"}},
         "api: http://ghe.example is not encrypted; tokens are sent over https alone - at `$.github`"),
        ({"github": {**GITHUB, "api": "https://u:p@ghe.example"}},
         "api: no user or password in the URL; name environment variables instead - at `$.github`"),
        ({"github": {**GITHUB, "api": "ftp://x"}}, "api: 'ftp://x' is no address such as https://api.github.com - at `$.github`"),
        ({"github": {**GITHUB, "api": "https://"}}, "api: 'https://' is no address such as https://api.github.com - at `$.github`"),
        ({"github": {**GITHUB, "api": "https://x:y"}}, "api: not a URL - at `$.github`"),
        ({"github": {**GITHUB, "api": "https://x/a b"}}, "api: 'https://x/a b' has blanks or controls in it - at `$.github`"),
        ({"github": {**GITHUB, "labels": ["a,b"]}}, "label 'a,b': 1 to 50 characters, without a comma - at `$.github`"),
        ({"jira": {**JIRA, "labels": ["a b"]}}, "label 'a b': 1 to 255 characters, without blanks - at `$.jira`"),
        ({"jira": {**JIRA, "project": 'X" OR 1'}}, "project 'X\" OR 1': write its key, such as GOV - at `$.jira`"),
        ({"jira": {**JIRA, "issue_type": " "}}, "issue_type is empty: write one that the project has, such as Task - at `$.jira`"),
        ({"jira": {**JIRA, "user_env": "me@x"}}, "user_env must be the name of an environment variable - at `$.jira`"),
        ({"github": GITHUB, "label": "a b"}, "label 'a b': up to 30 letters, digits, '.', '_' and '-'"),
        ({"github": GITHUB, "label": ""}, "label '': up to 30 letters, digits, '.', '_' and '-'"),
        ({"github": GITHUB, "per_minute": 0}, "Expected `int` >= 1 - at `$.per_minute`"),
    ],
)  # fmt: skip
def test_what_is_wrong(said: Any, problem: str) -> None:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert(said, TicketSettings)
    assert str(caught.value) == problem
