"""What the programme costs: `solon check` with waivers and rollouts, and without.

    python benchmarks/programme/overhead.py [--pairs 15] [--subjects 10000] [--waivers 1000] [--scopes 200] [--profile]

10,000 Deployments in 500 namespaces, a third of which lack labels, under the starter library. With: 1,000 waivers in
100 files, 200 scopes with dated stages in 4 rollouts, teams from a map of namespaces. Without: the same policies named
with -p, so that nothing of a programme is read or asked. Pairs are run alternately, and which is first alternates too.
"""

from __future__ import annotations

import argparse
import cProfile
import os
import pstats
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from solon.cli import config, programme
from solon.cli.check import judged
from solon.cli.policies import Wanted, load
from solon.frameworks.policy import Context
from solon.subjects import discover
from solon.subjects.documents import collector_spared
from solon.subjects.subject import Subject

ROOT = Path(__file__).parents[2]
POLICIES = ("required_labels", "model_registry", "gpu_quota", "model_region")
NAMESPACES, TEAMS = 500, 100

DEPLOYMENT = """---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
  namespace: {namespace}
  labels:
    app: {name}{labels}
spec:
  replicas: 3
  selector:
    matchLabels:
      app: {name}
  template:
    metadata:
      labels:
        app: {name}
    spec:
      serviceAccountName: {name}
      securityContext:
        runAsNonRoot: true
      containers:
        - name: server
          image: registry.acme.example/{namespace}/{name}:1.4.2
          ports:
            - containerPort: 8080
          resources:
            requests:
              cpu: 250m
              memory: 512Mi
            limits:
              memory: 512Mi
          readinessProbe:
            httpGet:
              path: /ready
              port: 8080
        - name: proxy
          image: registry.acme.example/mesh/proxy:2.0.1
          args: [--port, "15001"]
"""
LABELS = """
    team: team-{team}
    cost-center: cc-4102
    environment: production
    data-classification: internal"""
WAIVER = """- policy: kubernetes.required_labels.deny
  scope: {{namespace: ns-{namespace}, resource: deployment/{name}}}
  owner: team-{team}
  reason: moves to the new platform in spring
  ticket: OPS-{number}
  approved_by: governance
  created: 2026-09-01
  expires: 2026-12-31
"""
SCOPE = """
  - name: {name}
    where: {{team: {teams}}}
    stages:
      - {{stage: warn, from: 2026-09-01}}
      - {{stage: audit, from: 2026-10-01}}
      - {{stage: enforce, from: {enforce}, grace: 7d}}"""
CONFIG = """policies: [{root}/library]
timezone: Europe/Berlin
ownership:
  team:
    - namespaces: owners.yaml
    - label: team
"""
AS_OF = "2026-11-20"
WAYS = {
    "solon check": [],
    "solon check --format json": ["--format", "json"],
    "solon check --quiet": ["--quiet"],
}


