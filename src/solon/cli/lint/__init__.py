"""solon lint."""
