"""What several commands take, said once."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer


class TableOrJson(StrEnum):
    TABLE = "table"
    JSON = "json"


Paths = Annotated[list[str], typer.Argument(metavar="PATHS", help="Plans, manifests, directories.")]
PathsOrStdin = Annotated[
    list[str], typer.Argument(metavar="PATHS", help="Plans, manifests, directories; - for stdin.")
]
Inventory = Annotated[
    list[str] | None,
    typer.Option("--inventory", metavar="PATH", help="What else exists in the cluster: manifests or dumps."),
]
Cluster = Annotated[
    str, typer.Option("--cluster", metavar="NAME", help="The cluster that the subjects are for.")
]
Environment = Annotated[
    str, typer.Option("--environment", metavar="NAME", help="The environment that the subjects are for.")
]
Place = Annotated[
    str,
    typer.Option("--place", metavar="NAME", help="What the log calls the place that is judged at."),
]
Hosts = Annotated[
    list[str] | None,
    typer.Option("--allow-host", metavar="HOST", help="Let policies reach this host; none by default."),
]
Param = Annotated[
    list[str] | None,
    typer.Option("--param", metavar="NAME=VALUE", help="Parameter of Sentinel policies; may be repeated."),
]
TerraformRun = Annotated[
    str | None,
    typer.Option("--tfrun", metavar="FILE", help="What Sentinel's tfrun tells of the run: YAML or JSON."),
]
CostEstimate = Annotated[
    str | None,
    typer.Option(
        "--cost-estimate", metavar="FILE", help="Costs for tfrun: Terraform's, or Infracost's JSON."
    ),
]
Timeout = Annotated[
    float, typer.Option("--timeout", metavar="SECONDS", min=0.001, help="Limit of each evaluation.")
]
MaxSize = Annotated[int, typer.Option("--max-size", metavar="MIB", min=1, help="Largest file to read.")]
FormatOption = Annotated[TableOrJson, typer.Option("--format", "-o", help="Output format.")]
Policies = Annotated[
    list[str] | None,
    typer.Option("--policy", "-p", metavar="PATH", help="Policy directory or file; may be repeated."),
]
LogDirectory = Annotated[
    str | None, typer.Option("--log", "-l", metavar="DIR", help="The log; that of solon.yaml without it.")
]
DecisionLog = Annotated[
    str | None,
    typer.Option("--log", metavar="FILE", help="Append decisions: JSON lines to a file, or to a log."),
]
BreakGlass = Annotated[
    list[str] | None,
    typer.Option("--break-glass", metavar="TOKEN", help="Let an emergency through; - or @FILE to read it."),
]
RegoData = Annotated[
    list[str] | None, typer.Option("--data", "-d", metavar="PATH", help="Data for Rego: YAML or JSON.")
]
