"""The Gatekeeper library's suites, unmodified, and the messages that upstream's own driver gives."""

import json
import os
import time
from pathlib import Path

import pytest

from solon.frameworks.gatekeeper.suite import SuiteRunner
from solon.frameworks.policy import Context
from solon.frameworks.testing import Status
from solon.subjects.documents import decode

LIBRARY = Path(__file__).resolve().parents[3] / "shared" / "conformance" / "gatekeeper"
SUITES = sorted(LIBRARY.glob("*/*/suite.yaml"))

pytestmark = pytest.mark.skipif(not SUITES, reason=f"the Gatekeeper library's suites are not at {LIBRARY}")


def read_file(path: str) -> bytes:
    return Path(path).read_bytes()


def messages() -> dict[tuple[str, str, str], list[str]]:
    found = json.loads((LIBRARY / "messages.json").read_text())
    return {(each["suite"], each["test"], each["case"]): each["messages"] for each in found}


@pytest.mark.parametrize("file", SUITES, ids=lambda file: file.parent.name)
def test_suite(file: Path):
    runner = SuiteRunner(read_file, Context(now_ns=0), time.perf_counter)
    suite = next(iter(decode(file.read_text()))).value
    results = list(runner.run(str(file), suite))
    assert results
    assert [r for r in results if r.status is not Status.PASSED] == []

    expected = messages()
    compared = 0
    for test in suite["tests"]:
        constraint = runner._constraint(os.path.dirname(file), test)
        for case in test["cases"]:
            wanted = expected.get((str(file.parent.relative_to(LIBRARY)), test["name"], case["name"]))
            if wanted is None:
                continue
            compared += 1
            assert set(runner.messages(os.path.dirname(file), case, constraint)) == set(wanted), case["name"]
    assert compared
