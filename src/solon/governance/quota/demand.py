"""How many GPUs a workload may hold at once: as library/kubernetes/gpu_quota.rego counts, which is what decides.

Reservations say it to people, and ask it of a workload that says it is the one that was reserved for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from solon.subjects.fields import get, items, mapping

Object = Mapping[str, Any]
_LARGEST: Final = 1 << 31
_Path = tuple[str, ...]

# kind -> where its pods' spec is, and how many of them run
_PLAIN: Final[Mapping[str, tuple[_Path, _Path]]] = {
    "CronJob": (
        ("spec", "jobTemplate", "spec", "template", "spec"),
        ("spec", "jobTemplate", "spec", "parallelism"),
    ),
    "Deployment": (("spec", "template", "spec"), ("spec", "replicas")),
    "InferenceService": (("spec", "predictor"), ("spec", "predictor", "maxReplicas")),
    "Job": (("spec", "template", "spec"), ("spec", "parallelism")),
    "Pod": (("spec",), ()),
    "ReplicaSet": (("spec", "template", "spec"), ("spec", "replicas")),
    "StatefulSet": (("spec", "template", "spec"), ("spec", "replicas")),
}
_RAY: Final[Mapping[str, _Path]] = {
    "RayCluster": ("spec",),
    "RayJob": ("spec", "rayClusterSpec"),
    "RayService": ("spec", "rayClusterConfig"),
}


def gpus(workload: Object) -> int:
    """At most, over all its pods. Init containers run before the others, not beside them."""
    total = 0
    for count, spec in _pod_groups(workload):
        main = sum(_asked(each) for name in ("containers", "model") for each in _containers(spec, name))
        first = [_asked(each) for each in _containers(spec, "initContainers")]
        total += count * max([main, *first])
    return total


def mentions(value: Any) -> bool:
    """Whether anything in a document asks for GPUs, wherever it stands."""
    if isinstance(value, dict):
        return any(
            (_is_gpu(name) and item not in (0, "0", None)) or mentions(item) for name, item in value.items()
        )
    return isinstance(value, list) and any(map(mentions, value))


def _pod_groups(workload: Object) -> Iterator[tuple[int, Any]]:
    kind = str(workload.get("kind", ""))
    if kind in _PLAIN:
        at, count = _PLAIN[kind]
        yield _count(get(workload, count) if count else 1), get(workload, at)
    if kind in _RAY:
        cluster = get(workload, _RAY[kind])
        yield 1, get(cluster, ("headGroupSpec", "template", "spec"))
        grows = get(cluster, ("enableInTreeAutoscaling",)) is True
        for workers in items(get(cluster, ("workerGroupSpecs",))):
            size = _count(get(workers, ("replicas",)))
            if grows:
                size = max(size, _count(get(workers, ("maxReplicas",))))
            hosts = _count(get(workers, ("numOfHosts",)))
            yield size * hosts, get(workers, ("template", "spec"))
    spec = workload.get("spec")
    for field, roles in mapping(spec).items():
        if str(field).endswith("ReplicaSpecs") and isinstance(roles, dict):
            for role in roles.values():
                yield _count(get(role, ("replicas",))), get(role, ("template", "spec"))
    if kind == "Workload":
        for pods in items(get(workload, ("spec", "podSets"))):
            yield _count(get(pods, ("count",))), get(pods, ("template", "spec"))


def _containers(spec: Any, field: str) -> Sequence[Any]:
    found = get(spec, (field,))
    return [found] if isinstance(found, dict) else items(found)


def _asked(container: Any) -> int:
    """A limit without a request is the request."""
    limits = get(container, ("resources", "limits"))
    requests = get(container, ("resources", "requests"))
    found: dict[str, Any] = {}
    for said in (requests, limits):
        found |= {name: value for name, value in mapping(said).items() if _is_gpu(name)}
    return sum(map(_number, found.values()))


def _is_gpu(name: Any) -> bool:
    """``nvidia.com/gpu``, ``amd.com/gpu``, ``nvidia.com/gpu.shared``."""
    return isinstance(name, str) and name.partition("/")[2].startswith("gpu")


def _number(value: Any) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value[:9])
    return int(value) if _is_number(value) and value > 0 else 0


def _count(value: Any) -> int:
    return max(0, int(value)) if _is_number(value) else 1


def _is_number(value: Any) -> bool:
    """YAML has infinity, and what is no number, among its numbers."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _LARGEST
