"""A copy of a log in object storage, laid out as the log itself: what is synchronised back is a log again.

The copy has the warehouse's Parquet files, tiles and checkpoints, and the segments unless they are left out. What a
checkpoint or manifest needs is there before it is, and what nothing needs any more is removed last: a run may be killed
at any time. An erased payload is gone from the mirror after the next run.

In reading order: ``address``, ``objects`` (what a store can do), ``s3``, ``contents`` (what of a log is in its mirror),
``state`` (``mirror.json``), ``known`` (what the log keeps of it), ``delta`` (the rows as a Delta table), ``run``.
"""
