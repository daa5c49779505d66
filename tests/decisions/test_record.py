import base64
import json
import os
import stat
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solon.decisions.decision import decide
from solon.decisions.masking import Scrubber
from solon.decisions.record import append, pointer, record, records, rfc3339
from solon.frameworks.policy import Evaluation, Finding, Policy, Stage
from solon.lang.values import Set
from solon.subjects.subject import Location, Subject

PLACE = Location("secret.yaml", 4)


def make(document, *messages, details=None, parent=None, stage=Stage.ENFORCE, labels=None, **fields):
    subject = Subject(
        "kubernetes.object",
        "k8s://manifests/prod/Pod/web",
        "Pod/web",
        document,
        PLACE,
        None,
        namespace="prod",
        parent=parent,
        labels=labels or {},
    )
    policy = Policy("p", "rego", "gatekeeper", PLACE, stage, lambda *_: True, lambda *_: [])
    findings = [
        Finding(
            policy,
            subject,
            m,
            stage,
            "high",
            Location("secret.yaml", 9, 5),
            path=("a/b", 0),
            details=details,
            **fields,
        )
        for m in messages
    ]
    return decide(
        Evaluation(subject, findings, 2, 1_234),
        decision_id="d-1",
        revisions={"ml": "3f9a"},
        timestamp_ns=1_772_357_400_000_000_007,
    )


def event(*arguments, **options):
    line = record(*arguments, **options)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    return json.loads(line)


def test_shape():
    assert event(
        make({"x": 1}, "no", details={"s": Set.of(["b", "a"])}), labels={"id": "i", "version": "v"}
    ) == {
        "labels": {"id": "i", "version": "v"},
        "decision_id": "d-1",
        "timestamp": "2026-03-01T09:30:00.000000007Z",
        "bundles": {"ml": {"revision": "3f9a"}},
        "path": "solon/check",
        "input": {"x": 1},
        "result": {"allow": False, "deny": ["no"], "warn": []},
        "metrics": {"timer_solon_evaluate_ns": 1234},
        "solon": {
            "outcome": "deny",
            "policies": 2,
            "posture": "closed",
            "subject": {
                "uri": "k8s://manifests/prod/Pod/web",
                "kind": "kubernetes.object",
                "name": "Pod/web",
                "namespace": "prod",
                "environment": "",
                "owner": "",
                "team": "",
                "labels": {},
                "file": "secret.yaml",
                "line": 4,
            },
            "findings": [
                {
                    "outcome": "deny",
                    "policy": "p",
                    "stage": "enforce",
                    "severity": "high",
                    "message": "no",
                    "file": "secret.yaml",
                    "line": 9,
                    "path": "/a~1b/0",
                    "details": {"s": ["a", "b"]},
                }
            ],
        },
    }


@pytest.mark.parametrize(
    "decision,posture,allow",
    [
        (make({}), "closed", True),
        (make({}, "no"), "open", False),
        (make({}, "no", stage=Stage.WARN), "closed", True),
        (make({}, "no", error=True), "closed", False),
        (make({}, "no", error=True), "open", True),
        (make({}, "no", excepted="rule"), "closed", True),
    ],
)
def test_allow_follows_the_posture_on_error(decision, posture, allow):
    assert event(decision, posture=posture)["result"]["allow"] is allow


def test_the_input_can_stay_out():
    written = event(
        make({"kind": "Secret", "data": {"k": "aHVudGVyMg=="}}, "it is hunter2"), with_input=False
    )
    assert "input" not in written
    assert written["result"]["deny"] == ["it is ***"]
    assert written["masked"] == ["/result/deny/0", "/solon/findings/0/message"]


@pytest.mark.parametrize("value", [2**70, -(2**65), "\ud800", 0.5, None])
def test_what_the_fast_encoder_refuses_is_written_too(value):
    assert event(make({"x": value}))["input"] == {"x": value}


def test_deep_documents():
    document = None
    for _ in range(400):
        document = {"a": [document]} if document is None else {"a": document}
    written = event(make({"kind": "Secret", "data": {"k": "long-enough"}, "deep": document}))
    assert written["input"]["data"] == {"k": "***"}


@pytest.mark.parametrize(
    "time_ns,text",
    [
        (0, "1970-01-01T00:00:00.000000000Z"),
        (1, "1970-01-01T00:00:00.000000001Z"),
        (1_772_357_400_999_999_999, "2026-03-01T09:30:00.999999999Z"),
    ],
)
def test_rfc3339(time_ns, text):
    assert rfc3339(time_ns) == text


@pytest.mark.parametrize("path,text", [((), ""), (("a", 0, "b/c", "~"), "/a/0/b~1c/~0"), (("",), "/")])
def test_pointer(path, text):
    assert pointer(path) == text


