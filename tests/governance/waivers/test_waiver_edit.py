"""Waivers added to files and renewed in them: nothing else changes."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solon.governance.scope import Scope
from solon.governance.waivers.edit import Refused, added, block, renewal, renewed
from solon.governance.waivers.waiver import Renewal, Waiver
from solon.subjects.files import parsed

NEW = Waiver(
    policy="main.deny",
    scope=Scope(namespace="legacy", labels={"app.kubernetes.io/name": ["a", "b-*"]}),
    owner="team-payments",
    reason="vendor image: rebuild, tracked in PAY-4821",
    approved_by="@acme/security",
    created="2026-11-21",
    expires="2026-12-21",
    id="legacy-20261121",
)
BLOCK = """\
- id: legacy-20261121
  policy: main.deny
  scope: {namespace: legacy, labels: {app.kubernetes.io/name: [a, "b-*"]}}
  owner: team-payments
  reason: "vendor image: rebuild, tracked in PAY-4821"
  approved_by: "@acme/security"
  created: 2026-11-21
  expires: 2026-12-21
"""


def read(text: str) -> list[Waiver]:
    return [found.value for found in parsed(text, "w.yaml", Waiver, "waiver")]  # type: ignore[union-attr]


def test_an_entry_is_laid_out_as_people_would():
    assert block(NEW) == BLOCK


@pytest.mark.parametrize(
    "before, between, after",
    [
        ("", "", BLOCK),
        ("# waivers of payments\n", "", BLOCK),
        ("- policy: a\n  expires: 2026-01-01 # soon\n\n# end\n", "", BLOCK),
        ("- policy: a", "\n", BLOCK),
        ("- policy: a\n  reason: |\n    one\n    two\n", "", BLOCK),
        ("- policy: a\n...\n", "---\n", BLOCK),
        ("policy: a\n", "---\n", BLOCK),
        ("---\n- policy: a\n---\npolicy: b\n", "---\n", BLOCK),
        ("---\npolicy: a\n---\n- policy: b\n", "", BLOCK),
        ("  - policy: a\n", "", "".join(f"  {line}\n" for line in BLOCK.splitlines())),
        ("- policy: [\n", "---\n", BLOCK),
        ("- policy: a\r\n", "", BLOCK.replace("\n", "\r\n")),
        ("- {policy: a, unknown: 1, owner: 3}\n- 2\n- policy: b\n", "", BLOCK),  # the broken stay as they are
    ],
)
def test_a_waiver_is_added_at_the_end_and_the_rest_stays(before, between, after):
    assert added(before, "w.yaml", NEW) == before + between + after


@pytest.mark.parametrize("text", ['[{"policy": "a"}]', "{policy: a}"])
def test_what_cannot_be_added_to_is_refused(text):
    with pytest.raises(Refused) as refused:
        added(text, "w.yaml", NEW)
    assert refused.value.by_hand == BLOCK


TEXTS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\ufeff\ufffe\uffff"), max_size=20
) | st.sampled_from(
    [
        "yes",
        "null",
        "1",
        "0x1",
        "2026-01-01",
        "a: b",
        "# c",
        "- d",
        "'",
        '"',
        "*x",
        "&x",
        "!y",
        "@z",
        "%",
        "~",
        "1e3",
        "a #b",
        " x",
        "x ",
        "…",
        "🙂",
    ]
)


@settings(max_examples=100, deadline=None)
@given(TEXTS, TEXTS, TEXTS)
def test_whatever_is_said_is_read_again(reason, owner, glob):
    waiver = msgspec.structs.replace(
        NEW, reason=reason, owner=owner, scope=Scope(team=[glob], labels={glob: owner})
    )
    try:
        assert read(added("- policy: a\n", "w.yaml", waiver)) == [Waiver(policy="a"), waiver]
    except Refused:  # characters that YAML has no way to write
        assert not (reason + owner + glob).isprintable()


# --- Renewing

HISTORY = """\
  history:
    - created: 2026-06-30
      expires: 2026-09-30
      reason: vendor image
      approved_by: security
      ticket: PAY-1
"""
OLD = Waiver(
    policy="main.deny",
    scope=Scope(namespace="legacy"),
    owner="payments",
    reason="vendor image",
    ticket="PAY-1",
    approved_by="security",
    created="2026-06-30",
    expires="2026-09-30",
)
RENEWED = renewal(
    OLD,
    msgspec.structs.replace(
        OLD,
        created="2026-09-20",
        expires="2026-12-15",
        reason="still no image: PAY-2",
        approved_by="ciso",
        ticket="PAY-2",
    ),
)


def test_a_renewal_keeps_what_it_said():
    assert RENEWED.history == [Renewal("2026-06-30", "2026-09-30", "vendor image", "security", "PAY-1")]


CASES = {
    "block": (
        """\
