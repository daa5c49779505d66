"""Compare Solon with OPA on generated programs, for as long as you like, and write out each difference, made small.

OPA=/path/to/opa PYTHONPATH=src:tests/support python tests/support/fuzz_rego.py FIRST_SEED LAST_SEED [PROFILE]
"""

from __future__ import annotations

import json
import random
import re
import sys
import time
from collections import Counter
from typing import Any

import opa_oracle as oracle
from opa_oracle import Answer, Opa
from rego_programs import PROFILES, Generated, Writer, replay

from solon.lang.rego import RegoError

CHUNK = 1000  # programs that one OPA is asked about
Mismatch = tuple[str, Any, Any]  # its class, what OPA says, what Solon says


def compare(opa: Opa, program: Generated, seen: Counter[str]) -> Mismatch | None:
    """The first thing in which the two differ; ``seen`` counts what was compared."""
    errors = opa.load(program)
    refusal = None
    try:
        compiled = oracle.compiled(program)
    except RegoError as error:
        refusal = error
    if errors:
        return refused(errors, refusal, seen)
    if refusal is not None:
        return f"refused: {refusal.code}", None, refusal
    found = oracle.document(compiled, program)
    if too_long(found):
        seen["too long"] += 1
        return None
    wanted = opa.document(program)
    mismatch = differ("document", wanted, found, seen)
    if mismatch is None and wanted[0] == "value":
        # Which error comes first, and whether an expression is reached, depends on the order of evaluation.
        strict = opa.document(program, strict=True), oracle.document(compiled, program, strict=True)
        if strict[0][0] == strict[1][0]:
            mismatch = differ("strict", *strict, seen)
    if mismatch is None and program.query:
        found = oracle.bindings(compiled, program)
        if not too_long(found):
            mismatch = differ("query", opa.bindings(program), found, seen)
    return mismatch


def refused(errors: list[dict[str, Any]], refusal: RegoError | None, seen: Counter[str]) -> Mismatch | None:
    code = errors[0].get("code", "")
    seen[f"refused: {code}"] += 1
    if refusal is None and code != "rego_type_error":
        return f"accepted: {code}", errors[0]["message"], None
    return None


def differ(what: str, wanted: Answer, found: Answer, seen: Counter[str]) -> Mismatch | None:
    seen[f"{what}: {wanted[0]}"] += 1
    if wanted[0] == found[0] == "value":
        ordered = (
            (sorted(wanted[1], key=_text), sorted(found[1], key=_text))
            if what == "query"
            else (wanted[1], found[1])
        )
        difference = oracle.difference(*ordered)
        return (f"{what}: {difference}", wanted[1], found[1]) if difference else None
    if found[0] == "error" and found[1].code == "eval_conflict_error" and wanted[0] == "value":
        # OPA's rule index passes over rules whose head is undefined, and with them over their conflicts.
        return None
    if wanted[0] != "value" and wanted[1]["code"] in ("eval_internal_error", "rego_type_error"):
        return None
    if wanted[0] != found[0]:
        return f"{what}: {wanted[0]}, not {found[0]}", wanted[1], found[1]
    if what != "query" and wanted[1]["code"] != found[1].code and what != "strict":
        return f"{what}: code", wanted[1], found[1]
    return None


def too_long(answer: Answer) -> bool:
    return answer[0] == "error" and answer[1].code == "eval_cancel_error"


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)


class Choices:
    """Choices by chance that are remembered."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.made: list[int] = []

    def below(self, n: int) -> int:
        self.made.append(self.random.randrange(n))
        return self.made[-1]


def smaller(opas: dict[str, Opa], choices: list[int], profile: str, kind: str, seconds: float) -> list[int]:
    """Choices that lead to the same kind of mismatch, in a program that is as small as was found in the time."""
    until = time.monotonic() + seconds

    def same(candidate: list[int]) -> bool:
        found = attempt(opas, replay(candidate, profile), Counter())
        return found is not None and found[0] == kind

    changed = True
    while changed and time.monotonic() < until:
        changed = False
        for step in (64, 16, 4, 2, 1):
            at = 0
            while at < len(choices) and time.monotonic() < until:
                candidate = choices[:at] + choices[at + step :]
                if same(candidate):
                    choices, changed = candidate, True
                else:
                    at += step
        for at in range(len(choices)):
            for value in {0, choices[at] // 2}:
                candidate = [*choices[:at], value, *choices[at + 1 :]]
                if value < choices[at] and time.monotonic() < until and same(candidate):
                    choices, changed = candidate, True
                    break
    return choices


def attempt(opas: dict[str, Opa], program: Generated, seen: Counter[str]) -> Mismatch | None:
    try:
        return compare(opas[program.version], program, seen)
    except oracle.Broken:  # OPA gave no answer: it panicked, or takes too long
        for opa in opas.values():
            opa.close()
        seen["no answer"] += 1
        return None
    except Exception as error:  # noqa: BLE001  (a crash is a finding)
        return f"crash: {type(error).__name__}", None, repr(error)


def written(seed: int, profile: str, program: Generated, mismatch: Mismatch) -> str:
    modules = "".join(f"-- {name} ({program.version})\n{text}" for name, text in program.modules.items())
    query = f"query: {program.query}\n" if program.query else ""
    changes = f"without {program.drop}, with {program.swap}\n"
    answers = f"OPA   {str(mismatch[1])[:700]}\nSOLON {str(mismatch[2])[:700]}\n"
    return f"#### {seed} {profile} {mismatch[0]}\n{modules}{query}{changes}{answers}"


def report(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main(first: int, last: int, only: str = "", each: int = 3, seconds: float = 5, ignore: str = "") -> None:
    seen: Counter[str] = Counter()
    found: Counter[str] = Counter()
    began = time.monotonic()
    for start in range(first, last, CHUNK):
        # OPA anew now and then: a server that has panicked answers nothing more.
        with oracle.server() as v1, oracle.server("v0") as v0:
            opas = {"v1": v1, "v0": v0}
            for seed in range(start, min(start + CHUNK, last)):
                profile = only or PROFILES[seed % len(PROFILES)]
                choices = Choices(seed)
                program = Writer(choices.below, profile).program()
                mismatch = attempt(opas, program, seen)
                seen["programs"] += 1
                if mismatch is None:
                    continue
                kind = mismatch[0]
                found[kind] += 1
                if found[kind] <= each and not (ignore and re.match(ignore, kind)):
                    program = replay(smaller(opas, choices.made, profile, kind, seconds), profile)
                    report(written(seed, profile, program, attempt(opas, program, Counter()) or mismatch))
        report(f"== {seen['programs']} in {time.monotonic() - began:.0f} s: {dict(found)}")
    report(f"== {dict(sorted(seen.items()))}\n== {dict(found)}")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:4])
