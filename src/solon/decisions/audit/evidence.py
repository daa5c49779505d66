"""What decisions say of policies in a period. Rows as dictionaries; times in UTC, without saying so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import msgspec

from solon.decisions.incidents import Incident
from solon.decisions.warehouse import metrics, query, waivers
from solon.decisions.warehouse.incidents import marked
from solon.decisions.warehouse.session import Session

ROWS: Final = 200  # of each list in a report; the extract beside it has all
# What the extract has of a decision.
EXTRACT: Final = (
    "decision_id",
    "time",
    "outcome",
    "allow",
    "subject",
    "namespace",
    "environment",
    "team",
    "owner",
    "policies",
    "denied_by",
    "waivers",
    "breakglass",
    "bundles",
    "path",
    "requested_by",
    "posture",
    "shard",
    "index",
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked at: without ``everything``, decisions that asked these policy sets, and findings of these policies.

    Microseconds since 1970, from the first to before the second.
    """

    sets: Sequence[str]
    policies: Sequence[str]
    start_us: int
    end_us: int
    everything: bool = False


@dataclass(frozen=True, slots=True)
class Evidence:
    """Lists have their first ROWS; ``counts`` has how many there are."""

    outcomes: Mapping[str, int]
    counts: Mapping[str, int]  # denials, waived, breakglass, errors, unnamed, subjects
    days: Sequence[dict[str, Any]]  # day, decisions, denied, excepted
    days_of: Mapping[str, Mapping[date, int]]  # policy set -> day -> decisions, also before the period
    policies: Mapping[str, dict[str, int]]  # policy -> outcome -> decisions
    sets: Mapping[str, int]  # policy set -> decisions
    revisions: Sequence[dict[str, Any]]  # policy_set, revision, first, last, decisions
    denials: Sequence[dict[str, Any]]
    errors: Sequence[dict[str, Any]]
    breakglass: Sequence[dict[str, Any]]
    waivers: Sequence[dict[str, Any]]
    incidents: Sequence[Incident]
    remediation: Sequence[dict[str, Any]]
    open: Sequence[dict[str, Any]]


def look(session: Session, asked: Asked) -> None:
    """Make the relation ``audited``, which the others here read. Raises LogError."""
    session.all(
        "CREATE OR REPLACE TEMP TABLE asked_sets AS SELECT unnest($1::VARCHAR[]) AS name", [list(asked.sets)]
    )
    session.all(
        "CREATE OR REPLACE TEMP TABLE asked_policies AS SELECT unnest($1::VARCHAR[]) AS name",
        [list(asked.policies)],
    )
    which = (
        "true"
        if asked.everything
        else "(list_has_any(map_keys(bundles), (SELECT list(name) FROM asked_sets)) "
        "OR list_has_any(policies, (SELECT list(name) FROM asked_policies)))"
    )
    mine = "true" if asked.everything else "f.policy IN (FROM asked_policies)"
    session.execute(f"CREATE OR REPLACE TEMP VIEW asked AS SELECT * FROM decisions WHERE {which}")
    session.execute(
        "CREATE OR REPLACE TEMP VIEW audited AS SELECT * FROM asked "
        f"WHERE time >= make_timestamp({asked.start_us}) AND time < make_timestamp({asked.end_us})"
    )
    session.execute(
        'CREATE OR REPLACE TEMP VIEW said AS SELECT * FROM (SELECT shard, "index", decision_id, time, subject, team, path, '
        f"requested_by, posture, allow, unnest(findings) AS f FROM audited) WHERE {mine}"
    )


