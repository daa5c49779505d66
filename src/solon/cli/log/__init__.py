"""solon log."""
