"""How long tests take, as ``opa test --bench`` says it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from solon.frameworks.rego_tests import Benchmark
from solon.frameworks.testing import Status, TestResult
from solon.report.text import printable, printable_lines
from solon.subjects.subject import Location

Measured = Benchmark | TestResult


def line(each: Measured) -> str:
    if isinstance(each, Benchmark):
        return f"{printable(each.shown)}\t{each.times:>10}\t{each.ns_each:>12,.0f} ns/op"
    word = {Status.SKIPPED: "SKIPPED", Status.ERROR: "ERROR"}.get(each.status, "FAIL")
    told = f"{printable(each.name)}\t{word}"
    return told if each.status is Status.SKIPPED else f"{told}  {printable_lines(each.message)}"


def summary(found: Sequence[Measured]) -> str:
    passed = sum(isinstance(each, Benchmark) for each in found)
    asked = sum(isinstance(each, Benchmark) or each.status is not Status.SKIPPED for each in found)
    lines = ["-" * 80]
    lines += [f"PASS: {passed}/{asked}"]
    lines += [f"FAIL: {asked - passed}/{asked}"] if asked > passed else []
    lines += [f"SKIPPED: {len(found) - asked}/{len(found)}"] if len(found) > asked else []
    return "\n".join(lines) + "\n"


def as_json(found: Sequence[Measured]) -> str:
    return json.dumps([_entry(each) for each in found], indent=2, ensure_ascii=False) + "\n"


def _entry(each: Measured) -> dict[str, Any]:
    if isinstance(each, Benchmark):
        taken = round(each.seconds * 1e9)
        return {
            "location": _location(each.location),
            "package": each.package,
            "name": each.name,
            "duration": taken,
            "benchmark_result": {"N": each.times, "T": taken, "Extra": {"ns/op": each.ns_each}},
        }
    package, _, name = each.name.rpartition(".")
    state = "skip" if each.status is Status.SKIPPED else "fail"
    message = {"message": each.message} if each.message and state == "fail" else {}
    return {"location": _location(each.location), "package": package, "name": name, state: True, **message}


def _location(place: Location) -> dict[str, Any]:
    return {"file": place.file, "row": place.line, "col": place.column}
