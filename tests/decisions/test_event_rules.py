"""Masking and dropping: as OPA does, but that nothing is lost when a policy fails."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from log_receiver import LogReceiver, needs_opa, uploading_opa

from solon.decisions import event_rules
from solon.decisions.event_rules import EventRules, RulesError

DOCUMENT = {
    "user": "ana",
    "password": "hunter2",
    "roles": ["a", "b", "c"],
    "grid": [[1, 2], [3, 4]],
    "people": [{"name": "x", "key": "k1"}, {"name": "y", "key": "k2"}],
    "deep": {"er": {"est": True}},
    "text": "scalar",
    "none": None,
    "a-b_c.d~e": 1,
    "x=1&y:2@z+$": 2,
}

# rules, and what OPA makes of them: (what is erased, what is masked)
CASES: list[tuple[str, list[Any]]] = [
    ("a field", ["/input/doc/password"]),
    ("several, in the order of the set", ["/input/doc/user", "/input/doc/password"]),
    ("what is not there", ["/input/doc/missing", "/input/nothing/at/all"]),
    ("all of the result", ["/result"]),
    ("in the result", ["/result/password", "/result/deep/er"]),
    ("an element", ["/input/doc/roles/1"]),
    ("the first and last element", ["/input/doc/roles/0", "/input/doc/roles/2"]),
    ("behind the end", ["/input/doc/roles/3"]),
    ("no index", ["/input/doc/roles/x", "/input/doc/roles/-1", "/input/doc/roles/1.0"]),
    ("below an element", ["/input/doc/people/0/key", "/input/doc/people/1/key"]),
    ("an element of an element", ["/input/doc/grid/1/0"]),
    ("below a scalar", ["/input/doc/text/more", "/input/doc/none/more"]),
    ("null", ["/input/doc/none"]),
    ("characters that a URL leaves", ["/input/doc/a-b_c.d~e", "/input/doc/x=1&y:2@z+$"]),
    ("cache that is not there", ["/nd_builtin_cache", "/nd_builtin_cache/time.now_ns"]),
    ("trailing slash", ["/input/doc/deep/"]),
    ("remove, as an object", [{"op": "remove", "path": "/input/doc/password"}]),
    ("remove does not look at a value", [{"op": "remove", "path": "/input/doc/user", "value": 1}]),
    ("upsert", [{"op": "upsert", "path": "/input/doc/password", "value": "***"}]),
    ("upsert what is not there", [{"op": "upsert", "path": "/input/doc/new", "value": [1, {"a": None}]}]),
    ("upsert makes objects", [{"op": "upsert", "path": "/input/doc/p/q/r", "value": 1}]),
    ("upsert an element", [{"op": "upsert", "path": "/input/doc/roles/1", "value": "masked"}]),
    ("upsert behind the end", [{"op": "upsert", "path": "/input/doc/roles/9", "value": "masked"}]),
    ("upsert below an element", [{"op": "upsert", "path": "/input/doc/people/1/key", "value": 0}]),
    ("upsert below a scalar", [{"op": "upsert", "path": "/input/doc/text/more", "value": 0}]),
    ("upsert without a value", [{"op": "upsert", "path": "/input/doc/password"}]),
    ("upsert all of the result", [{"op": "upsert", "path": "/result", "value": {"hidden": True}}]),
    ("upsert in the result", [{"op": "upsert", "path": "/result/user", "value": "x"}]),
    ("upsert, then remove", ["/input/doc/deep", {"op": "upsert", "path": "/input/doc/deep/er", "value": 2}]),
    ("no rule", []),
]  # fmt: skip

MASK_OF_INPUT = "package system.log\nmask contains rule if some rule in input.input.rules\n"
ECHO = "package echo\nvalue := input.doc\n"


def rules(text: str, tmp_path: Path, **options: Any) -> EventRules:
    (tmp_path / "mask").mkdir(exist_ok=True)
    (tmp_path / "mask" / "mask.rego").write_text(text)
    return event_rules.load(str(tmp_path / "mask"), **options)


def event(**changes: Any) -> bytes:
    said = {"decision_id": "d1", "timestamp": "2026-03-01T09:30:00Z", "input": {"a": 1}, "result": True}
    return json.dumps(said | changes).encode()


def visible(found: dict[str, Any]) -> dict[str, Any]:
    return {name: found[name] for name in ("input", "result", "erased", "masked") if name in found}


@needs_opa
def test_masks_as_opa_does(tmp_path: Path) -> None:
    ours = rules(MASK_OF_INPUT, tmp_path)
    with (
        LogReceiver() as receiver,
        uploading_opa(receiver.url, {"echo.rego": ECHO, "mask.rego": MASK_OF_INPUT}) as opa,
    ):
        asked = {}
        for name, said in CASES:
            given = {"doc": DOCUMENT, "rules": said, "name": name}
            asked[opa.ask("echo/value", given)["decision_id"]] = name, given
        uploaded = receiver.wait(lambda events: len(events) >= len(CASES))
    assert {each["decision_id"] for each in uploaded} == asked.keys()
    for theirs in uploaded:
        name, given = asked[theirs["decision_id"]]
        mine = ours.rewrite(event(input=given, result=DOCUMENT))
        assert mine is not None
        assert visible(json.loads(mine)) == visible(theirs), name


@needs_opa
def test_drops_as_opa_does(tmp_path: Path) -> None:
    drop = "package system.log\ndrop := input.input.drop\n"
    ours = rules(drop, tmp_path)
    with (
        LogReceiver() as receiver,
        uploading_opa(receiver.url, {"echo.rego": ECHO, "drop.rego": drop}) as opa,
    ):
        for value in (True, False, "true", 1, None, [True]):
            given = {"doc": 1, "drop": value}
            opa.ask("echo/value", given)
            kept = ours.rewrite(event(input=given))
            assert (kept is None) == (value is True)
        opa.ask("echo/value", {"doc": "last"})
        theirs = receiver.wait(lambda events: any(each["input"]["doc"] == "last" for each in events))
    assert [each["input"].get("drop", "none") for each in theirs] == [False, "true", 1, None, [True], "none"]


# What OPA skips without a word, so that the secret stays: here it goes.
@pytest.mark.parametrize(
    ("path", "document", "kept"),
    [
        ("/input/api key", {"api key": "s", "b": 1}, {"b": 1}),
        ("/input/caf\u00e9", {"caf\u00e9": "s"}, {}),
        ("/input/a~1b", {"a/b": "s"}, {}),
        ("/input/0", ["s", "t"], ["t"]),
    ],
)
def test_what_is_named_is_hidden_although_opa_would_not(
    tmp_path: Path, path: str, document: Any, kept: Any
) -> None:
    found = rules(f"package system.log\nmask contains {json.dumps(path)}\n", tmp_path).rewrite(
        event(input=document)
    )
    assert found is not None
    assert json.loads(found)["input"] == kept


def test_what_no_rule_changes_keeps_its_bytes(tmp_path: Path) -> None:
    line = b'{"decision_id": "d1",  "timestamp":"2026-03-01T09:30:00Z", "input": {"n": 1.10}, "own": [1e2]}'
    assert rules('package system.log\nmask contains "/input/missing"\n', tmp_path).rewrite(line) == line


def test_what_opa_masked_already_stays_named(tmp_path: Path) -> None:
    found = rules('package system.log\nmask contains "/input/a"\n', tmp_path).rewrite(
        event(erased=["/input/b"])
    )
    assert found is not None
    assert json.loads(found)["erased"] == ["/input/b", "/input/a"]


@pytest.mark.parametrize(
    "policy",
    [
        'package system.log\nmask contains "no slash"\n',
        'package system.log\nmask contains "/labels/id"\n',
        'package system.log\nmask contains "/input/100%"\n',
        'package system.log\nmask contains {"op": "replace", "path": "/input/a"}\n',
        'package system.log\nmask contains {"path": "/input/a"}\n',
        'package system.log\nmask contains {"op": "remove"}\n',
        'package system.log\nmask contains {"op": ["remove"], "path": "/input/a"}\n',
        "package system.log\nmask contains 7\n",
        'package system.log\nmask := {"a": "/input/a"}\n',
        "package system.log\nmask := 1\nmask := 2 if input.input.a\n",
        "package system.log\nmask contains x if { some i in numbers.range(1, 100000000); x := i }\n",
    ],
)
def test_an_event_whose_mask_fails_is_kept_without_its_documents(tmp_path: Path, policy: str) -> None:
    said: list[str] = []
    found = rules(policy, tmp_path, warn=said.append).rewrite(
        event(result={"allow": False}, nd_builtin_cache={"x": {}}, mapped_result=1)
    )
    assert found is not None
    assert json.loads(found) == {
        "decision_id": "d1",
        "timestamp": "2026-03-01T09:30:00Z",
        "erased": ["/input", "/result", "/nd_builtin_cache", "/mapped_result"],
        "solon": {"masking": "data.system.log.mask failed", "outcome": "deny"},
    }
    assert len(said) == 1


def test_what_a_failing_policy_says_of_the_document_is_not_repeated(tmp_path: Path) -> None:
    said: list[str] = []
    policy = 'package system.log\nmask := input.input.secret\nmask := "other" if input.input.secret\n'
    rules(policy, tmp_path, warn=said.append).rewrite(event(input={"secret": "hunter2"}))
    assert said
    assert "hunter2" not in "".join(said)


def test_a_drop_that_fails_drops_nothing(tmp_path: Path) -> None:
    policy = "package system.log\ndrop := true if input.input.a\ndrop := false if input.input.a\n"
    assert rules(policy, tmp_path).rewrite(event()) == event()


@pytest.mark.parametrize(
    ("given", "kept", "masked"),
    [
        (
            {"request": {"object": {"kind": "Secret", "data": {"p": "aHVudGVyMg=="}}}},
            {"request": {"object": {"kind": "Secret", "data": {"p": "***"}}}},
            ["/input/request/object/data/p", "/result"],
        ),
        (
            {"after": {"password": "hunter2", "n": 1}, "after_sensitive": {"password": True}},
            {"after": {"password": "***", "n": 1}, "after_sensitive": {"password": True}},
            ["/input/after/password", "/result"],
        ),
    ],
)
def test_secrets_are_masked_where_they_stand_and_where_they_turn_up(
    given: Any, kept: Any, masked: list[str]
) -> None:
    found = EventRules().rewrite(event(input=given, result="hunter2 is bad"))
    assert found is not None
    said = json.loads(found)
    assert (said["input"], said["result"], said["masked"]) == (kept, "*** is bad", masked)


def test_secrets_stay_where_that_is_said() -> None:
    line = event(input={"kind": "Secret", "data": {"p": "aHVudGVyMg=="}})
    assert EventRules(secrets=False).rewrite(line) == line


@pytest.mark.parametrize("line", [b"", b"[]", b'"x"', b"{", b'{"a":NaN}', b'{"a":"\xff"}', b'{"a":' * 5000])
def test_what_is_no_object_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match="is no JSON"):
        EventRules().rewrite(line)


def test_policies_without_either_rule_are_refused(tmp_path: Path) -> None:
    with pytest.raises(
        RulesError, match=r"defines neither data\.system\.log\.mask nor data\.system\.log\.drop"
    ):
        rules("package main\ndeny := true\n", tmp_path)


def test_policies_that_do_not_compile_are_refused_with_their_place(tmp_path: Path) -> None:
    with pytest.raises(RulesError, match=r"mask\.rego:2:"):
        rules("package system.log\nmask contains nowhere\n", tmp_path)


def test_data_beside_the_policies_is_theirs(tmp_path: Path) -> None:
    (tmp_path / "mask").mkdir()
    (tmp_path / "mask" / "data.json").write_text('{"hidden": ["/input/a"]}')
    found = rules("package system.log\nmask := data.hidden\n", tmp_path).rewrite(event())
    assert found is not None
    assert json.loads(found)["erased"] == ["/input/a"]


def test_time_is_there_for_policies_that_ask(tmp_path: Path) -> None:
    policy = (
        "package system.log\ndrop if time.parse_rfc3339_ns(input.timestamp) < time.now_ns() - 1000000000\n"
    )
    assert rules(policy, tmp_path).rewrite(event()) is None
    late = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
    assert rules(policy, tmp_path).rewrite(event(timestamp=late)) is not None
