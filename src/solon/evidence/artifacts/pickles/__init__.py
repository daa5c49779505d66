"""What pickles would do, told from their opcodes."""
