"""OPA's own compliance suite, every case; a case that used to pass must go on passing.

The cases that do not pass are listed in opa_failing.txt, so that the list is read in review. Write it anew,
after a look at what changed, with: pytest tests/conformance/test_opa_suite.py --update-golden
"""

import json
from pathlib import Path

import pytest

from solon.lang import rego
from solon.lang.budget import Budget
from solon.lang.rego import UNDEFINED, RegoError

SUITE = Path(__file__).resolve().parents[3] / "shared" / "conformance" / "opa"
FAILING = Path(__file__).with_name("opa_failing.txt")

pytestmark = pytest.mark.skipif(not SUITE.is_dir(), reason=f"OPA's suite is not at {SUITE}")


def cases():
    """(identity, case); several cases of the suite share a note."""
    seen: dict[str, int] = {}
    for file in sorted(SUITE.glob("*.json")):
        for case in json.loads(file.read_text())["cases"]:
            note = case["note"]
            seen[note] = seen.get(note, 0) + 1
            yield (note if seen[note] == 1 else f"{note} ({seen[note]})"), case


def canonical(value, *, sort: bool):
    """A form in which 1 is 1.0, true is not 1, and (``sort``) the order of arrays does not count."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return (type(value).__name__, value)
    if isinstance(value, int | float):
        return ("number", float(value) if abs(value) < 2**53 else value)
    if isinstance(value, list):
        items = [canonical(item, sort=sort) for item in value]
        return ("array", tuple(sorted(items, key=repr) if sort else items))
    return ("object", tuple(sorted((k, canonical(v, sort=sort)) for k, v in value.items())))


def failure(case) -> str:
    """Why the case fails, or nothing."""
    modules = {f"test-{n}.rego": text for n, text in enumerate(case.get("modules") or [])}
    try:
        program = rego.compile(modules, data=case.get("data") or {})
        given = case.get("input", UNDEFINED)
        if "input_term" in case:
            given = rego.compile({}).evaluate(case["input_term"])
        found = program.query(
            case["query"],
            input=given,
            strict_builtin_errors=case.get("strict_error", False),
            budget=Budget(seconds=20),
        )
    except RegoError as error:
        return _error_mismatch(case, error)
    if case.get("want_error_code") or case.get("want_error"):
        return f"no error, but {found}"
    sort = case.get("sort_bindings", False)
    wanted = sorted((canonical(r, sort=sort) for r in case.get("want_result") or []), key=repr)
    got = sorted((canonical(r, sort=sort) for r in found), key=repr)
    return "" if got == wanted else f"got {found}, want {case.get('want_result')}"


def _error_mismatch(case, error: RegoError) -> str:
    code, text = case.get("want_error_code"), case.get("want_error")
    if not code and not text:
        return f"unexpected {error}"
    first = error.errors[0]
    shown = f"{first.span.file}:{first.span.row}: {first.code}: {first.message}"
    if (code and error.code != code) or (text and text not in shown):
        return f"{shown}, want {code}: {text}"
    return ""


def test_every_case(request):
    known = set(FAILING.read_text().splitlines()) if FAILING.exists() else set()
    failing: dict[str, str] = {}
    total = 0
    for name, case in cases():
        total += 1
        why = failure(case)
        if why:
            failing[name] = why
    if request.config.getoption("--update-golden"):
        FAILING.write_text("".join(f"{name}\n" for name in sorted(failing)))
        return
    broken = {name: why for name, why in failing.items() if name not in known}
    assert not broken, f"{len(broken)} cases that used to pass fail: {broken}"
    mended = known - set(failing)
    assert not mended, f"cases pass that are listed as failing, take them off the list: {sorted(mended)}"
    assert total - len(failing) >= 0.85 * total
