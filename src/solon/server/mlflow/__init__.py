"""MLflow's model registry: what may go live there is decided by Solon."""
