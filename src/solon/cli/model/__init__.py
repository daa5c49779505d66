"""The commands of solon model."""
