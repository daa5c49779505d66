"""Waivers: planned, reviewed exemptions that end."""
