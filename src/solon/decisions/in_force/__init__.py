"""What was in force, where and when: read from the log, and never guessed from decisions.

In reading order: ``parts`` (what a programme is made of, as the log has it), ``present`` (the programme that a process is
about to judge with, in these parts), ``events`` (what changed, as entries), ``state`` (entries folded to what was in force
at a time), ``texts`` (the files of policies, beside the log), ``reading`` (the entries of a log), ``recording`` (compare with
what the log has, and append what changed), ``standing`` (what a programme of the past says of a subject).
"""
