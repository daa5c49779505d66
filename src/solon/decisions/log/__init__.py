"""The decision log: durable before it is acknowledged, and provable afterwards.

In reading order: ``leaf`` (what the tree holds of an entry), ``segment`` (the frames on the disk), ``writer`` and
``commit`` (one writer, many callers), ``merkle``, ``tiles``, ``note``, ``checkpoint`` and ``proof`` (RFC 6962 and the
C2SP formats), ``shard`` and ``store`` (the log as a whole), ``verify`` with ``ahead`` (other cores),
``salvage`` and ``naming`` (what is not as it was written), ``claims``, ``erased`` and ``erasure``, and ``witness``.
"""
