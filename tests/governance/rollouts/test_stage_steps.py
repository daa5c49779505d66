from __future__ import annotations

import difflib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solon.frameworks.policy import Stage
from solon.governance.rollouts.rollout import Rollout, Step
from solon.governance.rollouts.steps import Change, Refused, changed
from solon.subjects.files import Part, parsed

STEP = Step(Stage.ENFORCE, "2026-12-01")
URGENT = Step(Stage.ENFORCE, "2026-11-21T10:00:00Z", emergency='worm: "x"', approved_by="@ciso")

FLOW_ITEMS = """# who is told first
policy: main.deny   # one
scopes:
  - name: canary
    stages:
      - {stage: warn, from: 2026-11-02}   # announced
      # after the freeze
  - name: café
    stages:
      -   {stage: warn, from: '2026-11-02'}
      # nobody reads this

      - {stage: audit, from: '2026-11-20'}

# the end
"""
BLOCK_ITEMS = """policy: main.deny
scopes:
- name: canary
  stages:
  - stage: warn
    from: "2026-11-02"
    exit:
      days: 3
      # a comment\tthat belongs to the step
  # one that does not
- name: fleet
  where: {team: a}
  stages:
  -  from: 2026-11-02
     stage: warn
  -
     stage: audit
     from: 2026-11-20"""
ONE_LINE = """- policy: main.deny
  scopes:
    - {name: canary, stages: [{stage: warn, from: 2026-11-02}]}   # so short
    - name: fleet
      stages: [{stage: warn, from: 2026-11-02}, {stage: audit, from: 2026-11-20}]
- policy: other
  scopes: []
"""
MANY_LINES = """policy: main.deny
scopes:
  - name: canary
    stages: [
      {stage: warn, from: 2026-11-02},  # one, two
    ]
  - name: fleet
    stages: [
      {stage: warn, from: 2026-11-02},
      {stage: audit, from: 2026-11-20}   # the last
    ]
"""
LAST_BRACKET = """policy: main.deny
scopes:
  - name: canary
    stages: [{stage: warn,
              from: 2026-11-02}]
  - name: fleet
    stages: [
      {stage: warn, from: 2026-11-02},
      {stage: audit, from: 2026-11-20}]
"""
JSON = """{
  "policy": "main.deny",
  "scopes": [
    {"name": "canary", "stages": [{"stage": "warn", "from": "2026-11-02"}]},
    {"name": "fleet", "stages": [
      {"stage": "warn", "from": "2026-11-02"},
      {"stage": "audit", "from": "2026-11-20"}
    ]}
  ]
}
"""
DOCUMENTS = """# first
---
policy: other
---
# nothing here
---
policy: main.deny
scopes:
  - name: canary
    stages:
      - {stage: warn, from: 2026-11-02}
  - name: fleet
    stages:
      - {stage: warn, from: 2026-11-02}
      - stage: audit
        from: 2026-11-20
        emergency: |
          it was
          late

---
policy: third
"""
TEXTS = {
    "flow_items": (FLOW_ITEMS, 0),
    "block_items": (BLOCK_ITEMS, 0),
    "one_line": (ONE_LINE, 0),
    "many_lines": (MANY_LINES, 0),
    "last_bracket": (LAST_BRACKET, 0),
    "json": (JSON, 0),
    "documents": (DOCUMENTS, 1),
}
CHANGES = {
    "append": lambda part: Change(part, 0, 1, STEP),
    "append with a comment": lambda part: Change(part, 1, 2, URGENT, "because: of # this"),
    "in place of the last": lambda part: Change(part, 1, 1, STEP, "no: why"),
    "in place of all": lambda part: Change(part, 1, 0, STEP),
}


def diff(before: str, after: str) -> str:
    lines = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), "before", "after", n=2
    )
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline\n" for line in lines)


@pytest.mark.parametrize("name", TEXTS)
def test_as_little_as_can_be_is_changed(name: str, golden: Callable[[str, str], None]) -> None:
    text, part = TEXTS[name]
    shown = [f"# {what}\n{diff(text, changed(text, 'r.yaml', of(part)))}" for what, of in CHANGES.items()]
    golden(f"steps_{name}.diff", "\n".join(shown))


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("what", CHANGES)
def test_line_ends_stay_as_they_are(name: str, what: str) -> None:
    text, part = TEXTS[name]
    change = CHANGES[what](part)
    dos = changed(text.replace("\n", "\r\n"), "r.yaml", change)
    assert dos == changed(text, "r.yaml", change).replace("\n", "\r\n")


@pytest.mark.parametrize(
    "text",
    [
        # The same steps are those of two scopes: a change of one would be a change of both.
        (
            "policy: a\nscopes:\n  - name: canary\n    stages: &s\n      - {stage: warn, from: 2026-11-02}\n"
            "  - name: fleet\n    stages: *s\n"
        ),
        (
            "policy: a\nscopes:\n  - &c\n    name: canary\n    stages: [{stage: warn, from: 2026-11-02}]\n"
            "  - <<: *c\n    name: fleet\n"
        ),
        (
            "policy: a\nscopes:\n  - name: canary\n    stages:\n      - &w\n        stage: warn\n        from: 2026-11-02\n"
            "  - name: fleet\n    stages: [*w]\n"
        ),
    ],
)
def test_what_cannot_be_changed_safely_is_refused(text: str) -> None:
    with pytest.raises(Refused) as refused:
        changed(text, "r.yaml", Change(0, 0, 0, STEP))
    assert refused.value.by_hand == "- {stage: enforce, from: 2026-12-01}"


