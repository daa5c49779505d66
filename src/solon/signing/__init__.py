"""Keys, and envelopes that say who signed what."""