class TestMasking:
    def test_secret(self):
        copy = json.dumps({"kind": "Secret", "data": {"password": "aHVudGVyMg=="}})
        document = {
            "kind": "Secret",
            "metadata": {
                "name": "db",
                "annotations": {"kubectl.kubernetes.io/last-applied-configuration": copy, "a": "b"},
            },
            "data": {"password": "aHVudGVyMg==", "a/b": "eA=="},
            "stringData": {"token": "s3cr3t-token"},
        }
        before = json.dumps(document)
        written = event(make(document, "password is hunter2", "token s3cr3t-token!"))
        assert written["input"] == {
            "kind": "Secret",
            "metadata": {
                "name": "db",
                "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "***", "a": "b"},
            },
            "data": {"password": "***", "a/b": "***"},
            "stringData": {"token": "***"},
        }
        assert written["result"]["deny"] == ["password is ***", "token ***!"]
        assert written["masked"][:4] == [
            "/input/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration",
            "/input/data/password",
            "/input/data/a~1b",
            "/input/stringData/token",
        ]
        assert json.dumps(document) == before

    def test_secret_in_an_admission_review(self):
        written = event(make({"request": {"object": {"kind": "Secret", "data": {"k": "dmFsdWU="}}}}))
        assert written["masked"] == ["/input/request/object/data/k"]

    def test_resource_change(self):
        change = {
            "address": "aws_db_instance.main",
            "change": {
                "before": {"password": "old-password", "port": 5432},
                "after": {
                    "password": "new-password",
                    "port": 5432,
                    "blocks": [{"key": "block-key"}, {"key": "public"}],
                },
                "before_sensitive": {"password": True},
                "after_sensitive": {"password": True, "blocks": [{"key": True}, {}], "absent": True},
            },
        }
        written = event(make(change))
        assert written["input"]["change"]["after"] == {
            "password": "***",
            "port": 5432,
            "blocks": [{"key": "***"}, {"key": "public"}],
        }
        assert written["input"]["change"]["before"] == {"password": "***", "port": 5432}

    @pytest.mark.parametrize(
        "plan,where",
        [
            (
                {"change": {"after": {"a": {"b": "the-secret"}}, "after_sensitive": True}},
                "/input/change/after/a/b",
            ),
            ({"values": {"a": ["the-secret"]}, "sensitive_values": {"a": [True]}}, "/input/values/a/0"),
            ({"outputs": {"o": {"sensitive": True, "value": "the-secret"}}}, "/input/outputs/o/value"),
            (
                {
                    "variables": {"v": {"value": "the-secret"}, "w": {"value": "shown"}},
                    "configuration": {"root_module": {"variables": {"v": {"sensitive": True}, "w": {}}}},
                },
                "/input/variables/v/value",
            ),
        ],
    )
    def test_plan(self, plan, where):
        written = event(make(plan))
        assert written["masked"] == [where]
        assert "the-secret" not in json.dumps(written)

    def test_a_secret_is_masked_wherever_it_turns_up_again(self):
        document = {
            "change": {"after": {"p": "the-secret"}, "after_sensitive": {"p": True}},
            "user_data": "x=the-secret;",
            "n": 1,
        }
        written = event(
            make(document, "bad the-secret", details={"seen": ["the-secret"]}, labels={"t": "the-secret"})
        )
        assert written["input"]["user_data"] == "x=***;"
        assert set(written["masked"]) == {
            "/input/change/after/p",
            "/input/user_data",
            "/result/deny/0",
            "/solon/findings/0/message",
            "/solon/findings/0/details/seen/0",
            "/solon/subject/labels/t",
        }

    def test_a_resource_shows_no_secret_of_its_plan(self):
        plan = {
            "variables": {"v": {"value": "the-secret"}},
            "configuration": {"root_module": {"variables": {"v": {"sensitive": True}}}},
        }
        part, other = make({}, "the-secret", parent=plan), make({}, "the-secret")
        lines = list(records([part, make({}, parent=plan), part, other], path="p"))
        assert [b"the-secret" in line for line in lines] == [False, False, False, True]
        assert json.loads(lines[0])["path"] == "p"

    @pytest.mark.parametrize(
        "document",
        [
            {"kind": "Secret", "data": "not-an-object"},
            {"kind": "Secret", "data": None},
            {"kind": "Secret"},
            {"kind": "Secret", "metadata": "x", "data": ["listed"]},
            {"after": [1], "after_sensitive": {"x": True}},
            {"after": {"x": 1}, "after_sensitive": [True]},
            {"values": "x", "sensitive_values": {}},
            {"configuration": {"root_module": {"variables": []}}, "variables": 3},
            {"configuration": {"root_module": {"variables": {"v": 1}}}},
            [],
            "text",
            None,
        ],
    )
    def test_odd_documents(self, document):
        text = record(make(document)).decode()
        assert "not-an-object" not in text
        assert "listed" not in text

    def test_what_is_not_secret_stays(self):
        document = {"kind": "ConfigMap", "data": {"k": "value"}, "sensitive": False, "value": "shown"}
        written = event(make(document))
        assert written["input"] == document
        assert "masked" not in written