def stages(text: str, part: int, scope: int) -> list[Step]:
    found = list(parsed(text, "r.yaml", Rollout, "rollout"))[part]
    assert isinstance(found, Part)
    return found.value.scopes[scope].stages


def test_broken_neighbours_are_left_alone() -> None:
    text = "policy: [\n---\npolicy: a\nscopes: [{name: x, stages: [{stage: warn, from: 2026-11-02}]}]\n---\nnope: 1\n"
    after = changed(text, "r.yaml", Change(1, 0, 1, STEP))
    assert after == text.replace("}]}]", "}, {stage: enforce, from: 2026-12-01}]}]")


# --- any layout

names = st.sampled_from(["canary", "fleet", "größe", "a b", "#1", "no", "x: y", "日本"])
dates = st.integers(1, 28).map(lambda day: f"2026-10-{day:02}")
texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
quotes = st.sampled_from(["", "'", '"'])
notes = st.sampled_from(["", "  # why", " # a\tb", " #"])


@st.composite
def written_steps(draw: st.DrawFn, margin: str) -> str:
    """`stages:` and what is below it, in one of the ways that people write it."""
    count = draw(st.integers(1, 4))
    quote = draw(quotes)
    lead = draw(st.sampled_from(["- ", "-   "]))
    pairs = [
        [("stage", draw(st.sampled_from(list(Stage))).value), ("from", f"{quote}{draw(dates)}{quote}")]
        for _ in range(count)
    ]
    flow = ["{" + ", ".join(f"{k}: {v}" for k, v in each) + "}" for each in pairs]
    style = draw(st.sampled_from(["flow items", "block items", "one line", "many lines", "trailing comma"]))
    if style == "one line":
        return f"stages: [{', '.join(flow)}]{draw(notes)}\n"
    if style in ("many lines", "trailing comma"):
        comma = "," if style == "trailing comma" else ""
        body = "".join(
            f"{margin}  {item}{',' if n < count - 1 else comma}{draw(notes)}\n" for n, item in enumerate(flow)
        )
        return f"stages: [{draw(notes)}\n{body}{margin}]\n"
    dash = margin + draw(st.sampled_from(["", "  "]))
    out = f"stages:{draw(notes)}\n"
    for item, each in zip(flow, pairs, strict=True):
        out += draw(st.sampled_from(["", f"{dash}# above\n", "\n", f"{dash}   # further in\n"]))
        if style == "flow items":
            out += f"{dash}{lead}{item}{draw(notes)}\n"
        else:
            inner = " " * len(lead)
            out += "".join(
                f"{dash}{lead if n == 0 else inner}{k}: {v}{draw(notes)}\n" for n, (k, v) in enumerate(each)
            )
    return out


@st.composite
def written_rollouts(draw: st.DrawFn) -> tuple[str, Change, int]:
    """A file, a change that may be asked for, and the number of steps of its scope."""
    scopes = draw(st.lists(names, min_size=1, max_size=3, unique=True))
    text = draw(st.sampled_from(["", "# head\n", "---\n", "policy: other\n---\n", "# head\n---\n"]))
    part = 1 if text.startswith("policy") else 0
    text += "policy: main.deny\nscopes:\n"
    for name in scopes:
        text += f"  - name: {name!r}\n    {draw(written_steps('    '))}"
        text += draw(st.sampled_from(["", "\n", "  # between\n", "    owner-comment: 1\n"])).replace(
            "    owner-comment: 1\n", "    where: {team: a}\n"
        )
    text += draw(st.sampled_from(["", "owner: me\n", "---\npolicy: third\n", "...\n"]))
    if draw(st.booleans()):
        text = text.rstrip("\n")
    if draw(st.booleans()):
        text = text.replace("\n", "\r\n")
    scope = draw(st.integers(0, len(scopes) - 1))
    count = len(stages(text, part, scope))
    step = Step(
        draw(st.sampled_from(list(Stage))),
        draw(dates),
        emergency=draw(st.none() | texts),
        approved_by=draw(st.none() | texts),
    )
    comment = draw(st.just("") | texts.map(lambda text: f"because {text}"))
    return text, Change(part, scope, draw(st.integers(0, count)), step, comment), count


@settings(max_examples=200)
@given(written_rollouts())
def test_whatever_the_layout_the_value_is_the_wanted_one(case: tuple[str, Change, int]) -> None:
    text, change, count = case
    before = [part.value for part in parsed(text, "r.yaml", Rollout, "rollout") if isinstance(part, Part)]
    after = changed(text, "r.yaml", change)
    found = list(parsed(after, "r.yaml", Rollout, "rollout"))
    assert [isinstance(part, Part) for part in found] == [True] * len(before)
    new = stages(after, change.part, change.scope)
    assert new == [*before[change.part].scopes[change.scope].stages[: change.keep], change.step]
    # Everything else is there, in its order: lines only come, where none gives way.
    if change.keep == count:
        kept = [line for line in text.splitlines() if "]" not in line and "{stage" not in line]
        remaining = iter(after.splitlines())
        assert all(line in remaining for line in kept)
    assert ("\r\n" in after) == ("\r\n" in text) or "\n" not in text
    assert not change.comment or change.comment in after


def test_the_golden_files_are_all_used() -> None:
    folder = Path(__file__).parent / "golden"
    assert {p.name for p in folder.glob("steps_*.diff")} == {f"steps_{name}.diff" for name in TEXTS}
