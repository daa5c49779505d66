"""What a model was trained on, and how far from that what it serves is."""
