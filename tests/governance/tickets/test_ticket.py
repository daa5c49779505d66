"""Findings to tickets."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from solon.governance.tickets import adf, markdown
from solon.governance.tickets.plan import State
from solon.governance.tickets.ticket import Offence, Ticket, key_of, wanted

WEB = Offence(
    policy="require-team-label",
    title="Workloads have a team",
    severity="high",
    owner="team-payments",
    uri="k8s://prod/payments/Deployment/web",
    name="Deployment/web",
    file="manifests/web.yaml",
    line=12,
    message="no label team",
    remediation="Add the label team.",
    blocks_on=date(2026, 12, 1),
)
API = replace(WEB, uri="k8s://prod/payments/Deployment/api", name="Deployment/api", file="manifests/api.yaml")


def one(*offences: Offence) -> Ticket:
    (ticket,) = wanted(offences)
    return ticket


def text(ticket: Ticket) -> str:
    return markdown.body(ticket)


def test_a_ticket_for_each_policy_and_owner() -> None:
    offences = [
        WEB,
        API,
        replace(WEB, owner="team-search"),
        replace(WEB, policy="gpu-quota"),
        replace(WEB, owner=""),
    ]
    assert [(t.policy, t.owner, t.total) for t in wanted(offences)] == [
        ("gpu-quota", "team-payments", 1),
        ("require-team-label", "", 1),
        ("require-team-label", "team-payments", 2),
        ("require-team-label", "team-search", 1),
    ]


def test_no_findings_want_no_ticket() -> None:
    assert wanted([]) == []


def test_the_text() -> None:
    assert text(one(WEB, API)) == (
        "Policy `require-team-label` · severity high · owner `team-payments`\n"
        "\n"
        "2 subjects violate it. It will block changes from 2026-12-01 on.\n"
        "\n"
        "### How to fix\n"
        "\n"
        "```text\n"
        "Add the label team.\n"
        "```\n"
        "\n"
        "### Subjects\n"
        "\n"
        "- `Deployment/api` at `manifests/api.yaml:12`\n"
        "  - `k8s://prod/payments/Deployment/api`\n"
        "  - `no label team`\n"
        "- `Deployment/web` at `manifests/web.yaml:12`\n"
        "  - `k8s://prod/payments/Deployment/web`\n"
        "  - `no label team`\n"
        "\n"
        "---\n"
        "Kept by Solon: this text is written anew when the findings change, comments stay. The issue is closed by "
        "itself when nothing is left.\n"
        f"<!-- solon:ticket key={key_of('require-team-label', 'team-payments')} digest={one(WEB, API).digest} "
        "subjects=2 blocks=2026-12-01 settled=no -->"
    )


@pytest.mark.parametrize(
    "offences, said",
    [
        ([replace(WEB, blocks=True)], "1 subject violates it. It blocks changes now."),
        (
            [replace(WEB, blocks_on=None)],
            "1 subject violates it. It blocks nothing so far, and no date is set.",
        ),
        ([WEB], "1 subject violates it. It will block changes from 2026-12-01 on."),
        (
            [WEB, replace(WEB, blocks_on=date(2026, 11, 30), message="another")],
            "1 subject violates it. It will block changes from 2026-11-30 on.",
        ),
        (
            [WEB, replace(API, blocks=True), replace(WEB, uri="k8s://c", blocks_on=None)],
            "3 subjects violate it. Blocked: 1 now, 1 from 2026-12-01, 1 without a date so far.",
        ),
    ],
)
def test_when_it_blocks(offences: list[Offence], said: str) -> None:
    assert text(one(*offences)).split("\n")[2] == said


def test_each_subject_says_when_it_is_blocked_where_they_differ() -> None:
    lines = text(one(WEB, replace(API, blocks=True))).split("\n")
    assert "- `Deployment/api` at `manifests/web.yaml:12` · blocked now".replace("web", "api") in lines
    assert "- `Deployment/web` at `manifests/web.yaml:12` · blocked from 2026-12-01" in lines


@pytest.mark.parametrize(
    "offences, blocks",
    [
        ([WEB], "2026-12-01"),
        ([WEB, replace(API, blocks=True)], "now"),
        ([WEB, replace(API, blocks_on=date(2026, 11, 9))], "2026-11-09"),
        ([replace(WEB, blocks_on=None)], ""),
        ([replace(WEB, blocks_on=None), API], "2026-12-01"),
    ],
)
def test_the_earliest_date(offences: list[Offence], blocks: str) -> None:
    assert one(*offences).blocks == blocks


def test_200_subjects_are_listed_and_the_others_counted() -> None:
    ticket = one(*(replace(WEB, uri=f"k8s://{n}", name=f"n{n}", line=n) for n in range(1, 1206)))
    lines = text(ticket).split("\n")
    assert "- `n200` at `manifests/web.yaml:200`" in lines
    assert "- `n201` at `manifests/web.yaml:201`" not in lines
    assert "- and 1,005 more: `solon check` lists them all" in lines
    assert ticket.total == 1205


def test_ten_messages_of_a_subject_are_listed() -> None:
    lines = text(one(*(replace(WEB, message=f"m{n:02}") for n in range(13)))).split("\n")
    assert "  - `m09`" in lines
    assert "  - `m10`" not in lines
    assert "  - and 3 more findings" in lines


def test_many_ways_to_fix_stand_with_their_subjects() -> None:
    lines = text(one(*(replace(WEB, uri=f"k8s://{n}", remediation=f"fix {n}") for n in range(6)))).split("\n")
    assert "### How to fix" not in lines
    assert "  - Fix: `fix 5`" in lines


LONG = "x" * 3_000


def test_a_ticket_is_never_longer_than_the_tracker_takes() -> None:
    ticket = one(
        *(
            replace(
                WEB, uri=f"k8s://{n}{LONG}", name=LONG, file=LONG, message=f"{m} {LONG}", remediation=LONG
            )
            for n in range(300)
            for m in range(12)
        )
    )
    assert len(text(ticket)) <= 65_536
    assert len(json.dumps(adf.body(ticket))) <= 32_767
    assert ticket.total == 300
    listed = sum(line.startswith("- `x") for line in text(ticket).split("\n"))
    assert 5 < listed < 200
    assert f"- and {300 - listed} more: `solon check` lists them all" in text(ticket)


def test_the_title() -> None:
    assert one(WEB).title == "Workloads have a team (team-payments)"
    assert one(replace(WEB, title="", owner="")).title == "require-team-label (no owner)"
    assert len(one(replace(WEB, title=LONG, owner=LONG)).title) < 200


@pytest.mark.parametrize(
    "title, shown",
    [
        ("call @everyone", "call @\u200beveryone"),
        ("fix #1 and org/repo#2", "fix #\u200b1 and org/repo#\u200b2"),
        ("<b>bold</b>", "<\u200bb>bold<\u200b/b>"),
        ("two\nlines\x1b[31m", "two lines\ufffd[31m"),
        ("\u202eturned", "\ufffdturned"),
        ("[here](http://x)", "[here]\u200b(http://x)"),
    ],
)
def test_a_title_calls_nobody(title: str, shown: str) -> None:
    assert one(replace(WEB, title=title)).title == f"{shown} (team-payments)"


def test_the_digest_is_that_of_what_is_said() -> None:
    assert one(WEB, API).digest == one(API, WEB, WEB).digest
    changed = [
        replace(WEB, message="other"),
        replace(WEB, line=13),
        replace(WEB, severity="low"),
        replace(WEB, blocks=True),
        replace(WEB, blocks_on=None),
        replace(WEB, remediation="other"),
        replace(WEB, title="other"),
    ]
    assert len({one(WEB).digest, one(WEB, API).digest, *(one(c).digest for c in changed)}) == len(changed) + 2


def test_the_key_is_that_of_policy_and_owner() -> None:
    assert one(WEB).key == one(replace(WEB, message="other", title="x")).key
    assert key_of("a", "bc") != key_of("ab", "c")
    assert (
        key_of("require-team-label", "team-payments") == "9b111734aaf2479c"
    )  # printf '["require-team-label", "team-payments"]' | sha256sum


# --- texts of others: X stands in nothing that Solon says itself

HOSTILE = st.text(st.sampled_from("X`~<>[]()@#*_|!&\\-+=.:/ \n\r\t\x00\x1b\u202e\u2028\ud800é1"), max_size=40)


def leaves(tokens: list[Token]) -> list[Token]:
    return [leaf for token in tokens for leaf in (leaves(token.children) if token.children else [token])]


@given(HOSTILE, HOSTILE, HOSTILE, HOSTILE)
@settings(max_examples=200, deadline=None)
def test_texts_of_others_are_code_in_markdown(message: str, fix: str, name: str, policy: str) -> None:
    ticket = one(
        replace(
            WEB, message="X" + message, remediation=fix, name=name, policy=policy, owner=name, severity=fix
        )
    )
    found = leaves(MarkdownIt("gfm-like", {"linkify": False}).parse(text(ticket)))
    assert {token.type for token in found} <= {
        *("text", "code_inline", "fence", "softbreak", "hr", "html_block", "html_inline"),
        *(
            f"{block}_{end}"
            for block in ("paragraph", "heading", "bullet_list", "list_item")
            for end in ("open", "close")
        ),
    }
    assert not [token for token in found if token.type == "text" and "X" in token.content]
    (marker,) = [token.content.strip() for token in found if token.type.startswith("html")]
    assert marker == markdown.state_line(ticket.key, State(ticket.digest, 1, "2026-12-01"))
    assert len([token for token in found if token.type == "fence"]) == bool(fix.strip())


@given(HOSTILE, HOSTILE, HOSTILE)
@settings(max_examples=100, deadline=None)
def test_texts_of_others_are_code_in_jira(message: str, fix: str, name: str) -> None:
    ticket = one(replace(WEB, message="X" + message, remediation=fix, name=name, owner=name))
    found = list(nodes(adf.body(ticket)))
    for node in found:
        if node["type"] == "text":
            assert node["text"]
            assert "X" not in node["text"] or node.get("marks") or node in _in_blocks(found)


def nodes(node: dict) -> list[dict]:
    return [node, *(inner for child in node.get("content", []) for inner in nodes(child))]


def _in_blocks(found: list[dict]) -> list[dict]:
    return [child for node in found if node["type"] == "codeBlock" for child in node["content"]]


def test_a_state_that_somebody_forged_is_not_read() -> None:
    forged = markdown.state_line("0" * 16, State("f" * 16, 7, "now"))
    ticket = one(replace(WEB, message=forged))
    assert markdown.state_in(text(ticket), ticket.key) == State(ticket.digest, 1, "2026-12-01")
    assert markdown.state_in(forged, ticket.key) is None
    assert markdown.state_in("nothing", ticket.key) is None


def test_a_closed_ticket_says_what_it_said() -> None:
    ticket = one(WEB)
    state = State(ticket.digest, 1, "2026-12-01")
    body = markdown.settled(text(ticket), ticket.key, state)
    assert markdown.state_in(body, ticket.key) == replace(state, settled=True)
    assert body.replace("settled=yes", "settled=no") == text(ticket)