def write(folder: Path, subjects: int, waivers: int, scopes: int) -> None:
    """The repository, and what is judged."""
    chance = random.Random(1)
    for name in ("manifests", "waivers", "rollouts"):
        (folder / name).mkdir()
    names = [(number % NAMESPACES, f"service-{number}") for number in range(subjects)]
    unlabelled = sorted(chance.sample(range(subjects), subjects // 3))
    lacking = set(unlabelled)
    files: dict[int, list[str]] = {}
    for number, (namespace, name) in enumerate(names):
        labels = "" if number in lacking else LABELS.format(team=namespace % TEAMS)
        text = DEPLOYMENT.format(name=name, namespace=f"ns-{namespace}", labels=labels)
        files.setdefault(namespace, []).append(text)
    for namespace, texts in files.items():
        (folder / "manifests" / f"ns-{namespace}.yaml").write_text("".join(texts))
    # Half of the waivers cover something that is wrong, the others what was fixed since.
    waived = (
        unlabelled[: waivers // 2]
        + [n for n in range(subjects) if n not in lacking][: waivers - waivers // 2]
    )
    parts = [
        WAIVER.format(namespace=names[n][0], name=names[n][1], team=names[n][0] % TEAMS, number=n)
        for n in waived
    ]
    for start in range(0, len(parts), 10):
        (folder / "waivers" / f"{start // 10}.yaml").write_text("".join(parts[start : start + 10]))
    for index, policy in enumerate(POLICIES):
        count = scopes // len(POLICIES)
        text = f"policy: kubernetes.{policy}.deny\nscopes:"
        for number in range(count):
            teams = [f"team-{team}" for team in range(number, TEAMS, count)]
            enforce = "2026-11-02" if number % 3 else "2027-02-01"
            text += SCOPE.format(name=f"wave-{number}", teams=f"[{', '.join(teams)}]", enforce=enforce)
        (folder / "rollouts" / f"{index}.yaml").write_text(text + "\n")
    owners = "".join(f"ns-{n}: team-{n % TEAMS}\n" for n in range(NAMESPACES))
    (folder / "owners.yaml").write_text(owners)
    (folder / "solon.yaml").write_text(CONFIG.format(root=ROOT))


def seconds(command: list[str], folder: Path) -> float:
    """The processor time of a process: what else the machine does matters less to it than to a clock."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status) not in (0, 1):
        raise SystemExit(f"failed: {' '.join(command)}")
    return usage.ru_utime + usage.ru_stime


def compare(title: str, without: Callable[[], float], with_: Callable[[], float], pairs: int) -> None:
    """Print both medians, and the ratio: the median of the pairs', and the middle half of them."""
    without(), with_()
    ratios, bases, fulls = [], [], []
    for number in range(pairs):
        if number % 2:
            full, base = with_(), without()
        else:
            base, full = without(), with_()
        ratios.append(full / base)
        bases.append(base)
        fulls.append(full)
    low, middle, high = statistics.quantiles(ratios, n=4)
    print(
        f"{title:28} without {statistics.median(bases):6.3f} s   with {statistics.median(fulls):6.3f} s   "
        f"{(middle - 1) * 100:+5.1f} %  ({(low - 1) * 100:+.1f} to {(high - 1) * 100:+.1f})",
        flush=True,
    )


def inside(folder: Path) -> tuple[Callable[[], float], Callable[[], float]]:
    """Judging alone, in this process: from subjects that were read to decisions. With it, the files are read too."""
    os.chdir(folder)
    sets = load(Wanted([str(ROOT / "library")], [], [], False, "v1"))
    found = [
        subject
        for source in discover.find(["manifests"])
        if not isinstance(source, discover.Unreadable)
        for subject in discover.read(source, stdin=lambda _: b"")
        if isinstance(subject, Subject)
    ]
    now_ns = time.time_ns()

    def without() -> float:
        started = time.process_time()
        with collector_spared():
            kept = list(judged(sets, found, Context(now_ns), None))
        assert len(kept) == len(found)
        return time.process_time() - started

    def with_() -> float:
        started = time.process_time()
        here = config.find(".")
        assert here is not None
        with collector_spared():
            plan = programme.read(here, sets, programme.Run(programme.moment_of(AS_OF, here)))
            kept = list(judged(sets, found, Context(now_ns), plan))
        assert len(kept) == len(found)
        return time.process_time() - started

    return without, with_


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", type=int, default=15)
    parser.add_argument("--subjects", type=int, default=10_000)
    parser.add_argument("--waivers", type=int, default=1_000)
    parser.add_argument("--scopes", type=int, default=200)
    parser.add_argument(
        "--profile", action="store_true", help="what the programme spends its time on, instead"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, options.subjects, options.waivers, options.scopes)
        if options.profile:
            _, with_ = inside(folder)
            with_()
            profile = cProfile.Profile()
            profile.runcall(with_)
            pstats.Stats(profile).sort_stats("cumulative").print_stats("governance|programme|replace", 40)
            return
        for title, extra in WAYS.items():
            solon = [sys.executable, "-m", "solon", "check", *extra]
            compare(
                title,
                partial(seconds, [*solon, "-p", str(ROOT / "library"), "manifests"], folder),
                partial(seconds, [*solon, "--as-of", AS_OF, "manifests"], folder),
                options.pairs,
            )
        without, with_ = inside(folder)
        compare("judging, in one process", without, with_, options.pairs)


if __name__ == "__main__":
    main()
