"""solon rollout and solon baseline."""
