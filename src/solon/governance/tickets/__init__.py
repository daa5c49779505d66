"""Tickets: one for each policy and owner, in the tracker that the owner works with."""