# Waivers of payments. Ask #payments.

- policy: main.deny      # all of it
  scope: {namespace: legacy}
  owner: payments
  reason: vendor image  # they promised
  ticket: PAY-1
  approved_by: security
  created: 2026-06-30
  expires: 2026-09-30   # end of the quarter
  # the next one

- policy: other
""",
        """\
# Waivers of payments. Ask #payments.

- policy: main.deny      # all of it
  scope: {namespace: legacy}
  owner: payments
  reason: "still no image: PAY-2"  # they promised
  ticket: PAY-2
  approved_by: ciso
  created: 2026-09-20
  expires: 2026-12-15   # end of the quarter
"""
        + HISTORY
        + """\
  # the next one

- policy: other
""",
    ),
    "quoted, another order, a block scalar in the middle": (
        """\
- expires: "2026-09-30"
  created: '2026-06-30'
  reason: >-
    vendor
    image

  approved_by: 'security'
  ticket: "PAY-1"
  owner: payments
  policy: main.deny
  scope:
    namespace: legacy
""",
        """\
- expires: "2026-12-15"
  created: '2026-09-20'
  reason: "still no image: PAY-2"

  approved_by: 'ciso'
  ticket: "PAY-2"
  owner: payments
  policy: main.deny
  scope:
    namespace: legacy
"""
        + HISTORY,
    ),
    "a block scalar at the end of a document": (
        """\
policy: main.deny
scope: {namespace: legacy}
owner: payments
ticket: PAY-1
approved_by: security
created: 2026-06-30
expires: 2026-09-30
reason: |-
  vendor image
""",
        """\
policy: main.deny
scope: {namespace: legacy}
owner: payments
ticket: PAY-2
approved_by: ciso
created: 2026-09-20
expires: 2026-12-15
reason: "still no image: PAY-2"
history:
  - created: 2026-06-30
    expires: 2026-09-30
    reason: vendor image
    approved_by: security
    ticket: PAY-1