def gathered(session: Session, asked: Asked) -> Evidence:
    """The evidence; the session covers all until the end of the period, and has its records. Raises LogError."""
    look(session, asked)
    ((denials, waived, breakglass, errors, unnamed, subjects),) = session.all(
        """SELECT (SELECT count(DISTINCT (shard, "index")) FROM said WHERE f.outcome = 'deny'),
             (SELECT count(DISTINCT (shard, "index")) FROM said WHERE f.outcome = 'waived'),
             (SELECT count(DISTINCT (shard, "index")) FROM said WHERE f.outcome = 'overridden'),
             (SELECT count(DISTINCT (shard, "index")) FROM said WHERE f.outcome = 'error'),
             (SELECT count(*) FROM audited WHERE outcome = 'deny' AND coalesce(len(denied_by), 0) = 0),
             (SELECT count(DISTINCT subject) FROM audited)"""
    )
    days_of: dict[str, dict[date, int]] = {}
    for name, day, count in session.all(
        "SELECT name, time::DATE, count(*) FROM (SELECT time, unnest(map_keys(bundles)) AS name FROM asked) GROUP BY 1, 2"
    ):
        days_of.setdefault(name, {})[day] = count
    events = _texts(session)
    return Evidence(
        outcomes=dict(
            session.all(
                "SELECT coalesce(nullif(outcome, ''), 'unknown'), count(*) FROM audited GROUP BY 1 ORDER BY 1"
            )
        ),
        counts={
            "denials": denials,
            "waived": waived,
            "breakglass": breakglass,
            "errors": errors,
            "unnamed": unnamed,
            "subjects": subjects,
        },
        days=session.dictionaries(
            """SELECT time::DATE AS day, count(*) AS decisions, count(*) FILTER (outcome = 'deny') AS denied,
                 count(*) FILTER (len(waivers) > 0 OR len(breakglass) > 0) AS excepted
               FROM audited GROUP BY 1 ORDER BY 1"""
        ),
        days_of=days_of,
        policies=_by_policy(session),
        sets=dict(
            session.all(
                "SELECT name, count(*) FROM (SELECT unnest(map_keys(bundles)) AS name FROM audited) GROUP BY 1 ORDER BY 1"
            )
        ),
        revisions=session.dictionaries(
            """SELECT b.key AS policy_set, b.value AS revision, min(time) AS first, max(time) AS last,
                 count(*) AS decisions
               FROM (SELECT time, unnest(map_entries(bundles)) AS b FROM audited) GROUP BY 1, 2 ORDER BY 1, 3, 2"""
        ),
        denials=_found(session, "deny", events),
        errors=_found(session, "error", events),
        breakglass=_found(session, "overridden", events),
        waivers=_waivers(session, asked),
        incidents=_incidents(session, asked),
        remediation=_remediation(session, asked),
        open=session.dictionaries(
            f"""SELECT policy, subject, coalesce(team, '') AS team, opened, last_seen, state,
                  ({asked.end_us} - epoch_us(opened)) / 1e6 AS age
                FROM episodes WHERE state <> 'fixed' AND {_of(asked)} ORDER BY state, opened, policy, subject LIMIT {ROWS}"""
        ),
    )


def _by_policy(session: Session) -> dict[str, dict[str, int]]:
    out: dict[str, dict[str, int]] = {}
    for policy, outcome, count in session.all(
        'SELECT f.policy, f.outcome, count(DISTINCT (shard, "index")) FROM said GROUP BY ALL ORDER BY ALL'
    ):
        out.setdefault(policy, {})[outcome] = count
    return out


def _of(asked: Asked) -> str:
    return "true" if asked.everything else "policy IN (FROM asked_policies)"


def _remediation(session: Session, asked: Asked) -> list[dict[str, Any]]:
    """Violations that were fixed in the period, and those that were there at its end."""
    session.execute(metrics.EPISODES)
    took = "(epoch_us(fixed) - epoch_us(opened)) / 1e6"
    inside = f"fixed >= make_timestamp({asked.start_us})"
    return session.dictionaries(
        f"""SELECT policy, coalesce(team, '') AS team, count(*) FILTER ({inside}) AS fixed,
              median({took}) FILTER ({inside}) AS median, quantile_cont({took}, 0.9) FILTER ({inside}) AS p90,
              count(*) FILTER (state = 'open') AS open, count(*) FILTER (state = 'waived') AS waived,
              max(({asked.end_us} - epoch_us(opened)) / 1e6) FILTER (state = 'open') AS oldest
            FROM episodes WHERE (state <> 'fixed' OR {inside}) AND {_of(asked)} GROUP BY ALL ORDER BY policy, team"""
    )


def _waivers(session: Session, asked: Asked) -> list[dict[str, Any]]:
    """Those that decisions of the period used for these policies."""
    found = waivers.used(session, asked.end_us, since_us=asked.start_us)
    wanted = set(asked.policies)
    return [each for each in found if asked.everything or wanted.intersection(each["policies"])]


