"""Options that several commands of solon model take."""

from __future__ import annotations

from typing import Annotated

import typer

TrackingUri = Annotated[
    str,
    typer.Option("--tracking-uri", metavar="URL", help="Of MLflow [solon.yaml, then MLFLOW_TRACKING_URI]."),
]
