"""Reservations of GPUs: what a team was promised, and has not submitted yet, counts as what runs."""
