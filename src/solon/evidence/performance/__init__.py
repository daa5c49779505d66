"""How well a model does, and how fast."""
