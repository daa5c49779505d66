"""Releases out of model registries."""
