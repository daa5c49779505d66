"""Lets processes race for the last GPUs of a team.

    python quota_race.py NUMBER KILLED SEED JOB LEDGER POLICY INVENTORY

Each of NUMBER processes reserves what JOB asks for, all at the same moment; KILLED of them are killed at a random one. Prints
one line of JSON: the exit statuses of those that lived, and the reservations that processes said they had.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time

from solon.cli.errors import Failure, UsageError
from solon.cli.quota import command, job
from solon.cli.quota.reserving import Options, reserve


def main() -> None:
    number, killed, seed = map(int, sys.argv[1:4])
    path, ledger, policy, inventory = sys.argv[4:]
    options = Options(
        job=path,
        team="",
        length="30m",
        owner="race",
        ledger=ledger,
        policies=[policy],
        data=[],
        inventory=[inventory],
        log=None,
        cluster="",
        environment="",
        allowed_hosts=frozenset(),
        timeout=60.0,
        max_bytes=1 << 20,
    )
    start, go = os.pipe()
    told, tell = os.pipe()
    children = []
    for _ in range(number):
        child = os.fork()
        if not child:
            os.close(go)
            os.read(start, 1)  # until the parent lets go
            os._exit(reserved(options, tell))
        children.append(child)
    os.close(tell)
    os.close(go)
    dice = random.Random(seed)
    for child in dice.sample(children, killed):
        time.sleep(dice.uniform(0, 0.05))
        os.kill(child, signal.SIGKILL)
    statuses = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    with open(told) as lines:
        sys.stdout.write(json.dumps({"statuses": statuses, "told": lines.read().split()}))


def reserved(options: Options, tell: int) -> int:
    try:
        answer = reserve(job.read(options.job, max_bytes=1 << 20, cluster=""), options)
    except (UsageError, Failure) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    if answer.reservation is not None:
        os.write(tell, f"{answer.reservation.id}\n".encode())
    return command.status(answer)


if __name__ == "__main__":
    main()
