"""Whether the programme is healthy, from decisions and the incidents that were marked.

A violation of a policy by a subject is there from the first decision that found it until the first later one that looked and
did not: one of the same path that asked the same policy sets, and where the policy did not fail. Until then it is ``open``, or
``waived`` where a waiver covered all of it the last time; then it is ``fixed``. A subject that is gone, or that nobody checks
any more, stays as it was, and ``last seen`` says since when.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from solon.decisions.incidents import KINDS, Incident
from solon.decisions.warehouse import waivers
from solon.decisions.warehouse.incidents import marked
from solon.decisions.warehouse.session import Session

# Upper bounds in seconds, the last one for all the rest.
BOUNDS: Final = (
    0.0001,
    0.00025,
    0.0005,
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
    10.0,
)
BUCKETS: Final = ("day", "week", "month")
_STUCK: Final = 10

EPISODES: Final = """
CREATE OR REPLACE TEMP TABLE episodes AS
WITH pairs AS (
  SELECT DISTINCT d.subject, coalesce(d.path, '') AS path, x.policy
  FROM decisions d, (SELECT unnest(d.policies) AS policy) x WHERE d.subject IS NOT NULL
), looked AS (
  SELECT p.subject, p.path, p.policy, d.time, d.shard, d."index", d.team, map_keys(d.bundles) AS sets,
    list_contains(d.policies, p.policy) AS violated,
    len(list_filter(d.findings, lambda f: f.policy = p.policy AND f.outcome = 'error')) > 0 AS failed,
    len(list_filter(d.findings, lambda f:
      f.policy = p.policy AND f.outcome IN ('deny', 'overridden', 'warn', 'recorded'))) = 0 AS waived
  FROM pairs p JOIN decisions d ON d.subject = p.subject AND coalesce(d.path, '') = p.path
), times AS (
  SELECT subject, path, policy, count(*) AS violations FROM looked WHERE violated GROUP BY ALL
), needed AS (  -- the policy sets that were asked each time that it was violated
  SELECT subject, path, policy, list(name) AS names FROM (
    SELECT subject, path, policy, name, count(*) AS found
    FROM (SELECT subject, path, policy, unnest(sets) AS name FROM looked WHERE violated) GROUP BY ALL
  ) JOIN times USING (subject, path, policy) WHERE found = violations GROUP BY ALL
), told AS (
  SELECT looked.*, lag(violated) OVER (PARTITION BY subject, path, policy ORDER BY time, shard, "index") AS before
  FROM looked LEFT JOIN needed USING (subject, path, policy)
  WHERE violated OR (NOT failed AND list_has_all(sets, coalesce(names, [])))
), numbered AS (
  SELECT *, count(*) FILTER (violated AND before IS NOT TRUE) OVER (
    PARTITION BY subject, path, policy ORDER BY time, shard, "index") AS episode FROM told
)
SELECT *, CASE WHEN fixed IS NOT NULL THEN 'fixed' WHEN covered THEN 'waived' ELSE 'open' END AS state FROM (
  SELECT subject, policy, path, arg_max(team, time) AS team, min(time) FILTER (violated) AS opened,
    max(time) FILTER (violated) AS last_seen, min(time) FILTER (NOT violated) AS fixed,
    last(waived ORDER BY time, shard, "index") FILTER (violated) AS covered
  FROM numbered WHERE episode > 0 GROUP BY subject, path, policy, episode
)
"""


@dataclass(frozen=True, slots=True)
class Latency:
    """Of what was asked at one path of the same policy sets; of all, where both are empty.

    ``counts``: how many decisions took at most so many seconds, one for each of BOUNDS, and one for all.
    """

    path: str
    policy_sets: str
    counts: Sequence[int]
    seconds: float
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None


_NONE: Final = Latency("", "", [0] * (len(BOUNDS) + 1), 0.0)


@dataclass(frozen=True, slots=True)
class Metrics:
    """Rows as dictionaries; times in UTC, durations in seconds."""

    decisions: dict[str, int]
    first: Any
    last: Any
    violations: Sequence[dict[str, Any]]  # bucket, policy, team, outcome, decisions, subjects
    totals: Sequence[dict[str, Any]]  # the same without buckets
    remediation: Sequence[dict[str, Any]]  # policy, team, fixed, median, p90, open, oldest, waived
    stuck: Sequence[dict[str, Any]]
    waivers: Sequence[dict[str, Any]]
    breakglass: int
    incidents: Sequence[dict[str, Any]]  # policy, team, incidents, open, kinds, denials, per_thousand
    incident_count: int
    latency: Latency  # of all
    latencies: Sequence[Latency]


def measured(session: Session, *, bucket: str = "week", stuck: int = _STUCK, asof_us: int) -> Metrics:
    """The metrics of what the session covers, as of a time; it needs its records. Raises LogError."""
    assert bucket in BUCKETS
    session.execute(EPISODES)
    counting = [
        each
        for each in marked(session)
        if each.counts and session.window.has(each.decided_us, each.decided_us)
    ]
    counts = session.all(
        "SELECT coalesce(nullif(outcome, ''), 'unknown'), count(*) FROM decisions GROUP BY 1 ORDER BY 1"
    )
    ((first, last, breakglass),) = session.all(
        "SELECT min(time), max(time), count(*) FILTER (len(breakglass) > 0) FROM decisions"
    )
    return Metrics(
        decisions={str(word): int(count) for word, count in counts},
        first=first,
        last=last,
        violations=_violations(session, f"date_trunc('{bucket}', time)::DATE AS bucket, "),
        totals=_violations(session, ""),
        remediation=_remediation(session, asof_us),
        stuck=session.dictionaries(
            "SELECT policy, subject, team, opened, last_seen, (epoch_us(last_seen) - epoch_us(opened)) / 1e6 AS seen_for, "
            "($1 - epoch_us(opened)) / 1e6 AS age FROM episodes WHERE state = 'open' "
            "ORDER BY opened, policy, subject LIMIT $2",
            [asof_us, stuck],
        ),
        waivers=waivers.used(session, asof_us),
        breakglass=breakglass,
        incidents=_incidents(session, counting),
        incident_count=len(counting),
        latency=next(iter(_latencies(session, all_together=True)), _NONE),
        latencies=_latencies(session),
    )


def _incidents(session: Session, incidents: Sequence[Incident]) -> list[dict[str, Any]]:
    """By policy and team, beside what that policy denied that team, and all that was decided about it."""
    denials = {
        (policy, team): count
        for policy, team, count in session.all(
            """SELECT policy, coalesce(team, ''), count(*) FROM (SELECT unnest(denied_by) AS policy, team FROM decisions)
               GROUP BY ALL"""
        )
    }
    decisions = dict(session.all("SELECT coalesce(team, ''), count(*) FROM decisions GROUP BY ALL"))
    out = []
    keys = sorted({(policy, each.team) for each in incidents for policy in each.policies})
    for policy, team in keys:
        mine = [each for each in incidents if each.team == team and policy in each.policies]
        kinds = Counter(each.kind for each in mine)
        out.append(
            {
                "policy": policy,
                "team": team,
                "incidents": len(mine),
                "open": sum(each.open for each in mine),
                "kinds": {kind: kinds[kind] for kind in KINDS},
                "denials": denials.get((policy, team), 0),
                "per_thousand": 1_000 * len(mine) / decisions[team] if team in decisions else None,
            }
        )
    return out


def _violations(session: Session, bucket: str) -> list[dict[str, Any]]:
    order = "bucket, " if bucket else ""
    return session.dictionaries(
        f"""SELECT {bucket}f.policy AS policy, coalesce(team, '') AS team, f.outcome AS outcome,
              count(DISTINCT (shard, "index")) AS decisions, count(DISTINCT subject) AS subjects
            FROM (SELECT shard, "index", time, team, subject, unnest(findings) AS f FROM decisions)
            WHERE f.outcome <> 'excepted' GROUP BY ALL ORDER BY {order}policy, team, outcome""",
    )


def _remediation(session: Session, asof_us: int) -> list[dict[str, Any]]:
    return session.dictionaries(
        """SELECT policy, coalesce(team, '') AS team, count(fixed) AS fixed,
             median((epoch_us(fixed) - epoch_us(opened)) / 1e6) FILTER (fixed IS NOT NULL) AS median,
             quantile_cont((epoch_us(fixed) - epoch_us(opened)) / 1e6, 0.9) FILTER (fixed IS NOT NULL) AS p90,
             count(*) FILTER (state = 'open') AS open, count(*) FILTER (state = 'waived') AS waived,
             max(($1 - epoch_us(opened)) / 1e6) FILTER (state = 'open') AS oldest
           FROM episodes GROUP BY ALL ORDER BY policy, team""",
        [asof_us],
    )


def _latencies(session: Session, *, all_together: bool = False) -> list[Latency]:
    """By path and policy sets, the busiest first."""
    below = ", ".join(f"count(*) FILTER (latency_ns <= {int(bound * 1e9)})" for bound in BOUNDS)
    sets = "array_to_string(list_sort(map_keys(bundles)), ', ')"
    key = "'', ''" if all_together else f"coalesce(path, ''), coalesce({sets}, '')"
    rows = session.all(
        f"""SELECT {key}, [{below}, count(*)], sum(latency_ns) / 1e9,
              list_transform(quantile_cont(latency_ns, [0.5, 0.95, 0.99]), lambda ns: ns / 1e9)
            FROM decisions WHERE latency_ns IS NOT NULL GROUP BY 1, 2 ORDER BY count(*) DESC, 1, 2"""
    )
    return [
        Latency(path, names, counts, float(spent), *quantiles)
        for path, names, counts, spent, quantiles in rows
    ]
