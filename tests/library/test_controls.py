"""The coverage table is that of the policies: docs/reference/controls.md, made from the catalogue and their metadata.

``pytest tests/library/test_controls.py --update-golden`` writes it anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from solon.cli import policies

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "docs" / "reference" / "controls.md"
MARK = "<!-- what follows is made by tests/library/test_controls.py -->\n"
FILES = sorted((ROOT / "library" / "controls").glob("*.yaml"))
SPOKEN = {"whole": "wholly", "part": "in part", "none": "no"}


def catalogue() -> dict[str, Any]:
    """The frameworks, by the name that stands before the colon of their controls."""
    found: dict[str, Any] = {}
    for file in FILES:
        (name, framework), *more = yaml.safe_load(file.read_text()).items()
        assert not more, f"{file.name}: one framework a file"
        found[name] = framework
    return found


def served() -> dict[str, list[str]]:
    """The policies of the library, by each control that their metadata names."""
    sets = policies.load(policies.Wanted([str(ROOT / "library")], [], [], True, "v1"))
    found: dict[str, list[str]] = {}
    for policy in sorted((each for one in sets for each in one.policies), key=lambda policy: policy.id):
        for control in policy.controls:
            found.setdefault(control, []).append(policy.id.removesuffix(".deny"))
    return found


CATALOGUE = catalogue()
SERVED = served()
CONTROLS = [
    (f"{name}:{number}", framework, control)
    for name, framework in CATALOGUE.items()
    for number, control in framework["controls"].items()
]


def test_every_control_of_a_policy_is_in_the_catalogue() -> None:
    assert sorted(set(SERVED) - {number for number, _, _ in CONTROLS}) == []


@pytest.mark.parametrize(("number", "framework", "control"), CONTROLS, ids=[each for each, _, _ in CONTROLS])
def test_a_control_is_covered_as_it_says(number: str, framework: Any, control: dict[str, str]) -> None:
    assert set(control) <= {"title", "applies", "covered", "checks", "leaves"}
    assert control["title"]
    assert control["applies"] in framework["dates"]
    assert (control["covered"] != "none") == (number in SERVED)
    assert ("checks" in control) == (control["covered"] != "none")
    assert ("leaves" in control) == (control["covered"] != "whole")
    assert control["covered"] in SPOKEN


@pytest.mark.parametrize("name", CATALOGUE)
def test_dates_and_identifiers_say_where_they_are_from(name: str) -> None:
    framework = CATALOGUE[name]
    for said in (framework, *framework["dates"].values()):
        assert said["source"]
        assert date.fromisoformat(said["verified_at"])
    for each in framework["dates"].values():
        assert date.fromisoformat(each["from"])


def test_frameworks_are_there_whole() -> None:
    """NIST AI RMF 1.0 has 72 subcategories, and ISO/IEC 42001 38 controls in its Annex A."""
    assert len(CATALOGUE["NIST-AI-RMF"]["controls"]) == 72
    assert len(CATALOGUE["ISO-42001"]["controls"]) == 38


def lines() -> Iterator[str]:
    counts: list[tuple[str, int, int, int]] = []
    for name, framework in CATALOGUE.items():
        how = [control["covered"] for control in framework["controls"].values()]
        counts.append((name, how.count("whole"), how.count("part"), how.count("none")))
    yield "| framework | wholly | in part | not by a machine |"
    yield "|---|---|---|---|"
    for name, whole, part, none in counts:
        anchor = re.sub(r"[^\w -]", "", name.lower()).replace(" ", "-")
        yield f"| [{name}](#{anchor}) | {whole} | {part} | {none} |"
    for name, framework in CATALOGUE.items():
        yield ""
        yield f"## {name}"
        yield ""
        yield f"[{framework['title']}]({framework['source']}). Verified on {framework['verified_at']}: {framework['verified_how']}."
        yield ""
        dates = framework["dates"]
        if len(dates) > 1:
            yield "| applies | from | what |"
            yield "|---|---|---|"
            for what, when in dates.items():
                link = f"[source]({when['source']}), {when['verified_at']}"
                yield f"| {what} | {when['from']} | {when['what']} ({link}) |"
            yield ""
        yield "| control | asks for | covered | by | what is checked | what is not, and why |"
        yield "|---|---|---|---|---|---|"
        for number, control in framework["controls"].items():
            by = " ".join(f"`{policy}`" for policy in SERVED.get(f"{name}:{number}", []))
            applies = f" ({control['applies']})" if len(dates) > 1 else ""
            cells = [
                f"`{number}`",
                control["title"] + applies,
                SPOKEN[control["covered"]],
                by,
                control.get("checks", ""),
                control.get("leaves", ""),
            ]
            yield "| " + " | ".join(cells) + " |"


def test_the_table_is_that_of_the_policies(request: pytest.FixtureRequest) -> None:
    made = "\n".join(lines()) + "\n"
    before, mark, after = TABLE.read_text().partition(MARK)
    assert mark
    if request.config.getoption("--update-golden"):
        TABLE.write_text(before + MARK + "\n" + made)
        return
    assert after == "\n" + made, (
        "run pytest tests/library/test_controls.py --update-golden, and read the diff"
    )
