"""Where a model comes from: its signature, what it depends on, and its bill of materials."""
