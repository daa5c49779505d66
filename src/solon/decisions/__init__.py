"""The Decision, and the record kept of it."""
