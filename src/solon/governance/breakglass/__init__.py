"""Break-glass: an emergency override that is signed, time-boxed, alarmed, and reviewed after.

``solon breakglass open`` signs a token (token), which the ledger (ledger, cases) and the rules (rules) allow.
``solon check`` verifies it, lets through what it covers, and writes down that it did (use).
"""
