"""The report on one release: a page with plots, and a summary for its pull request."""
