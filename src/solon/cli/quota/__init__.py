"""solon quota."""