def _incidents(session: Session, asked: Asked) -> list[Incident]:
    """Those whose decision is of the period, retracted ones too."""
    wanted = set(asked.policies)
    return [
        each
        for each in marked(session)
        if asked.start_us <= each.decided_us < asked.end_us
        and (asked.everything or wanted.intersection(each.policies))
    ]


# --- findings with their texts, which only events have

_WORDS: Final = ("overridden", "error", "deny")


class _Ruling(msgspec.Struct):
    breakglass: str | None = None
    because: str | None = None


class _Finding(msgspec.Struct):
    policy: str = ""
    outcome: str = ""
    severity: str | None = None
    message: str | None = None
    stage: str | None = None
    ruling: _Ruling | None = None


class _Solon(msgspec.Struct):
    findings: list[_Finding] = []


class _Event(msgspec.Struct):
    solon: _Solon = msgspec.field(default_factory=_Solon)


_LISTED: Final = (
    'SELECT shard, "index", max(decision_id) AS decision_id, max(time) AS time, max(subject) AS subject, '
    "max(team) AS team, max(requested_by) AS requested_by, max(posture) AS posture, bool_and(allow) AS passed, "
    "list_sort(list(DISTINCT f.policy)) AS policies FROM said WHERE f.outcome = $1 "
    f'GROUP BY shard, "index" ORDER BY time, shard, "index" LIMIT {ROWS}'
)


def _texts(session: Session) -> dict[tuple[str, int], str]:
    """The events of what is listed, and of nothing else."""
    keys = [(each[0], each[1]) for word in _WORDS for each in session.all(_LISTED, [word])]
    return query.events(session, sorted(set(keys)))


def _found(session: Session, word: str, events: Mapping[tuple[str, int], str]) -> list[dict[str, Any]]:
    out = []
    for row in session.dictionaries(_LISTED, [word]):
        wanted = set(row["policies"])
        said = [
            each
            for each in _findings(events.get((row["shard"], row["index"]), ""))
            if each.outcome == word and each.policy in wanted
        ]
        row["messages"] = list(dict.fromkeys(each.message for each in said if each.message))
        row["because"] = next(
            (each.ruling.because for each in said if each.ruling and each.ruling.because), ""
        )
        row["token"] = next(
            (each.ruling.breakglass for each in said if each.ruling and each.ruling.breakglass), ""
        )
        out.append(row)
    return out


def _findings(event: str) -> list[_Finding]:
    try:
        return msgspec.json.decode(event, type=_Event).solon.findings
    except (msgspec.MsgspecError, RecursionError):
        return []


def extract(columns: Sequence[str] = EXTRACT) -> str:
    """The SELECT of all that was looked at, for the extract."""
    wanted = ", ".join(f'"{name}"' for name in columns)
    return f'SELECT {wanted} FROM audited ORDER BY time, shard, "index"'


def exceptions(session: Session, limit: int) -> dict[str, list[tuple[str, int]]]:
    """Shard and index of what an auditor looks at first, by what it is: the first ``limit`` of each. Raises LogError."""
    out = {}
    for name, word in (
        ("denials", "deny"),
        ("waived", "waived"),
        ("breakglass", "overridden"),
        ("errors", "error"),
    ):
        rows = session.all(
            'SELECT shard, "index" FROM said WHERE f.outcome = $1 GROUP BY ALL ORDER BY max(time), shard, "index" LIMIT $2',
            [word, limit],
        )
        out[name] = [(shard, index) for shard, index in rows]
    return out


def sampled(session: Session, size: int) -> list[tuple[str, int]]:
    """Decisions that let pass, spread evenly over the period. Raises LogError."""
    rows = session.all(
        """SELECT shard, "index" FROM (
             SELECT shard, "index", row_number() OVER (ORDER BY time, shard, "index") - 1 AS place, count(*) OVER () AS n
             FROM audited WHERE outcome IN ('allow', 'warn'))
           WHERE place = 0 OR (place * $1) // n <> ((place - 1) * $1) // n ORDER BY place""",
        [size],
    )
    return [(shard, index) for shard, index in rows[:size]]
