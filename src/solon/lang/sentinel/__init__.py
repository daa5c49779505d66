"""Sentinel, the policy language of Terraform's and Vault's paid editions, compiled to Python.

(Written from the public documentation, "Sentinel Language", and from public policies and their tests alone.)
"""
