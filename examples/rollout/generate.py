"""A large version of this example: 300 teams and 5,000 namespaces, always the same ones for the same seed.

    python examples/rollout/generate.py DIRECTORY [--teams 300] [--namespaces 5000] [--seed 1]

The policy is the one of this directory. Four workloads in five predate it, and lack the label. Some teams put theirs
right, some ask for waivers, some do nothing.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
POLICY = "kubernetes.team_label.deny"
ANNOUNCED = "2026-09-07"
KINDS = ("Deployment", "Deployment", "Deployment", "StatefulSet", "DaemonSet")
DUTIES = ("api", "batch", "web", "ledger", "reports", "events", "cache", "search")
HABITS = {"fixes": 60, "asks": 15, "waits": 25}  # how many teams in a hundred

CONFIG = """policies: [policy]
timezone: Europe/Berlin
ownership:
  team:
    - namespaces: owners.yaml
  owner:
    - annotation: example.com/contact
  environment:
    - value: prod
waivers:
  approvers:
    - {who: [governance], severities: [low, medium]}
"""
ROLLOUT = """# The team label: announced on 7 September 2026. Promoted scope by scope, when the criteria hold.
policy: kubernetes.team_label.deny
owner: governance
scopes:
  - name: canary   # ten teams that want to go first
    where: {team: team-00?}
    exit: {days: 3, green: 60%}
    stages:
      - {stage: warn, from: 2026-09-21}
  - name: early
    where: {team: team-0*}
    exit: {days: 4, violations: 450, trend: falling}
    stages:
      - {stage: warn, from: 2026-10-05}
  - name: fleet
    exit: {days: 4, green: 85%}
    stages:
      - {stage: warn, from: 2026-10-19}
      - {stage: audit, from: 2026-11-16}
    existing: {until: 2027-03-01, baseline: baseline.json}   # what ran when the rule was announced
"""


@dataclass(frozen=True)
class Team:
    """``habit`` is what it does about warnings; ``pace`` the share of its workloads that it puts right in a week."""

    name: str
    habit: str
    pace: float


@dataclass(frozen=True)
class Workload:
    team: Team
    namespace: str
    kind: str
    name: str
    labelled: bool

    @property
    def uri(self) -> str:
        return f"k8s://manifests/{self.namespace}/{self.kind}/{self.name}"

    def document(self) -> dict[str, object]:
        labels = {"app": self.name} | ({"team": self.team.name} if self.labelled else {})
        return {
            "apiVersion": "apps/v1",
            "kind": self.kind,
            "metadata": {"name": self.name, "namespace": self.namespace, "labels": labels},
            "spec": {"replicas": 2},
        }


class World:
    """The teams, and what ran on the day that the rule was announced."""

    def __init__(self, teams: int = 300, namespaces: int = 5_000, seed: int = 1) -> None:
        self.chance = random.Random(seed)
        habits = self.chance.choices(list(HABITS), list(HABITS.values()), k=teams)
        # Who wants to go first is who does something.
        habits[:10] = ["fixes"] * len(habits[:10])
        self.teams = [
            Team(f"team-{number:03}", habit, self.chance.uniform(0.3, 0.6))
            for number, habit in enumerate(habits)
        ]
        self.workloads = [self.workload(number, self.chance.random() < 0.2) for number in range(namespaces)]

    def workload(self, number: int, labelled: bool) -> Workload:
        """The workload of the namespace of that number."""
        team = self.teams[number % len(self.teams)]
        duty = self.chance.choice(DUTIES)
        namespace = f"{team.name}-{duty}-{number}"
        return Workload(team, namespace, self.chance.choice(KINDS), duty, labelled)

    def owners(self) -> str:
        return "".join(f"{team.name}-*: {team.name}\n" for team in self.teams)

    def baseline(self) -> str:
        """What `solon baseline` records on that day."""
        found = {POLICY: sorted(each.uri for each in self.workloads if not each.labelled)}
        recorded = f"{ANNOUNCED}T06:00:00Z"
        return json.dumps({"schema": "solon.baseline/v1", "recorded": recorded, "findings": found}, indent=2)


def waiver(workload: Workload, created: str, expires: str) -> str:
    """What a team that asks for time writes into waivers/, and governance approves."""
    return (
        f"- policy: {POLICY}\n"
        f"  scope: {{namespace: {workload.namespace}, resource: {workload.kind}/{workload.name}}}\n"
        f"  owner: {workload.team.name}\n"
        f"  reason: moves to the new platform first\n"
        f"  approved_by: governance\n"
        f"  created: {created}\n"
        f"  expires: {expires}\n"
    )


def write(world: World, folder: Path, *, manifests: bool = True) -> None:
    """The policy repository, and the manifests of each namespace."""
    shutil.copytree(HERE / "policy", folder / "policy")
    for name in ("rollouts", "waivers"):
        (folder / name).mkdir()
    (folder / "solon.yaml").write_text(CONFIG)
    (folder / "rollouts" / "labels.yaml").write_text(ROLLOUT)
    (folder / "owners.yaml").write_text(world.owners())
    (folder / "baseline.json").write_text(world.baseline() + "\n")
    if not manifests:
        return
    for workload in world.workloads:
        place = folder / "manifests" / workload.team.name
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{workload.namespace}.json").write_text(json.dumps(workload.document(), indent=2) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("directory", type=Path)
    parser.add_argument("--teams", type=int, default=300)
    parser.add_argument("--namespaces", type=int, default=5_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if options.directory.exists():
        raise SystemExit(f"{options.directory} exists already")
    options.directory.mkdir(parents=True)
    world = World(options.teams, options.namespaces, options.seed)
    write(world, options.directory)
    lacking = sum(not workload.labelled for workload in world.workloads)
    print(f"{len(world.teams)} teams, {len(world.workloads)} namespaces; {lacking} workloads lack the label")


if __name__ == "__main__":
    main()
