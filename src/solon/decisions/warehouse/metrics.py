"""Whether the programme is healthy, from decisions alone: violations, how long they stay, waivers, latencies.

A violation of a policy by a subject is open from the first decision that found it until the first later one that looked and
did not: one of the same path that asked the same policy sets, and where the policy did not fail. A subject that is gone, or
that nobody checks any more, stays open, and ``last seen`` says since when.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

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

_EPISODES: Final = """
CREATE OR REPLACE TEMP TABLE episodes AS
WITH pairs AS (
  SELECT DISTINCT d.subject, coalesce(d.path, '') AS path, x.policy
  FROM decisions d, (SELECT unnest(d.policies) AS policy) x WHERE d.subject IS NOT NULL
), looked AS (
  SELECT p.subject, p.path, p.policy, d.time, d.shard, d."index", d.team, map_keys(d.bundles) AS sets,
    list_contains(d.policies, p.policy) AS violated,
    len(list_filter(d.findings, lambda f: f.policy = p.policy AND f.outcome = 'error')) > 0 AS failed
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
SELECT subject, policy, path, arg_max(team, time) AS team, min(time) FILTER (violated) AS opened,
  max(time) FILTER (violated) AS last_seen, min(time) FILTER (NOT violated) AS fixed
FROM numbered WHERE episode > 0 GROUP BY subject, path, policy, episode
"""


@dataclass(frozen=True, slots=True)
class Latency:
    """How many decisions took at most so many seconds: one count for each of BOUNDS, and one for all."""

    counts: Sequence[int]
    seconds: float
    p50: float | None
    p99: float | None


@dataclass(frozen=True, slots=True)
class Metrics:
    """Rows as dictionaries; times in UTC, durations in seconds."""

    decisions: dict[str, int]
    first: Any
    last: Any
    violations: Sequence[dict[str, Any]]  # bucket, policy, team, outcome, decisions, subjects
    totals: Sequence[dict[str, Any]]  # the same without buckets
    remediation: Sequence[dict[str, Any]]  # policy, team, fixed, median, p90, open, oldest
    stuck: Sequence[dict[str, Any]]
    waivers: Sequence[dict[str, Any]]
    breakglass: int
    latency: Latency


def measured(session: Session, *, bucket: str = "week", stuck: int = _STUCK, asof_us: int) -> Metrics:
    """The metrics of what the session covers, as of a time. Raises LogError."""
    assert bucket in BUCKETS
    session.execute(_EPISODES)
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
        stuck=_dictionaries(
            session,
            "SELECT policy, subject, team, opened, last_seen, (epoch_us(last_seen) - epoch_us(opened)) / 1e6 AS seen_for, "
            "($1 - epoch_us(opened)) / 1e6 AS age FROM episodes WHERE fixed IS NULL "
            "ORDER BY opened, policy, subject LIMIT $2",
            [asof_us, stuck],
        ),
        waivers=_dictionaries(
            session,
            """SELECT w.waiver, list_sort(list(DISTINCT w.policy)) AS policies, list_sort(list(DISTINCT team)
                 FILTER (team <> '')) AS teams, count(DISTINCT decision_id) AS decisions,
                 count(DISTINCT subject) AS subjects, min(time) AS first_used, max(time) AS last_used,
                 ($1 - epoch_us(min(time))) / 1e6 AS age
               FROM (SELECT d.*, unnest(d.findings) AS w FROM decisions d WHERE len(d.waivers) > 0)
               WHERE w.waiver IS NOT NULL GROUP BY w.waiver ORDER BY first_used, w.waiver""",
            [asof_us],
        ),
        breakglass=breakglass,
        latency=_latency(session),
    )


def _violations(session: Session, bucket: str) -> list[dict[str, Any]]:
    order = "bucket, " if bucket else ""
    return _dictionaries(
        session,
        f"""SELECT {bucket}f.policy AS policy, coalesce(team, '') AS team, f.outcome AS outcome,
              count(DISTINCT (shard, "index")) AS decisions, count(DISTINCT subject) AS subjects
            FROM (SELECT shard, "index", time, team, subject, unnest(findings) AS f FROM decisions)
            WHERE f.outcome <> 'excepted' GROUP BY ALL ORDER BY {order}policy, team, outcome""",
    )


def _remediation(session: Session, asof_us: int) -> list[dict[str, Any]]:
    return _dictionaries(
        session,
        """SELECT policy, coalesce(team, '') AS team, count(fixed) AS fixed,
             median((epoch_us(fixed) - epoch_us(opened)) / 1e6) FILTER (fixed IS NOT NULL) AS median,
             quantile_cont((epoch_us(fixed) - epoch_us(opened)) / 1e6, 0.9) FILTER (fixed IS NOT NULL) AS p90,
             count(*) - count(fixed) AS open,
             max(($1 - epoch_us(opened)) / 1e6) FILTER (fixed IS NULL) AS oldest
           FROM episodes GROUP BY ALL ORDER BY policy, team""",
        [asof_us],
    )


def _latency(session: Session) -> Latency:
    below = ", ".join(f"count(*) FILTER (latency_ns <= {int(bound * 1e9)})" for bound in BOUNDS)
    ((*counts, total, spent, p50, p99),) = session.all(
        f"SELECT {below}, count(*), coalesce(sum(latency_ns), 0) / 1e9, quantile_cont(latency_ns, 0.5) / 1e9, "
        "quantile_cont(latency_ns, 0.99) / 1e9 FROM decisions WHERE latency_ns IS NOT NULL"
    )
    return Latency([*counts, total], float(spent), p50, p99)


def _dictionaries(session: Session, sql: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
    answer = session.ask(sql, parameters)
    return [dict(zip(answer.columns, values, strict=True)) for values in answer.rows]
