"""solon waivers."""
