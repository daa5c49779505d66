"""solon tickets."""
