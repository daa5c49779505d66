"""solon incident: denials that should not have been."""
