"""What is in a pack, and how to verify it: the first file that one reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from solon.decisions.audit.assessed import Audit
from solon.report.audit.sections import commands
from solon.report.audit.view import view
from solon.report.check_report import plural
from solon.report.markdown import escape

_FILES: Final = {
    "report.html": "the report; it needs nothing beside it, and prints",
    "report.json": "the same for machines",
    "assessment-results.json": "the same as OSCAL assessment results",
    "decisions.csv": "every decision that was looked at, without its event",
    "decisions.parquet": "the same as Parquet",
    "verification.json": "what `solon log verify` found when this was made",
    "checkpoints/": "the signed checkpoints: `meta.txt` of the whole log, the others of its shards",
    "log.pub": "the public key that was believed; compare it with the one that you were given",
    "proofs/": "C2SP tlog-proofs of entries, many in a file",
    "SHA256SUMS": "digests of all of these",
}


def render(audit: Audit, proofs: Mapping[str, tuple[int, int]], *, events: bool) -> str:
    """``proofs``: by file, how many entries there are, and how many of them have a proof here."""
    shown = view(audit)
    rows = "".join(f"| `{name}` | {says} |\n" for name, says in _FILES.items())
    counted = "".join(
        f"| `{name}` | {plural(have, 'proof')} of {plural(all_, 'entry', 'entries')} |\n"
        for name, (all_, have) in proofs.items()
    )
    with_events = "with their events" if events else "without their events, which were left out"
    limits = "".join(f"- {escape(each)}\n" for each in audit.limits)
    return (
        f"# Audit pack: {escape(shown.title)}\n\n{escape(shown.period)}. **{escape(shown.verdict)}.**\n\n"
        f"| file | what |\n|---|---|\n{rows}\n"
        f"Proofs are {with_events}:\n\n| file | |\n|---|---|\n{counted}\n"
        f"## Verify it\n\n```sh\n{commands(audit)}```\n\n"
        "Choose decisions of your own from `decisions.csv`, and ask the operator for their proofs: what is in `proofs/` was chosen "
        "by the one who made this pack.\n\n"
        f"## What is not proven\n\n{limits}"
    )
