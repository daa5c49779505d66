"""What an auditor is shown of a control and a period: from the log, with what is proven, and what is not.

In reading order: ``carriers`` (the policies that carry a control), ``programme`` (when they were in force, and what changed),
``gaps`` (times that nothing covers), ``evidence`` (what the decisions say), ``assessed`` (all of it, and whether it is whole),
``proofs`` (of many entries).
"""
