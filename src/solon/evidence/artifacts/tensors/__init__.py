"""Formats of plain numbers: their headers, read with bounds."""
