"""The audit as assessment results of NIST's OSCAL, version 1.1.3.

Solon does not judge whether a control is met. What OSCAL calls satisfied is that the evidence of it is whole, and each finding
says so. Names of controls become tokens, as OSCAL wants them; the property ``label`` has them as they are. The identifiers are
made of what they name, so that the same report has the same ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid5

from solon import __version__
from solon.decisions.audit.assessed import Audit, Control
from solon.report.audit.sections import commands
from solon.report.audit.view import view
from solon.report.json import text
from solon.report.text import printable, printable_lines

VERSION: Final = "1.1.3"
_NAMESPACE: Final = UUID("2f8a6f0c-5f0e-5d0b-9a3c-7b9a3c1f6d4e")  # of the identifiers that Solon makes
_NS: Final = "https://solon.invalid/ns/oscal"  # a name and no address
_NOT_TOKEN: Final = re.compile(r"[^A-Za-z0-9._-]")
_SAYS: Final = "Solon says whether the evidence is whole, and not whether the control is met."
# What a pack has beside this document.
EVIDENCE: Final = {
    "report.html": ("text/html", "the report, for people"),
    "decisions.csv": ("text/csv", "every decision that was looked at"),
    "decisions.parquet": ("application/vnd.apache.parquet", "the same, as Parquet"),
    "checkpoints/meta.txt": ("text/plain", "the signed checkpoint of the log"),
    "log.pub": ("text/plain", "the public key of the log"),
    "verification.json": ("application/json", "what the verification of the log found"),
}


def render(audit: Audit) -> str:
    return text(document(audit))


def document(audit: Audit) -> dict[str, Any]:
    scope = f"{audit.kept.name} {audit.start.isoformat()} {audit.end.isoformat()} {' '.join(audit.asked)}"
    return {"assessment-results": _Document(audit, scope).results()}


class _Document:
    def __init__(self, audit: Audit, scope: str) -> None:
        self.audit = audit
        self.view = view(audit)
        self._scope = scope

    def id(self, *parts: str) -> str:
        return str(uuid5(_NAMESPACE, "\0".join((self._scope, *parts))))

    def results(self) -> dict[str, Any]:
        audit = self.audit
        return {
            "uuid": self.id("document", audit.made.isoformat()),
            "metadata": {
                "title": _line(f"Audit of {self.view.title}, {self.view.period}"),
                "last-modified": _time(audit.made),
                "version": _time(audit.made),
                "oscal-version": VERSION,
                "roles": [{"id": "assessor", "title": "Who made the results"}],
                "parties": [
                    {
                        "uuid": self.id("party"),
                        "type": "organization",
                        "name": _line(audit.kept.name),
                        "remarks": "The operator of the log, who made this: no independent assessor.",
                    }
                ],
                "responsible-parties": [{"role-id": "assessor", "party-uuids": [self.id("party")]}],
            },
            "import-ap": {
                "href": f"#{self.id('plan')}",
                "remarks": "There is no assessment plan: the decisions of a period are looked at as they are.",
            },
            "results": [self._result()],
            "back-matter": {"resources": list(self._resources())},
        }

    def _result(self) -> dict[str, Any]:
        audit = self.audit
        observations = list(self._observations())
        result: dict[str, Any] = {
            "uuid": self.id("result"),
            "title": _line(self.view.verdict),
            "description": _text(f"{self.view.explained} {_SAYS}"),
            "start": _time(audit.start),
            "end": _time(audit.end),
            "props": [
                _prop("decisions", f"{sum(audit.evidence.outcomes.values())}"),
                _prop("log-name", audit.kept.name),
                _prop("log-key", audit.kept.key),
                _prop("policies-from", "log" if audit.recorded else "repository"),
            ],
            "local-definitions": {"components": list(self._components())},
            "reviewed-controls": {"control-selections": [self._selection()]},
            "attestations": [
                {
                    "parts": [
                        {
                            "name": "not-proven",
                            "title": "What is not proven",
                            "prose": _text("\n\n".join(audit.limits)),
                        }
                    ]
                }
            ],
            "observations": observations,
        }
        findings = [self._finding(each) for each in audit.controls]
        if findings:
            result["findings"] = findings
        return result

    def _selection(self) -> dict[str, Any]:
        if not self.audit.controls:
            return {"include-all": {}}
        return {"include-controls": [{"control-id": _token(each.name)} for each in self.audit.controls]}

    def _components(self) -> Iterator[dict[str, Any]]:
        yield {
            "uuid": self.id("tool"),
            "type": "software",
            "title": "Solon",
            "description": "Judges by policies, and keeps the log of the decisions.",
            "props": [_prop("version", __version__, own=False)],
            "status": {"state": "operational"},
        }
        for each in self.audit.carriers:
            props = [
                ("policy-id", each.policy),
                ("policy-set", each.policy_set),
                ("severity", each.severity),
                ("owner", each.owner),
            ]
            props += [("control", control) for control in each.controls]
            yield {
                "uuid": self._policy(each.policy_set, each.policy, each.place),
                "type": "policy",
                "title": _line(each.title or each.policy),
                "description": _text(each.remediation or f"The policy {each.policy}."),
                "props": [_prop(name, value) for name, value in props if value],
                "status": {"state": "operational"},
            }

    def _policy(self, policy_set: str, policy: str, place: str) -> str:
        return self.id("policy", place, policy_set, policy)

    # --- what was found

    def _observations(self) -> Iterator[dict[str, Any]]:
        for section in self.view.sections:
            if section.id == "limits":
                continue
            said = [*section.lead]
            for table in section.tables:
                heading = table.title or section.title
                said.append(f"{heading}: {table.empty}" if not table.rows else _table(heading, table))
            yield {
                "uuid": self.id("observation", section.id),
                "title": _line(section.title),
                "description": _text("\n\n".join(said)),
                "methods": ["TEST" if section.id == "proof" else "EXAMINE"],
                "types": ["control-objective" if section.id in {"controls", "coverage"} else "finding"],
                "origins": [{"actors": [{"type": "tool", "actor-uuid": self.id("tool")}]}],
                "relevant-evidence": [
                    {"href": f"#{self.id('resource', name)}", "description": says}
                    for name, (_, says) in EVIDENCE.items()
                    if section.id != "proof" or not name.startswith("decisions")
                ],
                "collected": _time(self.audit.made),
            }

    def _finding(self, control: Control) -> dict[str, Any]:
        reasons = " ".join(control.shortcomings) or "Nothing is missing."
        return {
            "uuid": self.id("finding", control.name),
            "title": _line(f"Evidence of {control.name}"),
            "description": _text(f"{reasons} {_SAYS}"),
            "props": [_prop("label", control.name), *_counts(control.outcomes, control.decisions)],
            "target": {
                "type": "objective-id",
                "target-id": _token(control.name),
                "title": _line(control.name),
                "status": {
                    "state": "satisfied" if control.whole else "not-satisfied",
                    "reason": "pass" if control.whole else "other",
                    "remarks": _text(reasons),
                },
            },
            "related-observations": [
                {"observation-uuid": self.id("observation", section)}
                for section in ("controls", "coverage", "proof")
            ],
        }

    def _resources(self) -> Iterator[dict[str, Any]]:
        yield {
            "uuid": self.id("plan"),
            "title": "No assessment plan",
            "description": "The decisions of the period were looked at as the log has them, without a plan of their own.",
        }
        yield {
            "uuid": self.id("verification"),
            "title": "How to verify the pack",
            "description": _text(commands(self.audit)),
        }
        for name, (media, says) in EVIDENCE.items():
            yield {
                "uuid": self.id("resource", name),
                "title": name,
                "description": f"{says[:1].upper()}{says[1:]}.",
                "rlinks": [{"href": name, "media-type": media}],
            }


def _table(heading: str, table: Any) -> str:
    lines = [f"{heading}:"]
    for row in table.rows:
        cells = [
            f"{column.title}: {' / '.join(cell.splitlines())}"
            for column, cell in zip(table.columns, row, strict=True)
            if cell
        ]
        lines.append(f"- {'; '.join(cells)}")
    return "\n".join([*lines, *([table.more] if table.more else [])])


def _counts(outcomes: Mapping[str, int], decisions: int) -> Sequence[dict[str, str]]:
    return [
        _prop("decisions", str(decisions)),
        *(_prop(f"findings-{word}", str(n)) for word, n in outcomes.items() if word),
    ]


def _prop(name: str, value: str, *, own: bool = True) -> dict[str, str]:
    return {"name": _token(name), **({"ns": _NS} if own else {}), "value": _line(value)}


def _token(name: str) -> str:
    """As OSCAL wants names: they begin with a letter, and have no colons."""
    plain = _NOT_TOKEN.sub("_", name)
    return plain if plain[:1].isalpha() else f"_{plain}"


def _line(value: str) -> str:
    """A text in one line that is not empty, and does not begin or end with a blank."""
    return printable(value).strip() or "-"


def _text(value: str) -> str:
    return printable_lines(value).strip() or "-"


def _time(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")