# A capital Q and a snowman: nothing else in an event looks like it.
SECRETS = st.text(st.characters(), min_size=3, max_size=12).map(lambda text: f"Q☃{text}Q☃")
NESTED = st.recursive(
    SECRETS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)
PLACES = [
    lambda s: {"kind": "Secret", "stringData": {"k": s}},
    lambda s: {"items": [{"kind": "Secret", "data": {"k": s}}]},
    lambda s: {"change": {"after": {"a": {"b": s}}, "after_sensitive": {"a": {"b": True}}}},
    lambda s: {"change": {"before": [s], "before_sensitive": [True]}},
    lambda s: {"values": {"p": s}, "sensitive_values": {"p": True}},
    lambda s: {"outputs": {"o": {"value": s, "sensitive": True}}},
]


def leaves(value):
    if isinstance(value, str):
        return [value]
    return [leaf for item in (value.values() if isinstance(value, dict) else value) for leaf in leaves(item)]


@given(st.sampled_from(PLACES), NESTED, st.booleans())
def test_masked_values_never_occur_in_the_bytes(place, secret, with_input):
    messages = [f"it is {leaf}, really" for leaf in leaves(secret)]
    document = place(secret) | {"copy": messages}
    line = record(make(document, *messages, details={"all": secret}), with_input=with_input)
    assert "Q☃".encode() not in line
    assert "Q\\u2603" not in line.decode()
    if leaves(secret):
        assert json.loads(line)["masked"]


@given(st.binary(min_size=6, max_size=40).filter(lambda data: b"\n" not in data))
def test_a_policy_that_decodes_a_secret_does_not_leak_it(data):
    plain = "Q☃" + data.hex()
    document = {"kind": "Secret", "data": {"k": base64.b64encode(plain.encode()).decode()}}
    assert data.hex().encode() not in record(make(document, f"decoded: {plain}"))


class TestAppend:
    def test_only_its_owner_may_read_it(self, tmp_path):
        file = tmp_path / "decisions.jsonl"
        append(file, [b"1\n"])
        append(file, [b"2\n", b"3\n"])
        assert file.read_bytes() == b"1\n2\n3\n"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600

    def test_a_torn_line_spoils_no_other(self, tmp_path):
        file = tmp_path / "decisions.jsonl"
        file.write_bytes(b'{"torn":')
        append(file, [b"{}\n"])
        assert file.read_bytes() == b'{"torn":\n{}\n'

    def test_nothing_to_write(self, tmp_path):
        append(tmp_path / "decisions.jsonl", [])
        assert (tmp_path / "decisions.jsonl").read_bytes() == b""

    @pytest.mark.parametrize(
        "make_path,error",
        [
            (lambda folder: folder, IsADirectoryError),
            (lambda folder: folder / "absent" / "log", FileNotFoundError),
        ],
    )
    def test_errors_name_the_file(self, tmp_path, make_path, error):
        path = make_path(tmp_path)
        with pytest.raises(error) as raised:
            append(path, [b"1\n"])
        assert os.fspath(path) in str(raised.value)

    def test_a_full_disk_is_an_error(self):
        if not os.path.exists("/dev/full"):
            pytest.skip("no /dev/full on this system")
        with pytest.raises(OSError, match=r"No space.*/dev/full"):
            append("/dev/full", [b"1\n"])

    def test_writers_do_not_tear_each_others_lines(self, tmp_path):
        file = tmp_path / "decisions.jsonl"
        lines = [bytes([65 + n]) * 3000 + b"\n" for n in range(8)]
        writers = [threading.Thread(target=append, args=(file, [line] * 500)) for line in lines]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        written = file.read_bytes().splitlines(keepends=True)
        assert sorted(set(written)) == lines
        assert len(written) == 4000


@given(st.lists(st.text("abX", min_size=5, max_size=9), min_size=1, max_size=6), st.text("abX", max_size=60))
def test_scrubbing_leaves_none_of_the_secrets(secrets, text):
    assert not [secret for secret in secrets if secret in Scrubber(secrets)(text, "")]


@pytest.mark.parametrize(
    "secrets,value,clean,pointers",
    [
        ([], "text", "text", []),
        (["secret"], "a secret, secretly", "a ***, ***ly", ["/p"]),
        (["secret", "secret-2"], "secret-2 secret-1", "*** ***-1", ["/p"]),
        (
            ["12345"],
            {"n": 12345, "m": 123456, "t": "x12345"},
            {"n": "***", "m": 123456, "t": "x***"},
            ["/p/n", "/p/t"],
        ),
        (
            ["secret"],
            {"secret": [True, None, 1.5, "secret"]},
            {"secret": [True, None, 1.5, "***"]},
            ["/p/secret/3"],
        ),
    ],
)
def test_scrubbing(secrets, value, clean, pointers):
    scrubber = Scrubber(secrets)
    assert scrubber(value, "/p") == clean
    assert scrubber.pointers == pointers
