"""solon breakglass, and its tokens in solon check."""
