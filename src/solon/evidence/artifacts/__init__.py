"""What the files of a model are, told without loading any of them."""
