"""Policy languages, each compiled to Python functions over plain documents."""