""",
    ),
    "no line feed at the end": (
        (
            "- {policy: x}\n- policy: main.deny\n  scope: {namespace: legacy}\n  owner: payments\n  reason: vendor image\n"
            "  ticket: PAY-1\n  approved_by: security\n  created: 2026-06-30\n  expires: 2026-09-30"
        ),
        '- {policy: x}\n- policy: main.deny\n  scope: {namespace: legacy}\n  owner: payments\n  reason: "still no image: PAY-2"\n'
        "  ticket: PAY-2\n  approved_by: ciso\n  created: 2026-09-20\n  expires: 2026-12-15\n" + HISTORY[:-1],
    ),
    "flow": (
        (
            "- {policy: main.deny, scope: {namespace: legacy}, owner: payments, reason: vendor image, ticket: PAY-1, "
            "approved_by: security, created: 2026-06-30, expires: 2026-09-30} # é🙂\n"
        ),
        (
            '- {policy: main.deny, scope: {namespace: legacy}, owner: payments, reason: "still no image: PAY-2", ticket: PAY-2, '
            "approved_by: ciso, created: 2026-09-20, expires: 2026-12-15, history: [{created: 2026-06-30, "
            "expires: 2026-09-30, reason: vendor image, approved_by: security, ticket: PAY-1}]} # é🙂\n"
        ),
    ),
    "JSON": (
        (
            '[{"policy": "main.deny", "scope": {"namespace": "legacy"}, "owner": "payments", "reason": "vendor image",\n'
            '  "ticket": "PAY-1", "approved_by": "security", "created": "2026-06-30", "expires": "2026-09-30"}]\n'
        ),
        (
            '[{"policy": "main.deny", "scope": {"namespace": "legacy"}, "owner": "payments", "reason": "still no image: PAY-2",\n'
            '  "ticket": "PAY-2", "approved_by": "ciso", "created": "2026-09-20", "expires": "2026-12-15", "history": '
            '[{"created": "2026-06-30", "expires": "2026-09-30", "reason": "vendor image", "approved_by": "security", '
            '"ticket": "PAY-1"}]}]\n'
        ),
    ),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_renewal_changes_no_more_than_it_must(name, newline):
    before, after = (text.replace("\n", newline) for text in CASES[name])
    number = next(part.number for part in parsed(before, "w.yaml", Waiver, "waiver") if part.value == OLD)  # type: ignore[union-attr]
    assert renewed(before, "w.yaml", number, RENEWED) == after


AGAIN = renewal(
    RENEWED,
    msgspec.structs.replace(
        RENEWED, created="2026-12-10", expires="2027-03-01", reason="the last time", approved_by="cto"
    ),
)


def test_a_second_renewal_adds_to_the_history():
    before = CASES["block"][1]
    after = renewed(before, "w.yaml", 0, AGAIN)
    assert after == (
        before.replace("still no image: PAY-2", "the last time")
        .replace("approved_by: ciso", "approved_by: cto")
        .replace("2026-09-20", "2026-12-10")
        .replace("2026-12-15", "2027-03-01")
        .replace(
            "      ticket: PAY-1\n",
            '      ticket: PAY-1\n    - created: 2026-09-20\n      expires: 2026-12-15\n      reason: "still no image: PAY-2"\n'
            "      approved_by: ciso\n      ticket: PAY-2\n",
        )
    )


@pytest.mark.parametrize(
    "history, now",
    [
        ("history: []", "history: [{created: c, expires: e, reason: r, approved_by: a}]"),
        (
            "history: [{created: x, expires: z}]",
            "history: [{created: x, expires: z}, {created: c, expires: e, reason: r, approved_by: a}]",
        ),
        (
            "history: [{created: x, expires: z}, ]",
            "history: [{created: x, expires: z}, {created: c, expires: e, reason: r, approved_by: a}, ]",
        ),
        (
            "history:\n- created: x\n  expires: z\nowner: o",
            "history:\n- created: x\n  expires: z\n- created: c\n  expires: e\n  reason: r\n  approved_by: a\nowner: o",
        ),
    ],
)
def test_every_way_to_write_a_history(history, now):
    head = "policy: p\nreason: {}\napproved_by: a\ncreated: c\nexpires: {}\n"
    before = head.format("r", "e") + history + "\n"
    old = read(before)[0]
    new = renewal(old, msgspec.structs.replace(old, reason="s", expires="f"))
    assert renewed(before, "w.yaml", 0, new) == head.format("s", "f") + now + "\n"


def test_a_ticket_is_added_where_there_was_none():
    before = "- policy: p\n  reason: r\n  created: c\n  expires: e\n"
    old = read(before)[0]
    new = renewal(old, msgspec.structs.replace(old, reason="s", ticket="T-1"))
    assert renewed(before, "w.yaml", 0, new) == (
        "- policy: p\n  reason: s\n  created: c\n  expires: e\n  ticket: T-1\n"
        "  history:\n    - created: c\n      expires: e\n      reason: r\n"
    )


def test_what_is_merged_in_stays_as_it_is_there():
    before = "- &b {policy: p, reason: r, created: c}\n- {<<: *b, expires: e}\n"
    new = renewal(read(before)[1], msgspec.structs.replace(read(before)[1], reason="s", expires="f"))
    assert renewed(before, "w.yaml", 1, new) == (
        "- &b {policy: p, reason: r, created: c}\n"
        "- {<<: *b, expires: f, reason: s, created: c, history: [{created: c, expires: e, reason: r}]}\n"
    )


def test_the_number_counts_what_is_broken_too():
    before = "- {policy: x, unknown: 1, owner: 2}\n- 3\n---\n- policy: p\n  reason: r\n  expires: e\n  created: c\n"
    (part,) = [found for found in parsed(before, "w.yaml", Waiver, "waiver") if hasattr(found, "value")]
    new = renewal(part.value, msgspec.structs.replace(part.value, reason="s"))
    assert part.number == 2
    assert "  reason: s\n" in renewed(before, "w.yaml", 2, new)


@pytest.mark.parametrize(
    "text",
    [
        "- &a {policy: p, reason: r, created: c, expires: e}\n- *a\n",
        "- {policy: p, reason: &r r, created: c, expires: e}\n- {policy: q, reason: *r}\n",
        "- {policy: q, reason: &r r}\n- {policy: p, reason: *r, created: c, expires: e}\n",
    ],
)
def test_what_is_written_once_for_several_is_left_to_people(text):
    values = read(text)
    number = next(n for n, each in enumerate(values) if each.policy == "p" and (each.expires or n))
    new = renewal(values[number], msgspec.structs.replace(values[number], reason="s"))
    with pytest.raises(Refused, match="its layout"):
        renewed(text, "w.yaml", number, new)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(sorted(CASES)), TEXTS, TEXTS)
def test_whatever_the_reason_is_it_is_read_again(name, reason, approver):
    before = CASES[name][0]
    number = next(part.number for part in parsed(before, "w.yaml", Waiver, "waiver") if part.value == OLD)  # type: ignore[union-attr]
    waiver = renewal(OLD, msgspec.structs.replace(OLD, reason=reason, approved_by=approver))
    try:
        assert read(renewed(before, "w.yaml", number, waiver))[number] == waiver
    except Refused:
        assert not (reason + approver).isprintable()
