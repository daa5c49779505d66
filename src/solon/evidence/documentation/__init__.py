"""What is written about a model, and whether it says something."""
