"""Files of text: configurations, manifests, templates, source."""
