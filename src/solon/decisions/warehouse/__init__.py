"""The warehouse: the decision log as Parquet, to be asked. A copy, made from the segments, which stay the proof.

In reading order: ``columns`` (what a row has), ``rows`` (an event as a row), ``manifest`` (which files count, and how far
they reach), ``database`` (DuckDB), ``compaction`` (segments to Parquet), ``erasures`` (what is left out), ``session`` (DuckDB
over both), ``query`` (questions as SQL), ``lookup`` (one decision), ``waivers`` and ``incidents`` (what the log says of them),
``metrics``.
"""
