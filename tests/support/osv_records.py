"""Records of vulnerabilities, as databases publish them."""

from __future__ import annotations

from typing import Any

# The escape from the sandbox of Jinja, as PyPA's database and GitHub's have it.
PYSEC_JINJA: dict[str, Any] = {
    "schema_version": "1.7.0",
    "id": "PYSEC-2019-217",
    "modified": "2021-11-22T04:57:52.862665Z",
    "published": "2019-04-07T00:29:00Z",
    "aliases": ["CVE-2019-10906", "GHSA-462w-v97r-4m45"],
    "details": "In Pallets Jinja before 2.10.1, str.format_map allows a sandbox escape.",
    "affected": [
        {
            "package": {"ecosystem": "PyPI", "name": "jinja2", "purl": "pkg:pypi/jinja2"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.10.1"}]}],
            "versions": ["2.0", "2.1", "2.10", "2.9.6"],
        }
    ],
}
GHSA_JINJA: dict[str, Any] = {
    "schema_version": "1.4.0",
    "id": "GHSA-462w-v97r-4m45",
    "modified": "2023-11-08T04:00:53Z",
    "published": "2019-04-10T14:30:24Z",
    "aliases": ["CVE-2019-10906"],
    "summary": "Jinja2 sandbox escape via string formatting",
    "severity": [{"type": "CVSS_V3", "score": "CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:N/A:N"}],
    "affected": [
        {
            "package": {"ecosystem": "PyPI", "name": "jinja2"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.10.1"}]}],
        }
    ],
    "database_specific": {"severity": "HIGH", "cwe_ids": ["CWE-693"]},
}


def record(id: str = "PYSEC-2026-1", **fields: Any) -> dict[str, Any]:
    return {"id": id, "modified": "2026-01-01T00:00:00Z", **fields}


def about(
    name: str, *events: dict[str, str], ecosystem: str = "PyPI", type: str = "ECOSYSTEM", **more: Any
) -> dict[str, Any]:
    """One of ``affected``, with a range where there are events."""
    ranges = {"ranges": [{"type": type, "events": list(events)}]} if events else {}
    return {"package": {"ecosystem": ecosystem, "name": name}, **ranges, **more}
