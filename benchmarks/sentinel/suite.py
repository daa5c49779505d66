"""How long the tests of whole collections of Sentinel policies take, as a person waits for them.

    git clone --depth 1 https://github.com/hashicorp/terraform-sentinel-policies
    python benchmarks/sentinel/suite.py terraform-sentinel-policies

The time is that of `solon test` as a process, start-up included; the shortest of five.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("collections", nargs="+", metavar="DIR")
    for collection in parser.parse_args().collections:
        times = []
        for _ in range(5):
            started = time.perf_counter()
            done = subprocess.run(
                [sys.executable, "-m", "solon", "test", "--format", "json", collection],
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            times.append(time.perf_counter() - started)
        counts = json.loads(done.stdout)["summary"]
        cases = sum(value for value in counts.values() if isinstance(value, int))
        print(
            f"{collection}: {cases} cases in {min(times):.2f} s, {min(times) / cases * 1000:.1f} ms each; {counts}"
        )


if __name__ == "__main__":
    main()
