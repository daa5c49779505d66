"""What is judged: documents read from files, each a Subject."""
