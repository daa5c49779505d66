"""For training scripts: what a release needs, logged with the MLflow run that trained its model."""

from __future__ import annotations

from collections.abc import Sequence


def log_release(directory: str, run_id: str | None = None) -> Sequence[str]:
    """Log a release directory with a run, the active one where none is named; the names of what was logged.

    release.yaml, and the tables, documents and evidence around it; not the released files, which MLflow has. Raises ValueError
    where release.yaml says nothing that a gate could use, or there is no run.
    """
    import mlflow

    from solon.evidence.registry.mlflow import CannotFetch, submit

    active = mlflow.active_run()
    run = run_id or (active.info.run_id if active is not None else "")
    if not run:
        raise ValueError(
            "there is no active run: call it inside `with mlflow.start_run():`, or give a run_id"
        )
    try:
        return submit(mlflow.MlflowClient(), run, directory)
    except CannotFetch as error:
        raise ValueError(str(error)) from None
