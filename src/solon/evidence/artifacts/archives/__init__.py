"""What lies in archives and compressed streams."""
