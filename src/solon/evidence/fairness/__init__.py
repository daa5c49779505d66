"""How a model does for one group beside another."""
