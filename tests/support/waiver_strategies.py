"""Waivers as Hypothesis draws them: few names and globs, so that they meet often."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from solon.governance.scope import Scope, Traits
from solon.governance.waivers.waiver import Exemption, Waiver
from solon.subjects.files import Part
from solon.subjects.subject import Location


def exemption(name: str, waiver: Waiver, created: datetime, expires: datetime) -> Exemption:
    part = Part(waiver, lambda _: Location("w.yaml", 1, 1), "w.yaml")
    return Exemption(name, part, created, expires, [(created, expires)])


NAMES = st.sampled_from(["a", "b", "ab", "ba", "abc"])
GLOBS = st.sampled_from(["a", "b", "ab", "a*", "*b", "?b", "abc"])
LISTS = GLOBS | st.lists(GLOBS, min_size=1, max_size=3)
SCOPES = st.builds(
    lambda team, namespace, resource, labels: Scope(
        team=team, namespace=namespace, resource=resource, labels=labels
    ),
    st.none() | LISTS,
    st.none() | LISTS,
    st.none() | st.sampled_from(["deployment/a", "Deployment/a*", "*/b"]),
    st.none() | st.fixed_dictionaries({"app": GLOBS}),
).filter(bool)
TRAITS = st.builds(
    Traits,
    team=NAMES | st.just(""),
    namespace=NAMES,
    resource=st.sampled_from(["Deployment/a", "Deployment/ab", "Pod/b"]),
    labels=st.just({}) | st.fixed_dictionaries({"app": NAMES}),
)
START = datetime(2026, 1, 1, tzinfo=UTC)


@st.composite
def exemptions(draw: st.DrawFn) -> list[Exemption]:
    drawn = draw(
        st.lists(st.tuples(LISTS | st.just("*"), SCOPES, st.integers(0, 20), st.integers(1, 20)), max_size=8)
    )
    out = []
    for number, (policy, scope, start, length) in enumerate(drawn):
        created = START + timedelta(days=start)
        expires = created + timedelta(days=length)
        out.append(exemption(str(number), Waiver(policy=policy, scope=scope), created, expires))
    return out
