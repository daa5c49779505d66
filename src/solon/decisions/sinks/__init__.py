"""Where the decision log goes besides itself.

The log is the spool: a sink has a position in it, and reads on from there. So a sink that is down loses nothing, and
holds up nobody. Each event arrives at least once: a crash between the answer and the position sends some again.

In reading order: ``settings``, ``position`` (how far a sink is), ``tail`` (what is new), ``deliver`` (batches, and
what a receiver refuses), ``file``, ``http``, ``otlp``, ``kafka``, ``ship`` (one sink, again and again), ``lag``.
"""
