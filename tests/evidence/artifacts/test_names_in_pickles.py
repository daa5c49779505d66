"""What names are known for, held against picklescan's tables."""

from __future__ import annotations

import pytest
from picklescan import scanner

from solon.evidence.artifacts.pickles.names import effect_of, kind_of


def listed(table):
    for module, names in table.items():
        if names == "*":
            yield f"{module}.anything"
        else:
            yield from (f"{module}.{name}" for name in ([names] if isinstance(names, str) else names))


@pytest.mark.parametrize("name", sorted(listed(scanner._unsafe_globals)))
def test_what_picklescan_refuses_is_dangerous(name):
    assert kind_of(name) == "dangerous"


@pytest.mark.parametrize("name", sorted(listed(scanner._safe_globals)))
def test_what_picklescan_allows_is_ordinary(name):
    assert kind_of(name) == "ordinary"


@pytest.mark.parametrize(
    "name, effect",
    [
        ("os.system", "runs commands"),
        ("shutil.os.system", "reads or writes files"),
        ("numpy.os.system", "reaches what other modules hold"),
        ("collections.abc.sys.modules", "reaches what other modules hold"),
        ("sklearn.x.__class__.__subclasses__", "reaches what other modules hold"),
        ("__builtin__.eval", "runs Python code"),
        ("pandas.read_pickle", "loads another pickle"),
        ("urllib.request.urlopen", "reaches the network"),
    ],
)
def test_the_effect_is_that_of_any_part_of_a_name(name, effect):
    assert effect_of(name) == effect


@pytest.mark.parametrize(
    "name, kind",
    [
        ("sklearn.linear_model._logistic.LogisticRegression", "ordinary"),
        ("torch.nn.modules.container.Sequential", "ordinary"),
        ("numpy.float64", "ordinary"),
        ("builtins.set", "ordinary"),
        ("__builtin__.set", "ordinary"),
        ("sklearn.utils.anything", "other"),
        ("builtins.anything", "other"),
        ("mine.Model", "other"),
        ("sklearn", "other"),
        ("sklearn.a b.C", "other"),
    ],
)
def test_only_classes_of_well_known_libraries_are_ordinary(name, kind):
    assert kind_of(name) == kind
