"""What judges in tests of a replay: loaded in other processes, where a test's own functions are not."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

from solon.decisions.replay.judging import Verdict


def judged(event: bytes) -> Verdict:
    """Says what it was given, or does what that says."""
    word = event.decode()
    if word == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if word == "exit":
        os._exit(7)
    if word == "hang":
        time.sleep(60)
    if word == "nap":
        time.sleep(0.002)
    return Verdict(outcome=word)


def sound() -> Callable[[bytes], Verdict]:
    return judged


def broken() -> Callable[[bytes], Verdict]:
    raise ValueError("policy/main.rego:1:1: does not compile")


def dying() -> Callable[[bytes], Verdict]:
    os.kill(os.getpid(), signal.SIGKILL)
    return judged


@dataclass(frozen=True)
class Slow:
    """Takes longer for the first events than for the others."""

    seconds: float = 0.01

    def __call__(self) -> Callable[[bytes], Verdict]:
        def slowly(event: bytes) -> Verdict:
            if int(event) < 64:
                time.sleep(self.seconds)
            return Verdict(outcome=event.decode())

        return slowly
