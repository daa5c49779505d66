"""Which versions of which models are live: read from what serves them, and from registries."""
