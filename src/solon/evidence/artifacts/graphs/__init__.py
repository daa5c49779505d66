"""Formats of graphs of operators, in protocol buffers."""
