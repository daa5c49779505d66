"""Rollouts: from when a policy bites, and whom."""
