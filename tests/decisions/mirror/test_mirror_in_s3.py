"""The command, against moto's S3: object lock, versions, errors, and what readers of Delta see."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from decision_logs import KEY, around
from object_store import ENVIRONMENT, Fault, ObjectStore

import solon as solon_package
from solon.decisions.log import erasure, settings
from solon.decisions.log.errors import LogError
from solon.decisions.log.leaf import Entry, Kind
from solon.decisions.log.store import Log
from solon.decisions.mirror.address import Address, parse
from solon.decisions.mirror.objects import Taken
from solon.decisions.mirror.s3 import S3
from solon.decisions.warehouse import compaction

READER = Path(__file__).parents[2] / "support/delta_reader.py"
SOURCE = Path(solon_package.__file__).parents[1]
DAY_NS = 86_400_000_000_000


@pytest.fixture(scope="module")
def store() -> Iterator[ObjectStore]:
    with ObjectStore() as found:
        yield found


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, store: ObjectStore) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    store.faults.clear()


_NUMBERS = iter(range(1_000_000))


@pytest.fixture
def bucket(store: ObjectStore) -> str:
    name = f"logs-{next(_NUMBERS)}"
    store.client().create_bucket(Bucket=name)
    return name


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    settings.create(str(tmp_path / "log"), KEY)
    with Log(str(tmp_path / "log"), around()) as found:
        yield found


def grown(log: Log, first: int, end: int) -> None:
    day = 1_772_357_400_000_000_000
    log.append(
        [
            Entry(
                Kind.DECISION,
                f"id-{n}",
                day + n % 3 * DAY_NS + 1_000,
                json.dumps(
                    {
                        "decision_id": f"id-{n}",
                        "timestamp": f"2026-03-0{1 + n % 3}T09:30:00.000001Z",
                        "result": False,
                        "labels": {"id": f"opa-{n % 2}"},
                        "input": f"secret-{n}-",
                    }
                ).encode(),
                "deny",
            )
            for n in range(first, end)
        ]
    )
    log.integrate()
    compaction.compact(log, open_segments=True)


def erased(log: Log, name: str) -> None:
    erasure.erase(log, log.find(name), reason="asked for", by="ana")
    log.integrate()
    compaction.compact(log, open_segments=True)


@pytest.fixture
def mirror(solon: Callable[..., Any], store: ObjectStore, log: Log) -> Callable[..., Any]:
    def run(to: str, *options: str) -> Any:
        return solon("log", "mirror", to, "--log", log.directory, "--endpoint-url", store.url, *options)

    return run


def contents(store: ObjectStore, bucket: str) -> dict[str, bytes]:
    """Every version of every object."""
    client = store.client()
    found = client.list_object_versions(Bucket=bucket).get("Versions", [])
    return {
        f"{each['Key']}@{each['VersionId']}": client.get_object(
            Bucket=bucket, Key=each["Key"], VersionId=each["VersionId"]
        )["Body"].read()
        for each in found
    }


def keys(store: ObjectStore, bucket: str) -> list[str]:
    return [each["Key"] for each in store.client().list_objects_v2(Bucket=bucket).get("Contents", [])]


def asked(store: ObjectStore, url: str, *queries: str) -> Any:
    """What deltalake says, in another process: it holds the interpreter while it waits for the store."""
    done = subprocess.run(
        [sys.executable, str(READER), url, store.url, *queries],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(READER.parent)},
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


# --- the command


def test_a_mirror_is_made_and_kept_up_to_date(
    log: Log, bucket: str, store: ObjectStore, mirror: Callable[..., Any]
) -> None:
    grown(log, 0, 30)
    found = mirror(f"s3://{bucket}/eu/platform")
    assert (found.status, found.err) == (0, "")
    assert f"s3://{bucket}/eu/platform: 30 signed entries; " in found.out
    assert "eu/platform/cold/manifest.json" in keys(store, bucket)
    assert all(key.startswith("eu/platform/") for key in keys(store, bucket))
    assert (
        f"s3://{bucket}/eu/platform: 30 signed entries; 1 object written"
        in mirror(f"s3://{bucket}/eu/platform/").out
    )
    log.append([Entry(Kind.DECISION, "late", 1, b'{"decision_id":"late"}')])
    said = mirror(f"s3://{bucket}/eu/platform", "--format", "json")
    assert json.loads(said.out) | {"uploaded": 0, "bytes": 0} == {
        "schema": "solon.log-mirrored/v1",
        "log": "log.example/test",
        "mirror": f"s3://{bucket}/eu/platform",
        "entries": 30,
        "unsigned": 1,
        "uploaded": 0,
        "bytes": 0,
        "removed": 0,
        "locked": 0,
        "held": [],
        "delta_version": None,
    }
    assert said.err == "solon: 1 entry is in no checkpoint yet: `solon log checkpoint` signs\n"


def test_status_says_how_far_a_mirror_is(
    log: Log, bucket: str, store: ObjectStore, mirror: Callable[..., Any], solon: Callable[..., Any]
) -> None:
    def status() -> str:
        return str(solon("log", "status", "--log", log.directory).out).splitlines()[-1]

    grown(log, 0, 30)
    mirror(f"s3://{bucket}/l")
    assert re.fullmatch(rf"  mirror s3://{bucket}/l: has everything · as of 20\S+Z", status())
    grown(log, 30, 40)
    store.faults.append(Fault(lambda method, path: method == "PUT", 403, "AccessDenied"))
    mirror(f"s3://{bucket}/l")
    problem = rf"✗ mirror s3://{bucket}/l: 10 entries behind · as of 20\S+Z · s3://.*: AccessDenied: .* \(since 20\S+\)"
    assert re.fullmatch(problem, status())
    said = json.loads(solon("log", "status", "--log", log.directory, "--format", "json").out)["mirrors"]
    assert [(each["mirror"], each["entries"], each["behind"]) for each in said] == [
        (f"s3://{bucket}/l", 30, 10)
    ]
    store.faults.clear()
    mirror(f"s3://{bucket}/l")
    assert "has everything" in status()


def test_a_whole_bucket_may_be_the_mirror(
    log: Log, bucket: str, store: ObjectStore, mirror: Callable[..., Any]
) -> None:
    grown(log, 0, 3)
    assert mirror(f"s3://{bucket}").status == 0
    assert "mirror.json" in keys(store, bucket)


def test_objects_carry_the_checksum_that_s3_verified(
    log: Log, bucket: str, store: ObjectStore, mirror: Callable[..., Any]
) -> None:
    grown(log, 0, 3)
    mirror(f"s3://{bucket}/l")
    state = json.loads(store.client().get_object(Bucket=bucket, Key="l/mirror.json")["Body"].read())
    objects = S3(Address(bucket, "l/"), store.url)
    assert len(state["files"]) > 3
    assert {path: objects.digest(path) for path in state["files"]} == {
        path: file["sha256"] for path, file in state["files"].items()
    }


# --- erasing, versions and locks


@pytest.mark.parametrize("versioned", [False, True])
def test_an_erased_payload_is_in_no_version_any_more(
    log: Log, bucket: str, store: ObjectStore, mirror: Callable[..., Any], versioned: bool
) -> None:
    if versioned:
        store.client().put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    grown(log, 0, 30)
    mirror(f"s3://{bucket}/l", "--delta")
    assert any(b"secret-7-" in data for data in contents(store, bucket).values())
    erased(log, "id-7")
    found = mirror(f"s3://{bucket}/l")
    assert (found.status, found.err) == (0, "")
    assert not [key for key, data in contents(store, bucket).items() if b"secret-7-" in data]
    assert not store.client().list_object_versions(Bucket=bucket).get("DeleteMarkers")


def test_object_lock_holds_checkpoints_and_what_it_holds_besides_is_said(
    log: Log, store: ObjectStore, mirror: Callable[..., Any]
) -> None:
    client, bucket = store.client(), f"logs-{next(_NUMBERS)}"
    client.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
    grown(log, 0, 30)
    found = mirror(f"s3://{bucket}/l", "--object-lock", "30")
    assert "2 of them locked" in found.out
    head = client.head_object(Bucket=bucket, Key="l/checkpoints/meta/00000000000000000001")
    assert head["ObjectLockMode"] == "COMPLIANCE"
    left = head["ObjectLockRetainUntilDate"] - datetime.now(UTC)
    assert timedelta(days=29) < left <= timedelta(days=30)
    path = "l/shards/0001/segments/00000000000000000000.seg"
    client.put_object_retention(
        Bucket=bucket, Key=path, Retention={"Mode": "GOVERNANCE", "RetainUntilDate": "2199-01-01T00:00:00Z"}
    )
    erased(log, "id-7")
    found = mirror(f"s3://{bucket}/l")
    assert found.status == 0
    assert found.err == (
        "solon: object lock keeps 1 object that should be gone until 2199-01-01: "
        "shards/0001/segments/00000000000000000000.seg\n"
    )


def test_a_bucket_without_object_lock_is_said(bucket: str, store: ObjectStore) -> None:
    store.faults.append(
        Fault(lambda method, path: method == "PUT" and "/checkpoints/" in path, 400, "InvalidRequest")
    )
    objects = S3(parse(f"s3://{bucket}/l"), store.url)
    with pytest.raises(LogError, match=r"^s3://logs-\d+/l/checkpoints/meta/1: InvalidRequest: no way$"):
        objects.put("checkpoints/meta/1", b"x", until=datetime(2199, 1, 1, tzinfo=UTC))


# --- errors


@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        (Fault(lambda method, path: method == "PUT" and ".seg" in path, 403, "AccessDenied"),
         r"\.seg: AccessDenied: no way; it needs s3:PutObject"),
        (Fault(lambda method, path: method == "GET" and path.count("/") == 1, 403, "AccessDenied"),
         r"AccessDenied: no way; it needs s3:ListBucketVersions"),
        (Fault(lambda method, path: path.endswith("mirror.json"), 403, "SignatureDoesNotMatch"),
         r"mirror\.json: SignatureDoesNotMatch: no way; see the credentials"),
        (Fault(lambda method, path: method == "PUT" and "/tile/" in path, 500, "InternalError"),
         r"tile/.*: InternalError: no way"),
        (Fault(lambda method, path: method == "PUT" and "/cold/rows" in path, 507, ""), r"cold/rows/.*: 507: no way"),
    ],
    ids=["put", "list", "signature", "500", "no code"],
)  # fmt: skip
def test_a_store_that_says_no_is_one_line_and_the_next_run_goes_on(
    log: Log, bucket: str, store: ObjectStore, mirror: Callable[..., Any], fault: Fault, problem: str
) -> None:
    grown(log, 0, 30)
    store.faults.append(fault)
    found = mirror(f"s3://{bucket}/l")
    assert (found.status, found.out) == (2, "")
    assert re.search(problem, found.err)
    assert len(found.err.splitlines()) == 1
    assert "s3cret" not in found.err
    store.faults.clear()
    assert mirror(f"s3://{bucket}/l").status == 0


def test_a_store_that_stumbles_or_is_slow_is_tried_again(
    log: Log, bucket: str, store: ObjectStore, mirror: Callable[..., Any]
) -> None:
    grown(log, 0, 30)
    store.faults += [
        Fault(lambda method, _path: method == "PUT", 503, "SlowDown", times=2),
        Fault(lambda method, _path: method == "PUT", seconds=0.3, times=3),
    ]
    assert mirror(f"s3://{bucket}/l").status == 0


def test_a_delete_that_is_not_allowed_is_an_error(
    log: Log, bucket: str, store: ObjectStore, mirror: Callable[..., Any]
) -> None:
    grown(log, 0, 30)
    mirror(f"s3://{bucket}/l")
    erased(log, "id-7")
    store.faults.append(Fault(lambda method, _path: method == "DELETE", 403, "AccessDenied"))
    found = mirror(f"s3://{bucket}/l")
    assert found.status == 2
    assert "it needs s3:DeleteObject and s3:DeleteObjectVersion" in found.err
    store.faults.clear()
    assert mirror(f"s3://{bucket}/l").status == 0
    assert not [key for key, data in contents(store, bucket).items() if b"secret-7-" in data]


@pytest.mark.parametrize(
    ("to", "options", "problem"),
    [
        ("gs://b/p", [], "gs://b/p: a mirror is at s3://BUCKET/PREFIX"),
        ("/tmp/x", [], "a mirror is at s3://BUCKET/PREFIX"),
        ("s3://Bucket_/p", [], "a bucket has 3 to 63"),
        ("s3:///p", [], "a bucket has 3 to 63"),
        ("s3://bucket/a/../b", [], "'..' is no part of a prefix"),
        ("s3://bucket/a//b", [], "'' is no part of a prefix"),
        ("s3://bucket/a?b", [], "'a?b' is no part of a prefix"),
        ("s3://there-is-no-such-bucket/p", [], "NoSuchBucket: The specified bucket does not exist; make the bucket first"),
        ("s3://bucket/p", ["--endpoint-url", "localhost:9000"], "--endpoint-url localhost:9000: begins with https:// or http://"),
        ("s3://bucket/p", ["--endpoint-url", "http://127.0.0.1:1"], "cannot be reached while it is read: Could not connect"),
    ],
)  # fmt: skip
def test_places_that_cannot_be_used_are_one_line(
    mirror: Callable[..., Any], to: str, options: list[str], problem: str
) -> None:
    found = mirror(to, *options)
    assert (found.status, found.out) == (2, "")
    assert problem in found.err
    assert len(found.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "address", "key", "shown"),
    [
        ("s3://bucket", Address("bucket", ""), "x", "s3://bucket"),
        ("s3://bucket/", Address("bucket", ""), "x", "s3://bucket"),
        ("s3://bucket/a/b=1/", Address("bucket", "a/b=1/"), "a/b=1/x", "s3://bucket/a/b=1"),
    ],
)
def test_addresses(text: str, address: Address, key: str, shown: str) -> None:
    assert parse(text) == address
    assert address.key("x") == key
    assert str(address) == shown


def test_without_the_extra_it_is_said_how_to_get_it(
    mirror: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    found = mirror("s3://bucket/p")
    assert found.status == 2
    assert "a mirror in object storage needs boto3: pip install 'solon[lake]'" in found.err


def test_credentials_that_are_not_there_are_said(
    bucket: str, mirror: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert "Unable to locate credentials" in mirror(f"s3://{bucket}/p").err


def test_what_the_store_got_is_compared(
    bucket: str, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    objects = S3(Address(bucket, ""), store.url)
    real = objects._client.put_object

    def silent(**said: Any) -> dict[str, Any]:
        del said["ChecksumAlgorithm"], said["ChecksumSHA256"]
        real(**said | {"Body": said["Body"][:-1]})
        return {}

    monkeypatch.setattr(objects._client, "put_object", silent)
    with pytest.raises(LogError, match=r"x: is not what was sent: the store says SHA-256"):
        objects.put("x", b"data")


def test_an_object_is_written_once(bucket: str, store: ObjectStore) -> None:
    objects = S3(Address(bucket, ""), store.url)
    objects.put("x", b"1", once=True)
    with pytest.raises(Taken, match="was written by somebody else meanwhile"):
        objects.put("x", b"2", once=True)
    assert objects.get("x") == b"1"
    assert objects.get("y") is None
    assert objects.digest("y") == ""


def test_a_store_without_versions_is_listed_all_the_same(bucket: str, store: ObjectStore) -> None:
    objects = S3(Address(bucket, "l/"), store.url)
    objects.put("x", b"1")
    store.faults.append(
        Fault(lambda method, path: method == "GET" and path == f"/{bucket}", 501, "NotImplemented", times=1)
    )
    (found,) = objects.listed("")
    assert (found.path, found.version, found.size, found.latest) == ("x", "", 1, True)
    assert objects.remove(found) == ""
    assert objects.get("x") is None


# --- kill -9


def test_a_process_that_is_killed_in_the_middle_loses_nothing(
    log: Log, bucket: str, store: ObjectStore, mirror: Callable[..., Any]
) -> None:
    grown(log, 0, 300)
    log.close()
    started: list[subprocess.Popen[bytes]] = []

    def kill(number: int) -> None:
        if number == at:
            started[-1].send_signal(signal.SIGKILL)

    for requests in (9, 17):
        at = len(store.requests) + requests
        store.before = kill
        command = [sys.executable, "-m", "solon", "log", "mirror", f"s3://{bucket}/l", "--delta"]
        command += ["--log", log.directory, "--endpoint-url", store.url]
        started.append(
            subprocess.Popen(command, env={**os.environ, **ENVIRONMENT, "PYTHONPATH": str(SOURCE)})
        )
        assert started[-1].wait(60) == -signal.SIGKILL
        store.before = lambda _number: None
    assert mirror(f"s3://{bucket}/l", "--delta").status == 0
    found = asked(store, f"s3://{bucket}/l/cold/rows", "select count(distinct decision_id) from t")
    assert found["rows"] == [[[300]]]


# --- Delta


def test_a_reader_of_delta_sees_exactly_the_rows(
    log: Log, bucket: str, store: ObjectStore, mirror: Callable[..., Any]
) -> None:
    url = f"s3://{bucket}/l/cold/rows"
    grown(log, 0, 30)
    assert "; version 0 of the Delta table" in mirror(f"s3://{bucket}/l", "--delta").out
    grown(log, 30, 40)
    erased(log, "id-7")
    assert "; version 1 of the Delta table" in mirror(f"s3://{bucket}/l").out
    assert "; version 1 of the Delta table" in mirror(f"s3://{bucket}/l").out
    found = asked(
        store,
        url,
        "select decision_id, outcome, cast(time as varchar), event from t where kind = 'decision'",
        "select count(*) from t where time >= '2026-03-03T09:30:00.000001' and time < '2026-03-04'",
        "select labels, policies, findings, index from t where decision_id = 'id-1'",
    )
    assert found["version"] == 1
    rows, later, (typed,) = found["rows"]
    assert {row[0] for row in rows} == {f"id-{n}" for n in range(40)} - {"id-7"}
    assert len(rows) == 39
    assert {row[1] for row in rows} == {"deny"}
    assert sorted({row[2] for row in rows}) == [f"2026-03-0{day}T09:30:00.000001" for day in (1, 2, 3)]
    assert json.loads(next(row[3] for row in rows if row[0] == "id-8"))["input"] == "secret-8-"
    assert later == [[13]]
    assert typed == [[["id", "opa-1"]], [], None, 1]
    assert sorted(f"l/cold/rows/{path}" for path in found["files"]) == [
        key for key in keys(store, bucket) if key.startswith("l/cold/rows/") and "_delta_log" not in key
    ]
