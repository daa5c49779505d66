"""Reads a Delta table as another would, in a process of its own: python delta_reader.py URL ENDPOINT SQL…

Prints the table's version, files and application transactions, and what each query over `t` gives, as JSON.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from deltalake import DeltaTable, QueryBuilder
from object_store import ENVIRONMENT


def main(url: str, endpoint: str, *queries: str) -> None:
    options = {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ALLOW_HTTP": "true",
        "AWS_REGION": "us-east-1",
        **{key: value for key, value in ENVIRONMENT.items() if key.startswith(("AWS_ACCESS", "AWS_SECRET"))},
    }
    table = DeltaTable(url, storage_options=options)
    builder = QueryBuilder().register("t", table)
    out: dict[str, Any] = {
        "version": table.version(),
        "files": sorted(uri.removeprefix(url).lstrip("/") for uri in table.file_uris()),
        "rows": [_rows(builder.execute(query).read_all()) for query in queries],
    }
    json.dump(out, sys.stdout, default=str)


def _rows(found: Any) -> list[list[Any]]:
    columns = [column.to_pylist() for column in found.columns]
    return [list(row) for row in zip(*columns, strict=True)]


if __name__ == "__main__":
    main(*sys.argv[1:])
