"""Replay: what was judged once, judged again by other policies, and what would come out differently.

In reading order: recorded (an event of the log), source (which of them), judging (one of them, again), comparison (then and
now), run (each input once, in order), pool and cluster (on all cores, on many machines), tally (what it comes to).
"""
