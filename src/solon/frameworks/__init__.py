"""How policies are packaged in the wild; each package turns files into Policy objects."""
