# METADATA
# title: A team holds no more GPUs than its quota
# description: >-
#   What a workload asks for at most, together with what the team's other workloads hold already, stays within the
#   team's quota. Running workloads come from data.inventory; without it only the workload's own ask is counted.
#   What is queued or suspended counts as what runs. Unlabelled workloads count for whoever asks in their namespace.
#   Workloads that another one owns, and finished ones, are not counted; a queued Workload of Kueue is where its owner
#   is not there to be counted.
# custom:
#   severity: high
#   owner: ml-platform
#   subject: kubernetes.object
#   controls: ["ISO-42001:A.4.5"]
#   remediation: Ask for fewer GPUs, wait for a running job to end, or have the quota raised in library/data/gpu-quota.yaml.
package kubernetes.gpu_quota

import data.lib.kubernetes

deny contains {"msg": msg} if {
	not data.gpu_quota
	msg := "cannot be judged: data.gpu_quota is not loaded (library/data/gpu-quota.yaml)"
}

deny contains {"msg": msg, "path": _where, "remediation": remediation} if {
	_asked > 0
	quota := data.gpu_quota.teams[_team]
	_asked + _held > quota
	msg := sprintf("asks for %s; team %s may hold %d and %s, so this is %d too many", [
		_gpus(_asked),
		_team,
		quota,
		_holds,
		(_asked + _held) - quota,
	])
	remediation := _advice(max([0, quota - _held]))
}

deny contains {"msg": msg, "path": _where, "remediation": remediation} if {
	_asked > 0
	_team
	not data.gpu_quota.teams[_team]
	msg := sprintf("asks for %s, but team %s has no GPU quota", [_gpus(_asked), _team])
	remediation := sprintf("Correct the team label, or have a quota for %s added to library/data/gpu-quota.yaml", [_team])
}

deny contains {"msg": msg, "path": ["metadata", "labels"], "remediation": remediation} if {
	_asked > 0
	not _team
	msg := sprintf("asks for %s, but has no team label that says whose quota they count against", [_gpus(_asked)])
	remediation := "Add metadata.labels.team"
}

deny contains {"msg": msg, "path": bad.path, "remediation": remediation} if {
	some bad in _requests(input)
	not _number(bad.value)
	msg := sprintf("asks for %v of %s, which is not a number of GPUs", [bad.value, bad.resource])
	remediation := "Write a whole number"
}

_team := team if {
	team := input.metadata.labels.team
	team != ""
}

_asked := _demand(input)

_held := sum([workload.gpus | some workload in _running])

_holds := "holds none" if {
	count(_running) == 0
} else := sprintf("holds %d (%s)", [
	_held,
	concat(", ", sort([sprintf("%s: %d", [workload.name, workload.gpus]) | some workload in _running])),
])

# What else the team runs: its own workloads anywhere, and those of nobody in this namespace.
_running contains {"name": name, "namespace": namespace, "gpus": gpus} if {
	some namespace, workload
	data.inventory.namespace[namespace][_][_][_] = workload
	_counts(workload, namespace)
	not _same(workload, namespace)
	gpus := _demand(workload)
	gpus > 0
	name := kubernetes.name(workload)
}

_counts(workload, namespace) if {
	object.get(workload, ["metadata", "labels", "team"], _nobody(namespace)) == _team
	not _owned(workload, namespace)
	not _finished(workload)
}

_owned(workload, _) if {
	workload.kind != "Workload"
	count(object.get(workload, ["metadata", "ownerReferences"], [])) > 0
}

_owned(workload, namespace) if {
	workload.kind == "Workload"
	some owner in workload.metadata.ownerReferences
	count(kubernetes.pod_groups(data.inventory.namespace[namespace][_][owner.kind][owner.name])) > 0
}

# Whose an unlabelled workload is taken to be.
_nobody(namespace) := _team if {
	namespace == kubernetes.namespace(input)
} else := ""

_same(workload, namespace) if {
	workload.kind == input.kind
	workload.metadata.name == input.metadata.name
	namespace == kubernetes.namespace(input)
}

_finished(workload) if workload.status.phase in {"Succeeded", "Failed"}

_finished(workload) if workload.status.jobStatus in {"SUCCEEDED", "FAILED", "STOPPED"}

_finished(workload) if {
	some condition in workload.status.conditions
	condition.type in {"Complete", "Succeeded", "Failed", "Finished"}
	condition.status == "True"
}

# The GPUs a workload may hold at once. A pod's init containers run before the others, not beside them.
_demand(workload) := sum([gpus |
	some group in kubernetes.pod_groups(workload)
	main := sum([_number(request.value) | some request in _of(kubernetes.containers(group.spec), [])])
	init := [_number(request.value) | some request in _of(kubernetes.init_containers(group.spec), [])]
	gpus := group.count * max(array.concat([main], init))
])

_requests(workload) := {request |
	some group in kubernetes.pod_groups(workload)
	entries := array.concat(kubernetes.containers(group.spec), kubernetes.init_containers(group.spec))
	some request in _of(entries, group.path)
}

# The GPU requests of some containers, with their place. A limit without a request is the request.
_of(entries, base) := [request |
	some entry in entries
	some resource in data.gpu_quota.resources
	some field in _field(entry.container, resource)
	request := {
		"resource": resource,
		"value": entry.container.resources[field][resource],
		"path": array.flatten([base, entry.path, "resources", field, resource]),
	}
]

_field(container, resource) := ["limits"] if {
	_ = container.resources.limits[resource]
} else := ["requests"] if {
	_ = container.resources.requests[resource]
} else := []

_number(value) := value if {
	is_number(value)
	value >= 0
}

_number(value) := to_number(value) if regex.match("^[0-9]+$", value)

# The first place that asks for GPUs.
_where := sort([request.path | some request in _requests(input)])[0]

_gpus(1) := "1 GPU"

_gpus(n) := sprintf("%d GPUs", [n]) if n != 1

_advice(0) := sprintf(
	"Wait for one of the team's workloads to end, or have the quota of %s raised in library/data/gpu-quota.yaml",
	[_team],
)

_advice(left) := sprintf(
	"Ask for at most %s, wait for one of the team's workloads to end, or have the quota of %s raised in library/data/gpu-quota.yaml",
	[_gpus(left), _team],
) if {
	left > 0
}
